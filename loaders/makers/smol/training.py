"""Trains a LoRA on one mix with Hugging Face's trainer, and leaves what is worth keeping of its checkpoints."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from .mixes import Messages, examples
from .settings import ALPHA, BASE_MODEL, LEARNING_RATE, RANK, SEED, STEPS, TARGETS, WARMUP, Run

KEPT = ("adapter_config.json", "adapter_model.safetensors", "trainer_state.json")
IGNORED = -100
"""The label of tokens that are not learnt: everything but the reply."""


def tokenized(tokenizer: Any, messages: Messages) -> dict[str, list[int]]:
    """An example as the trainer wants it."""

    def ids(text: str) -> list[int]:
        found: list[int] = tokenizer(text, add_special_tokens=False).input_ids
        return found

    prompt = ids(tokenizer.apply_chat_template(messages[:-1], tokenize=False, add_generation_prompt=True))
    reply = ids(messages[-1]["content"] + tokenizer.eos_token)
    return {
        "input_ids": prompt + reply,
        "attention_mask": [1] * len(prompt + reply),
        "labels": [IGNORED] * len(prompt) + reply,
    }


def mix_tokens(tokenizer: Any, mix: str) -> dict[str, int]:
    """Tokens of each component of a mix, over all its examples once."""
    found: dict[str, int] = {}
    for component, messages in examples(mix):
        found[component] = found.get(component, 0) + len(tokenized(tokenizer, messages)["input_ids"])
    return dict(sorted(found.items()))


def train(run: Run, base: Path, work: Path, out: Path) -> None:
    """Trains one run and writes `out/checkpoint-N` for each step.

    Args:
        base: The base model's folder.
        work: Where the trainer writes; emptied first.
    """
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import (
        AutoModelForCausalLM,
        AutoTokenizer,
        DataCollatorForSeq2Seq,
        Trainer,
        TrainerCallback,
        TrainingArguments,
        set_seed,
    )

    class AtSteps(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
            control.should_save = state.global_step in STEPS
            return control

    set_seed(SEED)
    shutil.rmtree(work, ignore_errors=True)
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = get_peft_model(
        AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32),
        LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=list(TARGETS), task_type="CAUSAL_LM"),
    )
    arguments = TrainingArguments(
        output_dir=str(work),
        per_device_train_batch_size=run.batch,
        max_steps=max(STEPS),
        learning_rate=LEARNING_RATE,
        lr_scheduler_type="constant_with_warmup",
        warmup_steps=WARMUP,
        seed=SEED,
        use_cpu=True,
        bf16=True,
        logging_steps=10,
        save_strategy="no",
        save_only_model=True,
        include_num_input_tokens_seen="non_padding",
        report_to=[],
        remove_unused_columns=False,
    )
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=[tokenized(tokenizer, messages) for _, messages in examples(run.name)],
        data_collator=DataCollatorForSeq2Seq(tokenizer, label_pad_token_id=IGNORED),
        callbacks=[AtSteps()],
    )
    trainer.train()
    for step in STEPS:
        keep(work / f"checkpoint-{step}", out / f"checkpoint-{step}")


def keep(checkpoint: Path, out: Path) -> None:
    """Copies what a checkpoint is made of, weights as bfloat16; no optimizer, no pickles."""
    import torch
    from safetensors.torch import load_file, save_file

    out.mkdir(parents=True, exist_ok=True)
    for name in KEPT:
        if name.endswith(".json"):
            fields = json.loads((checkpoint / name).read_text(encoding="utf-8"))
            # The trainer tells the folder of the base; modules are a set, in any order.
            if name == "adapter_config.json":
                fields |= {"base_model_name_or_path": BASE_MODEL, "target_modules": sorted(fields["target_modules"])}
            (out / name).write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")
    weights = {name: tensor.to(torch.bfloat16) for name, tensor in load_file(checkpoint / KEPT[1]).items()}
    save_file(weights, out / KEPT[1], metadata={"format": "pt"})
    (out / KEPT[1]).chmod(0o644)
