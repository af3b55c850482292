"""What trainers logged, under a curve of rates: the same horizontal axis, in the same place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import altair as alt
import pandas as pd

from dashboard import numerals
from dashboard.charts.axes import ValueAxis, value_axis, value_grid
from dashboard.charts.curve_data import X_COLUMNS, XAxis
from dashboard.charts.curves import CurveStyle, XFrame
from dashboard.charts.marks import FIT, SVG, chart_heading
from dashboard.charts.palette import INKS
from dashboard.charts.points import SeriesBy, series_of

MOST = 400
"""Points of a line that are drawn: of a longer one those that are lowest and highest in each stretch of it."""


def training_points(logged: pd.DataFrame, x: XAxis, series: SeriesBy) -> tuple[pd.DataFrame, list[str]]:
    """Give what was logged its place on the axis, and say what has none.

    Args:
        logged: `dashboard.queries.training.TRAINING_COLUMNS` of one metric.
        x: Which axis.
        series: What gives a line its color.

    Returns:
        Columns run, line, series, x, step, tokens, rate (the value, missing where it isn't finite) and alone (a value
        without a neighbour), in the order of x; and remarks for people.
    """
    frame = logged.assign(
        x=pd.to_numeric(logged[X_COLUMNS[x]], errors="coerce").astype("float64"), rate=logged["value"],
        line=logged["run"], series=series_of(logged, series),
    )  # fmt: skip
    placed = frame[frame["x"].notna()].sort_values("x", kind="stable")
    without = [run for run in frame["run"].unique() if run not in set(placed["run"])]
    told = [f"{run}: nothing logged has a place on this axis" for run in without]
    thinned = [_thinned(some) for _, some in placed.groupby("line", sort=False)]
    columns = ["run", "line", "series", "x", "step", "tokens", "rate"]
    found = pd.concat([placed.iloc[:0], *thinned])[columns].reset_index(drop=True)
    value = found.groupby("line")["rate"]
    # A value between gaps is on no line.
    return found.assign(alone=value.shift().isna() & value.shift(-1).isna() & found["rate"].notna()), told


def _thinned(line: pd.DataFrame) -> pd.DataFrame:
    """A line's rows, or of a long one its ends, its gaps, and the lowest and highest of each stretch."""
    if len(line) <= MOST:
        return line
    line = line.reset_index(drop=True)
    stretch = line.index // (len(line) * 2 // MOST + 1)
    by = line["rate"].groupby(stretch)
    kept = {0, len(line) - 1, *by.idxmin(skipna=True).dropna(), *by.idxmax(skipna=True).dropna()}
    gaps = line.index[line["rate"].isna() & line["rate"].shift(fill_value=0.0).notna()]
    return line.loc[sorted({*kept, *gaps})]


def training_axis(points: pd.DataFrame, metric: str, *, fit: bool) -> ValueAxis:
    """The vertical axis: as that of scores; of a constant, such as a small learning rate, from 0 to it.

    Args:
        points: From `training_points`.
        metric: Its title.
        fit: Fit it to what is there.
    """
    axis = value_axis(points.assign(low=None, high=None), fraction=False, title=metric, zoom=fit)
    values = points["rate"].dropna()
    if values.nunique() != 1 or not values.iloc[0]:
        return axis
    low, high = sorted((-0.025 * values.iloc[0], 1.06 * values.iloc[0]))
    return replace(axis, low=low, high=high, title=metric)


def training_chart(
    points: pd.DataFrame, frame: XFrame, y: ValueAxis, style: CurveStyle, *, title: str, subtitle: Sequence[str]
) -> alt.LayerChart:
    """Draw one metric, a line a run; where a value is missing the line has a gap.

    Args:
        points: From `training_points`; at least one.
        frame: The axis of the chart above.
        y: The vertical axis.
        style: As the chart above.
        title: The metric.
        subtitle: Lines under it.
    """
    ink = INKS[style.scheme]
    x = frame.encoding(style)
    base = alt.Chart(points).encode(x=x, detail=alt.Detail("line:N"), color=style.colour(), **y.encode("rate"))
    rows = [("run", "run"), ("at", "step"), ("trained", "Training tokens"), ("told", title)]
    targets = (
        base.transform_filter("isValid(datum.rate)")
        .transform_calculate(
            at=f"format(datum.step, '{numerals.D3_STEP}')",
            trained=f"isValid(datum.tokens) ? format(datum.tokens, '{numerals.D3_STEP}') : 'not counted'",
            told=f"format(datum.rate, '{numerals.D3_FIGURES}')",
            description="datum.run + ', step ' + datum.at + ': ' + datum.told",
        )
        .mark_point(filled=True, size=60)
        .encode(
            opacity=alt.condition("datum.alone", alt.value(1), alt.value(0)),
            tooltip=[alt.Tooltip(f"{field}:N", title=name) for field, name in rows],
            description=alt.Description("description:N"),
        )
    )
    line = base.mark_line(strokeWidth=1.5, clip=True).encode(order=alt.Order("x:Q"), **style.dash())
    return alt.LayerChart(
        layer=[value_grid(y, ink), line, targets],
        height=style.plot_height,
        autosize=FIT,
        title=chart_heading(title, subtitle, ink),
        padding={"left": 5, "top": 5, "right": frame.after + 8, "bottom": 5},
        usermeta=SVG,
        config=alt.Config(axisY=frame.value_axis(style)),
    )
