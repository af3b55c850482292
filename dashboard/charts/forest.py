"""Forest plots: the difference of each checkpoint to a baseline, a row each, eval by eval."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import altair as alt
import pandas as pd

from dashboard import numerals
from dashboard.charts.marks import FIT, SVG, chart_heading, click
from dashboard.charts.palette import INKS, SHAPES, Scheme
from dashboard.charts.panels import DIRECTIONS
from dashboard.charts.points import NOT_GIVEN
from dashboard.queries.rows import is_missing
from dashboard.texts.verdicts import verdict_words

Row = Mapping[Any, Any]

ROW_HEIGHT = 24
HEADING = "# "
"""Begins the place of a row that holds no mark but the name of what follows."""

LABELS = "truncate({names}[datum.value], containerSize()[0] < 560 ? 24 : 46, 'right', '…')"

ENDS = {"lower": ("← better", "worse →"), "higher": ("← worse", "better →")}
NO_ENDS = ("← lower", "higher →")

PAIRS = {True: "filled: paired by question", False: "hollow: not paired"}

FOREST_COLUMNS = (
    "point", "row", "panel", "heading", "place", "series", "checkpoint", "baseline", "eval", "metric", "difference",
    "low", "high", "p", "p_corrected", "verdict", "told", "baseline_told", "paired", "group", "method", "kind", "unit",
    "better", "definition", "flags",
)  # fmt: skip
"""Columns of `forest_rows`. `point` names a row of differences in addresses and for the click on its mark, `row` is its
index there; `place` is where it stands along the picture's side, under its `heading`; `panel` holds those of one unit
and direction; `series` is the run."""


@dataclass(frozen=True, kw_only=True)
class ForestStyle:
    """What is the same in every panel of a page."""

    scheme: Scheme
    colours: Mapping[str, str]
    """Run to colour."""
    labels: Mapping[str, str]
    """Checkpoint to the name shown."""
    baseline: str
    """The baseline as it is shown."""


def pair_id(row: Row) -> str:
    """Name one row of differences, for addresses and the click on its mark. Only to be looked up, never parsed."""
    parts = [row["eval"], row["metric"], *(row[name] for name in ("variant", "split", "split2")), row["checkpoint"]]
    return " | ".join(str(part) for part in parts if not is_missing(part))


def forest_rows(differences: pd.DataFrame, runs: Mapping[str, str], titles: Mapping[str, str]) -> pd.DataFrame:
    """Place every difference that there is: `FOREST_COLUMNS`.

    Better-is-up and better-is-down, and numbers of other units, never share a panel; means without a unit have one for
    each metric.

    Args:
        differences: `DIFFERENCE_COLUMNS`.
        runs: Checkpoint to its run.
        titles: Eval or group to its title.
    """
    frame = differences.assign(row=differences.index)
    for name in ("split", "split2"):
        if frame[name].notna().any():
            frame[name] = frame[name].fillna(NOT_GIVEN)
    frame["point"] = [pair_id(row) for row in frame.to_dict("records")]
    frame = frame[frame["difference"].notna()]
    several = frame.groupby("eval")["metric"].nunique()
    rows = frame.to_dict("records")
    frame["panel"] = pd.Series([_panel(row) for row in rows], index=frame.index, dtype="object")
    frame["heading"] = pd.Series(
        [_heading(row, titles, several[row["eval"]] > 1) for row in rows], index=frame.index, dtype="object"
    )
    frame["place"] = frame["point"]
    frame["series"] = frame["checkpoint"].map(runs)
    frame["verdict"] = pd.Series([verdict_words(row, row["kind"]) for row in rows], index=frame.index, dtype="object")
    for name, prefix in (("told", ""), ("baseline_told", "baseline_")):
        frame[name] = pd.Series([_told(row, prefix) for row in rows], index=frame.index, dtype="object")
    frame["flags"] = ["; ".join(flags) for flags in frame["flags"]]
    return frame[list(FOREST_COLUMNS)].reset_index(drop=True)


def forest_chart(rows: pd.DataFrame, style: ForestStyle, *, title: str, selected: str = "") -> alt.LayerChart:
    """Draw one panel.

    Args:
        rows: From `forest_rows`, of one panel, at least one.
        style: Colours and names.
        title: Of the panel.
        selected: A `point` to be ringed.
    """
    ink = INKS[style.scheme]
    order, names = _side(rows, style)
    y = alt.Y(
        "place:N",
        sort=order,
        scale=alt.Scale(domain=order),
        title=None,
        axis=alt.Axis(
            labelExpr=LABELS.format(names=json.dumps(names)),
            labelFontWeight=alt.condition(
                f"indexof(datum.value, '{HEADING}') === 0", alt.value("bold"), alt.value("normal")
            ),
            labelLimit=320,
            labelOverlap=False,
            ticks=False,
            domain=False,
            labelPadding=8,
        ),
    )
    x = _axis(rows, style)
    zero = pd.DataFrame({"difference": [0.0]})
    layers: list[alt.Chart] = [
        alt.Chart(zero).mark_rule(strokeWidth=1.2, color=ink.muted).encode(x=x),
        *_ends(rows, ink.muted),
        *_marks(rows, x, y, style, selected),
    ]
    target = alt.Chart(rows).transform_calculate(**_words(rows))
    tooltip = [alt.Tooltip(f"{field}:N", title=name) for field, name in TOOLTIP if field in ALWAYS or rows[field].any()]
    layers.append(
        target.mark_point(filled=True, shape="circle", size=320, opacity=0)
        .encode(x=x, y=y, tooltip=tooltip, description=alt.Description("description:N"))
        .add_params(click())
    )
    chart: alt.LayerChart = alt.LayerChart(
        layer=layers,
        height=ROW_HEIGHT * len(order),
        autosize=FIT,
        title=chart_heading(title, _subtitle(rows), ink, offset=24),
        usermeta=SVG,
    )
    return chart


TOOLTIP = (
    ("checkpoint", "checkpoint"),
    ("baseline", "baseline"),
    ("eval", "eval"),
    ("value", "difference"),
    ("bounds", "95% interval"),
    ("p_value", "p"),
    ("verdict", "verdict"),
    ("told", "here"),
    ("baseline_told", "baseline's"),
    ("method", "method"),
    ("definition", "definition"),
    ("flags", "warnings"),
)
ALWAYS = {"checkpoint", "baseline", "eval", "value", "bounds", "p_value", "told", "baseline_told"}


def is_percent(rows: pd.DataFrame) -> bool:
    """Whether differences are shown in percentage points."""
    return bool((rows["kind"] == "rate").all())


def panel_titles(rows: pd.DataFrame, metrics: Mapping[str, str]) -> dict[str, str]:
    """Name every panel by what it measures.

    Args:
        rows: From `forest_rows`.
        metrics: Title of each metric.
    """
    titles = {}
    for panel, some in rows.groupby("panel", sort=False):
        unit = some["unit"].iloc[0]
        used = dict.fromkeys(metrics.get(name, name) for name in some["metric"])
        what = ", ".join(used) if len(used) < 4 else f"{len(used)} metrics"
        titles[str(panel)] = textwrap.shorten(what, 90, placeholder=" …") + (
            f" ({unit})" if not is_missing(unit) else ""
        )
    return titles


def _panel(row: Row) -> str:
    measure = "rate" if row["kind"] == "rate" else row["metric"] if is_missing(row["unit"]) else row["unit"]
    return f"{row['kind']} · {measure} · {'' if is_missing(row['better']) else row['better']}"


def _heading(row: Row, titles: Mapping[str, str], with_metric: bool) -> str:
    parts = [titles.get(row["eval"], row["eval"])]
    parts += [row["metric"]] if with_metric else []
    parts += [row[name] for name in ("variant", "split", "split2") if not is_missing(row[name])]
    text = " · ".join(dict.fromkeys(str(part) for part in parts))
    return f"{text} · mean of {row['members']}" if row["group"] else text


def _told(row: Row, prefix: str) -> str:
    """A rate with its interval and counts, for the tooltip."""
    rate, low, high, k, n = (row[f"{prefix}{name}"] for name in ("rate", "rate_low", "rate_high", "k", "n"))
    between = "" if is_missing(low) else f" {numerals.between(low, high, row['kind'])}"
    counted = "" if is_missing(n) else f", n = {n}" if is_missing(k) else f", {k} of {n}"
    return numerals.value_of(rate, row["kind"]) + between + counted


def _side(rows: pd.DataFrame, style: ForestStyle) -> tuple[list[str], dict[str, str]]:
    """Places from top to bottom, headings among them, and what stands at each."""
    names: dict[str, str] = {}
    for heading, some in rows.groupby("heading", sort=False):
        names[f"{HEADING}{heading}"] = str(heading)
        for place, checkpoint in zip(some["place"], some["checkpoint"], strict=True):
            names[place] = style.labels.get(checkpoint, checkpoint)
    return list(names), names


def _axis(rows: pd.DataFrame, style: ForestStyle) -> alt.X:
    values = pd.concat([rows["difference"], rows["low"], rows["high"], pd.Series([0.0])]).dropna()
    low, high = float(values.min()), float(values.max())
    pad = (high - low) * 0.05 or 0.05
    percent = is_percent(rows)
    # A sign on every number: this axis is of differences.
    number = f"format(datum.value{' * 100' if percent else ''}, '{numerals.D3_SIGNED}')"
    unit = "pp" if percent else "score"
    return alt.X(
        "difference:Q",
        title=f"Difference from {textwrap.shorten(style.baseline, 60, placeholder=' …')} ({unit})",
        scale=alt.Scale(domain=[low - pad, high + pad], nice=False, zero=False),
        axis=alt.Axis(
            labelExpr=f"datum.value === 0 ? '0' : {number}",
            tickCount=alt.ExprRef("containerSize()[0] < 560 ? 4 : 8"),
            grid=True,
            gridColor=INKS[style.scheme].faint,
        ),
    )


def _ends(rows: pd.DataFrame, colour: str) -> list[alt.Chart]:
    """Which way is better, at either end over the plot."""
    left, right = ENDS.get(str(rows["better"].iloc[0]), NO_ENDS)
    ends: tuple[tuple[Literal["left", "right"], Any, str], ...] = (("left", 0, left), ("right", "width", right))
    nothing = pd.DataFrame({"at": [0]})
    return [
        alt.Chart(nothing)
        .mark_text(align=align, baseline="bottom", fontSize=12, fontStyle="italic", color=colour)
        .encode(x=alt.XValue(place), y=alt.YValue(-5), text=alt.TextValue(text))
        for align, place, text in ends
    ]


def _marks(rows: pd.DataFrame, x: alt.X, y: alt.Y, style: ForestStyle, selected: str) -> list[alt.Chart]:
    """Intervals, rings for flags and selection, and points: filled where paired, and larger for a group's average."""
    ink = INKS[style.scheme]
    runs = list(dict.fromkeys(rows["series"]))
    colour = alt.Color(
        "series:N", scale=alt.Scale(domain=runs, range=[style.colours[run] for run in runs]), legend=None
    )
    shapes = [SHAPES[index % len(SHAPES)] for index in range(len(runs))]
    shape = alt.Shape("series:N", scale=alt.Scale(domain=runs, range=shapes), legend=None)
    layers = []
    for group, width in ((False, 1.3), (True, 2.6)):
        some = rows[(rows["group"] == group) & rows["low"].notna()]
        if len(some):
            bar = alt.Chart(some).encode(color=colour, y=y)
            ends = {"x": _same_scale(x, "low"), "x2": alt.X2("high:Q")}
            layers.append(bar.mark_rule(strokeWidth=width).encode(**ends))
            layers += [
                bar.mark_tick(thickness=width, size=8, orient="vertical").encode(x=_same_scale(x, end))
                for end in ("low", "high")
            ]
    for ring, tint, size in (
        (rows[rows["flags"] != ""], ink.alert, 200),
        (rows[rows["point"] == selected], ink.text, 430),
    ):
        if len(ring):
            circle = alt.Chart(ring).mark_point(shape="circle", size=size, strokeWidth=1.1, color=tint, filled=False)
            layers.append(circle.encode(x=x, y=y))
    for paired in (True, False):
        for group, size in ((False, 66), (True, 120)):
            some = rows[(rows["paired"] == paired) & (rows["group"] == group)]
            look: dict[str, Any] = {"filled": True} if paired else {"fill": ink.paper, "strokeWidth": 1.7}
            if len(some):
                dot = alt.Chart(some).mark_point(size=size, opacity=1, **look)
                layers.append(dot.encode(x=x, y=y, color=colour, shape=shape))
    return layers


def _same_scale(x: alt.X, column: str) -> alt.X:
    """Another column on the same axis."""
    other = x.copy()
    other.shorthand = f"{column}:Q"
    return other


def _words(rows: pd.DataFrame) -> dict[str, str]:
    """Expressions for what the tooltip and the mark's description say."""
    percent = is_percent(rows)
    number = f"format({{0}} * 100, '{numerals.D3_POINTS}')" if percent else f"format({{0}}, '{numerals.D3_SIGNED}')"
    unit = " + ' pp'" if percent else ""
    value, low, high = (number.format(f"datum.{name}") for name in ("difference", "low", "high"))
    return {
        "value": value + unit,
        "bounds": f"isValid(datum.low) ? {low} + ' to ' + {high}{unit} : 'not known'",
        "p_value": f"isValid(datum.p) ? {numerals.d3_p('datum.p')} + ' (corrected ' +"
        f" {numerals.d3_p('datum.p_corrected')} + ')' : 'not known'",
        "description": f"datum.checkpoint + ', ' + datum.heading + ': ' + {value}{unit}",
    }


def _subtitle(rows: pd.DataFrame) -> list[str]:
    direction = DIRECTIONS.get(str(rows["better"].iloc[0]), "direction not defined")
    methods = dict.fromkeys(rows["method"])
    marks = [PAIRS[paired] for paired in (True, False) if (rows["paired"] == paired).any()]
    marks += ["large: mean of a group"] if rows["group"].any() and not rows["group"].all() else []
    marks += ["red ring: warning"] if (rows["flags"] != "").any() else []
    return [" · ".join([direction[0].upper() + direction[1:], f"95% CI: {'; '.join(methods)}", *marks])]
