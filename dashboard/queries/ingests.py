"""What was ingested when: batches, files with their rejects and remarks, rules that disagree, logs' own numbers."""

from __future__ import annotations

import json

import duckdb
import pandas as pd

from dashboard.queries.frame import COUNT, FLAG, LIST, NUMBER, TEXT, TIME, frame_of
from loaders.store.sql import records

BATCH_COLUMNS: dict[str, str] = {
    "batch": COUNT, "started_at": TIME, "finished_at": TIME, "driftline": TEXT, "roots": LIST, "report": LIST,
    "files": COUNT, "rejected": COUNT, "superseded": COUNT, "evals": COUNT, "samples": COUNT,
}  # fmt: skip
"""Columns of `batches`, the newest first. `files` are contents that came in, `superseded` contents that went out;
`roots` is a list of paths and `report` a dict."""

BATCHES = """
WITH seen AS (FROM seen_sources()),
held AS (SELECT s.batch_from, e.n_samples FROM seen_evals() e JOIN seen s USING (source_id))
SELECT b.batch, b.started_at, b.finished_at, b.driftline, r.roots, r.report,
       (SELECT count(*) FROM seen s WHERE s.batch_from = b.batch AND s.status = 'ingested') AS files,
       (SELECT count(*) FROM seen s WHERE s.batch_from = b.batch AND s.status = 'rejected') AS rejected,
       (SELECT count(*) FROM seen s WHERE s.batch_to = b.batch AND s.status = 'ingested') AS superseded,
       (SELECT count(*) FROM held h WHERE h.batch_from = b.batch) AS evals,
       (SELECT sum(coalesce(h.n_samples, 0))::BIGINT FROM held h WHERE h.batch_from = b.batch) AS samples
FROM seen_batches() b JOIN seen_batch_reports() r USING (batch) ORDER BY b.batch DESC
"""

BATCH_MARK = "SELECT left(md5(started_at::VARCHAR), 6) AS mark FROM seen_batches() WHERE batch = $batch"

FILE_COLUMNS: dict[str, str] = {
    "path": TEXT, "root": TEXT, "format": TEXT, "status": TEXT, "reason": TEXT, "notes": LIST, "complete": FLAG,
    "size": COUNT, "batch": COUNT, "evals": COUNT, "samples": COUNT, "content_hash": TEXT,
}  # fmt: skip
"""Columns of `files`: where each content lies; `batch` is the one that it came in with, `notes` a list of remarks,
`size` in bytes."""

FILES = """
SELECT l.path, l.root, s.format, s.status, s.reason, s.notes, coalesce(s.complete, true) AS complete, l.size,
       s.batch_from AS batch, s.content_hash, coalesce(e.evals, 0) AS evals, coalesce(e.samples, 0) AS samples
FROM live_sources($as_of) s JOIN live_locations($as_of) l USING (source_id)
LEFT JOIN (SELECT source_id, count(*) AS evals, sum(coalesce(n_samples, 0))::BIGINT AS samples
           FROM seen_evals() GROUP BY source_id) e USING (source_id)
WHERE $status IS NULL OR s.status = $status
ORDER BY l.root, l.path
"""

CONFLICT_COLUMNS: dict[str, str] = {
    "kind": TEXT, "field": TEXT, "message": TEXT, "path": TEXT, "run": TEXT, "eval": TEXT, "eval_key": TEXT,
    "candidates": LIST, "batch": COUNT,
}  # fmt: skip
"""Columns of `conflicts`. `candidates` is the parsed list of what each rule says (None where there is none)."""

CONFLICTS = """
WITH found AS (FROM live_conflicts($as_of)),
concerned AS (FROM live_evals($as_of) WHERE eval_id IN (SELECT eval_id FROM found))
SELECT c.kind, c.field, c.message, coalesce(c.path, e.path) AS path, e.run, e.eval, e.eval_key, c.candidates_json,
       c.batch_from AS batch
FROM found c LEFT JOIN concerned e USING (eval_id)
ORDER BY path, c.field, c.message
"""

HEADER_COLUMNS: dict[str, str] = {
    "metric": TEXT, "scorer": TEXT, "key": TEXT, "reducer": TEXT, "value": NUMBER, "stderr": NUMBER, "n": COUNT,
}  # fmt: skip
"""Columns of `header_metrics`."""

HEADER_METRICS = """
SELECT metric, scorer, key, reducer, value, stderr, n
FROM live_reported($as_of) SEMI JOIN (FROM live_evals($as_of) WHERE eval_key = $log) USING (eval_id)
ORDER BY scorer, key NULLS FIRST, metric
"""


def batches(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Every ingest batch, the newest first: `BATCH_COLUMNS`.

    Whoever may not see some run sees no report, which tells of all, and of the roots those that hold what may be seen.
    """
    rows = records(con, BATCHES)
    for row in rows:
        row["roots"], row["report"] = json.loads(row["roots"] or "[]"), json.loads(row["report"] or "{}")
        row["samples"] = row["samples"] or 0
    return frame_of(rows, BATCH_COLUMNS)


def batch_mark(con: duckdb.DuckDBPyConnection, batch: int) -> str | None:
    """Six hexadecimal digits that tell a batch from that of the same number in another store; None if there is none."""
    rows = records(con, BATCH_MARK, {"batch": batch})
    return rows[0]["mark"] if rows else None


def files(con: duckdb.DuckDBPyConnection, as_of: int, status: str | None = None) -> pd.DataFrame:
    """Every file as of a batch, of one status (ingested, rejected, left) or of any: `FILE_COLUMNS`."""
    rows = records(con, FILES, {"as_of": as_of, "status": status})
    for row in rows:
        row["notes"] = json.loads(row["notes"] or "[]")
    return frame_of(rows, FILE_COLUMNS)


def rejects(con: duckdb.DuckDBPyConnection, as_of: int) -> pd.DataFrame:
    """Every file that could not be read, with the reason: `FILE_COLUMNS`."""
    return files(con, as_of, "rejected")


def conflicts(con: duckdb.DuckDBPyConnection, as_of: int) -> pd.DataFrame:
    """Every disagreement between rules about run, step and the like: `CONFLICT_COLUMNS`."""
    rows = records(con, CONFLICTS, {"as_of": as_of})
    for row in rows:
        row["candidates"] = json.loads(row.pop("candidates_json") or "null")
    return frame_of(rows, CONFLICT_COLUMNS)


def header_metrics(con: duckdb.DuckDBPyConnection, log: str, as_of: int) -> pd.DataFrame:
    """The numbers that one log (by `eval_key`) reports of itself, as they stand in it: `HEADER_COLUMNS`."""
    return frame_of(records(con, HEADER_METRICS, {"as_of": as_of, "log": log}), HEADER_COLUMNS)
