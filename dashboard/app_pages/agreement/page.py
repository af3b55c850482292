"""Agreement: people's verdicts against the judge's, rates corrected by them, and a queue of samples to label."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboard import links, numerals
from dashboard.app_pages.agreement.corrected import corrected_rates
from dashboard.app_pages.agreement.queue import label_queue
from dashboard.app_pages.agreement.tables import (
    confusion,
    kappa_html,
    pairs_table,
    rates_table,
    samples_of_cell,
    scanners_table,
    tied_samples,
)
from dashboard.kit import caches
from dashboard.kit.notes.watching import shown
from dashboard.kit.numbers import outcome_words
from dashboard.kit.page import clock, nothing, shell
from dashboard.kit.page.reader import cursor
from dashboard.kit.page.until import forget, until
from dashboard.kit.pickers import choices, controls
from dashboard.kit.pickers.series import labels_of
from dashboard.kit.tables import download_csv
from dashboard.kit.text.plain import escaped
from dashboard.queries.agreement import AgreementQuery, agreement
from dashboard.queries.verdicts import judged_metrics, newest_verdict, people

controls.arrive(links.AGREEMENT)
as_of = shell.as_of()
with cursor() as found:
    judged, authors, checked = judged_metrics(found), people(found), caches.scan_validations(as_of)
views = {"agreement": "Agreement", "label": "Label samples"} | ({"scanners": "Scanners"} if checked else {})
view = controls.switch("View", "view", views, collapsed=True)
if view == "scanners":
    scanners_table(checked)
    controls.stop()
if not authors and view == "agreement":
    nothing.no_verdicts()

# Which verdicts.
evals, runs = caches.evals(as_of), caches.runs(as_of)
alone = evals[~evals["group"]]
metrics = caches.metrics_for((), as_of)
counting = metrics[metrics["kind"] == "rate"]
if view == "agreement":
    counting = counting[counting["metric"].isin(judged)]
if counting.empty:
    nothing.no_verdicts()
with st.sidebar:
    titles = dict(zip(counting["metric"], counting["title"], strict=True))
    metric = controls.pick_one(
        "Metric", "metric", list(titles), default=next(iter(titles)), titles=controls.findable(titles)
    )
    used = counting[counting["metric"] == metric]
    named = alone[alone["eval"].isin(used["eval"])]["eval"].tolist()
    picked_evals = controls.pick_any("Evals", "eval", named, titles=controls.findable(choices.titles_of(alone)))
    picked_runs = controls.pick_any("Runs", "run", runs["run"].tolist(), titles=controls.findable(labels_of(runs)))
    picked_people = controls.pick_any("Raters", "person", authors)
better = used["better"].dropna()
words = outcome_words(str(better.iloc[0]) if len(better) else None)
at = until()
newest = shown("agreement", newest_verdict)

if view == "label":
    sight = AgreementQuery(metric, evals=tuple(picked_evals or named), runs=tuple(picked_runs))
    label_queue(sight, words, newest, as_of)
    controls.stop()

# What they say.
query = AgreementQuery(
    metric, evals=tuple(picked_evals or named), runs=tuple(picked_runs), people=tuple(picked_people), until=at
)
with cursor() as found:
    result = agreement(found, query, as_of)
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    told = "all human labels" if at is None else f"human labels until {clock.time_html(at)}"
    rule = " / ".join(dict.fromkeys(used[used["eval"].isin(result.samples["eval"])]["definition"]))
    st.html(
        f'<div class="dl-note">Metric: {escaped(titles[metric])}{f" ({escaped(rule)})" if rule else ""} · {told}</div>',
        width="content",
    )
    if at is not None and newest is not None and newest > at:
        st.button("Show newer labels", icon=":material/refresh:", on_click=forget)
st.html(kappa_html(result))
cell = confusion(result, words)
if cell is not None:
    samples_of_cell(result, cell, words)
left_out = [
    (result.tied, "labeled sample", "{} with tied human labels: left out of the table."),
    (result.without_outcome, "labeled sample", "{} unscored by the judge: left out of table and rates."),
    (result.earlier, "human label", "{} on changed or missing transcripts: left out everywhere."),
]
st.caption(
    "A sample's label is the majority. Intervals: kappa asymptotic (Fleiss, Cohen & Everitt 1969), samples taken as"
    " independent; agreement Wilson. "
    + " ".join(text.format(numerals.plural(count, what)) for count, what, text in left_out if count)
)
if result.tied:
    with st.expander(f"Tied ({result.tied})"):
        tied_samples(result, words)
if len(result.pairs):
    st.html('<div class="dl-head"><b>Between raters</b></div>')
    pairs_table(result)
if len(result.rates):
    st.html('<div class="dl-head"><b>Rates: judge, and judge + human labels</b></div>')
    rates_table(result)
    st.caption(
        "Judge + human labels: the majority of human labels replaces the judge's outcome where a sample has one. Same"
        " samples, clusters and intervals (95%, Wilson) as on Curves. Logs without human labels are not listed."
    )
    download_csv(result.rates, "driftline-judge-and-people")
labelled_evals = tuple(result.samples["eval"].unique())
if labelled_evals:
    corrected_rates(replace(query, evals=labelled_evals), newest, as_of)
controls.leave()
