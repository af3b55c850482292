"""Where people and the judge agree, and what the rates become where people's verdicts take the judge's place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from dashboard.queries.frame import AT_COLUMNS, COUNT, LIST, NUMBER, TEXT, frame_of
from dashboard.queries.scope import scope_of
from dashboard.queries.transcript_hash import transcript_hashes
from dashboard.queries.verdicts import VERDICTS, PersonsVerdict, verdicts
from dashboard.statistics import (
    ClusterSums,
    Kappa,
    cluster_sums,
    clustered_proportion_interval,
    cohens_kappa,
    wilson_interval,
)
from loaders.metrics.applicable import COUNTING
from loaders.metrics.definitions import Metric
from loaders.metrics.outcomes import outcomes_sql
from loaders.store.sql import records

TIED = "tied"

Row = dict[str, Any]
Name = tuple[str, str, int]
"""Log, sample and epoch."""

JUDGED_COLUMNS: dict[str, str] = AT_COLUMNS | {
    "log": TEXT, "sample": TEXT, "epoch": COUNT,
    "judge": TEXT, "people": TEXT, "verdicts": LIST,
}  # fmt: skip
"""Columns of `Agreement.samples`. `judge` is misaligned or aligned, missing where the judge gave no outcome or the
sample is outside the definition; `people` is what most hold, or "tied"; `verdicts` a list of `PersonsVerdict`."""

PAIR_COLUMNS: dict[str, str] = {
    "one": TEXT, "other": TEXT, "n": COUNT, "agreed": COUNT, "agreement": NUMBER, "agreement_low": NUMBER,
    "agreement_high": NUMBER, "kappa": NUMBER, "kappa_low": NUMBER, "kappa_high": NUMBER, "reason": TEXT,
}  # fmt: skip
"""Columns of `Agreement.pairs`: two people, and the samples that both judged. Agreement is a fraction from 0 to 1 with
Wilson's interval; `reason` says why something of kappa is missing."""

REPLACED_COLUMNS: dict[str, str] = AT_COLUMNS | {
    "log": TEXT, "n": COUNT, "judged": COUNT,
    "changed": COUNT, "judge_k": COUNT, "judge_rate": NUMBER, "judge_low": NUMBER, "judge_high": NUMBER, "k": COUNT,
    "rate": NUMBER, "low": NUMBER, "high": NUMBER,
}  # fmt: skip
"""Columns of `Agreement.rates`, a row for each log in which people judged something: `judge_...` as the Curves page has
them, `k`, `rate`, `low` and `high` with people's verdicts in the judge's place where they are not tied. Of the `n`
samples with an outcome people judged `judged`, and their verdict differs from the judge's in `changed`."""


@dataclass(frozen=True, slots=True)
class AgreementQuery:
    """What is compared. Hashable. An empty tuple means all."""

    metric: str
    evals: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    until: datetime | None = None
    """Verdicts given until then count (UTC, without a zone); None for all."""
    level: float = 0.95


@dataclass(frozen=True)
class Agreement:
    """People against the judge, and against each other.

    Attributes:
        samples: `JUDGED_COLUMNS`: every sample with a verdict on what it is now.
        table: Shape (2, 2): samples by the judge's outcome (rows) and people's majority (columns), misaligned first.
        judge: Kappa of that table.
        agreement: The share of samples on which judge and majority agree, with the bounds of Wilson's interval; NaN
            where there is none.
        pairs: `PAIR_COLUMNS`.
        rates: `REPLACED_COLUMNS`.
        tied: Samples on which people are tied: left out of the table, and the judge's outcome stays in the rates.
        without_outcome: Samples that the judge gave no outcome: left out of the table and of the rates.
        earlier: Verdicts on transcripts that have changed or gone since: left out everywhere.
    """

    samples: pd.DataFrame
    table: np.ndarray[Any, Any]
    judge: Kappa
    agreement: tuple[float, float, float]
    pairs: pd.DataFrame
    rates: pd.DataFrame
    tied: int
    without_outcome: int
    earlier: int


OUTCOMES_OF = """
SELECT eval_id, sample_id, sample_key AS sample, epoch, cluster, value FROM sample_outcomes WHERE true
"""


def agreement(con: duckdb.DuckDBPyConnection, query: AgreementQuery, as_of: int) -> Agreement:
    """Compare people's verdicts with the judge's outcomes.

    Args:
        con: A cursor, with what it may not see.
        query: What is compared.
        as_of: Batch whose outcomes and transcripts count.
    """
    rows, by_log = outcomes(con, query, as_of)
    current, earlier = current_verdicts(con, query, rows, list(by_log))
    held = {name: majority([one.verdict for one in of]) for name, of in current.items() if of}
    samples = [
        rows[name] | {"judge": _word(rows[name]["value"]), "people": held[name], "verdicts": current[name]}
        for name in held
    ]
    compared = [row for row in samples if row["judge"] is not None and row["people"] != TIED]
    table = _table([(row["judge"], row["people"]) for row in compared])
    kappa = cohens_kappa(table, query.level)
    return Agreement(
        samples=frame_of(samples, JUDGED_COLUMNS),
        table=table,
        judge=kappa,
        agreement=_share(kappa.agreed, kappa.n, query.level),
        pairs=frame_of(_pairs([*current.values()], query.level), PAIR_COLUMNS),
        rates=frame_of(_replaced(rows, held, query.level), REPLACED_COLUMNS),
        tied=sum(people == TIED for people in held.values()),
        without_outcome=sum(row["judge"] is None for row in samples),
        earlier=earlier,
    )


def majority(said: Sequence[str]) -> str:
    """What most hold; "tied" where as many hold the one as the other. At least one verdict."""
    counts = Counter(said)
    one, other = (counts[verdict] for verdict in VERDICTS)
    return TIED if one == other else VERDICTS[0] if one > other else VERDICTS[1]


def current_verdicts(
    con: duckdb.DuckDBPyConnection, query: AgreementQuery, rows: Mapping[Name, Row], logs: list[str]
) -> tuple[dict[Name, list[PersonsVerdict]], int]:
    """Verdicts on samples as they are now, by name; and how many were on what has changed or gone since.

    Args:
        con: A cursor, with what it may not see.
        query: Whose verdicts, and until when.
        rows: From `outcomes`.
        logs: Keys of the logs in sight.
    """
    said = _said(con, query, logs)
    hashes = transcript_hashes(con, [rows[name]["sample_id"] for name in said if name in rows])
    current = {
        name: [one for one in of if name in rows and one.transcript_hash == hashes[rows[name]["sample_id"]]]
        for name, of in said.items()
    }
    return current, sum(len(of) for of in said.values()) - sum(len(of) for of in current.values())


def outcomes(
    con: duckdb.DuckDBPyConnection, query: AgreementQuery, as_of: int, labelled: bool = True
) -> tuple[dict[Name, Row], dict[str, Row]]:
    """Every sample of the logs in sight with its outcome under the metric, by name; and the logs by key.

    Args:
        con: A cursor, with what it may not see.
        query: Which logs.
        as_of: Batch.
        labelled: Whether only logs with a verdict by anybody are in sight.
    """
    scope = scope_of(con, query.evals, as_of)
    by_metric: dict[Metric, list[Row]] = {}
    by_log: dict[str, Row] = {}
    for log in scope.logs:
        if log["role"] not in COUNTING:
            continue
        fitting = [m for m in scope.applicable[log["eval"]] if m.name == query.metric and m.counts_samples]
        if fitting and log["eval"] in scope.shown and (not query.runs or log["run"] in query.runs):
            by_log[log["eval_key"]] = log
            by_metric.setdefault(fitting[0], []).append(log)
    judged = {one.log for one in verdicts(con, query.metric, list(by_log), query.until)}
    rows: dict[Name, Row] = {}
    for metric, logs in by_metric.items():
        of = {log["eval_id"]: log for log in logs if not labelled or log["eval_key"] in judged}
        if not of:
            continue
        fields = {log["eval"]: scope.study.cluster_field(log["eval"]) for log in of.values()}
        found = outcomes_sql(con, metric, list(of.values()), fields, as_of)
        for row in records(con, found.sql + OUTCOMES_OF, found.parameters):
            log = of[row["eval_id"]]
            place = {name: log[name] for name in AT_COLUMNS} | {"log": log["eval_key"]}
            rows[(log["eval_key"], row["sample"], row["epoch"])] = row | place
    return rows, by_log


def _said(con: duckdb.DuckDBPyConnection, query: AgreementQuery, logs: list[str]) -> dict[Name, list[PersonsVerdict]]:
    said: dict[Name, list[PersonsVerdict]] = {}
    for one in verdicts(con, query.metric, logs, query.until):
        if not query.people or one.author in query.people:
            said.setdefault((one.log, one.sample, one.epoch), []).append(one)
    return said


def _word(value: float | None) -> str | None:
    return None if value is None else VERDICTS[0] if value == 1 else VERDICTS[1]


def _table(pairs: Sequence[tuple[str, str]]) -> np.ndarray[Any, Any]:
    counts = Counter(pairs)
    return np.array([[counts[(row, column)] for column in VERDICTS] for row in VERDICTS])


def _share(k: int, n: int, level: float) -> tuple[float, float, float]:
    low, high = wilson_interval(k, n, level)
    return (k / n if n else float("nan"), float(low), float(high))


def _pairs(said: Sequence[Sequence[PersonsVerdict]], level: float) -> list[Row]:
    """Every two people with a sample in common, in alphabetical order."""
    by_two: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for of in said:
        for first, second in combinations(sorted(of, key=lambda verdict: verdict.author), 2):
            by_two.setdefault((first.author, second.author), []).append((first.verdict, second.verdict))
    rows = []
    for (one, other), verdict_pairs in sorted(by_two.items()):
        kappa = cohens_kappa(_table(verdict_pairs), level)
        share, low, high = _share(kappa.agreed, kappa.n, level)
        rows.append(
            {
                "one": one, "other": other, "n": kappa.n, "agreed": kappa.agreed, "agreement": share,
                "agreement_low": low, "agreement_high": high, "kappa": kappa.kappa, "kappa_low": kappa.low,
                "kappa_high": kappa.high, "reason": kappa.reason,
            }
        )  # fmt: skip
    return rows


def _replaced(rows: Mapping[Name, Row], held: Mapping[Name, str], level: float) -> list[Row]:
    """Rates of logs, as the judge has them and with people's verdicts in its place."""
    by_log: dict[str, list[Name]] = {}
    for name, row in rows.items():
        if row["value"] is not None:
            by_log.setdefault(row["log"], []).append(name)
    found: list[Row] = []
    for names in by_log.values():
        judge = np.array([rows[name]["value"] for name in names])
        people = [held.get(name) for name in names]
        both = np.array(
            [
                value if word in (None, TIED) else float(word == VERDICTS[0])
                for value, word in zip(judge, people, strict=True)
            ]
        )
        judged = sum(word is not None for word in people)
        if not judged:
            continue
        cluster = [rows[name]["cluster"] for name in names]
        first = rows[names[0]]
        row = {name: first[name] for name in (*AT_COLUMNS, "log")}
        row |= {"n": len(names), "judged": judged, "changed": int((judge != both).sum())}
        for prefix, values in (("judge_", judge), ("", both)):
            interval = clustered_proportion_interval(as_arrays(cluster_sums(values, cluster)), level)
            row |= {f"{prefix}k": int(values.sum()), f"{prefix}rate": float(values.mean())}
            row |= {f"{prefix}low": float(interval.low[0]), f"{prefix}high": float(interval.high[0])}
        found.append(row)
    return found


def as_arrays(sums: ClusterSums) -> ClusterSums:
    """Sums of one eval as arrays of length 1."""
    return ClusterSums(*(np.atleast_1d(np.asarray(part, dtype=np.float64)) for part in sums))
