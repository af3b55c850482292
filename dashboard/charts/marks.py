"""What every chart of rates is made of: points, error bars, rings, tooltips, and the click that chooses a point."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import altair as alt
import pandas as pd

from dashboard import numerals
from dashboard.charts.axes import ValueAxis
from dashboard.charts.palette import DASHES, INKS, SHAPES, Ink, Scheme, dash_of, looks_of, shape_of
from dashboard.charts.points import NO_VARIANT

SELECTION = "point"
"""Name of the click's selection; its tuples hold the field `point`."""

TOOLTIP = (
    ("checkpoint", "checkpoint"),
    ("eval", "eval"),
    ("split", "split"),
    ("split2", "second split"),
    ("trained", "Training tokens"),
    ("definition", "definition"),
    ("count", "samples"),
    ("value", "value"),
    ("bounds", "interval"),
    ("interval", "method"),
    ("measured", "measured"),
    ("n_missing", "unscored"),
    ("judge", "judge"),
    ("path", "log"),
    ("flags", "warnings"),
)
"""Field and name of each row of a tooltip."""

CALCULATED = {"count", "value"}

HATCH = "M-.5,.1L.1,-.5M-.42,.42L.42,-.42M-.1,.5L.5,-.1"
"""The lines of a hatched mark, as an SVG path."""


@dataclass(frozen=True, kw_only=True)
class MarkStyle:
    """What is the same in every panel of a page."""

    scheme: Scheme
    colours: Mapping[str, str]
    """Series to colour; also the legend's order."""
    labels: Mapping[str, str]
    """Series to the name shown in the legend."""
    styles: Sequence[str]
    """Values of column `style`, in order: each has a dash and a shape."""
    style_legend: bool = True
    """Whether styles say what the colours don't."""
    legend: bool = True
    """Whether the picture holds its legend; small multiples share one outside."""
    shared_legend: str = ""
    """Id of the legend on the page that this chart shares with others, if any: see `dashboard.charts.shared_legend`."""
    plot_height: int = 280
    """Pixels of the plot itself; titles, legends and axes come on top."""

    def colour(self) -> alt.Color:
        """Colour by series, with the legend over the plot where there is more than one."""
        names = list(self.colours)
        discs = _legend(
            "top",
            [self.labels.get(name, name) for name in names],
            symbolType="circle",
            symbolOpacity=1,
            labelExpr=f"{json.dumps(dict(self.labels))}[datum.label]",
        )
        return alt.Color(
            "series:N",
            scale=alt.Scale(domain=names, range=[self.colours[name] for name in names]),
            legend=discs if self.legend and len(names) > 1 else None,
        )

    def dash(self) -> dict[str, Any]:
        """Dash by style (eval, metric or variant) where a panel mixes several, else by series of one colour."""
        if len(self.styles) < 2:
            return self._by_series("strokeDash", [list(dash_of(look)) for look in self._looks()])
        patterns = [list(DASHES[index % len(DASHES)]) for index in range(len(self.styles))]
        scale = alt.Scale(domain=list(self.styles), range=patterns)
        return {"strokeDash": alt.StrokeDash("style:N", scale=scale, legend=self._style_legend())}

    def shape(self) -> dict[str, Any]:
        """Shape by style, alongside the dash."""
        if len(self.styles) < 2:
            return self._by_series("shape", [shape_of(look) for look in self._looks()])
        shapes = [SHAPES[index % len(SHAPES)] for index in range(len(self.styles))]
        scale = alt.Scale(domain=list(self.styles), range=shapes)
        return {"shape": alt.Shape("style:N", scale=scale, legend=self._style_legend())}

    def _looks(self) -> list[int]:
        looks = looks_of(self.colours)
        return [looks[name] for name in self.colours]

    def _by_series(self, channel: Literal["strokeDash", "shape"], values: Sequence[Any]) -> dict[str, Any]:
        """Tell series of one colour apart; nothing where all have a colour of their own."""
        if not any(self._looks()):
            return {}
        scale = alt.Scale(domain=list(self.colours), range=list(values))
        encoding = {"strokeDash": alt.StrokeDash, "shape": alt.Shape}[channel]
        return {channel: encoding("series:N", scale=scale, legend=None)}

    def series_legend(self) -> alt.Legend:
        """How a legend of the series looks."""
        return _legend("top", [self.labels.get(name, name) for name in self.colours])

    def _style_legend(self) -> alt.Legend | None:
        """One legend for dash and shape together: Vega-Lite merges those of the same field that are alike."""
        ink = INKS[self.scheme].muted
        look = {"symbolSize": 90, "symbolFillColor": ink, "symbolStrokeColor": ink, "symbolStrokeWidth": 1}
        told = f"datum.label || '{NO_VARIANT}'"
        return _legend("bottom", self.styles, labelExpr=told, **look) if self.style_legend else None


def _legend(orient: Literal["top", "bottom"], labels: Sequence[str], **more: Any) -> alt.Legend:
    """As many columns as the longest label leaves room for: names of variants differ at their ends.

    On a phone symbols and letters are smaller, so that two columns fit where one would take as many rows as there are
    series.
    """
    letters = max(map(len, labels), default=0)
    wide = max(LEGEND_COLUMN, SYMBOL + round(CHARACTER * letters))
    slim = SYMBOL + round(CHARACTER * SMALL * letters)
    column = f"(width < {NARROW} ? {slim} : {wide})"
    look = {
        "columns": alt.ExprRef(f"max(1, floor(width / {column}))"),
        "labelLimit": alt.ExprRef(f"min({column}, width) - {SYMBOL}"),
        "labelFontSize": alt.ExprRef(f"width < {NARROW} ? {round(LEGEND_FONT * SMALL, 1)} : {LEGEND_FONT}"),
        "symbolSize": alt.ExprRef(f"width < {NARROW} ? 60 : 100"),
    }
    return alt.Legend(title=None, orient=orient, direction="horizontal", **(look | more))


LEGEND_COLUMN, SYMBOL, CHARACTER, LEGEND_FONT = 185, 20, 7.0, 13
"""Pixels: the narrowest column of a legend, its symbol with the space around it, about a letter, and its font's size.
"""

NARROW, SMALL = 360, 0.85
"""Pixels of a plot on a phone, and what letters of its legend are of others."""

FIT = alt.AutoSizeParams(type="fit-x", contains="padding")
"""As wide as the page allows, and as high as the plot with all that stands around it: a long legend takes nothing."""


SVG: dict[str, Any] = {"embedOptions": {"renderer": "svg"}}
"""As `usermeta` of a chart: drawn as SVG, whose marks can be found, read aloud and clicked, however many they are."""


def chart_heading(
    title: str | Sequence[str], subtitle: Sequence[str], ink: Ink, *, offset: int = 10
) -> alt.TitleParams:
    """The heading of a panel: its title over the frame, a line of small print under it.

    A long title takes several lines where the page is narrow; small print that has no room ends in an ellipsis.

    Args:
        title: A text, or its lines.
        subtitle: Lines under it.
        ink: Of the page.
        offset: Pixels between the heading and the plot.
    """
    text: Any = title if isinstance(title, str) else list(title)
    if isinstance(text, str) and len(text) > SHORT_TITLE:
        narrow = f"{TITLE_ROOM} < {round(TITLE_CHARACTER * len(text))}"
        text = alt.ExprRef(f"{narrow} ? {json.dumps(textwrap.wrap(text, SHORT_TITLE))} : {json.dumps(text)}")
    return alt.TitleParams(
        text,
        subtitle=list(subtitle),
        anchor="start",
        frame="bounds",
        offset=offset,
        subtitleColor=ink.muted,
        subtitleFontSize=12,
        subtitlePadding=4,
        limit=alt.ExprRef(TITLE_ROOM),
    )


SHORT_TITLE, TITLE_CHARACTER, BESIDE = 40, 7.6, 44
"""Characters of a title that every screen has room for, about the pixels of one, and pixels of the axis at its left."""

TITLE_ROOM = f"(containerSize()[0] ? containerSize()[0] - 12 : width + {BESIDE})"
"""Vega expression of the pixels that a title may take: those of its element, in files of the plot and its axis.

A plot that is fitted to a page becomes narrower once its axes are laid out; a title that took another line by then
would stand above the picture.
"""


def click() -> alt.Parameter:
    """One point at a time; a second click leaves it chosen, and a click beside the points changes nothing."""
    return alt.selection_point(
        SELECTION, fields=["point"], on="click[event.item && event.item.datum && event.item.datum.point]",
        toggle=False, clear=False, empty=False,
    )  # fmt: skip


def mark_layers(
    points: pd.DataFrame,
    place: Mapping[str, Any],
    axis: ValueAxis,
    style: MarkStyle,
    selected: str,
    *,
    barred: pd.Series | None = None,
    clip: bool = False,
) -> list[alt.Chart]:
    """Error bars, points and rings of one frame.

    A point is filled; another log of the same checkpoint is hollow; a log that isn't whole is hollow and dashed; an
    average that lacks members is hatched.
    A ring in the alert colour stands for flags, one in the text's colour for the selection.

    Args:
        points: Columns of `MARK_COLUMNS`, and `series` and `style`.
        place: The encoding of the other axis.
        axis: The axis of the rate.
        style: Colours and shapes.
        selected: A `point` to be ringed.
        barred: Which points have a bar for their interval; all that have one, if not given.
        clip: Cut marks off at the plot's frame, as where it can be zoomed.
    """
    ink = INKS[style.scheme]
    layers = []
    bars = points[points["low"].notna() & (True if barred is None else barred)]
    if len(bars):
        bar = alt.Chart(bars).encode(color=style.colour(), **place)
        across: Literal["horizontal", "vertical"] = "horizontal" if axis.channel == "y" else "vertical"
        layers += [bar.mark_rule(strokeWidth=1.2, clip=clip).encode(**axis.encode_interval())]
        layers += [
            bar.mark_tick(thickness=1.2, size=7, orient=across, clip=clip).encode(**axis.encode(end))
            for end in ("low", "high")
        ]
    for ring, colour, size in (
        (points[points["flags"] != ""], ink.alert, 190),
        (points[points["point"] == selected], ink.text, 420),
    ):
        if len(ring):
            circle = alt.Chart(ring).mark_point(
                shape="circle", size=size, strokeWidth=1.1, color=colour, filled=False, clip=clip
            )
            layers.append(circle.encode(**axis.encode("rate"), **place))
    looks: dict[str, dict[str, Any]] = {
        "point": {"filled": True, "size": 62, "opacity": 1},
        "repeat": {"fill": ink.paper, "size": 44, "strokeWidth": 1.6, "opacity": 1},
        "incomplete": {"fill": ink.paper, "size": 62, "strokeWidth": 1.6, "strokeDash": [2, 2], "opacity": 1},
        "partial": {"fill": ink.paper, "size": 74, "strokeWidth": 1.2, "opacity": 1},
    }
    for mark, of_mark in looks.items():
        some = points[points["mark"] == mark]
        if len(some):
            dot = alt.Chart(some).mark_point(**of_mark, clip=clip)
            layers.append(dot.encode(color=style.colour(), **style.shape(), **axis.encode("rate"), **place))
        if len(some) and mark == "partial":
            hatch = alt.Chart(some).mark_point(shape=HATCH, size=of_mark["size"], strokeWidth=1, opacity=1, clip=clip)
            layers.append(hatch.encode(color=style.colour(), **axis.encode("rate"), **place))
    return layers


def tooltip_layers(
    points: pd.DataFrame, place: Mapping[str, Any], axis: ValueAxis, *, clip: bool = False
) -> list[alt.Chart]:
    """Invisible, generous targets over the points: they hold the tooltip, the description and the click."""
    return [
        chart.mark_point(filled=True, shape="circle", size=280, opacity=0, clip=clip, cursor="pointer").encode(
            **said, **axis.encode("rate"), **place
        )
        for chart, said in described(points, axis)
    ]


def described(points: pd.DataFrame, axis: ValueAxis) -> list[tuple[alt.Chart, dict[str, Any]]]:
    """Charts of points without a mark yet, each with the encoding of its tooltip and its description.

    Args:
        points: Columns of `MARK_COLUMNS`.
        axis: For the format of numbers.
    """
    number = json.dumps(axis.exact)
    split = "(isValid(datum.split) ? ', ' + datum.split : '') + (isValid(datum.split2) ? ', ' + datum.split2 : '')"
    return [
        (
            alt.Chart(some).transform_calculate(
                value=f"format(datum.rate, {number})",
                trained=numerals.d3_tokens("datum.tokens"),
                count="isValid(datum.k) ? datum.k + ' of ' + datum.n : isValid(datum.n) ? datum.n : 'not reported'",
                bounds=f"format(datum.low, {number}) + ' to ' + format(datum.high, {number})",
                description=f"datum.checkpoint + ', ' + datum.eval + {split} + ': ' + datum.value + ', ' + datum.count",
            ),
            {
                "tooltip": [alt.Tooltip(f"{column}:N", title=title) for column, title in rows],
                "description": "description:N",
            },
        )
        for rows, some in _by_known_rows(points)
    ]


def _by_known_rows(points: pd.DataFrame) -> list[tuple[list[tuple[str, str]], pd.DataFrame]]:
    """Split points by what is known of each, so that no tooltip holds an empty row."""
    if points.empty:
        return []
    known = pd.DataFrame({column: _is_known(points, column) for column, _ in TOOLTIP})
    groups = points.groupby([known[column] for column in known], sort=False)
    return [([row for row, has in zip(TOOLTIP, key, strict=True) if has], some) for key, some in groups]


def _is_known(points: pd.DataFrame, column: str) -> pd.Series:
    if column in CALCULATED:
        return pd.Series(True, index=points.index)
    if column == "bounds":
        return points["low"].notna()
    if column == "trained":
        return points["tokens"].notna()
    if column == "n_missing":
        return points["n_missing"].fillna(0) > 0
    if column not in points:
        return pd.Series(False, index=points.index)
    return points[column].notna() & (points[column] != "")
