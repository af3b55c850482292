"""Compare: checkpoints against a baseline, with intervals, the questions that flipped, and what is not comparable."""

from __future__ import annotations

import streamlit as st

from dashboard import links
from dashboard.app_pages.compare import telling
from dashboard.app_pages.compare.noise import noise
from dashboard.app_pages.compare.tables import (
    PAIR,
    Words,
    configs,
    difference_table,
    flipped,
    forest,
    not_comparable,
    planning,
)
from dashboard.charts.forest import ForestStyle, forest_rows
from dashboard.charts.palette import Scheme
from dashboard.kit import caches
from dashboard.kit.charts.frame import to_look_at
from dashboard.kit.page import nothing, shell
from dashboard.kit.pickers import checkpoints, choices, controls, kept, runs_panel
from dashboard.kit.pickers.choices import pick_definition
from dashboard.kit.pickers.openings import against_baseline, common_evals, evals_for, section_compared
from dashboard.kit.pickers.sections import pick_section
from dashboard.kit.pickers.series import checkpoint_titles, colours_of, default_evals, shown_of
from dashboard.kit.text.plain import escaped, listed
from dashboard.queries.compare import MOST, CompareQuery
from dashboard.queries.rows import checkpoint_name
from dashboard.queries.sections import ALL, in_order, within
from loaders.errors import DriftlineError

controls.arrive(links.COMPARE)
as_of = shell.as_of()
evals, runs, coverage = caches.evals(as_of), caches.runs(as_of), caches.coverage(as_of)
if evals.empty:
    nothing.nothing_ingested(as_of)

# What is compared. Addresses name checkpoints as the command does; a baseline that is named alone is one of them.
titles = choices.titles_of(evals)
metrics = caches.metrics_for((), as_of)
comparing_now = checkpoints.named_checkpoints(controls.restored("checkpoint"), controls.restored("baseline"), coverage)
if comparing_now is not None:
    controls.replace_restored("checkpoint", comparing_now.checkpoints)
    controls.replace_restored("baseline", comparing_now.baseline)
with st.sidebar:
    usual = controls.restored("eval") or default_evals(evals, metrics)
    section = pick_section(
        runs, lambda: section_compared(runs, coverage, checkpoints.measured_by(coverage, evals, usual))
    )
    meant = controls.restored("eval") or default_evals(evals_for(evals, coverage, runs, section.default), metrics)
    measured = checkpoints.measured_by(coverage, evals, meant)
    chosen_runs, every = kept.runs(runs["run"]), []
    if section.default == ALL and not chosen_runs:
        first = checkpoints.first_checkpoints(runs[runs["placed"]], measured)
    else:
        among = runs[runs["run"].isin(chosen_runs)] if chosen_runs else within(runs, section.default)
        first = against_baseline(among, measured, MOST)
        every = against_baseline(among, measured, len(coverage)) if len(first) == MOST else first
    offered = checkpoint_titles(in_order(coverage, runs, section.name), runs)
    runs_place = runs_panel.room(len(offered), baseline=True)
    picked = runs_panel.choose_checkpoints(runs_place, runs, offered, first)
    if not picked:
        nothing.nothing_picked("checkpoint", "two")
    if picked == first and len(first) < len(every):
        runs_place.caption(f"{shown_of(first, every, 'checkpoints')}: at most {MOST} are compared.")
    with runs_place:
        baseline = runs_panel.pick_baseline(
            runs, picked, offered, default=picked[0], help="Subtracted from the others."
        )  # fmt: skip
    common = telling.evals_of(evals, coverage, picked)
    if section.default != ALL:
        common = common_evals(common, coverage, checkpoints.runs_of(coverage, picked))
    picked_evals = choices.pick_evals(evals, telling.with_members(default_evals(common, metrics), evals))
    definition = pick_definition(caches.metrics_for(tuple(picked_evals), as_of))
    splits = choices.pick_splits(picked_evals, as_of)
    correction = controls.switch(
        "Multiple-testing correction", "correction", list(telling.CORRECTIONS),
        help="Over all differences of the page. Holm: family-wise error rate at most 5%. BH (Benjamini-Hochberg): false"
        " discovery rate at most 5%.",
    )  # fmt: skip
    margins = choices.pick_margins(definition.used)
    method = choices.pick_interval()
    repeats = choices.pick_repeats(as_of)

# The numbers.
query = CompareQuery(
    checkpoints=tuple(picked),
    baseline=baseline,
    evals=tuple(picked_evals),
    metrics=definition.metrics,
    correction=telling.CORRECTIONS[correction],
    splits=splits,
    method=method,
    repeats=repeats,
    margins=margins,
)
try:
    found = caches.compare(query, as_of)
except DriftlineError as error:
    st.html(f'<div class="dl-notice" role="alert">{escaped(error)}</div>')
    controls.stop()
words = Words(
    checkpoints=offered,
    evals=titles,
    members=dict(zip(evals["eval"], evals["members"], strict=True)),
    splits=splits,
)

# What is not comparable, before any number.
view = controls.switch("View", "view", ["differences", "configs"], collapsed=True)
not_comparable(found, words)
if view == "configs":
    configs(found, words)
    controls.stop()

# The picture; a click on a row opens what flipped.
places = {checkpoint_name(row): row for row in found.rates.to_dict("records")}
rows = forest_rows(found.differences, {name: str(row["run"]) for name, row in places.items()}, titles)
if rows.empty:
    st.html(listed(telling.flag_lines(found.differences, 0, offered, titles)))
    nothing.no_differences()
scheme: Scheme = shell.scheme()
style = ForestStyle(
    scheme=scheme, colours=colours_of(runs, "run")[0], labels=offered, baseline=words.checkpoint(found.baseline)
)
named = {
    point: f"{heading}: {words.checkpoint(checkpoint)}"
    for point, heading, checkpoint in zip(rows["point"], rows["heading"], rows["checkpoint"], strict=True)
}
chosen = next((name for name in controls.named(PAIR) if name in named), next(iter(named)))
forest(found, rows, dict(zip(metrics["metric"], metrics["title"], strict=True)), style, chosen)

with st.container(border=True):
    pair = controls.pick_one(
        "Flipped questions", PAIR, list(named), default=chosen, titles=named, leave_out=next(iter(named))
    )
    flipped(found, found.differences.loc[rows.set_index("point")["row"][pair]].to_dict(), places, words)

# The numbers themselves, what to look at, and how large the next eval must be.
st.html(f'<div class="dl-head"><b>Differences from {escaped(style.baseline)}</b></div>')
difference_table(found, words)
looks = telling.flag_lines(found.differences, len(found.checkpoints) - 1, offered, titles)
to_look_at(looks)
with st.expander("Sample size planning", expanded=False):
    planning(found, words)
    noise(found, words, query, as_of)

controls.leave()
