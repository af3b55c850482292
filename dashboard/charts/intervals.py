"""Intervals of lines: bars where points are few, beside each other where they would lie on each other; else bands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import altair as alt
import pandas as pd

from dashboard.charts.axes import ValueAxis
from dashboard.charts.marks import MarkStyle

FEW = 8
"""Points of a line up to which each has a bar for its interval; beyond, the intervals are a band along the line."""

APART, WIDEST, SHARE = 4.0, 14.0, 0.6
"""Pixels from one line to the next, and from the first to the last, at most: farther from its step, a mark would seem
to be of another. And of the room between two steps, how much all lines take together."""


BANDS = ((3, 0.16), (6, 0.11), (10, 0.08))
"""So many lines, and how strong their bands are: many lie over each other."""

FAINTEST = 0.05


def few_points(lines: pd.DataFrame) -> bool:
    """Whether every line has so few points that bars show its intervals better than a band.

    Args:
        lines: Columns line and x.
    """
    return bool(lines.empty or lines.groupby("line")["x"].nunique().max() <= FEW)


def reach(lines: int) -> float:
    """Pixels from a step to the outermost of so many marks beside each other, at most."""
    return min(APART * (lines - 1), WIDEST) / 2


def beside(names: Sequence[str]) -> dict[str, float]:
    """How many places each line is left (negative) or right of the middle."""
    middle = (len(names) - 1) / 2
    return {name: at - middle for at, name in enumerate(names)}


def dodged(shares: Sequence[float], lines: int) -> str:
    """Vega's expression for where marks stand, in pixels: by column x, moved by column `beside`.

    Args:
        shares: Where the points stand along the axis, from 0 to 1.
        lines: How many stand beside each other.
    """
    gaps = [right - left for left, right in pairwise(sorted(set(shares))) if not math.isclose(left, right)]
    room = f"range('x')[1] * {min(gaps, default=1.0) * SHARE / max(1, lines):.6f}"
    apart = min(APART, WIDEST / max(1, lines - 1))
    return f"scale('x', datum.x) + datum.beside * min({apart:g}, {room})"


def bands(lines: pd.DataFrame, x: Any, y: ValueAxis, style: MarkStyle) -> list[alt.Chart]:
    """The intervals of lines with many points.

    Args:
        lines: Columns line, series, x, low and high.
        x: The horizontal axis.
        y: The vertical axis.
        style: Colours.
    """
    if not lines["low"].notna().any():
        return []
    strength = next((part for most, part in BANDS if lines["line"].nunique() <= most), FAINTEST)
    band = alt.Chart(lines).mark_area(opacity=strength, clip=True, aria=False)
    return [band.encode(x=x, color=style.colour(), detail=alt.Detail("line:N"), **y.encode_interval())]


def simultaneous_bands(lines: pd.DataFrame, x: Any, y: ValueAxis, style: MarkStyle) -> list[alt.Chart]:
    """The simultaneous bands of lines: a pale area with a thin edge, outside the intervals step by step.

    Args:
        lines: Columns line, series, x, band_low and band_high.
        x: The horizontal axis.
        y: The vertical axis.
        style: Colours.
    """
    held = lines[lines["band_low"].notna()].assign(low=lines["band_low"], high=lines["band_high"])
    if held.empty:
        return []
    band = alt.Chart(held).mark_area(opacity=FAINTEST, clip=True, aria=False, line={"strokeWidth": 0.6, "opacity": 0.5})
    return [band.encode(x=x, color=style.colour(), detail=alt.Detail("line:N"), **y.encode_interval())]
