"""The columns of the Side by side page: their heads with outcome and epoch, and the transcripts beneath."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboard import links, numerals
from dashboard.app_pages.beside.cells import ROOMY, ROWS_A_PART, Column, Room, column, grid_html
from dashboard.app_pages.beside.choosing import Choice
from dashboard.app_pages.beside.moving import PART
from dashboard.kit import caches
from dashboard.kit.page.absent import instead
from dashboard.kit.pickers import controls
from dashboard.kit.text.answers import told_at, told_in_epoch
from dashboard.kit.text.plain import KEY, escaped
from dashboard.kit.text.transcript import judgements_of
from dashboard.pages import page_file
from dashboard.queries.beside import AnswerQuery
from dashboard.queries.nearest import near_checkpoints
from dashboard.queries.rows import whole_number
from dashboard.texts.messages import messages_of_sample
from dashboard.texts.turns import Stretch, partings, side_by_side, stretches

EPOCHS = "beside_epochs"
EPOCH = "epoch"

Row = Mapping[Any, Any]


@dataclass(frozen=True)
class Place:
    """One column.

    Attributes:
        checkpoint: Its name.
        row: Of `ANSWER_COLUMNS`; None where the checkpoint lacks the question.
        epoch: The epoch that is shown; 0 where there is none.
    """

    checkpoint: str
    row: Row | None
    epoch: int


def places(choice: Choice, answers: Mapping[tuple[str, str], Row], sample: str) -> list[Place]:
    """The columns of a question, each in the epoch that was picked for it, else in the first that it has.

    Args:
        choice: What is looked at.
        answers: Rows of `ANSWER_COLUMNS` by checkpoint and question.
        sample: The question.
    """
    wanted = _wanted(choice.checkpoints)
    found = []
    for name in choice.checkpoints:
        row = answers.get((name, sample))
        epochs = list(row["epochs"]) if row is not None else []
        epoch = wanted[name] if wanted[name] in epochs else next(iter(epochs), 0)
        found.append(Place(name, row, int(epoch)))
    return found


def _wanted(checkpoints: Sequence[str]) -> dict[str, int]:
    """The epoch that is wanted of each column; it stands in the address once where all are the same."""
    if controls.source() is not None:
        named = [whole_number(text) or 1 for text in controls.restored(EPOCH) or ["1"]]
        named += named[-1:] * (len(checkpoints) - len(named)) if len(named) == 1 else []
        st.session_state[EPOCHS] = dict(zip(checkpoints, named, strict=False))
    kept: dict[str, int] = st.session_state.setdefault(EPOCHS, {})
    common = next(iter(kept.values()), 1)
    wanted = {name: kept.get(name, common) for name in checkpoints}
    alike = len(set(wanted.values())) == 1
    value = None if alike and common == 1 else [common] if alike else list(wanted.values())
    controls.remember(EPOCH, value)
    return wanted


def heads(choice: Choice, columns: Sequence[Place], sample: str, as_of: int) -> None:
    """The head of each column: checkpoint, outcome, epoch, and the way to the whole transcript."""
    for start in range(0, len(columns), ROOMY):
        some = columns[start : start + ROOMY]
        for place, area in zip(some, st.columns(len(some), gap="small"), strict=True):
            with area, st.container(border=True, height="stretch"):
                _head(choice, place, columns, sample, as_of)


def _head(choice: Choice, place: Place, columns: Sequence[Place], sample: str, as_of: int) -> None:
    title = escaped(choice.titles.get(place.checkpoint, place.checkpoint))
    against = ' <span class="dl-note">reference</span>' if place.checkpoint == choice.reference else ""
    kind, better = choice.counted.kind, choice.counted.better
    if place.row is None:
        st.html(f'<div class="dl-head"><b>{title}</b>{against}</div>{_lacking(choice, place, sample, as_of)}')
        return
    epochs = [int(each) for each in place.row["epochs"]]
    outcome = told_in_epoch(place.row, place.epoch, kind, better)
    of_all = f" · all epochs: {told_at(place.row, kind, better)}" if len(epochs) > 1 else ""
    repeats = int(place.row["logs"]) - 1
    more = (
        f'<div class="dl-note">Also in {numerals.plural(repeats, "other log")} of this checkpoint.</div>'
        if repeats
        else ""
    )
    st.html(
        f'<div class="dl-head"><b>{title}</b>{against}</div><div class="dl-head">{escaped(outcome)}'
        f'<span class="dl-note">{escaped(of_all)}</span></div>{more}'
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if len(epochs) > 1:
            _pick_epoch(place, epochs, [each.checkpoint for each in columns])
        within = {"eval": [choice.eval], "in_log": [str(place.row["log"])]}
        within |= {"metric": [choice.counted.metric]} if choice.counted.metric else {}
        st.page_link(
            page_file(links.TRANSCRIPT), label="Whole transcript", icon=":material/forum:",
            query_params=links.transcript(str(place.row["log"]), sample, place.epoch, within=within),
        )  # fmt: skip


def _pick_epoch(place: Place, epochs: list[int], checkpoints: Sequence[str]) -> None:
    key = f"beside_epoch {place.checkpoint}"
    st.session_state[key] = place.epoch

    def take() -> None:
        """Take over the epoch of this column; the others stay."""
        st.session_state[EPOCHS] = _kept(checkpoints) | {place.checkpoint: st.session_state[key]}

    def take_everywhere() -> None:
        """Take over this column's epoch for all."""
        st.session_state[EPOCHS] = dict.fromkeys(checkpoints, place.epoch)

    st.selectbox("Epoch", epochs, key=key, on_change=take, width=90)
    if any(each != place.epoch for each in _kept(checkpoints).values()):
        st.button("In all columns", key=f"{key} all", on_click=take_everywhere, type="tertiary")


def _kept(checkpoints: Sequence[str]) -> dict[str, int]:
    kept: dict[str, int] = st.session_state[EPOCHS]
    return {name: kept.get(name, next(iter(kept.values()), 1)) for name in checkpoints}


def _lacking(choice: Choice, place: Place, sample: str, as_of: int) -> str:
    """Say that a checkpoint lacks the question, and which step of its run has it."""
    run = place.checkpoint if "@" not in place.checkpoint else place.checkpoint.rpartition("@")[0]
    query = AnswerQuery(choice.eval, choice.counted.metric, runs=(run,), variant=choice.variant, sample=sample)
    rows = caches.answers(query, as_of).to_dict("records")
    others = [row for row in rows if row["checkpoint"] not in choice.checkpoints]
    told = "No answer of this checkpoint to this question."
    near = near_checkpoints(place.checkpoint, others, most=1)
    if near:
        href = escaped(instead("checkpoint", place.checkpoint, near[0]))
        link = f'<a href="{href}" target="_self">{escaped(choice.titles.get(near[0], near[0]))}</a>'
        return f'<div class="dl-note">{told} Nearest step with one: {link}</div>'
    return f'<div class="dl-note">{told} No other step of its run has one.</div>'


def transcripts(choice: Choice, columns: Sequence[Place], sample: str, as_of: int) -> None:
    """The transcripts of the columns that have one, beside each other."""
    there = [place for place in columns if place.row is not None]
    if not there:
        return
    reads = [caches.transcript(str(place.row["log"]), sample, place.epoch, as_of) for place in there if place.row]
    shown = [
        column(
            choice.titles.get(place.checkpoint, place.checkpoint), messages_of_sample(read.messages, read.sample),
            judgements_of(read.scores), _notices(read.sample),
        )
        for place, read in zip(there, reads, strict=True)
    ]  # fmt: skip
    names = [place.checkpoint for place in there]
    reference = names.index(choice.reference) if choice.reference in names else 0
    _grid(shown, reference)


def _notices(sample: Mapping[str, Any]) -> list[str]:
    """What has to be known of a sample besides its scores."""
    told = [f"Error: {str(sample['error'])[:2000]}"] if sample["error"] else []
    return told + ["Invalidated sample: excluded from all rates."] * bool(sample["invalidated"])


def _grid(shown: list[Column], reference: int) -> None:
    rows = side_by_side([[message.role for message in each.messages] for each in shown])
    said = [each.said for each in shown]
    apart = partings(rows, said, reference)
    groups = stretches(rows, said)
    parts = parts_of(groups)
    part = st.session_state[PART] = min(max(1, st.session_state.get(PART, 1)), len(parts))
    controls.remember("part", part if part > 1 else None)
    if len(parts) > 1:
        _turn_bar(part, len(parts), len(rows))
    room = Room()
    st.html(grid_html(shown, rows, parts[part - 1], apart, reference, room))
    if len(shown) > 1:
        if all(at is None for at in apart):
            st.html('<div class="dl-note">No divergence: all columns are identical.</div>')
        elif room.left_out:
            many = numerals.plural(room.left_out, "text")
            st.html(f'{KEY}<div class="dl-note">{many} too long for word differences.</div>')
        else:
            st.html(KEY)


def parts_of(groups: Sequence[Stretch]) -> list[list[Stretch]]:
    """Stretches in parts of at most `ROWS_A_PART` rows that differ; one that is folded counts as one row."""
    parts: list[list[Stretch]] = [[]]
    left = ROWS_A_PART
    for group in groups:
        at, end = group.rows.start, group.rows.stop
        if group.alike:
            parts[-1].append(group)
            continue
        while at < end:
            if not left:
                parts.append([])
                left = ROWS_A_PART
            upto = min(end, at + left)
            parts[-1].append(Stretch(False, range(at, upto), group.turns))
            left -= upto - at
            at = upto
    return parts


def _turn_bar(part: int, parts: int, rows: int) -> None:
    def turn(by: int) -> None:
        """Turn to another part of long transcripts."""
        st.session_state[PART] += by

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Earlier", icon=":material/arrow_upward:", on_click=turn, args=(-1,), disabled=part <= 1)
        told = f"part {numerals.part(part, parts)}, {numerals.count(rows)} rows of messages"
        st.html(f'<span class="dl-note">{told}</span>', width="content")
        st.button("Later", icon=":material/arrow_downward:", on_click=turn, args=(1,), disabled=part >= parts)


def part_of_address() -> None:
    """Take over the part that the address names, on the runs on which it counts."""
    if controls.source() is not None:
        named = controls.restored("part") or ["1"]
        st.session_state[PART] = whole_number(named[0]) or 1
