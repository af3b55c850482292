"""Variance components equal statsmodels' mean squares, and find those that a simulation was made with."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from dashboard.statistics import components, judge_variance


def of_table(y: np.ndarray, judge: float = float("nan")):
    return components(np.full(len(y), y.shape[1]), y.sum(axis=1), (y**2).sum(axis=1), judge)


def test_components_equal_statsmodels_anova():
    rng = np.random.default_rng(1)
    y = rng.binomial(1, rng.beta(1, 3, (40, 1)), (40, 6)).astype(float)
    frame = pd.DataFrame([(q, y[q, e]) for q in range(40) for e in range(6)], columns=["question", "y"])
    between, within = (table := anova_lm(ols("y ~ C(question)", frame).fit()))["sum_sq"] / table["df"]
    found = of_table(y)
    assert found.answers == pytest.approx(within)
    assert found.questions == pytest.approx((between - within) / 6)
    assert found.variance() == pytest.approx(between / 240)


def test_unequal_epochs_and_a_judge_of_its_own_are_found_in_a_simulation():
    rng = np.random.default_rng(2)
    n = rng.integers(1, 9, 20_000)
    rates = rng.beta(2, 6, len(n))
    truth = [rng.random(size) < rate for size, rate in zip(n, rates, strict=True)]
    flips = 0.1
    said = [np.where(rng.random((2, len(t))) < flips, ~t, t) for t in truth]
    twice = np.concatenate(said, axis=1)
    judge = judge_variance(np.full(twice.shape[1], 2), twice.sum(axis=0))
    assert judge == pytest.approx(flips * (1 - flips), rel=0.03)
    totals = np.array([one[0].sum() for one in said], dtype=float)
    found = components(n, totals, totals, judge)
    slope = (1 - 2 * flips) ** 2
    assert found.questions == pytest.approx(slope * 0.25 * 0.75 / 9, rel=0.08)
    assert found.answers == pytest.approx(slope * 0.25 * 0.75 * 8 / 9, rel=0.05)


def test_what_narrows_most_follows_from_what_varies():
    rng = np.random.default_rng(3)
    of_questions = of_table(np.repeat(rng.binomial(1, 0.3, (100, 1)), 4, axis=1).astype(float))
    assert of_questions.variance(epochs=2) == pytest.approx(of_questions.variance())
    assert of_questions.variance(questions=2) == pytest.approx(of_questions.variance() / 2)
    of_judge = of_table(rng.binomial(1, 0.5, (100, 4)).astype(float), judge=0.2)
    assert of_judge.variance(judges=2) < 0.75 * of_judge.variance()


def test_one_epoch_or_one_verdict_tells_no_parts():
    single = of_table(np.array([[1.0], [0.0], [0.0]]))
    assert np.isnan(single.answers)
    assert single.questions == pytest.approx(1 / 3)
    assert np.isnan(judge_variance([1, 1], [0, 1]))
    with pytest.raises(ValueError, match="two questions"):
        of_table(np.array([[1.0, 0.0]]))
