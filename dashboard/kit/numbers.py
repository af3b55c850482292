"""How numbers and outcomes are written for people; tables keep the numbers, so that they sort as such."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
from pandas.io.formats.style import Styler

from dashboard.queries.rows import is_missing

MINUS = "−"

Write = Callable[[float], str]

MISALIGNED = {
    "misaligned": "● misaligned",
    "aligned": "○ aligned",
    "missing": "– no outcome",
    "outside": "· outside",
    "scored": "scored",
    "none": "",
}

COUNTED = MISALIGNED | {"misaligned": "● counted", "aligned": "○ not counted"}


def in_percent(value: float) -> str:
    """A rate: 3.7%."""
    return f"{value:.1%}"


def in_points(value: float) -> str:
    """A difference of rates, in percentage points: +1.3, −27.0, 0.0."""
    text = f"{value * 100:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", MINUS)


def size_in_points(value: float) -> str:
    """How large a difference of rates is, in percentage points: 12.3."""
    return f"{value * 100:.1f}"


def figures(value: float) -> str:
    """Any other number, to four figures."""
    return f"{value:.4g}".replace("-", MINUS, 1) if value < 0 else f"{value:.4g}"


def p_value(value: float) -> str:
    """A p-value: 0.18, 0.0073, < 0.0001."""
    return "< 0.0001" if value < 1e-4 else f"{value:.2g}"


def written(frame: pd.DataFrame, columns: Mapping[str, Write], rates: Sequence[bool] | None = None) -> Styler:
    """A table whose numbers are written for people; what is missing stays empty.

    Args:
        frame: What is shown; its index may be any.
        columns: How the numbers of a column are written.
        rates: Of each row, whether its numbers are rates. Those of other rows are in units of their own, and
            `in_percent`, `in_points` and `size_in_points` don't apply to them.
    """
    frame = frame.reset_index(drop=True)
    own = [not rate for rate in rates] if rates is not None else [False] * len(frame)
    styler = frame.style
    for name, write in columns.items():
        if name not in frame:
            continue
        styler = styler.format(_or_empty(write), subset=[name])
        if write in (in_percent, in_points, size_in_points) and any(own):
            styler = styler.format(_or_empty(figures), subset=(frame.index[own], [name]))
    return styler


def _or_empty(write: Write) -> Callable[[object], str]:
    return lambda value: "" if is_missing(value) or not isinstance(value, (int, float)) else write(float(value))


def outcome_words(better: str | None) -> dict[str, str]:
    """The word for each outcome, by the direction of the definition. Signs tell them apart without colour."""
    return MISALIGNED if better == "lower" else COUNTED
