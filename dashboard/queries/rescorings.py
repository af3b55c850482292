"""Re-scorings as they were saved: what was to be judged by whom, how far it has come, what is still without a verdict.

Who may not see one of the runs that a re-scoring tells of finds nothing of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import pandas as pd

from dashboard.queries.frame import COUNT, TEXT, TIME, frame_of
from loaders.errors import DriftlineError
from loaders.store.sql import records


class NoSuchRescoring(DriftlineError):
    """A link to a re-scoring that isn't in the store, or that the reader may not see."""


@dataclass(frozen=True)
class SavedRescoring:
    """A re-scoring.

    Attributes:
        selection: JSON: how its transcripts were selected (`dashboard.probe.rescoring.Selected`).
        limits: JSON: `transcript_tokens`.
        as_of: The batch that was selected from.
        metric: The definition whose outcomes were selected by; None for each eval's default.
    """

    judging_id: str
    title: str
    author: str | None
    created_at: datetime
    endpoint: str
    protocol: str
    model: str
    rubric_title: str
    rubric: str
    selection: str
    limits: str
    as_of: int
    metric: str | None
    runs: tuple[str, ...]


@dataclass(frozen=True)
class Progress:
    """How far a re-scoring has come.

    Attributes:
        items: Transcripts.
        judged: Those with a verdict.
        failed: Those whose last attempt gave none.
        input_tokens, output_tokens: As servers counted them.
    """

    items: int
    judged: int
    failed: int
    input_tokens: int
    output_tokens: int


RESCORING_COLUMNS: dict[str, str] = {
    "judging_id": TEXT, "title": TEXT, "model": TEXT, "endpoint": TEXT, "rubric_title": TEXT, "author": TEXT,
    "created_at": TIME, "items": COUNT, "judged": COUNT, "failed": COUNT, "as_of": COUNT,
}  # fmt: skip
"""Columns of `all_rescorings`. `judged` of `items` have a verdict; the last attempt at `failed` ones gave none."""

LAST = """
SELECT * FROM seen_judging_verdicts()
QUALIFY row_number() OVER (PARTITION BY judging_id, position ORDER BY attempt DESC) = 1
"""

RESCORING = "SELECT * EXCLUDE (driftline) FROM seen_judgings() WHERE judging_id = $judging"

RESCORINGS = f"""
WITH last AS ({LAST}),
counts AS (
    SELECT i.judging_id, count(*) AS items, count(l.verdict) AS judged,
           count_if(l.position IS NOT NULL AND l.verdict IS NULL AND l.error_kind <> 'stopped') AS failed
    FROM seen_judging_items() i LEFT JOIN last l USING (judging_id, position) GROUP BY ALL
)
SELECT j.judging_id, j.title, j.model, j.endpoint, j.rubric_title, j.author, j.created_at, c.items, c.judged, c.failed,
       j.as_of
FROM seen_judgings() j LEFT JOIN counts c USING (judging_id)
ORDER BY j.created_at DESC, j.judging_id
"""  # noqa: S608 - LAST is a constant above

PROGRESS = f"""
WITH last AS ({LAST})
SELECT count(*) AS items, count(l.verdict) AS judged,
       count_if(l.position IS NOT NULL AND l.verdict IS NULL AND l.error_kind <> 'stopped') AS failed,
       (SELECT coalesce(sum(input_tokens), 0)::BIGINT FROM seen_judging_verdicts() WHERE judging_id = $judging)
           AS input_tokens,
       (SELECT coalesce(sum(output_tokens), 0)::BIGINT FROM seen_judging_verdicts() WHERE judging_id = $judging)
           AS output_tokens
FROM seen_judging_items() i LEFT JOIN last l USING (judging_id, position) WHERE i.judging_id = $judging
"""  # noqa: S608 - LAST is a constant above

WITHOUT_VERDICT = f"""
WITH last AS ({LAST})
SELECT i.position, i.sample_id, coalesce(l.attempt + 1, 0) AS attempt
FROM seen_judging_items() i LEFT JOIN last l USING (judging_id, position)
WHERE i.judging_id = $judging AND l.verdict IS NULL ORDER BY l.attempt IS NOT NULL, i.position
"""  # noqa: S608 - LAST is a constant above

ERRORS = f"""
WITH last AS ({LAST})
SELECT error_kind AS kind, error, count(*) AS transcripts FROM last
WHERE judging_id = $judging AND verdict IS NULL AND error_kind <> 'stopped' GROUP BY ALL ORDER BY ALL
"""  # noqa: S608 - LAST is a constant above

OF_SAMPLE = f"""
WITH last AS ({LAST})
SELECT j.judging_id, j.title, j.model, j.endpoint, j.rubric_title, l.verdict, l.reason, l.error, l.ended_at,
       i.sample_id, i.transcript_hash
FROM seen_judging_items() i JOIN seen_judgings() j USING (judging_id) JOIN last l USING (judging_id, position)
WHERE i.eval_key = $log AND i.sample_key = $sample AND i.epoch = $epoch
ORDER BY j.created_at, j.judging_id
"""  # noqa: S608 - LAST is a constant above


def all_rescorings(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Every re-scoring that the reader may see, the newest first: `RESCORING_COLUMNS`."""
    return frame_of(records(con, RESCORINGS), RESCORING_COLUMNS)


def read_rescoring(con: duckdb.DuckDBPyConnection, judging_id: str) -> SavedRescoring:
    """Read one re-scoring.

    Raises:
        NoSuchRescoring: There is none of this name that the reader may see.
    """
    found = records(con, RESCORING, {"judging": judging_id})
    if not found:
        raise NoSuchRescoring(f"There is no re-scoring run {judging_id} in this store.")
    row = found[0]
    return SavedRescoring(
        selection=row.pop("selection_json"), limits=row.pop("limits_json"), runs=tuple(row.pop("runs")), **row
    )


def progress(con: duckdb.DuckDBPyConnection, judging_id: str) -> Progress:
    """How far a re-scoring has come, as it is saved."""
    return Progress(**records(con, PROGRESS, {"judging": judging_id})[0])


def errors_of(con: duckdb.DuckDBPyConnection, judging_id: str) -> list[dict[str, Any]]:
    """Why the last attempts gave no verdict: kind, error, and of how many transcripts."""
    return records(con, ERRORS, {"judging": judging_id})


def without_verdict(con: duckdb.DuckDBPyConnection, judging_id: str) -> list[dict[str, Any]]:
    """What is to be asked about: position, sample_id, and the number of the next attempt; new ones first."""
    return records(con, WITHOUT_VERDICT, {"judging": judging_id})


def verdicts_of_sample(con: duckdb.DuckDBPyConnection, log: str, sample: str, epoch: int) -> Sequence[dict[str, Any]]:
    """What re-scorings say of one sample: judging_id, title, model, endpoint, rubric_title, verdict, reason, error,
    ended_at, and sample_id and transcript_hash of what was judged; oldest re-scoring first."""
    return records(con, OF_SAMPLE, {"log": log, "sample": sample, "epoch": epoch})
