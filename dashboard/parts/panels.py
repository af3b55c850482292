"""Parts that pages share: a table of samples, what is behind a point, the numbers behind a plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import links, runtime
from dashboard.commands import RATE_TABLE
from dashboard.exports.csv import csv_bytes
from dashboard.parts import caches, fragments
from dashboard.parts.beside.elsewhere import along_this_run
from dashboard.parts.noting import noted, runs_in
from dashboard.parts.outcomes import outcome_words
from dashboard.parts.plain import escaped, facts, listed
from dashboard.parts.reader import reader
from dashboard.parts.review.point_notes import point_notes
from dashboard.parts.review.sample_marks import sample_marks
from dashboard.parts.sample_filters import filter_of, order_of
from dashboard.queries.rows import checkpoint_name
from dashboard.queries.samples import SampleFilter, all_samples

FIRST_SAMPLES = 6
ROW_HEIGHT = 68
"""Pixels: three lines of a judge's words."""

TRANSCRIPT_PAGE, SAMPLES_PAGE = "app_pages/transcript.py", "app_pages/samples.py"


def sample_table(
    frame: pd.DataFrame, key: str, within: links.Parameters, better: str | None, *, fixed: Sequence[str] = ()
) -> None:
    """Show samples, a row each; a click anywhere on a row opens its transcript.

    Args:
        frame: Rows of `SAMPLE_COLUMNS`, one page.
        key: Of the widget.
        within: The filter that they passed, as parameters of the Samples page.
        better: Direction of the definition in use: its words for outcomes.
        fixed: Columns (checkpoint, eval) in which the filter allows one value only; they are left out.
    """
    words = outcome_words(better)
    table = pd.DataFrame(
        {
            "outcome": frame["outcome"].map(lambda outcome: words.get(outcome, "")),
            "checkpoint": [checkpoint_name(row) for row in frame.to_dict("records")],
            "eval": frame["eval"],
            "sample": frame["sample"],
            "epoch": frame["epoch"],
            "judge": frame["explanation"].fillna(frame["error"]).fillna(""),
            "reply": frame["reply"].fillna(""),
            "prompt": frame["prompt"].fillna(""),
            "scores": frame["scores"].fillna(""),
            "limit": frame["limit"].fillna(""),
            "people": sample_marks(frame),
        }
    )
    alike = [*fixed, *(name for name in ("limit", "scores", "people") if (table[name] == "").all())]
    alike += ["epoch"] if (table["epoch"] == 1).all() else []

    def open_row() -> None:
        cells = st.session_state[key].selection.cells
        if cells:
            row = frame.iloc[cells[0][0]]
            to = links.transcript(row["log"], row["sample"], int(row["epoch"]), within=within)
            fragments.switch_page(TRANSCRIPT_PAGE, query_params=to)

    st.dataframe(
        table.drop(columns=alike),
        key=key,
        on_select=open_row,
        selection_mode="single-cell",
        hide_index=True,
        height="content",
        row_height=ROW_HEIGHT,
        column_config={
            "outcome": st.column_config.TextColumn("Outcome", width=115, pinned=True),
            "checkpoint": st.column_config.TextColumn("Checkpoint", width=150),
            "eval": st.column_config.TextColumn("Eval", width=130),
            "sample": st.column_config.TextColumn("Sample", width=110),
            "epoch": st.column_config.NumberColumn("Epoch", width=60),
            "judge": st.column_config.TextColumn("Judge's explanation, or error", width=340),
            "reply": st.column_config.TextColumn("Reply", width=340),
            "prompt": st.column_config.TextColumn("Prompt", width=260),
            "scores": st.column_config.TextColumn("Scores", width=180),
            "limit": st.column_config.TextColumn("Limit", width=90),
            "people": st.column_config.TextColumn("People", width=120),
        },
        alt="Samples; a click on a row opens its transcript",
    )


def point_panel(row: Mapping[Any, Any], members: list[str], splits: Sequence[str], as_of: int) -> None:
    """Show what is behind one point: what it says, and its first samples, the bad ones first.

    Args:
        row: A row of the rates.
        members: The evals of its group, or its own.
        splits: The fields that the rates are split by.
        as_of: Batch.
    """
    to = links.samples_of_rate(row, splits)
    wanted = filter_of(to)
    frame = caches.samples_page(wanted, order_of(to), 0, FIRST_SAMPLES, as_of=as_of)
    with st.container(border=True):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.html(f'<div class="dl-head">{_headline(row)}</div>', width="content")
            if len(frame):
                total = sum(caches.outcome_counts(wanted, as_of).values())
                with st.container(horizontal=True, width="content", gap="small"):
                    along_this_run(frame.to_dict("records"), as_of)
                    st.page_link(SAMPLES_PAGE, label=f"All {total} samples", icon=":material/list:", query_params=to)
        if len(frame):
            sample_table(
                frame, "point_samples", to, row["better"], fixed=["checkpoint"] + ["eval"] * (not row["group"])
            )
        else:
            st.caption("The log holds no samples: only the numbers that it reports.")
        with st.expander("About this point"):
            st.html(facts(_about(row, members, splits)))
        point_notes(row, as_of)


def _headline(row: Mapping[Any, Any]) -> str:
    form = "{:.1%}" if row["kind"] == "rate" else "{:.4g}"
    counted = f"{row['k']} of {row['n']}" if pd.notna(row["k"]) else f"n = {row['n']}" if pd.notna(row["n"]) else ""
    between = f"[{form.format(row['low'])}, {form.format(row['high'])}]" if pd.notna(row["low"]) else ""
    checkpoint = checkpoint_name(row)
    split = "".join(f" · {escaped(row[name])}" for name in ("split", "split2") if pd.notna(row[name]))
    return (
        f"<b>{escaped(checkpoint)}</b> · {escaped(row['eval'])}{split} · <b>{escaped(form.format(row['rate']))}</b>"
        f" {escaped(between)} · {escaped(counted)}"
    )


def _about(row: Mapping[Any, Any], members: list[str], splits: Sequence[str]) -> list[tuple[str, object]]:
    reported = None
    if row["disagrees"]:
        reported = f"{row['reported']:.6g}, and its samples give {row['rate']:.6g}"
    return [
        ("Definition", f"{row['metric']}: {row['definition']}"),
        ("Samples with", ", ".join(links.samples_of_rate(row, splits).get("where", []))),
        ("Interval", row["interval"]),
        ("Without outcome", row["n_missing"]),
        ("Average of", ", ".join(members) if row["group"] else None),
        ("Header says", reported),
        ("Mix", row["mix"]),
        ("Stage", row["stage"]),
        ("Tokens", f"{row['tokens']:,.0f}" if pd.notna(row["tokens"]) else None),
        ("Model", row["model"]),
        ("Judge", row["judge"]),
        ("Task", row["task"]),
        ("Task version", row["task_version"]),
        ("Epochs", row["epochs"]),
        ("Status", row["status"]),
        ("Created", row["created"]),
        ("Log", row["path"]),
        ("To look at", "; ".join(row["flags"])),
    ]


def numbers_table(rates: pd.DataFrame, name: str) -> None:
    """The numbers behind a plot, as `driftline rates` prints them, and as a file.

    Args:
        rates: `RATE_COLUMNS`.
        name: Of the file, without its ending.
    """
    shown = dict.fromkeys([*RATE_TABLE, "step_label", "stderr", "reported", "definition", "path"])
    empty = [
        c for c in ("tokens", "step_label", "variant", "stderr", "reported", "mix", "stage") if rates[c].isna().all()
    ]
    st.dataframe(
        rates[[column for column in shown if column not in empty]],
        hide_index=True,
        column_config={
            c: st.column_config.NumberColumn(format="%.4g") for c in ("rate", "low", "high", "stderr", "reported")
        },
        alt="The numbers behind the plot",
    )
    download_csv(rates, name)


def download_csv(frame: pd.DataFrame, name: str) -> None:
    """Offer a frame as a file.

    Args:
        frame: What is in it.
        name: Of the file, without its ending.
    """
    st.download_button(
        "Download as CSV", noted(f"{name} as CSV", runs_in(frame), partial(csv_bytes, frame)), f"{name}.csv",
        "text/csv", icon=":material/download:", on_click="ignore", key=f"download {name}",
    )  # fmt: skip


def download_samples(wanted: SampleFilter, runs: Sequence[str], as_of: int) -> None:
    """Offer every sample of a filter as a file, texts in full.

    Args:
        wanted: Which.
        runs: All the runs that they may be of.
        as_of: Batch.
    """
    store, hidden = runtime.store(), reader().hidden

    def make() -> bytes:
        with store.cursor(hidden=hidden) as con:
            return csv_bytes(all_samples(con, wanted, as_of))

    st.download_button(
        "Download as CSV", noted("samples as CSV", runs, make), "driftline-samples.csv", "text/csv",
        icon=":material/download:", on_click="ignore", type="tertiary",
    )  # fmt: skip


def to_look_at(looks: list[str]) -> None:
    """What the reader should know before trusting the numbers; a few stand open, many are folded."""
    if looks:
        with st.expander(f"To look at ({len(looks)})", expanded=len(looks) <= 5):
            st.html(listed(looks))
