"""Which question is looked at, and the way to others: next, previous, the next on which the columns disagree."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import numerals
from dashboard.kit.along import Counted, OfRun
from dashboard.kit.data_table import data_table
from dashboard.kit.page import absent
from dashboard.kit.page.fragments import sure
from dashboard.kit.pickers import controls
from dashboard.kit.text.answers import told, told_at
from dashboard.queries.beside import changes_of

HERE, PART, TABLE = "beside_here", "beside_part", "beside_table"

SAMPLE = "sample"

MOST_ROWS = 12

Row = Mapping[Any, Any]

CHANGED = "beside_changes"


def go(sample: str) -> None:
    """Look at another question."""
    st.session_state[HERE], st.session_state[PART] = sample, 1


def question(table: pd.DataFrame) -> str:
    """The question that is looked at: the address's, else the first on which the columns disagree, else the first.

    Args:
        table: Of `questions_of`, at least one row.
    """
    named = controls.restored(SAMPLE)
    if controls.source() is not None:
        st.session_state[HERE] = named[0] if named else None
    here = st.session_state.get(HERE)
    there = table["sample"].tolist()
    if here not in there:
        if here is not None:
            absent.tell(SAMPLE, [here], there)
        disagreeing = table.loc[table["disagree"], "sample"].tolist()
        here = st.session_state[HERE] = (disagreeing or there)[0]
    controls.remember(SAMPLE, here)
    return str(here)


def within(table: pd.DataFrame, here: str, only_disagreeing: bool) -> pd.DataFrame:
    """The questions that are moved among; the one that is looked at stays among them."""
    return table[table["disagree"] | (table["sample"] == here)] if only_disagreeing else table


def bar(table: pd.DataFrame, here: str, shown: pd.DataFrame) -> None:
    """Buttons to other questions, each with its key, and where this one stands.

    Args:
        table: Of `questions_of`, all questions.
        here: The question that is looked at.
        shown: Those that are moved among.
    """
    order = shown["sample"].tolist()
    at = order.index(here)
    disagreeing = table.loc[table["disagree"], "sample"].tolist()
    every = table["sample"].tolist()
    place = {name: number for number, name in enumerate(every)}
    after = next((name for name in disagreeing if place[name] > place[here]), None)
    before = next((name for name in reversed(disagreeing) if place[name] < place[here]), None)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _button("Previous", ":material/chevron_left:", "K", order[at - 1] if at else None)
        _button("Next", ":material/chevron_right:", "J", order[at + 1] if at + 1 < len(order) else None)
        _button("Previous disagreement", ":material/keyboard_double_arrow_left:", "Shift+D", before)
        _button("Next disagreement", ":material/keyboard_double_arrow_right:", "D", after)
        counted = f"{numerals.part(place[here] + 1, len(every))} questions"
        counted += f", {numerals.count(len(disagreeing))} disagree"
        st.html(f'<span class="dl-note">{counted}</span>', width="content")


def _button(label: str, icon: str, shortcut: str, to: str | None) -> None:
    st.button(
        label, icon=icon, shortcut=shortcut, key=f"beside {label}", on_click=go, args=(to,), disabled=to is None
    )  # fmt: skip


def matrix(
    shown: pd.DataFrame,
    here: str,
    answers: Mapping[tuple[str, str], Row],
    checkpoints: Sequence[str],
    titles: Mapping[str, str],
    counted: Counted,
) -> None:
    """The questions down, their outcomes at the checkpoints across; a click on a row goes to the question.

    Args:
        shown: Rows of `questions_of`.
        here: The question that is looked at.
        answers: Rows of `ANSWER_COLUMNS` by checkpoint and question.
        checkpoints: In the order of the columns.
        titles: Of the checkpoints.
        counted: What counts.
    """
    names = shown["sample"].tolist()
    table = pd.DataFrame(
        {
            "here": ["▸" if name == here else "" for name in names],
            "differ": ["≠" if differ else "" for differ in shown["disagree"]],
            "question": names,
            **{
                f"at {number}": [told_at(answers.get((name, sample)), counted.kind, counted.better) for sample in names]
                for number, name in enumerate(checkpoints)
            },
        }
    )

    def chosen() -> None:
        cells = st.session_state[TABLE].selection.cells
        if cells:
            go(names[cells[0][0]])

    data_table(
        table,
        key=TABLE,
        on_select=sure(chosen),
        selection_mode="single-cell",
        height="content" if len(table) <= MOST_ROWS else 420,
        column_config={
            "here": st.column_config.TextColumn("", width=28, pinned=True),
            "differ": st.column_config.TextColumn("", width=28, pinned=True),
            "question": st.column_config.TextColumn("Question", width=170, pinned=True),
            **{
                f"at {number}": st.column_config.TextColumn(titles.get(name, name), width=170)
                for number, name in enumerate(checkpoints)
            },
        },
        alt="Questions with their outcome at each checkpoint; click a row to open one",
    )


def by_place(frame: pd.DataFrame) -> dict[tuple[str, str], Row]:
    """Rows of `ANSWER_COLUMNS` by checkpoint and question."""
    return {(row["checkpoint"], row["sample"]): row for row in frame.to_dict("records")}


def changed_questions(of: OfRun, counted: Counted, go: Callable[[str], None]) -> None:
    """Which questions changed at which step; a click on a row goes to one."""
    table = changes_of(of.found)
    every = len(of.found.values)
    st.html(
        f'<div class="dl-note"><b>{len(table)}</b> of {numerals.plural(every, "question")} flipped along the run. Click'
        " a row to open the question.</div>"
    )
    if table.empty:
        return
    step = of.found.steps
    stays = zip(table["stays"], table["back"], strict=True)
    shown = pd.DataFrame(
        {
            "sample": table["sample"],
            "first": [_number(step[at]) for at in table["first"]],
            "from": [told(value, counted.kind, counted.better) for value in table["start_value"]],
            "to": [told(value, counted.kind, counted.better) for value in table["first_value"]],
            "stays": ["yes" if stay else f"reverted at {numerals.step(step[at])}" for stay, at in stays],
            "differing": table["differing"],
            "known": table["known"],
        }
    )

    def chosen() -> None:
        cells = st.session_state[CHANGED].selection.cells
        if cells:
            go(str(table["sample"].iloc[cells[0][0]]))

    data_table(
        shown,
        key=CHANGED,
        on_select=sure(chosen),
        selection_mode="single-cell",
        height="content" if len(shown) <= 10 else 380,
        column_config={
            "sample": st.column_config.TextColumn("Question", width=160, pinned=True),
            "first": st.column_config.Column("First flip at step", width=150),
            "from": st.column_config.TextColumn("From", width=120),
            "to": st.column_config.TextColumn("To", width=120),
            "stays": st.column_config.TextColumn("Persistent?", width=120),
            "differing": st.column_config.NumberColumn("Steps that differ from the first", width=150),
            "known": st.column_config.NumberColumn("Steps with an outcome", width=150),
        },
        alt="Flipped questions along the run; click a row to open one",
    )


def _number(step: int | str | None) -> int | str:
    return "" if step is None else step
