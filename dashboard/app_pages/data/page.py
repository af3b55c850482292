"""Data: what was ingested when, what could not be read and why, what rules disagree on, what each run has and lacks."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard import links, numerals
from dashboard.app_pages.data.tables import (
    batch_table,
    checkpoint_grid,
    conflict_table,
    disagreement_table,
    file_table,
    overview_grid,
    run_table,
)
from dashboard.exports.facts import slug
from dashboard.kit import caches
from dashboard.kit.page import nothing, shell
from dashboard.kit.pickers import controls
from dashboard.kit.pickers.series import labels_of
from dashboard.kit.tables import download_csv
from dashboard.queries.frame import ALL_METRICS, RateQuery

SECTIONS = ["Coverage", "Runs", "Files", "Which logs count", "Not read", "Conflicts", "Headers", "Batches"]
# Rows up to which a table is shown whole, pixels of longer ones, letters of a reason in one line (no docstring: shown).
WHOLE, TALL, ONE_LINE = 25, 620, 60
NUMBERS = ("mix tokens", "samples", "size")

controls.arrive(links.DATA)
as_of = shell.as_of()
batches = caches.batches(as_of)
if batches.empty:
    nothing.nothing_ingested(as_of)
files, coverage, runs = caches.files(as_of), caches.coverage(as_of), caches.runs(as_of)
conflicts = caches.conflicts(as_of)
by_status = files["status"].value_counts()

with st.container(horizontal=True, gap="medium"):
    for label, value in (
        ("Files ingested", by_status.get("ingested", 0)),
        ("Rejected", by_status.get("rejected", 0)),
        ("Skipped (no mapping)", by_status.get("left", 0)),
        ("Runs", int(runs["placed"].sum())),
        ("Logs", int(coverage["logs"].sum())),
        ("Logs without a run", int(coverage[~coverage["placed"]]["logs"].sum())),
        ("Samples", int(coverage["samples"].sum())),
        ("Checkpoints without results", int(coverage["eval"].isna().sum())),
        ("Conflicts", len(conflicts)),
    ):
        st.metric(label, numerals.count(value), width="content")

section = st.segmented_control(
    "Show", SECTIONS, default=SECTIONS[0], key="show", bind="query-params", required=True, label_visibility="collapsed"
)


def show(frame: pd.DataFrame, alt: str, *, wide: Sequence[str] = (), empty: str = "Nothing.") -> None:
    """Show a table, short ones at full height; gaps stay empty."""
    if frame.empty:
        st.caption(empty)
        return
    st.dataframe(
        frame,
        hide_index=True,
        placeholder="",
        height="content" if len(frame) <= WHOLE else TALL,
        row_height=62 if wide else None,
        column_config={
            "run": st.column_config.TextColumn(width=220, pinned=True),
            **{name: st.column_config.TextColumn(width=480) for name in wide},
            **{name: st.column_config.NumberColumn(format="localized") for name in NUMBERS if name in frame},
        },
        alt=alt,
    )
    download_csv(frame, f"driftline-{slug(alt)}")


if section == "Coverage":
    st.caption("At how many checkpoints each run was measured, by eval. Empty cells are gaps.")
    show(overview_grid(coverage), "Runs by evals: checkpoints measured")
    names = coverage["run"].drop_duplicates().tolist()
    labels = labels_of(runs)
    run = controls.pick_one("Checkpoints of", "run", names, default=names[0], titles=labels) if names else None
    if run is not None:
        st.caption("Samples in the log of each eval, by checkpoint.")
        show(checkpoint_grid(coverage, run), "Checkpoints by evals: samples")
elif section == "Runs":
    show(run_table(runs), "Runs")
elif section == "Files":
    show(file_table(files), "Files")
elif section == "Which logs count":
    st.caption(
        "Logs that are not a point by themselves, and why: logs of one evaluation are one measurement, repeats with the"
        " same settings are pooled, and a part never replaces or joins a whole evaluation. Logs with other settings are"
        " variants, each a line of its own."
    )
    logs = caches.logs(as_of)
    some = logs[logs["standing"].notna()]
    columns = [
        "run", "step", "step_label", "variant", "eval", "role", "standing", "graded", "planned", "status", "path",
    ]  # fmt: skip
    show(
        some[columns].rename(columns={"standing": "why"}).dropna(axis="columns", how="all"),
        "Logs pooled, superseded, joined, left out or partial",
        wide=["why"] if (some["standing"].str.len() > ONE_LINE).any() else [],
        empty="Every log is a whole evaluation, and the only one of its checkpoint.",
    )
elif section == "Not read":
    some = files[files["status"] != "ingested"].sort_values(["status", "path"], ascending=[False, True])
    columns = ["path", "status", "reason", "format", "batch", "root"]
    show(some[columns], "Files that were not read, with reasons", wide=["reason"], empty="Every file was read.")
elif section == "Conflicts":
    st.caption("Rules that disagree are never settled silently. A run card or a study file can say which is right.")
    wide = ["message", "candidates"]
    show(conflict_table(conflicts), "Rules that disagree", wide=wide, empty="No two rules disagree about any log.")
elif section == "Headers":
    st.caption("Rates are always recomputed from samples. Here are the logs whose header says otherwise.")
    every = caches.rates(RateQuery(metrics=(ALL_METRICS,)), as_of)
    show(disagreement_table(every), "Headers that disagree", empty="No header disagrees with its samples.")
elif section == "Batches":
    show(batch_table(batches), "Ingest batches")
controls.leave()
