"""What trainers leave beside their checkpoints: step, epoch, tokens and base model of each.

Reads HF and TRL `trainer_state.json`, PEFT `adapter_config.json`, inspect_rl `manifest.json`, and a
`training_config.json` that names `base_model` and its steps. Where there is nothing but weights, as open-instruct
leaves them in `step_N`, their folder's name tells the step. Weights are never opened.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from loaders.errors import RejectedFile
from loaders.json_text import decode, json_text
from loaders.packed import read_plain
from loaders.records import CheckpointRecord, LoadedFile, TrainingSeries
from loaders.training_series import MOST, is_count, series_of, tokens_at

FORMAT = "trainer"
STEP_FOLDER = re.compile(r"(?:checkpoint|global_step|step)[-_]?(\d+)", re.IGNORECASE)
WEIGHTS = frozenset({
    "model.safetensors", "pytorch_model.bin", "model.safetensors.index.json", "pytorch_model.bin.index.json",
})  # fmt: skip
"""Files of which a checkpoint's folder has one, whoever wrote it; they are never opened."""
LONGEST_STEP = 15
"""Digits of the longest number that is a step, as in names (`loaders.study.naming`)."""


def matches(path: Path, head: bytes) -> bool:
    """Whether `read` is the one to read this file, by its name and its first bytes."""
    if path.name in ("trainer_state.json", "adapter_config.json") or is_weights(path.name, path.parent.name):
        return True
    if path.name == "manifest.json":
        return b'"model"' in head and b'"max_steps"' in head
    return (
        path.name == "training_config.json"
        and b'"base_model"' in head
        and (b'"total_steps"' in head or b'"checkpoint_steps"' in head)
    )


def read(path: Path) -> LoadedFile:
    """Read one such file.

    A file in a folder `checkpoint-N` tells of that checkpoint, `adapter_config.json` elsewhere of a final
    adapter, and a manifest or training configuration of the whole run (no step).

    Raises:
        RejectedFile: It is no JSON object, or lacks the fields that make it what its name says.
    """
    if is_weights(path.name, path.parent.name):
        return LoadedFile(FORMAT, checkpoints=[CheckpointRecord(".", folder_step(path.parent.name))])
    try:
        document = decode(read_plain(path))
    except (OSError, ValueError) as e:
        raise RejectedFile(path, f"can't be read as JSON: {e}") from e
    if not isinstance(document, dict):
        raise RejectedFile(path, f"holds a JSON {type(document).__name__}, and an object is wanted")
    return READERS[path.name](path, document)


def _trainer_state(path: Path, state: dict[str, Any]) -> LoadedFile:
    notes: list[str] = []
    step = _whole(state, "global_step", notes)
    if step is None:
        raise RejectedFile(path, "has no whole number `global_step`, which every HF trainer_state.json has")
    named = folder_step(path.parent.name)
    if named is not None and named != step:
        notes.append(f"the folder's name says step {named}, `global_step` says {step}: the file's own is taken")
    history = logged(state.pop("log_history", None), notes)
    for one in history:  # the state of the latest step tells the whole of it
        one.rank = float(step)
    by_step = tokens_at(history)
    # HF writes 0 when it does not count tokens.
    tokens = _whole(state, "num_input_tokens_seen", notes) or by_step.get(step)
    checkpoints = [CheckpointRecord(".", step, _number(state, "epoch", notes), tokens, trainer_json=json_text(state))]
    if named is None:
        checkpoints += _checkpoint_folders(path.parent, by_step)
    return LoadedFile(FORMAT, checkpoints=checkpoints, training=history, notes=notes)


def logged(history: Any, notes: list[str]) -> list[TrainingSeries]:
    """The metrics of a `log_history`, under the names that HF's own W&B and TensorBoard callbacks give them."""
    rows = [row for row in history if isinstance(row, dict)] if isinstance(history, list) else []
    return series_of(((row.get("step"), {_as_reported(name): row[name] for name in row}) for row in rows), notes)


def _as_reported(name: str) -> str:
    if name == "step":
        return "_step"
    for of in ("eval", "test"):
        if name.startswith(f"{of}_"):
            return f"{of}/{name.removeprefix(f'{of}_')}"
    return f"train/{name}"


def _checkpoint_folders(folder: Path, by_step: dict[int, int]) -> list[CheckpointRecord]:
    """The checkpoints below a run's own trainer state whose tokens only its history tells."""
    return [
        CheckpointRecord(f"checkpoint-{step}", step, tokens=tokens)
        for step, tokens in by_step.items()
        if (folder / f"checkpoint-{step}").is_dir()
    ]


def _adapter_config(path: Path, config: dict[str, Any]) -> LoadedFile:
    if "base_model_name_or_path" not in config and "peft_type" not in config:
        raise RejectedFile(path, "has neither `base_model_name_or_path` nor `peft_type`, which PEFT writes")
    notes: list[str] = []
    record = CheckpointRecord(
        ".",
        folder_step(path.parent.name),
        base_model=_text(config, "base_model_name_or_path", notes),
        lora_rank=_whole(config, "r", notes),
        lora_alpha=_number(config, "lora_alpha", notes),
        trainer_json=json_text(config),
    )
    return LoadedFile(FORMAT, checkpoints=[record], notes=notes)


def _manifest(path: Path, manifest: dict[str, Any]) -> LoadedFile:
    if "model" not in manifest or "max_steps" not in manifest:
        raise RejectedFile(path, "has not both `model` and `max_steps`, which inspect_rl writes")
    notes: list[str] = []
    record = CheckpointRecord(".", base_model=_text(manifest, "model", notes), trainer_json=json_text(manifest))
    return LoadedFile(FORMAT, checkpoints=[record], notes=notes)


def _training_config(path: Path, config: dict[str, Any]) -> LoadedFile:
    if "base_model" not in config:
        raise RejectedFile(path, "has no `base_model`")
    notes: list[str] = []
    record = CheckpointRecord(
        ".",
        base_model=_text(config, "base_model", notes),
        lora_rank=_whole(config, "lora_rank", notes),
        lora_alpha=_number(config, "lora_alpha", notes),
        trainer_json=json_text(config),
    )
    return LoadedFile(FORMAT, checkpoints=[record], notes=notes)


READERS: dict[str, Callable[[Path, dict[str, Any]], LoadedFile]] = {
    "trainer_state.json": _trainer_state,
    "adapter_config.json": _adapter_config,
    "manifest.json": _manifest,
    "training_config.json": _training_config,
}


def is_weights(name: str, folder: str) -> bool:
    """Whether a file is of the weights that make a folder, named by its step, a checkpoint."""
    return name in WEIGHTS and folder_step(folder) is not None


def folder_step(name: str) -> int | None:
    """The step in the name of a checkpoint's folder: `checkpoint-1000`, `global_step_200`, `step_0400`."""
    found = STEP_FOLDER.fullmatch(name)
    return int(found[1]) if found and len(found[1]) <= LONGEST_STEP else None


def _number(document: dict[str, Any], key: str, notes: list[str]) -> float | None:
    value = document.get(key)
    if value is None or value != value:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and -MOST <= value <= MOST:
        return float(value)
    notes.append(f"`{key}` is no number, or a far too large one, and is left out")
    return None


def _whole(document: dict[str, Any], key: str, notes: list[str]) -> int | None:
    value = document.get(key)
    if value is None:
        return None
    if is_count(value) and float(value).is_integer() and int(value) <= MOST:
        return int(value)
    notes.append(f"`{key}` is no whole number, is negative or far too large, and is left out")
    return None


def _text(document: dict[str, Any], key: str, notes: list[str]) -> str | None:
    value = document.get(key)
    if value is None or isinstance(value, str):
        return value or None
    notes.append(f"`{key}` is no text, and is left out")
    return None
