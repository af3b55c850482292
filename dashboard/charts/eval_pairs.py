"""Two evals against each other: a point for each checkpoint, both intervals, tokens as colour."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import altair as alt
import pandas as pd

from dashboard import numerals
from dashboard.charts.axes import ValueAxis, value_grid
from dashboard.charts.label_places import place_labels
from dashboard.charts.marks import FIT, SVG, chart_heading, click
from dashboard.charts.palette import INKS, Ink, Scheme
from dashboard.charts.points import joined, marked_points
from dashboard.queries.rows import checkpoint_name, is_missing

Row = Mapping[Any, Any]

VIRIDIS = ("#482878", "#3E4A89", "#31688E", "#26828E", "#1F9E89", "#35B779", "#6DCD59", "#B4DE2C", "#FDE725")
"""Matplotlib's viridis, made for colour-blind eyes and for print. Every point has a rim in the text's colour, which
keeps its dark end visible on a dark page and its light end on a light one."""

LABEL_LIMIT = 30

PAIR_COLUMNS = (
    "point", "row", "checkpoint", "run", "label", "panel", "tokens", "trained", "x", "x_low", "x_high", "y", "y_low",
    "y_high", "flags", "counts",
)  # fmt: skip
"""Columns of the pairs. `trained` is untrained (0 tokens), known or unknown; `point` and `row` are those of y."""


def eval_pairs(rates: pd.DataFrame, x_eval: str, y_eval: str) -> tuple[pd.DataFrame, list[str]]:
    """Checkpoints that were measured on both evals, each with both values.

    Split values must be equal; the variant too, where both evals have one. Repeats are left out.

    Args:
        rates: Rows of `RATE_COLUMNS`, one metric for each eval.
        x_eval: Eval or group of the horizontal axis.
        y_eval: Of the vertical one.

    Returns:
        `PAIR_COLUMNS`, and what is not drawn, for people.
    """
    frame = marked_points(rates)
    frame = frame[frame["repeat"] == 0]
    of = {name: frame[(frame["eval"] == name)].to_dict("records") for name in (x_eval, y_eval)}
    rows, alone = [], []
    seen: set[str] = set()
    for there in of[y_eval]:
        for here in of[x_eval]:
            if _place(here) != _place(there) or not _same_variant(here, there):
                continue
            seen |= {here["point"], there["point"]}
            if is_missing(here["rate"]) or is_missing(there["rate"]):
                alone.append(f"{there['checkpoint']}: no value of {x_eval if is_missing(here['rate']) else y_eval}")
                continue
            variants = [row["variant"] for row in (here, there) if not is_missing(row["variant"])]
            tokens = there["tokens"]
            rows.append(
                {name: there[name] for name in ("point", "row", "checkpoint", "run", "tokens")}
                | {f"x{end}": here[column] for end, column in ENDS}
                | {f"y{end}": there[column] for end, column in ENDS}
                | {
                    "label": " · ".join(dict.fromkeys([there["run_label"] or there["run"], *variants])),
                    "panel": next(iter(joined(pd.DataFrame([there]), ["split", "split2"]))),
                    "trained": "unknown" if is_missing(tokens) else "untrained" if tokens == 0 else "known",
                    "flags": "; ".join(filter(None, (here["flags"], there["flags"]))),
                    "counts": f"n = {_count(here)} and {_count(there)}",
                }
            )
    for name, other in ((x_eval, y_eval), (y_eval, x_eval)):
        alone += [
            f"{checkpoint_name(row)}: {name} was measured, {other} was not"
            for row in of[name]
            if row["point"] not in seen
        ]
    pairs = pd.DataFrame(rows, columns=list(PAIR_COLUMNS))
    several = pairs["label"].duplicated(keep=False)
    pairs["label"] = pairs["label"].where(~several, pairs["checkpoint"])
    return pairs, list(dict.fromkeys(alone))


ENDS = (("", "rate"), ("_low", "low"), ("_high", "high"))


def eval_pairs_chart(
    pairs: pd.DataFrame,
    x: ValueAxis,
    y: ValueAxis,
    scheme: Scheme,
    *,
    labels: Mapping[str, str],
    title: str,
    subtitle: Sequence[str],
    height: int = 380,
    selected: str = "",
) -> alt.LayerChart:
    """Draw one panel.

    Args:
        pairs: From `eval_pairs`, of one panel.
        x: Horizontal axis, lying; its title names the eval and its better direction.
        y: Vertical axis.
        scheme: light or dark.
        labels: Name of an eval in tooltips, for "x" and "y".
        title: The panel's heading.
        subtitle: Lines under it.
        height: Of the plot, in pixels.
        selected: A `point` to be ringed.
    """
    ink = INKS[scheme]
    places = {**x.encode("x"), **y.encode("y")}
    base = alt.Chart(pairs)
    layers: list[alt.Chart] = [
        value_grid(x, ink),
        value_grid(y, ink),
        base.mark_rule(color=ink.muted, strokeWidth=1).encode(
            **x.encode("x_low"), x2=alt.X2("x_high:Q"), **y.encode("y")
        ),
        base.mark_rule(color=ink.muted, strokeWidth=1).encode(
            **y.encode("y_low"), y2=alt.Y2("y_high:Q"), **x.encode("x")
        ),
    ]
    for ring, colour, size in (
        (pairs[pairs["flags"] != ""], ink.alert, 230),
        (pairs[pairs["point"] == selected], ink.text, 460),
    ):
        if len(ring):
            circle = alt.Chart(ring).mark_point(shape="circle", size=size, strokeWidth=1.1, color=colour, filled=False)
            layers.append(circle.encode(**places))
    known = pairs[pairs["trained"] == "known"]
    if len(known):
        span = [float(known["tokens"].min()), float(known["tokens"].max())]
        scaling: Literal["log", "linear"] = "log" if span[0] < span[1] else "linear"
        colour_of = alt.Color(
            "tokens:Q",
            scale=alt.Scale(range=list(VIRIDIS), type=scaling, domain=span),
            legend=alt.Legend(
                title="Training tokens", orient="top", gradientLength=180,
                values=span,
                labelExpr=numerals.d3_tokens("datum.value"), direction="horizontal",
            ),
        )  # fmt: skip
        dots = alt.Chart(known).mark_point(
            shape="circle", size=90, filled=True, opacity=1, stroke=ink.text, strokeWidth=1
        )
        layers.append(dots.encode(color=colour_of, **places))
    for trained, shape in (("untrained", "square"), ("unknown", "cross")):
        some = pairs[pairs["trained"] == trained]
        if len(some):
            hollow = alt.Chart(some).mark_point(shape=shape, size=90, fill=ink.paper, stroke=ink.text, strokeWidth=1.6)
            layers.append(hollow.encode(**places))
    if len(pairs) <= LABEL_LIMIT:
        layers += [text.encode(text=alt.Text("label:N"), **places) for text in _labels(pairs, x, y, height, ink)]
    layers.append(_targets(pairs, x, y, labels).encode(**places).add_params(click()))
    chart: alt.LayerChart = alt.LayerChart(
        layer=layers,
        height=height,
        autosize=FIT,
        title=chart_heading(title, subtitle, ink),
        usermeta=SVG,
    )
    return chart


def _labels(pairs: pd.DataFrame, x: ValueAxis, y: ValueAxis, height: int, ink: Ink) -> list[alt.Chart]:
    """Names beside the points; paper around the letters keeps them readable over the intervals."""
    across = (pairs["x"] - x.low) / (x.high - x.low)
    down = (y.high - pairs["y"]) / (y.high - y.low) * height
    found = place_labels(list(zip(across, down, strict=True)), pairs["label"].tolist(), height)
    layers = []
    for place in dict.fromkeys(found):
        some = alt.Chart(pairs[[each == place for each in found]])
        said: dict[str, Any] = {"align": place.align, "dx": place.dx, "dy": place.dy, "fontSize": 10.5}
        layers += [
            some.mark_text(**said, color=ink.paper, stroke=ink.paper, strokeWidth=3),
            some.mark_text(**said, color=ink.text),
        ]
    return layers


def _targets(pairs: pd.DataFrame, x: ValueAxis, y: ValueAxis, labels: Mapping[str, str]) -> alt.Chart:
    """Invisible, generous targets with tooltip, description and click."""

    def told(name: str, axis: ValueAxis) -> str:
        number = json.dumps(axis.exact)
        ends = f"isValid(datum.{name}_low) ? ' [' + format(datum.{name}_low, {number}) + ', ' + "
        return f"format(datum.{name}, {number}) + ({ends}format(datum.{name}_high, {number}) + ']' : '')"

    rows = [("checkpoint", "checkpoint"), ("told_x", labels["x"]), ("told_y", labels["y"]), ("counts", "samples")]
    rows += [("told_tokens", "Training tokens")] + [("flags", "warnings")] * bool((pairs["flags"] != "").any())
    targets: alt.Chart = (
        alt.Chart(pairs)
        .transform_calculate(
            told_x=told("x", x),
            told_y=told("y", y),
            told_tokens=f"isValid(datum.tokens) ? {numerals.d3_tokens('datum.tokens')} : 'unknown'",
            description="datum.checkpoint + ': ' + datum.told_x + ', ' + datum.told_y",
        )
        .mark_point(filled=True, shape="circle", size=300, opacity=0)
        .encode(
            tooltip=[alt.Tooltip(f"{name}:N", title=title) for name, title in rows],
            description=alt.Description("description:N"),
        )
    )
    return targets


def _place(row: Row) -> tuple[object, ...]:
    return (row["checkpoint"], *("" if is_missing(row[name]) else row[name] for name in ("split", "split2")))


def _same_variant(here: Row, there: Row) -> bool:
    variants = [row["variant"] for row in (here, there) if not is_missing(row["variant"])]
    return len(set(variants)) <= 1


def _count(row: Row) -> str:
    return "not reported" if is_missing(row["n"]) else numerals.count(row["n"])
