"""Variants against one of them: a light bar for each rate, its point and interval on it, the baseline as a rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import altair as alt
import pandas as pd

from dashboard.charts.axes import ValueAxis, value_grid
from dashboard.charts.marks import FIT, SVG, MarkStyle, chart_heading, click, mark_layers, tooltip_layers
from dashboard.charts.palette import INKS

ROW_HEIGHT = 50
"""Pixels of a row: its name stands over its bar, where it has the whole width."""


def row_order(points: pd.DataFrame) -> list[str]:
    """Rows in the order of their rates in the first panel, the highest on top; those that it lacks follow.

    An average that lacks members has no rank among whole ones: it comes after them.

    Args:
        points: Columns row_name, panel and rate; a row may have several rates in a panel.
    """
    ranks = points.assign(at=points["panel"].map({name: at for at, name in enumerate(points["panel"].unique())}))
    ranks = ranks.assign(partial=ranks["mark"].eq("partial") if "mark" in ranks else False)
    ranks = ranks.sort_values(["at", "partial", "rate"], ascending=[True, True, False], kind="stable")
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
        labels: row_name to what stands over its bar.
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
    row = alt.Y("row_name:N", scale=alt.Scale(domain=here), title=None, axis=None)
    names = pd.DataFrame({"row_name": here, "label": [labels.get(name, name) for name in here]})
    layers = [value_grid(x, ink)]
    whole = points[points["mark"] != "repeat"]
    if bars:
        # The bar of an average that lacks members is an outline.
        looks: dict[bool, dict[str, Any]] = {
            False: {"opacity": 0.22},
            True: {"filled": False, "strokeWidth": 1, "strokeDash": [3, 3]},
        }
        for partial, some in whole.assign(zero=0.0).groupby(whole["mark"] == "partial"):
            bar = alt.Chart(some).mark_bar(height={"band": 0.36}, **looks[bool(partial)])
            layers.append(bar.encode(y=row, color=style.colour(), x2=alt.X2("zero:Q"), **x.encode("rate")))
    compared = whole[whole["row_name"] == baseline]
    if len(compared):
        rule = alt.Chart(compared).mark_rule(color=ink.text, strokeDash=[4, 3], strokeWidth=1.1)
        layers.append(rule.encode(**x.encode("rate")))
    # The names stand over the bars, where the baseline's rule may pass: paper around the letters keeps them readable.
    for look in ({"stroke": ink.paper, "strokeWidth": 4.0, "color": ink.paper}, {"color": ink.text}):
        name = alt.Chart(names).mark_text(align="left", baseline="middle", dy=-19, fontSize=11.5, **look)
        layers.append(name.encode(y=row, x=alt.XValue(0), text=alt.Text("label:N")))
    layers += mark_layers(points, {"y": row}, x, style, selected)
    layers += tooltip_layers(points, {"y": row}, x)
    layers[-1] = layers[-1].add_params(click())
    chart: alt.LayerChart = alt.LayerChart(
        layer=layers,
        height=ROW_HEIGHT * max(1, len(here)),
        autosize=FIT,
        title=chart_heading(title, subtitle, ink),
        usermeta=SVG,
    )
    return chart
