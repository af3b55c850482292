"""Saving the page as it stands: at the top of every page, for those who may."""

from __future__ import annotations

from urllib.parse import urljoin

import streamlit as st

from dashboard import links, runtime
from dashboard.kit.page import here
from dashboard.kit.page.attempts import attempt, notice
from dashboard.kit.page.reader import name_field, reader
from dashboard.review.views import LONGEST_NOTE, LONGEST_TITLE, save_view

TITLE, NOTE, PIN, SAVED, NOTICE = "_view_title", "_view_note", "_view_pin", "_view_saved", "_view_notice"
NEWEST, PINNED = "always the newest data", "these numbers"


def save_view_button(as_of: int) -> None:
    """Offer to save the page with its address under a name; nothing for readers who may not.

    Args:
        as_of: The batch that is shown.
    """
    if not reader().may("editor"):
        return
    with st.popover("Save view", icon=":material/bookmark_add:", help="Keep this page as it stands, under a name."):
        notice(NOTICE)
        _saved()
        name_field("view")
        with st.form("_view_form", clear_on_submit=True, border=False):
            st.text_input("Title", key=TITLE, max_chars=LONGEST_TITLE)
            st.text_area("Note", key=NOTE, max_chars=LONGEST_NOTE, height=90, placeholder="What it shows, and why")
            st.radio(
                "Opens with", [NEWEST, PINNED], key=PIN, index=int(links.AS_OF in st.query_params),
                captions=["its numbers change as logs come in", f"pinned to batch {as_of}"],
            )  # fmt: skip
            st.form_submit_button("Save", type="primary", on_click=_save, args=(as_of,))


def link_to(view_id: str) -> str:
    """The whole address that opens a view."""
    return urljoin(st.context.url or "", f"{links.VIEWS}?{links.query(links.parameters(view=view_id))}")


def _save(as_of: int) -> None:
    session = st.session_state
    session.pop(SAVED, None)

    def save() -> None:
        session[SAVED] = save_view(
            runtime.store(), reader(), page=here.page(), address=here.address(), title=session[TITLE],
            note=session[NOTE], as_of=as_of if session[PIN] == PINNED else None,
        )  # fmt: skip

    attempt(save, "editor", NOTICE)


def _saved() -> None:
    """Say, once, that the view was saved, with the link to it."""
    view_id = st.session_state.pop(SAVED, None)
    if view_id:
        st.html('<div class="dl-notice" role="status">Saved. This link opens it:</div>')
        st.code(link_to(view_id), language=None, wrap_lines=True)
