"""What the Data mixes page lets the reader choose, and what is shown of it: the part that its views share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.app_pages.mixes.sections import STEPS, VIEWS, First, Steps, View, at_steps, first_picks
from dashboard.charts.curve_data import CurveData, tell_twins_apart
from dashboard.charts.palette import Scheme
from dashboard.charts.points import SeriesBy
from dashboard.kit import caches
from dashboard.kit.page import nothing, shell
from dashboard.kit.pickers import choices, controls
from dashboard.kit.pickers.choices import pick_definition
from dashboard.kit.pickers.series import colours_of, labels_of
from dashboard.queries.frame import RateQuery


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What every view works on."""

    as_of: int
    view: View
    evals: pd.DataFrame
    """`EVAL_COLUMNS`."""
    runs: pd.DataFrame
    """`RUN_COLUMNS`, all of them."""
    picked_runs: list[str]
    picked_evals: list[str]
    titles: Mapping[str, str]
    metric_titles: Mapping[str, str]
    query: RateQuery
    series: SeriesBy
    every: pd.DataFrame
    """`RATE_COLUMNS` of all checkpoints of the picked runs."""
    rates: pd.DataFrame
    """Those of them at the chosen steps."""
    zoom: bool
    scheme: Scheme

    def styled(self, data: CurveData) -> tuple[CurveData, dict[str, Any]]:
        """Data in which series of one colour differ by style, and the arguments that any `MarkStyle` takes."""
        colours, labels = colours_of(self.runs, self.series, data.points)
        there = set(data.points["series"])
        shown = {name: colours[name] for name in colours if name in there}
        data, twins = tell_twins_apart(data, shown)
        labels |= {name: f"{labels[name]} (dashed)" for name in twins}
        styles = sorted(data.points["style"].unique())
        return data, {
            "scheme": self.scheme,
            "colours": shown,
            "labels": {name: labels[name] for name in shown},
            "styles": styles,
            "style_legend": False,
        }


def pick_view() -> View:
    """Choose one of the page's views."""
    view: View = st.segmented_control(
        "View", VIEWS, default=VIEWS[0], key="view", bind="query-params", required=True, label_visibility="collapsed"
    )
    return view


def pick(view: View, evals: pd.DataFrame, runs: pd.DataFrame, as_of: int) -> Shown:
    """Let the reader choose evals, definition, runs and steps, and ask for the rates. Call it in the sidebar.

    Args:
        view: Which view.
        evals: `EVAL_COLUMNS`, at least one row.
        runs: `RUN_COLUMNS`.
        as_of: Batch.
    """
    first = _first(view, evals, runs, as_of)
    titles = choices.titles_of(evals)
    if view == "two evals":
        labels = ("Horizontal eval", "Vertical eval")
        x, y = controls.pick_pair(labels, "eval", evals["eval"].tolist(), default=first.evals, titles=titles)
        picked_evals = list(dict.fromkeys([x, y]))
    else:
        picked_evals = choices.pick_evals(evals, first.evals)
    metrics = caches.metrics_for(tuple(picked_evals), as_of)
    if view == "two evals" and controls.source() is None:
        _let_go_of_half(metrics, picked_evals)
    definition = pick_definition(metrics)
    splits = choices.pick_splits(picked_evals, as_of)
    series: SeriesBy = st.segmented_control(
        "Picked and coloured by", ["run", "mix"], default="run", key="series", bind="query-params", required=True
    )
    picked_runs = pick_runs(runs, first, by_mix=series == "mix")
    if not picked_runs:
        nothing.nothing_picked(series)
    steps: Steps = st.segmented_control(
        "Checkpoints", STEPS, default=STEPS[0], key="steps", bind="query-params", required=True
    )
    zoom = st.toggle("Zoom in on the values", key="zoom", bind="query-params", help="Otherwise rates begin at 0 %.")
    method = choices.pick_interval()
    repeats = choices.pick_repeats(as_of)
    query = RateQuery(
        runs=tuple(picked_runs),
        evals=tuple(picked_evals),
        metrics=definition.metrics,
        splits=splits,
        method=method,
        repeats=repeats,
    )
    every = caches.rates(query, as_of)
    return Shown(
        as_of=as_of, view=view, evals=evals, runs=runs, picked_runs=picked_runs, picked_evals=picked_evals,
        titles=titles, metric_titles=dict(zip(definition.used["metric"], definition.used["title"], strict=True)),
        query=query, series=series, every=every, rates=at_steps(every, steps), zoom=zoom, scheme=shell.scheme(),
    )  # fmt: skip


def pick_composition(evals: pd.DataFrame, runs: pd.DataFrame, as_of: int) -> list[str]:
    """Let the reader choose the runs whose mixes are shown. Call it in the sidebar."""
    first = _first("composition", evals, runs, as_of)
    picked = pick_runs(runs, first, by_mix=False)
    if not picked:
        nothing.nothing_picked("run")
    return picked


def pick_runs(runs: pd.DataFrame, first: First, *, by_mix: bool) -> list[str]:
    """Pick runs by name, or all runs of some mixes."""
    if by_mix:
        mixes = runs["mix"].dropna().unique().tolist()
        picked = controls.pick_many("Mixes", "mix", mixes, default=mixes_of(runs, first.runs), placeholder="Pick mixes")
        return [str(run) for run in runs[runs["mix"].isin(picked)]["run"]]
    labels = labels_of(runs)
    names = runs["run"].tolist()
    return controls.pick_many("Runs", "run", names, default=first.runs, titles=labels, placeholder="Pick runs")


def _let_go_of_half(metrics: pd.DataFrame, evals: Sequence[str]) -> None:
    """Forget a definition that only one of the evals has, and which was picked for other evals."""
    having = metrics.groupby("metric")["eval"].nunique()
    for name in controls.named("metric"):
        if name in having.index and having[name] < len(evals):
            controls.put("metric", "")


def _first(view: View, evals: pd.DataFrame, runs: pd.DataFrame, as_of: int) -> First:
    """What the view begins with; pickers that still stand as the last view began them go along with the views."""
    metrics, here = caches.metrics_for((), as_of), caches.coverage(as_of)
    first = first_picks(view, runs, evals, metrics, here)
    noticed = controls.noticed("view", [view])
    last = next((each for each in VIEWS if [each] == noticed), view)
    if last != view:
        before = _picks(first_picks(last, runs, evals, metrics, here), runs)
        for name, values in _picks(first, runs).items():
            if controls.named(name) == before[name]:
                controls.put(name, values)
    return first


def _picks(first: First, runs: pd.DataFrame) -> dict[str, list[str]]:
    """By the names of the pickers."""
    return {"eval": first.evals, "run": first.runs, "mix": mixes_of(runs, first.runs)}


def mixes_of(runs: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """The mixes that some runs were trained on, in the study's order."""
    return [str(mix) for mix in runs[runs["run"].isin(names)]["mix"].dropna().unique()]
