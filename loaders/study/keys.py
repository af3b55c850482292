"""The names of fields in which logs, run cards and tools say what a checkpoint is."""

from __future__ import annotations

STEP_KEYS = frozenset({"step", "global_step", "checkpoint_step", "train_step", "training_step", "rl_step"})
"""Fields that hold a step; those of a log are compared in lower case, with `_` for `-`."""
CHECKPOINT_KEYS = frozenset({"checkpoint", "ckpt", "checkpoint_name", "checkpoint_path", "ckpt_path"})
"""Fields that hold a checkpoint's name, path or step."""
WEIGHTS_KEYS = frozenset({
    "model_path", "adapter", "adapter_path", "lora_path", "weights", "weights_path", "sampler_path", "tinker_path",
    "checkpoint_dir", "ckpt_dir", "checkpoint_id", "model_checkpoint", "model_name_or_path",
})  # fmt: skip
"""Fields of metadata that name weights; a name without a step is no statement."""
RUN_KEYS = frozenset({"run", "run_name", "training_run"})
SEED_KEYS = frozenset({"training_seed", "train_seed", "run_seed", "model_seed"})
"""Seeds of training; a mere `seed` is mostly that of sampling."""
MIX_KEYS = frozenset({"mix", "data_mix", "training_mix"})
STAGE_KEYS = frozenset({"stage", "training_stage"})
VARIANT_KEYS = frozenset({"variant"})
SECTION_KEYS = frozenset({"section"})
NESTED_KEYS = frozenset({"checkpoint", "training", "driftline"})
"""Mappings inside metadata that are looked into too."""
ADAPTER_KEYS = frozenset({
    "adapter", "adapter_path", "adapter_name", "adapter_name_or_path", "lora", "lora_path", "lora_name",
    "lora_adapter", "lora_local_path", "peft", "peft_path", "peft_model", "pretrained", "model_path",
    "model_name_or_path", "model", "model_name", "served_model_name", "weights", "weights_path", "checkpoint_path",
    "lora_request", "lora_modules", "sampler_path", "tinker_path",
})  # fmt: skip
"""Model args that name the weights in use."""
