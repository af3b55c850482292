"""The queue of samples to label: one at a time, blind, with two keys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial

import streamlit as st
from msgspec.structs import replace

from dashboard import numerals, runtime
from dashboard.kit import caches
from dashboard.kit.page.reader import ALLOWED, attempt, name_field, notice, reader
from dashboard.kit.text.plain import escaped
from dashboard.queries.agreement import AgreementQuery, Name
from dashboard.queries.verdicts import VERDICTS, Verdict
from dashboard.review.verdicts import give_verdict
from dashboard.texts.messages import messages_of_sample
from dashboard.texts.rendering import draw, messages_html

SKIPPED, NOTICE = "_agreement_skipped", "_queue_notice"
KEYS = dict(zip(VERDICTS, ("1", "2"), strict=True))


def label_queue(query: AgreementQuery, words: Mapping[str, str], newest: datetime | None, as_of: int) -> None:
    """The sample to label next, without the judge's verdict, its scores and the checkpoint.

    Args:
        query: The logs in sight, and the metric.
        words: For outcomes.
        newest: When the newest label was given.
        as_of: The batch that is shown.
    """
    skipped: list[Name] = st.session_state.setdefault(SKIPPED, [])
    found = caches.next_to_label(query, as_of, tuple(skipped), newest)
    notice(NOTICE)
    st.html(
        f'<div class="dl-note">Labeled from the queue: {numerals.part(found.labelled, found.total)}. Hidden until'
        " labeled: the judge's verdict, scores, checkpoint. Next is the sample that narrows the corrected rates most:"
        " drawn at random from the verdict (Neyman allocation within each log) that lowers the variance most.</div>"
    )
    if found.name is None:
        st.caption("No sample left to label." if not skipped else "Only skipped samples are left.")
        if skipped:
            st.button("Show skipped samples", on_click=skipped.clear)
        return
    if not reader().may("editor"):
        st.caption(ALLOWED["editor"])
        return
    log, sample, epoch = found.name

    def say(verdict: Verdict) -> None:
        give = partial(
            give_verdict, runtime.store(), reader(), log=log, sample=sample, epoch=epoch, metric=query.metric,
            verdict=verdict, as_of=as_of, drawn=True,
        )  # fmt: skip
        attempt(give, "editor", NOTICE)

    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        for verdict, key in KEYS.items():
            st.button(words[verdict], on_click=say, args=(verdict,), shortcut=key, type="primary")
        st.button("Skip", on_click=skipped.append, args=(found.name,), shortcut="S", type="tertiary")
        name_field("queue")
    read = caches.transcript(log, sample, epoch, as_of)
    st.html(f'<div class="dl-head">Sample <b>{escaped(sample)}</b></div>')
    # Who speaks is named by the model, and with it the checkpoint.
    blind = [
        message if message.role == "tool" else replace(message, speaker="")
        for message in messages_of_sample(read.messages, read.sample)
    ]
    st.html(messages_html(draw(blind)) or '<div class="dl-note">The log has no messages of this sample.</div>')
