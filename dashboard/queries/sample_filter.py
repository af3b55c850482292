"""Which samples are wanted, as SQL: filters and orders over samples with their outcomes; values bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import duckdb

from dashboard.queries.scope import DEFAULT, Scope, scope_of
from loaders.metrics.applicable import COUNTING
from loaders.metrics.definitions import Metric, Reported
from loaders.metrics.outcomes import outcomes_sql
from loaders.metrics.splits import Where, check_field
from loaders.store.sql import identifier
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

NATURAL = (
    "run_position", "run", "step", "step_label", "eval", "eval_id", "sample_number", "sample", "epoch", "sample_id",
)  # fmt: skip
"""Order where nothing else is asked for, and within equals: no two samples are equal in it."""

NO_METRIC = Metric(
    name="none",
    title="No metric",
    kind="reported",
    source=Reported("none"),
    text="no metric applies to this eval",
    origin="automatic",
)
"""For logs whose samples have no score of any kind."""

FOUND = """
kept AS (
    SELECT *, CASE WHEN kind = 'reported' THEN NULL WHEN outside THEN 'outside' WHEN value IS NULL THEN 'missing'
                   WHEN kind = 'mean' THEN 'scored' WHEN value = 1 THEN 'misaligned' ELSE 'aligned' END AS outcome
    FROM picked WHERE also
),
found AS (
    SELECT k.sample_id, k.eval_id, k.part, k.metric, k.better, k.outcome, k.value, k.cluster,
           k.sample_key AS sample, try_cast(k.sample_key AS DOUBLE) AS sample_number, k.epoch, e.run_position,
           e.run, e.step, e.step_label, coalesce(e.eval, e.task) AS eval, e.eval_key AS log, e.created,
           s.total_time AS time, s.n_messages AS messages, s.error, s.limit_type AS "limit"
    FROM kept k JOIN live_samples($as_of) s USING (sample_id) JOIN live_evals($as_of) e ON e.eval_id = k.eval_id
    WHERE {conditions}
)
"""

DETAILS = """
SELECT sample_id, any_value(explanation) AS explanation, any_value(answer) AS answer,
       string_agg(concat(scorer, '.' || key, ' ', coalesce(value_text, printf('%g', value_num), value_type)), ', '
                  ORDER BY scorer, key) AS scores
FROM live_scores($as_of)
WHERE sample_id IN (SELECT sample_id FROM page WHERE part = {part}) AND ({looked_at}) GROUP BY sample_id
"""
"""What the scores say that a metric looks at, of the samples on a page."""

TEXT_SEARCH = """
(contains(lower(s.input), lower($text)) OR contains(lower(s.reply), lower($text))
 OR k.sample_id IN (SELECT sample_id FROM live_messages($as_of)
                    WHERE contains(lower(text), lower($text)) OR contains(lower(reasoning), lower($text))
                       OR contains(lower(tool_calls_json), lower($text)))
 OR k.sample_id IN (SELECT sample_id FROM live_scores($as_of) WHERE contains(lower(explanation), lower($text))))
"""


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
    """Literal text, upper or lower case alike, in prompt, reply, messages, tool calls or explanations."""
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
        sql: A WITH clause that ends in the relation `found`.
        details: SQL of what the scores say, of the samples in a relation `page`.
        parameters: What is bound in `sql`.
        details_parameters: What is bound in `details` besides.
    """

    sql: str
    details: str
    parameters: dict[str, Any]
    details_parameters: dict[str, Any]


def find(con: duckdb.DuckDBPyConnection, wanted: SampleFilter, as_of: int) -> Found | None:
    """The samples that are wanted, as SQL; None where no log can hold such samples."""
    scope = scope_of(con, wanted.evals, as_of, [field for field, _ in wanted.where])
    picked: list[str] = []
    details: list[str] = []
    parameters: dict[str, Any] = {"as_of": as_of}
    details_parameters: dict[str, Any] = {}
    for part, (metric, logs) in enumerate(_in_sight(scope, wanted).items()):
        prefix = f"m{part}_"
        fields = {log["eval"]: scope.study.cluster_field(log["eval"]) for log in logs}
        outcomes = outcomes_sql(con, metric, logs, fields, as_of, wanted.condition, prefix, where=wanted.where)
        named = {"metric": metric.name, "kind": metric.kind, "better": metric.better}
        parameters |= outcomes.parameters | {f"{prefix}{name}": value for name, value in named.items()}
        details_parameters |= outcomes.looked_at_parameters
        # Only our own SQL, numbers and prefixes are put together here; values are bound.
        columns = f"{part} AS part, " + ", ".join(f"${prefix}{name}::VARCHAR AS {name}" for name in named)
        picked.append(f"SELECT *, {columns} FROM ({outcomes.sql} SELECT * FROM outcomes)")  # noqa: S608
        details.append(DETAILS.format(part=part, looked_at=outcomes.looked_at))
    if not picked:
        return None
    conditions = ["true"]
    if wanted.outcomes:
        conditions.append("list_contains($outcomes, k.outcome)")
        parameters["outcomes"] = list(wanted.outcomes)
    if wanted.text:
        conditions.append(TEXT_SEARCH)
        parameters["text"] = wanted.text
    for flag, column in ((wanted.errors, "s.error"), (wanted.limits, "s.limit_type")):
        if flag is not None:
            conditions.append(f"{column} IS {'NOT ' if flag else ''}NULL")
    found = FOUND.format(conditions=" AND ".join(conditions))
    all_picked, all_details = (" UNION ALL ".join(parts) for parts in (picked, details))
    return Found(f"WITH picked AS ({all_picked}),{found}", all_details, parameters, details_parameters)


def _in_sight(scope: Scope, wanted: SampleFilter) -> dict[Metric, list[dict[str, Any]]]:
    """The logs in which such samples may be, by the metric that gives their outcomes."""
    asked = dict.fromkeys(scope.shown, wanted.metric)
    for group in scope.groups if wanted.evals else []:
        asked |= {name: metric.name for name, metric in scope.members(group)}
    by_metric: dict[Metric, list[dict[str, Any]]] = {}
    behind = _behind(scope, wanted)
    for log in scope.logs:
        if log["eval"] in asked and log["eval_id"] in behind and _is_wanted(log, wanted):
            metrics = scope.applicable[log["eval"]]
            if asked[log["eval"]] not in (None, DEFAULT):
                metrics = [metric for metric in metrics if metric.name == asked[log["eval"]]]
            elif not metrics:
                metrics = [NO_METRIC]
            for metric in metrics[:1]:
                by_metric.setdefault(metric, []).append(log)
    return by_metric


def _behind(scope: Scope, wanted: SampleFilter) -> set[int]:
    """Logs whose samples count; of a log that is named, all that tell of its evaluation."""
    if not wanted.logs:
        return {log["eval_id"] for log in scope.logs if log["role"] in COUNTING}
    named = {log["eval_id"] for log in scope.logs if log["eval_key"] in wanted.logs}
    return named | {log["eval_id"] for log in scope.logs if log["role"] == "joined" and log["lead_id"] in named}


def _is_wanted(row: dict[str, Any], wanted: SampleFilter) -> bool:
    allowed = (
        (wanted.runs, row["run"]), (wanted.mixes, row["mix"]), (wanted.stages, row["stage"]),
        (wanted.variants, row["variant"]),
    )  # fmt: skip
    at_step = not wanted.steps or any(
        step == (row["step_label"] if isinstance(step, str) else row["step"]) for step in wanted.steps
    )
    return at_step and all(not names or value in names for names, value in allowed)


def order_by(sort: Sequence[tuple[str, bool]]) -> str:
    """SQL of an order over `found`; missing values come last in either direction.

    Raises:
        ValueError: A column that can't be sorted by.
    """
    order = []
    for column, descending in sort:
        if column not in SORTS:
            raise ValueError(f'samples can\'t be sorted by "{column}" (allowed: {", ".join(SORTS)})')
        order += [(part, "DESC" if descending else "ASC") for part in SORTS[column]]
    order += [(part, "ASC") for part in NATURAL]
    return ", ".join(f"{identifier(part)} {direction} NULLS LAST" for part, direction in order)
