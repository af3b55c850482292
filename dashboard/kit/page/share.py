"""The page as it stands: where the reader is, a link that shows just this, and saving it under a name."""

from __future__ import annotations

from urllib.parse import urljoin

import streamlit as st

from dashboard import links, runtime, short_addresses
from dashboard.kit.page.reader import attempt, name_field, notice, reader
from dashboard.kit.page.until import UNTIL, pinned_until
from dashboard.kit.pickers import controls
from dashboard.pages import NAMED
from dashboard.queries.named_runs import runs_named
from dashboard.review import audit
from dashboard.review.views import LONGEST_NOTE, LONGEST_TITLE, save_view

TITLE, NOTE, PIN, SAVED, NOTICE = "_view_title", "_view_note", "_view_pin", "_view_saved", "_view_notice"
NEWEST, PINNED = "latest", "frozen"


def shown_page() -> str:
    """Name of the page that is shown; "" before its first run."""
    return str(st.session_state.get(controls.PAGE, ""))


def shown_address() -> links.Parameters:
    """The page's own parameters, without the batch. Ask it where something is clicked: then the page has been drawn."""
    of = NAMED.get(shown_page())
    own = of.parameters if of else frozenset()
    shown = short_addresses.whole({name: st.query_params.get_all(name) for name in st.query_params})
    return {name: values for name, values in shown.items() if name in own}


def button(pin: str, when: str, shown: str) -> None:
    """A button that shows the pinned link of this page.

    Args:
        pin: Value of `as_of`; "" where there is no batch to pin to.
        when: The batch in words, in UTC as the audit log has it.
        shown: The same as HTML, in the reader's zone.
    """
    if st.button("Share", icon=":material/link:", key="share", disabled=not pin, help="A link to exactly this"):
        _dialog(pin, when, shown)


@st.dialog("Share this view")
def _dialog(pin: str, when: str, shown: str) -> None:
    address = {name: st.query_params.get_all(name) for name in st.query_params} | {links.AS_OF: [pin]}
    if shown_page() == links.AGREEMENT:
        address[UNTIL] = [pinned_until()]
    page = (st.context.url or "").partition("?")[0]
    link = f"{page}?{links.query(address)}"
    st.html(f"<div>The numbers behind this link are frozen: {shown}.</div>")
    # A block of code has a button that copies it, and shows any text as it is.
    st.code(link, language=None, wrap_lines=True)
    st.html(
        '<div class="dl-note">Readers are offered newer data, and see what their role allows. Without'
        f" <code>{links.AS_OF}</code> , a link always shows the latest data.</div>"
    )
    if st.session_state.get("_shared") != link:
        st.session_state["_shared"] = link
        with runtime.store().cursor() as everything:
            runs = runs_named(everything, short_addresses.whole(address))
        audit.record(runtime.store(), reader().name, "share", f"a frozen link, {when}", address=link, runs=runs)


def save_view_button(as_of: int) -> None:
    """Offer to save the page with its address under a name; nothing for readers who may not.

    Args:
        as_of: The batch that is shown.
    """
    if not reader().may("editor"):
        return
    with st.popover("Save view", icon=":material/bookmark_add:", help="Save this page with its filters under a title."):
        notice(NOTICE)
        _saved()
        name_field("view")
        with st.form("_view_form", border=False):
            st.text_input("Title", key=TITLE, max_chars=LONGEST_TITLE)
            st.text_area("Note", key=NOTE, max_chars=LONGEST_NOTE, height=90, placeholder="What it shows, and why")
            st.radio(
                "Data", [NEWEST, PINNED], key=PIN, index=int(links.AS_OF in st.query_params),
                captions=["numbers change as logs come in", f"import {as_of}: numbers stay as they are"],
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
            runtime.store(), reader(), page=shown_page(), address=shown_address(), title=session[TITLE],
            note=session[NOTE], as_of=as_of if session[PIN] == PINNED else None,
        )  # fmt: skip

    attempt(save, "editor", NOTICE, {TITLE: "", NOTE: ""})


def _saved() -> None:
    """Say, once, that the view was saved, with the link to it."""
    view_id = st.session_state.pop(SAVED, None)
    if view_id:
        st.html('<div class="dl-notice" role="status">Saved. This link opens it:</div>')
        st.code(link_to(view_id), language=None, wrap_lines=True)
