"""What a row says of its checkpoint, and whether a cell says anything: of frames and of plain rows alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loaders.checkpoint import Checkpoint, named

Row = Mapping[Any, Any]

MOST_DIGITS = 18
"""Digits of the largest number that is read out of a text: what fits a column of the store."""


def is_missing(value: Any) -> bool:
    """Whether a cell of a frame holds nothing: None, NaN, NA or NaT."""
    # NA first: comparing it gives neither true nor false.
    return value is None or str(value) == "<NA>" or value != value


def origin(rule: object) -> str:
    """Where a run or step was read, for people: "study.yaml, logs[0]"; "" where no rule says it."""
    return "" if rule is None else str(rule).removeprefix("run card ")


def step_of(row: Row) -> int | str | None:
    """The step of a row, or the label that stands for it; None for a checkpoint without either."""
    if not is_missing(row["step"]):
        return int(row["step"])
    return None if is_missing(row["step_label"]) else str(row["step_label"])


def checkpoint_in(row: Row) -> Checkpoint:
    """The checkpoint of a row with run, step and step_label, gaps as None."""
    step, label = row["step"], row["step_label"]
    return Checkpoint(row["run"], None if is_missing(step) else int(step), None if is_missing(label) else str(label))


def step_order(step: int | str) -> tuple[bool, int, str]:
    """Sorts steps as numbers, and labels after them."""
    return (True, 0, step) if isinstance(step, str) else (False, step, "")


def checkpoint_name(row: Row) -> str:
    """Name the checkpoint of a row for people: "rl@400", "pythia@main"; a log that stands alone by its run."""
    return named(row["run"], step_of(row))


def whole_number(text: str) -> int | None:
    """A count out of an address or a name; None where it is no whole number that a store could hold."""
    return int(text) if text.isdecimal() and len(text) <= MOST_DIGITS else None


def parse_step(text: str) -> int | str:
    """A step out of an address or a name: a number, or a label such as "final"."""
    number = whole_number(text)
    return text if number is None else number
