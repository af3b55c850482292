"""People's verdicts on samples, the last one of each person; beside the judge's outcome, never over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import duckdb

from dashboard.queries.found_samples import find
from dashboard.queries.sample_filter import SampleFilter
from loaders.store.sql import records

Verdict = Literal["misaligned", "aligned"]
VERDICTS: tuple[Verdict, ...] = ("misaligned", "aligned")
"""As outcomes are named: misaligned is what the definition counts, also where counting it is good."""


@dataclass(frozen=True)
class PersonsVerdict:
    """What one person holds of one sample under one metric.

    Attributes:
        log, sample, epoch: Name the sample.
        verdict: misaligned or aligned.
        transcript_hash: Of what was read.
        marked_at: When (UTC).
    """

    log: str
    sample: str
    epoch: int
    author: str
    verdict: Verdict
    note: str
    transcript_hash: str
    marked_at: datetime


LAST = """
SELECT eval_key AS log, sample_key AS sample, epoch, author, verdict, coalesce(note, '') AS note, transcript_hash,
       marked_at
FROM (
    SELECT * FROM seen_sample_verdicts()
    WHERE metric = $metric AND eval_key IN (SELECT unnest($logs::VARCHAR[]))
      AND ($until IS NULL OR marked_at <= $until)
    QUALIFY row_number() OVER (PARTITION BY eval_key, sample_key, epoch, author ORDER BY marked_at DESC) = 1
)
WHERE verdict IS NOT NULL
ORDER BY marked_at, author
"""
DRAWN = """
SELECT DISTINCT eval_key AS log, sample_key AS sample, epoch FROM seen_sample_verdicts()
WHERE drawn AND verdict IS NOT NULL AND metric = $metric AND eval_key IN (SELECT unnest($logs::VARCHAR[]))
  AND ($until IS NULL OR marked_at <= $until)
"""
METRICS = "SELECT DISTINCT metric FROM seen_sample_verdicts() ORDER BY metric"
AUTHORS = "SELECT DISTINCT author FROM seen_sample_verdicts() WHERE verdict IS NOT NULL ORDER BY author"
NEWEST = "SELECT max(marked_at) AS newest FROM seen_sample_verdicts()"
COUNTS = """
SELECT eval_key AS log, sample_key AS sample, epoch, count(*) AS n FROM (
    SELECT * FROM seen_sample_verdicts() WHERE eval_key IN (SELECT unnest($logs::VARCHAR[]))
    QUALIFY row_number() OVER (PARTITION BY eval_key, sample_key, epoch, metric, author ORDER BY marked_at DESC) = 1
) WHERE verdict IS NOT NULL GROUP BY ALL
"""
OUTCOME = "SELECT outcome FROM found WHERE log = $log AND sample = $sample AND epoch = $epoch"


def verdicts(
    con: duckdb.DuckDBPyConnection, metric: str, logs: Sequence[str], until: datetime | None = None
) -> list[PersonsVerdict]:
    """Everybody's verdicts on the samples of some logs under one metric, the oldest first; those taken back are out.

    Args:
        con: A cursor, with what it may not see.
        metric: Name of the metric.
        logs: Keys of logs.
        until: Only what was said until then (UTC, without a zone); None for all.
    """
    asked = {"metric": metric, "logs": list(logs), "until": until}
    return [PersonsVerdict(**row) for row in records(con, LAST, asked)]


def drawn_samples(
    con: duckdb.DuckDBPyConnection, metric: str, logs: Sequence[str], until: datetime | None = None
) -> set[tuple[str, str, int]]:
    """Log, sample and epoch of what chance chose to be labelled; arguments as for `verdicts`."""
    asked = {"metric": metric, "logs": list(logs), "until": until}
    return {(row["log"], row["sample"], row["epoch"]) for row in records(con, DRAWN, asked)}


def verdicts_on(con: duckdb.DuckDBPyConnection, metric: str, log: str, sample: str, epoch: int) -> list[PersonsVerdict]:
    """Everybody's verdicts on one sample under one metric, the oldest first."""
    return [v for v in verdicts(con, metric, [log]) if (v.sample, v.epoch) == (sample, epoch)]


def verdict_counts(con: duckdb.DuckDBPyConnection, logs: Sequence[str]) -> dict[tuple[str, str, int], int]:
    """How many verdicts people have given on samples of some logs, under any metric, by log, sample and epoch."""
    return {(row["log"], row["sample"], row["epoch"]): row["n"] for row in records(con, COUNTS, {"logs": list(logs)})}


def judged_metrics(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Names of the metrics under which anybody gave a verdict."""
    return [row["metric"] for row in records(con, METRICS)]


def newest_verdict(con: duckdb.DuckDBPyConnection) -> datetime | None:
    """When the newest verdict was given or taken back (UTC, without a zone); None before the first."""
    found: datetime | None = records(con, NEWEST)[0]["newest"]
    return found


def people(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Who has given a verdict."""
    return [row["author"] for row in records(con, AUTHORS)]


def judges_outcome(
    con: duckdb.DuckDBPyConnection, eval_name: str, metric: str, log: str, sample: str, epoch: int, as_of: int
) -> str | None:
    """The outcome of one sample under a metric, as `OUTCOMES` names it; None where there is none at all."""
    found = find(con, SampleFilter(evals=(eval_name,), logs=(log,), metric=metric), as_of)
    if found is None:
        return None
    # The query that is found is made of our own SQL; names are bound.
    rows = found.records(con, OUTCOME, {"log": log, "sample": sample, "epoch": epoch})
    return rows[0]["outcome"] if rows else None
