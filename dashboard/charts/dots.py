"""Rates of checkpoints that have no step at all: one row each, a dot with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import altair as alt

from dashboard.charts.axes import ValueAxis
from dashboard.charts.curve_data import CurveData
from dashboard.charts.marks import FIT, SVG, MarkStyle, chart_heading, click, mark_layers, tooltip_layers
from dashboard.charts.palette import INKS
from dashboard.charts.shared_legend import obeying

ROW_HEIGHT = 22

SHORTENED = "length(datum.label) > 44 ? slice(datum.label, 0, 18) + '…' + slice(datum.label, -24) : datum.label"
"""Names of logs differ at their ends."""


def dots_chart(
    data: CurveData,
    panel: str,
    axis: ValueAxis,
    style: MarkStyle,
    *,
    title: str,
    subtitle: Sequence[str],
    selected: str = "",
) -> alt.LayerChart:
    """Draw one panel of checkpoints, sorted by their rate, names to the left.

    Args:
        data: Frames of all panels.
        panel: Which of them (column `panel`).
        axis: The axis of the rates; laid along the bottom here.
        style: Colours and shapes.
        title: The panel's heading.
        subtitle: Lines under it: the definition in use, the interval's method.
        selected: A `point` to be ringed.
    """
    ink = INKS[style.scheme]
    axis = axis.lying()
    style = replace(style, legend=False, style_legend=False)
    points = data.points[data.points["panel"] == panel]
    # An average that lacks members has no rank among whole ones.
    points = points.assign(partial=points["mark"] == "partial")
    points = points.sort_values(["partial", "rate", "checkpoint"], ascending=[True, False, True])
    names = points["checkpoint"].drop_duplicates().tolist()
    row = alt.Y(
        "checkpoint:N",
        sort=names,
        title=None,
        axis=alt.Axis(
            labelExpr=SHORTENED,
            labelLimit=300,
            labelOverlap=False,
            labelFlush=False,
            ticks=False,
            domain=False,
            gridColor=ink.faint,
            grid=True,
        ),
    )
    layers = [*mark_layers(points, {"y": row}, axis, style, selected), *tooltip_layers(points, {"y": row}, axis)]
    layers[-1] = layers[-1].add_params(click())
    chart: alt.LayerChart = alt.LayerChart(
        layer=obeying(layers, style),
        height=ROW_HEIGHT * max(3, len(names)),
        autosize=FIT,
        title=chart_heading(title, subtitle, ink),
        usermeta=SVG,
    )
    return chart
