"""Categories as dots: a row for each, in it the checkpoints (or mixes, or evals) one under the other, with intervals.

Rows are as high as they need to be, so a picture of many checkpoints grows instead of getting crowded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from dashboard.charts.axes import ValueAxis
from dashboard.charts.marks import FIT, SVG, MarkStyle, chart_heading, click, mark_layers, tooltip_layers
from dashboard.charts.palette import INKS, SHAPES, Ink

LANE, GAP, LINE = 18, 10, 13
"""Pixels: of one point's lane, between rows, of a line of a label."""

LABEL_WIDTH, LABEL_LINES = 26, 3
"""Characters of a line of a label, and its lines: more is cut in the middle, as names differ at their ends."""

NOT_MEASURED, NO_OUTCOME = "no results", "no sample is scored"

MOSTLY = 0.5
"""With less than this share of all rows and columns measured, rows leave no room for what they haven't."""


@dataclass(frozen=True, kw_only=True)
class CategoryStyle(MarkStyle):
    """What is the same in every panel."""

    shapes: bool = True
    """Whether each series has a shape of its own, besides its colour; not where its name stands beside it."""

    def colour(self) -> alt.Color:
        """Colour by series, in one legend with the shape."""
        names = list(self.colours)
        return alt.Color(
            "series:N",
            scale=alt.Scale(domain=names, range=[self.colours[name] for name in names]),
            legend=self._legend(),
        )

    def shape(self) -> dict[str, Any]:
        """Shape by series: none of the same colour has the same."""
        names = list(self.colours)
        if not self.shapes or len(names) < 2:
            return {}
        scale = alt.Scale(domain=names, range=shapes_of(self.colours.values()))
        return {"shape": alt.Shape("series:N", scale=scale, legend=self._legend())}

    def _legend(self) -> alt.Legend | None:
        if not self.legend or len(self.colours) < 2:
            return None
        columns = alt.ExprRef("max(1, floor(width / 190))")
        labels = f"{json.dumps(dict(self.labels))}[datum.label]"
        return alt.Legend(
            title=None, orient="top", direction="horizontal", columns=columns, labelLimit=170, labelExpr=labels,
            symbolOpacity=1, symbolSize=70,
        )  # fmt: skip


def shapes_of(colours: Iterable[str]) -> list[str]:
    """A shape for each of some colours, so that no pair of colour and shape comes twice while there are shapes left."""
    taken: set[tuple[str, str]] = set()
    shapes = []
    for at, colour in enumerate(colours):
        turns = [SHAPES[(at + turn) % len(SHAPES)] for turn in range(len(SHAPES))]
        shape = next((each for each in turns if (colour, each) not in taken), turns[0])
        taken.add((colour, shape))
        shapes.append(shape)
    return shapes


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything of a panel stands, in pixels from its top."""

    points: pd.DataFrame
    """Its points that have a rate, with columns y (middle of the lane), top and bottom (of its bar)."""
    rows: pd.DataFrame
    """Columns category, y (middle), bottom."""
    empty: pd.DataFrame
    """Columns y, text: lanes without a rate, and why."""
    height: float


def lay_out(points: pd.DataFrame, *, crossed: bool) -> Layout:
    """Give every point its lane.

    Args:
        points: The panel's rows of `category_points`.
        crossed: Whether every row could have a point in every column. Where most have, all columns keep a lane in
            every row, and the gaps are seen; else each row has lanes for what is there.
    """
    categories, columns = points["category"].unique().tolist(), columns_of(points)
    cells = set(zip(points["category"], points["column"], strict=True))
    fixed = crossed and len(cells) >= MOSTLY * len(categories) * len(columns)
    middle: dict[tuple[str, str], float] = {}
    rows, top = [], 0.0
    for category in categories:
        lanes = [column for column in columns if fixed or (category, column) in cells]
        height = max(LANE * len(lanes), LINE * len(label_lines(category)) - GAP + 4)
        first = top + GAP / 2 + (height - LANE * len(lanes)) / 2
        middle |= {(category, column): first + LANE * (at + 0.5) for at, column in enumerate(lanes)}
        rows.append({"category": category, "y": top + (height + GAP) / 2, "bottom": top + height + GAP})
        top += height + GAP
    y = pd.Series(
        [middle[cell] for cell in zip(points["category"], points["column"], strict=True)],
        index=points.index,
        dtype="float64",
    )
    placed = points.assign(y=y, top=y - LANE * 0.36, bottom=y + LANE * 0.36)
    told = placed[placed["rate"].notna()]
    with_rate = set(zip(told["category"], told["column"], strict=True))
    empty = [
        {"y": place, "text": NO_OUTCOME if cell in cells else NOT_MEASURED}
        for cell, place in middle.items()
        if cell not in with_rate
    ]
    return Layout(told, pd.DataFrame(rows), pd.DataFrame(empty, columns=["y", "text"]), top)


def columns_of(points: pd.DataFrame) -> list[str]:
    """The columns of a panel, in order."""
    return points.sort_values("column_rank", kind="stable")["column"].unique().tolist()


def names_axis(places: Sequence[float], labels: Mapping[str, Sequence[str]]) -> alt.Axis:
    """An axis of names, each at its place in pixels, in as many lines as it takes.

    Args:
        places: Where the names stand.
        labels: A place with one digit after the point -> lines of its name.
    """
    return alt.Axis(
        values=list(places),
        labelExpr=f"{json.dumps(labels)}[format(datum.value, '.1f')]",
        labelLimit=0,
        labelOverlap=False,
        labelLineHeight=LINE,
        ticks=False,
        domain=False,
        grid=False,
    )


def label_lines(text: str, width: int = LABEL_WIDTH, most: int = LABEL_LINES) -> list[str]:
    """A name in lines; one that is too long is cut in the middle."""
    lines = _wrapped(text, width)
    if len(lines) > most:
        # Lines are not filled to the end, so it takes a try or two.
        for room in range(width * most, 1, -4):
            half = (room - 3) // 2
            lines = _wrapped(f"{text[:half].rstrip()} … {text[-half:].lstrip()}", width)
            if len(lines) <= most:
                break
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    """Lines that break at spaces and, in names like some_long_name, after marks; within a word only if they must."""
    lines = [""]
    for part in re.findall(r"\s+|[^\s_/.:-]*[_/.:-]+|[^\s_/.:-]+", text):
        for piece in (part[at : at + width] for at in range(0, len(part), width)):
            if len(lines[-1]) + len(piece.rstrip()) > width:
                lines.append("")
            lines[-1] += piece if lines[-1] else piece.lstrip()
    return [line.rstrip() for line in lines if line.strip()] or [""]


def categories_chart(
    points: pd.DataFrame,
    axis: ValueAxis,
    style: CategoryStyle,
    *,
    crossed: bool,
    bars: bool,
    title: Sequence[str],
    subtitle: Sequence[str],
    selected: str = "",
) -> alt.LayerChart:
    """Draw one panel.

    Args:
        points: The panel's rows of `category_points`.
        axis: The axis of the rates; laid along the bottom here.
        style: Colours and shapes.
        crossed: As in `lay_out`.
        bars: Draw a pale bar from 0 to every point: for an axis that begins there.
        title: Lines of the panel's heading.
        subtitle: Lines under it: the definitions in use, the intervals' method.
        selected: A `point` to be ringed.
    """
    ink = INKS[style.scheme]
    axis = axis.lying()
    layout = lay_out(points, crossed=crossed)
    labels = {_key(row["y"]): label_lines(row["category"]) for row in layout.rows.to_dict("records")}
    scale = alt.Scale(domain=[layout.height, 0], nice=False, zero=False)
    rows = names_axis(layout.rows["y"].tolist(), labels)

    def y(column: str) -> alt.Y:
        return alt.Y(f"{column}:Q", title=None, scale=scale, axis=rows)

    place = {"y": y("y")}
    layers = [
        *_frame(layout, axis, place, ink),
        *(_bars(layout.points, axis, {"y": y("top"), "y2": alt.Y2("bottom:Q")}, style) if bars else []),
        *_empty(layout.empty, axis, place, ink),
        *mark_layers(layout.points, place, axis, style, selected),
        *tooltip_layers(layout.points, place, axis),
    ]
    if len(layout.points):
        layers[-1] = layers[-1].add_params(click())
    chart: alt.LayerChart = alt.LayerChart(
        layer=layers,
        height=layout.height,
        autosize=FIT,
        title=chart_heading(title, subtitle, ink),
        usermeta=SVG,
    )
    return chart


def _key(y: float) -> str:
    """As the axis' expression writes the same number."""
    return f"{y:.1f}"


def _frame(layout: Layout, axis: ValueAxis, place: dict[str, alt.Y], ink: Ink) -> list[alt.Chart]:
    """Lines at the ticks, and between rows."""
    ticks = pd.DataFrame({"rate": axis.ticks})
    between = layout.rows.iloc[:-1][["bottom"]].rename(columns={"bottom": "y"})
    lines = [alt.Chart(ticks).mark_rule(color=ink.faint, strokeWidth=1).encode(**axis.encode("rate"))]
    if len(between):
        lines.append(alt.Chart(between).mark_rule(color=ink.faint, strokeWidth=1, strokeDash=[3, 3]).encode(**place))
    return lines


def _bars(points: pd.DataFrame, axis: ValueAxis, lane: dict[str, Any], style: CategoryStyle) -> list[alt.Chart]:
    first = points[points["repeat"] == 0].assign(zero=0.0)
    if first.empty:
        return []
    bar = alt.Chart(first).mark_rect(opacity=0.22)
    return [bar.encode(color=style.colour(), **axis.encode("zero"), x2=alt.X2("rate:Q"), **lane)]


def _empty(empty: pd.DataFrame, axis: ValueAxis, place: dict[str, alt.Y], ink: Ink) -> list[alt.Chart]:
    """Words in lanes without a rate: a gap is no 0."""
    if empty.empty:
        return []
    text = alt.Chart(empty.assign(rate=axis.low)).mark_text(align="left", dx=6, fontSize=10, fontStyle="italic")
    return [text.encode(color=alt.ColorValue(ink.muted), text=alt.Text("text:N"), **axis.encode("rate"), **place)]
