"""Tables that pages share, and the files that readers take away: noted at the moment that they are taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import pandas as pd
import streamlit as st

from dashboard import links, runtime
from dashboard.commands import RATE_TABLE
from dashboard.exports.csv import csv_bytes
from dashboard.kit.numbers import outcome_words
from dashboard.kit.page import fragments, shell
from dashboard.kit.page.reader import cursor, reader
from dashboard.kit.pickers import controls
from dashboard.pages import page_file
from dashboard.queries.excerpts import Excerpt
from dashboard.queries.rows import checkpoint_name
from dashboard.queries.samples import SampleFilter, SampleName, all_samples
from dashboard.queries.verdicts import verdict_counts
from dashboard.review import audit
from dashboard.review.threads.reading import notes_on_samples

ROW_HEIGHT = 68
"""Pixels: three lines of a judge's words."""

NAMING = ("run", "checkpoint", "baseline", "parent")
"""Columns that name runs, by themselves or with a step behind an @."""


def sample_table(
    frame: pd.DataFrame,
    key: str,
    within: links.Parameters,
    better: str | None,
    *,
    fixed: Sequence[str] = (),
    found: Mapping[SampleName, Excerpt] | None = None,
) -> None:
    """Show samples, a row each; a click anywhere on a row opens its transcript.

    Args:
        frame: Rows of `SAMPLE_COLUMNS`, one page.
        key: Of the widget.
        within: The filter that they passed, as parameters of the Samples page.
        better: Direction of the definition in use: its words for outcomes.
        fixed: Columns (checkpoint, eval) in which the filter allows one value only; they are left out.
        found: Where the text stands that the filter asks for; None where it asks for none.
    """
    words = outcome_words(better)
    table = pd.DataFrame(
        {
            "outcome": frame["outcome"].map(lambda outcome: words.get(outcome, "")),
            "checkpoint": [checkpoint_name(row) for row in frame.to_dict("records")],
            "eval": frame["eval"],
            "sample": frame["sample"],
            "epoch": frame["epoch"],
            "found": excerpt_texts(frame, found or {}),
            "judge": frame["explanation"].fillna(frame["error"]).fillna(""),
            "reply": frame["reply"].fillna(""),
            "prompt": frame["prompt"].fillna(""),
            "scores": frame["scores"].fillna(""),
            "limit": frame["limit"].fillna(""),
            "people": sample_marks(frame),
        }
    )
    alike = [*fixed, *(name for name in ("limit", "scores", "people", "found") if (table[name] == "").all())]
    alike += ["epoch"] if (table["epoch"] == 1).all() else []

    def open_row() -> None:
        cells = st.session_state[key].selection.cells
        if cells:
            row = frame.iloc[cells[0][0]]
            to = links.transcript(row["log"], row["sample"], int(row["epoch"]), within=within)
            fragments.switch_page(page_file(links.TRANSCRIPT), query_params=to)

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
            "found": st.column_config.TextColumn("Found", width=340),
            "judge": st.column_config.TextColumn("Judge's explanation, or error", width=340),
            "reply": st.column_config.TextColumn("Reply", width=340),
            "prompt": st.column_config.TextColumn("Prompt", width=260),
            "scores": st.column_config.TextColumn("Scores", width=180),
            "limit": st.column_config.TextColumn("Limit", width=90),
            "people": st.column_config.TextColumn("People", width=120),
        },
        alt="Samples; a click on a row opens its transcript",
    )


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


def noted(what: str, runs: Sequence[str], make: Callable[[], bytes]) -> Callable[[], bytes]:
    """What makes a file when its button is clicked, and writes down who took it.

    It runs outside of the page's script, where nobody knows who reads: what it needs is looked up now.

    Args:
        what: The file in words: "rates as CSV".
        runs: All the runs that it tells of.
        make: Makes its content.
    """
    store, who, as_of = runtime.store(), reader().name, shell.as_of()
    address = {name: st.query_params.get_all(name) for name in st.query_params}
    page = f"{st.session_state.get(controls.PAGE, '')}?{links.query(address)}"

    def made() -> bytes:
        content = make()
        details = {"bytes": len(content), "as_of": as_of}
        audit.record(store, who, "export", what, address=page, runs=sorted(set(runs)), details=details)
        return content

    return made


def runs_in(frame: pd.DataFrame) -> list[str]:
    """The runs that a table names."""
    told = [frame[name].dropna().astype(str) for name in NAMING if name in frame]
    return sorted({text.rpartition("@")[0] or text for texts in told for text in texts})


def excerpt_texts(frame: pd.DataFrame, found: Mapping[SampleName, Excerpt]) -> list[str]:
    """Where a text stands in samples, in words: "message 3: … the text around it …"; "" where nowhere."""
    names = (SampleName(row["log"], row["sample"], row["epoch"]) for row in frame.to_dict("records"))
    return [f"{one.place}: {one.text}" if (one := found.get(name)) else "" for name in names]


def sample_marks(frame: pd.DataFrame) -> list[str]:
    """What people left on samples, in words: "2 notes, 1 verdict"; "" where nothing.

    Args:
        frame: With columns log, sample and epoch.
    """
    logs = frame["log"].unique().tolist()
    with cursor() as found:
        notes, verdicts = notes_on_samples(found, logs), verdict_counts(found, logs)
    names = zip(frame["log"], frame["sample"], frame["epoch"], strict=True)
    return [_words(notes.get(name, 0), verdicts.get(name, 0)) for name in names]


def _words(notes: int, verdicts: int) -> str:
    counted = ((notes, "note"), (verdicts, "verdict"))
    return ", ".join(f"{n} {word}{'' if n == 1 else 's'}" for n, word in counted if n)
