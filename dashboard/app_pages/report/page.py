"""Report: saved views, transcripts and notes as one file that opens anywhere, offline."""

from __future__ import annotations

import streamlit as st

from dashboard import links
from dashboard.app_pages.report import collect
from dashboard.app_pages.report.sections import (
    INTRODUCTION,
    WITH_NOTES,
    downloads,
    keep,
    kept,
    pick_transcripts,
    to_collect,
    write_between,
)
from dashboard.kit.page import shell
from dashboard.kit.page.reader import cursor
from dashboard.kit.pickers import controls
from dashboard.kit.text.plain import escaped
from dashboard.queries.saved_views import saved_views

controls.arrive(links.REPORT)
as_of = shell.as_of()
left = collect.interrupted()
if left is not None:
    st.html(f'<div class="dl-notice" role="alert">“{escaped(left.title)}” could not be rendered completely.</div>')
collect.go_on()

st.html(
    '<div class="dl-note">One file with charts, numbers, notes and transcripts as they are now. It'
    " opens offline, without scripts; links lead back to the views.</div>"
)
with cursor() as found:
    views = {view.view_id: view for view in saved_views(found) if not view.archived}
title = controls.write("Title", "title", placeholder="Review")
introduction = st.text_area("Introduction (Markdown)", key=kept(INTRODUCTION, ""), height=100, max_chars=20_000)
keep(INTRODUCTION)
picked = controls.pick_any(
    "Saved views (in this order)", "saved", list(views), titles={name: view.title for name, view in views.items()},
    placeholder="Select views" if views else "No saved views yet: use Save view at the top of any page",
)  # fmt: skip
samples = pick_transcripts(as_of)
with_notes = st.toggle("Include notes", key=kept(WITH_NOTES, True))
keep(WITH_NOTES)

chosen = [views[name] for name in picked if name in views]
if not chosen and not samples:
    st.html('<div class="dl-note">Select a view, or add a transcript.</div>')
    controls.stop()
before = write_between(chosen) if chosen else {}
if to_collect(chosen):
    controls.stop()
downloads(title or "Review", introduction, chosen, samples, with_notes=with_notes, as_of=as_of, before=before)
controls.leave()
