"""What the Data mixes page lets the reader choose, and what is shown of it: the part that its views share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from dashboard.app_pages.mixes.beginning import STEPS, VIEWS, First, Steps, View, at_steps, first_picks
from dashboard.charts.curve_data import CurveData, tell_twins_apart
from dashboard.charts.palette import Scheme
from dashboard.charts.points import SeriesBy
from dashboard.kit import caches
from dashboard.kit.page import nothing, shell
from dashboard.kit.pickers import choices, controls, kept, runs_panel
from dashboard.kit.pickers.choices import pick_definition
from dashboard.kit.pickers.openings import evals_for
from dashboard.kit.pickers.panel_rows import mixes_of
from dashboard.kit.pickers.sections import Section, pick_section
from dashboard.kit.pickers.series import colours_of
from dashboard.queries.frame import RateQuery
from dashboard.queries.sections import ALL, most_in, within

SERIES: tuple[SeriesBy, ...] = ("run", "mix")


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
    scheme: Scheme

    def styled(self, data: CurveData) -> tuple[CurveData, dict[str, Any]]:
        """Data in which series of one colour differ by style, and the arguments that any `MarkStyle` takes."""
        colours, labels = colours_of(self.runs, self.series, data.points)
        there = set(data.points["series"])
        shown = {name: colours[name] for name in colours if name in there}
        data, _ = tell_twins_apart(data, shown)
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
    return controls.switch("View", "view", VIEWS, collapsed=True)


def pick(view: View, evals: pd.DataFrame, runs: pd.DataFrame, as_of: int) -> Shown:
    """Let the reader choose evals, definition, runs and steps, and ask for the rates. Call it in the sidebar.

    Args:
        view: Which view.
        evals: `EVAL_COLUMNS`, at least one row.
        runs: `RUN_COLUMNS`.
        as_of: Batch.
    """
    section, first = _first(view, evals, runs, as_of)
    runs_place = runs_panel.room(len(runs))
    titles = choices.titles_of(evals)
    if view == "eval-vs-eval":
        labels = ("X axis: eval", "Y axis: eval")
        x, y = controls.pick_pair(
            labels, "eval", evals["eval"].tolist(), default=first.evals, titles=controls.findable(titles)
        )
        picked_evals = list(dict.fromkeys([x, y]))
    else:
        picked_evals = choices.pick_evals(evals, first.evals)
    metrics = caches.metrics_for(tuple(picked_evals), as_of)
    if view == "eval-vs-eval" and controls.source() is None:
        _let_go_of_half(metrics, picked_evals)
    definition = pick_definition(metrics)
    splits = choices.pick_splits(picked_evals, as_of)
    series: SeriesBy = controls.switch("Select and color by", "series", SERIES)
    picked_runs = pick_runs(runs_place, runs, section, first, by_mix=series == "mix")
    if not picked_runs:
        nothing.nothing_picked(series)
    steps: Steps = controls.switch("Checkpoints", "steps", STEPS)
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
        query=query, series=series, every=every, rates=at_steps(every, steps), scheme=shell.scheme(),
    )  # fmt: skip


def pick_composition(evals: pd.DataFrame, runs: pd.DataFrame, as_of: int) -> list[str]:
    """Let the reader choose the runs whose mixes are shown. Call it in the sidebar."""
    section, first = _first("composition", evals, runs, as_of)
    picked = pick_runs(runs_panel.room(len(runs)), runs, section, first, by_mix=False)
    if not picked:
        nothing.nothing_picked("run")
    return picked


def pick_runs(place: Any, runs: pd.DataFrame, section: Section, first: First, *, by_mix: bool) -> list[str]:
    """Pick runs by name, or all runs of some mixes, in the panel."""
    if by_mix:
        return runs_panel.choose_mixes(place, runs, first.runs)
    return runs_panel.choose_runs(place, runs, runs["run"].tolist(), section.name, first.runs)


def _let_go_of_half(metrics: pd.DataFrame, evals: Sequence[str]) -> None:
    """Forget a definition that only one of the evals has, and which was picked for other evals."""
    having = metrics.groupby("metric")["eval"].nunique()
    for name in controls.named("metric"):
        if name in having.index and having[name] < len(evals):
            controls.put("metric", "")


def _first(view: View, evals: pd.DataFrame, runs: pd.DataFrame, as_of: int) -> tuple[Section, First]:
    """The section, and what the view begins with; pickers that stand as the last view began them go along with it."""
    metrics, here = caches.metrics_for((), as_of), caches.coverage(as_of)

    def begins(view: View, section: str) -> First:
        among = evals_for(evals, here, runs, section)
        return first_picks(view, within(runs, section), among, metrics, here)

    section = pick_section(runs, lambda: most_in(begins(view, ALL).runs, runs), follows=True)
    first = begins(view, section.default)
    noticed = controls.noticed("view", [view, section.default])
    last = next((each for each in VIEWS if noticed and each == noticed[0]), view)
    if noticed and last != view:
        before = _picks(begins(last, noticed[1]), runs)
        for name, values in _picks(first, runs).items():
            if controls.named(name) == before[name]:
                controls.put(name, values)
    return section, replace(first, runs=kept.runs(runs["run"]) or first.runs)


def _picks(first: First, runs: pd.DataFrame) -> dict[str, list[str]]:
    """By the names of the pickers."""
    return {"eval": first.evals, "run": first.runs, "mix": mixes_of(runs, first.runs)}
