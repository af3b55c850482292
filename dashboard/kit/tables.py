"""Tables that pages share, and the files that readers take away: noted at the moment that they are taken."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import links, numerals, runtime
from dashboard.exports.csv import csv_bytes
from dashboard.kit.data_table import data_table
from dashboard.kit.numbers import outcome_words
from dashboard.kit.page import fragments, shell
from dashboard.kit.page.reader import cursor, reader
from dashboard.kit.pickers import controls
from dashboard.pages import page_file
from dashboard.queries.excerpts import Excerpt
from dashboard.queries.rate import PRINTED
from dashboard.queries.rows import checkpoint_name, is_missing
from dashboard.queries.samples import SampleFilter, SampleName, all_samples
from dashboard.queries.verdicts import verdict_counts
from dashboard.review import audit
from dashboard.review.threads.reading import notes_on_samples

ROW_HEIGHT, FOUND_HEIGHT = 27, 68
"""Pixels: one line, twenty of which fit a screen; and three where what was found is shown with what stands around."""

HEADER = 36
"""Pixels of a table's header and border."""

SAMPLE_WIDTHS: dict[str, tuple[str, int]] = {
    "open": ("Link", 46),
    "outcome": ("Outcome", 105),
    "score": ("Score", 110),
    "checkpoint": ("Checkpoint", 140),
    "eval": ("Eval", 100),
    "variant": ("Variant", 90),
    "sample": ("Sample", 90),
    "epoch": ("Epoch", 55),
    "found": ("Found", 340),
    "prompt": ("Prompt", 190),
    "reply": ("Reply", 320),
    "judge": ("Explanation / error", 320),
    "limit": ("Limit", 90),
    "people": ("Notes and labels", 130),
}
"""Columns of a table of samples in order, each with its title and width."""

SPARSE = ("outcome", "score", "variant", "limit", "people", "found", "reply", "judge")
"""Columns of a table of samples that are left out where they say nothing."""

NAMING = ("run", "checkpoint", "baseline", "parent")
"""Columns that name runs, by themselves or with a step behind an @."""


def table_height(rows: int, most: int) -> int:
    """Pixels of a table with rows of one line.

    Args:
        rows: How many it has.
        most: How many are in sight at once; a longer table scrolls.
    """
    return min(rows, most) * ROW_HEIGHT + HEADER


def sample_table(
    frame: pd.DataFrame,
    key: str,
    within: links.Parameters,
    better: str | None,
    *,
    fixed: Sequence[str] = (),
    found: Mapping[SampleName, Excerpt] | None = None,
) -> None:
    """Show samples, a row each; a click anywhere on a row opens its transcript, one on its link in a new tab.

    Args:
        frame: Rows of `SAMPLE_COLUMNS`, one page.
        key: Of the widget.
        within: The filter that they passed, as parameters of the Samples page.
        better: Direction of the definition in use: its words for outcomes.
        fixed: Columns (checkpoint, eval) in which the filter allows one value only; they are left out.
        found: Where the text stands that the filter asks for; None where it asks for none.
    """
    texts = excerpt_texts(frame, found or {})
    addresses = [
        links.transcript(row["log"], row["sample"], int(row["epoch"]), within=within)
        for row in frame.to_dict("records")
    ]
    table = sample_cells(frame, better).assign(found=texts, people=sample_marks(frame))
    pinned = controls.pinned()
    table["open"] = [f"{links.TRANSCRIPT}?{links.query(to | pinned)}" for to in addresses]
    scorer, table["score"] = without_shared_scorer(table["score"].tolist())
    alike = [*fixed, *(name for name in SPARSE if (table[name] == "").all())]
    alike += ["epoch"] if (table["epoch"] == 1).all() else []

    def open_row() -> None:
        cells = st.session_state[key].selection.cells
        # The link opens a tab of its own.
        if cells and cells[0][1] != "open":
            fragments.switch_page(page_file(links.TRANSCRIPT), query_params=addresses[cells[0][0]])

    shown = [name for name in SAMPLE_WIDTHS if name not in alike]
    kinds: dict[str, Callable[..., Any]] = {
        "open": partial(
            st.column_config.LinkColumn, display_text=":material/open_in_new:", help="Open in a new tab", pinned=True
        ),
        "epoch": st.column_config.NumberColumn,
        "outcome": partial(st.column_config.TextColumn, pinned=True),
    }
    config = {
        name: kinds.get(name, st.column_config.TextColumn)(SAMPLE_WIDTHS[name][0], width=SAMPLE_WIDTHS[name][1])
        for name in shown
    }
    if scorer and "score" in shown:
        # The key says more than the scorer's name, and there is room for one.
        title = f"Score: {scorer.rpartition('.')[2] or scorer}"
        config["score"] = st.column_config.TextColumn(title, width=SAMPLE_WIDTHS["score"][1])

    data_table(
        table[shown],
        key=key,
        on_select=fragments.sure(open_row),
        selection_mode="single-cell",
        height="content",
        row_height=FOUND_HEIGHT if "found" in shown else ROW_HEIGHT,
        column_config=config,
        alt="Samples; click a row to open its transcript",
    )


def sample_cells(frame: pd.DataFrame, better: str | None) -> pd.DataFrame:
    """What a table says of samples themselves; a gap is an empty text, and white space one blank.

    Args:
        frame: Rows of `SAMPLE_COLUMNS`.
        better: Direction of the definition in use: its words for outcomes.
    """
    words = outcome_words(better) | {"scored": ""}
    rows = frame.to_dict("records")

    def lines(texts: pd.Series[str]) -> list[str]:
        return [" ".join(str(text).split()) for text in texts.fillna("")]

    return pd.DataFrame(
        {
            "outcome": [words.get(row["outcome"], "") for row in rows],
            "score": _scores(rows),
            "checkpoint": [checkpoint_name(row) for row in rows],
            "eval": frame["eval"],
            "variant": frame["variant"].fillna(""),
            "sample": frame["sample"],
            "epoch": frame["epoch"],
            "prompt": lines(frame["prompt"]),
            "reply": lines(frame["reply"]),
            "judge": lines(frame["explanation"].fillna(frame["error"])),
            "limit": frame["limit"].fillna(""),
        },
        index=frame.index,
    )


def without_shared_scorer(scores: Sequence[str]) -> tuple[str, list[str]]:
    """The scorer that all scores of a table are of, to stand over them, and the scores without it.

    Args:
        scores: As "judge.harmful 1"; of several scores in one text none is taken off.
    """
    said = [score for score in scores if score]
    scorer = said[0].partition(" ")[0] + " " if said else " "
    if scorer == " " or not all(score.startswith(scorer) and ", " not in score for score in said):
        return "", list(scores)
    return scorer.strip(), [score.removeprefix(scorer) for score in scores]


def _scores(rows: Sequence[Mapping[Hashable, Any]]) -> list[str]:
    """What was scored; of a metric that is a mean its value, where the log has the scores in no other words."""
    values = [numerals.figures(row["value"]) if row["outcome"] == "scored" else "" for row in rows]
    return [value if is_missing(row["scores"]) else row["scores"] for row, value in zip(rows, values, strict=True)]


def numbers_table(rates: pd.DataFrame, name: str) -> None:
    """The numbers behind a plot, as `driftline rates` prints them, and as a file.

    Args:
        rates: `RATE_COLUMNS`.
        name: Of the file, without its ending.
    """
    shown = dict.fromkeys([*PRINTED, "step_label", "stderr", "reported", "definition", "path"])
    empty = [
        c for c in ("tokens", "step_label", "variant", "stderr", "reported", "mix", "stage") if rates[c].isna().all()
    ]
    data_table(
        rates[[column for column in shown if column not in empty]],
        column_config={
            c: st.column_config.NumberColumn(format=numerals.COLUMN_FIGURES)
            for c in ("rate", "low", "high", "stderr", "reported")
        },
        alt="Data of the plot",
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
