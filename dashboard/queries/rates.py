"""Rates and means of evals over training, with intervals: the table behind the curves and `driftline rates`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import duckdb

from dashboard.queries.flags import flag_differences, flag_jumps, flag_standing, flag_states
from dashboard.queries.frame import ALL_METRICS, RATE_COLUMNS, RateQuery, frame_of
from dashboard.queries.groups import group_rows
from dashboard.queries.measures import measure
from dashboard.queries.scope import Scope, scope_of
from dashboard.queries.standing import points_of
from loaders.metrics.definitions import Group, Metric, Study
from loaders.metrics.splits import value_order

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]


def rates(con: duckdb.DuckDBPyConnection, query: RateQuery, as_of: int) -> pd.DataFrame:
    """Every rate or mean that is asked for, a row for each log, eval and metric, groups among the evals.

    Where the query splits, there is a row for each combination of values in a log.

    Args:
        con: A connection or cursor that this thread has to itself.
        query: Which.
        as_of: The store as of the end of this batch.

    Returns:
        The columns and dtypes of `RATE_COLUMNS`, also when there is no row; sorted by run, eval, metric and step.
    """
    return frame_of(rate_rows(con, query, as_of), RATE_COLUMNS)


def rate_rows(con: duckdb.DuckDBPyConnection, query: RateQuery, as_of: int, scope: Scope | None = None) -> list[Row]:
    """The rows of `rates` as they are measured, in the same order; what is absent from one is missing.

    Args:
        con, query, as_of: As for `rates`.
        scope: What the query's evals mean, where that is known already.
    """
    scope = scope or scope_of(con, query.evals, as_of, query.splits)
    in_sight = points_of((log for log in scope.logs if _in_sight(log, query)), query.repeats)
    wanted = {name: chosen_metrics(scope.applicable[name], query.metrics) for name in scope.shown}
    by_group = {group: scope.members(group) for group in scope.groups if _is_asked_for(group, scope, query)}
    every: dict[Metric, set[str]] = {}
    for name, metric in (
        *((name, metric) for name, metrics in wanted.items() for metric in metrics),
        *(pair for pairs in by_group.values() for pair in pairs),
    ):
        every.setdefault(metric, set()).add(name)

    rows: list[Row] = []
    for metric, of in every.items():
        measured = measure(con, metric, [log for log in in_sight if log["eval"] in of], scope.study, query, as_of)
        about = about_metric(metric)
        for row in measured:
            row |= about
        rows += measured
    flag_standing(rows)
    flag_states(rows)
    flag_differences(rows, query.splits)
    flag_jumps(rows)

    kept = {(name, metric.name) for name, metrics in wanted.items() for metric in metrics}
    answer = [row for row in rows if (row["eval"], row["metric"]) in kept]
    for group, pairs in by_group.items():
        of_group = {(name, metric.name) for name, metric in pairs}
        members = [row for row in rows if (row["eval"], row["metric"]) in of_group]
        answer += group_rows(group, scope.group_metric(group), scope.study, members)
    return sorted(answer, key=_order(scope.study))


def _in_sight(eval_row: Row, query: RateQuery) -> bool:
    return all(
        not allowed or eval_row[column] in allowed
        for column, allowed in (("run", query.runs), ("mix", query.mixes), ("stage", query.stages))
    )


def chosen_metrics(metrics: Sequence[Metric], names: tuple[str, ...]) -> list[Metric]:
    """The metrics of one eval that are asked for."""
    if not names:
        return list(metrics[:1])
    if names == (ALL_METRICS,):
        return list(metrics)
    return [metric for metric in metrics if metric.name in names]


def _is_asked_for(group: Group, scope: Scope, query: RateQuery) -> bool:
    """Whether a group's own metric is among those asked for."""
    return query.metrics in ((), (ALL_METRICS,)) or scope.group_metric(group) in query.metrics


def about_metric(metric: Metric) -> Row:
    """The columns of a row that tell what was measured."""
    return {
        "metric": metric.name,
        "kind": metric.kind,
        "group": False,
        "better": metric.better,
        "unit": metric.unit,
        "definition": metric.text,
    }


def _order(study: Study) -> Any:
    """Runs and evals as the study orders them, then metric, variant, split values and step; no step goes last."""
    place = {name: i for i, name in enumerate(study.titles or {})}

    def order(row: Row) -> tuple[Any, ...]:
        position, step = row["run_position"], row["step"]
        return (
            position is None, position or 0, row["run"] or "",
            place.get(row["eval"], len(place)), row["eval"], row["metric"], row["variant"] or "",
            value_order(row["split"]), value_order(row["split2"]),
            step is None, step or 0, row["step_label"] or "", row["repeat"], row.get("eval_id") or 0,
        )  # fmt: skip

    return order
