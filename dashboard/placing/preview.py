"""What a study file with more in it would make of some tables: their rates, or why they can't be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dashboard import numerals
from dashboard.placing.target import Target
from dashboard.queries.frame import ALL_METRICS, RateQuery
from dashboard.queries.ingests import conflicts
from dashboard.queries.rates import rate_rows
from dashboard.queries.rows import is_missing
from loaders.errors import DriftlineError
from loaders.study.editing import Entries, edit
from loaders.trial import trial

RATE_COLUMNS = {
    "run": "Run", "step": "Step", "eval": "Eval", "metric": "Metric", "value": "Value", "interval": "95% CI", "n": "n",
}  # fmt: skip
"""Columns of the rows of a preview, with their titles."""


@dataclass(frozen=True)
class Preview:
    """What came of it.

    Attributes:
        rates: A row for each eval and metric: `RATE_COLUMNS`, texts.
        problems: Why something can't be read, in sentences.
        notes: Remarks on files that were read.
        read: How many files were read.
        left_out: How many were too many or too large for a preview.
        unplaced: How many evals have no run or step.
    """

    rates: list[dict[str, str]]
    problems: list[str]
    notes: list[str]
    read: int = 0
    left_out: int = 0
    unplaced: int = 0


def preview(target: Target, paths: Sequence[str], entries: Entries) -> Preview:
    """Read tables with the study file as it would be.

    Args:
        target: The study file.
        paths: Of the tables, relative to the root.
        entries: What is added to it.
    """
    try:
        found = trial(target.root, paths, edit(target.file, entries).after, target.cards, target.at)
    except DriftlineError as error:
        return Preview([], [str(error)], [])
    try:
        batch = found.store.batch()
        with found.store.cursor() as cursor:
            rows = rate_rows(cursor, RateQuery(metrics=(ALL_METRICS,)), batch) if batch else []
            told = conflicts(cursor, batch) if batch else None
    finally:
        found.store.close()
    problems = [f"{line.path}: {line.reason}" for line in found.report.lines if line.outcome == "rejected"]
    if told is not None:
        # Entries for other files match nothing here.
        problems += told[told["kind"] != "study"]["message"].tolist()
    rows.sort(key=lambda row: row["kind"] != "rate")  # what was asked for, before means of everything
    unplaced = {row["eval_key"] for row in rows if not row["placed"]}
    return Preview(
        [rate_texts(row) for row in rows if not row["group"]],
        problems,
        found.report.notes,
        len(found.read),
        len(found.left_out),
        len(unplaced),
    )


def rate_texts(row: dict[str, Any]) -> dict[str, str]:
    """A rate as texts: `RATE_COLUMNS`."""
    kind, step = row["kind"], row["step"] if row.get("step_label") is None else row["step_label"]
    known = not is_missing(row.get("rate"))
    bounded = known and not is_missing(row.get("low"))
    k, n = row.get("k"), row.get("n")
    counted = "" if n is None or is_missing(n) else numerals.count(n)
    if counted and k is not None and not is_missing(k):
        counted = f"{numerals.count(k)} of {counted}"
    return {
        "run": str(row["run"] or ""),
        "step": "" if step is None else numerals.step(step),
        "eval": row["eval"],
        "metric": row["metric"],
        "value": numerals.value_of(row["rate"], kind) if known else "",
        "interval": numerals.between(row["low"], row["high"], kind) if bounded else "",
        "n": counted,
    }
