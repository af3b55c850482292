"""Which samples are wanted, as SQL: filters and orders over samples with their outcomes; values bound."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Literal, TypeAlias

import duckdb

from dashboard.queries.scope import DEFAULT, Scope, scope_of
from loaders.metrics.applicable import COUNTING
from loaders.metrics.definitions import Metric, Reported
from loaders.metrics.outcomes import outcomes_sql
from loaders.metrics.splits import Where, check_field
from loaders.store.sql import among_logs, identifier, records
from loaders.store.text_search import find_text, newest_sample, scan_sql, wanted_text
from loaders.study.conditions import Condition

Outcome = Literal["misaligned", "aligned", "missing", "outside", "scored"]
OUTCOMES: tuple[Outcome, ...] = ("misaligned", "aligned", "missing", "outside", "scored")
"""misaligned: the definition counts the sample (also where counting it is good, as with correct answers); aligned:
it doesn't; missing: no outcome (errored, unscored, invalidated); outside: not in the definition's denominator;
scored: has a number, for means. Where a metric is only reported by the log, samples have no outcome at all."""

SORTS = {
    "run": ("run_position", "run"),
    "step": ("step",),
    "eval": ("eval",),
    "sample": ("sample_number", "sample"),
    "epoch": ("epoch",),
    "outcome": ("outcome",),
    "value": ("value",),
    "time": ("time",),
    "messages": ("messages",),
    "created": ("created",),
    "error": ("error",),
    "limit": ("limit",),
}
"""What samples can be sorted by, and the columns of `found` that this means."""

Sort: TypeAlias = tuple[tuple[str, bool], ...]
"""Columns of `SORTS`, each with whether it is descending."""

NATURAL = ("log_place", "sample_number", "sample", "epoch", "sample_id")
"""Order where nothing else is asked for, and within equals: no two samples are equal in it."""

LOG_SORTS = ("run", "step", "eval", "created")
"""Sorts by what all samples of a log have in common."""

NAMED = re.compile(r"\$(\w+)")
"""What is bound in SQL."""

FOUND_NAME = re.compile(r"\bfound\b")

NO_METRIC = Metric(
    name="none",
    title="No metric",
    kind="reported",
    source=Reported("none"),
    text="no metric applies to this eval",
    origin="automatic",
)
"""For logs whose samples have no score of any kind."""

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


@dataclass(frozen=True, slots=True)
class SampleFilter:
    """Which samples. Hashable. An empty tuple or None means any; a name that nothing bears matches nothing."""

    runs: tuple[str, ...] = ()
    mixes: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    steps: tuple[int | str, ...] = ()
    """Steps as numbers, and labels of steps that are none ("final") as text."""
    evals: tuple[str, ...] = ()
    """Names of evals; of a group, for its members with the group's metric."""
    variants: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()
    """Keys of evals (`eval_key`)."""
    metric: str | None = None
    """Whose outcomes are meant; None for each eval's default."""
    outcomes: tuple[Outcome, ...] = ()
    condition: Condition | None = None
    """Any condition on scores or sample that must be true."""
    text: str | None = None
    """Text that a sample holds somewhere, as `loaders.store.text_search` says."""
    errors: bool | None = None
    """Only samples that ended in an error, or only those that didn't."""
    limits: bool | None = None
    """Only samples that hit a limit, or only those that didn't."""
    where: Where = ()
    """Fields with their values, as rates are split by them; None for samples without the field. Of several values of
    one field any will do."""

    def __post_init__(self) -> None:
        for outcome in self.outcomes:
            if outcome not in OUTCOMES:
                raise ValueError(f'no outcome is called "{outcome}" (allowed: {", ".join(OUTCOMES)})')
        for field, _ in self.where:
            check_field(field)


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


@dataclass(frozen=True)
class InSight:
    """The logs in which the samples may be that are wanted, by the metric that gives their outcomes."""

    scope: Scope
    logs: dict[Metric, list[dict[str, Any]]]

    def only(self, eval_ids: Collection[int]) -> InSight:
        """Only some of the logs."""
        kept = {metric: [log for log in logs if log["eval_id"] in eval_ids] for metric, logs in self.logs.items()}
        return InSight(self.scope, {metric: logs for metric, logs in kept.items() if logs})


def find(con: duckdb.DuckDBPyConnection, wanted: SampleFilter, as_of: int) -> Found | None:
    """The samples that are wanted, as SQL; None where no log can hold such samples."""
    return find_in(con, in_sight(con, wanted, as_of), wanted, as_of)


def in_sight(con: duckdb.DuckDBPyConnection, wanted: SampleFilter, as_of: int) -> InSight:
    """Where to look for the samples that are wanted."""
    scope = scope_of(con, wanted.evals, as_of, [field for field, _ in wanted.where])
    return InSight(scope, _logs_in_sight(scope, wanted))


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
    scores = among_logs("live_scores($as_of)", "$eval_ids", len(values["eval_ids"]))
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
        details.append(DETAILS.format(scores=scores, part=part, looked_at=outcomes.looked_at))
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


def _logs_in_sight(scope: Scope, wanted: SampleFilter) -> dict[Metric, list[dict[str, Any]]]:
    """The logs in which such samples may be, by the metric that gives their outcomes."""
    asked = dict.fromkeys(scope.shown, wanted.metric)
    for group in scope.groups if wanted.evals else []:
        asked |= {name: metric.name for name, metric in scope.members(group)}
    by_metric: dict[Metric, list[dict[str, Any]]] = {}
    of_eval: dict[str, list[dict[str, Any]]] = {}
    behind = _behind(scope, wanted)
    for log in scope.logs:
        name = log["eval"]
        if name in asked and log["eval_id"] in behind and _is_wanted(log, wanted):
            if name not in of_eval:
                of_eval[name] = (
                    by_metric.setdefault(metric, []) if (metric := _metric(scope, name, asked[name])) else []
                )
            of_eval[name].append(log)
    return by_metric


def _metric(scope: Scope, name: str, asked: str | None) -> Metric | None:
    """The metric that gives the outcomes of an eval's samples; None where the one that is asked for doesn't apply."""
    metrics = scope.applicable[name]
    if asked not in (None, DEFAULT):
        return next((metric for metric in metrics if metric.name == asked), None)
    return metrics[0] if metrics else NO_METRIC


def _behind(scope: Scope, wanted: SampleFilter) -> set[int]:
    """Logs whose samples count; of a log that is named, all that tell of its evaluation."""
    if not wanted.logs:
        return {log["eval_id"] for log in scope.logs if log["role"] in COUNTING}
    named = {log["eval_id"] for log in scope.logs if log["eval_key"] in wanted.logs}
    return named | {log["eval_id"] for log in scope.logs if log["role"] == "joined" and log["lead_id"] in named}


def _is_wanted(row: dict[str, Any], wanted: SampleFilter) -> bool:
    at_step = not wanted.steps or any(
        step == (row["step_label"] if isinstance(step, str) else row["step"]) for step in wanted.steps
    )
    return (
        at_step
        and (not wanted.runs or row["run"] in wanted.runs)
        and (not wanted.mixes or row["mix"] in wanted.mixes)
        and (not wanted.stages or row["stage"] in wanted.stages)
        and (not wanted.variants or row["variant"] in wanted.variants)
    )


def is_by_log(sort: Sequence[tuple[str, bool]]) -> bool:
    """Whether the samples of a log follow one another in an order, so that logs can be put in order instead."""
    return all(column in LOG_SORTS for column, _ in sort)


def needs_outcomes(sort: Sequence[tuple[str, bool]]) -> bool:
    """Whether an order is by what a metric makes of samples."""
    return any(column in ("outcome", "value") for column, _ in sort)


def order_by(sort: Sequence[tuple[str, bool]]) -> str:
    """SQL of an order over `found`; missing values come last in either direction.

    Args:
        sort: Columns of `SORTS`, each with whether it is descending.

    Raises:
        ValueError: A column that can't be sorted by.
    """
    order = [(part, "DESC" if descending else "ASC") for part, descending in parts_of(sort)]
    order += [(part, "ASC") for part in NATURAL]
    return ", ".join(f"{identifier(part)} {direction} NULLS LAST" for part, direction in order)


def parts_of(sort: Sequence[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """The columns of `found` that an order is by, each with whether it is descending.

    Raises:
        ValueError: A column that can't be sorted by.
    """
    for column, _ in sort:
        if column not in SORTS:
            raise ValueError(f'samples can\'t be sorted by "{column}" (allowed: {", ".join(SORTS)})')
    return [(part, descending) for column, descending in sort for part in SORTS[column]]


def in_order(logs: Iterable[dict[str, Any]], sort: Sequence[tuple[str, bool]]) -> list[dict[str, Any]]:
    """Logs in the order of their samples, where `is_by_log`."""
    found = sorted(logs, key=itemgetter("log_place"))
    for part, descending in reversed(parts_of(sort)):
        known = [log for log in found if log[part] is not None]
        known.sort(key=itemgetter(part), reverse=descending)
        found = known + [log for log in found if log[part] is None]
    return found
