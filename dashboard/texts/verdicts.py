"""What a difference shows, in words: significant, equivalent within a margin, or not enough data. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dashboard import numerals

Row = Mapping[Any, Any]

ALPHA = 0.05


def within(margin: float, kind: str) -> str:
    """An equivalence margin: ±5 pp.

    Args:
        margin: Above 0; a fraction for the kind "rate".
        kind: Of the number.
    """
    return f"±{numerals.figures(margin * 100.0)} pp" if kind == "rate" else f"±{numerals.figures(margin)}"


def verdict_words(row: Row, kind: str, significant: str = "significant", *, needed: bool = True) -> str:
    """What a difference shows.

    Args:
        row: With `dashboard.queries.equivalence.EQUIVALENCE_COLUMNS`.
        kind: Of the number.
        significant: What a significant difference is called: better, worse.
        needed: Whether to say how many questions a verdict would take.

    Returns:
        "" without an interval.
    """
    verdict, margin = row["verdict"], _number(row["margin"])
    if not isinstance(verdict, str):
        return ""
    if math.isnan(margin):
        return significant if verdict == "significant" else "no significant difference"
    limit = within(margin, kind)
    if verdict == "equivalent":
        return f"equivalent within {limit}"
    if verdict == "significant":
        return f"{significant}, but within {limit}" if row["p_equivalence_corrected"] < ALPHA else significant
    return f"not enough data for {limit}{needed_words(row) if needed else ''}"


def needed_words(row: Row) -> str:
    """How many questions it would take, in brackets behind a space: of a group, in each of its evals; "" if unknown.

    Args:
        row: With `needed`, and `members` or `group` where it may be of several evals.
    """
    needed = _number(row["needed"])
    if math.isnan(needed):
        return ""
    several = _number(row.get("members")) > 1 or row.get("group") is True
    return (
        f" (needs {numerals.count(needed)} per eval)" if several else f" (needs {numerals.plural(needed, 'question')})"
    )


def _number(value: Any) -> float:
    """A number that may be missing in any way that a frame or a row has."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan
