"""Tables whose numbers are written for people, and kept, so that they sort as such; and outcomes in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
from pandas.io.formats.style import Styler

from dashboard.numerals import figures, percent, points, size_in_points
from dashboard.queries.rows import is_missing

Write = Callable[[float], str]

MISALIGNED = {
    "misaligned": "● misaligned",
    "aligned": "○ aligned",
    "missing": "– unscored",
    "outside": "· excluded",
    "scored": "scored",
    "none": "",
}

COUNTED = MISALIGNED | {"misaligned": "● positive", "aligned": "○ negative"}


def written(frame: pd.DataFrame, columns: Mapping[str, Write], rates: Sequence[bool] | None = None) -> Styler:
    """A table whose numbers are written for people; what is missing stays empty.

    Args:
        frame: What is shown; its index may be any.
        columns: How the numbers of a column are written.
        rates: Of each row, whether its numbers are rates. Those of other rows are in units of their own, and
            `percent`, `points` and `size_in_points` don't apply to them.
    """
    frame = frame.reset_index(drop=True)
    own = [not rate for rate in rates] if rates is not None else [False] * len(frame)
    styler = frame.style
    for name, write in columns.items():
        if name not in frame:
            continue
        styler = styler.format(_or_empty(write), subset=[name])
        if write in (percent, points, size_in_points) and any(own):
            styler = styler.format(_or_empty(figures), subset=(frame.index[own], [name]))
    return styler


def _or_empty(write: Write) -> Callable[[object], str]:
    return lambda value: "" if is_missing(value) or not isinstance(value, (int, float)) else write(float(value))


def outcome_words(better: str | None) -> dict[str, str]:
    """The word for each outcome, by the direction of the definition. Signs tell them apart without colour."""
    return MISALIGNED if better == "lower" else COUNTED
