"""A probe and what came of it: replies as they arrive, differences, likelihoods, marks; and what to do next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st
from markupsafe import Markup

from dashboard import numerals, runtime
from dashboard.access import NotAllowed
from dashboard.app_pages.probe import compose, noting, stream
from dashboard.app_pages.probe.columns import Head, head_html, heads, rows_of
from dashboard.app_pages.probe.reply_html import reply_html
from dashboard.kit.data_table import data_table
from dashboard.kit.page import clock
from dashboard.kit.page.fragments import fragment
from dashboard.kit.page.reader import attempt, cursor, reader
from dashboard.kit.pickers import controls
from dashboard.kit.pickers.series import colours_of, labels_of
from dashboard.kit.text.plain import KEY, escaped, listed
from dashboard.kit.text.replies import messages_of_prompt
from dashboard.probe import plans
from dashboard.probe.asked import Column
from dashboard.probe.judge import Judge
from dashboard.queries.probe_rates import PEOPLE
from dashboard.queries.probes import SavedProbe, unseen
from dashboard.texts.rendering import draw, render
from dashboard.texts.word_differences import differences

LOOK_SECONDS = 1.0
MEASURING = "probe_measuring"
VIEWS = {
    "probe": ["replies", "rate", "differences", "likelihoods"],
    "sweep": ["curve", "rate", "likelihoods"],
}
"""By kind of probe. Hundreds of replies side by side could not be read: a sweep shows those of one point."""


def pick_view(probe: SavedProbe) -> str:
    """What of a probe is looked at."""
    return controls.switch("View", "view", VIEWS.get(probe.kind, VIEWS["probe"]), collapsed=True)


def heads_of(probe: SavedProbe, runs: pd.DataFrame) -> list[Head]:
    """The heads of a probe's columns, coloured as their runs are on every page."""
    return heads(probe.columns, labels_of(runs), colours_of(runs, "run")[0])


def judges_of(probe: SavedProbe) -> dict[str, str]:
    """Judges' ids with what they are called."""
    return {judge["judge_id"]: f"{judge['model']} at {judge['endpoint']}" for judge in probe.judges}


def facts_html(probe: SavedProbe) -> str:
    """What was asked when, how, and by whom, in a line."""
    sampling = plans.sampling_of(probe)
    who = f" by {probe.author}" if probe.author else ""
    parts = [
        Markup("sent {}{}").format(clock.time_html(probe.created_at), who),
        f"{sampling.samples} samples" if sampling.samples > 1 else "1 sample",
        "temperature " + ("server default" if sampling.temperature is None else f"{sampling.temperature:g}"),
        f"max {numerals.count(sampling.max_tokens)} tokens",
        "no seed" if sampling.seed is None else f"seed {sampling.seed}",
        *(["system prompt merged into user turn"] if sampling.merge_system else []),
    ]
    return f'<div class="dl-note">{" · ".join(map(escaped, parts))}</div>'


def prompt_html(probe: SavedProbe) -> str:
    """The prompts, folded."""
    framings = [(framing.name, draw(messages_of_prompt(framing.prompt))) for framing in plans.framings_of(probe)]
    return render("prompts", framings=framings)


def judge_button(probe: SavedProbe, models: Mapping[str, Column], names: Mapping[str, str]) -> None:
    """Have the replies judged, by one more judge."""
    with st.popover("Judge", icon=":material/gavel:", help="Score all replies of this probe with a judge model."):
        judge = compose.judge_fields(models, names, "probe_judge_more", "probe_rubric_more")
        if st.button("Score all replies", type="primary", disabled=judge is None, key="probe_judge_all") and judge:
            attempt(partial(_judge, probe, judge))
            st.rerun()


def _judge(probe: SavedProbe, judge: Judge) -> None:
    with cursor() as seen:
        if any(unseen(seen, [judge.column])):
            raise NotAllowed("This model is not available to you.")
    runtime.probes().engine.judge(probe.probe_id, judge, compose.author())
    noting.judged(probe, judge)


def replies(probe: SavedProbe, runs: pd.DataFrame) -> Callable[[], None]:
    """Every reply as it is now, and the way to go on talking; returns what draws on, the last thing to be done."""
    judges = judges_of(probe)
    follow = stream.columns(probe.probe_id, heads_of(probe, runs), list(judges), _rated_by(probe, judges))
    if probe.kind == "probe" and reader().may("prober"):
        _follow_up(probe, runs)
    return follow


def _rated_by(probe: SavedProbe, judges: Mapping[str, str]) -> str | None:
    marked = any(reply.marks for reply in probe.replies)
    options = {**judges, **({PEOPLE: "Human ratings"} if marked else {})}
    if len(options) < 2:
        return next(iter(options), None)
    return controls.pick_one("Rates by", "by", list(options), default=next(iter(options)), titles=options)


def _follow_up(probe: SavedProbe, runs: pd.DataFrame) -> None:
    found = heads_of(probe, runs)
    everyone = -1
    with st.form("probe_follow_up", clear_on_submit=True, border=False):
        first, second, third = st.columns([7, 3, 1.4], gap="small", vertical_alignment="bottom")
        text = first.text_input("Follow-up", placeholder="Next message, to all models or one", key="probe_next")
        to = second.selectbox(
            "To", [everyone, *(head.position for head in found)], key="probe_next_to",
            format_func=lambda at: "all models" if at == everyone else next(h.name for h in found if h.position == at),
        )  # fmt: skip
        sent = third.form_submit_button("Send", icon=":material/send:")
    if sent:
        positions = None if to == everyone else [to]
        attempt(partial(_go_on, probe, text, positions))
        st.rerun()


def _go_on(probe: SavedProbe, text: str, positions: list[int] | None) -> None:
    runtime.probes().engine.follow_up(probe.probe_id, text, positions)
    noting.went_on(probe, "one more message")


def _measure(probe: SavedProbe, wanted: list[str]) -> None:
    runtime.probes().engine.measure(probe.probe_id, wanted)
    noting.went_on(probe, "likelihoods")


def differences_view(probe: SavedProbe, runs: pd.DataFrame) -> None:
    """Replies against those of one column, by word."""
    found = heads_of(probe, runs)
    titles = {str(head.position): head.name for head in found}
    base = controls.pick_one("Differences from", "to", list(titles), default=next(iter(titles)), titles=titles)
    sampling = plans.sampling_of(probe)
    sample = 0
    if sampling.samples > 1:
        sample = int(controls.number("Sample", "sample_no", default=1.0, least=1.0, most=float(sampling.samples))) - 1
    last = {(t[-1].framing, t[-1].position): t[-1] for t in plans.threads(probe) if t[-1].sample == sample}
    for framing in plans.framings_of(probe):
        st.html(f'<div class="dl-head"><b>{escaped(framing.name)}</b></div>')
        against = last.get((framing.name, int(base)))
        for row in rows_of(found):
            for head, column in zip(row, st.columns(len(row), gap="small"), strict=True):
                reply = last.get((framing.name, head.position))
                with column:
                    st.html(head_html(head))
                    if reply is None:
                        st.html('<div class="dl-note">No reply.</div>')
                        continue
                    same = against is None or head.position == int(base)
                    segments = None if same or against is None else differences(against.text, reply.text)
                    st.html(reply_html(reply, prefill=framing.prompt.prefill, segments=segments))
    st.html(KEY)


def likelihoods_view(probe: SavedProbe, runs: pd.DataFrame, suggested: Sequence[str]) -> None:
    """How likely each checkpoint finds given continuations."""
    if reader().may("prober"):
        _likelihoods_form(probe, suggested)
    fragment(_likelihood_table, every=LOOK_SECONDS)(probe.probe_id, heads_of(probe, runs))


def _likelihoods_form(probe: SavedProbe, suggested: Sequence[str]) -> None:
    with st.form("probe_likelihoods", border=False):
        text = st.text_area(
            "Continuations (one per line)", "\n".join(suggested), height=90, key="probe_continuations",
            help="Sum of the natural log-probabilities of each continuation's tokens, as the beginning of the"
            " reply. Longer continuations are less likely: compare models, not continuations.",
        )  # fmt: skip
        if st.form_submit_button("Measure", icon=":material/straighten:"):
            wanted = list(dict.fromkeys(line for line in text.splitlines() if line.strip()))
            attempt(partial(_measure, probe, wanted))
            st.rerun()


def _likelihood_table(probe_id: str, found: Sequence[Head]) -> None:
    """A row for each continuation and framing, a column for each model; under it, what could not be measured."""
    probe = stream.read(probe_id)
    active = runtime.probes().engine.active(probe_id)
    if st.session_state.get(MEASURING) and not active:
        st.session_state[MEASURING] = False
        st.rerun()  # the buttons over the table, too
    st.session_state[MEASURING] = active
    if not probe.likelihoods:
        st.caption("Measuring …" if active else "No likelihoods yet.")
        return
    per_token = st.toggle("Per token", key="probe_per_token", help="Log-probability divided by the number of tokens.")
    names = {head.position: head.name for head in found}
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for one in probe.likelihoods:
        row = rows.setdefault(
            (one["continuation"], one["framing"]),
            {"continuation": one["continuation"], "framing": one["framing"], "tokens": None},
        )
        measured = one["logprob"]
        row[names[one["position"]]] = measured / one["tokens"] if per_token and one["tokens"] else measured
        row["tokens"] = one["tokens"] or row["tokens"]
    number = st.column_config.NumberColumn(format=numerals.COLUMN_DECIMALS)
    data_table(
        pd.DataFrame(list(rows.values())), column_config=dict.fromkeys(names.values(), number),
        key="probe_likelihood_table", placeholder="–",
    )  # fmt: skip
    remarks = [f"{names[one['position']]}: {one['error']}" for one in probe.likelihoods if one["error"]]
    if remarks:
        st.html(listed(list(dict.fromkeys(remarks))))
