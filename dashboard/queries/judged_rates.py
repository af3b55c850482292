"""Rates under several judges of the same transcripts, how far two of them agree, and where they don't. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dashboard.queries.differences import BORDERLINE, is_borderline
from dashboard.queries.frame import AT_COLUMNS, COUNT, NUMBER, TEXT, frame_of
from dashboard.queries.judged import CURRENT
from dashboard.statistics import cluster_sums, clustered_proportion_interval, paired_rate_difference
from dashboard.statistics.agreement import Kappa, cohens_kappa

MISALIGNED, ALIGNED = "misaligned", "aligned"
CLASSES = (MISALIGNED, ALIGNED)

LEVEL = 0.95

JUDGED_RATES: dict[str, str] = {"rater": TEXT} | AT_COLUMNS | {
    "k": COUNT, "n": COUNT,
    "rate": NUMBER, "low": NUMBER, "high": NUMBER, "n_missing": COUNT,
}  # fmt: skip
"""Columns of `judged_rates`. `k` of the `n` samples with a verdict are misaligned; `n_missing` have none. `rate`, `low`
and `high` are fractions, and missing, never 0, where n is 0."""

PAIRED: dict[str, str] = AT_COLUMNS | {
    "n": COUNT, "rate": NUMBER, "other_rate": NUMBER,
    "difference": NUMBER, "low": NUMBER, "high": NUMBER, "p": NUMBER, "test": TEXT,
    "note": TEXT,
}  # fmt: skip
"""Columns of `paired_rates`: both rates and their difference over the `n` samples that both gave a verdict on.
Without a run: all checkpoints together. `note`: what to know of the numbers."""


@dataclass(frozen=True)
class Agreement:
    """How far two raters agree.

    Attributes:
        table: Rows: what the one says, columns: what the other says, in the order of `CLASSES`.
        kappa: Cohen's, with its interval as if samples were independent.
        one_alone, other_alone: Samples on which only this one gave a verdict.
    """

    table: tuple[tuple[int, int], tuple[int, int]]
    kappa: Kappa
    one_alone: int
    other_alone: int


def counted(frame: pd.DataFrame) -> pd.DataFrame:
    """The samples that rates are made of: those that are as they were judged.

    Args:
        frame: From `dashboard.queries.judged.judged`.
    """
    return frame[frame["state"] == CURRENT]


def judged_rates(frame: pd.DataFrame, raters: Sequence[str]) -> pd.DataFrame:
    """The rate under each rater at each checkpoint: `JUDGED_RATES`.

    Epochs of a question, and questions of a cluster, make the intervals wider, as everywhere.

    Args:
        frame: From `dashboard.queries.judged.judged`.
        raters: `FIRST`, ids of re-scorings.
    """
    rows = []
    for at, group in _checkpoints(counted(frame)):
        for rater in raters:
            with_verdict = group[group[f"{rater}.verdict"].notna()]
            row = {**at, "rater": rater, "n": len(with_verdict), "n_missing": len(group) - len(with_verdict)}
            if len(with_verdict):
                values = _values(with_verdict, rater)
                sums = cluster_sums(values, with_verdict["cluster"].to_numpy(str))
                bounds = clustered_proportion_interval(sums)
                row |= {"k": int(values.sum()), "rate": float(values.mean())}
                row |= {"low": float(bounds.low), "high": float(bounds.high)}
            rows.append(row)
    return frame_of(rows, JUDGED_RATES)


def paired_rates(frame: pd.DataFrame, one: str, other: str) -> pd.DataFrame:
    """The difference between two raters at each checkpoint, then over all of them: `PAIRED`.

    Over all of them every question at every checkpoint counts once, and all that is said of one question is a cluster.

    Args:
        frame: From `dashboard.queries.judged.judged`.
        one: A rater.
        other: What is subtracted.
    """
    both = _both(frame, one, other)
    groups = list(_checkpoints(both))
    if len(groups) > 1:
        groups.append((dict.fromkeys(AT_COLUMNS), both))
    return frame_of([at | _difference(group, one, other) for at, group in groups], PAIRED)


def agreement(frame: pd.DataFrame, one: str, other: str) -> Agreement:
    """How far two raters agree on the samples that both gave a verdict on.

    Args:
        frame: From `dashboard.queries.judged.judged`.
        one: Stands in the rows of the table.
        other: Stands in its columns.
    """
    here, both = counted(frame), _both(frame, one, other)
    said = list(zip(both[f"{one}.verdict"], both[f"{other}.verdict"], strict=True))
    (a, b), (c, d) = ([said.count((mine, yours)) for yours in CLASSES] for mine in CLASSES)
    alone = [int(here[f"{rater}.verdict"].notna().sum()) - len(both) for rater in (one, other)]
    return Agreement(((a, b), (c, d)), cohens_kappa([[a, b], [c, d]]), alone[0], alone[1])


def disagreements(frame: pd.DataFrame, one: str, other: str, said: str | None = None) -> pd.DataFrame:
    """The samples on which two raters disagree, as rows of `frame`.

    Args:
        frame: From `dashboard.queries.judged.judged`.
        one: A rater.
        other: Another one.
        said: Only those of which the one says this; None for both directions.
    """
    both = _both(frame, one, other)
    apart = both[both[f"{one}.verdict"] != both[f"{other}.verdict"]]
    return apart if said is None else apart[apart[f"{one}.verdict"] == said]


def _both(frame: pd.DataFrame, one: str, other: str) -> pd.DataFrame:
    here = counted(frame)
    return here[here[f"{one}.verdict"].notna() & here[f"{other}.verdict"].notna()]


def _checkpoints(frame: pd.DataFrame) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    for key, group in frame.groupby(list(AT_COLUMNS), sort=False, dropna=False):
        yield (
            dict(zip(AT_COLUMNS, (None if value != value or value is pd.NA else value for value in key), strict=True)),
            group,
        )


def _values(frame: pd.DataFrame, rater: str) -> Any:
    return (frame[f"{rater}.verdict"] == MISALIGNED).to_numpy(float)


def _difference(group: pd.DataFrame, one: str, other: str) -> dict[str, Any]:
    questions = (
        group.assign(here=_values(group, one), there=_values(group, other), cluster=group["cluster"].astype(str))
        .groupby([*AT_COLUMNS, "log", "sample"], sort=False, dropna=False)
        .agg(here=("here", "mean"), there=("there", "mean"), n=("here", "size"), cluster=("cluster", "first"))
        .reset_index()
    )
    cluster = questions["eval"].astype(str) + "\x1f" + questions["cluster"]
    here, there, epochs = (questions[column].to_numpy(float) for column in ("here", "there", "n"))
    found = paired_rate_difference(here, there, epochs, epochs, cluster.to_numpy(str))
    low, high = found.interval(LEVEL)
    return {
        "n": len(group), "rate": float(here.mean()), "other_rate": float(there.mean()),
        "difference": found.estimate, "low": low, "high": high, "p": found.p, "test": found.test,
        "note": BORDERLINE if is_borderline(found, LEVEL) else None,
    }  # fmt: skip
