"""Samples behind a point: filtered, sorted and paged inside DuckDB, never more than a page of rows handed out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, NamedTuple

import duckdb
import pandas as pd

from dashboard.queries.found_samples import OF_LOGS, find, find_in
from dashboard.queries.frame import COUNT, FLAG, NUMBER, TEXT, TIME, frame_of
from dashboard.queries.sample_filter import OUTCOMES, InSight, Outcome, SampleFilter, in_sight
from dashboard.queries.sample_order import SORTS, Sort, in_order, is_by_log, needs_outcomes, order_by, parts_of
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
    "any_sample",
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
SELECT p.eval_id, p.sample, p.epoch, p.outcome, p.value, p.metric, d.scores,
       left(d.explanation, $chars) AS explanation, left(d.answer, $chars) AS answer, left(s.input, $chars) AS prompt,
       left(s.reply, $chars) AS reply, left(s.target, $chars) AS target, left(p.error, $chars) AS error, p."limit",
       coalesce(s.invalidated, false) AS invalidated, p.time, p.messages
FROM page p JOIN {samples} s USING (sample_id) LEFT JOIN details d USING (sample_id)
ORDER BY p.place
"""

OF_LOG = {
    "run": "run", "step": "step", "step_label": "step_label", "eval": "eval", "mix": "mix", "stage": "stage",
    "variant": "variant", "model": "model", "log": "eval_key", "path": "path", "created": "created",
}  # fmt: skip
"""What a sample's row has of its log, and the log's column that it is."""

COUNTS = "SELECT coalesce(outcome, 'none') AS outcome, count(*) AS n FROM matching GROUP BY ALL"

BY_LOG = "SELECT eval_id, count(*) AS n FROM matching GROUP BY eval_id"
"""How many samples of each log are wanted."""

PLACES = "SELECT sample_id, eval_id FROM found ORDER BY {order} LIMIT $size OFFSET $skip"

OF_ONE_LOG = """
SELECT sample_key AS sample, epoch FROM live_samples($as_of) WHERE eval_id = $eval_id ORDER BY sample_key, epoch
"""

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
    skip: int | None = None,
    chars: int | None = PREVIEW,
    as_of: int,
) -> pd.DataFrame:
    """One page of samples.

    Args:
        con: A cursor that this thread has to itself.
        wanted: Which samples.
        sort: Columns of `SORTS`, each with whether it is descending; missing values come last either way.
        page: From 0.
        size: Rows of a page.
        skip: So many are left out before it, in place of whole pages.
        chars: Long texts are cut to so many characters; None leaves them whole.
        as_of: Batch.

    Returns:
        `SAMPLE_COLUMNS`.

    Raises:
        ValueError: A column that can't be sorted by, or a negative page or size.
    """
    if page < 0 or size < 0:
        raise ValueError(f"page {page} and size {size} must not be negative")
    return _rows(con, wanted, sort, size, page * size if skip is None else skip, chars, as_of)


def all_samples(con: duckdb.DuckDBPyConnection, wanted: SampleFilter, as_of: int) -> pd.DataFrame:
    """Every sample that is wanted, texts in full, for export."""
    return _rows(con, wanted, (), None, 0, None, as_of)


def outcome_counts(con: duckdb.DuckDBPyConnection, wanted: SampleFilter, as_of: int) -> dict[str, int]:
    """How many of the samples have which outcome, whichever outcomes the filter allows; "none" for no outcome."""
    found = find(con, replace(wanted, outcomes=()), as_of)
    if found is None:
        return {}
    return {row["outcome"]: row["n"] for row in found.records(con, COUNTS)}


def sample_count(con: duckdb.DuckDBPyConnection, wanted: SampleFilter, as_of: int) -> int:
    """How many samples are wanted, exactly."""
    found = find_in(con, in_sight(con, wanted, as_of), wanted, as_of, with_outcomes=False)
    return 0 if found is None else sum(row["n"] for row in found.records(con, COUNTS))


def any_sample(con: duckdb.DuckDBPyConnection, seed: int, as_of: int) -> SampleName | None:
    """Some sample, the same for the same seed; None where there is none.

    Any log is as likely as any other, however many samples it has: of those nothing else is read.
    """
    logs = [log for of in in_sight(con, SampleFilter(), as_of).logs.values() for log in of]
    chance = Random(seed)  # noqa: S311 - nobody gains by guessing it
    for log in chance.sample(logs, len(logs)):
        found = records(con, OF_ONE_LOG, {"eval_id": log["eval_id"], "as_of": as_of})
        if found:
            row = chance.choice(found)
            return SampleName(log["eval_key"], row["sample"], row["epoch"])
    return None


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
    where = in_sight(con, wanted, as_of)
    before, total = 0, None
    if is_by_log(sort):
        logs = _by_log(con, where, wanted, sort, as_of)
        mine = [at for at, (log, _) in enumerate(logs) if log["eval_key"] == here.log]
        if not mine:
            return None
        # The neighbours lie in the same log, or in the next that has any.
        first, last = max(0, mine[0] - 1), mine[-1] + 1
        before, total = sum(n for _, n in logs[:first]), sum(n for _, n in logs)
        where = where.only({log["eval_id"] for log, _ in logs[first : last + 1]})
    found = find_in(con, where, wanted, as_of, with_outcomes=needs_outcomes(sort))
    if found is None:
        return None
    rows = {row["away"]: row for row in found.records(con, AROUND.format(order=order), here._asdict())}
    if 0 not in rows:
        return None

    def name(away: int) -> SampleName | None:
        row = rows.get(away)
        return None if row is None else SampleName(row["log"], row["sample"], row["epoch"])

    return Neighbours(name(-1), name(1), before + rows[0]["place"], rows[0]["total"] if total is None else total)


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
    where = in_sight(con, wanted, as_of)
    samples: list[int] | None = None
    if size is not None:
        where, samples, skip = _narrowed(con, where, wanted, sort, size, skip, as_of)
    found = find_in(con, where, wanted, as_of, samples=samples, of_logs=_of_logs(sort))
    if found is None:
        return frame_of([], SAMPLE_COLUMNS)
    logs = {log["eval_id"]: log for of in where.logs.values() for log in of}
    unlimited = 2**31 - 1
    limits = {"size": unlimited if size is None else size, "skip": skip, "chars": chars or unlimited}
    sql = PAGE.format(order=order, details=found.details, samples=found.samples)
    rows = found.records(con, sql, limits)
    for row in rows:
        row |= {name: logs[row["eval_id"]][column] for name, column in OF_LOG.items()}
    return frame_of(rows, SAMPLE_COLUMNS)


def _of_logs(sort: Sequence[tuple[str, bool]]) -> list[str]:
    """What an order needs to know of the samples' logs."""
    return [part for part, _ in parts_of(sort) if part in OF_LOGS]


def _narrowed(
    con: duckdb.DuckDBPyConnection,
    where: InSight,
    wanted: SampleFilter,
    sort: Sequence[tuple[str, bool]],
    size: int,
    skip: int,
    as_of: int,
) -> tuple[InSight, list[int] | None, int]:
    """The logs that a page's samples are in, their ids where they had to be found out, and how many to skip of these.

    Outcomes, texts and scores are then read of these alone.
    """
    if is_by_log(sort):
        eval_ids: set[int] = set()
        before, start = 0, skip
        for log, n in _by_log(con, where, wanted, sort, as_of):
            if before + n > skip and before < skip + size:
                start = start if eval_ids else skip - before
                eval_ids.add(log["eval_id"])
            before += n
        return where.only(eval_ids), None, start
    found = find_in(con, where, wanted, as_of, with_outcomes=needs_outcomes(sort), of_logs=_of_logs(sort))
    if found is None:
        return where, [], 0
    places = found.records(con, PLACES.format(order=order_by(sort)), {"size": size, "skip": skip})
    return where.only({row["eval_id"] for row in places}), [row["sample_id"] for row in places], 0


def _by_log(
    con: duckdb.DuckDBPyConnection, where: InSight, wanted: SampleFilter, sort: Sequence[tuple[str, bool]], as_of: int
) -> list[tuple[dict[str, Any], int]]:
    """The logs in order, each with how many of its samples are wanted; those of which none is are left out."""
    found = find_in(con, where, wanted, as_of, with_outcomes=False)
    if found is None:
        return []
    count = {row["eval_id"]: row["n"] for row in found.records(con, BY_LOG)}
    logs = (log for of in where.logs.values() for log in of if log["eval_id"] in count)
    return [(log, count[log["eval_id"]]) for log in in_order(logs, sort)]
