"""What every log comes to under every metric that applies to it, settled once at ingest, for what is new only.

A log in the store never changes, nor does what a definition makes of it: its outcomes are settled under a key of all
that they are made of, and stay right whatever comes later. A changed definition has another key. What is not settled
(a store that an older Driftline wrote, a metric that applies to superseded logs) is computed when it is asked for, by
the same SQL; so nothing here decides a number, and a failure costs time alone.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from loaders.metrics.applicable import COUNTING, FACTS, FACTS_KEY, contents_of, metrics_of
from loaders.metrics.definitions import Metric, read_study
from loaders.metrics.outcomes import SUMS, cluster_pointer, computed_sql, may_settle, measure_key
from loaders.store.lending import backend_of
from loaders.store.sql import all_or_nothing, records

LOGS = """
SELECT eval_id, coalesce(eval, task) AS eval, task, role, coalesce(n_samples, 0) AS n_samples,
       coalesce(json_extract_string(config_json, '$.score_on_error') = 'true', false) AS score_on_error
FROM live_evals($as_of)
"""

BEFORE = """
SELECT 1 FROM live_evals($as_of)
WHERE list_contains($counting, role) AND n_samples > 0
  AND eval_id NOT IN (SELECT eval_id FROM measured JOIN measures USING (measure_id) WHERE key = $key)
LIMIT 1
"""

OUTCOMES_OF = """
INSERT INTO outcomes BY NAME {made}
SELECT ${p}measure::BIGINT AS measure_id, eval_id, sample_id, sample_key, epoch, cluster, value, header_value, outside,
       infinite, too_large, nan
FROM sample_outcomes ORDER BY eval_id, sample_id
"""

SUMS_OF = """
INSERT INTO sums BY NAME
SELECT $measure::BIGINT AS measure_id, * EXCLUDE (split, split2) FROM (
    WITH sample_outcomes AS (
        SELECT *, eval_id AS point, NULL::VARCHAR AS split, NULL::VARCHAR AS split2 FROM main.outcomes
        WHERE measure_id = $measure AND eval_id IN (SELECT unnest($eval_ids::BIGINT[]))
    ){sums} FROM summed
)
"""

LOOKED_AT = "all metrics"
"""What stands for a metric where a log's are settled."""

FORGET_LOOKED_AT = """
DELETE FROM measured WHERE measure_id IN (SELECT measure_id FROM measures WHERE metric = $name AND key <> $key)
"""

UNSETTLED = "SELECT unnest($1::BIGINT[]) AS eval_id EXCEPT SELECT eval_id FROM measured WHERE measure_id = $2"


def is_settled(cursor: duckdb.DuckDBPyConnection, batch: int) -> bool:
    """Whether no log that counts was written by a Driftline that settled nothing, or otherwise.

    Args:
        cursor: Of the owner of the store.
        batch: As of which.
    """
    values = {"as_of": batch, "key": _settled_by(), "counting": list(COUNTING)}
    return cursor.execute(BEFORE, values).fetchone() is None


def settle(cursor: duckdb.DuckDBPyConnection, batch: int) -> None:
    """Settle what is not yet settled of the logs that count as of a batch.

    Args:
        cursor: Of the owner of the store, outside a transaction; whoever writes has the lock of batches.
        batch: All of whose decisions are written.
    """
    logs = records(cursor, LOGS, {"as_of": batch})
    with_samples = {log["eval_id"]: log for log in logs if log["role"] in COUNTING and log["n_samples"]}
    if not with_samples:
        return
    _settle_facts(cursor, batch, list(with_samples))
    study = read_study(cursor, batch)
    names = {log["eval"] for log in with_samples.values()}
    contents = contents_of(cursor, [log for log in logs if log["eval"] in names], batch)
    # Two metrics of an eval may be made of the same (a definition, and a score as it is): settled once for both.
    wanted: dict[str, tuple[Metric, str | None, dict[int, dict[str, Any]]]] = {}
    of_eval: dict[str, list[dict[str, Any]]] = {}
    for log in with_samples.values():
        of_eval.setdefault(log["eval"], []).append(log)
    for name, of in of_eval.items():
        pointer = cluster_pointer(study.cluster_field(name))
        for metric in metrics_of(study, name, contents[name]):
            if may_settle(metric):
                wanted.setdefault(measure_key(metric, pointer), (metric, pointer, {}))[2].update(
                    (log["eval_id"], log) for log in of
                )
    for key, (metric, pointer, of_measure) in wanted.items():
        # Whatever is odd about one definition, it is said where its numbers are asked for.
        with suppress(duckdb.Error):
            _settle_measure(cursor, batch, key, metric, pointer, list(of_measure.values()))
    _say_looked_at(cursor, list(with_samples))


@cache
def _settled_by() -> str:
    """Names the code that settles. What other code settled may have other keys: all of it is looked at anew."""
    texts = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
    return hashlib.sha256(b"\0".join([*texts, duckdb.__version__.encode()])).hexdigest()


def _say_looked_at(cursor: duckdb.DuckDBPyConnection, logs: list[int]) -> None:
    with all_or_nothing(cursor):
        cursor.execute(FORGET_LOOKED_AT, {"name": LOOKED_AT, "key": _settled_by()})
        _say_settled(cursor, *_measure(cursor, _settled_by(), LOOKED_AT, logs))


def _settle_facts(cursor: duckdb.DuckDBPyConnection, batch: int, logs: list[int]) -> None:
    measure, new = _measure(cursor, FACTS_KEY, "score facts", logs)
    if new:
        with all_or_nothing(cursor):
            # What an older Driftline may have thought of them.
            cursor.execute("DELETE FROM score_facts WHERE eval_id IN (SELECT unnest(?::BIGINT[]))", [new])
            cursor.execute(f"INSERT INTO score_facts BY NAME {FACTS}", {"as_of": batch, "eval_ids": new})
            _say_settled(cursor, measure, new)


def _settle_measure(
    cursor: duckdb.DuckDBPyConnection,
    batch: int,
    key: str,
    metric: Metric,
    pointer: str | None,
    logs: list[dict[str, Any]],
) -> None:
    measure, unsettled = _measure(cursor, key, metric.name, [log["eval_id"] for log in logs])
    if not unsettled:
        return
    wanted = set(unsettled)
    new = [log for log in logs if log["eval_id"] in wanted]
    ids = [log["eval_id"] for log in new]
    made = computed_sql(metric, counting="true")
    parameters = made.parameters | {
        "eval_ids": ids,
        "points": ids,
        "cluster_pointers": [pointer] * len(new),
        "scored_errors": [bool(log["score_on_error"]) for log in new],
        "variants": [None] * len(new),
        "as_of": batch,
        "measure": measure,
    }
    with all_or_nothing(cursor):
        cursor.execute(OUTCOMES_OF.format(made=made.sql, p=""), parameters)
        cursor.execute(SUMS_OF.format(sums=SUMS), {"measure": measure, "eval_ids": ids})
        _say_settled(cursor, measure, ids)


def _measure(cursor: duckdb.DuckDBPyConnection, key: str, metric: str, logs: list[int]) -> tuple[int, list[int]]:
    """The id of a measure, a new one where there is none of this key, and the logs that are not settled under it."""
    row = cursor.execute("SELECT measure_id FROM measures WHERE key = ?", [key]).fetchone()
    if row is not None:
        return int(row[0]), [log for (log,) in cursor.execute(UNSETTLED, [logs, row[0]]).fetchall()]
    measure = backend_of(cursor).ids("measures", 1)
    cursor.execute("INSERT INTO measures VALUES (?, ?, ?)", [measure, key, metric])
    return measure, logs


def _say_settled(cursor: duckdb.DuckDBPyConnection, measure: int, logs: list[int]) -> None:
    cursor.execute("INSERT INTO measured SELECT ?, unnest(?::BIGINT[])", [measure, logs])
