"""What samples can be sorted by: orders over samples that were found, as SQL, and over their logs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any, TypeAlias

from loaders.store.sql import identifier

SORTS = {
    "run": ("run_position", "run"),
    "step": ("step",),
    "eval": ("eval",),
    "sample": ("sample_number", "sample"),
    "epoch": ("epoch",),
    "outcome": ("outcome",),
    "value": ("value",),
    "time": ("time",),
    "messages": ("messages",),
    "created": ("created",),
    "error": ("error",),
    "limit": ("limit",),
}
"""What samples can be sorted by, and the columns of `found` that this means."""

Sort: TypeAlias = tuple[tuple[str, bool], ...]
"""Columns of `SORTS`, each with whether it is descending."""

NATURAL = ("log_place", "sample_number", "sample", "epoch", "sample_id")
"""Order where nothing else is asked for, and within equals: no two samples are equal in it."""

LOG_SORTS = ("run", "step", "eval", "created")
"""Sorts by what all samples of a log have in common."""


def is_by_log(sort: Sequence[tuple[str, bool]]) -> bool:
    """Whether the samples of a log follow one another in an order, so that logs can be put in order instead."""
    return all(column in LOG_SORTS for column, _ in sort)


def needs_outcomes(sort: Sequence[tuple[str, bool]]) -> bool:
    """Whether an order is by what a metric makes of samples."""
    return any(column in ("outcome", "value") for column, _ in sort)


def order_by(sort: Sequence[tuple[str, bool]]) -> str:
    """SQL of an order over `found`; missing values come last in either direction.

    Args:
        sort: Columns of `SORTS`, each with whether it is descending.

    Raises:
        ValueError: A column that can't be sorted by.
    """
    order = [(part, "DESC" if descending else "ASC") for part, descending in parts_of(sort)]
    order += [(part, "ASC") for part in NATURAL]
    return ", ".join(f"{identifier(part)} {direction} NULLS LAST" for part, direction in order)


def parts_of(sort: Sequence[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """The columns of `found` that an order is by, each with whether it is descending.

    Raises:
        ValueError: A column that can't be sorted by.
    """
    for column, _ in sort:
        if column not in SORTS:
            raise ValueError(f'samples can\'t be sorted by "{column}" (allowed: {", ".join(SORTS)})')
    return [(part, descending) for column, descending in sort for part in SORTS[column]]


def in_order(logs: Iterable[dict[str, Any]], sort: Sequence[tuple[str, bool]]) -> list[dict[str, Any]]:
    """Logs in the order of their samples, where `is_by_log`."""
    found = sorted(logs, key=itemgetter("log_place"))
    for part, descending in reversed(parts_of(sort)):
        known = [log for log in found if log[part] is not None]
        known.sort(key=itemgetter(part), reverse=descending)
        found = known + [log for log in found if log[part] is None]
    return found
