"""What trainers leave beside their checkpoints: step, epoch, tokens and base model of each.

Reads HF and TRL `trainer_state.json`, PEFT `adapter_config.json`, inspect_rl `manifest.json`, and a
`training_config.json` that names `base_model` and its steps. Weights are never opened.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from loaders.errors import RejectedFile
from loaders.json_text import decode, json_text
from loaders.records import CheckpointRecord, LoadedFile

FORMAT = "trainer"
STEP_FOLDER = re.compile(r"(?:checkpoint|global_step|step)[-_]?(\d+)", re.IGNORECASE)
TOKEN_FIELDS = ("num_input_tokens_seen", "num_tokens")
"""Tokens seen so far, in rows of `log_history`: HF's `include_num_input_tokens_seen`, else TRL's own count."""
TOKENS_BY_STEP = "tokens_by_step"
"""Under this name, what `tokens_by_step` found is kept with the document."""
LONGEST_STEP = 15
"""Digits of the longest number that is a step, as in names (`loaders.study.naming`)."""
MOST = 2**53
"""The largest whole number that is kept: no step, rank or count of tokens is larger."""


def sniff(path: Path, head: bytes) -> bool:
    """Whether `load` is the one to read this file, by its name and its first bytes."""
    if path.name in ("trainer_state.json", "adapter_config.json"):
        return True
    if path.name == "manifest.json":
        return b'"model"' in head and b'"max_steps"' in head
    return (
        path.name == "training_config.json"
        and b'"base_model"' in head
        and (b'"total_steps"' in head or b'"checkpoint_steps"' in head)
    )


def load(path: Path) -> LoadedFile:
    """Read one such file.

    A file in a folder `checkpoint-N` tells of that checkpoint, `adapter_config.json` elsewhere of a final
    adapter, and a manifest or training configuration of the whole run (no step).

    Raises:
        RejectedFile: It is no JSON object, or lacks the fields that make it what its name says.
    """
    try:
        document = decode(path.read_bytes())
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
    history = state.get("log_history")
    rows = [row for row in history if isinstance(row, dict)] if isinstance(history, list) else []
    by_step = tokens_by_step(rows, notes)
    # HF writes 0 when it does not count tokens.
    tokens = _whole(state, "num_input_tokens_seen", notes) or by_step.get(step)
    # A field of that name in the file itself is not ours.
    document = {name: value for name, value in state.items() if name != TOKENS_BY_STEP}
    if by_step:
        document[TOKENS_BY_STEP] = {str(s): n for s, n in by_step.items()}
    checkpoints = [
        CheckpointRecord(".", step, _number(state, "epoch", notes), tokens, trainer_json=json_text(document))
    ]
    if named is None:
        checkpoints += _checkpoint_folders(path.parent, by_step)
    return LoadedFile(FORMAT, checkpoints=checkpoints, notes=notes)


def tokens_by_step(rows: list[dict[str, Any]], notes: list[str]) -> dict[int, int]:
    """Tokens that training had seen at each logged step, in the order of steps; empty where nobody counted.

    A count that falls from one step to a later one was started anew (TRL does so when a training is resumed):
    it says nothing of the whole, is left out, and a note says so.

    Args:
        rows: `log_history` of a trainer state.
        notes: Gets a remark where a count is left out.
    """
    for field in TOKEN_FIELDS:
        counts: dict[int, int] = {}
        for row in rows:
            step, tokens = row.get("step"), row.get(field)
            if not (isinstance(step, int) and is_count(step) and isinstance(tokens, int | float) and is_count(tokens)):
                continue
            if tokens > 0:
                counts[step] = max(int(tokens), counts.get(step, 0))
        counts = dict(sorted(counts.items()))
        values = list(counts.values())
        if values != sorted(values):
            notes.append(f"`{field}` in log_history falls from one step to a later one: not taken as tokens seen")
        elif counts:
            return counts
    return {}


def is_count(value: Any) -> bool:
    """Whether something of any type is a number of steps or tokens: not negative, and finite."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST


def tokens_told(document: Any) -> dict[int, float]:
    """Tokens by step as `load` kept them with a trainer state's document; what is none of ours is passed over."""
    told = document.get(TOKENS_BY_STEP) if isinstance(document, dict) else None
    if not isinstance(told, dict):
        return {}
    return {
        int(step): float(tokens)
        for step, tokens in told.items()
        if step.isascii() and step.isdecimal() and len(step) <= LONGEST_STEP and is_count(tokens)
    }


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
