"""Notes on a sample and its messages, beside the transcript: which message is meant stands in the address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard import links
from dashboard.kit.notes.threads import threads_panel
from dashboard.kit.notes.watching import shown
from dashboard.kit.pickers import controls
from dashboard.queries.rows import whole_number
from dashboard.queries.samples import SampleName
from dashboard.review.threads.reading import Anchor, Thread, on_message, on_sample, threads_in_sample

MESSAGE = "message"
PICKED, TURNED = "transcript_message", "_transcript_message_turned"
WHOLE = 0
"""What stands for the whole sample among the numbers of its messages."""


def notes_of(sample: SampleName) -> list[Thread]:
    """The threads on a sample and its messages, which follow what others write."""
    found: list[Thread] = shown("notes", lambda con: threads_in_sample(con, *sample))
    return found


def chosen_message(messages: int) -> int | None:
    """The message that is marked, from 1; None for none. On arrival the address names it."""
    restored = controls.restored(MESSAGE)
    if controls.source() is not None:
        st.session_state[PICKED] = whole_number(restored[0]) if restored else WHOLE
    number = st.session_state.setdefault(PICKED, WHOLE) or WHOLE
    if not 0 <= number <= messages:
        number = WHOLE
    st.session_state[PICKED] = number
    controls.remember(MESSAGE, number or None)
    return number or None


def chosen_anew(number: int | None) -> int | None:
    """The message that is marked, where it was not on the page's last run: then the page turns to it."""
    before, st.session_state[TURNED] = st.session_state.get(TURNED), number
    return number if number != before or controls.source() is not None else None


def pick_message(number: int) -> None:
    """Mark a message, by its number from 1."""
    st.session_state[PICKED] = number


def forget_message() -> None:
    """Mark none: another sample is shown."""
    st.session_state[PICKED] = WHOLE


def notes_on_messages(threads: Sequence[Thread]) -> Mapping[int, int]:
    """How many threads there are on each message, by its number from 1."""
    return Counter(int(t.anchor.names["message"] or 0) + 1 for t in threads if t.anchor.kind == "message")


def sample_notes(
    threads: Sequence[Thread], sample: SampleName, messages: Sequence[Mapping[str, Any]], as_of: int
) -> None:
    """The notes, with the choice of what a new one is on; the message that is chosen is marked in the transcript.

    Args:
        threads: From `notes_of`.
        sample: Which.
        messages: Of its conversation.
        as_of: The batch that is shown.
    """
    noted = notes_on_messages(threads)

    def title(number: int) -> str:
        if number == WHOLE:
            return "the whole sample"
        count = f", {noted[number]} notes" if noted.get(number, 0) > 1 else ", 1 note" if number in noted else ""
        return f"message {number}, {messages[number - 1]['role']}{count}"

    if messages:
        st.selectbox("Notes on", range(len(messages) + 1), key=PICKED, format_func=title)
    number = st.session_state[PICKED] if messages else WHOLE
    on_this = [thread for thread in threads if _number(thread.anchor) == number]
    shown_threads = on_this if number else [*on_this, *(thread for thread in threads if _number(thread.anchor))]
    anchor = on_message(*sample, number - 1) if number else on_sample(*sample)
    place = links.TRANSCRIPT, links.transcript(*sample, message=number or None)
    threads_panel(shown_threads, anchor, as_of, place=lambda: place)


def _number(anchor: Anchor) -> int:
    return int(anchor.names["message"] or 0) + 1 if anchor.kind == "message" else WHOLE
