"""Whom to label next: of all samples in sight the one whose label narrows the corrected rates most."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

import duckdb

from dashboard.queries.agreement import AgreementQuery, Name, outcomes
from dashboard.queries.verdicts import VERDICTS, drawn_samples, verdicts
from dashboard.statistics import neyman_gain


@dataclass(frozen=True)
class Next:
    """A sample to be labelled, blind.

    Attributes:
        name: Log, sample and epoch; None where all are labelled.
        labelled: Samples that chance chose so far.
        total: Samples with a verdict of the judge, in sight.
    """

    name: Name | None
    labelled: int
    total: int


def next_to_label(
    con: duckdb.DuckDBPyConnection, query: AgreementQuery, as_of: int, skipped: Collection[Name] = ()
) -> Next:
    """The sample to label next.

    The samples of each log are in two strata, by the judge's verdict. The stratum comes next in which one more label
    lowers the variance of its log's corrected rate most (`neyman_gain`). In it a sample is drawn at random, of a
    question that has no label there yet where there is one: so the labels of each stratum are a random sample of it.
    The order is that of a hash of the names, the same for everybody.

    Args:
        con: A cursor, with what it may not see.
        query: Which logs, and under which metric.
        as_of: Batch.
        skipped: What the reader passed over.
    """
    rows, by_log = outcomes(con, query, as_of, labelled=False)
    drawn = drawn_samples(con, query.metric, list(by_log), query.until)
    positive = {
        (one.log, one.sample, one.epoch)
        for one in verdicts(con, query.metric, list(by_log), query.until)
        if one.verdict == VERDICTS[0]
    }
    strata: dict[tuple[str, float], list[Name]] = {}
    sizes: dict[str, int] = {}
    for name, row in rows.items():
        if row["value"] is not None:
            strata.setdefault((name[0], float(row["value"])), []).append(name)
            sizes[name[0]] = sizes.get(name[0], 0) + 1
    best: tuple[float, str, list[Name], set[str]] | None = None
    for (log, verdict), names in strata.items():
        labelled = [name for name in names if name in drawn]
        left = [name for name in names if name not in drawn and name not in skipped]
        if left:
            gain = neyman_gain(len(names) / sizes[log], sum(name in positive for name in labelled), len(labelled))
            candidate = (float(gain), f"{log} {verdict}", left, {name[1] for name in labelled})
            best = candidate if best is None or candidate[:2] > best[:2] else best
    done = sum(name in drawn for names in strata.values() for name in names)
    total = sum(map(len, strata.values()))
    if best is None:
        return Next(None, done, total)
    _, _, left, seen = best
    return Next(min(left, key=lambda name: (name[1] in seen, _chance(name))), done, total)


def _chance(name: Name) -> str:
    return hashlib.sha256("\x1f".join(map(str, name)).encode()).hexdigest()
