"""From which step on: the changes of lines from their own start, as a table and as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from dashboard import numerals
from dashboard.kit import caches
from dashboard.kit.tables import download_csv
from dashboard.kit.text.plain import listed
from dashboard.kit.text.trends import change_in_words
from dashboard.queries.trends import TrendQuery

MOST_LINES = 60
"""Lines beyond which the table is not made before the reader asks for fewer: each is tested at every step."""

MOST_SENTENCES = 8
"""Lines that are told in words, above the table."""

FROM_START = (
    "run", "eval", "variant", "split", "split2", "start_rate", "last_rate", "change", "change_low", "change_high",
    "change_p", "paired", "first_shown", "lasting_from", "slope", "slope_low", "slope_high", "tenfold", "tenfold_low",
    "tenfold_high", "tests", "start", "last", "metric", "unit",
)  # fmt: skip

ALWAYS = {"first_shown", "lasting_from"}
"""Columns whose emptiness says something."""

HELP = {
    "start": "The first checkpoint of the line.",
    "change": "Last less first.",
    "change_p": "Of the last step's difference from the first, corrected by Holm over the steps of the line.",
    "first_shown": "The first step that is shown to differ (Holm over the steps of the line). Empty: none.",
    "lasting_from": "The first step from which on every step is shown to differ. Empty: none.",
    "tests": "Steps that were tested: the family of Holm's correction.",
    "slope": "Per 100 steps, of the line through these very checkpoints.",
    "tenfold": "Per factor of ten of training tokens.",
    "mean": "Of the difference over training: the area between the two curves by the steps that it spans.",
    "span": "The slope over all steps from the first common one to the last.",
    "mean_p_corrected": "Holm over all lines of this table.",
    "slope_p_corrected": "Holm over all lines of this table: of the difference not changing.",
    "difference": "rate less against_rate: negative is better where lower is better.",
    "p_corrected": "Holm over the steps of the line.",
    "paired": "Whether both answered the same questions, and are compared on these.",
}


def trends_table(frame: pd.DataFrame, columns: Sequence[str], name: str) -> None:
    """Show numbers of trends, and offer all of them as a file.

    Args:
        frame: One of the frames of `Trends`.
        columns: Which to show; those without any value are left out.
        name: Of the file, without its ending.
    """
    shown = frame[[column for column in columns if column in ALWAYS or frame[column].notna().any()]]
    names = [str(column) for column in shown]
    form = {column: numerals.COLUMN_FIGURES for column in names if shown[column].dtype == "float64"}
    st.dataframe(
        shown,
        hide_index=True,
        column_config={
            column: st.column_config.NumberColumn(help=HELP.get(column), format=form.get(column))
            if column in form
            else st.column_config.Column(help=HELP.get(column))
            for column in names
        },
        alt="The numbers of the trends",
    )
    download_csv(frame, name)


def from_which_step(rates: pd.DataFrame, splits: Sequence[str], as_of: int) -> None:
    """An expander with the change of every drawn line from its own start; its numbers are made when it is opened.

    Args:
        rates: `RATE_COLUMNS` of what is drawn.
        splits: The fields that they are split by.
        as_of: Batch.
    """
    on_line = rates[(rates["repeat"] == 0) & rates["step"].notna() & rates["rate"].notna()]
    names = ["run", "eval", "metric", "variant", "split", "split2"]
    steps = on_line.groupby(names, dropna=False)["step"].nunique()
    lines = steps[steps > 1].reset_index()
    if lines.empty:
        return
    fold = st.expander(f"From which step on ({len(lines)} lines)", key="from_which_step", on_change="rerun")
    if not fold.open:
        return
    with fold:
        if len(lines) > MOST_LINES:
            st.caption(f"More than {MOST_LINES} lines are not tested at once: pick fewer runs or evals in the sidebar.")
            return
        query = TrendQuery(
            runs=tuple(dict.fromkeys(lines["run"])),
            evals=tuple(dict.fromkeys(lines["eval"])),
            metrics=tuple(dict.fromkeys(lines["metric"])),
            splits=tuple(splits),
        )
        with st.spinner("Comparing every step with its start"):
            found = caches.trends(query, as_of).lines
        labels = dict(zip(rates["run"], rates["run_label"].fillna(rates["run"]), strict=True))
        drawn = set(lines[["run", "eval", "metric"]].itertuples(index=False, name=None))
        found = found[[key in drawn for key in found[["run", "eval", "metric"]].itertuples(index=False, name=None)]]
        if len(found) <= MOST_SENTENCES:
            st.html(listed([change_in_words(row, labels) for row in found.to_dict("records")]))
        trends_table(found, FROM_START, "driftline-from-which-step")
        st.caption(
            "Every later step of a line is compared with its first, on the questions that both answered where their"
            " logs tell (column paired), else as independent samples."
            " first_shown is the first step that is shown to differ, lasting_from the first from which all are;"
            " both by p-values that are corrected by Holm over the steps of the line. An empty cell means that no"
            " difference is shown, not that there is none. Intervals are 95 %, not corrected. Fractions for rates,"
            " else the score's unit."
        )
        if notes_of(found, labels):
            st.html(listed(notes_of(found, labels)))


def notes_of(frame: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """What must be known about the lines of a frame, for people.

    Args:
        frame: With columns run, eval and notes.
        labels: Of the runs.
    """
    return [
        f"{labels.get(row['run'], row['run'])} · {row['eval']}: {note}"
        for row in frame.to_dict("records")
        for note in row["notes"]
    ]
