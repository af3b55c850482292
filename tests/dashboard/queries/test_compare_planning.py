"""How many questions a difference takes: statsmodels' formulas on the variances of real logs, and a simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.power import normal_sample_size_one_tail
from statsmodels.stats.proportion import samplesize_proportions_2indep_onetail

from dashboard.queries.compare import CompareQuery, Comparison, compare
from dashboard.queries.planning import (
    BASIS_COLUMNS,
    IMPOSSIBLE,
    LEAST,
    PAIRED,
    PLAN_COLUMNS,
    RATES,
    UNKNOWN,
    UNPAIRED,
    plan,
)
from dashboard.statistics import paired_proportion_interval, paired_sums
from tests.builders import StoreBuilder, log, reported, sample, samples, score

HERE = [1] * 4 + [0] * 16
THERE = [1] * 2 + [0] * 2 + [1] * 9 + [0] * 7


def compared(*logs, **query) -> Comparison:
    """Logs of runs a, b, ..., the first being the baseline."""
    store = StoreBuilder()
    store.metric("harmful", misaligned={"score": "judge", "op": "=", "value": 1})
    if query:
        store.group("both", ["blackmail", "framing"])
    for run, records in zip("abc", logs, strict=False):
        for record in records if isinstance(records, list) else [records]:
            store.add(record, run=run, step=1)
    with store.cursor() as cursor:
        return compare(cursor, CompareQuery(tuple("abc"[: len(logs)]), **query), store.batch)


def planned(comparison: Comparison, target: float) -> dict:
    (row,) = plan(comparison.basis, target).to_dict("records")
    return row


def theirs(variance: float, target: float) -> int:
    sd = variance**0.5
    return int(np.ceil(normal_sample_size_one_tail(target, 0.8, 0.025, sd, sd)))


def test_paired_rates_take_the_variance_of_the_questions_differences():
    row = planned(compared(log(samples(THERE)), log(samples(HERE))), 0.1)
    apart = np.array(HERE) - np.array(THERE)
    assert row["needed"] == theirs(np.var(apart, ddof=1), 0.1)
    assert (row["method"], row["questions"], row["epochs"], row["power"], row["target"]) == (PAIRED, 20, 1, 0.8, 0.1)


def test_epochs_and_clusters_stand_in_the_variance():
    here, there = samples([1, 0, 1, 1, 0, 0, 0, 0], epochs=2), samples([0, 1, 0, 0, 1, 0, 1, 0], epochs=2)
    row = planned(compared(log(there), log(here)), 0.2)
    assert row["needed"] == theirs(np.var([0.0, 1.0, -0.5, -0.5], ddof=1), 0.2)
    assert row["epochs"] == 2


def test_means_are_planned_in_the_scores_unit():
    rng = np.random.default_rng(0)
    there, here = rng.normal(5, 1, (2, 12))
    comparison = compared(*(log(samples(list(values), scorer="points")) for values in (there, here)))
    row = planned(comparison, 0.5)
    assert (row["needed"], row["method"]) == (theirs(np.var(here - there, ddof=1), 0.5), PAIRED)


def test_unpaired_means_add_their_variances():
    rng = np.random.default_rng(1)
    there, here = rng.normal(5, 1, 12), rng.normal(4, 2, 15)
    other = [sample(f"x{i}", score(float(value), "points")) for i, value in enumerate(here)]
    row = planned(compared(log(samples(list(there), scorer="points")), log(other)), 0.5)
    variance = np.var(there, ddof=1) + np.var(here, ddof=1)
    assert (row["needed"], row["method"]) == (theirs(variance, 0.5), UNPAIRED)


def test_unpaired_rates_take_the_harder_direction_from_the_baseline():
    other = [sample(f"x{i}", score(value)) for i, value in enumerate(HERE)]
    row = planned(compared(log(samples(THERE)), log(other)), 0.1)
    wanted = samplesize_proportions_2indep_onetail(-0.1, 0.55, 0.8, alpha=0.05, alternative="two-sided")
    assert (row["needed"], row["method"]) == (int(np.ceil(wanted)), RATES)
    row = planned(compared(log(samples([0] * 20)), log(other)), 0.1)
    wanted = samplesize_proportions_2indep_onetail(0.1, 0.0, 0.8, alpha=0.05, alternative="two-sided")
    assert row["needed"] == int(np.ceil(wanted))


def test_unpaired_rates_of_epochs_need_fewer_questions_the_more_epochs_tell():
    def apart(values, name):
        return [sample(f"{name}{i // 3}", score(v), epoch=i % 3 + 1) for i, v in enumerate(values)]

    copies = planned(compared(log(apart(np.repeat(THERE, 3).tolist(), "a")), log(apart(np.repeat(HERE, 3), "b"))), 0.1)
    single = planned(compared(log(samples(THERE)), log([sample(f"b{i}", score(v)) for i, v in enumerate(HERE)])), 0.1)
    # Three copies of an answer tell as much as one.
    assert copies["needed"] == pytest.approx(single["needed"], rel=0.08)
    assert copies["epochs"] == 3


@pytest.mark.slow
def test_answers_without_any_difference_are_planned_by_the_least_variance_there_can_be():
    row = planned(compared(log(samples([0] * 50)), log(samples([0] * 50))), 0.05)
    assert (row["needed"], row["method"]) == (theirs(0.05 * 0.95, 0.05), LEAST)
    row = planned(compared(log(samples([0] * 50, epochs=5)), log(samples([0] * 50, epochs=5))), 0.05)
    assert (row["needed"], row["method"]) == (theirs(0.05 * 0.95 / 5, 0.05), LEAST)


@pytest.mark.parametrize("epochs", [1, 3])
def test_no_answers_with_such_a_difference_vary_less(epochs):
    rng = np.random.default_rng(2)
    for _ in range(50):
        p, q = rng.beta(0.3, 0.3, (2, 40)), rng.beta(0.5, 2, (1, 40))
        for a, b in ((p[0], p[1]), (p[0], q[0]), (np.full(40, 0.3), np.zeros(40))):
            apart = abs(float(np.mean(a - b)))
            variance = np.var(a - b) + np.mean(a * (1 - a) + b * (1 - b)) / epochs
            assert variance >= apart * (1 - apart) / epochs - 1e-12


@pytest.mark.slow
def test_what_cannot_be_told_is_missing_and_said():
    constant = log(samples([5.0, 5.0, 5.0], scorer="points"))
    assert planned(compared(constant, constant), 1.0)["method"] == UNKNOWN
    other = [sample(f"x{i}", score(value)) for i, value in enumerate(HERE)]
    row = planned(compared(log(samples(THERE)), log(other)), 0.7)
    assert (row["method"], pd.isna(row["needed"])) == (IMPOSSIBLE, True)
    header = [reported("f1", 0.6, stderr=0.03, n=200)]
    row = planned(compared(*(log([], task="arc", reported=header) for _ in range(2))), 0.05)
    assert (row["needed"], row["method"]) == (theirs(2 * 200 * 0.03**2, 0.05), UNPAIRED)
    comparison = compared(log(samples(THERE)), log(samples(HERE)))
    for wrong in (0.0, -0.1, float("nan")):
        with pytest.raises(ValueError, match="above 0"):
            plan(comparison.basis, wrong)


def test_a_group_needs_what_its_average_needs_in_each_eval():
    logs = [[log(samples(one)), log(samples(other), task="framing")] for one, other in ((THERE, HERE), (HERE, THERE))]
    comparison = compared(*logs, evals=("both",))
    row = planned(comparison, 0.1)
    apart = np.array(HERE) - np.array(THERE)
    assert row["needed"] == theirs(2 * np.var(apart, ddof=1) / 4, 0.1)
    assert (row["group"], row["members"], row["questions"]) == (True, 2, 20)


def test_frames_have_their_columns_also_when_empty():
    comparison = compared(log(samples(THERE)), log(samples(HERE)), evals=("nothing",))
    for frame, columns in ((comparison.basis, BASIS_COLUMNS), (plan(comparison.basis, 0.1), PLAN_COLUMNS)):
        assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == columns


@pytest.mark.slow
def test_so_many_questions_find_the_difference_four_times_in_five():
    """Pilot, plan, and then 1,000 studies of that size: the interval of the difference excludes 0 in about 80%."""
    rng = np.random.default_rng(3)
    base, target, epochs = rng.beta(1, 2, 4000), 0.08, 2

    def study(questions: int):
        p = rng.choice(base, questions)
        lower = np.clip(p - target, 0, 1)
        return rng.binomial(epochs, lower) / epochs, rng.binomial(epochs, p) / epochs

    pilot, before = study(400)

    def records(means):
        values = [v for mean in means for v in [1] * round(mean * epochs) + [0] * (epochs - round(mean * epochs))]
        return log(samples(values, epochs=epochs))

    effect = float(np.mean(base - np.clip(base - target, 0, 1)))
    needed = planned(compared(records(before), records(pilot)), effect)["needed"]
    found = 0
    for _ in range(1000):
        here, there = study(needed)
        full = np.full(needed, epochs)
        low, high = paired_proportion_interval(paired_sums(here, there, full, full, np.arange(needed)))
        found += low > 0 or high < 0
    assert 0.75 < found / 1000 < 0.85
