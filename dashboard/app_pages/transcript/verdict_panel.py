"""People's verdicts on a sample, beside the judge's outcome: never over it."""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard import runtime
from dashboard.kit import caches
from dashboard.kit.notes.thread_html import when
from dashboard.kit.notes.watching import shown
from dashboard.kit.numbers import outcome_words
from dashboard.kit.page.reader import ALLOWED, attempt, name_field, notice, reader
from dashboard.kit.pickers import controls
from dashboard.queries.samples import SampleName
from dashboard.queries.verdicts import VERDICTS, PersonsVerdict, Verdict, verdicts_on
from dashboard.review.verdicts import LONGEST_NOTE, give_verdict
from dashboard.texts.rendering import render

METRIC, NOTICE = "transcript_verdict_metric", "_verdict_notice"


def verdict_panel(sample: SampleName, eval_name: str, asked: str | None, read_hash: str, as_of: int) -> None:
    """Show the judge's outcome and everybody's verdicts under a metric, and let those who may give their own.

    Args:
        sample: Which.
        eval_name: Its eval.
        asked: The metric that the filter of samples names, if one.
        read_hash: Of the transcript that is shown.
        as_of: The batch that is shown.
    """
    metrics = caches.metrics_for((eval_name,), as_of)
    rates = metrics[metrics["kind"] == "rate"]
    if rates.empty:
        st.caption("People's verdicts need a metric of yes or no; this eval has none, only numbers.")
        return
    titles = dict(zip(rates["metric"], rates["title"], strict=True))
    st.html('<div class="dl-head"><b>People\'s verdicts</b></div>')
    notice(NOTICE)
    arrived = controls.source() is not None
    if (arrived and asked in titles) or st.session_state.get(METRIC) not in titles:
        st.session_state[METRIC] = asked if asked in titles else next(iter(titles))
    if len(titles) > 1:
        st.selectbox("Under", list(titles), key=METRIC, format_func=lambda name: titles[name])
    metric = st.session_state[METRIC]
    row = rates[rates["metric"] == metric].iloc[0]
    words = outcome_words(row["better"] if isinstance(row["better"], str) else None)
    judge = caches.judges_outcome(eval_name, metric, *sample, as_of)
    said: list[PersonsVerdict] = shown("verdicts", lambda con: verdicts_on(con, metric, *sample))
    st.html(
        render(
            "verdicts",
            metric="" if len(titles) > 1 else titles[metric],
            definition=row["definition"],
            judge=words.get(judge or "none") or "no outcome",
            said=[
                (one.author, words[one.verdict], when(one.marked_at), one.transcript_hash != read_hash, one.note)
                for one in said
            ],
        )
    )
    if not reader().may("editor"):
        st.caption(ALLOWED["editor"])
        return
    name_field("verdict")
    mine = next((one for one in said if one.author == reader().name), None)
    _own_verdict(sample, metric, mine, words, as_of)


def _own_verdict(
    sample: SampleName, metric: str, mine: PersonsVerdict | None, words: dict[str, str], as_of: int
) -> None:
    # With the verdict in the key the form follows it, also where it was given in another window.
    stem = f"{sample} {metric} {reader().name} {mine.marked_at if mine else ''}"
    picked, note = f"verdict {stem}", f"verdict note {stem}"

    def say(verdict: Verdict | None) -> None:
        give = partial(
            give_verdict, runtime.store(), reader(), log=sample.log, sample=sample.sample, epoch=sample.epoch,
            metric=metric, verdict=verdict, note=st.session_state[note] if verdict else "", as_of=as_of,
        )  # fmt: skip
        attempt(give, "editor", NOTICE)

    def save() -> None:
        verdict = st.session_state[picked]
        if verdict is None:
            st.session_state[NOTICE] = "Pick a verdict first."
        else:
            say(verdict)

    with st.form(f"form {stem}", border=False):
        st.segmented_control(
            "Your verdict", list(VERDICTS), default=mine.verdict if mine else None, key=picked,
            format_func=lambda verdict: words[verdict],
        )  # fmt: skip
        st.text_input(
            "Why", mine.note if mine else "", key=note, max_chars=LONGEST_NOTE, placeholder="Why, if you like",
            label_visibility="collapsed",
        )  # fmt: skip
        st.form_submit_button("Change verdict" if mine else "Give verdict", type="primary", on_click=save)
    if mine:
        st.button("Take back", icon=":material/undo:", type="tertiary", key=f"back {stem}", on_click=say, args=(None,))
