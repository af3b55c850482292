"""Logs of checkpoints beside the baseline's: what is measured of each, and which of them belong together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import duckdb

from dashboard.queries.checkpoints import is_row_of
from dashboard.queries.flags import flag_standing, flag_states
from dashboard.queries.frame import RateQuery
from dashboard.queries.measures import measure
from dashboard.queries.questions import Pairs, Part, Question, pair, questions, sums_of
from dashboard.queries.rates import about_metric
from dashboard.queries.scope import Scope
from dashboard.queries.standing import points_of
from dashboard.statistics import (
    Difference,
    paired_mean_difference,
    paired_rate_difference,
    reported_difference,
    sums_of_counts,
    unpaired_mean_difference,
    unpaired_rate_difference,
    variance_of_interval,
)
from loaders.checkpoint import Checkpoint
from loaders.metrics.definitions import Metric, Reported
from loaders.metrics.splits import value_order

Row = dict[str, Any]
Combination = tuple[str | None, str | None]
"""Values of up to two fields by which samples are split."""


@dataclass(frozen=True)
class Measured:
    """One log of a checkpoint, or the samples in it that share their split values, measured by one metric.

    Attributes:
        checkpoint: Name of the checkpoint.
        row: As `dashboard.queries.measures.measure` gives it, and what the metric is.
        questions: By sample id; empty where the log holds no samples, or its outcomes are only reported.
    """

    checkpoint: str
    row: Row
    questions: dict[str, Question]

    @property
    def name(self) -> tuple[Any, ...]:
        """What is measured: eval, metric, variant, split values."""
        return self.row["eval"], self.row["metric"], self.row["variant"] or "", *self.combination

    @property
    def combination(self) -> Combination:
        """The values by which samples are split."""
        return self.row["split"], self.row["split2"]


@dataclass(frozen=True)
class Match:
    """What a checkpoint has of an eval and metric, and what the baseline has of it."""

    here: Measured
    there: Measured

    @cached_property
    def pairs(self) -> Pairs:
        """Their questions side by side."""
        return pair(self.here.questions, self.there.questions)

    @property
    def paired(self) -> bool:
        """Whether the two are compared on the questions in common; else on all that each has."""
        values = [log.row.get("rate") for log in (self.here, self.there)]
        return self.pairs.worth_pairing and None not in values

    @property
    def place(self) -> Row:
        """What every row about the two begins with."""
        row = self.here.row
        return {
            "eval": row["eval"], "metric": row["metric"], "variant": row["variant"],
            "split": row["split"], "split2": row["split2"],
            "checkpoint": self.here.checkpoint, "baseline": self.there.checkpoint,
            "definition": row["definition"], "kind": row["kind"], "better": row["better"], "unit": row["unit"],
            "group": False, "eval_key": row["eval_key"], "baseline_eval_key": self.there.row["eval_key"],
        }  # fmt: skip

    def difference(self) -> Difference | None:
        """The difference; paired where they answered the same questions. None where one has no value."""
        here, there, pairs = self.here, self.there, self.pairs
        if here.row.get("rate") is None or there.row.get("rate") is None:
            return None
        is_rate = here.row["kind"] == "rate"
        if self.paired:
            if is_rate:
                return paired_rate_difference(*pairs.means, *pairs.epochs, pairs.cluster_numbers)
            return paired_mean_difference(*pairs.means, pairs.cluster_numbers)
        counts: list[Any] = [log.row.get(name) for log in (here, there) for name in ("k", "n")]
        if is_rate and not (here.questions and there.questions) and None not in counts:
            # Logs without samples that still say how many of how many.
            return unpaired_rate_difference(sums_of_counts(*counts[:2]), sums_of_counts(*counts[2:]))
        if not here.questions or not there.questions or here.row["kind"] == "reported":
            return reported_difference(
                here.row["rate"], standard_error(here.row), there.row["rate"], standard_error(there.row)
            )
        (sums, spread), (others, other_spread) = (sums_of(list(log.questions.values())) for log in (here, there))
        if is_rate:
            return unpaired_rate_difference(sums, others)
        return unpaired_mean_difference(sums, others, spread, other_spread)


def standard_error(row: Row) -> float:
    """The standard error of a number without samples; of one that has bounds only, the error they stand for."""
    stderr, low, high = (row.get(name) for name in ("stderr", "low", "high"))
    if stderr:
        return float(stderr)
    if low is None or high is None or math.isnan(low):
        return math.nan
    return float(variance_of_interval(low, high, row["level"]) ** 0.5)


def find_measured(
    con: duckdb.DuckDBPyConnection,
    scope: Scope,
    wanted: Sequence[tuple[str, str]],
    checkpoints: Sequence[Checkpoint],
    asked: RateQuery,
    as_of: int,
) -> list[Measured]:
    """What the checkpoints have, once for each metric that is wanted of their evals.

    Args:
        con: A cursor of this thread.
        scope: What the names of evals mean.
        wanted: Eval and name of metric.
        checkpoints: Which.
        asked: For level, method and splits.
        as_of: Batch.
    """
    by_metric: dict[Metric, list[str]] = {}
    for name, metrics in scope.applicable.items():
        for metric in metrics:
            if (name, metric.name) in wanted:
                by_metric.setdefault(metric, []).append(name)
    repeats = "newest" if asked.repeats == "each" else asked.repeats
    of_run: dict[str | None, list[Checkpoint]] = {}
    for each in checkpoints:
        of_run.setdefault(each.run, []).append(each)
    logs = [
        (each, log)
        for log in points_of(scope.logs, repeats)
        for each in of_run.get(log["run"], ())
        if is_row_of(log, each)
    ]
    found: dict[tuple[Any, ...], Measured] = {}
    for metric, names in by_metric.items():
        of = {log["eval_id"]: each.name for each, log in logs if log["eval"] in names}
        mine = [log for _, log in logs if log["eval_id"] in of]
        about = about_metric(metric)
        rows = [row | about for row in measure(con, metric, mine, scope.study, asked, as_of)]
        flag_standing(rows)
        flag_states(rows)
        fields = {name: scope.study.cluster_field(name) for name in names}
        answers = (
            {} if isinstance(metric.source, Reported) else questions(con, metric, mine, fields, as_of, asked.splits)
        )
        for row in sorted(rows, key=_measured_order):
            answered = answers.get(Part(row["eval_id"], row["split"], row["split2"]), {})
            one = Measured(of[row["eval_id"]], row | {"level": asked.level}, answered)
            before = found.get((one.checkpoint, *one.name))
            if before:
                # Logs without a step are checkpoints of their own, and only their run names them.
                one.row["flags"].append("Several logs without a step: the newest one is compared.")
            found[one.checkpoint, *one.name] = one
    return list(found.values())


def _measured_order(row: Row) -> tuple[Any, ...]:
    """What was made last comes last, for it is compared; split values in their order, whatever the database's."""
    splits = value_order(row["split"]), value_order(row["split2"])
    return row["created"] is not None, row["created"] or 0, row["eval_id"], *splits


def find_matches(
    measured: Sequence[Measured], checkpoints: Sequence[str], baseline: str, splits: Sequence[str]
) -> tuple[list[Match], list[Row]]:
    """What each checkpoint has beside what the baseline has of the same eval, metric, variant and split values.

    Args:
        measured: From `find_measured`.
        checkpoints: Their names, the baseline among them.
        baseline: Its name.
        splits: The fields by which evals are split.

    Returns:
        The matches, and rows of `INCOMPARABLE_COLUMNS` of what only one of the two has.
    """
    by_name: dict[tuple[str, str], dict[str, dict[str, dict[Combination, Measured]]]] = {}
    for one in measured:
        variants = by_name.setdefault((one.row["eval"], one.row["metric"]), {}).setdefault(one.checkpoint, {})
        variants.setdefault(one.row["variant"] or "", {})[one.combination] = one
    matches: list[Match] = []
    missing: list[Row] = []

    def miss(name: str, variant: str, combination: Combination, what: str, here: str, has_it: bool) -> None:
        """Note what one of the two lacks."""
        split, split2 = combination
        missing.append(
            {
                "eval": name, "variant": variant or None, "split": split, "split2": split2, "checkpoint": here,
                "baseline": baseline, "what": "measured", "value": "yes" if has_it else "no",
                "baseline_value": "no" if has_it else "yes",
                "message": f"{what}never measured at {baseline if has_it else here}",
            }
        )  # fmt: skip

    for (name, _), of in by_name.items():
        for checkpoint in checkpoints:
            if checkpoint == baseline:
                continue
            here, there = of.get(checkpoint, {}), of.get(baseline, {})
            both = [(variant, variant) for variant in here if variant in there]
            if len(here) == len(there) == 1:
                # The only variant of each: compared, and flagged where they differ.
                both = [(next(iter(here)), next(iter(there)))]
            else:
                for variant in sorted({*here, *there} - {variant for variant, _ in both}):
                    what = f"variant {variant} was " if variant else ""
                    miss(name, variant, (None, None), what, checkpoint, variant in here)
            for variant, other in both:
                mine, theirs = here[variant], there[other]
                matches += [Match(mine[values], theirs[values]) for values in mine if values in theirs]
                for values in [*(v for v in mine if v not in theirs), *(v for v in theirs if v not in mine)]:
                    miss(name, variant, values, f"{_words(splits, values)} was ", checkpoint, values in mine)
    return matches, missing


def _words(splits: Sequence[str], values: Sequence[str | None]) -> str:
    """A combination of split values for people."""
    named = zip(splits, values, strict=False)
    return ", ".join(f"{field} not given" if value is None else f"{field} = {value}" for field, value in named)
