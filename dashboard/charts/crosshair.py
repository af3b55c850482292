"""A line through the plot at the step that is pointed at, with the value of every curve there; zoom and pan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import altair as alt
import pandas as pd

from dashboard import numerals
from dashboard.charts.axes import X_TITLES
from dashboard.charts.palette import Ink
from dashboard.charts.points import NO_VARIANT
from dashboard.queries.rows import is_missing

HOVER, ZOOM = "pointed", "zoom"
"""Names of the selections."""

MOST_LINES = 20
"""Lines that are told; a longer list has no room beside the pointer."""

NO_VALUE = "–"


def value_told(row: Mapping[Any, Any]) -> str:
    """A value with its interval and counts: "22.0% [17.7%, 27.0%] (66/300)"."""
    kind = str(row["kind"])
    parts = [numerals.value_of(float(str(row["rate"])), kind)]
    if not is_missing(row["low"]):
        parts.append(numerals.between(float(str(row["low"])), float(str(row["high"])), kind))
    if not is_missing(row["k"]):
        parts.append(f"({numerals.count(float(str(row['k'])))}/{numerals.count(float(str(row['n'])))})")
    elif not is_missing(row["n"]):
        parts.append(f"(n = {numerals.count(float(str(row['n'])))})")
    return " ".join(parts)


def told_at_each(points: pd.DataFrame, names: Mapping[str, str]) -> tuple[pd.DataFrame, list[str]]:
    """What every line says at each x.

    Args:
        points: Rows with line, x, and the columns of `value_told`; one for each line and x.
        names: Line to its name, in order.

    Returns:
        Rows with x, `since` and `until` (the middle to its neighbours), and a column l0, l1, ... for each line; and
        the lines told.
    """
    lines = [line for line in names if line in set(points["line"])][:MOST_LINES]
    told = points.drop_duplicates(["line", "x"]).set_index(["line", "x"])
    every = sorted(points["x"].unique())
    ends = [every[0], *((a + b) / 2 for a, b in pairwise(every)), every[-1]]
    rows = [
        {"x": x, "since": ends[at], "until": ends[at + 1], "at": numerals.count(x)}
        | {
            f"l{number}": value_told(told.loc[(line, x)].to_dict()) if (line, x) in told.index else NO_VALUE
            for number, line in enumerate(lines)
        }
        for at, x in enumerate(every)
    ]
    return pd.DataFrame(rows), lines


def crosshair_layers(points: pd.DataFrame, names: Mapping[str, str], x: alt.X, axis: str, ink: Ink) -> list[alt.Chart]:
    """The line, and over it what catches the pointer: nothing to be seen, over the whole height, around each x.

    Args:
        points: As for `told_at_each`; at least one.
        names: Line to its name, in order.
        x: The horizontal axis.
        axis: What is on it: step, tokens or lineage.
        ink: Of the page.
    """
    frame, lines = told_at_each(points, names)
    height = {"y": alt.YValue(0), "y2": alt.Y2Value(alt.expr("height"))}
    here: Any = {"param": HOVER, "empty": False}
    rule = (
        alt.Chart(frame)
        .mark_rule(color=ink.muted, strokeWidth=1, aria=False, clip=True)
        .encode(x=x, **height)
        .transform_filter(here)
    )
    since = x.copy()
    since.shorthand = "since:Q"
    rows = [alt.Tooltip("at:N", title=X_TITLES[axis])]
    rows += [alt.Tooltip(f"l{number}:N", title=names[line]) for number, line in enumerate(lines)]
    # A single x has no neighbour: its catch is a line that is broad enough to be met.
    catch = alt.Chart(frame).mark_rect(opacity=0, aria=False, clip=True, stroke="black", strokeWidth=12)
    pointed = alt.selection_point(HOVER, fields=["x"], on="pointerover", clear="pointerout", empty=False)
    return [rule, catch.encode(x=since, x2=alt.X2("until:Q"), tooltip=rows, **height).add_params(pointed, zoom())]


def zoom() -> alt.Parameter:
    """Zoom the horizontal axis by the wheel with Ctrl, Shift or the command key, pan by the mouse; twice resets both.

    Without a key the wheel scrolls the page, and a finger does.
    """
    return alt.selection_interval(
        name=ZOOM,
        bind="scales",
        encodings=["x"],
        zoom="wheel![event.ctrlKey || event.shiftKey || event.metaKey]",
        translate="[pointerdown[event.pointerType === 'mouse'], window:pointerup] > window:pointermove!",
    )


def line_names(lines: pd.DataFrame, labels: Mapping[str, str], order: Sequence[str]) -> dict[str, str]:
    """Name every line by its series, and by its style where a series has several.

    Args:
        lines: Columns line, series and style.
        labels: Of the series.
        order: The series, in order.

    Returns:
        Line to its name.
    """
    rank = {name: at for at, name in enumerate(order)}
    each = lines.drop_duplicates("line")
    several = each["series"].duplicated(keep=False)
    each = each.assign(rank=each["series"].map(rank).fillna(len(rank)), several=several)
    return {
        row["line"]: labels.get(row["series"], row["series"])
        + (f" · {row['style'] or NO_VARIANT}" if row["several"] else "")
        for row in each.sort_values(["rank", "style"], kind="stable").to_dict("records")
    }
