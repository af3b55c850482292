"""Notes on the replies of a probe: which reply is meant stands in the address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import streamlit as st

from dashboard import links
from dashboard.kit.notes.threads import threads_panel
from dashboard.kit.notes.watching import shown
from dashboard.kit.pickers import controls
from dashboard.queries.probes import SavedProbe
from dashboard.review.threads.reading import Thread, on_reply, threads_on

REPLY = "reply"
ALL = "every reply"


def reply_notes(probe: SavedProbe, columns: Mapping[int, str], as_of: int) -> None:
    """Show the notes on replies, and let those who may write one on the reply that is picked.

    Args:
        probe: As it is now.
        columns: What the columns are called, by position.
        as_of: The batch that is shown.
    """
    replies = {str(reply.reply_id): reply for reply in probe.replies if reply.text or reply.calls}
    if not replies:
        return
    anchors = [on_reply(probe.probe_id, reply.reply_id) for reply in replies.values()]
    threads: list[Thread] = shown("replies", lambda con: threads_on(con, anchors))
    noted = Counter(str(thread.anchor.names[REPLY]) for thread in threads)
    several = len({reply.framing for reply in replies.values()}) > 1

    def title(name: str) -> str:
        reply = replies[name]
        parts = [columns[reply.position], *([reply.framing] if several else []), f"sample {reply.sample + 1}"]
        parts += [f"turn {reply.turn + 1}"] if reply.turn else []
        parts += [f"{noted[name]} {'note' if noted[name] == 1 else 'notes'}"] if noted[name] else []
        return " · ".join(parts)

    titles = {name: title(name) for name in replies}
    with st.container(border=True, key="reply_notes"):
        picked = controls.pick_one("Notes on", REPLY, [ALL, *replies], default=ALL, titles=titles, leave_out=ALL)
        if picked == ALL and not threads:
            st.caption("No notes yet. Select a reply to add one.")
            return
        of = [thread for thread in threads if picked in (ALL, str(thread.anchor.names[REPLY]))]
        anchor = None if picked == ALL else on_reply(probe.probe_id, int(picked))
        place = links.PROBE, {**links.probe(probe.probe_id), REPLY: [picked]}
        threads_panel(of, anchor, as_of, place=lambda: place, name_of=lambda on: titles[str(on.names[REPLY])])
