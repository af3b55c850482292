"""Logs of the Tinker cookbook: `metrics.jsonl`, `checkpoints.jsonl` and `iteration_N/*_rollout_summaries.jsonl`.

A line of metrics is what one step logged. A line of checkpoints names weights that Tinker keeps: they have no folder
here. A line of a rollout summary is one trajectory: what is kept of an iteration are the means over it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import accumulate
from pathlib import Path
from statistics import fmean
from typing import Any

from loaders.errors import RejectedFile
from loaders.json_text import json_text
from loaders.packed import plain_name
from loaders.records import CheckpointRecord, LoadedFile, TrainingSeries
from loaders.study.naming import as_step
from loaders.training.json_lines import json_lines
from loaders.training_series import TOKENS, number_of, series_of, whole

FORMAT = "tinker"
METRICS, CHECKPOINTS, ROLLOUTS = "metrics.jsonl", "checkpoints.jsonl", "_rollout_summaries.jsonl"
BATCH_TOKENS = "num_tokens"
"""The tokens of one batch, in metrics of supervised training."""


def matches(path: Path, head: bytes) -> bool:
    """Whether `read` is the one to read this file, by its name and its first bytes."""
    name = plain_name(path.name)
    if name == METRICS:
        return b'"step":' in head
    if name == CHECKPOINTS:
        return b'"sampler_path":' in head or b'"state_path":' in head
    return name.endswith(ROLLOUTS) and b'"iteration":' in head


def read(path: Path) -> LoadedFile:
    """Read one such file.

    Raises:
        RejectedFile: No line of it can be read.
        OSError: It can't be read.
    """
    notes: list[str] = []
    rows = json_lines(path, notes)
    name = plain_name(path.name)
    if name == CHECKPOINTS:
        return LoadedFile(FORMAT, checkpoints=_checkpoints(rows, notes), notes=notes, growing=True)
    if name == METRICS:
        found = series_of(((row.pop("step", None), row) for row in rows), notes)
        found += _tokens(found)
    else:
        found = series_of(_iterations(rows), notes)
    if not found:
        raise RejectedFile(path, f"no line has a step and a number: {'; '.join(notes) or 'it holds texts'}")
    return LoadedFile(FORMAT, training=found, notes=notes, growing=name == METRICS)


def _checkpoints(rows: Iterable[Mapping[str, Any]], notes: list[str]) -> list[CheckpointRecord]:
    """The weights that can be sampled, each once; Tinker names them by their step, and the last one `final`."""
    found: dict[tuple[int | None, str | None], CheckpointRecord] = {}
    only_state = unnamed = 0
    for row in rows:
        sampler = row.get("sampler_path")
        step, label = as_step(row.get("name"))
        if step is None and label is None:
            step = whole(row.get("step"))
        if not isinstance(sampler, str):
            only_state += 1
        elif step is None and label is None:
            unnamed += 1
        else:
            told = json_text({"sampler_path": sampler})
            found[step, label] = CheckpointRecord(None, step, trainer_json=told, step_label=label)
    if only_state:
        notes.append(f"left out: {only_state} of training state alone, which can't be sampled")
    if unnamed:
        notes.append(f"left out: {unnamed} whose name tells no step")
    return list(found.values())


def _tokens(found: Iterable[TrainingSeries]) -> list[TrainingSeries]:
    """Tokens seen after each step, the sum of the batches': only where no step before is missing."""
    batches = next((one for one in found if one.metric == BATCH_TOKENS), None)
    if batches is None or batches.steps != list(range(len(batches.steps))) or None in batches.readings:
        return []
    return [TrainingSeries(TOKENS, batches.steps, list(accumulate(n for n in batches.readings if n is not None)))]


def _iterations(rows: Iterable[Mapping[str, Any]]) -> Iterable[tuple[Any, dict[str, Any]]]:
    """The means of each iteration and split: of rewards over trajectories, of a step's metrics over all their steps."""
    values: dict[tuple[int | None, str], dict[str, list[float]]] = {}
    for row in rows:
        of = values.setdefault((whole(row.get("iteration")), str(row.get("split") or "train")), {})
        told = row.get("steps")
        steps = [each for each in told if isinstance(each, Mapping)] if isinstance(told, list) else []
        own = {"total_reward": row.get("total_reward")} | _mapping(row.get("trajectory_metrics"))
        for metrics in (own, *(_mapping(each.get("metrics")) for each in steps)):
            for name, number in metrics.items():
                is_number, value = number_of(number)
                if is_number:
                    of.setdefault(name, []).append(math.nan if value is None else value)
    for (iteration, split), metrics in values.items():
        yield iteration, {f"rollouts/{split}/{name}": fmean(told) for name, told in metrics.items()}


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
