"""Agreement: people's verdicts against the judge's, and the rates with people's in the judge's place."""

from __future__ import annotations

import streamlit as st

from dashboard import links, numerals
from dashboard.app_pages.agreement.tables import (
    confusion,
    kappa_html,
    pairs_table,
    rates_table,
    samples_of_cell,
    tied_samples,
)
from dashboard.kit import caches
from dashboard.kit.notes.watching import shown
from dashboard.kit.numbers import outcome_words
from dashboard.kit.page import nothing, shell
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
    judged, authors = judged_metrics(found), people(found)
if not authors:
    nothing.no_verdicts()

# Which verdicts.
evals, runs = caches.evals(as_of), caches.runs(as_of)
alone = evals[~evals["group"]]
metrics = caches.metrics_for((), as_of)
counting = metrics[(metrics["kind"] == "rate") & metrics["metric"].isin(judged)]
if counting.empty:
    nothing.no_verdicts()
with st.sidebar:
    titles = dict(zip(counting["metric"], counting["title"], strict=True))
    metric = controls.pick_one("Under", "metric", list(titles), default=next(iter(titles)), titles=titles)
    used = counting[counting["metric"] == metric]
    named = alone[alone["eval"].isin(used["eval"])]["eval"].tolist()
    picked_evals = controls.pick_any("Evals", "eval", named, titles=choices.titles_of(alone))
    picked_runs = controls.pick_any("Runs", "run", runs["run"].tolist(), titles=labels_of(runs))
    picked_people = controls.pick_any("People", "person", authors)
better = used["better"].dropna()
words = outcome_words(str(better.iloc[0]) if len(better) else None)
at = until()
newest = shown("agreement", newest_verdict)

# What they say.
query = AgreementQuery(
    metric, evals=tuple(picked_evals or named), runs=tuple(picked_runs), people=tuple(picked_people), until=at
)
with cursor() as found:
    result = agreement(found, query, as_of)
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    told = "all verdicts until now" if at is None else f"verdicts until {numerals.time(at)}"
    rule = " / ".join(dict.fromkeys(used[used["eval"].isin(result.samples["eval"])]["definition"]))
    st.html(
        f'<div class="dl-note">Under {escaped(titles[metric])}{f" ({escaped(rule)})" if rule else ""} · {told}</div>',
        width="content",
    )
    if at is not None and newest is not None and newest > at:
        st.button("Newer verdicts: show them", icon=":material/refresh:", on_click=forget)
st.html(kappa_html(result))
cell = confusion(result, words)
if cell is not None:
    samples_of_cell(result, cell, words)
left_out = [
    (result.tied, "{} of the judged samples are tied between people: left out of the table."),
    (result.without_outcome, "{} of the judged samples have no outcome of the judge: left out of table and rates."),
    (result.earlier, "{} verdicts are on transcripts that have changed or gone since: left out everywhere."),
]
st.caption(
    "People: what most of them hold. Kappa's interval is asymptotic (Fleiss, Cohen & Everitt 1969) and takes samples as"
    " independent; agreement has Wilson's. " + " ".join(text.format(count) for count, text in left_out if count)
)
if result.tied:
    with st.expander(f"Tied ({result.tied})"):
        tied_samples(result, words)
if len(result.pairs):
    st.html('<div class="dl-head"><b>Between people</b></div>')
    pairs_table(result)
if len(result.rates):
    st.html('<div class="dl-head"><b>Rates: the judge, and judge + people</b></div>')
    rates_table(result)
    st.caption(
        "Judge + people: where people judged a sample and are not tied, their verdict takes the judge's place; all"
        " other samples keep the judge's. Same samples, clusters and intervals (95 %, Wilson) as on Curves. Logs in"
        " which nobody judged anything are not listed."
    )
    download_csv(result.rates, "driftline-judge-and-people")
controls.leave()
