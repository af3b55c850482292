"""Compare: checkpoints against a baseline, with intervals, the questions that flipped, and what is not comparable."""

from __future__ import annotations

import streamlit as st

from dashboard import links
from dashboard.app_pages.compare import telling
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
from dashboard.kit.pickers import checkpoints, choices, controls
from dashboard.kit.pickers.choices import pick_definition
from dashboard.kit.pickers.series import checkpoint_titles, colours_of, default_evals
from dashboard.kit.text.plain import escaped, listed
from dashboard.queries.compare import CompareQuery
from dashboard.queries.rows import checkpoint_name
from loaders.errors import DriftlineError

controls.arrive(links.COMPARE)
as_of = shell.as_of()
evals, runs, coverage = caches.evals(as_of), caches.runs(as_of), caches.coverage(as_of)
if evals.empty:
    nothing.nothing_ingested(as_of)

# What is compared. Addresses name checkpoints as the command does; a baseline that is named alone is one of them.
offered = checkpoint_titles(coverage, runs)
titles = choices.titles_of(evals)
metrics = caches.metrics_for((), as_of)
comparing_now = checkpoints.named_checkpoints(controls.restored("checkpoint"), controls.restored("baseline"), coverage)
if comparing_now is not None:
    controls.replace_restored("checkpoint", comparing_now.checkpoints)
    controls.replace_restored("baseline", comparing_now.baseline)
with st.sidebar:
    meant = controls.restored("eval") or default_evals(evals, metrics)
    first = checkpoints.first_checkpoints(runs, checkpoints.measured_by(coverage, evals, meant))
    picked = controls.pick_many(
        "Checkpoints", "checkpoint", list(offered), default=first, titles=offered, placeholder="Pick two to eight"
    )
    if not picked:
        nothing.nothing_picked("checkpoint")
    baseline = controls.pick_one(
        "Baseline", "baseline", picked, default=picked[0], titles=offered, help="What is subtracted from the others."
    )
    common = telling.evals_of(evals, coverage, picked)
    picked_evals = choices.pick_evals(evals, telling.with_members(default_evals(common, metrics), common))
    definition = pick_definition(caches.metrics_for(tuple(picked_evals), as_of))
    splits = choices.pick_splits(picked_evals, as_of)
    correction = st.segmented_control(
        "Correction of p-values",
        list(telling.CORRECTIONS),
        default="Holm",
        key="correction",
        bind="query-params",
        required=True,
        help="Over all differences of the page. Holm: no false finding in the whole family, at 5 %. BH, Benjamini and"
        " Hochberg's: at most 5 % of the findings false, on average.",
    )
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
view = st.segmented_control(
    "View", ["Differences", "Configs"], default="Differences", key="view", bind="query-params", required=True,
    label_visibility="collapsed",
)  # fmt: skip
not_comparable(found, words)
if view == "Configs":
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
        "Questions behind the difference", PAIR, list(named), default=chosen, titles=named, leave_out=next(iter(named))
    )
    flipped(found, found.differences.loc[rows.set_index("point")["row"][pair]].to_dict(), places, words)

# The numbers themselves, what to look at, and how large the next eval must be.
st.html(f'<div class="dl-head"><b>Differences to {escaped(style.baseline)}</b></div>')
difference_table(found, words)
looks = telling.flag_lines(found.differences, len(found.checkpoints) - 1, offered, titles)
to_look_at(looks)
with st.expander("Planning: how many questions would it take?", expanded=False):
    planning(found, words)

controls.leave()
