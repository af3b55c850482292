"""What stands around the points of a panel: its axis, title and subtitle, and what its kinds of marks mean."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping

import pandas as pd

from dashboard.charts.axes import ValueAxis, value_axis
from dashboard.queries.rows import checkpoint_name, is_missing

LINE = 58
"""Characters of a line under a title: what a narrow screen shows. Vega would cut off what is longer, the end of which
says which direction is better."""

DIRECTIONS = {"lower": "lower is better", "higher": "higher is better"}

MARKS = {
    "repeat": "hollow: repeated eval of the same checkpoint, not on the line",
    "incomplete": "hollow, dashed: part of an evaluation, graded of planned below",
    "partial": "hatched: an average without some of its members, see below; no line joins it to whole ones",
}


def is_fraction(points: pd.DataFrame) -> bool:
    """Whether numbers are shown in per cent: rates, and reported metrics without a unit that lie in 0..1."""
    if (points["kind"] == "rate").all():
        return True
    values = points["rate"].dropna()
    return bool((points["kind"] == "reported").all() and points["unit"].isna().all() and values.between(0, 1).all())


def axes_by_panel(points: pd.DataFrame, titles: Mapping[str, str], *, zoom: bool = False) -> dict[str, ValueAxis]:
    """Choose the axis of every panel: the same for all panels in per cent, its own for each score in its own unit.

    Args:
        points: Rows of `CurveData.points`.
        titles: Title of each metric.
        zoom: Fit axes in per cent to what is there, instead of beginning at 0.
    """
    panels = {str(name): some for name, some in points.groupby("panel", sort=False)}
    fractions = {name: is_fraction(some) for name, some in panels.items()}
    axes = {}
    for name, some in panels.items():
        metrics = some["metric"].unique()
        title = titles.get(metrics[0], metrics[0]) if len(metrics) == 1 else "rate"
        title = textwrap.shorten(title, 40, placeholder=" …")
        together = points[points["panel"].map(fractions).astype(bool)] if fractions[name] else some
        axes[name] = value_axis(together, fraction=fractions[name], title=title, zoom=zoom)
    return axes


def panel_title(panel: str, points: pd.DataFrame, eval_titles: Mapping[str, str]) -> str:
    """Name a panel: by what makes it a panel, or by the evals in it."""
    evals = [eval_titles.get(name, name) for name in points["eval"].unique()]
    if panel and not (len(evals) == 1 and panel.startswith(points["eval"].iloc[0])):
        return panel
    return ", ".join(evals[:4]) + (f" and {len(evals) - 4} more" if len(evals) > 4 else "")


def subtitle(points: pd.DataFrame, titles: Mapping[str, str], width: int = LINE) -> list[str]:
    """Lines under a panel's title: the definitions in use, then how the intervals are made.

    Args:
        points: The panel's rows of `CurveData.points`.
        titles: Title of each metric.
        width: Characters of a line.
    """
    rules = points.drop_duplicates(["metric", "definition"]).to_dict("records")
    if len(rules) > 3:
        told = [f"{len(rules)} definitions: the tooltips and the table name them"]
    else:
        told = []
        for rule in rules:
            title = titles.get(rule["metric"], rule["metric"])
            text = title if title == rule["definition"] else f"{title}: {rule['definition']}"
            direction = DIRECTIONS.get(str(rule["better"]))
            told.append(text + (f" ({direction})" if direction else ""))
    methods = points["interval"].dropna().map(lambda text: re.sub(r" \(.*\)$", "", text)).unique().tolist()
    if methods:
        told.append("95 % intervals: " + "; ".join(methods))
    untold = points["n"].isna()
    if untold.any():
        who = "the logs" if untold.all() else "some logs"
        told.append(f"Reported by {who} without saying of how many samples.")
    return [line for text in told for line in textwrap.wrap(text, width)]


def marks_legend(points: pd.DataFrame) -> list[str]:
    """Explain the marks that occur."""
    legend = [text for mark, text in MARKS.items() if (points["mark"] == mark).any()]
    if (points["flags"] != "").any():
        legend.append("ringed: something to look at, listed below")
    return legend


def flags_by_text(rates: pd.DataFrame, limit: int = 6) -> list[str]:
    """Every flag once, with the points that have it.

    Args:
        rates: Rows of `RATE_COLUMNS`.
        limit: Points named for each; the others are counted.
    """
    of_flag: dict[str, list[str]] = {}
    for row in rates.to_dict("records"):
        for flag in row["flags"]:
            what = row["eval"] if is_missing(row["variant"]) else f"{row['eval']}, {row['variant']}"
            of_flag.setdefault(flag, []).append(f"{checkpoint_name(row)} ({what})")
    told = []
    for flag, where in of_flag.items():
        named = list(dict.fromkeys(where))
        more = f" and {len(named) - limit} more" if len(named) > limit else ""
        told.append(f"{flag} · {', '.join(named[:limit])}{more}")
    return told
