"""Which evals there are, and which metrics apply to each: definitions whose scores it has, then automatic ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import duckdb

from dashboard.queries.conditions import IS_INFINITE, SCORE_NUMBER
from dashboard.queries.definitions import (
    PROPORTIONS,
    Grade,
    Group,
    Metric,
    Reported,
    Rule,
    ScoreValue,
    Study,
    as_share,
    automatic_grade,
    automatic_number,
    automatic_reported,
    is_metric,
    read_study,
    tests_of,
)
from dashboard.queries.sql import records
from dashboard.queries.standing import with_variants

EVALS = """
SELECT eval_id, eval_key, coalesce(eval, task) AS eval, variant, run, step, step_label, tokens, mix, stage,
       coalesce(placed, false) AS placed, run_label, colour, run_position, lineage_offset + step AS lineage_step,
       path, created, status, complete, task, task_version, judge, epochs,
       coalesce(target_model, model) AS model, coalesce(n_samples, 0) AS n_samples,
       generate_config_json, dataset_json, lead_id, role, standing, partial, graded, planned, settings,
       coalesce(json_extract_string(config_json, '$.score_on_error') = 'true', false) AS score_on_error
FROM live_evals($as_of)
ORDER BY run_position, run, eval, step, eval_id
"""

SCORES = f"""
WITH chosen AS (SELECT unnest($eval_ids::BIGINT[]) AS eval_id, unnest($names::VARCHAR[]) AS eval)
SELECT eval, scorer, key,
       coalesce(bool_and(value_text IN ('C', 'I', 'P', 'N')), false) AS graded,
       coalesce(bool_or(value_text = 'P'), false) AS partial,
       count(number) > 0 OR bool_or(infinite) AS numbers,
       coalesce(bool_and(number IN (0, 1)) AND NOT bool_or(infinite)
                AND (bool_or(number = 0) OR bool_or(value_type = 'bool')), false)
           AS yes_or_no,
       count(DISTINCT eval_id) FILTER (WHERE number IS NOT NULL OR value_text IS NOT NULL) AS logs
FROM (SELECT *, {SCORE_NUMBER} AS number, {IS_INFINITE} AS infinite FROM live_scores($as_of))
JOIN chosen USING (eval_id)
GROUP BY ALL ORDER BY ALL
"""  # noqa: S608 - both are constants

REPORTED = """
WITH chosen AS (SELECT unnest($eval_ids::BIGINT[]) AS eval_id, unnest($names::VARCHAR[]) AS eval)
SELECT eval, metric, scorer, key, bool_or(stderr IS NOT NULL) AS with_stderr,
       count(value) FILTER (WHERE isfinite(value)) > 0 AS numbers,
       count(DISTINCT eval_id) FILTER (WHERE isfinite(value)) AS logs,
       count(k) > 0 AS counted, coalesce(bool_and(value BETWEEN 0 AND 1 OR NOT isfinite(value)), false) AS within
FROM live_reported($as_of) JOIN chosen USING (eval_id)
GROUP BY ALL ORDER BY with_stderr DESC, metric, scorer, key
"""


COUNTING = ("speaks", "joined")
"""Roles of logs whose samples count (`loaders.study.standing`)."""

DEFAULT = "default"
"""Name of a group's metric where its members have different defaults."""


@dataclass(frozen=True)
class Scope:
    """What some names of evals and groups mean.

    Attributes:
        study: The study in force.
        logs: Rows of `live_evals` of the evals and of the groups' members, with their variants
            (`dashboard.queries.standing`).
        shown: The evals that are asked for themselves.
        groups: The groups that are asked for.
        applicable: Eval name -> metrics, the default first; empty where an eval has nothing to measure.
    """

    study: Study
    logs: list[dict[str, Any]]
    shown: list[str]
    groups: list[Group]
    applicable: dict[str, list[Metric]]
    measured: dict[str, int] = field(default_factory=dict)
    """Eval name -> how many of its logs hold what its default metric is made of."""

    def members(self, group: Group) -> list[tuple[str, Metric]]:
        """The evals of a group that there are, each with the metric that is averaged."""
        pairs = []
        for name in group.members(list(self.applicable)):
            metrics = self.applicable[name]
            of = [m for m in metrics if m.name == group.metric] if group.metric else metrics
            pairs += [(name, metric) for metric in of[:1]]
        return pairs

    def group_metric(self, group: Group) -> str:
        """Name of a group's metric: its own, or the one default of its members."""
        names = {metric.name for _, metric in self.members(group)}
        return group.metric or (names.pop() if len(names) == 1 else DEFAULT)


@dataclass
class Contents:
    """What the logs of one eval hold, taken together, so that a metric means the same all along a line."""

    tasks: set[str] = field(default_factory=set)
    logs: int = 0
    scores: list[dict[str, Any]] = field(default_factory=list)
    """A row of `SCORES` for every scorer and key."""
    reported: list[dict[str, Any]] = field(default_factory=list)
    """A row of `REPORTED` for every number."""


def live_evals(con: duckdb.DuckDBPyConnection, as_of: int) -> list[dict[str, Any]]:
    """Every log as of a batch, with its place and settings: the columns of `EVALS`."""
    return records(con, EVALS, {"as_of": as_of})


def scope_of(con: duckdb.DuckDBPyConnection, evals: Sequence[str], as_of: int, splits: Sequence[str] = ()) -> Scope:
    """Read what is needed to speak of some evals and groups; of all of them where none is named.

    Args:
        con: A cursor of this thread.
        evals: Names of evals and groups. A name that nothing bears is nothing.
        as_of: Batch.
        splits: Fields by which samples are split: logs that differ in one of them are no variants.
    """
    study = read_study(con, as_of)
    logs = live_evals(con, as_of)
    names = list(dict.fromkeys(log["eval"] for log in logs))
    groups = [group for group in study.groups if not evals or group.name in evals]
    shown = [name for name in names if not evals or name in evals]
    needed = {*shown, *(name for group in groups for name in group.members(names))}
    logs = with_variants([log for log in logs if log["eval"] in needed], splits)
    # What applies is told by every log of an eval's name, not only by those that a filter leaves.
    contents = contents_of(con, logs, as_of)
    applicable = {name: metrics_of(study, name, held) for name, held in contents.items()}
    measured = {name: logs_with(metrics[0], contents[name]) if metrics else 0 for name, metrics in applicable.items()}
    return Scope(study, logs, shown, groups, applicable, measured)


def contents_of(con: duckdb.DuckDBPyConnection, evals: Sequence[dict[str, Any]], as_of: int) -> dict[str, Contents]:
    """What the evals hold, by name: in the logs that count in a point, not in those that others supersede.

    Args:
        con: A cursor of this thread.
        evals: Rows of `live_evals`; every log of each name.
        as_of: Batch.
    """
    contents = {row["eval"]: Contents() for row in evals}
    evals = [row for row in evals if row["role"] in COUNTING]
    for row in evals:
        contents[row["eval"]].tasks.add(row["task"])
        contents[row["eval"]].logs += 1
    chosen = {"eval_ids": [e["eval_id"] for e in evals], "names": [e["eval"] for e in evals], "as_of": as_of}
    for row in records(con, SCORES, chosen):
        contents[row["eval"]].scores.append(row)
    for row in records(con, REPORTED, chosen):
        contents[row["eval"]].reported.append(row)
    return contents


def metrics_of(study: Study, name: str, contents: Contents) -> list[Metric]:
    """Every metric that applies to an eval; the first is its default.

    Definitions come in the order of the study, then grades, scores that are yes or no, other scores, and, for
    logs without scores, the numbers that they report.
    """
    found: dict[str, Metric] = {}
    for metric in study.metrics:
        written = any(metric.concerns(name, task) for task in contents.tasks)
        if written and metric.name not in found and _has_what_it_needs(metric, contents):
            found[metric.name] = metric
    automatic = [
        *(automatic_grade(s["scorer"], s["key"], s["partial"]) for s in contents.scores if s["graded"]),
        *(automatic_number(s["scorer"], s["key"], True) for s in contents.scores if s["yes_or_no"]),
        *(
            automatic_number(s["scorer"], s["key"], False)
            for s in contents.scores
            if s["numbers"] and not s["yes_or_no"]
        ),
    ]
    if not contents.scores:
        told = [r for r in contents.reported if r["numbers"] and is_metric(r["metric"])]
        automatic += [automatic_reported(r["metric"], r["scorer"], r["key"]) for r in told]
    for metric in automatic:
        found.setdefault(metric.name, metric)
    metrics = [as_share(m) if _is_share(m, contents) else m for m in found.values()]
    logs = [logs_with(metric, contents) for metric in metrics]
    # What few logs hold is no default: the first that at least half as many hold as any other.
    first = next((at for at, of in enumerate(logs) if of and 2 * of >= max(logs)), 0)
    return [*metrics[first : first + 1], *metrics[:first], *metrics[first + 1 :]]


def _of_source(metric: Metric, contents: Contents) -> list[list[dict[str, Any]]]:
    """For each score that a metric needs (or the number that it is), the rows of `contents` that are it."""
    match metric.source:
        case Reported(name, scorer, key):
            reported = contents.reported
            return [
                [
                    r
                    for r in reported
                    if r["metric"] == name and scorer in (None, r["scorer"]) and key in (None, r["key"])
                ]
            ]
        case Rule(misaligned):
            wanted = [(test.score, test.key) for test in tests_of(misaligned)]
        case ScoreValue(score, key) | Grade(score, key):
            wanted = [(score, key)]
    return [
        [s for s in contents.scores if fnmatchcase(s["scorer"], score) and key in (None, s["key"])]
        for score, key in wanted
    ]


def _is_share(metric: Metric, contents: Contents) -> bool:
    """Whether a reported number is a share of yes-or-no answers: by its name, or by a count beside it."""
    if not isinstance(metric.source, Reported):
        return False
    rows = [row for of in _of_source(metric, contents) for row in of if row["numbers"]]
    named = metric.source.metric in PROPORTIONS or any(row["counted"] for row in rows)
    return bool(rows) and named and all(row["within"] for row in rows)


def logs_with(metric: Metric, contents: Contents) -> int:
    """How many logs hold what a metric is made of.

    Args:
        metric: Which.
        contents: What the logs of one eval hold.
    """
    of = _of_source(metric, contents)
    # A rule without a test on a score speaks of every sample.
    return min((max((row["logs"] for row in rows), default=0) for rows in of), default=contents.logs)


def _has_what_it_needs(metric: Metric, contents: Contents) -> bool:
    match metric.source:
        case Reported(name, scorer, key):
            return any(
                r["metric"] == name and scorer in (None, r["scorer"]) and key in (None, r["key"])
                for r in contents.reported
            )
        case Rule(misaligned):
            tests = tests_of(misaligned)
            wanted: Iterable[tuple[str, str | None]] = [(test.score, test.key) for test in tests]
            if not tests:
                return True
        case ScoreValue(score, key) | Grade(score, key):
            wanted = [(score, key)]
    # With no score in any log of this name there is nothing to tell by; a rule for every eval then stays out.
    if not contents.scores:
        return metric.evals != ("*",)
    return any(
        fnmatchcase(s["scorer"], score) and key in (None, s["key"]) for score, key in wanted for s in contents.scores
    )
