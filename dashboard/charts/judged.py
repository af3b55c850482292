"""Rates under several judges of the same transcripts: a row for each checkpoint and judge, a dot with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from dashboard.charts.axes import value_axis, value_grid
from dashboard.charts.marks import FIT, SVG, MarkStyle, chart_heading, mark_layers, tooltip_layers
from dashboard.charts.palette import INKS, Scheme

ROW_HEIGHT, ROOM = 17, 14
"""Pixels of a judge's row, and between two checkpoints."""
SHORTENED = "length(datum.label) > 40 ? slice(datum.label, 0, 20) + '…' + slice(datum.label, -18) : datum.label"

INTERVAL = "Wilson, clustered by question"


def judged_points(rates: pd.DataFrame, raters: Mapping[str, str]) -> pd.DataFrame:
    """What is drawn: a mark for each rate that there is, with the columns of `dashboard.charts.marks`.

    Args:
        rates: `dashboard.queries.judged_rates.JUDGED_RATES`, and `checkpoint`, the name shown.
        raters: Rater to the name shown, in order.
    """
    known = rates[rates["rate"].notna()]
    several = known["eval"].nunique() > 1
    rows = known.to_dict("records")
    return known.assign(
        place=[f"{row['checkpoint']} · {row['eval']}" if several else row["checkpoint"] for row in rows],
        series=known["run"],
        style=[raters[row["rater"]] for row in rows],
        judge=[raters[row["rater"]] for row in rows],
        point=[f"{row['rater']} | {row['checkpoint']} | {row['eval']}" for row in rows],
        interval=INTERVAL,
        mark="point",
        flags="",
        **dict.fromkeys(("split", "split2", "tokens", "definition", "path")),
    )


def judged_chart(
    points: pd.DataFrame,
    raters: Sequence[str],
    colours: Mapping[str, str],
    scheme: Scheme,
    *,
    title: str,
    subtitle: Sequence[str],
) -> alt.LayerChart:
    """Draw the rates: checkpoints from top to bottom, their judges within them, runs in their colours.

    Args:
        points: From `judged_points`, at least one.
        raters: Their names, in order.
        colours: Run to colour.
        scheme: Of the page.
        title: The heading.
        subtitle: Lines under it.
    """
    ink = INKS[scheme]
    axis = value_axis(points, fraction=True, title="Misalignment rate").lying()
    shown = {run: colours.get(run, ink.muted) for run in points["series"].unique()}
    style = MarkStyle(
        scheme=scheme, colours=shown, labels={run: run for run in shown}, styles=list(raters), legend=False
    )
    places = points["place"].drop_duplicates().tolist()
    place = {
        "y": alt.Y(
            "place:N", sort=places, title=None, scale=alt.Scale(domain=places, paddingInner=0.0, paddingOuter=0.0),
            axis=alt.Axis(labelExpr=SHORTENED, labelLimit=300, labelOverlap=False, ticks=False, domain=False, grid=True,
                          tickBand="extent", gridColor=ink.faint, labelPadding=8),
        ),
        "yOffset": alt.YOffset("style:N", sort=list(raters), scale=alt.Scale(domain=list(raters), padding=0.45)),
    }  # fmt: skip
    layers = [value_grid(axis, ink), *mark_layers(points, place, axis, style, ""), *tooltip_layers(points, place, axis)]
    chart: alt.LayerChart = alt.LayerChart(
        layer=layers,
        height=(ROW_HEIGHT * len(raters) + ROOM) * len(places),
        autosize=FIT,
        title=chart_heading(title, subtitle, ink),
        usermeta=SVG,
    )
    return chart
