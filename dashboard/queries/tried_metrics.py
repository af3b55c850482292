"""What a metric that no study file has yet would give, by the code that computes those that they have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import pandas as pd

from dashboard.queries.frame import COUNT, LIST, NUMBER, TEXT, RateQuery, frame_of
from dashboard.queries.rates import rate_rows
from dashboard.queries.scope import Scope, scope_of
from loaders.metrics.definitions import as_metric
from loaders.store.sql import records
from loaders.study.definitions import MetricDefinition, metric_body

SCORE_COLUMNS: dict[str, str] = {
    "scorer": TEXT, "key": TEXT, "n": COUNT, "numbers": COUNT, "least": NUMBER, "most": NUMBER, "texts": LIST,
    "fields": LIST,
}  # fmt: skip
"""Columns of `scores_of`: a row for each score of some evals. `n` values, `numbers` of them numbers from `least` to
`most`; `texts` are some of the others, `fields` the names in its metadata."""

SCORES = """
WITH those AS (SELECT eval_id FROM live_evals($as_of) WHERE list_contains($evals::VARCHAR[], eval)),
held AS (SELECT * FROM live_scores_and_scans($as_of) SEMI JOIN those USING (eval_id))
SELECT s.scorer, s.key, count(*) AS n, count(s.value_num) AS numbers, min(s.value_num) AS least,
       max(s.value_num) AS most,
       list_sort(list(DISTINCT s.value_text) FILTER (WHERE s.value_text IS NOT NULL))[:12] AS texts,
       list_sort(list_distinct(flatten(list(DISTINCT json_keys(s.metadata_json))
           FILTER (WHERE json_valid(s.metadata_json) AND json_type(s.metadata_json) = 'OBJECT'))))[:50] AS fields
FROM held s GROUP BY ALL ORDER BY s.scorer, s.key NULLS FIRST
"""


def scores_of(con: duckdb.DuckDBPyConnection, evals: tuple[str, ...], as_of: int) -> pd.DataFrame:
    """The scores of some evals, with what they hold: `SCORE_COLUMNS`.

    Args:
        con: A connection or cursor that this thread has to itself.
        evals: Their names.
        as_of: The store as of the end of this batch.
    """
    return frame_of(records(con, SCORES, {"as_of": as_of, "evals": list(evals)}), SCORE_COLUMNS)


def tried(con: duckdb.DuckDBPyConnection, definition: MetricDefinition, as_of: int) -> list[dict[str, Any]]:
    """The rates or means of a metric, as `rates` would have them were it in a study file."""
    scope = scope_of(con, (), as_of)
    metric = as_metric(metric_body(definition, "study.yaml"), "study.yaml")
    logs = [log for log in scope.logs if metric.concerns(log["eval"], log["task"])]
    names = list(dict.fromkeys(log["eval"] for log in logs))
    of_metric = Scope(scope.study, logs, names, [], {name: [metric] for name in names})
    return rate_rows(con, RateQuery(), as_of, of_metric)


def roots_of(con: duckdb.DuckDBPyConnection, evals: Sequence[str], as_of: int) -> list[str]:
    """The folders that logs of some evals lie in."""
    query = "SELECT DISTINCT root FROM live_evals($as_of) WHERE list_contains($evals::VARCHAR[], eval) ORDER BY root"
    return [str(root) for (root,) in con.execute(query, {"as_of": as_of, "evals": list(evals)}).fetchall()]
