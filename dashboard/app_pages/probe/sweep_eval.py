"""The curve of an eval beside a sweep's: of the same runs, in a picture of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.charts.axes import ValueAxis
from dashboard.charts.curve_data import CurveData, curve_data, tell_twins_apart
from dashboard.charts.curves import CurveStyle, curve_chart
from dashboard.charts.dots import dots_chart
from dashboard.charts.palette import Scheme
from dashboard.charts.panels import axes_by_panel, is_fraction, subtitle
from dashboard.charts.shared_legend import keys_of
from dashboard.exports.tables import numbers_of
from dashboard.kit import caches
from dashboard.kit.charts.chosen import behind_point, clickable
from dashboard.kit.charts.drawing import drawing
from dashboard.kit.pickers import choices, controls
from dashboard.kit.pickers.choices import pick_definition
from dashboard.kit.pickers.series import colours_of, default_evals
from dashboard.queries.frame import RateQuery

NONE_HERE = "None of these runs has eval results to compare with."


@dataclass(frozen=True)
class Beside:
    """An eval's curve.

    Attributes:
        title: Of the eval; None where there is none.
        rates: `RATE_COLUMNS`.
        data: What of them is drawn.
        metric_titles: Title of each metric.
    """

    title: str | None = None
    rates: pd.DataFrame | None = None
    data: CurveData | None = None
    metric_titles: dict[str, str] | None = None
    runs: pd.DataFrame | None = None
    evals: pd.DataFrame | None = None

    @property
    def steps(self) -> list[float]:
        """Where it has points."""
        return [] if self.data is None else list(self.data.points["x"].dropna())

    @property
    def fractions(self) -> pd.DataFrame:
        """Its points with rate, low and high, where they are in per cent."""
        points = pd.DataFrame({name: pd.Series(dtype="float64") for name in ("rate", "low", "high")})
        if self.data is None or self.data.points.empty or not is_fraction(self.data.points):
            return points
        return self.data.points[["rate", "low", "high"]]

    def told(self) -> list[str]:
        """The line under its title."""
        if self.data is None or self.metric_titles is None or self.data.points.empty:
            return []
        return subtitle(self.data.points, self.metric_titles)


def pick(swept: Sequence[str], runs: pd.DataFrame, as_of: int, first: Any, second: Any) -> Beside:
    """Pick the eval, and what counts in it.

    Args:
        swept: Runs of the sweep.
        runs: `RUN_COLUMNS`.
        as_of: Batch.
        first: Where the picker of the eval stands.
        second: Where that of the definition stands.
    """
    evals, here = caches.evals(as_of), caches.coverage(as_of)
    measured = set(here[here["run"].isin(swept)]["eval"].dropna())
    offered = [row["eval"] for row in evals.to_dict("records") if {row["eval"], *(row["members"])} & measured]
    if not offered:
        return Beside()
    there = evals[evals["eval"].isin(offered)]
    titles = choices.titles_of(there)
    default = default_evals(there, caches.metrics_for(tuple(offered), as_of))[0]
    with first:
        name = controls.pick_one("Compare with eval", "eval", offered, default=default, titles=titles)
    with second:
        definition = pick_definition(caches.metrics_for((name,), as_of))
    query = RateQuery(runs=tuple(swept), evals=(name,), metrics=definition.metrics)
    rates = caches.rates(query, as_of)
    used = definition.used
    return Beside(
        titles[name], rates, curve_data(rates), dict(zip(used["metric"], used["title"], strict=True)), runs, evals
    )


def draw(
    beside: Beside, axis: ValueAxis, told: Sequence[str], span: Sequence[float], scheme: Scheme, chosen: str
) -> None:
    """Draw it, as high and as long as the sweep's where both are in per cent.

    Args:
        beside: What was picked.
        axis: Of the sweep's rates.
        told: Lines under the title.
        span: Steps that are on the axis in any case.
        scheme: Of the page.
        chosen: The point that was clicked.
    """
    if beside.data is None or beside.rates is None or beside.runs is None or beside.data.points.empty:
        st.html(f'<div class="dl-note">{NONE_HERE}</div>')
        return
    colours, labels = colours_of(beside.runs, "run")
    drawn = set(beside.data.points["series"])
    shown = {run: colour for run, colour in colours.items() if run in drawn}
    plain = beside.data.points["style"].nunique()
    data, _ = tell_twins_apart(beside.data, shown)
    style = CurveStyle(
        x="step", scheme=scheme, colours=shown, labels={run: labels[run] for run in shown},
        styles=sorted(data.points["style"].unique()), style_legend=plain > 1, legend=False, x_span=span,
    )  # fmt: skip
    axes = axes_by_panel(data.points, beside.metric_titles or {})
    for panel, own in axes.items():
        points = data.points[data.points["panel"] == panel]
        make = curve_chart if points["x"].notna().any() else dots_chart
        same = replace(axis, title=own.title) if is_fraction(points) else own
        title = f"Eval: {beside.title}" + (f" · {panel}" if len(axes) > 1 else "")
        chart = drawing(make, data, panel, same, style, title=title, subtitle=told, selected=chosen)
        clickable(
            chart, f"probe_eval_chart {panel}", f"Curve of the eval {beside.title}",
            numbers_of(points, beside.rates), keys=keys_of(style),
        )  # fmt: skip


def behind(beside: Beside, as_of: int) -> None:
    """Show the samples behind a point of the eval, where one was clicked."""
    if beside.data is not None and beside.rates is not None and beside.evals is not None:
        behind_point(beside.data.points, beside.rates, beside.evals, (), as_of)
