"""One prompt over training: a rate for every checkpoint that was asked, drawn as the curves of evals are, and apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import altair as alt
import pandas as pd

from dashboard.charts.axes import ValueAxis, value_axis
from dashboard.charts.curve_data import CurveData, curve_data, tell_twins_apart
from dashboard.charts.curves import SIGN_HEIGHT, SIGN_LOWERED, CurveStyle, curve_chart
from dashboard.charts.dots import dots_chart
from dashboard.charts.palette import INKS, Scheme
from dashboard.charts.points import point_id
from dashboard.queries.frame import RATE_COLUMNS, frame_of

PROMPT = "this prompt"
"""Stands where the curve of an eval names the eval."""
AXIS_TITLE = "Misalignment rate (this prompt)"
MOST_ROOM = 0.2
"""Of the height, for signs over 100%."""
MISSING = "?: nothing judged yet"


def as_rates(sweep: pd.DataFrame, *, by: str) -> pd.DataFrame:
    """A sweep in the columns of rates, so that it is drawn by the same marks.

    Args:
        sweep: Rows of `dashboard.queries.sweep_rates.SWEEP_COLUMNS`.
        by: Who judged, in words.
    """
    framed = sweep["framing"].nunique() > 1
    twice = sweep.duplicated(["run", "step", "step_label", "framing"], keep=False)
    rows: list[dict[str, Any]] = [
        {
            **{c: row[c] for c in ("run", "run_label", "step", "step_label", "k", "n", "rate", "low", "high", "model")},
            "eval": PROMPT, "metric": "misaligned", "kind": "rate", "better": "lower", "group": False,
            "definition": f"misaligned according to {by}", "judge": by, "interval": row["interval"],
            "n_missing": row["n_missing"], "split": row["framing"] if framed else None,
            "variant": row["endpoint"] if again else None,
            "repeat": 0, "complete": True, "placed": True, "disagrees": False, "flags": [],
        }
        for row, again in zip(sweep.to_dict("records"), twice, strict=True)
    ]  # fmt: skip
    return frame_of(rows, RATE_COLUMNS)


def sweep_data(rates: pd.DataFrame) -> CurveData:
    """Points, lines and gaps of a sweep.

    Args:
        rates: From `as_rates`.
    """
    return curve_data(rates, with_missing=True)


def point_names(rates: pd.DataFrame) -> list[str]:
    """The name of each row's mark, for addresses and clicks.

    Args:
        rates: From `as_rates`.
    """
    return [point_id(row) for row in rates.to_dict("records")]


def sweep_axis(data: CurveData, beside: pd.DataFrame, *, live: bool) -> ValueAxis:
    """The axis of a sweep's rates: all of it while they still come, so that it stands still; then fitted.

    Over the highest rate there is room for the signs of checkpoints without one.

    Args:
        data: From `sweep_data`.
        beside: What is drawn beside it at the same height; columns rate, low, high.
        live: Whether more may come.
    """
    ends = ["rate", "low", "high"]
    frame = pd.concat([data.points[ends], beside[ends]], ignore_index=True)
    if live or frame["rate"].isna().all():
        frame = pd.DataFrame({end: [1.0] for end in ends})
    axis = value_axis(frame, fraction=True, title=AXIS_TITLE)
    stacked = int(data.missing.groupby("x")["point"].size().max()) if data.missing["x"].notna().any() else 0
    room = min(MOST_ROOM, SIGN_LOWERED + SIGN_HEIGHT * stacked) if stacked else 0.0
    return replace(axis, high=axis.high + room * (axis.high - axis.low))


def sweep_chart(
    data: CurveData,
    axis: ValueAxis,
    *,
    scheme: Scheme,
    colours: Mapping[str, str],
    labels: Mapping[str, str],
    title: str,
    subtitle: Sequence[str],
    x_span: Sequence[float] = (),
    selected: str = "",
) -> alt.LayerChart:
    """Draw a sweep: over steps, or as rows where no checkpoint has one.

    Args:
        data: From `sweep_data`.
        axis: From `sweep_axis`.
        scheme: Of the page.
        colours: Run to colour, of all runs, in the study's order.
        labels: Run to label.
        title: The chart's heading.
        subtitle: Lines under it.
        x_span: Steps that are on the axis in any case.
        selected: A `point` to be ringed.
    """
    every = pd.concat([data.points[["series", "style"]], data.missing[["series", "style"]]])
    runs = [run for run in colours if run in set(every["series"])]
    runs += [run for run in every["series"].unique() if run not in colours]
    shown = {run: colours.get(run, INKS[scheme].muted) for run in runs}
    plain = every["style"].nunique()
    data, _ = tell_twins_apart(data, shown)
    styles = sorted({*every["style"], *data.points["style"]})
    style = CurveStyle(
        x="step",
        scheme=scheme,
        colours=shown,
        labels={run: labels.get(run, run) for run in runs},
        styles=styles,
        style_legend=plain > 1,
        legend=False,
        x_span=x_span,
    )
    placed = data.points["x"].notna().any() or data.missing["x"].notna().any()
    draw = curve_chart if placed else dots_chart
    return draw(data, "", axis, style, title=title, subtitle=subtitle, selected=selected)
