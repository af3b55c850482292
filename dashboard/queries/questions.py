"""Outcomes question by question, epochs taken together: what two checkpoints that answered the same are paired on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt

from dashboard.queries.known_logs import live_logs
from dashboard.statistics import ClusterSums, sums_of_parts
from loaders.metrics.definitions import Metric
from loaders.metrics.outcomes import outcomes_sql
from loaders.store.sql import among_logs, records

QUESTIONS = """
SELECT o.point AS eval_id, o.split, o.split2, o.sample_key AS sample, min(o.cluster) AS cluster, count(*) AS epochs,
       count(o.value) AS n, sum(o.value) AS total, sum(o.value * o.value) AS squares,
       min(o.epoch) FILTER (WHERE o.value = 1) AS counted_epoch, min(o.epoch) FILTER (WHERE o.value = 0) AS other_epoch,
       min(o.epoch) FILTER (WHERE o.value IS NOT NULL) AS first_epoch,
       arg_min(o.eval_id, o.epoch) FILTER (WHERE o.value = 1) AS counted_log,
       arg_min(o.eval_id, o.epoch) FILTER (WHERE o.value = 0) AS other_log,
       arg_min(o.eval_id, o.epoch) FILTER (WHERE o.value IS NOT NULL) AS first_log,
       min(s.prompt) AS prompt, CASE WHEN min(s.prompt) < max(s.prompt) THEN list(DISTINCT s.prompt) END AS prompts
FROM sample_outcomes o
JOIN (SELECT sample_id, CASE WHEN input IS NOT NULL THEN hash(input) END AS prompt FROM {samples}) s USING (sample_id)
GROUP BY o.point, o.split, o.split2, o.sample_key ORDER BY o.point, o.split, o.split2, o.sample_key
"""
"""A row for every question of a log, or of each combination of split values in it: `n` epochs with an outcome, of
`epochs`; the first epoch of either outcome, and of any, each with the id of the log that holds it; a hash of its
prompt, and where its epochs have several, of all of them in `prompts`."""

OF_LOGS = ("counted_log", "other_log", "first_log")

Question = dict[str, Any]
Floats = npt.NDArray[np.float64]


class Part(NamedTuple):
    """The samples of a log that have the same split values; all of them where nothing is split."""

    eval_id: int
    split: str | None = None
    split2: str | None = None


@dataclass(frozen=True)
class Pairs:
    """Questions that two logs both answered, and what else there is.

    Attributes:
        here: A row of `QUESTIONS` each, of those in common, in one order.
        there: The same questions in the other log.
        only_here: How many were answered here alone.
        only_there: How many were answered there alone.
        other_prompts: How many have the same id in both and another prompt: those are not the same question.
    """

    here: list[Question]
    there: list[Question]
    only_here: int
    only_there: int
    other_prompts: int

    @cached_property
    def means(self) -> tuple[Floats, Floats]:
        """Mean over the epochs of each question, here and there."""
        return means_of(self.here), means_of(self.there)

    @cached_property
    def epochs(self) -> tuple[Floats, Floats]:
        """Epochs with an outcome of each question, here and there."""
        return epochs_of(self.here), epochs_of(self.there)

    @property
    def clusters(self) -> list[Any]:
        """The cluster of each question."""
        return [question["cluster"] for question in self.there]

    @cached_property
    def cluster_numbers(self) -> npt.NDArray[np.int64]:
        """The clusters as numbers, in their order: sums over clusters are asked for often, and sort names slowly."""
        return np.unique(np.asarray(self.clusters), return_inverse=True)[1]

    @property
    def worth_pairing(self) -> bool:
        """Whether what they have in common is at least half of either: else pairing would throw most away."""
        common = len(self.here)
        return common > 0 and common >= max(self.only_here, self.only_there)


def questions(
    con: duckdb.DuckDBPyConnection,
    metric: Metric,
    evals: Sequence[dict[str, Any]],
    cluster_field: dict[str, str | None],
    as_of: int,
    splits: Sequence[str] = (),
) -> dict[Part, dict[str, Question]]:
    """Rows of `QUESTIONS` by part of a log and sample id, logs by their keys; logs without samples are absent.

    `Part(row["eval_id"], row["split"], row["split2"])` is the part that a row of `measure` counts.

    Args:
        con: A cursor of this thread.
        metric: What the outcome is.
        evals: Rows of live evals.
        cluster_field: Eval name -> metadata field of the cluster; None for the question.
        as_of: Batch.
        splits: Up to two fields; each combination of their values in a log is a part of its own.
    """
    found: dict[Part, dict[str, Question]] = {}
    if evals:
        outcomes = outcomes_sql(con, metric, evals, cluster_field, as_of, splits=splits)
        samples = among_logs("live_samples($as_of)", "$eval_ids", len(outcomes.parameters["eval_ids"]))
        keys = {log["eval_id"]: log["eval_key"] for log in live_logs(con, as_of)} | {None: None}
        for row in records(con, outcomes.sql + QUESTIONS.format(samples=samples), outcomes.parameters):
            for name in OF_LOGS:
                row[name] = keys[row[name]]
            found.setdefault(Part(row["eval_id"], row["split"], row["split2"]), {})[row["sample"]] = row
    return found


def pair(here: Mapping[str, Question], there: Mapping[str, Question]) -> Pairs:
    """Put the questions of two logs side by side: the same id, and no other prompt, answered in both."""
    both = [name for name, question in here.items() if name in there and question["n"] and there[name]["n"]]
    common = [name for name in both if _same_prompt(here[name], there[name])]
    answered = [sum(1 for question in log.values() if question["n"]) for log in (here, there)]
    return Pairs(
        here=[here[name] for name in common],
        there=[there[name] for name in common],
        only_here=answered[0] - len(common),
        only_there=answered[1] - len(common),
        other_prompts=len(both) - len(common),
    )


def _same_prompt(here: Question, there: Question) -> bool:
    """A question may have a prompt for every epoch; one in common is enough, and an unknown one is no other."""
    if here["prompt"] is None or there["prompt"] is None or here["prompt"] == there["prompt"]:
        return True
    mine, theirs = (question["prompts"] or [question["prompt"]] for question in (here, there))
    return not set(mine).isdisjoint(theirs)


def means_of(rows: Sequence[Question]) -> Floats:
    """Mean over the epochs of each question, shape (questions,)."""
    return np.array([row["total"] / row["n"] for row in rows], dtype=np.float64)


def epochs_of(rows: Sequence[Question]) -> Floats:
    """Epochs with an outcome of each question, shape (questions,)."""
    return np.array([row["n"] for row in rows], dtype=np.float64)


def sums_of(rows: Sequence[Question]) -> tuple[ClusterSums, float]:
    """Sums over all samples of a log, and the standard deviation of their values (NaN of a single one)."""
    answered = [row for row in rows if row["n"]]
    n, totals = epochs_of(answered), np.array([row["total"] for row in answered], dtype=np.float64)
    sums = sums_of_parts(n, totals, [row["cluster"] for row in answered])
    size, mean = n.sum(), totals.sum() / n.sum()
    # Squares about the mean: those about 0 lose the digits of small differences between large numbers.
    squares = sum(row["squares"] - 2 * mean * row["total"] + row["n"] * mean**2 for row in answered)
    return sums, float(np.sqrt(max(squares, 0.0) / (size - 1))) if size > 1 else float("nan")
