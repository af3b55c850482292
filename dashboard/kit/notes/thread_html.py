"""Notes as HTML: line breaks are kept, addresses are no links. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from dashboard import links
from dashboard.kit.page import clock
from dashboard.review.threads.reading import Anchor, Thread
from dashboard.texts.rendering import render

STYLE = """<style>
.dl-said { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .92rem; line-height: 1.45; }
.dl-said.long { max-height: 22rem; overflow-y: auto; }
.dl-comment { border-left: 3px solid rgba(0,114,178,.55); padding: .1rem 0 .1rem .7rem; margin: .35rem 0; }
.dl-thread.resolved .dl-comment { border-color: rgba(128,128,128,.35); }
.dl-who { font-size: .8rem; opacity: .75; overflow-wrap: anywhere; } .dl-who b { font-weight: 600; }
.dl-who a, .dl-view a { color: inherit; }
</style>"""

LONG = 1_500
"""Characters of a comment from which on it scrolls by itself."""

ANCHORS: Mapping[str, str] = {
    "point": "{point}",
    "sample": "sample {sample}, epoch {epoch}",
    "message": "sample {sample}, epoch {epoch}, message {number}",
    "reply": "reply {reply} of probe {probe}",
}
"""What a thread is on, in words, by kind."""

STATES = {True: "resolved", False: "open"}


def place_text(thread: Thread) -> str:
    """What a thread is on, with the checkpoint and eval that it belongs to where they are known; not escaped."""
    return " · ".join([*thread.belongs_to, anchor_text(thread.anchor)])


def anchor_text(anchor: Anchor) -> str:
    """What a thread is on, in words; not escaped."""
    number = int(anchor.names.get("message") or 0) + 1
    return ANCHORS[anchor.kind].format(**anchor.names, number=number)


def thread_html(thread: Thread, *, on: str | None = None) -> str:
    """A thread: its tags, its comments, whether it is settled.

    Args:
        thread: As it is now.
        on: What it is on, in words, where that doesn't go without saying.
    """
    state: str = STATES[thread.resolved]
    if thread.resolved_by is not None and thread.resolved_at is not None:
        did = "resolved" if thread.resolved else "opened again"
        state = Markup("{} by {}, {}").format(did, thread.resolved_by, clock.time_html(thread.resolved_at))
    return render(
        "thread",
        on=on,
        state=state,
        resolved=thread.resolved,
        link=f"{links.NOTES}?{links.query(links.parameters(thread=thread.thread_id))}",
        tags=thread.tags,
        comments=[
            (comment.author, clock.time_html(comment.created_at), comment.text, len(comment.text) > LONG)
            for comment in thread.comments
        ],
    )
