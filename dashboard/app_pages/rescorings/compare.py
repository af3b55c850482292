"""Several judges of the same transcripts beside each other: rates, how far two agree, differences; and as files."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import partial

import pandas as pd
import streamlit as st

from dashboard import numerals
from dashboard.charts.judged import judged_chart, judged_points
from dashboard.exports.csv import csv_bytes
from dashboard.kit.charts.drawing import drawing
from dashboard.kit.charts.frame import show
from dashboard.kit.data_table import data_table
from dashboard.kit.page import shell
from dashboard.kit.pickers.series import checkpoint_title, colours_of, labels_of
from dashboard.kit.tables import download_csv, noted
from dashboard.kit.text.plain import escaped
from dashboard.queries.judged import CURRENT, EARLIER, FIRST, GONE
from dashboard.queries.judged_rates import Agreement, judged_rates, paired_rates
from dashboard.queries.rescorings import SavedRescoring
from dashboard.queries.rows import checkpoint_in, checkpoint_name, is_missing

FIRST_SCORE = "Original score"
PER_CENT = st.column_config.NumberColumn(format="percent")


def names_of(rescorings: Sequence[SavedRescoring]) -> dict[str, str]:
    """The raters with the names that they are shown by, no two alike: the first score, then re-scorings."""
    titles = [rescoring.title for rescoring in rescorings]
    return {FIRST: FIRST_SCORE} | {
        rescoring.judging_id: rescoring.title
        if titles.count(rescoring.title) == 1 and rescoring.title != FIRST_SCORE
        else f"{rescoring.title} ({rescoring.judging_id[:4]})"
        for rescoring in rescorings
    }


def left_out(frame: pd.DataFrame, raters: Mapping[str, str]) -> None:
    """Say which samples the rates leave out."""
    counts = frame["state"].value_counts()
    told = []
    if counts.get(EARLIER):
        told.append(
            f"{numerals.plural(counts[EARLIER], 'verdict')} on an earlier version of the transcript (its log has"
            " changed): left out of the rates."
        )
    if counts.get(GONE):
        told.append(f"{numerals.plural(counts[GONE], 'judged sample')} not in this import.")
    if counts.get(CURRENT) and frame[frame["state"] == CURRENT][f"{FIRST}.verdict"].isna().all():
        told.append(
            f"{raters[FIRST]}: no yes-or-no outcome of these samples for this metric, so there is"
            " nothing to compare with. Re-scoring runs can be compared with each other."
        )
    for text in told:
        st.html(f'<div class="dl-notice">{escaped(text)}</div>')


def rates(frame: pd.DataFrame, raters: Mapping[str, str], runs: pd.DataFrame, runs_told: Sequence[str]) -> None:
    """The rate under each judge at each checkpoint, as a picture and in numbers.

    Args:
        frame: From `dashboard.queries.judged.judged`.
        raters: Their names.
        runs: `RUN_COLUMNS`.
        runs_told: Runs that the re-scorings tell of.
    """
    found = judged_rates(frame, list(raters))
    colours, labels = colours_of(runs, "run")[0], labels_of(runs)
    titles = [checkpoint_title(checkpoint_in(row), labels) for row in found.to_dict("records")]
    points = judged_points(found.assign(checkpoint=titles), raters)
    if points.empty:
        st.caption("No verdicts yet.")
        return
    missing = int(found["n_missing"].sum())
    told = ["Same transcripts for each judge", "95% CI: Wilson, clustered by question"]
    told += [f"{numerals.count(missing)} unscored: see Data"] if missing else []
    shown = [name for rater, name in raters.items() if (points["rater"] == rater).any()]
    title, under = "Misalignment rate by judge", [" · ".join(told)]
    chart = drawing(judged_chart, points, shown, colours, shell.scheme(), title=title, subtitle=under)
    numbers = found.assign(rater=found["rater"].map(raters), interval=points["interval"])
    show(chart, "judgings_chart", "Misalignment rate by checkpoint and judge", numbers, runs=list(runs_told))
    with st.expander("Data"):
        table = found.assign(
            rater=found["rater"].map(raters), checkpoint=[checkpoint_name(row) for row in found.to_dict("records")]
        )
        data_table(
            table[["checkpoint", "eval", "rater", "k", "n", "rate", "low", "high", "n_missing"]],
            column_config={"rate": PER_CENT, "low": PER_CENT, "high": PER_CENT, "rater": "judge",
                           "n_missing": "unscored"},
            alt="Misalignment rate by checkpoint and judge",
        )  # fmt: skip
        download_csv(found, "rates-by-judge")


def agreement_html(found: Agreement, one: str, other: str) -> str:
    """Who says what of how many, and kappa."""
    (a, b), (c, d) = found.table
    both = a + b + c + d
    head = f"<tr><td></td><td><b>{escaped(other)}</b>: misaligned</td><td>aligned</td></tr>"
    rows = "".join(
        f"<tr><td><b>{escaped(one)}</b>: {word}</td><td>{numerals.count(x)}</td><td>{numerals.count(y)}</td></tr>"
        for word, x, y in (("misaligned", a, b), ("aligned", c, d))
    )
    kappa = found.kappa
    told = f"{numerals.part(a + d, both)} agree." if both else ""
    if kappa.kappa == kappa.kappa:
        told += f" Cohen's kappa {numerals.decimals(kappa.kappa, 2)}"
        if kappa.low == kappa.low:
            told += f" (95% interval {numerals.decimals(kappa.low, 2)} to"
            told += f" {numerals.decimals(kappa.high, 2)}, samples taken as independent)"
        told += "."
    if kappa.reason:
        told += f" {kappa.reason[:1].upper()}{kappa.reason[1:]}."
    alone = [
        f"{numerals.count(count)} scored only by {name}"
        for name, count in ((one, found.one_alone), (other, found.other_alone))
        if count
    ]
    note = f'<div class="dl-note">{escaped("; ".join(alone))}</div>' if alone else ""
    return f'<table class="dl-facts">{head}{rows}</table><div class="dl-head">{escaped(told)}</div>{note}'


def difference_table(frame: pd.DataFrame, one: str, other: str, raters: Mapping[str, str]) -> None:
    """The difference between two judges at each checkpoint, over the samples that both judged."""
    found = paired_rates(frame, one, other)
    if found.empty:
        st.caption("No sample is scored by both.")
        return
    places = ["all checkpoints" if is_missing(row["run"]) else checkpoint_name(row) for row in found.to_dict("records")]
    columns = ["checkpoint", *(["eval"] if found["eval"].nunique() > 1 else []), "n", "rate", "other_rate"]
    note = ["note"] if found["note"].notna().any() else []
    data_table(
        found.assign(checkpoint=places)[[*columns, "difference", "low", "high", "p", "test", *note]],
        column_config={
            **dict.fromkeys(("low", "high", "difference"), PER_CENT),
            "rate": st.column_config.NumberColumn(raters[one], format="percent"),
            "other_rate": st.column_config.NumberColumn(raters[other], format="percent"),
            "p": st.column_config.NumberColumn(format=numerals.COLUMN_SHORT),
        },
        placeholder="–", alt="Differences between two judges",
    )  # fmt: skip


def downloads(frame: pd.DataFrame, rescorings: Sequence[SavedRescoring]) -> None:
    """Every verdict as a file."""
    name = "verdicts-" + "-".join(rescoring.judging_id[:6] for rescoring in rescorings)
    runs = [run for rescoring in rescorings for run in rescoring.runs]
    files = {
        "CSV": ("csv", "text/csv", partial(csv_bytes, frame)),
        "Parquet": ("parquet", "application/vnd.apache.parquet", partial(parquet, frame)),
    }
    with st.container(horizontal=True, gap="small"):
        for kind, (ending, media, make) in files.items():
            st.download_button(
                f"All verdicts as {kind}", noted(f"{name} as {kind}", runs, make), f"{name}.{ending}", media,
                icon=":material/download:", on_click="ignore", key=f"judgings_{ending}",
            )  # fmt: skip


def parquet(frame: pd.DataFrame) -> bytes:
    """A frame as a Parquet file."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()
