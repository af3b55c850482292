"""Probe: one dilemma put to several checkpoints side by side; everything that comes is saved, and has a link."""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard import links, runtime
from dashboard.app_pages.probe import arriving, compose, marking, recent, results, stream, sweep_view, toolbar
from dashboard.app_pages.probe.reply_html import STYLE
from dashboard.app_pages.probe.reply_notes import reply_notes
from dashboard.kit import caches
from dashboard.kit.page import nothing, shell
from dashboard.kit.page.reader import ALLOWED, attempt, notice, reader
from dashboard.kit.pickers import controls, models
from dashboard.kit.text.plain import escaped
from dashboard.queries.probes import NoSuchProbe

controls.arrive(links.PROBE)
as_of = shell.as_of()
st.html(STYLE)
service = runtime.probes()
runs = caches.runs(as_of)
arriving.take_address(as_of)
shown_id = arriving.shown()
states = models.standings()
offered = models.offered(as_of)
names = models.titles(offered, runs)

with st.sidebar:
    st.html('<div class="dl-head"><b>Endpoints</b></div>')
    models.health(states, offered)
    may_ask = reader().may("prober")
    if may_ask and st.button("Refresh endpoints", icon=":material/refresh:", type="tertiary", disabled=not states):
        service.look_again()
        st.rerun()
    recent.recent_probes_list(shown_id)

# What is asked.
notice()
if not may_ask:
    st.html(f'<div class="dl-note">{ALLOWED["prober"]} Saved probes can be read.</div>')
elif not states:
    with st.expander("How to connect models", icon=":material/science:") if shown_id else st.container():
        nothing.no_endpoints()
else:
    with st.expander("New probe", expanded=shown_id is None, icon=":material/edit:"):
        arriving.remarks()
        recent.pick_preset()
        asked = compose.form(offered, names, runs)
    if asked is not None:
        attempt(partial(arriving.ask, asked))
        st.rerun()

# What came of it.
if shown_id is None:
    arriving.keep_transcript()
    controls.stop()
controls.remember("probe", shown_id)
try:
    probe = stream.read(shown_id)
except NoSuchProbe as error:
    st.html(f'<div class="dl-notice" role="alert">{escaped(error)}</div>')
    controls.stop()
st.html(f'<h3 class="dl-title">{escaped(probe.title)}</h3>{results.facts_html(probe)}{results.prompt_html(probe)}')
busy = toolbar.toolbar(probe, offered, names)
view = results.pick_view(probe)
follow = None
if view == "rate":
    marking.marking(probe, runs)
elif view == "differences":
    results.differences_view(probe, runs)
elif view == "likelihoods":
    results.likelihoods_view(probe, runs, recent.continuations_of(probe))
elif view == "curve":
    sweep_view.sweep(probe, runs, as_of)
else:
    follow = results.replies(probe, runs)
if view != "rate":
    # While replies are marked, what others noted could tell who wrote them.
    reply_notes(probe, {head.position: head.name for head in results.heads_of(probe, runs)}, as_of)
controls.leave()
if follow is not None:
    follow()
if busy and not service.engine.active(shown_id):
    # It has ended since the buttons over it were drawn, perhaps before anybody looked on.
    st.rerun()
