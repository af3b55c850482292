"""How high a chart will be: a page keeps its room before it is drawn, so that nothing below moves."""

from __future__ import annotations

from typing import Any

import altair as alt

AROUND = 100
"""Pixels of a chart's title, subtitle and axis, about."""

MANY_ROWS = 8
"""Rows of a chart that is as high as it has rows, about."""


def room_of(chart: Any) -> int:
    """About how many pixels high a chart will be.

    A plot that says nothing of how it is fitted takes its height with all that stands around it: Streamlit fits it so.

    Args:
        chart: An Altair chart, of any kind.
    """
    own = getattr(chart, "height", alt.Undefined)
    one = isinstance(chart, alt.Chart | alt.LayerChart) and isinstance(own, int | float)
    return round(_height(chart)) + (0 if one and chart.autosize is alt.Undefined else AROUND)


def _height(chart: Any) -> float:
    own = getattr(chart, "height", alt.Undefined)
    if isinstance(own, int | float):
        return own
    if isinstance(own, alt.Step):
        return float(own.to_dict()["step"]) * MANY_ROWS
    if isinstance(chart, alt.VConcatChart):
        return sum(map(_height, chart.vconcat))
    if isinstance(chart, alt.FacetChart):
        return _height(chart.spec)
    for name in ("hconcat", "concat", "layer"):
        if parts := getattr(chart, name, None):
            return max(map(_height, parts))
    return 0
