"""Rows of metrics as trainers log them, gathered into one series a metric. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from loaders.records import TrainingSeries

STEP_NAMES = ("train/global_step", "trainer/global_step", "global_step", "training_step")
"""Metrics that tell the training step where a row's own number counts something else: W&B counts calls of `log`, and
open-instruct logs GRPO by episode. The first that is told at all is the axis, and rows without it have no step."""

TOKENS = "tokens"
"""The metric under which the tokens that training had seen are kept, whatever their writer calls them."""
TOKEN_NAMES = ("train/num_input_tokens_seen", "train/num_tokens", "val/num_total_tokens")
"""HF's `include_num_input_tokens_seen`, TRL's own count, open-instruct's. A bare `num_tokens` is none: Tinker's is of
one batch."""

MOST = 2**53
"""The largest whole number that is kept: no step, rank or count of tokens is larger."""
NOT_FINITE = frozenset({"nan", "inf", "+inf", "-inf", "infinity", "-infinity"})
"""Numbers that JSON has no words for, as texts."""

Row = tuple[Any, Mapping[str, Any]]
"""A row's own step, and its metrics by name."""


def is_count(value: Any) -> bool:
    """Whether something of any type is a number of steps or tokens: not negative, and finite."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST


def whole(value: Any) -> int | None:
    """A step; None for what is no whole number, 0 or more."""
    return int(value) if is_count(value) and float(value).is_integer() else None


def series_of(rows: Iterable[Row], notes: list[str], rank: float = 0.0) -> list[TrainingSeries]:
    """One series for each metric that has a number at any step; of several rows of one step the last counts.

    What is no number (texts, booleans, objects) is no metric. A token count that doesn't rise from one step to the
    next was started anew, as TRL does when a training is resumed: it is not taken as tokens.

    Args:
        rows: In the order in which they were written.
        notes: Gets remarks on what is left out.
        rank: Of the file (`TrainingSeries`).
    """
    by_step = _by_training_step(_by_own_step(rows, notes), notes)
    columns: dict[str, dict[int, float | None]] = {}
    for step in sorted(by_step):
        for name, value in by_step[step].items():
            columns.setdefault(name, {})[step] = value
    infinite = Counter({name: list(column.values()).count(None) for name, column in columns.items()})
    if total := infinite.total():
        told = ", ".join(f"{name} ({count})" for name, count in infinite.most_common(5) if count)
        notes.append(f"NaN or infinite, and missing: {total} value{'s' if total > 1 else ''} of {told}")
    _rename_tokens(columns, notes)
    return [TrainingSeries(name, list(of), list(of.values()), rank) for name, of in sorted(columns.items())]


def tokens_at(series: Iterable[TrainingSeries]) -> dict[int, int]:
    """Tokens that training had seen, by step."""
    found = next((one for one in series if one.metric == TOKENS), None)
    return {step: int(n) for step, n in zip(found.steps, found.readings, strict=True) if n is not None} if found else {}


def _by_own_step(rows: Iterable[Row], notes: list[str]) -> dict[int, dict[str, float | None]]:
    found: dict[int, dict[str, float | None]] = {}
    without = 0
    for own, metrics in rows:
        step = whole(own)
        if step is None:
            without += 1
            continue
        row = found.setdefault(step, {})
        for name, told in metrics.items():
            is_number, value = number_of(told)
            if is_number and not name.startswith("_"):  # W&B's own: _runtime, _timestamp
                # An evaluation at a step may repeat an older count.
                row[name] = max(value or 0.0, row.get(name) or 0.0) if name in TOKEN_NAMES else value
    if without:
        notes.append(f"left out: {without} row{'s' if without > 1 else ''} without a step")
    return found


def _by_training_step(
    by_own: dict[int, dict[str, float | None]], notes: list[str]
) -> dict[int, dict[str, float | None]]:
    axis = next((name for name in STEP_NAMES if any(name in row for row in by_own.values())), None)
    if axis is None:
        return by_own
    found: dict[int, dict[str, float | None]] = {}
    without = 0
    for row in by_own.values():
        step = whole(row.pop(axis, None))
        without += step is None and bool(row)
        if step is not None:
            found.setdefault(step, {}).update(row)
    if without:
        notes.append(f"left out: {without} row{'s' if without > 1 else ''} without `{axis}`, which tells the step here")
    return found


def _rename_tokens(columns: dict[str, dict[int, float | None]], notes: list[str]) -> None:
    """Keep the first count of tokens that can be one as `TOKENS`."""
    for name in TOKEN_NAMES:
        # HF writes 0 when it does not count tokens.
        counts: dict[int, float | None] = {step: n for step, n in columns.get(name, {}).items() if n and is_count(n)}
        if any((later or 0) <= (earlier or 0) for earlier, later in pairwise(counts.values())):
            notes.append(f"`{name}` does not rise from one step to the next: not taken as tokens seen")
        elif counts:
            del columns[name]
            columns[TOKENS] = counts
            return


def number_of(told: Any) -> tuple[bool, float | None]:
    """Whether something is a number, and which; None where it isn't finite."""
    if isinstance(told, str):
        return told.strip().lower() in NOT_FINITE, None
    if isinstance(told, bool) or not isinstance(told, int | float):
        return False, None
    try:
        value = float(told)
    except OverflowError:
        return True, None
    return True, value if math.isfinite(value) else None
