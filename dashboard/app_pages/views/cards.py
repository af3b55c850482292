"""Saved views as cards: what each is, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st
from markupsafe import Markup

from dashboard import links, runtime
from dashboard.kit.page import clock
from dashboard.kit.page.reader import attempt, reader
from dashboard.kit.page.shell import open_view
from dashboard.kit.text.plain import escaped
from dashboard.queries.saved_views import SavedView
from dashboard.review.views import LONGEST_NOTE, LONGEST_TITLE, archive_view, duplicate_view, edit_view

NOTICE = "_views_notice"


def view_card(view: SavedView) -> None:
    """One view: title, note, who and when, and what can be done with it."""
    with st.container(border=True):
        st.html(_card_html(view))
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if st.button("Open", key=f"open {view.view_id}", icon=":material/open_in_new:"):
                open_view(view)
            if not reader().may("editor"):
                return
            with st.popover("Edit", icon=":material/edit:", key=f"edit {view.view_id} {view.version}"):
                _edit_form(view)
            _button("Duplicate", ":material/content_copy:", view, partial(duplicate_view, view_id=view.view_id))
            if view.archived:
                put = partial(archive_view, view_id=view.view_id, archived=False)
                _button("Unarchive", ":material/unarchive:", view, put)
            else:
                _button("Archive", ":material/archive:", view, partial(archive_view, view_id=view.view_id))


def _button(label: str, icon: str, view: SavedView, act: Callable[..., object]) -> None:
    def click() -> None:
        attempt(lambda: act(runtime.store(), reader()), "editor", NOTICE)

    st.button(label, key=f"{label} {view.view_id}", icon=icon, type="tertiary", on_click=click)


def _edit_form(view: SavedView) -> None:
    title, note = f"title {view.view_id} {view.version}", f"note {view.view_id} {view.version}"

    def save() -> None:
        session = st.session_state
        edit = partial(edit_view, runtime.store(), reader(), view.view_id)
        attempt(lambda: edit(title=session[title], note=session[note]), "editor", NOTICE)

    with st.form(f"form {view.view_id}", border=False):
        st.text_input("Title", view.title, key=title, max_chars=LONGEST_TITLE)
        st.text_area("Note", view.note, key=note, max_chars=LONGEST_NOTE)
        st.form_submit_button("Save", on_click=save)


def _card_html(view: SavedView) -> str:
    link = f"{links.VIEWS}?{links.query(links.parameters(view=view.view_id))}"
    pinned = "latest" if view.as_of is None else f"frozen (import {view.as_of})"
    told = [view.page, pinned, Markup("{}, {}").format(view.author, clock.time_html(view.created_at))]
    if view.version > 1:
        edited = clock.time_html(view.edited_at)
        told.append(Markup("version {} by {}, {}").format(view.version, view.edited_by, edited))
    note = f'<div class="dl-said">{escaped(view.note)}</div>' if view.note else ""
    return (
        f'<div class="dl-head dl-view"><a href="{escaped(link)}" target="_self"><b>{escaped(view.title)}</b></a></div>'
        f'<div class="dl-note">{" · ".join(map(escaped, told))}</div>{note}'
    )
