"""Variants against one of them: a light bar for each rate, its point and interval on it, the baseline as a rule."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import altair as alt
import pandas as pd

from dashboard.charts.axes import ValueAxis
from dashboard.charts.marks import FIT, MarkStyle, click, mark_layers, tooltip_layers
from dashboard.charts.palette import INKS

ROW_HEIGHT = 30


def row_order(points: pd.DataFrame) -> list[str]:
    """Rows in the order of their rates in the first panel, the highest on top; those that it lacks follow.

    Args:
        points: Columns row_name, panel and rate; a row may have several rates in a panel.
    """
    ranks = points.assign(at=points["panel"].map({name: at for at, name in enumerate(points["panel"].unique())}))
    ranks = ranks.sort_values(["at", "rate"], ascending=[True, False], kind="stable")
    return [str(name) for name in ranks["row_name"].drop_duplicates()]


def bars_chart(
    points: pd.DataFrame,
    rows: Sequence[str],
    labels: Mapping[str, str],
    x: ValueAxis,
    style: MarkStyle,
    *,
    baseline: str | None,
    bars: bool,
    title: str,
    subtitle: Sequence[str],
    selected: str = "",
) -> alt.LayerChart:
    """Draw one panel.

    Args:
        points: Columns of `MARK_COLUMNS`, series, style and row_name; of one panel.
        rows: The row_names of all panels, from top to bottom.
        labels: row_name to what stands beside its row.
        x: The axis of the rate, lying.
        style: Colours.
        baseline: The row_name that the others are compared with: a dashed rule at its rate.
        bars: Whether bars begin at 0, as of rates they can; scores in units of their own have no bars.
        title: The panel's heading.
        subtitle: Lines under it.
        selected: A `point` to be ringed.
    """
    ink = INKS[style.scheme]
    style = replace(style, legend=False, style_legend=False)
    here = [name for name in rows if name in set(points["row_name"])]
    said = {name: labels.get(name, name) for name in here}
    row = alt.Y(
        "row_name:N",
        scale=alt.Scale(domain=here),
        title=None,
        axis=alt.Axis(
            labelExpr=f"{json.dumps(said)}[datum.label]",
            labelLimit=alt.ExprRef("max(110, min(300, width * 0.45))"),
            labelOverlap=False,
            labelFlush=False,
            ticks=False,
            domain=False,
            grid=False,
        ),
    )
    layers = []
    whole = points[points["mark"] != "repeat"]
    if bars:
        bar = alt.Chart(whole.assign(zero=0.0)).mark_bar(opacity=0.22, height={"band": 0.62})
        layers.append(bar.encode(y=row, color=style.colour(), x2="zero:Q", **x.encode("rate")))
    compared = whole[whole["row_name"] == baseline]
    if len(compared):
        rule = alt.Chart(compared).mark_rule(color=ink.text, strokeDash=[4, 3], strokeWidth=1.1)
        layers.append(rule.encode(**x.encode("rate")))
    layers += mark_layers(points, {"y": row}, x, style, selected)
    layers += tooltip_layers(points, {"y": row}, x)
    layers[-1] = layers[-1].add_params(click())
    chart: alt.LayerChart = alt.LayerChart(layer=layers).properties(
        height=ROW_HEIGHT * max(2, len(here)),
        autosize=FIT,
        title=alt.TitleParams(
            title, subtitle=list(subtitle), anchor="start", frame="bounds", offset=10, subtitleColor=ink.muted
        ),
        usermeta={"embedOptions": {"renderer": "svg"}},
    )
    return chart
