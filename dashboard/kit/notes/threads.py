"""The threads on one thing, with the way to answer, tag and settle them, and to begin another."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from dashboard import links, runtime
from dashboard.charts.points import point_id
from dashboard.kit.notes.thread_html import STYLE, anchor_text, thread_html
from dashboard.kit.notes.watching import shown
from dashboard.kit.page.reader import ALLOWED, attempt, cursor, name_field, notice, reader
from dashboard.kit.page.share import shown_address, shown_page
from dashboard.queries.rows import step_of
from dashboard.review.threads import changing as writer
from dashboard.review.threads.changing import LONGEST_COMMENT, LONGEST_TAG, MOST_TAGS, SUGGESTED_TAGS
from dashboard.review.threads.reading import Anchor, Thread, on_point, people_and_tags, threads_on

NOTICE = "_notes_notice"

Place = Callable[[], tuple[str, links.Parameters]]
"""Tells, when a note is written, the page and the address that lead to what it is on."""


def where_it_stands() -> tuple[str, links.Parameters]:
    """The page that is shown, as it stands."""
    return shown_page(), shown_address()


def threads_panel(
    threads: Sequence[Thread],
    anchor: Anchor | None,
    as_of: int,
    *,
    title: str = "Notes",
    place: Place = where_it_stands,
    name_of: Callable[[Anchor], str] = anchor_text,
) -> None:
    """Show threads, and let those who may write.

    Args:
        threads: What is shown, in this order.
        anchor: What a new thread will be on; None where none can be begun.
        as_of: The batch that is shown.
        title: Over them.
        place: Leads to what a new thread is on.
        name_of: Names the things of threads that are on something else.
    """
    st.html(STYLE)
    st.html(f'<div class="dl-head"><b>{title}</b>{_counted(threads)}</div>')
    open_ones = [thread for thread in threads if not thread.resolved]
    settled = [thread for thread in threads if thread.resolved]

    def show(thread: Thread) -> None:
        one_thread(thread, on=None if thread.anchor == anchor else name_of(thread.anchor))

    # In a place that is always there, however much stands in it: when somebody else's note appears, what follows keeps
    # its own, and whoever writes there keeps the cursor.
    with st.container():
        notice(NOTICE)
        for thread in open_ones:
            show(thread)
        if settled:
            with st.expander(f"Resolved ({len(settled)})"):
                for thread in settled:
                    show(thread)
    if not reader().may("editor"):
        st.caption(ALLOWED["editor"])
    elif anchor is not None:
        _add(anchor, as_of, place)


def _add(anchor: Anchor, as_of: int, place: Place) -> None:
    with st.expander("Add a note", icon=":material/add_comment:", expanded=False, key=f"add {_key(anchor)}"):
        name_field("notes")
        _new_thread(anchor, as_of, place)


def one_thread(thread: Thread, *, on: str | None = None, lead: Callable[[], object] | None = None) -> None:
    """One thread, with what can be done with it.

    Args:
        thread: As it is now.
        on: What it is on, in words, where that doesn't go without saying.
        lead: Draws the way to what it is on, where the thread stands elsewhere.
    """
    st.html(thread_html(thread, on=on))
    name = thread.thread_id
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if lead is not None:
            lead()
        if not reader().may("editor"):
            return
        with st.popover("Reply", icon=":material/reply:", type="tertiary", key=f"reply {name}"):
            _reply(name)
        with st.popover("Tags", icon=":material/label:", type="tertiary", key=f"tags {name}"):
            _tags(thread)
        settle = partial(writer.resolve, thread_id=name, resolved=not thread.resolved)
        label, icon = ("Reopen", ":material/undo:") if thread.resolved else ("Resolve", ":material/check:")
        st.button(label, icon=icon, type="tertiary", key=f"resolve {name}", on_click=_do, args=(settle,))


def pick_tags(label: str, key: str, tags: Sequence[str] = ()) -> None:
    """A field for tags: those in use and suggested, and free ones."""
    with cursor() as found:
        used = people_and_tags(found)[1]
    st.multiselect(
        label, list(dict.fromkeys([*tags, *SUGGESTED_TAGS, *used])), list(tags), key=key, accept_new_options=True,
        max_selections=MOST_TAGS, placeholder="Select or write tags", help=f"At most {LONGEST_TAG} characters each.",
    )  # fmt: skip


def _new_thread(anchor: Anchor, as_of: int, place: Place) -> None:
    text, tags = f"note {_key(anchor)}", f"new tags {_key(anchor)}"

    def write() -> None:
        page, address = place()
        session = st.session_state
        begin = partial(writer.begin_thread, anchor=anchor, page=page, address=address, as_of=as_of)
        _do(partial(begin, text=session[text], tags=session[tags]), {text: "", tags: []})

    with st.form(f"form {_key(anchor)}", border=False):
        st.text_area("Your note", key=text, height=100, max_chars=LONGEST_COMMENT, placeholder="Write a note")
        pick_tags("Tags", tags)
        st.form_submit_button("Add note", type="primary", on_click=write)


def _reply(thread_id: str) -> None:
    key = f"text {thread_id}"

    def write() -> None:
        _do(partial(writer.comment, thread_id=thread_id, text=st.session_state[key]), {key: ""})

    with st.form(f"reply form {thread_id}", border=False):
        st.text_area("Reply", key=key, height=100, max_chars=LONGEST_COMMENT, width=420)
        st.form_submit_button("Reply", type="primary", on_click=write)


def _tags(thread: Thread) -> None:
    # With the tags in the key the field follows them, whoever changed them.
    key = f"tags {thread.thread_id} {_short(repr(thread.tags))}"

    def write() -> None:
        _do(partial(writer.set_tags, thread_id=thread.thread_id, tags=st.session_state[key]))

    with st.form(f"tags form {thread.thread_id}", border=False):
        pick_tags("Tags", key, thread.tags)
        st.form_submit_button("Save", type="primary", on_click=write)


def _do(act: Callable[..., object], emptied: Mapping[str, Any] | None = None) -> None:
    attempt(lambda: act(runtime.store(), reader()), "editor", NOTICE, emptied)


def _counted(threads: Sequence[Thread]) -> str:
    left = sum(not thread.resolved for thread in threads)
    parts = [f"{left} open"] if left else []
    parts += [f"{len(threads) - left} resolved"] if len(threads) > left else []
    return f' <span class="dl-note">{", ".join(parts)}</span>' if parts else ""


def _key(anchor: Anchor) -> str:
    return _short(anchor.kind + anchor.text)


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def point_notes(row: Mapping[Any, Any], as_of: int) -> None:
    """Show the threads on a point, and let those who may write.

    Args:
        row: A row of the rates.
        as_of: The batch that is shown.
    """
    anchor = on_point(point_id(row), str(row["run"]), step_of(row))
    threads_panel(shown("point", lambda con: threads_on(con, [anchor])), anchor, as_of, title="Notes on this point")
