"""Several workers at once: what each takes in is its own until it is finished, and enters the present as one batch.

A worker writes its sources and where they lie under a number of its own, which is higher than any batch, so that they
are in nobody's view; and what it will end it only notes (`endings`), so that it stays in everybody's. When all is
written it waits for its turn, and what it took in is given the number of the next batch. Whatever others finished
meanwhile counts by then: of two who read the same file, one's rows never were.
"""

from __future__ import annotations

from collections.abc import Callable

import duckdb

from loaders.store.sql import again_where_others_wrote, all_or_nothing

STAGED = 2**62
"""The lowest number of a worker. `views.sql` has it, too."""


def is_staged(number: int) -> bool:
    """Whether a number is a worker's own, and no batch's."""
    return number >= STAGED


def is_begun(cursor: duckdb.DuckDBPyConnection, staged: int) -> bool:
    """Whether a worker took anything in under its number."""
    return cursor.execute(ANYTHING, {"staged": staged}).fetchone() is not None


def next_number(cursor: duckdb.DuckDBPyConnection) -> int:
    """Of the batch that comes next: one that a worker left half decided, and whose turn is over, goes on."""
    row = cursor.execute(NEXT).fetchone()
    return int(row[0]) if row else 1


def enter(cursor: duckdb.DuckDBPyConnection, staged: int, number: int, by_content: Callable[[str], bool]) -> None:
    """Give what a worker took in the number of a batch; whoever calls has the lock of batches.

    Args:
        cursor: Outside a transaction.
        staged: The worker's number.
        number: The batch's, which is not finished.
        by_content: Whether a file of a format is the same one wherever it lies.
    """
    given = {"staged": staged, "number": number}
    with all_or_nothing(cursor):
        formats = [name for (name,) in cursor.execute(FORMATS, {"staged": staged}).fetchall() if by_content(name)]
        cursor.execute(END_NOTED, given)
        cursor.execute(DROP_OLDER, {"staged": staged})
        cursor.execute(DROP_RIVALS, {"staged": staged})
        cursor.execute(END_RIVALS, given)
        if formats:
            cursor.execute(JOIN_TWINS, {"staged": staged, "formats": formats})
        cursor.execute(END_HOMELESS, given)
        for table in ("locations", "sources"):
            cursor.execute(NUMBER.format(table=table), given)
        cursor.execute("DELETE FROM endings WHERE batch = $staged", {"staged": staged})
    again_where_others_wrote(lambda: _tell_keys_apart(cursor, number))


def _tell_keys_apart(cursor: duckdb.DuckDBPyConnection, number: int) -> None:
    """Of two live logs with one id that came in at the same time, the later gets its content's hash behind it."""
    same = [row[0] for row in cursor.execute(SAME_KEYS, {"number": number}).fetchall()]
    if same:
        cursor.execute(TELL_APART, {"evals": same})


ANYTHING = """
SELECT 1 FROM locations WHERE batch_from = $staged
UNION ALL SELECT 1 FROM endings WHERE batch = $staged
LIMIT 1
"""

NEXT = "SELECT coalesce(min(batch) FILTER (finished_at IS NULL), max(batch) + 1, 1) FROM batches"

FORMATS = "SELECT DISTINCT format FROM sources WHERE batch_from = $staged AND status = 'ingested'"

END_NOTED = """
UPDATE locations SET batch_to = $number FROM endings e
WHERE e.batch = $staged AND e.root = locations.root AND e.path = locations.path AND e.source_id = locations.source_id
  AND locations.batch_to IS NULL AND locations.batch_from < 4611686018427387904
"""

DROP_OLDER = """
UPDATE locations SET batch_to = $staged FROM (
    SELECT m.root, m.path, m.source_id
    FROM locations m JOIN sources s USING (source_id)
    JOIN locations o ON o.root = m.root AND o.path = m.path AND o.source_id > m.source_id
    JOIN sources p ON p.source_id = o.source_id
    WHERE m.batch_from = $staged AND m.batch_to IS NULL AND o.batch_from = $staged AND o.batch_to IS NULL
      AND NOT (p.status = 'rejected' AND s.status = 'ingested')
) x
WHERE locations.batch_from = $staged AND locations.batch_to IS NULL
  AND x.root = locations.root AND x.path = locations.path AND x.source_id = locations.source_id
"""
"""Where two workers that are gone left the same file."""

RIVALS = """
    SELECT m.root, m.path, m.source_id, o.source_id AS other,
           (s.content_hash = p.content_hash AND s.reader = p.reader) OR o.mtime_ns > m.mtime_ns AS later
    FROM locations m JOIN sources s USING (source_id)
    JOIN locations o ON o.root = m.root AND o.path = m.path
    JOIN sources p ON p.source_id = o.source_id
    WHERE m.batch_from = $staged AND m.batch_to IS NULL
      AND o.batch_from < 4611686018427387904 AND o.batch_to IS NULL
      AND NOT (s.status = 'rejected' AND p.status = 'ingested')
"""
"""What others finished meanwhile at the same places, and whether theirs is the same, or of a later file."""

DROP_RIVALS = f"""
UPDATE locations SET batch_to = $staged FROM (
    SELECT root, path, source_id FROM ({RIVALS}) WHERE later
    UNION
    SELECT m.root, m.path, m.source_id FROM locations m JOIN sources s USING (source_id)
    WHERE m.batch_from = $staged AND s.batch_from <> $staged AND s.batch_to IS NOT NULL
) x
WHERE locations.batch_from = $staged AND locations.batch_to IS NULL
  AND x.root = locations.root AND x.path = locations.path AND x.source_id = locations.source_id
"""  # noqa: S608 - constants
"""And places of known sources that others ended meanwhile: the next look at them reads them."""

END_RIVALS = f"""
UPDATE locations SET batch_to = $number FROM ({RIVALS}) x
WHERE locations.batch_from < 4611686018427387904 AND locations.batch_to IS NULL
  AND x.root = locations.root AND x.path = locations.path AND x.other = locations.source_id
"""  # noqa: S608 - constants

JOIN_TWINS = """
UPDATE locations SET source_id = x.other FROM (
    SELECT s.source_id, min(p.source_id) AS other
    FROM sources s JOIN sources p USING (content_hash, reader)
    WHERE s.batch_from = $staged AND s.batch_to IS NULL AND s.status = 'ingested'
      AND list_contains($formats::VARCHAR[], s.format)
      AND p.batch_from < 4611686018427387904 AND p.batch_to IS NULL AND p.status = 'ingested'
    GROUP BY s.source_id
) x
WHERE locations.batch_from = $staged AND x.source_id = locations.source_id
"""
"""Logs that others finished meanwhile, wherever they lie: they count once."""

END_HOMELESS = """
UPDATE sources SET batch_to = CASE WHEN batch_from = $staged THEN $staged ELSE $number END
WHERE batch_to IS NULL AND (batch_from < 4611686018427387904 OR batch_from = $staged)
  AND source_id NOT IN (
    SELECT source_id FROM locations
    WHERE batch_to IS NULL AND (batch_from < 4611686018427387904 OR batch_from = $staged)
  )
"""

NUMBER = """
UPDATE {table} SET batch_from = $number, batch_to = CASE WHEN batch_to = $staged THEN $number ELSE batch_to END
WHERE batch_from = $staged
"""

SAME_KEYS = """
SELECT DISTINCT e.eval_id FROM evals e JOIN sources s USING (source_id)
JOIN evals f ON f.eval_key = e.eval_key AND f.source_id < e.source_id JOIN sources t ON t.source_id = f.source_id
WHERE s.batch_from = $number AND s.batch_to IS NULL AND t.batch_to IS NULL AND t.batch_from <= $number
"""

TELL_APART = """
UPDATE evals SET eval_key = eval_key || '-' || s.content_hash[:6] FROM sources s
WHERE s.source_id = evals.source_id AND evals.eval_id IN (SELECT unnest($evals::BIGINT[]))
"""
