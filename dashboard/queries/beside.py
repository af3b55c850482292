"""One question at several checkpoints: the outcome of every question of an eval, a row for each checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pandas as pd

from dashboard.queries.frame import COUNT, FLAG, LIST, NUMBER, TEXT, frame_of
from dashboard.queries.rows import checkpoint_name, step_of, step_order
from dashboard.queries.sample_filter import NO_METRIC
from dashboard.queries.scope import Scope, scope_of
from dashboard.queries.standing import precedence
from dashboard.statistics.changes import Change, disagree, first_change, is_unknown, majority
from loaders.metrics.applicable import COUNTING
from loaders.metrics.definitions import Metric
from loaders.metrics.outcomes import outcomes_sql
from loaders.store.sql import records

MOST = 6
"""Checkpoints beside each other."""

ANSWERS = """
SELECT o.eval_id, o.sample_key AS sample, count(o.value) AS n, avg(o.value) AS value,
       list(o.epoch ORDER BY o.epoch, o.sample_id) AS epochs, list(o.value ORDER BY o.epoch, o.sample_id) AS "values",
       list(o.outside ORDER BY o.epoch, o.sample_id) AS outside
FROM sample_outcomes o WHERE $sample IS NULL OR o.sample_key = $sample
GROUP BY ALL
"""
"""A row for every question of a log."""

ANSWER_COLUMNS: dict[str, str] = {
    "checkpoint": TEXT, "run": TEXT, "step": COUNT, "step_label": TEXT, "sample": TEXT, "log": TEXT, "n": COUNT,
    "value": NUMBER, "epochs": LIST, "values": LIST, "outside": LIST, "logs": COUNT,
}  # fmt: skip
"""Columns of the answers. `epochs` are the epochs of the question in `log`, `values` their outcomes (1 and 0 for kind
"rate", numbers of the score's unit for "mean", None for none), `outside` whether the definition leaves them out.
`value` is the mean over the `n` epochs with an outcome. Of several logs of a checkpoint that hold a question (`logs` of
them) it is the one that curves go through."""

CHANGE_COLUMNS: dict[str, str] = {
    "sample": TEXT, "start": COUNT, "start_value": NUMBER, "before": COUNT, "first": COUNT, "first_value": NUMBER,
    "back": COUNT, "stays": FLAG, "differing": COUNT, "known": COUNT,
}  # fmt: skip
"""Columns of the questions whose outcome changed along a run: those of `statistics.changes.Change`, places being
indices into the run's steps, and the outcomes at the start and after the first change."""

Row = Mapping[Any, Any]


@dataclass(frozen=True, slots=True)
class AnswerQuery:
    """Whose answers. Hashable, so that it can be the key of a cache."""

    eval: str
    """Name of an eval, not of a group."""
    metric: str | None
    """Whose outcomes are meant; None, or what does not apply to the eval, for the eval's default."""
    checkpoints: tuple[str, ...] = ()
    """By the names that links use: RUN@STEP, RUN@LABEL, RUN."""
    runs: tuple[str, ...] = ()
    """All checkpoints of these runs too."""
    variant: str | None = None
    """Only logs of this variant; None for any."""
    sample: str | None = None
    """Only this question; None for all."""


def answers(con: duckdb.DuckDBPyConnection, query: AnswerQuery, as_of: int) -> pd.DataFrame:
    """The answers to an eval's questions: `ANSWER_COLUMNS`, by checkpoint in its run's order, then by question.

    A checkpoint that lacks a question has no row of it; a question without an outcome has a row, its value missing.

    Args:
        con: A cursor that this thread has to itself.
        query: Whose.
        as_of: Batch.
    """
    scope = scope_of(con, [query.eval], as_of)
    logs = {log["eval_id"]: log for log in scope.logs if log["role"] in COUNTING and _is_wanted(log, query)}
    if not logs:
        return frame_of([], ANSWER_COLUMNS)
    cluster = {query.eval: scope.study.cluster_field(query.eval)}
    outcomes = outcomes_sql(con, metric_of(scope, query), list(logs.values()), cluster, as_of)
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in records(con, outcomes.sql + ANSWERS, outcomes.parameters | {"sample": query.sample}):
        found.setdefault((checkpoint_name(logs[row["eval_id"]]), row["sample"]), []).append(row)
    rows = []
    for (name, _), same in found.items():
        one = max(same, key=lambda row: precedence(logs[row["eval_id"]]))
        log = logs[one["eval_id"]]
        place = {key: log[key] for key in ("run", "step", "step_label")}
        rows.append(place | one | {"checkpoint": name, "log": log["eval_key"], "logs": len(same)})
    rows.sort(key=lambda row: (row["run"], _step_place(row), question_order(row["sample"])))
    return frame_of(rows, ANSWER_COLUMNS)


def metric_of(scope: Scope, query: AnswerQuery) -> Metric:
    """The metric that is meant; one without any outcome where none applies to the eval."""
    metrics = scope.applicable.get(query.eval, [])
    return next((metric for metric in metrics if metric.name == query.metric), next(iter(metrics), NO_METRIC))


def _is_wanted(log: Row, query: AnswerQuery) -> bool:
    if log["eval"] != query.eval or (query.variant is not None and log["variant"] != query.variant):
        return False
    return log["run"] in query.runs or checkpoint_name(log) in query.checkpoints


def _step_place(row: Row) -> tuple[bool, int, str]:
    step = step_of(row)
    return step_order("" if step is None else step)


def question_order(sample: str) -> tuple[bool, int, str]:
    """Sorts questions: whole numbers as such, all else after them as text."""
    number = sample.isascii() and sample.isdecimal()
    return (not number, int(sample) if number and len(sample) < 19 else 0, sample)


def questions_of(frame: pd.DataFrame, checkpoints: Sequence[str]) -> pd.DataFrame:
    """The questions down, the checkpoints across.

    Args:
        frame: `ANSWER_COLUMNS`.
        checkpoints: In the order of the columns.

    Returns:
        Columns `sample`, `answered` (how many checkpoints hold the question), `disagree` (whether two of them have
        outcomes that differ; what has none disagrees with nobody), and `values`: a list with the mean over epochs at
        each checkpoint, None where there is none.
    """
    values: dict[str, dict[str, float | None]] = {}
    for name, sample, value in zip(frame["checkpoint"], frame["sample"], frame["value"], strict=True):
        values.setdefault(sample, {})[name] = None if is_unknown(value) else float(value)
    rows = []
    for sample in sorted(values, key=question_order):
        across = [values[sample].get(name) for name in checkpoints]
        answered = sum(name in values[sample] for name in checkpoints)
        rows.append({"sample": sample, "answered": answered, "disagree": disagree(across), "values": across})
    return frame_of(rows, {"sample": TEXT, "answered": COUNT, "disagree": FLAG, "values": LIST})


@dataclass(frozen=True)
class Along:
    """The outcomes of questions along the steps of one run.

    Attributes:
        checkpoints: Names of the checkpoints at which the eval was measured, in order.
        steps: Their steps, or the labels that stand for them.
        values: Question -> its outcome at each step; None where it has none.
    """

    checkpoints: list[str]
    steps: list[int | str | None]
    values: dict[str, list[float | None]]


def along(frame: pd.DataFrame, kind: str) -> Along:
    """Answers along a run, epochs taken together.

    Args:
        frame: `ANSWER_COLUMNS` of one run, all questions.
        kind: Of the metric: of a rate, the outcome is what most epochs came to (0.5 for a tie), else their mean.
    """
    places: dict[str, int | str | None] = {row["checkpoint"]: step_of(row) for row in frame.to_dict("records")}
    names = list(places)
    values: dict[str, list[float | None]] = {}
    for name, sample, value in zip(frame["checkpoint"], frame["sample"], frame["value"], strict=True):
        of = values.setdefault(sample, [None] * len(names))
        known = None if is_unknown(value) else float(value)
        of[names.index(name)] = majority(known) if kind == "rate" else known
    return Along(names, list(places.values()), {name: values[name] for name in sorted(values, key=question_order)})


def changes_of(found: Along) -> pd.DataFrame:
    """The questions whose outcome changed, the earliest first: `CHANGE_COLUMNS`."""
    rows = []
    for sample, values in found.values.items():
        change = first_change(values)
        if change is not None:
            rows.append(
                {
                    "sample": sample,
                    **{name: getattr(change, name) for name in ("start", "before", "first", "back", "stays")},
                    **{name: getattr(change, name) for name in ("differing", "known")},
                    "start_value": values[change.start],
                    "first_value": values[change.first],
                }
            )
    rows.sort(key=lambda row: row["first"])
    return frame_of(rows, CHANGE_COLUMNS)


def worth_seeing(values: Sequence[float | None], change: Change | None, most: int = MOST) -> list[int]:
    """Which of many steps to put beside each other: the ends, those around the change, then others evenly spread.

    Args:
        values: The outcome at each step; None where there is none.
        change: Of these values.
        most: How many steps at most, two or more.

    Returns:
        Indices in order, of steps with an outcome.
    """
    known = [at for at, value in enumerate(values) if not is_unknown(value)]
    if len(known) <= most:
        return known
    wanted = [known[0], known[-1]]
    if change is not None:
        wanted = [change.before, change.first, known[0], known[-1], *([change.back] if change.back is not None else [])]
    spread = [known[round(at * (len(known) - 1) / (most - 1))] for at in range(most)]
    return sorted(list(dict.fromkeys([*wanted, *spread]))[:most])
