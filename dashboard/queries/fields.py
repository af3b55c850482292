"""The fields by which evals can be split: what their samples' and logs' metadata and task args hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import duckdb

from dashboard.queries.frame import COUNT, LIST, TEXT, frame_of
from dashboard.queries.known_logs import live_logs
from dashboard.queries.settings import OF_CHECKPOINT
from loaders.metrics.definitions import read_study
from loaders.store.sql import records

if TYPE_CHECKING:
    import pandas as pd

FIELD_COLUMNS: dict[str, str] = {"field": TEXT, "values": COUNT, "example": TEXT, "evals": LIST}
"""Columns of `fields`. `values` counts the distinct values in all of the evals together, not counting "without the
field"; `example` is the first of them in the alphabet, or its beginning; `evals` are the names of those that have the
field."""

FIELDS = """
WITH chosen AS (
    SELECT unnest($eval_ids::BIGINT[]) AS eval_id, unnest($evals::VARCHAR[]) AS eval,
           unnest($variants::VARCHAR[]) AS variant
),
-- Samples of one question have the same metadata in every log: each document is looked into once.
documents AS (
    SELECT DISTINCT eval, false AS of_log, 'metadata.' AS kind, metadata_json AS document
    FROM live_samples($as_of) JOIN chosen USING (eval_id) WHERE metadata_json IS NOT NULL
    UNION SELECT eval, true, 'metadata.', metadata_json
    FROM seen_evals() JOIN chosen USING (eval_id) WHERE metadata_json IS NOT NULL
    UNION SELECT eval, true, 'task_args.', task_args_json
    FROM seen_evals() JOIN chosen USING (eval_id) WHERE task_args_json IS NOT NULL
),
top AS (
    SELECT eval, kind || name AS field, contains(name, '.') AS dotted, value
    FROM (SELECT eval, of_log, kind, unnest(json_keys(document)) AS name,
                 unnest(json_extract(document, '$.*')) AS value
          FROM documents WHERE json_type(document) = 'OBJECT')
    WHERE name <> '' AND NOT (of_log AND list_contains($of_checkpoint::VARCHAR[], replace(lower(name), '-', '_')))
),
leaves AS (
    SELECT eval, field, json_extract_string(value, '$') AS value FROM top WHERE json_type(value) <> 'OBJECT'
    UNION ALL
    SELECT eval, field || '.' || name, value
    FROM (SELECT eval, field, unnest(json_keys(value)) AS name, unnest(json_extract_string(value, '$.*')) AS value
          FROM top WHERE json_type(value) = 'OBJECT' AND NOT dotted)
    WHERE name <> '' AND NOT contains(name, '.')
    UNION ALL SELECT eval, 'variant', variant FROM chosen
)
SELECT field, count(DISTINCT value) AS values, min(left(value, 100)) AS example, list_sort(list(DISTINCT eval)) AS evals
FROM leaves WHERE value IS NOT NULL AND NOT contains(field, '=')
GROUP BY field ORDER BY values, field
"""
"""An object is told by its members, one level deep; a dot inside a name of either level would not be found again."""


def fields(con: duckdb.DuckDBPyConnection, evals: Sequence[str], as_of: int) -> pd.DataFrame:
    """What some evals can be split by, those with the fewest values first.

    Left out are names that an address can't hold, having an = in them, and what a log says of its own checkpoint:
    run and step are there already.

    Args:
        con: A connection or cursor that this thread has to itself.
        evals: Names of evals and of groups, whose members are meant. When empty: every eval.
        as_of: The store as of the end of this batch.

    Returns:
        `FIELD_COLUMNS`, a row for each field of which there is a value; each is one that `RateQuery.splits` takes.
    """
    return frame_of(field_rows(con, evals, as_of), FIELD_COLUMNS)


def field_rows(con: duckdb.DuckDBPyConnection, evals: Sequence[str], as_of: int) -> list[dict[str, Any]]:
    """The rows of `fields`."""
    logs = live_logs(con, as_of)
    names = list(dict.fromkeys(log["eval"] for log in logs))
    groups = [group for group in read_study(con, as_of).groups if group.name in evals]
    wanted = {*(evals or names), *(name for group in groups for name in group.members(names))}
    chosen = [log for log in logs if log["eval"] in wanted]
    parameters = {
        "eval_ids": [log["eval_id"] for log in chosen],
        "evals": [log["eval"] for log in chosen],
        "variants": [log["variant"] for log in chosen],
        "of_checkpoint": list(OF_CHECKPOINT),
        "as_of": as_of,
    }
    return records(con, FIELDS, parameters) if chosen else []
