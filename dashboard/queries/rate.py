"""A rate: the one statement of its fields, from which frames, CSV, JSON, exports and the console take their columns."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict


class Rate(TypedDict, total=False):
    """A rate or mean of one checkpoint on an eval or group, by one metric. Rows are dicts: frames are made of them.

    What is annotated without None is never missing in a frame; in a row of `rate_rows`, what is absent is missing.

    `rate`, `low`, `high`, `stderr` and `reported` are fractions from 0 to 1 for kind "rate", and in the score's own
    unit for kinds "mean" and "reported". `n` counts the samples in the denominator, `n_missing` those without an
    outcome (errored, unscored, invalidated), `n_all` all samples; the others, `n_all - n - n_missing`,
    are outside the definition's `among`. `k` is missing where outcomes are not yes or no. `tokens` are those of
    training up to here; `step` and `lineage_step` are optimizer steps. A row with `group` is an
    average over several evals of one checkpoint and has no `eval_id`; it has no `k`, for k of n is another number than
    the mean of rates; it is over `averaged` evals, and `lacks` names those that it is without: such a one is no number
    to set beside whole averages.
    `flags` is a list of sentences for people.

    `pooled` counts the independent evaluations in a row, `eval_keys` are theirs, `repeat` is 0 for the one that a line
    goes through. `partial` rows are of a part of an evaluation (limited, errored, cancelled) where there is no whole
    one: `graded` of `planned` samples.

    `split` and `split2` are the values of the fields in `RateQuery.splits`, as text: true or false, numbers, lists and
    objects as JSON; missing where the samples have no such field, or nothing is split. There is a row for each
    combination of values in a log: its counts, clusters and interval are those of these samples alone. `reported` is a
    number of the whole log, and stands only where the log has one combination.
    """

    run: str | None
    mix: str | None
    stage: str | None
    step: int | None
    tokens: float | None
    eval: str
    metric: str
    n: int | None
    k: int | None
    rate: float | None
    low: float | None
    high: float | None
    interval: str | None
    n_missing: int | None
    step_label: str | None
    variant: str | None
    split: str | None
    split2: str | None
    run_label: str | None
    colour: str | None
    placed: bool
    kind: str
    group: bool
    better: str | None
    unit: str | None
    definition: str | None
    n_all: int | None
    stderr: float | None
    clusters: int | None
    n_eff: float | None
    eval_id: int | None
    eval_key: str | None
    path: str | None
    created: datetime | None
    status: str | None
    complete: bool
    task: str | None
    task_version: str | None
    judge: str | None
    epochs: int | None
    model: str | None
    repeat: int | None
    pooled: int | None
    eval_keys: list[str]
    partial: bool
    graded: int | None
    planned: int | None
    reported: float | None
    disagrees: bool
    flags: list[str]
    lineage_step: int | None
    averaged: int | None
    lacks: list[str]


PRINTED = (
    "run", "mix", "stage", "step", "tokens", "eval", "variant", "split", "split2", "metric", "n", "k", "rate",
    "low", "high", "interval", "n_missing",
)  # fmt: skip
"""The fields that `driftline rates` prints, and those that tables under plots begin with."""
ANSWERED = (
    *PRINTED,
    "step_label", "definition", "repeat", "pooled", "partial", "graded", "planned", "reported", "disagrees", "flags",
)  # fmt: skip
"""The fields of `driftline rates` as CSV and JSON: also the rule in use, and what is to be known of a number."""
