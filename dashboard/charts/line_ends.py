"""Which line is which: a name at the end of each where there are few, else a legend with their dashes and markers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from dashboard.charts.axes import ValueAxis
from dashboard.charts.label_places import LINE, spread
from dashboard.charts.marks import MarkStyle
from dashboard.charts.palette import INKS, dash_of, looks_of, shape_of

MOST_NAMED = 8
"""Lines with a name at their end; more would need a legend."""

LETTERS, FEWER, CHARACTER = 30, 15, 5.8
"""Of a name at a line's end: as many as are written, as many where the plot is narrow, and about the pixels of one."""

GAP = 12
"""Pixels from the plot's frame to the names."""

PLOT_WIDTH = "containerSize()[0]"
"""Expression of the pixels that a chart has on the page; figures have a width of their own."""

NARROW = f"{PLOT_WIDTH} < 560"
"""Where there is little room beside the lines: names are shorter."""

HIDDEN, ALONE = "hidden", "alone"
"""Names of the legend's selections."""

SHOWN: Any = {"and": [{"param": ALONE}, {"not": {"param": HIDDEN, "empty": False}}]}
"""Filter of what the legend leaves in sight."""


def shortened(names: Mapping[str, str], most: int = LETTERS) -> dict[str, str]:
    """Names cut in their middle, none of them to the same text as another.

    Args:
        names: Anything to its name.
        most: Letters of a name.
    """
    head, tail = most // 2, most - most // 2 - 1
    cut = {key: name if len(name) <= most else f"{name[:head]}…{name[-tail:]}" for key, name in names.items()}
    alike = [text for text in cut.values() if list(cut.values()).count(text) > 1]
    return {key: names[key] if text in alike else text for key, text in cut.items()}


def end_labels(
    lines: pd.DataFrame, names: Mapping[str, str], place: str, y: ValueAxis, style: MarkStyle, edge: str, beside: int
) -> list[alt.Chart]:
    """Names right of the plot at the height where their lines end, moved apart, each with a thread to its line's end.

    Args:
        lines: Columns line, series, x, rate and beside.
        names: Line to its name.
        place: Expression of where the marks stand along the axis.
        y: The vertical axis.
        style: Colours, and the plot's height.
        edge: Expression of where the axis ends, in pixels.
        beside: Pixels right of it that are taken.
    """
    ink, height = INKS[style.scheme], style.plot_height
    ends = lines.sort_values("x", kind="stable").groupby("line", sort=False).tail(1)
    written = shortened({line: names[line] for line in ends["line"]})
    down = ((y.high - ends["rate"]) / (y.high - y.low) * height).tolist()
    apart = spread(down, LINE + 1, height)
    place_of = [y.high - at / height * (y.high - y.low) for at in apart]
    short = shortened(written, FEWER)
    ends = ends.assign(label=ends["line"].map(written), short=ends["line"].map(short), place=place_of)
    # A rule has two ends on one axis of pixels: from the last point to the name.
    thread = alt.Chart(ends).mark_rule(strokeWidth=1, opacity=0.55, strokeDash=[1, 2], aria=False, clip=False)
    end, name = f"clamp({place}, 0, {edge})", f"{edge} + {beside + GAP}"
    threads = thread.encode(
        color=style.colour(), x=alt.XValue(alt.expr(end)), x2=alt.X2Value(alt.expr(f"{name} - 3")), **y.encode("rate"),
        y2=alt.Y2("place:Q"),
    )  # fmt: skip
    text = alt.Chart(ends).transform_calculate(written=f"{NARROW} ? datum.short : datum.label")
    names_there = text.mark_text(
        align="left", baseline="middle", fontSize=12, aria=False, clip=False, color=ink.text
    ).encode(x=alt.XValue(alt.expr(name)), text=alt.Text("written:N"), **y.encode("place"))
    return [threads, names_there]


def room_for(names: Mapping[str, str]) -> str:
    """Expression of the pixels that names at the ends of lines need.

    Args:
        names: Line to its name.
    """
    written = shortened(names)
    narrow, wide = (
        GAP + round(CHARACTER * max(map(len, some.values()))) for some in (shortened(written, FEWER), written)
    )
    return f"({NARROW} ? {narrow} : {wide})"


def line_symbol(look: int) -> str:
    """A piece of line with its dash and its marker, as an SVG path for Vega's symbols.

    Args:
        look: From `looks_of`.
    """
    dash: tuple[float, ...] = dash_of(look)
    dash = dash if all(dash) else (28.0,)
    pieces, at, turn = [], -2.0, 0
    while at < 2:
        until = min(2.0, at + dash[turn % len(dash)] / 7)
        if turn % 2 == 0:
            pieces.append(f"M{at:.2f},0L{until:.2f},0")
        at, turn = until, turn + 1
    return "".join(pieces) + "".join(MARKERS[shape_of(look)](size) for size in (0.62, 0.42, 0.2))


def _polygon(*corners: tuple[float, float]) -> Any:
    return lambda r: "M" + "L".join(f"{x * r:.2f},{y * r:.2f}" for x, y in corners) + "Z"


MARKERS: dict[str, Any] = {
    "circle": lambda r: f"M-{r:.2f},0A{r:.2f},{r:.2f},0,1,1,{r:.2f},0A{r:.2f},{r:.2f},0,1,1,-{r:.2f},0Z",
    "square": _polygon((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    "triangle-up": _polygon((0, -1.1), (1.05, 0.8), (-1.05, 0.8)),
    "triangle-down": _polygon((0, 1.1), (1.05, -0.8), (-1.05, -0.8)),
    "diamond": _polygon((0, -1.2), (1.2, 0), (0, 1.2), (-1.2, 0)),
    "cross": _polygon(
        (-0.4, -1.1), (0.4, -1.1), (0.4, -0.4), (1.1, -0.4), (1.1, 0.4), (0.4, 0.4),
        (0.4, 1.1), (-0.4, 1.1), (-0.4, 0.4), (-1.1, 0.4), (-1.1, -0.4), (-0.4, -0.4),
    ),
}  # fmt: skip
"""Outlines of the shapes, of a radius."""


def line_legend(colours: Mapping[str, str], labels: Mapping[str, str], legend: alt.Legend, *, lines: bool) -> alt.Chart:
    """A legend of lines as they are drawn: a click hides one and shows it again, a double click leaves it alone.

    Args:
        colours: Series to colour, in order.
        labels: Series to its name.
        legend: How legends look.
        lines: Whether dash and marker tell the series apart; else it shows discs.
    """
    names, looks = list(colours), looks_of(colours)
    # Altair's own types know of no binding to a legend but by a single click.
    double: Any = alt.LegendStreamBinding(legend="dblclick")
    look = legend.copy()
    for name, value in {
        "labelExpr": f"{json.dumps(dict(labels))}[datum.label]", "symbolOpacity": 1,
        "symbolLimit": len(names),
        **({"symbolSize": 196, "symbolStrokeWidth": 1.6, "symbolOffset": 8, "labelOffset": 13} if lines else {}),
    }.items():  # fmt: skip
        setattr(look, name, value)
    shape = alt.Shape(
        "series:N",
        scale=alt.Scale(domain=names, range=[line_symbol(looks[name]) for name in names]),
        legend=look,
    )
    drawn: alt.Chart = (
        alt.Chart(pd.DataFrame({"series": names}))
        .mark_point(opacity=0, filled=not lines, aria=False, size=1)
        .encode(
            x=alt.XValue(0),
            y=alt.YValue(0),
            color=alt.Color(
                "series:N", scale=alt.Scale(domain=names, range=[colours[name] for name in names]), legend=look
            ),
            **({"shape": shape} if lines else {}),
        )
        .add_params(
            alt.selection_point(HIDDEN, fields=["series"], bind="legend", toggle="true", clear=False, empty=False),
            alt.selection_point(ALONE, fields=["series"], bind=double, toggle="true", clear=False),
        )
    )
    return drawn


def named_at_ends(lines: pd.DataFrame, series: Sequence[str]) -> bool:
    """Whether every series has a line here, and they are few enough to be named at their ends.

    Args:
        lines: Columns line and series.
        series: All that are drawn.
    """
    return set(series) <= set(lines["series"]) and 0 < lines["line"].nunique() <= MOST_NAMED
