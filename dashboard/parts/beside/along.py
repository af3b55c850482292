"""A question along the steps of a run: what it came to at each, where it changed, and which other questions did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from dashboard.parts import caches
from dashboard.parts.beside.words import change_lines, strip_html, told
from dashboard.parts.plain import listed
from dashboard.queries.beside import Along, AnswerQuery, along, changes_of, worth_seeing
from dashboard.queries.rows import is_missing
from dashboard.statistics.changes import first_change

TABLE = "beside_changes"


@dataclass(frozen=True, slots=True)
class Counted:
    """What counts.

    Attributes:
        metric: Name; None where the eval has none.
        kind: Of it: rate, mean or reported.
        better: Its direction.
    """

    metric: str | None
    kind: str
    better: str | None


def counted_of(metrics: pd.DataFrame, eval_name: str, metric: str | None) -> Counted:
    """What counts of an eval: the metric that is named, else the eval's default.

    Args:
        metrics: `METRIC_COLUMNS`.
        eval_name: Of an eval.
        metric: Name; None for the default.
    """
    of = metrics[metrics["eval"] == eval_name]
    named = of[of["metric"] == metric]
    row = next(iter((named if len(named) else of[of["default"]]).to_dict("records")), None)
    if row is None:
        return Counted(None, "reported", None)
    return Counted(str(row["metric"]), str(row["kind"]), None if is_missing(row["better"]) else row["better"])


@dataclass(frozen=True)
class OfRun:
    """The answers along one run.

    Attributes:
        found: The outcomes.
        several_epochs: Whether questions were asked in more than one.
    """

    found: Along
    several_epochs: bool


def of_run(
    eval_name: str, run: str, counted: Counted, as_of: int, variant: str | None = None, sample: str | None = None
) -> OfRun:
    """The answers along a run; of one question alone where it is named."""
    query = AnswerQuery(eval_name, counted.metric, runs=(run,), variant=variant, sample=sample)
    frame = caches.answers(query, as_of)
    return OfRun(along(frame, counted.kind), bool(frame["epochs"].map(len).gt(1).any()))


def question_along(of: OfRun, sample: str, counted: Counted, now: Sequence[str]) -> None:
    """Tell where the outcome of a question changed, with a mark for every step."""
    lines = change_lines(of.found, sample, counted.kind, counted.better, of.several_epochs)
    st.html(listed(lines) + strip_html(of.found, sample, counted.kind, counted.better, now))


def steps_to_see(of: OfRun, sample: str) -> list[str]:
    """Names of up to six checkpoints of the run, chosen around the change."""
    values = of.found.values.get(sample, [])
    return [of.found.checkpoints[at] for at in worth_seeing(values, first_change(values))]


def changed_questions(of: OfRun, counted: Counted, go: Callable[[str], None]) -> None:
    """Which questions changed at which step; a click on a row goes to one."""
    table = changes_of(of.found)
    every = len(of.found.values)
    st.html(
        f'<div class="dl-note"><b>{len(table)}</b> of {every:,} questions changed along the run; a click on a row goes'
        " to the question, a click on a heading sorts.</div>"
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
            "stays": ["stays" if stay else f"back at {step[at]}" for stay, at in stays],
            "differing": table["differing"],
            "known": table["known"],
        }
    )

    def chosen() -> None:
        cells = st.session_state[TABLE].selection.cells
        if cells:
            go(str(table["sample"].iloc[cells[0][0]]))

    st.dataframe(
        shown,
        key=TABLE,
        on_select=chosen,
        selection_mode="single-cell",
        hide_index=True,
        height="content" if len(shown) <= 10 else 380,
        column_config={
            "sample": st.column_config.TextColumn("Question", width=160, pinned=True),
            "first": st.column_config.Column("First changed at step", width=150),
            "from": st.column_config.TextColumn("From", width=120),
            "to": st.column_config.TextColumn("To", width=120),
            "stays": st.column_config.TextColumn("Stays?", width=120),
            "differing": st.column_config.NumberColumn("Steps unlike the start", width=150),
            "known": st.column_config.NumberColumn("Steps with an outcome", width=150),
        },
        alt="Questions whose outcome changed along the run; a click goes to one",
    )


def _number(step: int | str | None) -> int | str:
    return "" if step is None else step
