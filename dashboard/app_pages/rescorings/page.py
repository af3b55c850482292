"""Re-scorings: stored transcripts re-scored by another model or rubric, beside their first score and each other."""

from __future__ import annotations

import streamlit as st

from dashboard import links, runtime
from dashboard.app_pages.rescorings import apart, compare, compose, listing, progress
from dashboard.kit import caches
from dashboard.kit.page import nothing, reader, shell
from dashboard.kit.page.reader import notice
from dashboard.kit.pickers import controls, models
from dashboard.kit.text.plain import escaped
from dashboard.queries.judged import FIRST, judged
from dashboard.queries.judged_rates import agreement
from dashboard.queries.rescorings import NoSuchRescoring, all_rescorings, read_rescoring

WITHIN, BEGIN, SHOW = "judgings_within", "judgings_begin", "judgings_show"

controls.arrive(links.RESCORINGS)
as_of = shell.as_of()
if caches.evals(as_of).empty:
    nothing.nothing_ingested(as_of)
address = controls.source()
if address is not None:
    st.session_state[WITHIN] = {name: values for name, values in address.items() if name in links.FILTER}
    st.session_state[BEGIN] = "begin" in address
if SHOW in st.session_state:
    controls.put("judging", st.session_state.pop(SHOW))
within: links.Parameters = st.session_state[WITHIN]
service, runs = runtime.probes(), caches.runs(as_of)
states = models.standings()
offered = models.offered(as_of)
with reader.cursor() as con:
    listed = all_rescorings(con)

with st.sidebar:
    st.html('<div class="dl-head"><b>Endpoints</b></div>')
    models.health(states, offered)
    if st.button("Refresh endpoints", icon=":material/refresh:", type="tertiary", disabled=not states):
        service.look_again()
        st.rerun()

# Re-score.
notice()
if not reader.reader().may("prober"):
    st.html(f'<div class="dl-note">{reader.ALLOWED["prober"]}</div>')
elif not states:
    with st.expander("How to connect models", icon=":material/gavel:", expanded=listed.empty):
        nothing.no_endpoints()
else:
    with st.expander("Re-score", expanded=st.session_state[BEGIN] or listed.empty, icon=":material/gavel:"):
        started = compose.form(within, offered, models.titles(offered, runs), as_of)
    if started:
        st.session_state[SHOW], st.session_state[BEGIN], st.session_state[WITHIN] = started, False, {}
        st.rerun()
    if started is not None:
        st.rerun()
if st.session_state[BEGIN]:
    for name, values in {**within, "begin": ["yes"]}.items():
        controls.remember(name, values)

# What came of it.
if listed.empty and not controls.named("judging"):
    st.caption("No re-scoring runs yet. Start one from the Samples page.")
    controls.stop()
picked = listing.pick(listed)
if not picked:
    listing.table(listed)
    controls.stop()
busy = progress.under_way(picked)
try:
    with reader.cursor() as con:
        shown = [read_rescoring(con, name) for name in picked]
        frame = judged(con, shown, as_of)
except NoSuchRescoring as error:
    st.html(f'<div class="dl-notice" role="alert">{escaped(error)}</div>')
    controls.stop()
for rescoring, column in zip(shown, st.columns(len(shown), gap="medium"), strict=True):
    with column:
        progress.head(rescoring, alone=len(shown) == 1)
progress.follow(shown, busy=busy)
raters = compare.names_of(shown)
compare.left_out(frame, raters)
compare.rates(frame, raters, runs, sorted({run for rescoring in shown for run in rescoring.runs}))

# Two of them.
usual = [*picked, FIRST][:2]
with st.container(horizontal=True, gap="medium"):
    one, other = controls.pick_pair(("Compare", "With"), "between", list(raters), default=usual, titles=raters)
if one == other:
    st.caption("Select two different ones.")
else:
    st.html(compare.agreement_html(agreement(frame, one, other), raters[one], raters[other]), width=720)
    compare.difference_table(frame, one, other, raters)
    apart.disagreement_list(frame, one, other, raters)
compare.downloads(frame, shown)
controls.leave()
