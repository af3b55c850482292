"""Notes: every thread, whatever it is on, with the way to its place."""

from __future__ import annotations

import streamlit as st

from dashboard import links
from dashboard.parts import controls, nothing, shell
from dashboard.parts.plain import escaped
from dashboard.parts.probe.attempts import notice
from dashboard.parts.reader import cursor, name_field, reader
from dashboard.parts.review.thread_html import STYLE, anchor_text
from dashboard.parts.review.threads_panel import NOTICE, ONLY_READ, one_thread
from dashboard.parts.review.watching import shown
from dashboard.queries.threads import KINDS, Thread, ThreadFilter, find_threads, people_and_tags

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
    text = controls.write("Text", "text", placeholder="in comments and tags")
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


if only:
    controls.put("thread", only)
    controls.remember("thread", only)
    threads = [thread for thread in threads if thread.thread_id in only]
    st.button("All notes", icon=":material/arrow_back:", on_click=all_notes)
notice(NOTICE)
if not threads:
    st.html(f'<div class="dl-note">{"This note is not here." if only else "No note passes this filter."}</div>')
else:
    st.html(f'<div class="dl-head"><b>{len(threads):,}</b> {"note" if len(threads) == 1 else "notes"}</div>')
if not reader().may("editor"):
    st.caption(ONLY_READ)
for thread in threads[:MOST]:
    with st.container(border=True):
        one_thread(thread, on=f"{thread.anchor.kind} · {anchor_text(thread.anchor)}")
        page = links.page_file(thread.page)
        if thread.there:
            st.page_link(page, label="Open", icon=":material/open_in_new:", query_params=thread.address)
        else:
            gone = f"What this note is on is not in the store as of batch {as_of}. It was written as of batch"
            st.html(f'<div class="dl-notice">{escaped(gone)} {thread.as_of}.</div>')
            then = {**thread.address, links.AS_OF: [str(thread.as_of)]}
            label = f"Open as of batch {thread.as_of}"
            st.page_link(page, label=label, icon=":material/history:", query_params=then)
if len(threads) > MOST:
    st.html(f'<div class="dl-note">{len(threads) - MOST:,} older ones are not listed: narrow the filter.</div>')
controls.leave()
