"""A lead over a baseline, step by step: above the line is better, whichever way the eval itself counts."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Literal

import altair as alt
import pandas as pd

from dashboard import numerals
from dashboard.charts.axes import ValueAxis, places_along, x_encoding
from dashboard.charts.intervals import bands, beside, dodged, few_points, reach
from dashboard.charts.marks import FIT, SVG, MarkStyle, chart_heading, click, mark_layers
from dashboard.charts.palette import INKS, Ink
from dashboard.charts.points import NOT_GIVEN, joined
from dashboard.charts.shared_legend import obeying

POINTS = 100.0
"""Points in a whole: leads of rates are told in percentage points."""

LEAD_DRAWING = ("series", "line", "style", "panel", "x", "point", "row", "mark", "flags")
"""Columns of `lead_data` that serve drawing only."""


def lead_data(leads: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """Turn differences into leads: positive where the run is better than the baseline.

    Args:
        leads: `dashboard.queries.trends.STEP_COLUMNS` against one baseline.
        points: Of `dashboard.charts.lineages.through_training`: what a click on a step opens.

    Returns:
        The rows with a difference, `rate`, `low` and `high` the lead and its interval: in percentage points for rates,
        else in the score's unit; `value` and `other` the two numbers themselves. Where nobody said which direction is
        better, the difference as it is. Further columns: series, line, style, panel, x, point, row, mark, flags.
    """
    frame = leads[leads["difference"].notna()].reset_index(drop=True)
    frame = frame.rename(columns={"rate": "value", "against_rate": "other"})
    scale = frame["kind"].map(lambda kind: POINTS if kind == "rate" else 1.0).astype("float64")
    worse = frame["better"] == "lower"
    low, high = frame["low"] * scale, frame["high"] * scale
    frame["rate"] = (frame["difference"] * scale).where(~worse, -frame["difference"] * scale) + 0.0
    frame["low"], frame["high"] = low.where(~worse, -high), high.where(~worse, -low)
    frame["series"], frame["x"] = frame["run"], frame["step"].astype("float64")
    frame["panel"] = joined(frame, ["eval", "metric"])
    for name in ("split", "split2"):
        if frame[name].notna().any():
            frame[name] = frame[name].fillna(NOT_GIVEN)
    apart = [name for name in ("variant", "split", "split2") if frame[name].nunique(dropna=False) > 1]
    frame["style"] = joined(frame, apart) if apart else ""
    # As curves name their lines, so that a step finds its point.
    frame["line"] = joined(frame, ["run", "eval", "metric", "variant", "split", "split2"])
    drawn = points[points["repeat"] == 0].to_dict("records")
    found = {(row["line"], row["x"]): (row["point"], row["row"]) for row in drawn}
    of = [found.get(key, ("", None)) for key in zip(frame["line"], frame["x"], strict=True)]
    frame["point"], frame["row"] = [point for point, _ in of], [row for _, row in of]
    return frame.drop(columns="definition").assign(mark="point", flags="")


def lead_axis(frame: pd.DataFrame, unit: str) -> ValueAxis:
    """The vertical axis of a panel: always with 0, and room for the words at both ends.

    Args:
        frame: Rows of `lead_data`.
        unit: What the numbers are in.
    """
    values = pd.concat([frame["rate"], frame["low"], frame["high"]]).dropna()
    low, high = min(0.0, *values), max(0.0, *values)
    room = (high - low or 1.0) * 0.14
    return ValueAxis(low=low - room, high=high + room, number=numerals.D3_SIGNED, title=unit)


def lead_chart(
    frame: pd.DataFrame,
    steps: Sequence[float],
    y: ValueAxis,
    style: MarkStyle,
    *,
    baseline: str,
    directed: bool,
    title: str,
    subtitle: Sequence[str],
    selected: str,
) -> alt.LayerChart:
    """Draw the leads of one panel, with the baseline as the line at 0 and the two sides named.

    Args:
        frame: Rows of `lead_data` of one panel; at least one.
        steps: Every step of all panels, so that they share the axis.
        y: From `lead_axis`.
        style: What all panels share; the baseline is none of its series.
        baseline: What is shown as its name.
        directed: Whether up means better; else up only means more.
        title: The panel's heading.
        subtitle: Lines under it.
        selected: A `point` to be ringed.
    """
    ink = INKS[style.scheme]
    few, names = few_points(frame), list(dict.fromkeys(frame["line"]))
    x = x_encoding(steps, axis="step", log=False, room=8 + reach(len(names)) * few)
    frame = frame.assign(beside=frame["line"].map(beside(names)) * few)
    place = alt.XValue(alt.expr(dodged(places_along(frame["x"], steps, log=False).tolist(), len(names))))
    line = alt.Chart(frame).mark_line(strokeWidth=2).encode(
        x=place, order=alt.Order("x:Q"), color=style.colour(), detail=alt.Detail("line:N"), **y.encode("rate"),
        **style.dash(),
    )  # fmt: skip
    series = [
        *(bands(frame, x, y, style) if not few else []),
        line,
        *mark_layers(frame, {"x": place}, y, style, selected, barred=pd.Series(few, index=frame.index)),
        _targets(frame, x, y, directed).add_params(click()),
    ]
    return framed([*_sides(y, ink, baseline, directed), *obeying(series, style)], style, title, subtitle)


def framed(layers: Sequence[alt.Chart], style: MarkStyle, title: str, subtitle: Sequence[str]) -> alt.LayerChart:
    """Lay the layers of a panel over each other, under its heading.

    Args:
        layers: From the bottom up.
        style: What all panels share.
        title: The panel's heading.
        subtitle: Lines under it.
    """
    heading = chart_heading(title, subtitle, INKS[style.scheme])
    return alt.LayerChart(layer=list(layers), height=style.plot_height, autosize=FIT, title=heading, usermeta=SVG)


def _sides(y: ValueAxis, ink: Ink, baseline: str, directed: bool) -> list[alt.Chart]:
    """The grid, the baseline at 0, and what is above and below it."""
    grid = alt.Chart(pd.DataFrame({"rate": y.ticks})).mark_rule(color=ink.faint).encode(**y.encode("rate"))
    zero = (
        alt.Chart(pd.DataFrame({"rate": [0.0]})).mark_rule(color=ink.text, strokeWidth=1.4).encode(**y.encode("rate"))
    )
    name = textwrap.shorten(baseline, 34, placeholder=" …")
    up, down = ("better", "worse") if directed else ("more", "less")
    words = pd.DataFrame(
        {"rate": [y.high, y.low], "word": [f"▲ {up} than {name}", f"▼ {down} than {name}"], "end": ["top", "bottom"]}
    )
    ends: tuple[tuple[Literal["top", "bottom"], int], ...] = (("top", 3), ("bottom", -3))
    texts = [
        alt.Chart(words[words["end"] == end])
        .mark_text(align="right", baseline=end, dx=-4, dy=offset, color=ink.muted)
        .encode(x=alt.XValue(alt.expr("width")), text=alt.Text("word:N"), **y.encode("rate"))
        for end, offset in ends
    ]
    return [grid, zero, *texts]


def _targets(frame: pd.DataFrame, x: alt.X, y: ValueAxis, directed: bool) -> alt.Chart:
    """Invisible, generous targets over the points: tooltip, description and click."""
    fraction = bool((frame["kind"] == "rate").all())
    form, unit = (numerals.D3_PERCENT, " pp") if fraction else (numerals.D3_FIGURES, "")
    signed = numerals.D3_POINTS if fraction else numerals.D3_SIGNED
    rows = [
        ("checkpoint", "checkpoint"), ("against", "baseline"), ("eval", "eval"),
        ("told", "lead" if directed else "more by"), ("bounds", "95% interval"), ("both", "numbers"),
        ("on", "questions"), ("shown", "p (Holm)"),
    ]  # fmt: skip
    chart: alt.Chart = (
        alt.Chart(frame)
        .transform_calculate(
            told=f"format(datum.rate, '{signed}') + '{unit}'",
            bounds=f"isValid(datum.low) ? format(datum.low, '{signed}') + ' to ' + format(datum.high, '{signed}')"
            " : 'none'",
            both=f"format(datum.value, '{form}') + ' vs ' + format(datum.other, '{form}')",
            on="(isValid(datum.questions) ? datum.questions + ' in common, ' : '')"
            " + (datum.paired ? 'paired' : 'not paired')",
            shown=f"isValid(datum.p_corrected) ? {numerals.d3_p('datum.p_corrected')} : 'none'",
            description="datum.checkpoint + ' over ' + datum.against + ', ' + datum.eval + ': ' + datum.told",
        )
        .mark_point(filled=True, shape="circle", size=280, opacity=0)
        .encode(
            x=x,
            tooltip=[alt.Tooltip(f"{field}:N", title=name) for field, name in rows],
            description=alt.Description("description:N"),
            **y.encode("rate"),
        )
    )
    return chart
