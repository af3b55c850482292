"""First significant step: the changes of lines from their own start, as a table and as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from dashboard import numerals
from dashboard.kit import caches
from dashboard.kit.data_table import data_table
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
    "change_p", "paired", "side", "first_shown", "lasting_from", "slope", "slope_low", "slope_high", "tenfold",
    "tenfold_low", "tenfold_high", "tests", "start", "last", "metric", "unit",
)  # fmt: skip

ALWAYS = {"first_shown", "lasting_from"}
"""Columns whose emptiness says something."""

HEADS = {
    "run": "Run", "baseline": "Baseline", "eval": "Eval", "metric": "Metric", "variant": "Variant", "split": "Group",
    "split2": "Second group", "better": "Better", "unit": "Unit", "step": "Step", "checkpoint": "Checkpoint",
    "start_rate": "First rate", "last_rate": "Last rate", "change": "Change", "change_low": "Change, low",
    "change_high": "Change, high", "change_p": "p (Holm)", "paired": "Paired", "first_shown": "First significant step",
    "lasting_from": "Significant from here on", "slope": "Slope", "slope_low": "Slope, low",
    "slope_high": "Slope, high", "slope_p_corrected": "Slope, p (Holm)", "tenfold": "Slope per decade of tokens",
    "tenfold_low": "Per decade, low", "tenfold_high": "Per decade, high", "tests": "Tests", "start": "First checkpoint",
    "last": "Last", "first": "First", "first_step": "First step", "last_step": "Last step", "first_low": "First, low",
    "first_high": "First, high", "last_low": "Last, low", "last_high": "Last, high", "mean": "Mean",
    "mean_low": "Mean, low", "mean_high": "Mean, high", "mean_p_corrected": "Mean, p (Holm)", "span": "Span",
    "span_low": "Span, low", "span_high": "Span, high", "direction": "Direction", "family": "Family", "rate": "Rate",
    "against": "Baseline checkpoint", "against_rate": "Baseline rate", "difference": "Difference", "low": "Low",
    "high": "High", "p": "p", "p_corrected": "p (Holm)", "questions": "Questions in common", "test": "Test",
    "method": "Method", "side": "Side", "band_level": "Level of each step in the band", "band_low": "Band, low",
    "band_high": "Band, high",
}  # fmt: skip
"""What stands over the columns; files have their keys, which the tooltips name."""

HELP = {
    "start": "The first checkpoint of the run.",
    "change": "Last minus first.",
    "change_p": "p of the last step vs the first, corrected by Holm over the steps of the run.",
    "first_shown": "The first step whose simultaneous band excludes 0. Empty: none does.",
    "lasting_from": "From here on all steps' bands exclude 0, on one side. Empty: none.",
    "side": "Higher or lower than at the first step (of a lead: than the baseline).",
    "band_level": "The level of each step's interval at which all of them hold at once with 95%.",
    "tests": "Steps tested: the family of Holm's correction.",
    "slope": "Per 100 steps, of the line through these checkpoints.",
    "tenfold": "Per factor of ten of training tokens.",
    "mean": "Of the difference over training: the area between the two curves by the steps that it spans.",
    "span": "The slope over all steps from the first common one to the last.",
    "mean_p_corrected": "p of the mean, corrected by Holm over all rows of this table.",
    "slope_p_corrected": "p of the slope, corrected by Holm over all rows of this table.",
    "difference": "Rate minus the baseline's rate: negative is better where lower is better.",
    "p_corrected": "Corrected by Holm over the steps of the run.",
    "paired": "Whether both are compared on the questions that both answered.",
}


def help_of(column: str) -> str:
    """The tooltip of a column: what it is, and its key."""
    return f"{HELP[column]} Key: {column}" if column in HELP else f"Key: {column}"


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
    data_table(
        shown,
        column_config={
            column: st.column_config.NumberColumn(HEADS.get(column), help=help_of(column), format=form.get(column))
            if column in form
            else st.column_config.Column(HEADS.get(column), help=help_of(column))
            for column in names
        },
        alt="Trends",
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
    fold = st.expander(
        f"First significant step ({numerals.plural(len(lines), 'run')})", key="from_which_step", on_change="rerun"
    )
    if not fold.open:
        return
    with fold:
        if len(lines) > MOST_LINES:
            st.caption(f"More than {MOST_LINES} are not tested at once: select fewer runs or evals in the sidebar.")
            return
        query = TrendQuery(
            runs=tuple(dict.fromkeys(lines["run"])),
            evals=tuple(dict.fromkeys(lines["eval"])),
            metrics=tuple(dict.fromkeys(lines["metric"])),
            splits=tuple(splits),
        )
        with st.spinner("Comparing steps"):
            found = caches.trends(query, as_of).lines
        labels = dict(zip(rates["run"], rates["run_label"].fillna(rates["run"]), strict=True))
        drawn = set(lines[["run", "eval", "metric"]].itertuples(index=False, name=None))
        found = found[[key in drawn for key in found[["run", "eval", "metric"]].itertuples(index=False, name=None)]]
        if len(found) <= MOST_SENTENCES:
            st.html(listed([change_in_words(row, labels) for row in found.to_dict("records")]))
        trends_table(found, FROM_START, "driftline-from-which-step")
        st.caption(
            "Each step is compared with the first one of its run, paired by question where the logs hold samples, else"
            " as independent samples. From which step on is read off the simultaneous band: the same intervals, wide"
            " enough that those of all steps of the run hold at once with 95%; other intervals are 95% each. p values"
            " are corrected by Holm over the steps of the run. An empty cell means that no difference is significant,"
            " not that there is none. Rates are fractions."
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
