"""Data: what was ingested when, what could not be read and why, what rules disagree on, what each run has and lacks."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st
from markupsafe import Markup

from dashboard import links, numerals
from dashboard.app_pages.data.gaps import fill_gaps
from dashboard.app_pages.data.mapping import unmapped
from dashboard.app_pages.data.metric_form import metric_form
from dashboard.app_pages.data.tables import (
    HEADS,
    SECTIONS,
    batch_table,
    checkpoint_grid,
    conflict_table,
    disagreement_table,
    file_table,
    overview_grid,
    run_table,
)
from dashboard.app_pages.data.unplaced import unplaced
from dashboard.exports.facts import slug
from dashboard.kit import caches
from dashboard.kit.data_table import data_table
from dashboard.kit.page import clock, nothing, shell
from dashboard.kit.pickers import controls
from dashboard.kit.pickers.series import labels_of
from dashboard.kit.tables import download_csv
from dashboard.queries.frame import ALL_METRICS, RateQuery

# Rows up to which a table is shown whole, pixels of longer ones, letters of a reason in one line (no docstring: shown).
WHOLE, TALL, ONE_LINE = 25, 620, 60
ROLES = {"speaks": "counted", "superseded": "replaced", "left out": "excluded"}
NUMBERS = ("mix tokens", "samples", "size")
COUNTS_STYLE = Markup("""<style>
body .stApp .dl-counts { display: flex; flex-wrap: wrap; gap: .5rem 1.6rem; margin: 0; padding: 0; }
body .stApp .dl-counts :is(dt, dd) { margin: 0; padding: 0; }
.dl-counts dt { font-size: .85rem; font-weight: 400; }
.dl-counts dd { font-size: 1.25rem; font-weight: 600; line-height: 1.3; }
</style>""")

controls.arrive(links.DATA)
as_of = shell.as_of()
batches = caches.batches(as_of)
if batches.empty:
    nothing.nothing_ingested(as_of)
files, coverage, runs = caches.files(as_of), caches.coverage(as_of), caches.runs(as_of)
conflicts = caches.conflicts(as_of)
by_status = files["status"].value_counts()

counts = {
    "Files ingested": int(by_status.get("ingested", 0)),
    "Rejected": int(by_status.get("rejected", 0)),
    "Skipped (no mapping)": int(by_status.get("left", 0)),
    "Runs": int(runs["placed"].sum()),
    "Logs": int(coverage["logs"].sum()),
    "Logs without a run": int(coverage[~coverage["placed"]]["logs"].sum()),
    "Samples": int(coverage["samples"].sum()),
    "Checkpoints without results": int(coverage["eval"].isna().sum()),
    "Conflicting run or step": len(conflicts),
}
# Not as `st.metric`, whose code comes later and moves what stands below.
st.html(
    Markup('{}<dl class="dl-counts">{}</dl>').format(
        COUNTS_STYLE,
        Markup("").join(
            Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(k, numerals.count(v)) for k, v in counts.items()
        ),
    )
)

section = controls.switch("Show", "show", SECTIONS, collapsed=True)


def show(frame: pd.DataFrame, alt: str, *, wide: Sequence[str] = (), empty: str = "None.") -> None:
    """Show a table, short ones at full height; gaps stay empty."""
    if frame.empty:
        st.caption(empty)
        return
    data_table(
        frame,
        height="content" if len(frame) <= WHOLE else TALL,
        row_height=62 if wide else None,
        column_config={
            **{name: st.column_config.Column(title, help=name) for name, title in HEADS.items() if name in frame},
            "run": st.column_config.TextColumn("Run", help="run", width=220, pinned=True),
            **{name: st.column_config.TextColumn(HEADS[name], help=name, width=480) for name in wide},
            **{
                name: st.column_config.NumberColumn(HEADS[name], help=name, format="localized")
                for name in NUMBERS
                if name in frame
            },
            **(
                {"finished_at": clock.time_column(HEADS["finished_at"], help="finished_at.")}
                if "finished_at" in frame
                else {}
            ),
        },
        alt=alt,
    )
    download_csv(frame, f"driftline-{slug(alt)}")


if section == "coverage":
    st.caption("Checkpoints with results, by run and eval. Empty cells: none.")
    show(overview_grid(coverage), "Checkpoints with results, by run and eval")
    names = coverage["run"].drop_duplicates().tolist()
    labels = labels_of(runs)
    run = (
        controls.pick_one("Checkpoints of", "run", names, default=names[0], titles=controls.findable(labels))
        if names
        else None
    )
    if run is not None:
        st.caption("Samples by checkpoint and eval.")
        show(checkpoint_grid(coverage, run), "Samples by checkpoint and eval")
        fill_gaps(coverage, run, as_of)
elif section == "runs":
    show(run_table(runs), "Runs")
elif section == "files":
    show(file_table(files), "Files")
elif section == "standing":
    st.caption(
        "Logs that are not a data point of their own, and why: logs of one evaluation are one measurement, repeats with"
        " the same settings are pooled, and an incomplete log never replaces a complete one. Logs with other settings"
        " are variants."
    )
    logs = caches.logs(as_of)
    some = logs[logs["standing"].notna()]
    columns = [
        "run", "step", "step_label", "variant", "eval", "role", "standing", "graded", "planned", "status", "path",
    ]  # fmt: skip
    show(
        some[columns]
        .assign(role=some["role"].replace(ROLES))
        .rename(columns={"standing": "why"})
        .dropna(axis="columns", how="all"),
        "Logs that were pooled, replaced, joined, excluded or are incomplete",
        wide=["why"] if (some["standing"].str.len() > ONE_LINE).any() else [],
        empty="None: every log is complete, and the only one of its eval and checkpoint.",
    )
elif section == "tables":
    unmapped(files, as_of)
elif section == "unplaced":
    unplaced(as_of)
elif section == "metric":
    metric_form(as_of)
elif section == "unread":
    some = files[files["status"] != "ingested"].sort_values(["status", "path"], ascending=[False, True])
    columns = ["path", "status", "reason", "format", "batch", "root"]
    show(some[columns], "Files that were not read, with reasons", wide=["reason"], empty="Every file was read.")
elif section == "conflicts":
    st.caption("Sources that disagree on run or step. A run.yaml or study.yaml can settle it.")
    wide = ["message", "candidates"]
    show(conflict_table(conflicts), "Conflicting run or step", wide=wide, empty="None.")
elif section == "totals":
    st.caption("Logs whose reported totals differ from the rates recomputed from their samples.")
    every = caches.rates(RateQuery(metrics=(ALL_METRICS,)), as_of)
    show(disagreement_table(every), "Log totals mismatch", empty="None.")
elif section == "imports":
    show(batch_table(batches), "Imports")
controls.leave()
