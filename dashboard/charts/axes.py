"""Scales and ticks: an axis of rates on which 0 is visible, an axis of steps whose 0 survives the logarithm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import altair as alt
import numpy as np
import pandas as pd

from dashboard import numerals
from dashboard.charts.palette import Ink

X_TITLES = {
    "step": "Training step", "tokens": "Training tokens",
    "lineage": "Cumulative training step (with parent runs)",
}  # fmt: skip

NOT_FROM_ZERO = "not from 0"
"""Stands in the title of an axis that is fitted to its values."""


@dataclass(frozen=True, slots=True)
class ValueAxis:
    """The axis of the rates: vertical in curves, horizontal in dots."""

    low: float
    high: float
    number: str
    """d3 format of the axis; tooltips use one digit more."""
    title: str
    channel: Literal["x", "y"] = "y"
    span: tuple[str, str] | None = None
    """Vega expressions of the pixels where it begins and ends, where it doesn't take the whole plot; then it stands
    above the plot, beside other axes."""

    def lying(self) -> ValueAxis:
        """The same axis along the bottom."""
        return replace(self, channel="x")

    @property
    def exact(self) -> str:
        """D3 format for tooltips."""
        return numerals.D3_PERCENT if self.number.endswith("%") else numerals.D3_FIGURES

    @property
    def ticks(self) -> list[float]:
        """Five or so round values inside the domain."""
        rough = (self.high - self.low) / 5
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [round(index * step, 12) for index in range(first, last + 1)]

    def encode(self, column: str) -> dict[str, Any]:
        """Encode a column on this axis."""
        ends = expressed(self.span) if self.span else {}
        above: dict[str, Any] = {"orient": "top"} if self.span else {}
        encoding = (alt.Y if self.channel == "y" else alt.X)(
            f"{column}:Q",
            title=self.title,
            scale=alt.Scale(domain=[self.low, self.high], nice=False, zero=False, **ends),
            axis=alt.Axis(format=self.number, values=self.ticks, grid=False, **above),
        )
        return {self.channel: encoding}

    def encode_interval(self) -> dict[str, Any]:
        """Encode low and high as the two ends of a mark."""
        return {**self.encode("low"), f"{self.channel}2": (alt.Y2 if self.channel == "y" else alt.X2)("high:Q")}


def expressed(span: tuple[str, str]) -> dict[str, Any]:
    """The range of a scale between two Vega expressions of pixels."""
    return {"range": [alt.ExprRef(expr=end) for end in span]}


def value_grid(axis: ValueAxis, ink: Ink) -> alt.Chart:
    """Lines through the whole plot at the ticks of an axis, to be drawn under everything."""
    ends = (
        {"x": alt.XValue(0), "x2": alt.X2Value(alt.expr("width"))}
        if axis.channel == "y"
        else {"y": alt.YValue(0), "y2": alt.Y2Value(alt.expr("height"))}
    )
    lines = alt.Chart(pd.DataFrame({"rate": axis.ticks})).mark_rule(color=ink.faint, strokeWidth=1)
    grid: alt.Chart = lines.encode(**axis.encode("rate"), **ends)
    return grid


def value_axis(points: pd.DataFrame, *, fraction: bool, title: str, zoom: bool = False) -> ValueAxis:
    """Choose the domain so that every point and interval is inside, and 0 % is clear of the frame's edge.

    Rates start at 0; scores in their own unit do where they come near it. An axis that doesn't says so in its title.

    Args:
        points: Columns rate, low, high.
        fraction: True for rates in 0..1, which are written in percent. False for scores in their own unit.
        title: What is on the axis.
        zoom: Fit the axis of rates to what is there, too.
    """
    values = pd.concat([points["rate"], points["low"], points["high"]]).dropna()
    if fraction and not (zoom and len(values)):
        top = min(1.0, max(0.05, float(values.max()) * 1.08)) if len(values) else 1.0
        number = numerals.D3_WHOLE_PERCENT if top >= 0.1 else numerals.D3_PERCENT
        return ValueAxis(low=-0.025 * top, high=1.02 if top >= 0.99 else top, number=number, title=title)
    if not len(values):
        return ValueAxis(low=0.0, high=1.0, number=numerals.D3_TICK, title=title)
    low, high = float(values.min()), float(values.max())
    if not fraction and near_zero(low, high):
        return ValueAxis(low=-0.025 * high, high=high * 1.06, number=numerals.D3_LONG_TICK, title=title)
    pad = (high - low) * 0.06 or max(abs(high), 1.0) * 0.06
    number = numerals.D3_WHOLE_PERCENT if high - low > 0.1 else numerals.D3_PERCENT
    number = number if fraction else numerals.D3_LONG_TICK
    said = f"{title} ({NOT_FROM_ZERO})" if low - pad > 0 or high + pad < 0 else title
    return ValueAxis(low=low - pad, high=high + pad, number=number, title=said)


def near_zero(low: float, high: float) -> bool:
    """Whether an axis from 0 leaves at least half of itself to what is on it."""
    return 0 <= low <= high / 2 and high > 0


def log_ticks(values: Sequence[float]) -> list[float]:
    """Powers of ten over the positive values (with 3 between them when there are few), and 0 where it occurs."""
    positive = [value for value in values if value > 0]
    if not positive:
        return [0.0]
    first, last = math.floor(math.log10(min(positive))), math.ceil(math.log10(max(positive)))
    factors = (1.0,) if last - first > 3 else (1.0, 3.0)
    ticks = [factor * 10.0**power for power in range(first, last + 1) for factor in factors]
    ticks = [tick for tick in ticks if min(positive) * 0.99 <= tick <= max(positive) * 1.01]
    return ([0.0] if min(values) <= 0 else []) + ticks


def x_encoding(values: Sequence[float], *, axis: str, log: bool, room: float = 8.0, edge: str = "") -> alt.X:
    """Encode column x, from 0 where that leaves room for what is there.

    A logarithmic axis with a 0 on it is symlog, linear below the smallest positive value: step 0 keeps its place
    in the order, a little before the first step.

    Args:
        values: Every x of all panels, so that they share the domain.
        axis: step, tokens or lineage.
        log: Logarithmic rather than linear.
        room: Pixels between the frame and the first and last value.
        edge: Expression of where it ends, in pixels, if that is not at the plot's right.
    """
    largest, smallest = max(values, default=1.0), min(values, default=0.0)
    scale: dict[str, Any] = {"domain": [smallest, largest], "nice": False, "padding": room}
    # Said by an expression: the axis' own format would give all labels the unit of the largest.
    number = numerals.D3_SHORT_STEP if largest >= 100_000 else numerals.D3_STEP
    ticks: dict[str, Any] = {"labelExpr": f"format(datum.value, '{number}')", "grid": False}
    scale |= {"range": [0, alt.ExprRef(edge)]} if edge else {}
    if log:
        positive = [value for value in values if value > 0]
        scale |= {"type": "log"} if smallest > 0 else {"type": "symlog", "constant": min(positive, default=1.0)}
        ticks |= {"values": log_ticks(values), "labelOverlap": True}
    else:
        scale |= {"zero": False, "domain": [0.0 if near_zero(smallest, largest) else smallest, largest]}
        ticks |= {"tickCount": 7, "tickMinStep": 1}
    return alt.X("x:Q", title=X_TITLES[axis], scale=alt.Scale(**scale), axis=alt.Axis(**ticks))


def places_along(x: pd.Series, every: Sequence[float], *, log: bool) -> np.ndarray:
    """Where on the axis an x stands, from 0 to 1: as `x_encoding` scales it."""
    positive = [value for value in every if value > 0]
    constant = min(positive, default=1.0)

    def scaled(value: float) -> float:
        if not log:
            return value
        return math.log1p(value / constant) if min(every) <= 0 else math.log(value)

    if not len(x):
        return np.array([])
    smallest, largest = min(every), max(every)
    low, high = scaled(0.0 if not log and near_zero(smallest, largest) else smallest), scaled(largest)
    return np.array([(scaled(value) - low) / ((high - low) or 1.0) for value in x])
