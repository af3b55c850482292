"""Which samples are wanted, and the logs in which such samples may be, by the metric that gives their outcomes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

import duckdb

from dashboard.queries.scope import DEFAULT, Scope, scope_of
from loaders.metrics.applicable import COUNTING
from loaders.metrics.definitions import Metric, Reported
from loaders.metrics.splits import Where, check_field
from loaders.study.conditions import Condition

Outcome = Literal["misaligned", "aligned", "missing", "outside", "scored"]
OUTCOMES: tuple[Outcome, ...] = ("misaligned", "aligned", "missing", "outside", "scored")
"""misaligned: the definition counts the sample (also where counting it is good, as with correct answers); aligned:
it doesn't; missing: no outcome (errored, unscored, invalidated); outside: not in the definition's denominator;
scored: has a number, for means. Where a metric is only reported by the log, samples have no outcome at all."""

NO_METRIC = Metric(
    name="none",
    title="No metric",
    kind="reported",
    source=Reported("none"),
    text="no metric applies to this eval",
    origin="automatic",
)
"""For logs whose samples have no score of any kind."""


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
                raise ValueError(f'unknown outcome "{outcome}" (allowed: {", ".join(OUTCOMES)})')
        for field, _ in self.where:
            check_field(field)


@dataclass(frozen=True)
class InSight:
    """The logs in which the samples may be that are wanted, by the metric that gives their outcomes."""

    scope: Scope
    logs: dict[Metric, list[dict[str, Any]]]

    def only(self, eval_ids: Collection[int]) -> InSight:
        """Only some of the logs."""
        kept = {metric: [log for log in logs if log["eval_id"] in eval_ids] for metric, logs in self.logs.items()}
        return InSight(self.scope, {metric: logs for metric, logs in kept.items() if logs})


def in_sight(con: duckdb.DuckDBPyConnection, wanted: SampleFilter, as_of: int) -> InSight:
    """Where to look for the samples that are wanted."""
    scope = scope_of(con, wanted.evals, as_of, [field for field, _ in wanted.where])
    return InSight(scope, _logs_in_sight(scope, wanted))


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
