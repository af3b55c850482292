"""A rate over training: lines with intervals, a strip of checkpoints without a step, one chart a panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from dashboard.charts.axes import ValueAxis, x_encoding
from dashboard.charts.curve_data import CurveData
from dashboard.charts.marks import FIT, SVG, MarkStyle, chart_heading, click, mark_layers, tooltip_layers
from dashboard.charts.palette import INKS, Ink

SLOT_WIDTH = 56
"""Pixels of one place in the strip."""

BAND_LIMIT = 6
"""With more lines than this in a panel, bands only cover each other: error bars alone are drawn."""

SIGN_LOWERED, SIGN_HEIGHT = 0.04, 0.06
"""Of the plot's height: where the sign of what is missing stands under the frame, and how far the next one under it."""

IN_STRIP = f"datum.slot < 0 ? datum.slot * {SLOT_WIDTH} : width + datum.slot * {SLOT_WIDTH}"
"""Where the strip's marks stand, in pixels: outside the plot's frame, sharing its y axis and nothing else."""


@dataclass(frozen=True, kw_only=True)
class CurveStyle(MarkStyle):
    """What is the same in every panel of curves."""

    x: str
    """step, tokens or lineage."""
    log: bool = False
    """Whether that axis is logarithmic."""
    x_span: Sequence[float] = ()
    """What is on that axis in any case: pictures beside each other share it."""


def curve_chart(
    data: CurveData,
    panel: str,
    y: ValueAxis,
    style: CurveStyle,
    *,
    title: str,
    subtitle: Sequence[str],
    selected: str = "",
) -> alt.LayerChart:
    """Draw one panel.

    Args:
        data: Frames of all panels; at least one point of this panel has an x, or what is missing in it.
        panel: Which of them (column `panel`).
        y: The vertical axis, shared by panels of one measure.
        style: What all panels share.
        title: The panel's heading.
        subtitle: Lines under it: the definition in use, the interval's method.
        selected: A `point` to be ringed.
    """
    ink = INKS[style.scheme]
    points = data.points[data.points["panel"] == panel]
    lines = data.lines[data.lines["panel"] == panel]
    missing = data.missing[data.missing["panel"] == panel]
    on_axis, in_strip = points[points["x"].notna()], points[points["slot"].notna()]
    all_on_axis = [
        *data.points["x"].dropna(), *data.missing["x"].dropna(), *data.lines["x"], *data.stages["x"], *style.x_span,
    ]  # fmt: skip
    x = x_encoding(all_on_axis, axis=style.x, log=style.log)
    slot = alt.value(alt.expr(IN_STRIP))
    before, after = len(data.slots_before) * SLOT_WIDTH, len(data.slots) * SLOT_WIDTH

    layers = [
        _grid(y, ink, before, after),
        *_stage_layers(data.stages, x, style),
        *_line_layers(lines, x, y, style),
        *_slot_labels(data, ink),
        *_missing_layers(missing[missing["x"].notna()], x, y, style),
        *_missing_layers(missing[missing["slot"].notna()], slot, y, style),
        *mark_layers(on_axis, {"x": x}, y, style, selected),
        *mark_layers(in_strip, {"x": slot}, y, style, selected),
        *tooltip_layers(in_strip, {"x": slot}, y),
        *tooltip_layers(on_axis, {"x": x}, y),
    ]
    layers[-1] = layers[-1].add_params(click())
    chart: alt.LayerChart = (
        alt.layer(*layers)
        .properties(
            height=style.plot_height,
            autosize=FIT,
            title=chart_heading(title, subtitle, ink),
            padding={"left": 5, "top": 5, "right": 8 + after, "bottom": 5},
            usermeta=SVG,
        )
        .configure_axisY(offset=before)
    )
    return chart


def _grid(y: ValueAxis, ink: Ink, before: int, after: int) -> alt.Chart:
    """Horizontal lines through curve and strip alike: the axis' own grid ends at the frame."""
    values = pd.DataFrame({"rate": y.ticks})
    ends = {"x": alt.value(-before), "x2": alt.value(alt.expr(f"width + {after}"))}
    grid: alt.Chart = alt.Chart(values).mark_rule(color=ink.faint, strokeWidth=1).encode(**y.encode("rate"), **ends)
    return grid


def _line_layers(lines: pd.DataFrame, x: alt.X, y: ValueAxis, style: CurveStyle) -> list[alt.Chart]:
    if lines.empty:
        return []
    base = alt.Chart(lines).encode(x=x, color=style.colour(), detail="line:N")
    band = base.mark_area(opacity=0.13).encode(**y.encode_interval())
    line = base.mark_line(strokeWidth=2).encode(**y.encode("rate"), **style.dash())
    with_band = lines["line"].nunique() <= BAND_LIMIT and lines["low"].notna().any()
    return [band, line] if with_band else [line]


def _missing_layers(missing: pd.DataFrame, x: Any, y: ValueAxis, style: CurveStyle) -> list[alt.Chart]:
    """Checkpoints without a rate: a dotted line through the plot, at no height of its own, with a question mark."""
    if missing.empty:
        return []
    order = missing.groupby([missing["x"].fillna(0), missing["slot"].fillna(0)]).cumcount()
    lifted = missing.assign(lift=y.high - (SIGN_LOWERED + SIGN_HEIGHT * order) * (y.high - y.low))
    base = alt.Chart(lifted).encode(x=x, color=style.colour())
    rule = base.mark_rule(strokeDash=[1, 4], opacity=0.6).encode(y=alt.value(0), y2=alt.value(alt.expr("height")))
    sign = base.mark_text(text="?", fontSize=13, fontWeight="bold").encode(
        **y.encode("lift"),
        tooltip=[alt.Tooltip("checkpoint:N"), alt.Tooltip("n_missing:Q", title="without outcome")],
        description="checkpoint:N",
    )
    return [rule, sign]


def _stage_layers(stages: pd.DataFrame, x: alt.X, style: CurveStyle) -> list[alt.Chart]:
    """Where stages begin; in a run's colour where it is the only one whose stage begins there."""
    if stages.empty:
        return []
    colours = [style.colours.get(run, INKS[style.scheme].muted) for run in stages["run"]]
    base = alt.Chart(stages.assign(colour=colours)).encode(x=x, color=alt.Color("colour:N", scale=None))
    rule = base.mark_rule(strokeDash=[4, 3])
    label = base.mark_text(align="left", baseline="top", dx=4, dy=2, fontWeight="bold").encode(
        y=alt.value(0), text="label:N"
    )
    return [rule, label]


def _slot_labels(data: CurveData, ink: Ink) -> list[alt.Chart]:
    """Names under the strip's places, and a hairline between each and the curve."""
    places = [(index - len(data.slots_before), label) for index, label in enumerate(data.slots_before)]
    places += list(enumerate(data.slots))
    if not places:
        return []
    frame = pd.DataFrame(places, columns=["slot", "label"]).assign(slot=lambda f: f["slot"] + 0.5)
    base = alt.Chart(frame).encode(x=alt.value(alt.expr(IN_STRIP)))
    label = base.mark_text(baseline="top", dy=7, color=ink.muted, limit=SLOT_WIDTH - 4).encode(
        y=alt.value(alt.expr("height")), text="label:N"
    )
    return [base.mark_rule(color=ink.faint).encode(y=alt.value(0), y2=alt.value(alt.expr("height"))), label]
