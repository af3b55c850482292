"""Where every run stands: a row each, with its name, its course, its latest rate, and what changed since its parent.

Every column of the picture has an axis of its own, side by side in one plot. Where the plot is narrow, names and
numbers go above the marks and the axes spread over the whole width.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import altair as alt
import pandas as pd

from dashboard import numerals
from dashboard.charts.axes import ValueAxis, expressed
from dashboard.charts.marks import FIT, SELECTION, SVG, MarkStyle, mark_layers
from dashboard.charts.palette import BETTER, INKS, WORSE
from dashboard.charts.standing_rows import DRAWN_COLUMNS

ROW = 44
"""Pixels of a row."""

NARROW = "width < 860"
"""Vega expression: names and numbers go above the marks."""

FIRST, SECOND = 14, 29
NARROW_FIRST, NARROW_SECOND = 8, 21
"""Pixels down to the lines of text of a row."""

INDENT = 14
"""Pixels of a generation."""

RATE_SPAN = (f"width * ({NARROW} ? 0.30 : 0.355)", f"width * ({NARROW} ? 0.62 : 0.495)")
CHANGE_SPAN = (f"width * ({NARROW} ? 0.69 : 0.66)", f"width * ({NARROW} ? 0.98 : 0.785)")
COURSE_SPAN = (f"4 + width * ({NARROW} ? 0.01 : 0.24)", f"width * ({NARROW} ? 0.23 : 0.325)")
RATE_TEXT, CHANGE_TEXT = "width * 0.51", "width * 0.8"

SHORTENED = "length(datum.label) > 42 ? slice(datum.label, 0, 15) + '…' + slice(datum.label, -22) : datum.label"
"""Names of logs differ at their ends."""

TOOLTIP = (
    ("run", "run", "run"), ("about", "about", "stage, mix, step"), ("value", "rate", "rate"),
    ("bounds", "low", "95% interval"), ("interval", "interval", "method"), ("counted", "n", "samples"),
    ("change_text", "change_text", "change"),
    ("change_bounds", "change_bounds", "95% interval of the change"), ("since", "since", "baseline"),
    ("change_method", "change_method", "method of the change"), ("p", "p_holm", "p (Holm)"),
    ("definition", "definition", "definition"), ("flags", "flags", "warnings"),
)  # fmt: skip
"""Field, the column that it needs, and name of each row of a tooltip."""

PP = "pp"
"""Unit of a difference of rates: percentage points."""

TONES = {"better": BETTER, "worse": WORSE}


def standings_chart(
    rows: pd.DataFrame,
    trail: pd.DataFrame,
    axis: ValueAxis,
    reach: float,
    style: MarkStyle,
    *,
    unit: str,
) -> alt.LayerChart:
    """Draw one piece of the runs. A click anywhere on a row selects its run.

    Args:
        rows: `ROW_COLUMNS`.
        trail: `TRAIL_COLUMNS`.
        axis: The axis of the rates, the same for all pieces.
        reach: The largest change that must be in sight, to either side of 0, the same for all pieces; 0 for none.
        style: Colours.
        unit: Of the changes: `PP` for rates, which are fractions.
    """
    ink = INKS[style.scheme]
    style = replace(style, legend=False, style_legend=False)
    count = len(rows)
    rate_axis = replace(axis.lying(), span=RATE_SPAN)
    rows = rows[list(DRAWN_COLUMNS)]
    told = rows.to_dict("records")
    scaled = rows.assign(
        change_text=[_change_words(row, unit) for row in told],
        change_bounds=[_change_bounds(row, unit) for row in told],
        since=[_since(row, unit) for row in told],
    )
    rates = mark_layers(scaled, {"y": _y(count, "middle", marks=True)}, rate_axis, style, "")
    zero = _zero(rate_axis.low, rate_axis.high, count, ink.muted).encode(**rate_axis.encode("at"))
    return alt.LayerChart(
        layer=[
            _families(scaled, count, style),
            _names(scaled, count, style),
            _course(trail, axis, count, style),
            alt.layer(zero, *rates),
            *([_changes(scaled, reach, count, style, unit)] if reach else []),
            _numbers(scaled, count, style, number=axis.exact),
            _targets(scaled, count, axis.exact),
        ],
        # Given at once: each later call would copy all layers.
        resolve=alt.Resolve(scale=alt.ScaleResolveMap(x="independent", y="independent", color="independent")),
        height=ROW * count,
        autosize=FIT,
        usermeta=SVG,
    )


def _y(count: int, column: str, *, marks: bool = False) -> alt.Y:
    """Place by row; marks move down, under the names, where the plot is narrow."""
    shift = f"({NARROW} ? {ROW * 0.33} : 0)" if marks else "0"
    scale = alt.Scale(domain=[0, count], nice=False, zero=False, **expressed((shift, f"{ROW * count} + {shift}")))
    return alt.Y(f"{column}:Q", scale=scale, axis=None)


def _pixels(column: str) -> alt.X:
    """Place by pixels from the left."""
    scale = alt.Scale(domain=[0, 1000], range=[0, 1000], nice=False, zero=False)
    return alt.X(f"{column}:Q", scale=scale, axis=None)


def _families(rows: pd.DataFrame, count: int, style: MarkStyle) -> alt.Chart:
    """A line above each family."""
    lines = alt.Chart(rows[rows["first"]]).mark_rule(color=INKS[style.scheme].faint)
    drawn: alt.Chart = lines.encode(x=alt.value(0), x2=alt.value("width"), y=_y(count, "place"))
    return drawn


def _targets(rows: pd.DataFrame, count: int, number: str) -> alt.LayerChart:
    """Whole rows, invisible: they hold the tooltip, the description and the click."""
    told = rows.assign(bottom=rows["place"] + 1)
    known = pd.DataFrame({name: rows[needs].notna() & (rows[needs] != "") for name, needs, _ in TOOLTIP})
    layers = []
    for has, some in told.groupby([known[name] for name in known], sort=False):
        shown = [
            alt.Tooltip(f"{name}:N", title=title) for (name, _, title), yes in zip(TOOLTIP, has, strict=True) if yes
        ]
        layers.append(
            alt.Chart(some)
            .transform_calculate(
                value=f"format(datum.rate, '{number}')",
                bounds=_between("low", "high", number),
                counted="isValid(datum.k) ? datum.k + ' of ' + datum.n : datum.n",
                p=numerals.d3_p("datum.p_holm"),
                description=f"datum.label + ': ' + format(datum.rate, '{number}')",
            )
            .mark_rect(opacity=0, cursor="pointer")
            .encode(
                x=alt.value(0), x2=alt.value("width"), y=_y(count, "place"), y2="bottom:Q", tooltip=shown,
                description="description:N",
            )
        )  # fmt: skip
    layers[-1] = layers[-1].add_params(
        alt.selection_point(SELECTION, fields=["run"], toggle=False, clear=False, empty=False)
    )
    together: alt.LayerChart = alt.LayerChart(layer=layers)
    return together


def _names(rows: pd.DataFrame, count: int, style: MarkStyle) -> alt.LayerChart:
    """Dot in the run's colour, label, and what it is."""
    ink = INKS[style.scheme]
    placed = rows.assign(dot=6 + rows["indent"] * INDENT, text=16 + rows["indent"] * INDENT)
    width = alt.ExprRef(expr=f"width * ({NARROW} ? 0.56 : 0.23) - 20")
    # Two lines of text take the upper part of a narrow row.
    first, second = (
        alt.ExprRef(expr=f"{NARROW} ? {narrow} : {wide}")
        for narrow, wide in ((NARROW_FIRST, FIRST), (NARROW_SECOND, SECOND))
    )
    dots = alt.Chart(placed).mark_point(filled=True, opacity=1, size=70, shape="circle", yOffset=first)
    names = alt.Chart(placed).mark_text(
        align="left", baseline="middle", fontSize=13, fontWeight=600, limit=width, yOffset=first
    )
    about = alt.Chart(placed).mark_text(align="left", baseline="middle", fontSize=11, limit=width, yOffset=second)
    every: alt.LayerChart = alt.LayerChart(
        layer=[
            dots.encode(x=_pixels("dot"), y=_y(count, "place"), color=style.colour()),
            names.transform_calculate(named=SHORTENED).encode(
                x=_pixels("text"), y=_y(count, "place"), text="named:N", color=alt.value(ink.text)
            ),
            about.encode(x=_pixels("text"), y=_y(count, "place"), text="about:N", color=alt.value(ink.muted)),
        ]
    )
    return every


def _course(trail: pd.DataFrame, axis: ValueAxis, count: int, style: MarkStyle) -> alt.LayerChart:
    """A small curve in each row, all on one scale, with 0 as a line, intervals as a band; one checkpoint is a dot."""
    ink = INKS[style.scheme]
    low, high = axis.low, axis.high
    level = {name: f"1 - (datum.{name} - {low}) / {high - low}" for name in ("rate", "low", "high")}
    # The course takes the middle of a wide row, and the lower part of a narrow one.
    spot = f"datum.place + ({NARROW} ? 0.68 : 0.14) + ({NARROW} ? 0.28 : 0.72) * "
    base = alt.Chart(trail).transform_calculate(
        y=f"{spot}({level['rate']})",
        top=f"isValid(datum.high) ? {spot}({level['high']}) : null",
        bottom=f"isValid(datum.low) ? {spot}({level['low']}) : null",
        zero=f"{spot}(1 + {low / (high - low)})",
    )
    x = alt.X(
        "along:Q",
        scale=alt.Scale(domain=[0, 1], nice=False, zero=False, **expressed(COURSE_SPAN)),
        title="Trend",
        axis=alt.Axis(orient="top", values=[0, 1], labelExpr="datum.value ? 'last' : 'first'", grid=False),
    )
    y, detail = _y(count, "y"), alt.Detail("line:N")
    layers = [
        base.mark_area(opacity=0.22, interpolate="linear").encode(
            x=x, y=_y(count, "top"), y2="bottom:Q", detail=detail, color=style.colour()
        ),
        base.mark_line(strokeWidth=1.6).encode(x=x, y=y, detail=detail, color=style.colour()),
        base.mark_point(filled=True, opacity=1).encode(
            x=x, y=y, color=style.colour(), size=alt.condition("datum.last", alt.value(34), alt.value(12))
        ),
    ]
    if low <= 0 <= high:
        zero = base.transform_filter("datum.last").mark_rule(strokeWidth=0.7, color=ink.muted)
        start, end = (alt.value(alt.ExprRef(expr=end)) for end in COURSE_SPAN)
        layers.insert(0, zero.encode(x=start, x2=end, y=_y(count, "zero")))
    together: alt.LayerChart = alt.LayerChart(layer=layers)
    return together


def _changes(rows: pd.DataFrame, reach: float, count: int, style: MarkStyle, unit: str) -> alt.LayerChart:
    """Differences with intervals about 0: filled where shown after Holm's correction, else hollow."""
    ink = INKS[style.scheme]
    some = rows[rows["change"].notna()]
    label = "datum.value * 100" if unit == PP else "datum.value"

    def x(column: str) -> alt.X:
        scale = alt.Scale(domain=[-reach, reach], nice=False, **expressed(CHANGE_SPAN))
        axis = alt.Axis(orient="top", tickCount=4, labelExpr=f"format({label}, '{numerals.D3_SIGNED}')", grid=False)
        return alt.X(
            f"{column}:Q", title=f"Change{_from_whom(rows)}" + (f" ({unit})" if unit else ""), scale=scale, axis=axis
        )

    y = _y(count, "middle", marks=True)
    tone = alt.Color(
        "tone:N", legend=None, scale=alt.Scale(domain=[*TONES, "none"], range=[*TONES.values(), ink.muted])
    )
    layers = [_zero(-reach, reach, count, ink.muted).encode(x=x("at"))]
    # A group of marks without any has no name for screen readers: there is none.
    if some["change_low"].notna().any():
        bars = alt.Chart(some[some["change_low"].notna()]).encode(y=y, color=tone).mark_rule(strokeWidth=1.4)
        layers.append(bars.encode(x=x("change_low"), x2="change_high:Q"))
    looks: dict[bool, dict[str, Any]] = {True: {"filled": True}, False: {"fill": ink.paper, "strokeWidth": 1.6}}
    for shown, alike in some.groupby("changes_shown", sort=False):
        dot, look = alt.Chart(alike).encode(y=y, color=tone), looks[bool(shown)]
        layers.append(dot.mark_point(shape="diamond", size=70, opacity=1, **look).encode(x=x("change")))
    together: alt.LayerChart = alt.LayerChart(layer=layers)
    return together


def _numbers(rows: pd.DataFrame, count: int, style: MarkStyle, *, number: str) -> alt.LayerChart:
    """Rates and changes as text: beside their marks, or, in a narrow plot, at the right above them."""
    ink = INKS[style.scheme]

    def text(x: str, down: int, words: str, colour: str, narrow: bool, size: int = 12, **look: Any) -> alt.Chart:
        shown: alt.Chart = (
            alt.Chart(rows)
            .transform_calculate(words=f"({NARROW}) === {json.dumps(narrow)} ? {words} : ''")
            .mark_text(baseline="middle", yOffset=down, fontSize=size, align="right" if narrow else "left", **look)
            .encode(
                x=alt.value(alt.ExprRef(expr=x)), y=_y(count, "place"), text="words:N", color=alt.value(colour)
            )
        )  # fmt: skip
        return shown

    value = f"format(datum.rate, '{number}')"
    interval = f"(isValid(datum.low) ? '  ' + {_between('low', 'high', number)} : '')"
    counted = "(isValid(datum.k) ? datum.k + ' of ' + datum.n : isValid(datum.n) ? 'n = ' + datum.n : '')"
    counted += " + (datum.mark === 'partial' ? ' · incomplete mean' : '')"
    arrow = "(datum.arrow ? '  ' + datum.arrow : '')"
    beside, last = alt.ExprRef(expr="width * 0.145"), alt.ExprRef(expr="width * 0.2")
    every: alt.LayerChart = alt.LayerChart(
        layer=[
            text(RATE_TEXT, FIRST, f"{value} + {interval}", ink.text, False, limit=beside),
            text(RATE_TEXT, SECOND, counted, ink.muted, False, 11),
            text(CHANGE_TEXT, FIRST, "datum.change_text", ink.text, False, limit=last),
            text(CHANGE_TEXT, SECOND, "datum.since", ink.muted, False, 11, limit=last),
            text("width - 2", NARROW_FIRST, f"{value} + {arrow}", ink.text, True, fontWeight=600),
            text("width - 2", NARROW_SECOND, counted, ink.muted, True, 11),
        ]
    )
    return every


def _from_whom(rows: pd.DataFrame) -> str:
    """What changes are from, where it is the same in all rows."""
    return " vs parent" if rows[rows["change"].notna()]["from_parent"].all() else ""


def _zero(low: float, high: float, count: int, colour: str) -> alt.Chart:
    """A thin line over all rows at 0, where that is in sight."""
    at = pd.DataFrame({"at": [0.0] if low <= 0 <= high else []})
    rule = alt.Chart(at).mark_rule(strokeWidth=0.8, color=colour, opacity=0.7)
    line: alt.Chart = rule.encode(y=alt.value(0), y2=alt.value(ROW * count))
    return line


def _between(low: str, high: str, number: str) -> str:
    low, high = f"datum.{low}", f"datum.{high}"
    return f"(isValid({low}) ? '[' + format({low}, '{number}') + ', ' + format({high}, '{number}') + ']' : '')"


def _change_words(row: dict[Any, Any], unit: str) -> str:
    """The change as a text with its sign, and what it shows."""
    if pd.isna(row["change"]):
        return str(row["verdict"])
    return f"{row['arrow']} {_signed(row['change'], unit)} {unit}".strip() + f": {row['verdict']}"


def _change_bounds(row: dict[Any, Any], unit: str) -> str:
    """The interval of the change as a text; nothing where there is none."""
    if pd.isna(row["change_low"]):
        return ""
    return f"[{_signed(row['change_low'], unit)}, {_signed(row['change_high'], unit)}]"


def _since(row: dict[Any, Any], unit: str) -> str:
    """What the change is a change from, with its own number: of a group, the average over what both have."""
    if pd.isna(row["change"]):
        return ""
    number = numerals.value_of(row["baseline_rate"], "rate" if unit == PP else "mean")
    return f"vs {number} ({row['since']})"


def _signed(value: float, unit: str) -> str:
    return numerals.points(value) if unit == PP else numerals.signed(value)
