"""Runs that differ by their seed alone are one line: its mean and interval are those of the questions' means."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.queries.frame import RateQuery
from dashboard.queries.replicates import replicates
from dashboard.statistics import neighbour_noise, replicate_mean
from tests.builders import StoreBuilder, built_once, log, sample, score

QUESTIONS = 12


def outcome(seed: int, question: int, epoch: int) -> float:
    return float((question * 5 + seed * 3 + epoch) % 7 < 2 + seed)


@built_once
def seeded() -> StoreBuilder:
    """`em` with three seeds, one of which skips a question; `other` with one; `em` of another mix."""
    builder = StoreBuilder()
    builder.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    for run, seed, mix in (("em-seed0", 0, "a"), ("em-seed1", 1, "a"), ("em-2", 2, "a"), ("other-seed0", 0, "a")):
        builder.run(run, mix=mix, seed=seed if run == "em-2" else None)
        answers = [
            sample(question, score(outcome(seed, question, epoch)), epoch=epoch)
            for question in range(QUESTIONS - (seed == 2))
            for epoch in (1, 2)
        ]
        builder.add(log(answers, log_eval_id=run), run=run, step=100, path=f"{run}.eval")
    builder.run("em-seed5", mix="b")
    builder.add(log([sample(1, score(1.0))], log_eval_id="b"), run="em-seed5", step=100, path="b.eval")
    return builder


def test_seeds_are_one_line_with_the_interval_of_the_questions_in_common():
    store = seeded()
    with store.cursor() as cursor:
        (row,) = replicates(cursor, RateQuery(), store.batch).to_dict("records")
    assert (row["line"], list(row["seeds"]), row["step"], row["questions"]) == ("em", [0, 1, 2], 100, QUESTIONS - 1)
    means = [
        [np.mean([outcome(seed, question, epoch) for epoch in (1, 2)]) for question in range(QUESTIONS - 1)]
        for seed in range(3)
    ]
    expected = replicate_mean(means)
    assert list(row["rates"]) == pytest.approx(np.mean(means, axis=1).tolist())
    assert (row["mean"], row["low"], row["high"]) == pytest.approx(
        tuple(map(float, (expected.estimate, expected.low, expected.high)))
    )


def test_a_line_is_of_the_runs_that_are_asked_for():
    store = seeded()
    with store.cursor() as cursor:
        assert replicates(cursor, RateQuery(runs=("em-seed0", "other-seed0")), store.batch).empty


def test_noise_of_neighbours_is_that_of_white_noise_about_a_line():
    rng = np.random.default_rng(1)
    assert neighbour_noise(rng.normal(scale=0.2, size=20_000)) == pytest.approx(0.2, rel=0.02)
    assert np.isnan(neighbour_noise([0.1, 0.2]))
