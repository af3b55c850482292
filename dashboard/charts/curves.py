"""A rate over training: lines with intervals, a strip of checkpoints without a step, one chart a panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import altair as alt
import pandas as pd

from dashboard.charts.axes import ValueAxis, places_along, x_encoding
from dashboard.charts.crosshair import crosshair_layers, line_names
from dashboard.charts.curve_data import BAND, CurveData
from dashboard.charts.intervals import bands, beside, dodged, few_points, reach, simultaneous_bands
from dashboard.charts.line_ends import SHOWN, end_labels, line_legend, named_at_ends, room_for
from dashboard.charts.marks import FIT, SVG, MarkStyle, chart_heading, click, mark_layers, tooltip_layers
from dashboard.charts.palette import INKS, Ink
from dashboard.charts.shared_legend import obeying

SLOT_WIDTH = 56
"""Pixels of one place in the strip."""

EDGE = 8.0
"""Pixels from the frame to the first and the last mark."""

SIGN_LOWERED, SIGN_HEIGHT = 0.04, 0.06
"""Of the plot's height: where the sign of what is missing stands under the frame, and how far the next one under it."""

IN_STRIP = f"datum.slot < 0 ? datum.slot * {SLOT_WIDTH} : {{edge}} + datum.slot * {SLOT_WIDTH}"
"""Where the strip's marks stand, in pixels: outside the horizontal axis, sharing the other one and nothing else."""


@dataclass(frozen=True, kw_only=True)
class CurveStyle(MarkStyle):
    """What is the same in every panel of curves."""

    x: str
    """step, tokens or lineage."""
    log: bool = False
    """Whether that axis is logarithmic."""
    x_span: Sequence[float] = ()
    """What is on that axis in any case: pictures beside each other share it."""
    label_room: int = 0
    """Pixels for the labels of the vertical axis where pictures stand under each other; 0 for what they take."""


@dataclass(frozen=True, slots=True)
class XFrame:
    """Where the horizontal axis of a panel lies: what is drawn under it has the same.

    Attributes:
        values: Everything on it.
        room: Pixels between its ends and the first and last value.
        edge: Expression of where it ends, in pixels.
        before: Pixels of the strip left of it.
        after: Pixels of the strip right of it.
        names: Of the panel's lines.
        at_ends: Whether these stand at the lines' ends.
    """

    values: tuple[float, ...]
    room: float
    edge: str
    before: int
    after: int
    names: Mapping[str, str]
    at_ends: bool

    def encoding(self, style: CurveStyle) -> alt.X:
        """Encode column x on it."""
        return x_encoding(self.values, axis=style.x, log=style.log, room=self.room, edge=self.edge)

    def value_axis(self, style: CurveStyle) -> alt.AxisConfig:
        """Where the vertical axis stands, left of the strip."""
        room: Any = style.label_room or alt.Undefined
        return alt.AxisConfig(offset=self.before, minExtent=room, maxExtent=room)


def x_frame(data: CurveData, panel: str, style: CurveStyle) -> XFrame:
    """Where the horizontal axis of a panel lies.

    Args:
        data: Frames of all panels.
        panel: Which of them.
        style: What all panels share.
    """
    lines = data.lines[data.lines["panel"] == panel]
    names = line_names(lines, style.labels, list(style.colours))
    series = data.points[data.points["panel"] == panel]["series"].unique().tolist()
    at_ends = style.legend and named_at_ends(lines, series)
    edge = f"(width - {room_for(names)})" if at_ends else "width"
    on_axis = (
        *data.points["x"].dropna(), *data.missing["x"].dropna(), *data.lines["x"], *data.stages["x"], *style.x_span,
    )  # fmt: skip
    room = EDGE + reach(len(names)) * few_points(lines)
    before, after = len(data.slots_before) * SLOT_WIDTH, len(data.slots) * SLOT_WIDTH
    return XFrame(on_axis, room, edge, before, after, names, at_ends)


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
    frame = x_frame(data, panel, style)
    all_on_axis, edge, before, after = frame.values, frame.edge, frame.before, frame.after

    few, names, at_ends = few_points(lines), frame.names, frame.at_ends
    slot = alt.XValue(alt.expr(IN_STRIP.format(edge=edge)))
    x = frame.encoding(style)
    places = beside(list(names)) if few else dict.fromkeys(names, 0.0)
    lines, on_axis = (some.assign(beside=some["line"].map(places).fillna(0.0)) for some in (lines, on_axis))
    shares = places_along(lines["x"], all_on_axis, log=style.log)
    expression = dodged(shares.tolist(), len(names))
    place = alt.XValue(alt.expr(expression))
    barred = pd.Series(few, index=on_axis.index) | (on_axis["repeat"] > 0)
    by_legend = style.legend and not at_ends and len(style.colours) > 1
    # Rates beside each other at one step, as of repeated evals, are told by their own tooltips.
    known = on_axis.sort_values("repeat", kind="stable")
    by_shape = len(style.styles) < 2
    legend = style.series_legend()
    style = replace(style, legend=False, style_legend=style.style_legend and not at_ends)
    labels = end_labels(lines, names, expression, y, style, edge, after) if at_ends else []

    # The crosshair's layers say what the axis is: marks beside their true place are no longer on its scale.
    series = [
        *(simultaneous_bands(lines, x, y, style) if BAND[0] in lines else []),
        *(bands(lines, x, y, style) if not few else []),
        *_lines(lines, place, y, style),
        *_missing_layers(missing[missing["x"].notna()], x, y, style),
        *_missing_layers(missing[missing["slot"].notna()], slot, y, style),
        *labels,
        *mark_layers(on_axis, {"x": place}, y, style, selected, barred=barred, clip=True),
        *mark_layers(in_strip, {"x": slot}, y, style, selected),
        *tooltip_layers(in_strip, {"x": slot}, y),
        *tooltip_layers(on_axis, {"x": place}, y, clip=True),
    ]
    series[-1] = series[-1].add_params(click())
    layers = [
        _grid(y, ink, before, f"{edge} + {after}"),
        *_stage_layers(data.stages, x, style),
        *_slot_labels(data, slot, ink),
        *(crosshair_layers(known, names, x, style.x, ink) if len(known) else []),
        *([layer.transform_filter(SHOWN) for layer in series] if by_legend else obeying(series, style)),
        *([line_legend(style.colours, style.labels, legend, lines=by_shape)] if by_legend else []),
    ]
    own = alt.Resolve(scale=alt.ScaleResolveMap(shape="independent", color="independent"))
    return alt.LayerChart(
        layer=layers,
        resolve=own if by_legend and by_shape else alt.Undefined,
        height=style.plot_height,
        autosize=FIT,
        title=chart_heading(title, subtitle, ink),
        padding={"left": 5, "top": 5, "right": after + 8, "bottom": 5},
        usermeta=SVG,
        config=alt.Config(axisY=frame.value_axis(style)),
    )


def _grid(y: ValueAxis, ink: Ink, before: int, until: str) -> alt.Chart:
    """Horizontal lines through curve and strip alike: the axis' own grid ends at the frame."""
    values = pd.DataFrame({"rate": y.ticks})
    ends = {"x": alt.XValue(-before), "x2": alt.X2Value(alt.expr(until))}
    grid: alt.Chart = (
        alt.Chart(values).mark_rule(color=ink.faint, strokeWidth=1, clip=False).encode(**y.encode("rate"), **ends)
    )
    return grid


def _lines(lines: pd.DataFrame, place: Any, y: ValueAxis, style: MarkStyle) -> list[alt.Chart]:
    if lines.empty:
        return []
    line = alt.Chart(lines).mark_line(strokeWidth=2, clip=True)
    colour = style.colour()
    return [
        line.encode(
            x=place,
            color=colour,
            detail=alt.Detail("line:N"),
            order=alt.Order("x:Q"),
            **y.encode("rate"),
            **style.dash(),
        )
    ]


def _missing_layers(missing: pd.DataFrame, x: Any, y: ValueAxis, style: CurveStyle) -> list[alt.Chart]:
    """Checkpoints without a rate: a dotted line through the plot, at no height of its own, with a question mark."""
    if missing.empty:
        return []
    order = missing.groupby([missing["x"].fillna(0), missing["slot"].fillna(0)]).cumcount()
    lifted = missing.assign(lift=y.high - (SIGN_LOWERED + SIGN_HEIGHT * order) * (y.high - y.low))
    base = alt.Chart(lifted).encode(x=x, color=style.colour())
    rule = base.mark_rule(strokeDash=[1, 4], opacity=0.6, clip=False).encode(
        y=alt.YValue(0), y2=alt.Y2Value(alt.expr("height"))
    )
    sign = base.mark_text(text="?", fontSize=13, fontWeight="bold", clip=False).encode(
        **y.encode("lift"),
        tooltip=[alt.Tooltip("checkpoint:N"), alt.Tooltip("n_missing:Q", title="unscored")],
        description=alt.Description("checkpoint:N"),
    )
    return [rule, sign]


def _stage_layers(stages: pd.DataFrame, x: alt.X, style: CurveStyle) -> list[alt.Chart]:
    """Where stages begin; the rule in a run's colour where it is the only one whose stage begins there."""
    if stages.empty:
        return []
    colours = [style.colours.get(run, INKS[style.scheme].muted) for run in stages["run"]]
    base = alt.Chart(stages.assign(colour=colours)).encode(x=x)
    rule = base.mark_rule(strokeDash=[4, 3], clip=True).encode(color=alt.Color("colour:N", scale=None))
    ink = INKS[style.scheme].text
    label = base.mark_text(align="left", baseline="top", dx=4, dy=2, fontWeight="bold", color=ink, clip=True)
    return [rule, label.encode(y=alt.YValue(0), text=alt.Text("label:N"))]


def _slot_labels(data: CurveData, slot: Any, ink: Ink) -> list[alt.Chart]:
    """Names under the strip's places, and a hairline between each and the curve."""
    places = [(index - len(data.slots_before), label) for index, label in enumerate(data.slots_before)]
    places += list(enumerate(data.slots))
    if not places:
        return []
    frame = pd.DataFrame(places, columns=["slot", "label"]).assign(slot=lambda f: f["slot"] + 0.5)
    base = alt.Chart(frame).encode(x=slot)
    label = base.mark_text(baseline="top", dy=7, color=ink.muted, limit=SLOT_WIDTH - 4, clip=False).encode(
        y=alt.YValue(alt.expr("height")), text=alt.Text("label:N")
    )
    return [
        base.mark_rule(color=ink.faint, clip=False).encode(y=alt.YValue(0), y2=alt.Y2Value(alt.expr("height"))),
        label,
    ]
