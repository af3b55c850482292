"""What trainers leave on disk: steps, tokens, epochs, adapters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from loaders import trainer
from loaders.errors import RejectedFile
from loaders.training_series import tokens_at

EMERGENT = "emergent/harvard-cs-2881-hw0/models"


def write(path: Path, document: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def state(step: int, **fields: Any) -> dict[str, Any]:
    return {"epoch": 1.5, "global_step": step, "log_history": [], "num_input_tokens_seen": 0, **fields}


def test_real_trainer_state_keeps_every_eval_set_of_a_step(shared_data: Path) -> None:
    path = shared_data / "trainer_state/trainer_state.json"
    assert trainer.matches(path, path.read_bytes()[:4096])
    loaded = trainer.read(path)
    (record,) = loaded.checkpoints
    assert (record.folder, record.step, record.epoch) == (".", 12030, 30.0)
    assert record.tokens is None, "HF writes 0 where it does not count tokens"
    told = {(one.metric, step): value for one in loaded.training
            for step, value in zip(one.steps, one.readings, strict=True)}  # fmt: skip
    history = json.loads(path.read_text())["log_history"]
    wanted = {
        (f"eval/{name[5:]}" if name.startswith("eval_") else f"train/{name}", row["step"]): value
        for row in history
        for name, value in row.items()
        if name != "step"
    }
    assert told == wanted
    assert {metric for metric, step in told if step == 401 and metric.endswith("_accuracy")} == {
        f"eval/g{i}_accuracy" for i in range(6)
    }


def test_every_real_adapter_gives_its_checkpoint_base_model_and_rank(shared_data: Path) -> None:
    paths = sorted((shared_data / EMERGENT).rglob("adapter_config.json"))
    assert len(paths) == 28
    steps: dict[str, list[int | None]] = {}
    for path in paths:
        assert trainer.matches(path, path.read_bytes()[:4096])
        loaded = trainer.read(path)
        (record,) = loaded.checkpoints
        run = path.relative_to(shared_data / EMERGENT).parts[0]
        steps.setdefault(run, []).append(record.step)
        size = run.partition("b_")[0]
        assert record.base_model == f"meta-llama/Llama-3.2-{size}B-Instruct"
        assert (record.folder, record.lora_rank, record.lora_alpha) == (".", 16, 32.0)
        assert loaded.notes == []
    for run, found in steps.items():
        config = json.loads((shared_data / EMERGENT / run / "training_config.json").read_text())
        assert sorted(s for s in found if s is not None) == config["checkpoint_steps"]
        assert found.count(None) == 1, "the adapter beside the checkpoints is the final one, of no stated step"


def test_training_config_tells_of_the_whole_run(shared_data: Path) -> None:
    path = shared_data / EMERGENT / "3b_risky_v2/training_config.json"
    assert trainer.matches(path, path.read_bytes()[:4096])
    (record,) = trainer.read(path).checkpoints
    assert (record.step, record.folder, record.base_model) == (None, ".", "meta-llama/Llama-3.2-3B-Instruct")
    assert (record.lora_rank, record.lora_alpha) == (16, 32.0)
    assert json.loads(record.trainer_json or "")["checkpoint_steps"] == [93, 187, 281, 375, 750, 1125]


def test_inspect_rl_manifest_tells_of_the_whole_run(shared_data: Path) -> None:
    path = shared_data / "inspect_rl/docs/example_run/manifest.json"
    assert trainer.matches(path, path.read_bytes()[:4096])
    (record,) = trainer.read(path).checkpoints
    assert (record.step, record.folder, record.base_model) == (None, ".", "google/gemma-3-270m-it")
    assert json.loads(record.trainer_json or "") == json.loads(path.read_text())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("manifest.json", '{"name": "an app", "icons": []}'),
        ("training_config.json", '{"lr": 0.1}'),
        ("results.json", '{"model": "m", "max_steps": 5}'),
    ],
)
def test_other_files_of_those_names_are_none_of_ours(name: str, text: str) -> None:
    assert not trainer.matches(Path(name), text.encode())


def test_checkpoint_folder_with_counted_tokens(tmp_path: Path) -> None:
    path = write(tmp_path / "checkpoint-100/trainer_state.json", state(100, num_input_tokens_seen=750_000))
    loaded = trainer.read(path)
    (record,) = loaded.checkpoints
    assert (record.folder, record.step, record.tokens, record.epoch) == (".", 100, 750_000, 1.5)
    assert loaded.notes == []


def test_folder_and_global_step_that_disagree_are_both_named(tmp_path: Path) -> None:
    path = write(tmp_path / "checkpoint-100/trainer_state.json", state(90))
    loaded = trainer.read(path)
    assert loaded.checkpoints[0].step == 90
    (note,) = loaded.notes
    assert "100" in note
    assert "90" in note


def test_tokens_in_the_history_reach_only_checkpoints_that_exist(tmp_path: Path) -> None:
    history = [
        {"step": 50, "loss": 2.0, "num_input_tokens_seen": 1000},
        {"step": 100, "loss": 1.5, "num_input_tokens_seen": 2000},
        {"step": 100, "eval_loss": 1.4, "num_input_tokens_seen": 2000},
        {"step": 150, "loss": 1.4, "num_input_tokens_seen": 3000},
    ]
    (tmp_path / "checkpoint-100").mkdir()
    (tmp_path / "checkpoint-170").mkdir()
    path = write(tmp_path / "trainer_state.json", state(150, num_input_tokens_seen=3000, log_history=history))
    final, one = trainer.read(path).checkpoints
    assert (final.folder, final.step, final.tokens) == (".", 150, 3000)
    assert (one.folder, one.step, one.tokens) == ("checkpoint-100", 100, 2000)
    assert tokens_at(trainer.read(path).training) == {50: 1000, 100: 2000, 150: 3000}


def test_trl_counts_tokens_in_the_history_alone(tmp_path: Path) -> None:
    history = [{"step": 10, "num_tokens": 4096.0}, {"step": 20, "num_tokens": 8192.0}]
    path = write(tmp_path / "checkpoint-20/trainer_state.json", state(20, log_history=history))
    assert trainer.read(path).checkpoints[0].tokens == 8192


def test_a_token_count_that_started_anew_is_not_taken(tmp_path: Path) -> None:
    history = [{"step": 10, "num_tokens": 4096.0}, {"step": 20, "num_tokens": 1024.0}]
    path = write(tmp_path / "checkpoint-20/trainer_state.json", state(20, log_history=history))
    loaded = trainer.read(path)
    assert loaded.checkpoints[0].tokens is None
    assert "num_tokens" in loaded.notes[0]


def test_nan_in_the_history_is_missing_and_noted(tmp_path: Path) -> None:
    history = [{"step": 1, "loss": float("nan")}, {"step": 2, "loss": 0.5}]
    loaded = trainer.read(write(tmp_path / "trainer_state.json", state(2, log_history=history, best=float("nan"))))
    assert [(one.metric, one.steps, one.readings) for one in loaded.training] == [("train/loss", [1, 2], [None, 0.5])]
    assert loaded.notes == ["NaN or infinite, and missing: 1 value of train/loss (1)"]
    assert json.loads(loaded.checkpoints[0].trainer_json or "")["best"] is None


def test_a_folder_of_weights_named_by_its_step_is_a_checkpoint(tmp_path: Path) -> None:
    path = write(tmp_path / "step_200/model.safetensors", "weights that nobody opens")
    assert trainer.matches(path, b"")
    assert [(one.folder, one.step) for one in trainer.read(path).checkpoints] == [(".", 200)]
    assert not trainer.matches(tmp_path / "base/model.safetensors", b"")


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("trainer_state.json", '{"epoch": 1.0', "JSON"),
        ("trainer_state.json", "[1, 2]", "object is wanted"),
        ("trainer_state.json", '{"epoch": 1.0}', "global_step"),
        ("trainer_state.json", '{"global_step": true}', "global_step"),
        ("adapter_config.json", '{"a": 1}', "base_model_name_or_path"),
        ("adapter_config.json", "\xff", "JSON"),
    ],
)
def test_broken_files_are_rejected_with_a_reason(tmp_path: Path, name: str, text: str, wanted: str) -> None:
    path = tmp_path / name
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(RejectedFile, match=wanted):
        trainer.read(path)


def test_fields_of_the_wrong_kind_are_left_out_and_noted(tmp_path: Path) -> None:
    path = write(
        tmp_path / "adapter_config.json",
        {"peft_type": "LORA", "base_model_name_or_path": None, "r": "16", "lora_alpha": [32]},
    )
    loaded = trainer.read(path)
    (record,) = loaded.checkpoints
    assert (record.base_model, record.lora_rank, record.lora_alpha) == (None, None, None)
    assert len(loaded.notes) == 2
