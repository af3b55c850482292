"""Composing a re-scoring: which transcripts, who judges, by which rubrics; one rubric more is one re-scoring more."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import streamlit as st

from dashboard import links, runtime
from dashboard.app_pages.rescorings import selecting
from dashboard.kit.page import reader
from dashboard.kit.page.reader import attempt
from dashboard.kit.pickers.models import why_none
from dashboard.kit.text.plain import escaped
from dashboard.pages import page_file
from dashboard.probe.asked import Column
from dashboard.probe.judge import Judge
from dashboard.probe.rescoring.material import LEAST_TOKENS
from dashboard.probe.rescoring.rescorer import MOST_ITEMS, Limit, Selected, Wanted, check, runs_told
from dashboard.probe.rescoring.rubrics import rubrics
from dashboard.queries.rescoring_selection import Selection
from dashboard.review import audit
from loaders.errors import DriftlineError

MOST_RUBRICS = 3
"""Re-scorings that can be shown beside each other."""
TRANSCRIPT_TOKENS = 16_000
EACH, SEED, TOKENS, MODEL, TITLE = "judging_each", "judging_seed", "judging_tokens", "judging_model", "judging_title"
RUBRICS = "judging_rubrics"


def form(
    within: links.Parameters, models: Mapping[str, Column], names: Mapping[str, str], as_of: int
) -> list[str] | None:
    """The composer; the ids of the re-scorings that were started, else None.

    Args:
        within: Parameters of the Samples page.
        models: Those that may be asked, by name.
        names: What is shown of each.
        as_of: Batch.
    """
    left, right = st.columns([5, 7], gap="medium")
    with left:
        st.html('<div class="dl-head"><b>Transcripts</b></div>' + selecting.selection_note(within))
        st.page_link(
            page_file(links.SAMPLES), label="Change the filter", icon=":material/list:", query_params=within or None
        )
        first, second = st.columns(2, gap="small")
        each = first.number_input(
            "Samples per checkpoint", 1, MOST_ITEMS, value=None, key=EACH, placeholder="All",
            help="Maximum, drawn at random; the same questions for all checkpoints that have them.",
        )  # fmt: skip
        seed = second.number_input("Sampling seed", 0, 2**31 - 1, value=0, key=SEED, disabled=each is None)
        tokens = first.number_input(
            "Max tokens per transcript", LEAST_TOKENS, 1_000_000, value=TRANSCRIPT_TOKENS, step=1000, key=TOKENS,
            help="Longer transcripts are cut in the middle. The judge's context must hold this, the rubric and its"
            " reply.",
        )  # fmt: skip
        reader.name_field("judging")
    with right:
        st.html('<div class="dl-head"><b>Judge and rubrics</b></div>')
        judge = st.selectbox(
            "Judge model", list(models), key=MODEL, index=None, format_func=lambda name: names[name],
            placeholder="Select a model" if models else "No model available",
        )  # fmt: skip
        by = _rubrics()
        title = st.text_input("Title", key=TITLE, max_chars=80, placeholder="Title of the rubric")
    try:
        selection = selecting.chosen(within, each, int(seed), as_of)
    except DriftlineError as error:
        st.html(f'<div class="dl-notice" role="alert">{escaped(error)}</div>')
        return None
    long = selecting.sizes(selection, int(tokens)) if len(selection.items) <= MOST_ITEMS else []
    st.html(selecting.selection_html(selection, long, int(tokens)))
    selected = Selected(
        address=within, each=each, seed=int(seed), found=selection.found, silent=selection.silent,
        cut=sum(size.cut for size in long),
    )  # fmt: skip
    metrics = [name for name in within.get("metric", []) if name]
    wanted = [
        Wanted(
            Judge(models[judge], text), f"{title} · {name}" if title and len(by) > 1 else title or name, name, selected,
            metrics[0] if len(metrics) == 1 else None, as_of, Limit(int(tokens)),
        )
        for name, text in by.items()
        if judge
    ]  # fmt: skip
    problem = _problem(wanted, by, judge, selection) if models else why_none(runtime.probes().standings())
    told, allowed = (problem, False) if problem else selecting.affording([one.judge for one in wanted], long)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        label = "Re-score" if len(by) < 2 else f"Re-score with {len(by)} rubrics"
        sent = st.button(label, key="judging_send", icon=":material/gavel:", type="primary", disabled=not allowed)
        st.html(f'<span class="dl-note">{escaped(told)}</span>')
    return _start(wanted, selection) if sent and allowed else None


def _rubrics() -> dict[str, str]:
    """The rubrics that are picked, as the reader has edited them, by title."""
    offered = {rubric.name: rubric for rubric in rubrics()}
    picked = st.multiselect(
        "Rubrics", list(offered), default=[next(iter(offered))], key=RUBRICS, max_selections=MOST_RUBRICS,
        format_func=lambda name: offered[name].title,
        help="Definitions of misaligned; each scores the same transcripts. Editable.",
    )  # fmt: skip
    by = {}
    for name in picked:
        rubric = offered[name]
        text = st.text_area(rubric.title, rubric.text, key=f"judging_rubric_{name}", height=130)
        edited = "" if text.strip() == rubric.text.strip() else " (edited)"
        by[rubric.title + edited] = text
    return by


def _problem(wanted: list[Wanted], by: Mapping[str, str], judge: str | None, selection: Selection) -> str:
    if not by:
        return "Select a rubric."
    if judge is None:
        return "Select a judge model."
    try:
        for one in wanted:
            check(one, len(selection.items))
    except DriftlineError as error:
        return str(error)
    return ""


def _start(wanted: list[Wanted], selection: Selection) -> list[str]:
    """Start a re-scoring for each rubric, up to the first that can't be; why it can't is said on the page."""
    started: list[str] = []
    for one in wanted:
        attempt(partial(_start_one, one, selection, started))
        if len(started) < wanted.index(one) + 1:
            break
    return started


def _start_one(one: Wanted, selection: Selection, started: list[str]) -> None:
    who = reader.require("prober").name
    judging_id = runtime.probes().rescorer.start(one, selection, who)
    started.append(judging_id)
    audit.record(
        runtime.store(), who, "judge", f"{len(selection.items)} transcripts re-scored: {one.title}",
        address=f"{links.RESCORINGS}?{links.query(links.rescorings(judging_id))}", runs=runs_told(one, selection),
        details={"model": one.judge.column.model, "endpoint": one.judge.column.endpoint, "rubric": one.rubric_title},
    )  # fmt: skip
