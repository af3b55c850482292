"""People's verdicts on replies; blind, if they like: without names, in an order of its own, until all are marked."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard import numerals, runtime
from dashboard.app_pages.probe import noting
from dashboard.app_pages.probe.columns import Head, blinded, head_html, rows_of
from dashboard.app_pages.probe.reply_html import SIGNS, reply_html
from dashboard.app_pages.probe.results import heads_of
from dashboard.kit.page.reader import ALLOWED, attempt, name_field, reader
from dashboard.kit.text.plain import escaped
from dashboard.probe import plans
from dashboard.probe.asked import MOST_COLUMNS
from dashboard.queries.probe_rates import PEOPLE, probe_rates
from dashboard.queries.probes import SavedProbe, SavedReply

SECRET = "_probe_blind_secret"  # noqa: S105 - the seed of an order
VERDICTS = {f"{sign} {kind}": kind for kind, sign in SIGNS.items()}


def marking(probe: SavedProbe, runs: pd.DataFrame) -> None:
    """Mark every reply, with names or blind."""
    if not reader().may("editor"):
        st.html(f'<div class="dl-note">{ALLOWED["editor"]}</div>')
        return
    first, second = st.columns([3, 2], vertical_alignment="bottom")
    blind = first.toggle(
        "Blind: names hidden and replies shuffled until all are rated", key="probe_blind",
        help="Also hides judge verdicts, other human ratings and usage.",
    )  # fmt: skip
    with second:
        name_field("ratings")
    author = reader().name
    last = [thread[-1] for thread in plans.threads(probe)]
    mine = {reply.reply_id: (reply.marks.get(author) or {}).get("verdict") for reply in last}
    markable = [reply for reply in last if reply.status in plans.ANSWERED and (reply.text or reply.calls)]
    left = sum(mine[reply.reply_id] is None for reply in markable)
    hidden = blind and left > 0
    found = heads_of(probe, runs)
    if hidden:
        found = blinded(found, st.session_state.setdefault(SECRET, secrets.token_hex(8)) + probe.probe_id)
    told = (
        f"{left} of {numerals.plural(len(markable), 'reply', 'replies')} unrated." if left else "All replies are rated."
    )
    st.html(f'<div class="dl-note">{told}</div>')
    rates = {} if hidden else {(r.framing, r.position): r for r in probe_rates(probe.replies, PEOPLE)}
    found = _page(found)
    for framing in plans.framings_of(probe):
        st.html(f'<div class="dl-head"><b>{escaped(framing.name)}</b></div>')
        for row in rows_of(found):
            for head, column in zip(row, st.columns(len(row), gap="small"), strict=True):
                with column:
                    st.html(head_html(head, rates.get((framing.name, head.position))))
                    _replies(
                        probe, [r for r in markable if r.framing == framing.name and r.position == head.position],
                        author, mine, hidden, found.index(head) + 1,
                    )  # fmt: skip


def _page(found: Sequence[Head]) -> list[Head]:
    """The columns that are marked now: of a sweep, a few at a time."""
    pages = [list(found[at : at + MOST_COLUMNS]) for at in range(0, len(found), MOST_COLUMNS)]
    if len(pages) < 2:
        return list(found)
    at = st.selectbox(
        "Checkpoints", range(len(pages)), key="probe_mark_page", width=420,
        format_func=lambda at: f"{pages[at][0].name} to {pages[at][-1].name} ({at + 1} of {len(pages)})",
    )  # fmt: skip
    return pages[at]


def _replies(
    probe: SavedProbe,
    replies: Sequence[SavedReply],
    author: str,
    mine: dict[int, str | None],
    hidden: bool,
    place: int,
) -> None:
    if not replies:
        st.html('<div class="dl-note">No replies.</div>')
    labels = {kind: label for label, kind in VERDICTS.items()}
    for reply in sorted(replies, key=lambda reply: reply.sample):
        st.html(reply_html(_bare(reply) if hidden else reply, judges=[] if hidden else list(reply.verdicts)))
        key = f"probe_mark_{reply.reply_id}_{author}"
        st.session_state.setdefault(key, labels.get(mine[reply.reply_id] or ""))
        st.segmented_control(
            f"Rate sample {reply.sample + 1} of column {place}", list(VERDICTS), key=key, label_visibility="collapsed",
            on_change=_mark, args=(probe, reply.reply_id, author, key),
        )  # fmt: skip


def _mark(probe: SavedProbe, reply_id: int, author: str, key: str) -> None:
    verdict = VERDICTS.get(st.session_state[key] or "")

    def mark() -> None:
        runtime.probes().engine.mark(reply_id, author, verdict)
        noting.marked(probe, verdict)

    attempt(mark, "editor")


def _bare(reply: SavedReply) -> SavedReply:
    """A reply with nothing but what the model said."""
    return SavedReply(
        reply_id=reply.reply_id, position=0, framing=reply.framing, sample=reply.sample, turn=reply.turn, attempt=0,
        follows=None, user_text=None, seed=None, reserved=0, status="complete", text=reply.text,
        reasoning=reply.reasoning, calls=reply.calls,
    )  # fmt: skip
