"""Notes: every thread, whatever it is on, with the way to its place."""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard import links, numerals
from dashboard.kit.notes.thread_html import STYLE, place_text
from dashboard.kit.notes.threads import NOTICE, one_thread
from dashboard.kit.notes.watching import shown
from dashboard.kit.page import nothing, shell
from dashboard.kit.page.reader import ALLOWED, cursor, name_field, notice, reader
from dashboard.kit.pickers import controls
from dashboard.pages import page_file
from dashboard.review.threads.reading import KINDS, Thread, ThreadFilter, find_threads, people_and_tags

ANY = "any"
STATES = {ANY: None, "open": False, "resolved": True}
# Threads that are listed at once.
MOST = 30

controls.arrive(links.NOTES)
as_of = shell.as_of()
with cursor() as found:
    people, tags = people_and_tags(found)
if not people:
    nothing.no_notes(reader().may("editor"))
with st.sidebar:
    text = controls.write("Text", "text", placeholder="comments and tags")
    state = controls.pick_one("State", "state", list(STATES), default=ANY, leave_out=ANY)
    kind = controls.pick_one("On a", "kind", [ANY, *KINDS], default=ANY, leave_out=ANY)
    tag = controls.pick_any("Tag", "tag", tags, most=1)
    author = controls.pick_any("Author", "author", people, most=1)
    name_field("notes")
only = controls.named("thread")
wanted = ThreadFilter(
    resolved=STATES[state], kind="" if kind == ANY else kind, tag="".join(tag), author="".join(author), text=text
)
threads: list[Thread] = shown("all notes", lambda con: find_threads(con, wanted, as_of))
st.html(STYLE)


def all_notes() -> None:
    """Show all of them again."""
    controls.put("thread", [])


def lead_to(thread: Thread) -> None:
    """The way to what a thread is on; where that is gone, to what it was when the thread was begun."""
    label, icon, address = "Open", ":material/open_in_new:", thread.address
    if not thread.there:
        label, icon = f"Open at import {thread.as_of}", ":material/history:"
        address = {**address, links.AS_OF: [str(thread.as_of)]}
    st.page_link(page_file(thread.page), label=label, icon=icon, query_params=address)


if only:
    controls.put("thread", only)
    controls.remember("thread", only)
    threads = [thread for thread in threads if thread.thread_id in only]
    st.button("All notes", icon=":material/arrow_back:", on_click=all_notes)
notice(NOTICE)
if not threads:
    st.html(f'<div class="dl-note">{"No such note." if only else "No notes match the filters."}</div>')
else:
    st.html(
        f'<div class="dl-head"><b>{numerals.count(len(threads))}</b> {"note" if len(threads) == 1 else "notes"}</div>'
    )
if not reader().may("editor"):
    st.caption(ALLOWED["editor"])
for thread in threads[:MOST]:
    with st.container(border=True):
        if not thread.there:
            gone = f"not in the store at import {as_of}; written at import {thread.as_of}"
            st.html(f'<div class="dl-notice">The object of this note is {gone}.</div>')
        one_thread(thread, on=place_text(thread), lead=partial(lead_to, thread))
if len(threads) > MOST:
    older = numerals.count(len(threads) - MOST)
    st.html(f'<div class="dl-note">{older} older notes are not listed: narrow the filters.</div>')
controls.leave()
