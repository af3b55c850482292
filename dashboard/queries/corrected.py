"""Rates beside what they become where the judge's errors are allowed for, from people's labels of some samples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import duckdb
import numpy as np
import pandas as pd

from dashboard.queries.agreement import (
    TIED,
    AgreementQuery,
    Row,
    as_arrays,
    current_verdicts,
    majority,
    outcomes,
)
from dashboard.queries.frame import AT_COLUMNS, COUNT, NUMBER, TEXT, frame_of
from dashboard.queries.verdicts import VERDICTS, drawn_samples
from dashboard.statistics import (
    Bounded,
    Pool,
    cluster_sums,
    clustered_proportion_interval,
    difference_of,
    label_share,
    label_sums,
    lee_interval,
    paired_rate_difference,
    prediction_powered_rate,
    rogan_gladen_difference,
    rogan_gladen_rate,
    sensitivity,
    specificity,
    unpaired_rate_difference,
    verdict_share,
)
from dashboard.statistics.judge_errors import LEAST_CARRIED, LEAST_OWN

Labels = Literal["drawn", "all"]

JUDGE_COLUMNS: dict[str, str] = AT_COLUMNS | {
    "log": TEXT, "judge": TEXT, "labels": COUNT, "positive": COUNT, "negative": COUNT,
    "sensitivity": NUMBER, "sensitivity_low": NUMBER, "sensitivity_high": NUMBER,
    "specificity": NUMBER, "specificity_low": NUMBER, "specificity_high": NUMBER, "reason": TEXT,
}  # fmt: skip
"""Columns of `Corrected.judges`: a row for each log with labels enough of its own, then one for all logs of an eval
that one judge judged (no run, no log). `positive` and `negative` count labels; `reason` is of what is missing."""

CORRECTED_COLUMNS: dict[str, str] = AT_COLUMNS | {
    "log": TEXT, "judge": TEXT, "n": COUNT, "k": COUNT, "rate": NUMBER, "low": NUMBER, "high": NUMBER,
    "labels": COUNT, "own": NUMBER, "own_low": NUMBER, "own_high": NUMBER, "own_reason": TEXT,
    "carried": NUMBER, "carried_low": NUMBER, "carried_high": NUMBER, "carried_method": TEXT, "carried_reason": TEXT,
}  # fmt: skip
"""Columns of `Corrected.rates`, a row for each log in sight. `rate` is the judge's; `own` rests on labels of this log
(PPI++), `carried` on the sensitivity and specificity of all labelled logs of the eval and judge (Rogan-Gladen)."""

DIFFERENCE_COLUMNS: dict[str, str] = AT_COLUMNS | {
    "log": TEXT, "baseline": TEXT, "difference": NUMBER, "low": NUMBER, "high": NUMBER,
    "own": NUMBER, "own_low": NUMBER, "own_high": NUMBER, "carried": NUMBER, "carried_low": NUMBER,
    "carried_high": NUMBER, "reason": TEXT,
}  # fmt: skip
"""Columns of `Corrected.differences`: of each log from the first of its eval, as `Corrected.rates` has either."""

FEW_OWN = "{} of {} judge-{} samples labeled, {} needed"
FEW_CARRIED = "labels of all checkpoints: {} of {} judge-{} samples labeled, {} needed"
NO_POSITIVE = "no labeled sample is positive, so there is no sensitivity"
USELESS = "sensitivity + specificity do not exceed 1: the verdicts tell nothing of the labels"
BY_VERDICT, ADJUSTED = "labels drawn by verdict", "Lee et al., adjusted counts"


@dataclass(frozen=True)
class Corrected:
    """What the judge's errors are, and what rates and differences become by them.

    Attributes:
        judges: `JUDGE_COLUMNS`.
        rates: `CORRECTED_COLUMNS`.
        differences: `DIFFERENCE_COLUMNS`.
        picked: Labelled samples that readers picked, and chance did not: left out unless all labels are asked for.
    """

    judges: pd.DataFrame
    rates: pd.DataFrame
    differences: pd.DataFrame
    picked: int


@dataclass
class LogLabels:
    """The judge's verdicts on all samples of a log, and people's on some.

    Attributes:
        log: A row of the log's places.
        questions: Sample ids, shape (n,).
        verdicts: The judge's, 0 or 1, shape (n,).
        labels: People's, NaN where there is none, shape (n,).
        cluster: Shape (n,).
    """

    log: Row
    questions: list[str] = field(default_factory=list)
    verdicts: list[float] = field(default_factory=list)
    labels: list[float] = field(default_factory=list)
    cluster: list[str] = field(default_factory=list)

    def counts(self, verdict: float) -> tuple[int, int]:
        """Labelled, and all, samples with a verdict of the judge."""
        of = [label for label, said in zip(self.labels, self.verdicts, strict=True) if said == verdict]
        return sum(label == label for label in of), len(of)

    @cached_property
    def sums(self) -> Any:
        """Sums of the judge's verdicts."""
        return as_arrays(cluster_sums(self.verdicts, self.cluster))

    @property
    def whole(self) -> bool:
        """Whether each of the judge's verdicts that there is has a label."""
        return all(labelled or not count for labelled, count in map(self.counts, (0.0, 1.0)))


def corrected(con: duckdb.DuckDBPyConnection, query: AgreementQuery, as_of: int, labels: Labels = "drawn") -> Corrected:
    """Rates and differences beside the corrected ones.

    Args:
        con: A cursor, with what it may not see.
        query: Which logs, and whose labels.
        as_of: Batch whose outcomes and transcripts count.
        labels: Those of samples that chance chose, or all of them as if chance had chosen them.
    """
    logs, picked = log_labels(con, query, as_of, labels)
    judges: list[Row] = []
    rates: list[Row] = []
    differences: list[Row] = []
    for (eval_name, judge), of in _by_judge(logs).items():
        pooled = [log for log in of if log.whole and any(label == label for label in log.labels)]
        known = _Judge(pooled, labels, query.level)
        judges += [_judge_row(log.log, _Judge([log], labels, query.level)) for log in pooled if not _few(log)]
        judges.append(_judge_row({"eval": eval_name, "judge": judge}, known))
        rows = [_rate_row(log, known, query.level) for log in of]
        rates += rows
        differences += [_difference_row(log, of[0], known, query.level) for log in of[1:]]
    return Corrected(
        frame_of(judges, JUDGE_COLUMNS),
        frame_of(rates, CORRECTED_COLUMNS),
        frame_of(differences, DIFFERENCE_COLUMNS),
        picked,
    )


def log_labels(
    con: duckdb.DuckDBPyConnection, query: AgreementQuery, as_of: int, labels: Labels = "drawn"
) -> tuple[list[LogLabels], int]:
    """Verdicts and labels of every log in sight, by run and step; and how many labelled samples readers picked."""
    rows, by_log = outcomes(con, query, as_of, labelled=False)
    current, _ = current_verdicts(con, query, rows, list(by_log))
    drawn = drawn_samples(con, query.metric, list(by_log), query.until)
    held = {name: majority([one.verdict for one in of]) for name, of in current.items() if of}
    found: dict[str, LogLabels] = {}
    for name, row in rows.items():
        if row["value"] is None:
            continue
        log = found.setdefault(name[0], LogLabels(by_log[name[0]] | {"log": name[0]}))
        word = held.get(name) if labels == "all" or name in drawn else None
        log.questions.append(name[1])
        log.verdicts.append(float(row["value"]))
        log.labels.append(np.nan if word in (None, TIED) else float(word == VERDICTS[0]))
        log.cluster.append(str(row["cluster"]))
    order = sorted(found.values(), key=lambda of: (of.log["run"] or "", of.log["step"] is None, of.log["step"] or 0))
    return order, sum(name not in drawn for name in held)


def _by_judge(logs: Iterable[LogLabels]) -> dict[tuple[str, str | None], list[LogLabels]]:
    found: dict[tuple[str, str | None], list[LogLabels]] = {}
    for log in logs:
        found.setdefault((log.log["eval"], log.log["judge"]), []).append(log)
    return found


class _Judge:
    """What labels of some logs say of the judge that judged all of them."""

    def __init__(self, logs: Sequence[LogLabels], labels: Labels, level: float) -> None:
        self.logs, self.labels = logs, labels
        self.of: dict[float, tuple[list[float], list[str], list[float]]] = {0.0: ([], [], []), 1.0: ([], [], [])}
        self.counts = {0.0: [0, 0], 1.0: [0, 0]}
        for log in logs:
            for verdict, (values, cluster, weights) in self.of.items():
                labelled, count = log.counts(verdict)
                self.counts[verdict][0] += labelled
                self.counts[verdict][1] += count
                for label, said, name in zip(log.labels, log.verdicts, log.cluster, strict=True):
                    if said == verdict and label == label:
                        values.append(label)
                        cluster.append(name)
                        weights.append(count / labelled)
        self.pool = Pool(
            tuple(verdict_share(log.sums, level) for log in logs),
            tuple(float(len(log.verdicts)) for log in logs),
            *(label_share(as_arrays(label_sums(*self.of[verdict])), level) for verdict in (1.0, 0.0)),
        )

    def place(self, log: LogLabels) -> int | None:
        return next((at for at, one in enumerate(self.logs) if one is log), None)

    @property
    def positive(self) -> int:
        return int(sum(sum(values) for values, _, _ in self.of.values()))

    @property
    def negative(self) -> int:
        return sum(len(values) for values, _, _ in self.of.values()) - self.positive

    @cached_property
    def reason(self) -> str | None:
        """Why nothing can be carried over; None where it can."""
        if not self.logs:
            return "no checkpoint has labels of both of the judge's verdicts"
        if self.labels == "all":
            for count, word in ((self.positive, "positive"), (self.negative, "negative")):
                if count < LEAST_CARRIED:
                    return f"{count} labels are {word}, {LEAST_CARRIED} needed"
        for verdict, word in ((1.0, "positive"), (0.0, "negative")):
            labelled, count = self.counts[verdict]
            if labelled < min(LEAST_CARRIED, count):
                return FEW_CARRIED.format(labelled, count, word, min(LEAST_CARRIED, count))
        hit, clear = (float(found.estimate[0]) for found in self.errors)
        if np.isnan(hit):
            return NO_POSITIVE
        return USELESS if not hit + clear > 1.0 else None

    @cached_property
    def errors(self) -> tuple[Bounded, Bounded]:
        """Sensitivity and specificity."""
        return sensitivity(self.pool), specificity(self.pool)


def _few(log: LogLabels, least: int = LEAST_OWN) -> str | None:
    """Why a log's own labels are too few; None where they are enough."""
    for verdict, word in ((1.0, "positive"), (0.0, "negative")):
        labelled, count = log.counts(verdict)
        if labelled < min(least, count):
            return FEW_OWN.format(labelled, count, word, min(least, count))
    return None


def _bounded(name: str, found: Bounded) -> Row:
    estimate, low, high = (float(np.atleast_1d(x)[0]) for x in found)
    return {name: estimate, f"{name}_low": low, f"{name}_high": high}


def _judge_row(at: Row, judge: _Judge) -> Row:
    row = {name: at.get(name) for name in (*AT_COLUMNS, "log", "judge")}
    row |= {"labels": judge.positive + judge.negative, "positive": judge.positive, "negative": judge.negative}
    if not judge.logs:
        return row | {"reason": judge.reason}
    hit, clear = judge.errors
    return row | _bounded("sensitivity", hit) | _bounded("specificity", clear) | {"reason": judge.reason}


def _carried(log: LogLabels, judge: _Judge, level: float) -> Bounded:
    if judge.labels == "all":
        interval = clustered_proportion_interval(log.sums, level)
        hits, clear = (
            float(sum(values)) if verdict else len(values) - float(sum(values))
            for verdict, (values, _, _) in ((1.0, judge.of[1.0]), (0.0, judge.of[0.0]))
        )
        p = float(np.mean(log.verdicts))
        of = (hits / judge.positive, judge.positive, clear / judge.negative, judge.negative)
        return lee_interval(p, interval.n_eff, *of, level)
    return rogan_gladen_rate(judge.pool, verdict_share(log.sums, level), judge.place(log))


def _rate_row(log: LogLabels, judge: _Judge, level: float) -> Row:
    naive = verdict_share(log.sums, level)
    row = {name: log.log[name] for name in (*AT_COLUMNS, "log", "judge")}
    row |= {"n": len(log.verdicts), "k": int(sum(log.verdicts)), "labels": sum(x == x for x in log.labels)}
    row |= {"rate": float(naive.estimate[0]), "low": float(naive.low[0]), "high": float(naive.high[0])}
    few = _few(log)
    row |= {"own_reason": few, "carried_reason": judge.reason}
    if few is None:
        row |= _bounded("own", prediction_powered_rate(_Judge([log], judge.labels, level).pool))
    if judge.reason is None:
        row |= _bounded("carried", _carried(log, judge, level))
        row["carried_method"] = ADJUSTED if judge.labels == "all" else BY_VERDICT
    return row


def _difference_row(log: LogLabels, baseline: LogLabels, judge: _Judge, level: float) -> Row:
    row = {name: log.log[name] for name in (*AT_COLUMNS, "log")} | {"baseline": baseline.log["log"]}
    naive, r = _naive_difference(log, baseline)
    low, high = naive.interval(level)
    row |= {"difference": naive.estimate, "low": low, "high": high, "reason": judge.reason or _few(log)}
    if _few(log) is None and _few(baseline) is None:
        own = [prediction_powered_rate(_Judge([one], judge.labels, level).pool) for one in (log, baseline)]
        row |= _bounded("own", difference_of(*own))
    if judge.reason is None:
        here, there = (verdict_share(one.sums, level) for one in (log, baseline))
        places = (judge.place(log), judge.place(baseline))
        row |= _bounded("carried", rogan_gladen_difference(judge.pool, here, there, places, r))
    return row


def _naive_difference(log: LogLabels, baseline: LogLabels) -> tuple[Any, float]:
    """The judge's own difference, paired where both answered the same questions, and the rates' correlation."""
    here, there = _by_question(log), _by_question(baseline)
    both = [name for name in here if name in there]
    if len(both) < max(len(here), len(there)):
        return unpaired_rate_difference(log.sums, baseline.sums), 0.0
    mine, theirs = ([float(np.mean(of[name][0])) for name in both] for of in (here, there))
    epochs, others = ([len(of[name][0]) for name in both] for of in (here, there))
    found = paired_rate_difference(mine, theirs, epochs, others, [here[name][1] for name in both])
    return found, max(0.0, float(np.asarray(found.sums.correlation))) if found.sums else 0.0


def _by_question(log: LogLabels) -> Mapping[str, tuple[list[float], str]]:
    found: dict[str, tuple[list[float], str]] = {}
    for name, said, cluster in zip(log.questions, log.verdicts, log.cluster, strict=True):
        found.setdefault(name, ([], cluster))[0].append(said)
    return found
