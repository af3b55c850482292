"""People's verdicts on a sample, beside the judge's outcome: never over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from dashboard import runtime
from dashboard.kit import caches
from dashboard.kit.notes.watching import shown
from dashboard.kit.numbers import outcome_words
from dashboard.kit.page import clock
from dashboard.kit.page.reader import ALLOWED, attempt, name_field, notice, reader
from dashboard.kit.pickers import controls
from dashboard.kit.text.transcript import score_value
from dashboard.queries.samples import SampleName
from dashboard.queries.verdicts import VERDICTS, PersonsVerdict, Verdict, verdicts_on
from dashboard.review.verdicts import LONGEST_NOTE, give_verdict
from dashboard.texts.rendering import render

METRIC, NOTICE = "transcript_verdict_metric", "_verdict_notice"
MOST_SCORES, LONGEST_VALUE = 8, 60
"""In the header; the panel has them all."""


@dataclass(frozen=True)
class Labelled:
    """What a judge and people say of a sample under a metric.

    Attributes:
        titles: Of all metrics under which it could be labelled, by name.
        metric, definition: The one in use.
        words: For outcomes.
        judge: The judge's outcome in words.
        said: Everybody's labels.
    """

    titles: Mapping[str, str]
    metric: str
    definition: str
    words: Mapping[str, str]
    judge: str
    said: Sequence[PersonsVerdict]


def labelled(sample: SampleName, eval_name: str, asked: Sequence[str], as_of: int) -> Labelled | None:
    """What is said of a sample under the metric that is picked; None where its eval has no yes-or-no metric.

    Args:
        sample: Which.
        eval_name: Its eval.
        asked: The metrics that the filter of samples names.
        as_of: The batch that is shown.
    """
    metrics = caches.metrics_for((eval_name,), as_of)
    rates = metrics[metrics["kind"] == "rate"]
    if rates.empty:
        return None
    titles = dict(zip(rates["metric"], rates["title"], strict=True))
    named = asked[0] if len(asked) == 1 and asked[0] in titles else None
    arrived = controls.source() is not None
    if (arrived and named) or st.session_state.get(METRIC) not in titles:
        st.session_state[METRIC] = named or next(iter(titles))
    metric = st.session_state[METRIC]
    row = rates[rates["metric"] == metric].iloc[0]
    words = outcome_words(row["better"] if isinstance(row["better"], str) else None)
    judge = caches.judges_outcome(eval_name, metric, *sample, as_of)
    said: list[PersonsVerdict] = shown("verdicts", lambda con: verdicts_on(con, metric, *sample))
    return Labelled(titles, metric, row["definition"], words, words.get(judge or "none") or "unscored", said)


def header_html(found: Labelled | None, scores: Sequence[Mapping[str, Any]]) -> str:
    """What a sample came to, in a line: outcome, scores, human labels.

    Args:
        found: From `labelled`.
        scores: Columns of `scores`.
    """
    told = [
        (
            ".".join(str(score[part]) for part in ("scorer", "key") if score[part] is not None) + " = ",
            score_value(score)[:LONGEST_VALUE],
        )
        for score in scores[:MOST_SCORES]
    ]
    if found is not None:
        told = [("", found.judge), *told]
        told += [(f"{one.author}: ", found.words[one.verdict]) for one in found.said]
    return render("header", told=told or [("", "not scored")])


def verdict_panel(sample: SampleName, found: Labelled | None, read_hash: str, as_of: int) -> None:
    """Show the judge's outcome and everybody's verdicts under a metric, and let those who may give their own.

    Args:
        sample: Which.
        found: From `labelled`.
        read_hash: Of the transcript that is shown.
        as_of: The batch that is shown.
    """
    if found is None:
        st.caption("Human labels need a yes-or-no metric; this eval has none.")
        return
    st.html('<div class="dl-head"><b>Human labels</b></div>')
    notice(NOTICE)
    titles = found.titles
    if len(titles) > 1:
        st.selectbox("Metric", list(titles), key=METRIC, format_func=lambda name: titles[name])
    metric, words, said = found.metric, found.words, found.said
    st.html(
        render(
            "verdicts",
            metric="" if len(titles) > 1 else titles[metric],
            definition=found.definition,
            judge=found.judge,
            said=[
                (
                    one.author,
                    words[one.verdict],
                    clock.time_html(one.marked_at),
                    one.transcript_hash != read_hash,
                    one.note,
                )
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
    sample: SampleName, metric: str, mine: PersonsVerdict | None, words: Mapping[str, str], as_of: int
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
            st.session_state[NOTICE] = "Select a label first."
        else:
            say(verdict)

    with st.form(f"form {stem}", border=False):
        st.segmented_control(
            "Your label", list(VERDICTS), default=mine.verdict if mine else None, key=picked,
            format_func=lambda verdict: words[verdict],
        )  # fmt: skip
        st.text_input(
            "Explanation", mine.note if mine else "", key=note, max_chars=LONGEST_NOTE,
            placeholder="Explanation (optional)", label_visibility="collapsed",
        )  # fmt: skip
        st.form_submit_button("Update" if mine else "Submit", type="primary", on_click=save)
    if mine:
        st.button("Undo", icon=":material/undo:", type="tertiary", key=f"back {stem}", on_click=say, args=(None,))
