"""Persistence: does a lead last through further training."""

from __future__ import annotations

import streamlit as st

from dashboard import links
from dashboard.app_pages.persistence import telling
from dashboard.app_pages.persistence.pictures import (
    LEAD,
    STAGES,
    TRAINING,
    Scene,
    all_numbers,
    lasting_section,
    lead_section,
    lineage_section,
    training_section,
)
from dashboard.charts.curve_data import tell_twins_apart
from dashboard.charts.curves import CurveStyle
from dashboard.charts.lineages import through_training
from dashboard.charts.palette import Scheme
from dashboard.charts.panels import flags_by_text
from dashboard.kit import caches
from dashboard.kit.charts.chosen import behind_point, chosen_point, clicked_in
from dashboard.kit.charts.frame import to_look_at
from dashboard.kit.charts.trends import notes_of
from dashboard.kit.page import nothing, shell
from dashboard.kit.pickers import choices, controls, kept, runs_panel
from dashboard.kit.pickers.choices import pick_definition
from dashboard.kit.pickers.sections import pick_section
from dashboard.kit.pickers.series import colours_of, labels_of, lineage_of, with_forebears
from dashboard.queries.frame import RateQuery
from dashboard.queries.sections import most_in, within
from dashboard.queries.trends import TrendQuery
from loaders.checkpoint import named

controls.arrive(links.PERSISTENCE)
as_of = shell.as_of()
evals, runs, coverage = caches.evals(as_of), caches.runs(as_of), caches.coverage(as_of)
if evals.empty:
    nothing.nothing_ingested(as_of)
possible = telling.candidates(runs, coverage)
if not possible:
    nothing.no_parents()

# What is shown.
labels = labels_of(runs)
with st.sidebar:
    offered = runs[runs["run"].isin(telling.followable(runs, coverage))]["section"].dropna().unique().tolist()
    section = pick_section(runs, lambda: most_in(telling.default_snapshots(runs, coverage), runs), offered)
    first = kept.runs(possible) or telling.default_snapshots(within(runs, section.default), coverage)
    runs_place = runs_panel.room(len(possible), baseline=True)
    picked_evals = choices.pick_evals(evals, telling.default_evals(first, evals, coverage))
    definition = pick_definition(caches.metrics_for(tuple(picked_evals), as_of))
    splits = choices.pick_splits(picked_evals, as_of)
    picked = runs_panel.choose_runs(runs_place, runs, possible, section.name, first)
    if not picked:
        nothing.nothing_picked("run")
    view = controls.switch(
        "View", "view", {TRAINING: "By step", STAGES: "By stage"},
        help="By step: further training, with the lead over the baseline. By stage: all parents, stage by stage.",
    )  # fmt: skip
    margins = choices.pick_margins(definition.used)
    method = choices.pick_interval()
    repeats = choices.pick_repeats(as_of)

# The numbers.
lineage = lineage_of(runs)
picked = [run for run in picked if run in lineage] or nothing.no_rates()
query = RateQuery(
    runs=tuple(with_forebears(picked, lineage)),
    evals=tuple(picked_evals),
    metrics=definition.metrics,
    splits=splits,
    method=method,
    repeats=repeats,
)
rates = caches.rates(query, as_of)
if rates[rates["run"].isin(picked)]["rate"].isna().all():
    nothing.no_rates()
with runs_place:
    baseline = runs_panel.pick_baseline(
        runs, picked, labels, default=telling.worst_at_start(rates, picked),
        help="Default: the run that is worst at its first step.",
    )  # fmt: skip
data = through_training(rates, picked, lineage)
asked = TrendQuery(
    runs=tuple(picked), baseline=baseline, evals=tuple(picked_evals), metrics=definition.metrics, splits=splits,
    from_parent=True, margins=margins,
)  # fmt: skip
with st.spinner("Comparing steps"):
    trends = caches.trends(asked, as_of)

# The pictures.
scheme: Scheme = shell.scheme()
colours, names = colours_of(runs, "run")
shown_colours = {run: colours[run] for run in colours if run in picked}
styles = data.points["style"].nunique()
data, twins = tell_twins_apart(data, shown_colours)
style = CurveStyle(
    x="step",
    scheme=scheme,
    colours=shown_colours,
    labels={run: names[run] for run in shown_colours},
    styles=[],
    style_legend=styles > 1,
    legend=False,
    plot_height=210,
)
scene = Scene(
    rates=rates,
    style=style,
    eval_titles=choices.titles_of(evals),
    metric_titles=dict(zip(definition.used["metric"], definition.used["title"], strict=True)),
    chosen=chosen_point(),
    twins=twins,
)
parents = {
    run: named(lineage[run].parent_run, lineage[run].parent_step)
    for run in picked
    if lineage[run].parent_step is not None
}
drawn = data.points
if view == STAGES:
    drawn = lineage_section(scene, rates, picked, lineage)
else:
    training_section(scene, data, parents)
    lasting_section(scene, trends)
below = st.container()
if view == TRAINING:
    lead_section(scene, trends, data, baseline)
    below = st.container() if clicked_in().startswith(LEAD) else below

# What is behind the point that was clicked, below its section; what to look at; and the numbers.
with below:
    behind_point(drawn, rates, evals, splits, as_of)
looks = flags_by_text(rates) + data.undrawn + notes_of(trends.lines, labels)
to_look_at(looks)
numbers = st.expander("Data", key="persistence_numbers", on_change="rerun")
if numbers.open:
    with numbers:
        all_numbers(trends, rates)

controls.leave()
