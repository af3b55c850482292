"""What speaks against a rate by itself: a mean without all its evals, an unfinished log, totals that differ. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from dashboard.charts.points import is_incomplete, lacks_of
from dashboard.queries.flags import tells_outage
from dashboard.queries.rows import is_missing

Doubt = Literal["mean", "log", "totals", "outage"]

DOUBTS: dict[Doubt, tuple[str, str]] = {
    "outage": ("implausible rate", "implausible rates"),
    "totals": ("log total that differs from its samples", "log totals that differ from their samples"),
    "log": ("incomplete log", "incomplete logs"),
    "mean": ("incomplete mean", "incomplete means"),
}
"""Each kind in words, of one and of several; the gravest first."""


def doubts_of(rate: Mapping[Any, Any]) -> list[Doubt]:
    """The kinds of doubt about one rate, the gravest first.

    Args:
        rate: A row of `RATE_COLUMNS`.
    """
    found: dict[Doubt, bool] = {
        "outage": any(map(tells_outage, rate["flags"])),
        "totals": bool(rate["disagrees"]),
        "log": is_incomplete(rate),
        "mean": bool(lacks_of(rate)),
    }
    return [kind for kind in DOUBTS if found[kind]]


def some_evals(row: Mapping[Any, Any], count: str = "averaged") -> str:
    """Of how many evals a mean is that lacks some: "1 of 3 evals"; nothing for a whole one.

    Args:
        row: With `lacks`.
        count: Column that says how many evals it is over.
    """
    lacks = lacks_of(row)
    if not lacks or is_missing(row[count]):
        return ""
    return f"{row[count]} of {row[count] + len(lacks)} evals"
