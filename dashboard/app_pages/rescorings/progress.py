"""How far a re-scoring has come, as it comes; stopping it, and taking it up again."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup

from dashboard import links, numerals, runtime
from dashboard.app_pages.rescorings.selecting import filter_words
from dashboard.kit.data_table import data_table
from dashboard.kit.page import clock, reader
from dashboard.kit.page.fragments import fragment
from dashboard.kit.page.reader import attempt
from dashboard.kit.text.plain import escaped
from dashboard.probe.rescoring.rescorer import Selected, selected_of
from dashboard.queries.rescorings import Progress, SavedRescoring, errors_of, progress
from dashboard.review import audit

LOOK_SECONDS = 1.0
WAS_ACTIVE = "judgings_under_way"


def head(rescoring: SavedRescoring, *, alone: bool) -> None:
    """What was judged by whom, when, by which rubric; the rubrics of several stand open beside each other."""
    selected = selected_of(rescoring)
    who = f" by {rescoring.author}" if rescoring.author else ""
    lines = [
        f"{rescoring.model} at {rescoring.endpoint} · rubric: {rescoring.rubric_title}",
        Markup("started {}{} · {}, import {}").format(
            clock.time_html(rescoring.created_at), who, _of(selected), rescoring.as_of
        ),
    ]
    told = "".join(f'<div class="dl-note">{escaped(line)}</div>' for line in lines)
    rubric = f'<summary>Rubric</summary><pre class="dl-text">{escaped(rescoring.rubric)}</pre>'
    shown = "" if alone else " open"
    st.html(
        f'<h3 class="dl-title">{escaped(rescoring.title)}</h3>{told}<details class="dl-fold"{shown}>{rubric}</details>'
    )


def _of(selected: Selected) -> str:
    words = filter_words(selected.address) or "all samples"
    drawn = (
        f", at most {numerals.count(selected.each)} of each checkpoint (seed {selected.seed})" if selected.each else ""
    )
    cut = f", {numerals.count(selected.cut)} cut in the middle" if selected.cut else ""
    return words + drawn + cut


def under_way(judging_ids: Sequence[str]) -> bool:
    """Whether anything of some re-scorings is under way."""
    engine = runtime.probes().engine
    return any(engine.active(judging_id) for judging_id in judging_ids)


def follow(rescorings: Sequence[SavedRescoring], *, busy: bool) -> None:
    """The progress of some re-scorings, drawn anew while they are under way.

    Args:
        rescorings: Those that are shown.
        busy: Whether anything was under way before the page read their verdicts: what it shows may be of the middle.
    """
    st.session_state[WAS_ACTIVE] = busy
    fragment(_lines, every=LOOK_SECONDS if busy else None)(list(rescorings))


def _lines(rescorings: list[SavedRescoring]) -> None:
    trouble, active = runtime.probes().engine.trouble, under_way([rescoring.judging_id for rescoring in rescorings])
    if st.session_state.get(WAS_ACTIVE) != active:
        st.session_state[WAS_ACTIVE] = active
        st.rerun()  # the numbers under the progress, too; and how often this is drawn
    if trouble:
        st.html(f'<div class="dl-notice" role="alert">{escaped(trouble)}</div>')
    for rescoring in rescorings:
        with reader.cursor() as con:
            now, errors = progress(con, rescoring.judging_id), errors_of(con, rescoring.judging_id)
        _line(rescoring, now, alone=len(rescorings) == 1)
        if errors:
            with st.expander(f"Errors ({numerals.count(now.failed)})", icon=":material/error:"):
                data_table(
                    errors, height="content", alt="Errors, with their counts",
                    column_config={"error": st.column_config.TextColumn("Error of the last attempt", width=700)},
                )  # fmt: skip


def _line(rescoring: SavedRescoring, now: Progress, *, alone: bool) -> None:
    active = runtime.probes().engine.active(rescoring.judging_id)
    left = now.items - now.judged
    state = "running" if active else "complete" if not left else "stopped"
    told = f"{numerals.part(now.judged, now.items)} judged"
    if now.failed:
        told += f" · {numerals.count(now.failed)} failed"
    told += f" · {state} · {numerals.count(now.input_tokens + now.output_tokens)} tokens"
    if not alone:
        told = f"{rescoring.title}: {told}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.progress(now.judged / now.items if now.items else 0.0, width=140)
        st.html(f'<span class="dl-note">{escaped(told)}</span>', width="content")
        if not reader.reader().may("prober"):
            return
        if active:
            st.button(
                "Stop", icon=":material/stop_circle:", key=f"judging_stop_{rescoring.judging_id}", on_click=attempt,
                args=(lambda: _stop(rescoring),), help="Verdicts so far are kept; it can be resumed.",
            )  # fmt: skip
        elif left:
            st.button(
                f"Resume ({numerals.count(left)})", icon=":material/play_arrow:",
                key=f"judging_resume_{rescoring.judging_id}", on_click=attempt, args=(lambda: _resume(rescoring),),
                help="Scores the transcripts without a verdict.",
            )  # fmt: skip


def _stop(rescoring: SavedRescoring) -> None:
    reader.require("prober")
    runtime.probes().engine.stop(rescoring.judging_id)
    _write_down(rescoring, "stopped")


def _resume(rescoring: SavedRescoring) -> None:
    reader.require("prober")
    st.session_state[WAS_ACTIVE] = None  # however soon it ends, the page is drawn anew
    count = runtime.probes().rescorer.resume(rescoring.judging_id)
    _write_down(rescoring, f"resumed with {count} transcripts")


def _write_down(rescoring: SavedRescoring, what: str) -> None:
    audit.record(
        runtime.store(), reader.reader().name, "judge", f"{rescoring.title}: {what}",
        address=f"{links.RESCORINGS}?{links.query(links.rescorings(rescoring.judging_id))}", runs=rescoring.runs,
    )  # fmt: skip
