"""Which metrics apply to an eval: definitions whose scores its logs hold, then automatic ones."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import duckdb

from loaders.metrics.conditions import IS_INFINITE, SCORE_NUMBER
from loaders.metrics.definitions import (
    PROPORTIONS,
    Grade,
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
    tests_of,
)
from loaders.store.sql import records

FACTS = f"""
SELECT eval_id, scorer, key,
       bool_and(value_text IN ('C', 'I', 'P', 'N')) AS graded,
       bool_or(value_text = 'P') AS partial,
       count(number) > 0 AS numbers,
       bool_or(infinite) AS infinite,
       bool_and(number IN (0, 1)) AS zero_or_one,
       bool_or(number = 0) AS zero,
       bool_or(value_type = 'bool') AS boolean,
       count(number) + count(value_text) > 0 AS told
FROM (SELECT *, {SCORE_NUMBER} AS number, {IS_INFINITE} AS infinite FROM live_scores($as_of))
WHERE eval_id IN (SELECT unnest($eval_ids::BIGINT[]))
GROUP BY ALL
"""  # noqa: S608 - both are constants
"""What kind of values each scorer and key has in one log. A log never changes: `loaders.metrics.settled` keeps them."""

FACTS_KEY = hashlib.sha256((FACTS + duckdb.__version__).encode()).hexdigest()
"""Of the settled facts: other SQL, other facts."""

SCORES = """
WITH chosen AS (SELECT unnest($eval_ids::BIGINT[]) AS eval_id, unnest($names::VARCHAR[]) AS eval)
SELECT eval, scorer, key,
       coalesce(bool_and(graded), false) AS graded,
       coalesce(bool_or(partial), false) AS partial,
       bool_or(numbers) OR bool_or(infinite) AS numbers,
       coalesce(bool_and(zero_or_one) AND NOT bool_or(infinite) AND (bool_or(zero) OR bool_or(boolean)), false)
           AS yes_or_no,
       count(DISTINCT eval_id) FILTER (WHERE told) AS logs
FROM ({facts}) JOIN chosen USING (eval_id)
GROUP BY ALL ORDER BY ALL
"""

SETTLED_FACTS = "SELECT * FROM live_score_facts($as_of)"

SCAN_FACTS = FACTS.replace("live_scores", "live_scans")
"""The same of what scans measured, which changes with every scan: never settled."""

UNSETTLED_FACTS = """
SELECT unnest($1::BIGINT[]) AS eval_id
EXCEPT SELECT eval_id FROM seen_measured() JOIN seen_measures() USING (measure_id) WHERE key = $2
"""

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


@dataclass
class Contents:
    """What the logs of one eval hold, taken together, so that a metric means the same all along a line."""

    tasks: set[str] = field(default_factory=set)
    logs: int = 0
    scores: list[dict[str, Any]] = field(default_factory=list)
    """A row of `SCORES` for every scorer and key."""
    reported: list[dict[str, Any]] = field(default_factory=list)
    """A row of `REPORTED` for every number."""


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
    unsettled = [row[0] for row in con.execute(UNSETTLED_FACTS, [chosen["eval_ids"], FACTS_KEY]).fetchall()]
    facts = SETTLED_FACTS
    if unsettled:
        facts += f" WHERE eval_id NOT IN (SELECT unnest($unsettled::BIGINT[])) UNION ALL BY NAME ({FACTS})"
        facts = facts.replace("$eval_ids", "$unsettled")
        chosen["unsettled"] = unsettled
    if con.execute("FROM seen_any_scan()").fetchone():
        facts += f" UNION ALL BY NAME ({SCAN_FACTS})"
    for row in records(con, SCORES.format(facts=facts), chosen):
        contents[row["eval"]].scores.append(row)
    chosen.pop("unsettled", None)
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
