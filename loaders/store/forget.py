"""Forgetting what was only passing: states of a file that was still being written, when a later one has taken over.

A log that is looked at each second leaves a batch and all of its samples each time. A batch is *passing* where nothing
came or went in it but such states. It is forgotten, with the rows that no other batch shows, unless somebody holds it:
a page that shows it, or a link, view, note or judging that is pinned to it. All other batches stay readable for ever.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import duckdb

from loaders.store.schema import COLUMNS
from loaders.store.sql import all_or_nothing


def forget_passing(cursor: duckdb.DuckDBPyConnection, held: Collection[int], before: datetime) -> int:
    """Forget, all or nothing, what no batch shows any more.

    Args:
        held: Batches that somebody looks at.
        before: Batches that were finished later stay: what is being asked for now may be as of one of them.

    Returns:
        How many batches were forgotten.
    """
    with all_or_nothing(cursor):
        states = _ids(cursor, STATES)
        passing = cursor.execute(PASSING, {"states": states, "before": before}).fetchall() if states else []
        pinned = {row[0] for row in cursor.execute(PINNED).fetchall()}
        forgotten = [batch for (batch,) in passing if batch not in pinned and batch not in held]
        if forgotten:
            cursor.execute("DELETE FROM batches WHERE batch IN (SELECT unnest($1))", [forgotten])
            _drop(cursor, states)
    return len(forgotten)


def _drop(cursor: duckdb.DuckDBPyConnection, states: list[int]) -> None:
    """Drop of these sources those that no batch shows, with everything that was read out of them or decided of it."""
    sources = _ids(cursor, UNSEEN, states)
    evals = _ids(cursor, "SELECT eval_id FROM evals WHERE source_id IN (SELECT unnest($1))", sources)
    for table, columns in COLUMNS.items():
        key, ids = ("source_id", sources) if "source_id" in columns else ("eval_id", evals)
        if key in columns:
            # Table and column names are the schema's own.
            cursor.execute(f"DELETE FROM {table} WHERE {key} IN (SELECT unnest($1::BIGINT[]))", [ids])  # noqa: S608


def _ids(cursor: duckdb.DuckDBPyConnection, sql: str, *given: list[int]) -> list[int]:
    return [row[0] for row in cursor.execute(sql, list(given)).fetchall()]


STATES = """
WITH here AS (SELECT eval_key, p.run FROM evals JOIN placements p USING (eval_id) WHERE p.batch_to IS NULL)
SELECT source_id FROM sources s
WHERE s.status = 'ingested' AND NOT s.complete AND s.batch_to IS NOT NULL
  AND EXISTS (
    FROM locations was JOIN locations became USING (root, path) JOIN sources next ON next.source_id = became.source_id
    WHERE was.source_id = s.source_id AND became.batch_from = s.batch_to AND next.status = 'ingested'
  )
  AND NOT EXISTS (
    FROM training_places p
    WHERE p.source_id = s.source_id AND p.run NOT IN (SELECT run FROM training_places WHERE batch_to IS NULL)
  )
  AND NOT EXISTS (
    FROM evals e JOIN placements p USING (eval_id)
    WHERE e.source_id = s.source_id
      AND NOT EXISTS (FROM here h WHERE h.eval_key = e.eval_key AND h.run IS NOT DISTINCT FROM p.run)
  )
"""
"""States of unfinished logs that a later one has taken the place of. One that ever counted in another run than the log
does now stays: by where it was placed, what belongs to private runs stays hidden."""

PASSING = """
SELECT batch FROM batches
WHERE finished_at < $before AND batch < (SELECT max(batch) FROM batches)
  AND batch NOT IN (
    SELECT unnest([batch_from, coalesce(batch_to, -1)]) FROM sources WHERE source_id NOT IN (SELECT unnest($states))
  )
  AND batch NOT IN (
    SELECT unnest([batch_from, coalesce(batch_to, -1)]) FROM locations WHERE source_id NOT IN (SELECT unnest($states))
  )
"""

PINNED = """
SELECT as_of FROM saved_views WHERE as_of IS NOT NULL
UNION SELECT as_of FROM threads WHERE as_of IS NOT NULL
UNION SELECT as_of FROM judgings WHERE as_of IS NOT NULL
UNION SELECT try_cast(regexp_extract(address, '[?&]as_of=([0-9]+)', 1) AS BIGINT) FROM audit
WHERE address LIKE '%as_of=%'
UNION SELECT try_cast(json_extract_string(details_json, '$.as_of') AS BIGINT) FROM audit
WHERE details_json LIKE '%"as_of"%'
"""
"""What people saved, wrote about, had judged, shared, or took away as a file that names its batch."""

UNSEEN = """
SELECT source_id FROM sources s
WHERE source_id IN (SELECT unnest($1))
  AND NOT EXISTS (FROM batches b WHERE b.batch >= s.batch_from AND b.batch < s.batch_to)
  AND source_id NOT IN (
    SELECT coalesce(arg_max(source_id, sample_id), -1) FROM samples
    UNION ALL SELECT coalesce(arg_max(source_id, eval_id), -1) FROM evals
  )
"""
"""What holds the highest ids stays, so that no id is ever given twice."""
