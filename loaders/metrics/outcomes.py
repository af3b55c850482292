"""A metric's outcome for every sample, and the sums over them that intervals are made of; all inside DuckDB."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb

from loaders.metrics.conditions import Compiled
from loaders.metrics.definitions import MEANS, Grade, Metric, Reported, Rule, ScoreValue
from loaders.metrics.splits import Where, field_sql, where_sql
from loaders.store.sql import json_pointer, records
from loaders.study.conditions import Condition, ScoreTest

NO_SPLIT = "NULL::VARCHAR"

OUTCOMES = """
WITH chosen AS (
    SELECT unnest(${p}eval_ids::BIGINT[]) AS eval_id, unnest(${p}points::BIGINT[]) AS point,
           unnest(${p}cluster_pointers::VARCHAR[]) AS cluster_pointer,
           unnest(${p}scored_errors::BOOLEAN[]) AS scored_errors, unnest(${p}variants::VARCHAR[]) AS variant
),
marks AS (
    SELECT sample_id{score_columns}
    FROM {scores}(${p}as_of) SEMI JOIN chosen USING (eval_id)
    WHERE {score_filter}
    GROUP BY sample_id
),
tested AS (
    SELECT s.eval_id, c.point, s.sample_id, s.sample_key, s.epoch,
           coalesce(s.invalidated, false) OR (s.error IS NOT NULL AND NOT c.scored_errors) AS void,
           CASE WHEN c.cluster_pointer IS NULL THEN s.sample_key
                ELSE coalesce('=' || json_extract_string(s.metadata_json, c.cluster_pointer), '?' || s.sample_key)
           END AS cluster,
           {split} AS split, {split2} AS split2{sample_columns}
    FROM live_samples(${p}as_of) s JOIN chosen c USING (eval_id){with_logs}
    WHERE {counting} AND ({where})
),
sample_outcomes AS (
    SELECT eval_id, point, sample_id, sample_key, epoch, cluster, split, split2,
           CASE WHEN void OR coalesce({missing}, false) THEN NULL WHEN {among} THEN {value} END AS value,
           CASE WHEN void OR coalesce({missing}, false) THEN NULL WHEN {among} THEN {header_value} END
               AS header_value,
           NOT void AND NOT coalesce({missing}, false) AND coalesce(NOT ({among}), false) AS outside,
           CASE WHEN NOT void AND coalesce({among}, true) THEN infinite END AS infinite,
           CASE WHEN NOT void AND coalesce({among}, true) THEN too_large END AS too_large,
           CASE WHEN NOT void AND coalesce({among}, true) THEN nan END AS nan,
           {also} AS also
    FROM tested LEFT JOIN marks USING (sample_id)
)
"""
"""`sample_outcomes` has a row for every sample that is wanted: `value` is NULL where the outcome is missing, or the
sample is outside the definition's `among`; `header_value` is what the log's own metric counts (a grade of N as 0).
Void are samples that were invalidated, or ended in an error and were not scored on purpose (inspect's score_on_error).
A sample without the cluster's metadata field is a cluster of its own question. Samples that were passed over for those
of another attempt are no rows; `point` is the log whose point a sample counts in. `also` is a further condition, for
filters; `split` and `split2` are the values of the fields that split the samples. `infinite`, `too_large` and `nan`
count the sample's values that no mean can hold; as outcomes they are missing."""

SETTLED = """
WITH chosen AS (
    SELECT unnest(${p}eval_ids::BIGINT[]) AS eval_id, unnest(${p}points::BIGINT[]) AS point,
           unnest(${p}measures::BIGINT[]) AS measure_id, unnest(${p}variants::VARCHAR[]) AS variant
),
{marks}
sample_outcomes AS (
    SELECT o.eval_id, c.point, o.sample_id, o.sample_key, o.epoch, o.cluster, {split} AS split, {split2} AS split2,
           o.value, o.header_value, o.outside, o.infinite, o.too_large, o.nan, {also} AS also
    FROM live_outcomes(${p}as_of) o JOIN chosen c USING (measure_id, eval_id) {joined}
    WHERE {where}
)
"""
"""The same relation from what was settled at ingest (`loaders.metrics.settled`)."""

MARKS = """marks AS (
    SELECT sample_id{score_columns}
    FROM {scores}(${p}as_of) SEMI JOIN chosen USING (eval_id) WHERE {score_filter} GROUP BY sample_id
),"""

WITH_SAMPLES = """
JOIN live_samples(${p}as_of) s ON s.eval_id = o.eval_id AND s.sample_id = o.sample_id
JOIN seen_evals() l ON l.eval_id = o.eval_id
"""

WITH_LOGS = " JOIN seen_evals() l USING (eval_id)"
"""Only the fields that split or filter are the log's own: a join is long to plan."""

COUNTING_SAMPLES = "s.sample_id NOT IN (SELECT sample_id FROM live_passed_over(${p}as_of))"

SUMS = """,
questions AS (
    SELECT point AS eval_id, split, split2, cluster, sample_key, count(*) AS n_all, count_if(outside) AS n_outside,
           count(value) AS n, sum(value) AS total, min(value) AS least, max(value) AS most,
           avg(header_value) AS header, bool_and(header_value IN (0, 1)) AS header_binary,
           arg_min(header_value, epoch) AS header_first,
           sum(infinite) AS infinite, sum(too_large) AS too_large, sum(nan) AS nan
    FROM sample_outcomes GROUP BY ALL
),
clusters AS (
    SELECT eval_id, split, split2, cluster, sum(n)::DOUBLE AS n, sum(total) AS total
    FROM questions WHERE n > 0 GROUP BY ALL
),
residuals AS (
    SELECT eval_id, split, split2, n, total - n * (sum(total) OVER part / sum(n) OVER part) AS e
    FROM clusters WINDOW part AS (PARTITION BY eval_id, split, split2)
),
by_cluster AS (
    SELECT eval_id, split, split2, count(*) AS clusters, sum(n * n) AS sum_n2, sum(e * e) AS sum_e2,
           sum(e * e * e * e) AS sum_e4
    FROM residuals GROUP BY ALL
),
by_question AS (
    SELECT eval_id, split, split2,
           sum(n_all)::BIGINT AS n_all, sum(n_outside)::BIGINT AS n_outside, sum(n)::BIGINT AS n, sum(total) AS total,
           min(least) AS least, max(most) AS most,
           avg(header) AS header, bool_and(header_binary) AS header_binary,
           avg(header_first) AS header_first,
           coalesce(sum(infinite), 0)::BIGINT AS infinite, coalesce(sum(too_large), 0)::BIGINT AS too_large,
           coalesce(sum(nan), 0)::BIGINT AS nan
    FROM questions GROUP BY ALL
),
summed AS (
    SELECT q.*, c.clusters, c.sum_n2, c.sum_e2, c.sum_e4
    FROM by_question q
    LEFT JOIN by_cluster c
        ON q.eval_id = c.eval_id AND q.split IS NOT DISTINCT FROM c.split AND q.split2 IS NOT DISTINCT FROM c.split2
)
"""
"""`summed` has a row for every eval that has samples and every combination of split values in it: the sums of
`dashboard.statistics.ClusterSums`, and what the header's own metric would be: the mean over questions of the mean over
epochs, and of the first epoch alone."""

WITH_LOGS_OF_EACH = """
SELECT s.*, p.logs
FROM summed s
JOIN (
    SELECT point, split, split2, list(DISTINCT eval_id) AS logs FROM sample_outcomes GROUP BY point, split, split2
) p ON s.eval_id = p.point AND s.split IS NOT DISTINCT FROM p.split AND s.split2 IS NOT DISTINCT FROM p.split2
"""
"""Selects `summed` with the logs whose samples a row is made of."""


@dataclass(frozen=True)
class Outcomes:
    """SQL of the outcomes of a metric.

    Attributes:
        sql: A WITH clause that ends in the relation `sample_outcomes`.
        parameters: What is bound in it.
        looked_at: Condition on rows of scores: those that the metric looks at.
        looked_at_parameters: What is bound in it, where it is not among the others; more than it names.
        scores: The view that these rows are in.
    """

    sql: str
    parameters: dict[str, Any]
    looked_at: str
    looked_at_parameters: dict[str, Any] = field(default_factory=dict)
    scores: str = "live_scores"


def outcomes_sql(
    con: duckdb.DuckDBPyConnection,
    metric: Metric,
    evals: Sequence[dict[str, Any]],
    cluster_field: dict[str, str | None],
    as_of: int,
    also: Condition | None = None,
    prefix: str = "",
    splits: Sequence[str] = (),
    where: Where = (),
) -> Outcomes:
    """The SQL of every sample's outcome: from what was settled at ingest, where all of it was, else computed.

    Args:
        con: A cursor of this thread.
        metric: What the outcome is. Of one that is only reported, every outcome is missing.
        evals: Rows of live evals with `eval_id`, `eval`, `variant`, `score_on_error`; of points, `members` are the logs
            whose samples count in them.
        cluster_field: Eval name -> metadata field of the cluster; None for the question.
        as_of: Batch.
        also: A condition whose truth becomes the column `also`; true where None.
        prefix: Of all parameter names, so that several of these fit into one query.
        splits: Up to two fields whose values become the columns `split` and `split2`.
        where: Only samples whose fields have these values.
    """
    logs = [(member, e) for e in evals for member in e.get("members") or [e["eval_id"]]]
    pointers = [cluster_pointer(cluster_field.get(e["eval"])) for _, e in logs]
    chosen: dict[str, Any] = {
        f"{prefix}eval_ids": [member for member, _ in logs],
        f"{prefix}points": [e["eval_id"] for _, e in logs],
        f"{prefix}variants": [e["variant"] for _, e in logs],
        f"{prefix}as_of": as_of,
    }
    measures = measures_of(con, metric, list(zip([member for member, _ in logs], pointers, strict=True)))
    if measures is None:
        computed = computed_sql(metric, also, prefix, splits, where)
        chosen[f"{prefix}cluster_pointers"] = pointers
        chosen[f"{prefix}scored_errors"] = [bool(e["score_on_error"]) for _, e in logs]
        return replace(computed, parameters=computed.parameters | chosen)
    compiled = Compiled(prefix)
    _fragments(metric, compiled)
    # Of other names than those that only `looked_at` needs: a query must bind all that it is given.
    further = Compiled(f"{prefix}further_")
    also_sql = further.expression(also) if also else "true"
    split, split2 = _splits_sql(splits, further)
    where_clause = where_sql(where, further.bind)
    marks = further.score_columns
    joined = WITH_SAMPLES.format(p=prefix) if splits or where or further.sample_columns else ""
    joined += " LEFT JOIN marks m ON m.sample_id = o.sample_id" if marks else ""
    for alias, sql in further.sample_columns.items():
        also_sql = re.sub(rf"\b{alias}\b", lambda _, sql=sql: f"({sql})", also_sql)  # type: ignore[misc]
    sql = SETTLED.format(
        p=prefix,
        marks=MARKS.format(
            p=prefix, score_columns=_columns(marks), score_filter=further.score_filter, scores=further.scores
        )
        if marks
        else "",
        also=also_sql,
        split=split,
        split2=split2,
        where=where_clause,
        joined=joined,
    )
    chosen[f"{prefix}measures"] = measures
    return Outcomes(sql, further.parameters | chosen, compiled.score_filter, compiled.parameters)


def computed_sql(
    metric: Metric,
    also: Condition | None = None,
    prefix: str = "",
    splits: Sequence[str] = (),
    where: Where = (),
    counting: str = COUNTING_SAMPLES,
) -> Outcomes:
    """The SQL that makes every sample's outcome from its scores; the lists of `chosen` and the batch are yet to bind.

    Args:
        metric: As for `outcomes_sql`, and so are the others.
        also: See there.
        prefix: See there.
        splits: See there.
        where: See there.
        counting: SQL of which samples `s` count.
    """
    compiled = Compiled(prefix)
    missing, among, value, header = _fragments(metric, compiled)
    looked_at = compiled.score_filter
    also_sql = compiled.expression(also) if also else "true"
    split, split2 = _splits_sql(splits, compiled)
    where_clause = where_sql(where, compiled.bind)
    sql = OUTCOMES.format(
        p=prefix,
        score_columns=_columns(compiled.score_columns | compiled.left_out),
        sample_columns=_columns(compiled.sample_columns),
        score_filter=compiled.score_filter,
        scores=compiled.scores,
        missing=missing,
        among=among,
        value=value,
        header_value=header,
        also=also_sql,
        split=split,
        split2=split2,
        where=where_clause,
        with_logs=WITH_LOGS if splits or where else "",
        counting=counting.format(p=prefix),
    )
    return Outcomes(sql, compiled.parameters, looked_at, scores=compiled.scores)


def _fragments(metric: Metric, compiled: Compiled) -> tuple[str, str, str, str]:
    """SQL of whether an outcome is missing and among those that count, of its value, and of what a header counts."""
    missing = compiled.expression(metric.missing) if metric.missing else "false"
    among = compiled.expression(metric.among) if metric.among else "true"
    match metric.source:
        case Rule(misaligned):
            value = header = f"({compiled.expression(misaligned)})::INT::DOUBLE"
            if isinstance(misaligned, ScoreTest) and any(name.metric in MEANS for name in metric.header):
                # The header's mean is of the scores themselves, whatever the rule makes of them.
                header = compiled.number(misaligned.score, misaligned.key, misaligned.field)
        case ScoreValue(score, key, field):
            value = header = compiled.number(score, key, field)
        case Grade(score, key):
            value, header = compiled.grade(score, key)
        case Reported():
            value = header = "NULL::DOUBLE"
    return missing, among, value, header


def cluster_pointer(field: str | None) -> str | None:
    """JSON pointer of a cluster's metadata field; None for the question."""
    return None if field is None else json_pointer(field)


def measure_key(metric: Metric, pointer: str | None) -> str:
    """What makes outcomes the same, whatever a metric is called: the SQL that computes them, and what is bound in it.

    Args:
        metric: Which.
        pointer: JSON pointer of the cluster's metadata field; None for the question.
    """
    computed = computed_sql(metric, counting="true")
    made_of = [computed.sql, SUMS, computed.parameters, pointer, duckdb.__version__]
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()


def may_settle(metric: Metric) -> bool:
    """Whether what a log comes to under a metric never changes: of what a scan measured it does, with every scan."""
    compiled = Compiled()
    _fragments(metric, compiled)
    return not (isinstance(metric.source, Reported) or compiled.scans)


def measures_of(
    con: duckdb.DuckDBPyConnection, metric: Metric, logs: Sequence[tuple[int, str | None]]
) -> list[int] | None:
    """The settled measure of each log, of its cluster's pointer; None where a log's outcomes are not settled."""
    if not logs or not may_settle(metric):
        return None
    keys = {pointer: measure_key(metric, pointer) for pointer in {pointer for _, pointer in logs}}
    known = dict(con.execute(MEASURES, [list(keys.values())]).fetchall())
    if len(known) < len(keys):
        return None
    measures = [known[keys[pointer]] for _, pointer in logs]
    row = con.execute(UNSETTLED, [[eval_id for eval_id, _ in logs], measures]).fetchone()
    return measures if row == (0,) else None


MEASURES = "SELECT key, measure_id FROM seen_measures() WHERE key IN (SELECT unnest(?::VARCHAR[]))"
UNSETTLED = """
SELECT count(*) FROM (SELECT unnest(?::BIGINT[]) AS eval_id, unnest(?::BIGINT[]) AS measure_id)
ANTI JOIN seen_measured() USING (measure_id, eval_id)
"""


def _splits_sql(splits: Sequence[str], compiled: Compiled) -> list[str]:
    """SQL of the values of both fields that split; of those that are not given, NULL."""
    return [*(field_sql(field, compiled.bind) for field in splits), NO_SPLIT, NO_SPLIT][:2]


def _columns(columns: dict[str, str]) -> str:
    return "".join(f",\n           {sql} AS {alias}" for alias, sql in columns.items())


def sums(
    con: duckdb.DuckDBPyConnection,
    metric: Metric,
    evals: Sequence[dict[str, Any]],
    cluster_field: dict[str, str | None],
    as_of: int,
    splits: Sequence[str] = (),
) -> dict[int, list[dict[str, Any]]]:
    """Sums of a metric over each eval's samples, by eval id: a row for each combination of split values.

    Evals without samples are absent.
    """
    found: dict[int, list[dict[str, Any]]] = {}
    if not splits:
        # Of a point that is one log, whose samples all count, the sums were settled too.
        alone = [e for e in evals if e.get("members") in (None, [e["eval_id"]])]
        of = [(e["eval_id"], cluster_pointer(cluster_field.get(e["eval"]))) for e in alone]
        if (measures := measures_of(con, metric, of)) is not None:
            chosen = {"eval_ids": [eval_id for eval_id, _ in of], "measures": measures, "as_of": as_of}
            rows = records(con, SETTLED_SUMS, chosen)
            told = {row["eval_id"] for row in rows}
            evals = [e for e in evals if e["eval_id"] not in told]
            found = {row["eval_id"]: [row] for row in rows if row["n_all"] is not None}
    if evals:
        outcomes = outcomes_sql(con, metric, evals, cluster_field, as_of, splits=splits)
        for row in records(con, outcomes.sql + SUMS + WITH_LOGS_OF_EACH, outcomes.parameters):
            found.setdefault(row["eval_id"], []).append(row)
    return found


SETTLED_SUMS = """
WITH chosen AS (SELECT unnest($eval_ids::BIGINT[]) AS eval_id, unnest($measures::BIGINT[]) AS measure_id)
SELECT eval_id, NULL AS split, NULL AS split2, s.* EXCLUDE (measure_id, eval_id), [eval_id] AS logs
FROM chosen LEFT JOIN live_sums($as_of) s USING (measure_id, eval_id)
WHERE eval_id NOT IN (SELECT eval_id FROM live_passed_over($as_of))
"""


def whole_values(
    con: duckdb.DuckDBPyConnection, evals: Sequence[dict[str, Any]], splits: Sequence[str], as_of: int
) -> dict[int, list[tuple[str | None, bool]]]:
    """The values of split fields of whole logs, for numbers that no sample tells, by eval id.

    Args:
        con: A cursor of this thread.
        evals: Rows of live evals.
        splits: The fields.
        as_of: Batch.

    Returns:
        For each field the value that all of the log's samples have (the log's own, where it holds none), and whether
        its samples differ in it: then there is no such value.
    """
    if not evals or not splits:
        return {}
    compiled = Compiled()
    columns = "".join(
        f", {WHOLE.format(value=field_sql(field, compiled.bind), number=number)}" for number, field in enumerate(splits)
    )
    parameters = compiled.parameters | {
        "eval_ids": [e["eval_id"] for e in evals],
        "variants": [e["variant"] for e in evals],
        "as_of": as_of,
    }
    rows = records(con, WHOLE_LOGS.format(columns=columns), parameters)
    return {
        row["eval_id"]: [(row[f"value_{number}"], row[f"mixed_{number}"]) for number in range(len(splits))]
        for row in rows
    }


WHOLE = """
CASE WHEN count(DISTINCT {value}) = 1 AND count({value}) = count(*) THEN any_value({value}) END AS value_{number},
count(DISTINCT {value}) > 1 OR count({value}) BETWEEN 1 AND count(*) - 1 AS mixed_{number}
"""

WHOLE_LOGS = """
WITH chosen AS (SELECT unnest($eval_ids::BIGINT[]) AS eval_id, unnest($variants::VARCHAR[]) AS variant)
SELECT c.eval_id{columns}
FROM chosen c JOIN seen_evals() l USING (eval_id) LEFT JOIN live_samples($as_of) s USING (eval_id)
GROUP BY c.eval_id
"""
