"""Categories by columns as a heatmap: every cell says its number, and a cell that was not measured says so.

A cell that was shrunk (`dashboard.queries.shrinkage`) says its measured number, too.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import altair as alt
import pandas as pd

from dashboard import numerals
from dashboard.charts.axes import ValueAxis
from dashboard.charts.categories import LINE, NO_OUTCOME, NOT_MEASURED, columns_of, label_lines, names_axis
from dashboard.charts.heat_scale import ON_LIGHT, HeatScale, readable_on
from dashboard.charts.marks import FIT, SVG, chart_heading, click, described
from dashboard.charts.palette import INKS, Ink, Scheme

CELL_HEIGHT = 52
MOST_COLUMNS = 8
"""Columns side by side; beyond, the picture turns its longer side down, or goes on underneath."""

WORDS_WIDTH = 84
"""Pixels that a cell needs for its interval and its count; a narrower one says its number alone."""

HEADER_WIDTH, HEADER_LINES, CHARACTER = 13, 5, 6.2
"""Characters and lines of a column's name, and pixels of a character."""

MEANINGS = {"lower": "darker = higher = worse", "higher": "darker = higher = better", "": "value"}


def blocks(points: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """A panel cut into pieces that are no wider than `MOST_COLUMNS`, its longer side turned down if it has to be.

    Args:
        points: The panel's rows of `category_points`.
    """
    columns, categories = columns_of(points), points["category"].unique().tolist()
    if len(columns) > MOST_COLUMNS and len(categories) < len(columns):
        place = {name: at for at, name in enumerate(categories)}
        points = points.assign(
            category=points["column"], column=points["category"], column_rank=points["category"].map(place)
        ).sort_values("category", key=lambda names: names.map({name: at for at, name in enumerate(columns)}))
        columns = categories
    for first in range(0, len(columns), MOST_COLUMNS):
        yield points[points["column"].isin(columns[first : first + MOST_COLUMNS])]


def flattened(points: pd.DataFrame) -> pd.DataFrame:
    """Points whose columns don't cross their rows, in a single column: the columns' names go to the rows'.

    Args:
        points: Rows of `category_points`.
    """
    several = points.groupby(["panel", "category"])["column"].transform("nunique") > 1
    pairs = zip(points["category"], points["column"], several, strict=True)
    names = [f"{category} · {column}" if many else category for category, column, many in pairs]
    return points.assign(category=names, column="", column_rank=0)


def heatmap_chart(
    points: pd.DataFrame,
    axis: ValueAxis,
    scale: HeatScale,
    *,
    scheme: Scheme,
    title: Sequence[str],
    subtitle: Sequence[str],
    selected: str = "",
) -> alt.LayerChart:
    """Draw one piece of a panel. Of several logs of a checkpoint it shows the one that lines go through.

    Args:
        points: From `blocks`.
        axis: For the format of numbers.
        scale: The panel's colours.
        scheme: Light or dark.
        title: Lines of the heading.
        subtitle: Lines under it: the definitions in use, the intervals' method.
        selected: A `point` to be framed.
    """
    ink = INKS[scheme]
    points = points[points["repeat"] == 0]
    rows, columns = list(dict.fromkeys(points["category"])), columns_of(points)
    lines = {row: label_lines(row) for row in rows}
    header = _header_height(columns)
    heights = [max(CELL_HEIGHT, LINE * len(lines[row]) + 6) for row in rows]
    tops = dict(zip(rows, (sum(heights[:at]) for at in range(len(rows))), strict=True))
    total = sum(heights)
    cells = _cells(points, rows, columns, tops, dict(zip(rows, heights, strict=True)), scale)

    middles = [tops[row] + height / 2 for row, height in zip(rows, heights, strict=True)]
    labels = {f"{y:.1f}": lines[row] for y, row in zip(middles, rows, strict=True)}
    y_scale = alt.Scale(domain=[total, -header], nice=False, zero=False)
    y_axis = names_axis(middles, labels)
    grid = _Grid(
        x_scale=alt.Scale(domain=[0, len(columns)], nice=False, zero=False),
        y_scale=y_scale,
        y_axis=y_axis,
        wide=f"width / {len(columns)} >= {WORDS_WIDTH}",
        ink=ink,
    )
    layers = [
        *grid.fills(cells[cells["rate"].notna()], scale, axis, str(points["better"].iloc[0])),
        *grid.hatches(cells[cells["rate"].isna()]),
        *grid.words(cells[cells["rate"].notna()], axis),
        *grid.headers(columns),
        *grid.marks(cells, selected),
        *grid.targets(cells[cells["rate"].notna()], axis),
    ]
    if cells["rate"].notna().any():
        layers[-1] = layers[-1].add_params(click())
    chart: alt.LayerChart = alt.LayerChart(
        layer=layers,
        height=total + header,
        autosize=FIT,
        title=chart_heading(title, subtitle, ink, offset=2 if header else 10),
        usermeta=SVG,
    )
    return chart


def _header_height(columns: Sequence[str]) -> int:
    """Pixels for the columns' names, which stand upright where cells are narrow."""
    lines = [label_lines(column, HEADER_WIDTH, HEADER_LINES) for column in columns if column]
    if not lines:
        return 0
    return max(LINE * max(map(len, lines)), round(CHARACTER * max(len(line) for some in lines for line in some))) + 12


def _cells(
    points: pd.DataFrame,
    rows: Sequence[str],
    columns: Sequence[str],
    tops: dict[str, float],
    heights: dict[str, float],
    scale: HeatScale,
) -> pd.DataFrame:
    """Every combination of row and column, with its place, its colours, and what it lacks."""
    every = pd.DataFrame([(row, column) for row in rows for column in columns], columns=["category", "column"])
    cells = every.merge(points, how="left", on=["category", "column"])
    cells["left"] = cells["column"].map({column: at for at, column in enumerate(columns)}).astype("float64")
    cells["top"] = cells["category"].map(tops).astype("float64")
    cells["bottom"] = cells["top"] + cells["category"].map(heights)
    cells["middle"] = (cells["top"] + cells["bottom"]) / 2
    cells["right"], cells["centre"] = cells["left"] + 1, cells["left"] + 0.5
    known = cells["rate"].notna()
    for prefix, of in {"": scale, **({ON_LIGHT: scale.on_light} if scale.light_stops else {})}.items():
        fills = [of.fill(rate) if told else None for rate, told in zip(cells["rate"], known, strict=True)]
        cells[f"{prefix}fill"] = pd.Series(fills, index=cells.index, dtype="object")
        letters = [None if fill is None else readable_on(fill) for fill in fills]
        cells[f"{prefix}text_colour"] = pd.Series(letters, index=cells.index, dtype="object")
    cells["why"] = ["" if told else NOT_MEASURED for told in known]
    cells.loc[cells["point"].notna() & ~known, "why"] = NO_OUTCOME
    whole = {"incomplete": "not whole", "partial": "members missing"}
    cells["state"] = [whole.get(str(mark), "") for mark in cells["mark"]]
    return cells


@dataclass(frozen=True, slots=True)
class _Grid:
    """The layers of one picture. Columns are counted from 0 to the right, rows in pixels from the top."""

    x_scale: alt.Scale
    y_scale: alt.Scale
    y_axis: alt.Axis
    wide: str
    ink: Ink

    def x(self, column: str) -> alt.X:
        return alt.X(f"{column}:Q", title=None, scale=self.x_scale, axis=None)

    def y(self, column: str) -> alt.Y:
        return alt.Y(f"{column}:Q", title=None, scale=self.y_scale, axis=self.y_axis)

    def area(self) -> dict[str, alt.X | alt.X2 | alt.Y | alt.Y2]:
        return {"x": self.x("left"), "x2": alt.X2("right:Q"), "y": self.y("top"), "y2": alt.Y2("bottom:Q")}

    def fills(self, cells: pd.DataFrame, scale: HeatScale, axis: ValueAxis, direction: str) -> list[alt.Chart]:
        """Coloured cells, and the legend of their colours."""
        if cells.empty:
            return []
        key = alt.Color(
            "rate:Q",
            scale=alt.Scale(domain=scale.domain, range=list(scale.stops), interpolate="rgb", clamp=True),
            legend=alt.Legend(
                title=MEANINGS.get(direction, MEANINGS[""]), orient="bottom", direction="horizontal",
                format=axis.number, values=[scale.low, scale.high], gradientLength=160, gradientThickness=10,
                titleLimit=0, titleFontWeight="normal",
            ),
        )  # fmt: skip
        base = alt.Chart(cells)
        rect = base.mark_rect(stroke=self.ink.paper, strokeWidth=2, aria=False)
        # Cells have their colour in the data, so that the text on it can be told to be readable; the legend has none.
        legend = base.mark_point(size=0, opacity=0)
        return [
            rect.encode(fill=alt.Fill("fill:N", scale=None), **self.area()),
            legend.encode(color=key, x=self.x("centre"), y=self.y("middle")),
        ]

    def hatches(self, cells: pd.DataFrame) -> list[alt.Chart]:
        """Cells without a number: hatched, and in words where there is room."""
        if cells.empty:
            return []
        strokes = [
            {"x": left + a, "x2": left + b, "y": bottom - (bottom - top) * c, "y2": bottom - (bottom - top) * d}
            for left, top, bottom in zip(cells["left"], cells["top"], cells["bottom"], strict=True)
            for a, b, c, d in HATCH
        ]
        line = alt.Chart(pd.DataFrame(strokes)).mark_rule(color=self.ink.muted, opacity=0.35, strokeWidth=1)
        frame = alt.Chart(cells).mark_rect(
            fill=None, filled=False, stroke=self.ink.muted, strokeOpacity=0.5, strokeDash=[3, 3]
        )
        text = alt.Chart(cells).mark_text(fontSize=10, fontStyle="italic", stroke=self.ink.paper, strokeWidth=4)
        return [
            line.encode(x=self.x("x"), x2=alt.X2("x2:Q"), y=self.y("y"), y2=alt.Y2("y2:Q")),
            frame.encode(**self.area()),
            *(
                each.encode(
                    text=alt.TextValue(alt.expr(f"{self.wide} ? datum.why : ''")),
                    color=alt.ColorValue(self.ink.muted),
                    x=self.x("centre"),
                    y=self.y("middle"),
                )
                for each in (text, text.mark_text(fontSize=10, fontStyle="italic"))
            ),
        ]

    def words(self, cells: pd.DataFrame, axis: ValueAxis) -> list[alt.Chart]:
        """The number; where there is room also its interval and count. Read aloud are the targets, which say all."""
        if cells.empty:
            return []
        number = json.dumps(_number_of(cells, axis))
        base = alt.Chart(cells).transform_calculate(
            value=f"format(datum.rate, {number})",
            bounds=f"isValid(datum.low) ? format(datum.low, {number}) + ' – ' + format(datum.high, {number})"
            " : 'no interval'",
            counted="isValid(datum.raw) ? 'measured ' + datum.raw"
            " : (isValid(datum.k) ? datum.k + ' of ' + datum.n : isValid(datum.n) ? 'n = ' + datum.n : '')"
            " + (datum.state ? (isValid(datum.n) ? ', ' : '') + datum.state : '')",
        )
        place = {
            "color": alt.Color("text_colour:N", scale=None),
            "x": self.x("centre"),
            "y": self.y("middle"),
        }
        size = alt.ExprRef(f"{self.wide} ? 13 : 10.5")
        first = base.mark_text(aria=False, fontWeight="bold", fontSize=size, dy=alt.ExprRef(f"{self.wide} ? -14 : 0"))
        lines = [("bounds", 2), ("counted", 16)]
        return [
            first.encode(text=alt.Text("value:N"), **place),
            *(
                base.mark_text(aria=False, fontSize=10, dy=dy).encode(
                    text=alt.TextValue(alt.expr(f"{self.wide} ? datum.{name} : ''")), **place
                )
                for name, dy in lines
            ),
        ]

    def headers(self, columns: Sequence[str]) -> list[alt.Chart]:
        """Names over the columns; upright where the cells are narrow."""
        if not any(columns):
            return []
        lines = [label_lines(column, HEADER_WIDTH, HEADER_LINES) for column in columns]
        texts = ["\n".join(some) for some in lines]
        frame = pd.DataFrame({"centre": [at + 0.5 for at in range(len(columns))], "text": texts}).assign(middle=-6.0)
        frame["more"] = [float(len(some) - 1) for some in lines]
        needed = round(CHARACTER * max(len(line) for some in lines for line in some)) + 4
        lying = f"width / {len(columns)} >= {needed}"
        text = alt.Chart(frame).mark_text(
            angle=alt.ExprRef(f"{lying} ? 0 : 270"),
            align=alt.ExprRef(f"{lying} ? 'center' : 'left'"),
            baseline=alt.ExprRef(f"{lying} ? 'bottom' : 'middle'"),
            # Lines go on from the first: the last is to stand over the cell, or all about its middle.
            dy=alt.ExprRef(f"-{LINE} * datum.more / ({lying} ? 1 : 2)"),
            lineBreak="\n",
            lineHeight=LINE,
            fontSize=11,
            color=self.ink.text,
        )
        return [text.encode(text=alt.Text("text:N"), x=self.x("centre"), y=self.y("middle"))]

    def marks(self, cells: pd.DataFrame, selected: str) -> list[alt.Chart]:
        """A ring in the corner of a cell with flags, a frame around the chosen one."""
        layers = []
        flagged = cells[cells["rate"].notna() & (cells["flags"].fillna("") != "")]
        if len(flagged):
            ring = alt.Chart(flagged).mark_point(
                aria=False, shape="circle", filled=False, size=40, strokeWidth=1.6, xOffset=-8, yOffset=8, opacity=1
            )
            colour = alt.Color("text_colour:N", scale=None)
            layers.append(ring.encode(color=colour, x=self.x("right"), y=self.y("top")))
        chosen = cells[cells["point"] == selected] if selected else cells.iloc[:0]
        if len(chosen):
            frame = alt.Chart(chosen).mark_rect(filled=False, fill=None, stroke=self.ink.text, strokeWidth=3)
            layers.append(frame.encode(**self.area()))
        return layers

    def targets(self, cells: pd.DataFrame, axis: ValueAxis) -> list[alt.Chart]:
        """Invisible cells over the cells: they hold the tooltip, the description and the click."""
        return [
            chart.mark_rect(opacity=0, fill=self.ink.paper).encode(**said, **self.area())
            for chart, said in described(cells, axis)
        ]


def _number_of(cells: pd.DataFrame, axis: ValueAxis) -> str:
    """Of scores, as many decimals in every cell: three figures of the largest number, so that cells can be compared."""
    if axis.number.endswith("%"):
        return numerals.D3_SHORT_PERCENT
    largest = float(cells[["rate", "low", "high"]].abs().max().max())
    if not 0.001 <= largest < 100_000:
        return numerals.D3_SHORT
    return f",.{max(0, 2 - math.floor(math.log10(largest)))}f"


HATCH = (
    (0.0, 0.25, 0.75, 1.0), (0.0, 0.5, 0.5, 1.0), (0.0, 0.75, 0.25, 1.0), (0.0, 1.0, 0.0, 1.0),
    (0.25, 1.0, 0.0, 0.75), (0.5, 1.0, 0.0, 0.5), (0.75, 1.0, 0.0, 0.25),
)  # fmt: skip
"""Ends of the hatching's strokes in a cell: x from and to, y from and to, as shares from its left and its bottom."""
