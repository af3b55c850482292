"""Samples behind a point: filtered, sorted and paged inside DuckDB, never more than a page of rows handed out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import duckdb
import pandas as pd

from dashboard.queries.frame import COUNT, FLAG, NUMBER, TEXT, TIME, frame_of
from dashboard.queries.sample_filter import OUTCOMES, SORTS, Outcome, SampleFilter, Sort, find, order_by
from loaders.store.sql import records

__all__ = [
    "OUTCOMES",
    "PREVIEW",
    "SAMPLE_COLUMNS",
    "SORTS",
    "Neighbours",
    "Outcome",
    "SampleFilter",
    "SampleName",
    "Sort",
    "all_samples",
    "neighbours",
    "outcome_counts",
    "sample_count",
    "samples_page",
]

PREVIEW = 400
"""Characters of prompt, reply and explanation in a page of samples."""

SAMPLE_COLUMNS: dict[str, str] = {
    "run": TEXT, "step": COUNT, "step_label": TEXT, "eval": TEXT, "sample": TEXT, "epoch": COUNT, "outcome": TEXT,
    "value": NUMBER, "metric": TEXT, "scores": TEXT, "explanation": TEXT, "answer": TEXT, "prompt": TEXT,
    "reply": TEXT, "target": TEXT, "error": TEXT, "limit": TEXT, "invalidated": FLAG, "time": NUMBER,
    "messages": COUNT, "mix": TEXT, "stage": TEXT, "variant": TEXT, "model": TEXT, "log": TEXT, "path": TEXT,
    "created": TIME,
}  # fmt: skip
"""Columns of samples with their dtypes. `log` and `sample` and `epoch` name a transcript; `value` is the outcome as a
number, `scores` the scores that the metric looks at, as text; `time` is in seconds."""

PAGE = """,
page AS MATERIALIZED (
    SELECT *, row_number() OVER (ORDER BY {order}) AS place
    FROM (FROM found ORDER BY {order} LIMIT $size OFFSET $skip)
),
details AS ({details})
SELECT p.run, p.step, p.step_label, p.eval, p.sample, p.epoch, p.outcome, p.value, p.metric, d.scores,
       left(d.explanation, $chars) AS explanation, left(d.answer, $chars) AS answer, left(s.input, $chars) AS prompt,
       left(s.reply, $chars) AS reply, left(s.target, $chars) AS target, left(p.error, $chars) AS error, p."limit",
       coalesce(s.invalidated, false) AS invalidated, p.time, p.messages, e.mix, e.stage, e.variant,
       coalesce(e.target_model, e.model) AS model, p.log, e.path, p.created
FROM page p JOIN live_samples($as_of) s USING (sample_id) JOIN live_evals($as_of) e ON e.eval_id = p.eval_id
LEFT JOIN details d USING (sample_id)
ORDER BY p.place
"""

COUNTS = "SELECT coalesce(outcome, 'none') AS outcome, count(*) AS n FROM found GROUP BY ALL"

AROUND = """,
placed AS (SELECT log, sample, epoch, row_number() OVER (ORDER BY {order}) AS place FROM found),
here AS (SELECT min(place) AS place FROM placed WHERE log = $log AND sample = $sample AND epoch = $epoch)
SELECT p.log, p.sample, p.epoch, p.place, p.place - h.place AS away, (SELECT count(*) FROM found) AS total
FROM placed p, here h WHERE abs(p.place - h.place) <= 1
"""


class SampleName(NamedTuple):
    """What names a sample in links."""

    log: str
    sample: str
    epoch: int


@dataclass(frozen=True)
class Neighbours:
    """Where a sample stands among the filtered and sorted ones."""

    previous: SampleName | None
    next: SampleName | None
    position: int
    """From 1."""
    total: int


def samples_page(
    con: duckdb.DuckDBPyConnection,
    wanted: SampleFilter,
    sort: Sequence[tuple[str, bool]] = (),
    page: int = 0,
    size: int = 50,
    *,
    as_of: int,
) -> pd.DataFrame:
    """One page of samples.

    Args:
        con: A cursor that this thread has to itself.
        wanted: Which samples.
        sort: Columns of `SORTS`, each with whether it is descending; missing values come last either way.
        page: From 0.
        size: Rows of a page.
        as_of: Batch.

    Returns:
        `SAMPLE_COLUMNS`, long texts cut to `PREVIEW` characters.

    Raises:
        ValueError: A column that can't be sorted by, or a negative page or size.
    """
    if page < 0 or size < 0:
        raise ValueError(f"page {page} and size {size} must not be negative")
    return _rows(con, wanted, sort, size, page * size, PREVIEW, as_of)


def all_samples(con: duckdb.DuckDBPyConnection, wanted: SampleFilter, as_of: int) -> pd.DataFrame:
    """Every sample that is wanted, texts in full, for export."""
    return _rows(con, wanted, (), None, 0, None, as_of)


def outcome_counts(con: duckdb.DuckDBPyConnection, wanted: SampleFilter, as_of: int) -> dict[str, int]:
    """How many of the samples have which outcome, whichever outcomes the filter allows; "none" for no outcome."""
    found = find(con, replace(wanted, outcomes=()), as_of)
    if found is None:
        return {}
    return {row["outcome"]: row["n"] for row in records(con, found.sql + COUNTS, found.parameters)}


def sample_count(con: duckdb.DuckDBPyConnection, wanted: SampleFilter, as_of: int) -> int:
    """How many samples are wanted, exactly."""
    found = find(con, wanted, as_of)
    return 0 if found is None else sum(row["n"] for row in records(con, found.sql + COUNTS, found.parameters))


def neighbours(
    con: duckdb.DuckDBPyConnection,
    wanted: SampleFilter,
    sort: Sequence[tuple[str, bool]],
    here: SampleName,
    as_of: int,
) -> Neighbours | None:
    """The samples before and after one; None where it is not among those wanted.

    Raises:
        ValueError: A column that can't be sorted by.
    """
    order = order_by(sort)
    found = find(con, wanted, as_of)
    if found is None:
        return None
    sql = found.sql + AROUND.format(order=order)
    rows = {row["away"]: row for row in records(con, sql, found.parameters | here._asdict())}
    if 0 not in rows:
        return None

    def name(away: int) -> SampleName | None:
        row = rows.get(away)
        return None if row is None else SampleName(row["log"], row["sample"], row["epoch"])

    return Neighbours(name(-1), name(1), rows[0]["place"], rows[0]["total"])


def _rows(
    con: duckdb.DuckDBPyConnection,
    wanted: SampleFilter,
    sort: Sequence[tuple[str, bool]],
    size: int | None,
    skip: int,
    chars: int | None,
    as_of: int,
) -> pd.DataFrame:
    order = order_by(sort)
    found = find(con, wanted, as_of)
    if found is None:
        return frame_of([], SAMPLE_COLUMNS)
    unlimited = 2**31 - 1
    limits = {"size": unlimited if size is None else size, "skip": skip, "chars": chars or unlimited}
    sql = found.sql + PAGE.format(order=order, details=found.details)
    return frame_of(records(con, sql, found.parameters | found.details_parameters | limits), SAMPLE_COLUMNS)
