"""The samples that are wanted, with their outcomes, as SQL; values bound."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from dashboard.queries.sample_filter import InSight, SampleFilter, in_sight
from loaders.metrics.outcomes import outcomes_sql
from loaders.store.sql import among_logs, records
from loaders.store.text_search import find_text, newest_sample, scan_sql, wanted_text

NAMED = re.compile(r"\$(\w+)")
"""What is bound in SQL."""

FOUND_NAME = re.compile(r"\bfound\b")

KEPT = """
kept AS (
    SELECT *, CASE WHEN kind = 'reported' THEN NULL WHEN outside THEN 'outside' WHEN value IS NULL THEN 'missing'
                   WHEN kind = 'mean' THEN 'scored' WHEN value = 1 THEN 'misaligned' ELSE 'aligned' END AS outcome
    FROM picked WHERE also
),
"""

ALL_KEPT = """
WITH kept AS (
    SELECT sample_id, eval_id, sample_key, epoch, NULL::BIGINT AS part, NULL::VARCHAR AS metric,
           NULL::VARCHAR AS better, NULL::VARCHAR AS outcome, NULL::DOUBLE AS value, NULL::VARCHAR AS cluster,
           total_time, n_messages, error, limit_type
    FROM {samples} SEMI JOIN (SELECT unnest($eval_ids::BIGINT[]) AS eval_id) USING (eval_id)
    WHERE sample_id NOT IN (SELECT sample_id FROM live_passed_over($as_of))
),
"""
"""The same samples, of which nobody wants to know the outcomes."""

MATCHING = "matching AS (SELECT k.* FROM kept k {joined} WHERE {conditions})"

WITH_SAMPLES = "JOIN {samples} s ON s.sample_id = k.sample_id AND s.eval_id = k.eval_id"
"""Outcomes stand apart from their samples; to join all of them costs more than all else."""

OF_LOGS = {
    "run_position": "BIGINT", "run": "VARCHAR", "step": "BIGINT", "step_label": "VARCHAR", "eval": "VARCHAR",
    "eval_key": "VARCHAR", "created": "TIMESTAMP",
}  # fmt: skip
"""What `found` has of a sample's log, besides its place, where nothing else is said."""

SAMPLE_NUMBER = r"""
CASE WHEN regexp_full_match(k.sample_key, '(?s)[\s+-]*[0-9.iInN].*') THEN try_cast(k.sample_key AS DOUBLE) END
"""
"""A sample's id as a number, also an infinite one. The look at its beginning costs a third of a cast that fails."""

FOUND = f"""
log_places AS (SELECT unnest($placed_ids::BIGINT[]) AS eval_id, unnest($placed_places::BIGINT[]) AS log_place{{lists}}),
found AS (
    SELECT k.sample_id, k.eval_id, k.part, k.metric, k.better, k.outcome, k.value, k.cluster,
           k.sample_key AS sample, {SAMPLE_NUMBER} AS sample_number, k.epoch, e.log_place{{columns}},
           {{s}}.total_time AS time, {{s}}.n_messages AS messages, {{s}}.error, {{s}}.limit_type AS "limit"
    FROM matching k {{joined}} JOIN log_places e ON e.eval_id = k.eval_id
)
"""  # noqa: S608 - constants
"""The logs' columns are bound, as far as they are asked for: they are known, and to join all that an eval is costs
more than a page of samples."""

DETAILS = """
SELECT sample_id, any_value(explanation) AS explanation, any_value(answer) AS answer,
       string_agg(concat(scorer, '.' || key, ' ', coalesce(value_text, printf('%g', value_num), value_type)), ', '
                  ORDER BY scorer, key) AS scores
FROM {scores}
WHERE sample_id IN (SELECT sample_id FROM page WHERE part = {part}) AND ({looked_at}) GROUP BY sample_id
"""
"""What the scores say that a metric looks at, of the samples on a page."""

INDEXED_TEXT = "CASE WHEN k.sample_id <= $covered THEN get_bit($hits::BIT, k.sample_id::INTEGER) = 1 ELSE {read} END"
READ_TEXT = "k.sample_id IN ({scan})"


@dataclass(frozen=True)
class Found:
    """SQL of the samples that are wanted.

    Attributes:
        matching: A WITH clause that ends in the relation `matching`: the samples, with `eval_id` and `outcome` alone.
        found: What follows it for the relation `found`, which has the same samples and takes longer.
        details: SQL of what the scores say, of the samples in a relation `page`.
        samples: The view of the samples, among which these are.
        values: What is bound in both.
    """

    matching: str
    found: str
    details: str
    samples: str
    values: dict[str, Any]

    def records(
        self, con: duckdb.DuckDBPyConnection, sql: str, values: dict[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Run a query over `found` or `matching`.

        Args:
            con: A cursor of this thread.
            sql: The query.
            values: What is bound in it besides.
        """
        whole = self.matching + (f",{self.found}" if FOUND_NAME.search(sql) else "") + sql
        named = set(NAMED.findall(whole))
        bound = {name: value for name, value in (self.values | (values or {})).items() if name in named}
        return records(con, whole, bound)


def find(con: duckdb.DuckDBPyConnection, wanted: SampleFilter, as_of: int) -> Found | None:
    """The samples that are wanted, as SQL; None where no log can hold such samples."""
    return find_in(con, in_sight(con, wanted, as_of), wanted, as_of)


def find_in(
    con: duckdb.DuckDBPyConnection,
    where: InSight,
    wanted: SampleFilter,
    as_of: int,
    *,
    with_outcomes: bool = True,
    samples: Sequence[int] | None = None,
    of_logs: Collection[str] = tuple(OF_LOGS),
) -> Found | None:
    """The samples that are wanted, as SQL; None where no log can hold such samples.

    Args:
        con: A cursor of this thread.
        where: From `in_sight`.
        wanted: Which samples.
        as_of: Batch.
        with_outcomes: Whether anybody asks for outcomes and values. Without, they are missing where the filter does not
            need them, and it takes a part of the time.
        samples: Ids of samples that match: only these.
        of_logs: Which of `OF_LOGS` the relation `found` has.
    """
    if not where.logs:
        return None
    logs = [log for of in where.logs.values() for log in of]
    values: dict[str, Any] = {"as_of": as_of, "eval_ids": [log["eval_id"] for log in logs]}
    all_samples = among_logs("live_samples($as_of)", "$eval_ids", len(logs))
    # Which alias has the columns of samples.
    s, sql, details = "k", ALL_KEPT.format(samples=all_samples), ""
    if with_outcomes or wanted.outcomes or wanted.condition is not None or wanted.where:
        s = "s"
        sql, details = _with_outcomes(con, where, wanted, as_of, values)
    of_samples = []
    conditions = ["true"]
    if samples is not None:
        conditions.append("k.sample_id IN (SELECT unnest($samples::BIGINT[]))")
        values["samples"] = list(samples)
    else:
        if wanted.outcomes:
            conditions.append("list_contains($outcomes, k.outcome)")
            values["outcomes"] = list(wanted.outcomes)
        if wanted.text:
            conditions.append(_holds_text(con, wanted.text, values))
        of_samples = [
            f"{s}.{column} IS {'NOT ' if flag else ''}NULL"
            for flag, column in ((wanted.errors, "error"), (wanted.limits, "limit_type"))
            if flag is not None
        ]
    joined = WITH_SAMPLES.format(samples=all_samples) if s == "s" else ""
    matching = MATCHING.format(joined=joined if of_samples else "", conditions=" AND ".join(conditions + of_samples))
    values |= {f"placed_{name}": [log[name] for log in logs] for name in of_logs}
    values |= {"placed_ids": values["eval_ids"], "placed_places": [log["log_place"] for log in logs]}
    lists = "".join(f", unnest($placed_{name}::{OF_LOGS[name]}[]) AS {name}" for name in of_logs)
    columns = "".join(f", e.{name}{' AS log' if name == 'eval_key' else ''}" for name in of_logs)
    found = FOUND.format(s=s, joined=joined, lists=lists, columns=columns)
    return Found(sql + matching, found, details, all_samples, values)


def _with_outcomes(
    con: duckdb.DuckDBPyConnection, where: InSight, wanted: SampleFilter, as_of: int, values: dict[str, Any]
) -> tuple[str, str]:
    """SQL of all samples in sight with their outcomes, and of what their scores say; adds to `values`."""
    picked: list[str] = []
    details: list[str] = []
    for part, (metric, logs) in enumerate(where.logs.items()):
        prefix = f"m{part}_"
        fields = {log["eval"]: where.scope.study.cluster_field(log["eval"]) for log in logs}
        outcomes = outcomes_sql(con, metric, logs, fields, as_of, wanted.condition, prefix, where=wanted.where)
        named = {"metric": metric.name, "kind": metric.kind, "better": metric.better}
        values |= outcomes.parameters | outcomes.looked_at_parameters
        values |= {f"{prefix}{name}": value for name, value in named.items()}
        # Only our own SQL, numbers and prefixes are put together here; values are bound.
        columns = f"{part} AS part, " + ", ".join(f"${prefix}{name}::VARCHAR AS {name}" for name in named)
        picked.append(f"SELECT *, {columns} FROM ({outcomes.sql} SELECT * FROM sample_outcomes)")  # noqa: S608
        # Where no metric makes an outcome of them, all scores are what there is to see.
        looked_at = "true" if metric.kind == "reported" else outcomes.looked_at
        scores = among_logs(f"{outcomes.scores}($as_of)", "$eval_ids", len(values["eval_ids"]))
        details.append(DETAILS.format(scores=scores, part=part, looked_at=looked_at))
    return f"WITH picked AS ({' UNION ALL '.join(picked)}),{KEPT}", " UNION ALL ".join(details)


def _holds_text(con: duckdb.DuckDBPyConnection, text: str, values: dict[str, Any]) -> str:
    """Condition on `k`: the sample holds a text. By the index as far as it goes, and by reading what came later."""
    looked_for = wanted_text(con, text)
    if looked_for is None:
        return "true"
    values |= looked_for.parameters
    hits = find_text(con, looked_for)
    if hits is None:
        return READ_TEXT.format(scan=scan_sql(looked_for, "true"))
    values |= {"covered": hits.covered, "hits": hits.bits}
    later = "false"
    if newest_sample(con) > hits.covered:
        later = READ_TEXT.format(scan=scan_sql(looked_for, "sample_id > $covered"))
    return INDEXED_TEXT.format(read=later)
