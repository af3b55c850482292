"""A rate against training tokens: checkpoints with their intervals, the Pareto frontier, a fitted line and its band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import altair as alt
import pandas as pd

from dashboard import numerals
from dashboard.charts.axes import ValueAxis, places_along, value_grid, x_encoding
from dashboard.charts.curve_data import CurveData, curve_data
from dashboard.charts.marks import FIT, SVG, MarkStyle, chart_heading, click, mark_layers, tooltip_layers
from dashboard.charts.palette import INKS, Ink
from dashboard.charts.points import SeriesBy
from dashboard.charts.shared_legend import obeying
from dashboard.statistics.efficiency import Better, frontier

LABEL_LIMIT = 8
"""Labels beside points, in one picture; more would lie on each other."""

NOT_TRAINED = "its training tokens are unknown"


@dataclass(frozen=True, kw_only=True)
class ScatterStyle(MarkStyle):
    """What is the same in every panel of a scatter."""

    log: bool = True
    """Whether the tokens are on a logarithmic axis (0 keeps a place on it)."""
    lines: bool = True
    """Whether a run's checkpoints are joined."""
    named: bool = True
    """Whether points are labelled."""


def scatter_data(rates: pd.DataFrame, series: SeriesBy) -> CurveData:
    """Place every rate by its training tokens; each eval, variant and combination of split values is a panel.

    What has no tokens is not drawn but listed, with its value.

    Args:
        rates: Rows of `RATE_COLUMNS`.
        series: What gives colour: each run, each mix, or each combination of split values.
    """
    data = curve_data(rates, x="tokens", series=series, panels="eval")

    def by_panel(frame: pd.DataFrame, evals: pd.Series) -> pd.DataFrame:
        names = [" · ".join(filter(None, pair)) for pair in zip(evals, frame["style"], strict=True)]
        return frame.assign(panel=pd.Series(names, index=frame.index, dtype="object"), style="")

    eval_of = dict(zip(data.points["panel"], data.points["eval"], strict=True))
    points = by_panel(data.points, data.points["eval"])
    lines = by_panel(data.lines, data.lines["panel"].map(eval_of))
    lost = points[points["x"].isna()]
    told = [
        f"{row['checkpoint']} · {row['panel']}: {NOT_TRAINED} (its value is {numerals.figures(row['rate'])})"
        for row in lost.to_dict("records")
    ]
    drawn = points[points["x"].notna()].reset_index(drop=True)
    return replace(data, points=drawn, lines=lines, slots=[], slots_before=[], undrawn=[*data.undrawn, *told])


def frontier_points(points: pd.DataFrame, better: Better) -> pd.DataFrame:
    """The points of one panel that are on the Pareto frontier, the cheapest first; repeats and unfinished logs never.

    Args:
        points: Rows of `scatter_data`'s points, of one panel.
        better: Direction.
    """
    whole = points[points["mark"] == "point"]
    return whole[frontier(whole["x"], whole["rate"], better)].sort_values("x", kind="stable")


def scatter_chart(
    data: CurveData,
    panel: str,
    y: ValueAxis,
    style: ScatterStyle,
    *,
    title: str,
    subtitle: Sequence[str],
    on_frontier: pd.DataFrame | None = None,
    fit: pd.DataFrame | None = None,
    selected: str = "",
) -> alt.LayerChart:
    """Draw one panel.

    Args:
        data: From `scatter_data`.
        panel: Which panel of it.
        y: The axis of the rate.
        style: What all panels share.
        title: The panel's heading.
        subtitle: Lines under it.
        on_frontier: From `frontier_points`, to be drawn as a step line.
        fit: Columns x (tokens), fitted, low, high: a line with its band.
        selected: A `point` to be ringed.
    """
    ink = INKS[style.scheme]
    points = data.points[data.points["panel"] == panel]
    last = _labelled(points) if style.named else points.iloc[:0]
    # What is named where it stands needs no legend beside.
    style = replace(style, legend=style.legend and last.empty)
    lines = data.lines[(data.lines["panel"] == panel) & data.lines["line"].duplicated(keep=False)]
    every = data.points["x"].tolist()
    x = x_encoding(every, axis="tokens", log=style.log)
    layers = [value_grid(y, ink)]
    if fit is not None and len(fit):
        base = alt.Chart(fit).encode(x=x)
        band = base.mark_area(opacity=0.16, color=ink.muted, clip=True)
        layers.append(band.encode(y=y.encode("low")["y"], y2=alt.Y2("high:Q")))
        layers.append(base.mark_line(color=ink.muted, strokeWidth=1.6, clip=True).encode(**y.encode("fitted")))
    series = []
    if style.lines and len(lines):
        line = alt.Chart(lines).mark_line(strokeWidth=1.6, opacity=0.75)
        series.append(
            line.encode(x=x, color=style.colour(), detail=alt.Detail("line:N"), **style.dash(), **y.encode("rate"))
        )
    if on_frontier is not None and len(on_frontier):
        steps = pd.concat([on_frontier[["x", "rate"]], on_frontier[["x", "rate"]].tail(1).assign(x=max(every))])
        stair = alt.Chart(steps).mark_line(
            interpolate="step-after", color=ink.muted, strokeWidth=1.4, strokeDash=[5, 4]
        )
        layers.append(stair.encode(x=x, **y.encode("rate")))
    series += mark_layers(points, {"x": x}, y, style, selected)
    if len(last):
        series += _labels(last, every, x, y, style, ink)
    series += tooltip_layers(points, {"x": x}, y)
    series[-1] = series[-1].add_params(click())
    chart: alt.LayerChart = alt.LayerChart(
        layer=[*layers, *obeying(series, style)],
        height=style.plot_height,
        autosize=FIT,
        title=chart_heading(title, subtitle, ink),
        usermeta=SVG,
    )
    return chart


def _labelled(points: pd.DataFrame) -> pd.DataFrame:
    """The last point of each series, where they are few enough to be named; else none."""
    last = points[points["mark"] != "repeat"].sort_values("x").groupby("series", sort=False).tail(1)
    return last if 1 < len(last) <= LABEL_LIMIT else last.iloc[:0]


def _labels(
    last: pd.DataFrame, every: Sequence[float], x: alt.X, y: ValueAxis, style: ScatterStyle, ink: Ink
) -> list[alt.Chart]:
    """Name and tokens of each series beside its last point: in the right half on its left, clear of the run's line."""
    names = [f"{style.labels.get(row['series'], row['series'])} · " for row in last.to_dict("records")]
    labels = last.assign(name=names, left=places_along(last["x"], every, log=style.log) > 0.5)
    falls = (last["better"] == "lower").all()
    return [
        alt.Chart(some)
        .transform_calculate(label=f"datum.name + {numerals.d3_tokens('datum.tokens')}")
        .mark_text(
            align="right" if left else "left",
            dx=-9 if left else 9,
            dy=13 if left and falls else -8,
            color=ink.muted,
            fontSize=10.5,
        )
        .encode(x=x, text=alt.Text("label:N"), **y.encode("rate"))
        for left, some in labels.groupby("left")
    ]
