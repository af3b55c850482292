"""Replicates: mean squares equal statsmodels', and intervals hold another seed's rate as often as they say."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from dashboard.statistics import replicate_mean


def simulated(rng: np.random.Generator, rate: float, seeds: int, spread: float, questions: int, times: int = 1):
    """Means over 4 epochs by seed and question: each has a logit of its own. Shape (times, seeds, questions)."""
    own = spread * rng.normal(size=(times, seeds, 1)) + rng.normal(size=(times, 1, questions))
    return rng.binomial(4, 1 / (1 + np.exp(-(np.log(rate / (1 - rate)) + own)))) / 4


def true_rate(rate: float, spread: float) -> float:
    draws = np.random.default_rng(0).normal(size=100_000) * np.hypot(spread, 1.0)
    return float(np.mean(1 / (1 + np.exp(-(np.log(rate / (1 - rate)) + draws)))))


def test_components_equal_statsmodels_anova():
    y = simulated(np.random.default_rng(1), 0.3, 4, 0.7, 30)[0]
    frame = pd.DataFrame([(s, q, y[s, q]) for s in range(4) for q in range(30)], columns=["seed", "question", "y"])
    table = anova_lm(ols("y ~ C(seed) + C(question)", frame).fit())
    of_seeds, of_questions, rest = table["sum_sq"] / table["df"]
    found = replicate_mean(y)
    assert found.residual == pytest.approx(rest)
    assert found.between_seeds == pytest.approx((of_seeds - rest) / 30)
    assert found.between_questions == pytest.approx((of_questions - rest) / 4)
    assert found.estimate == pytest.approx(y.mean())


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_intervals_hold_the_rate_over_seeds_and_questions(seeds):
    rng = np.random.default_rng(2)
    for rate, spread in itertools.product((0.01, 0.1, 0.5), (0.0, 0.3, 1.0)):
        truth = true_rate(rate, spread)
        found = replicate_mean(simulated(rng, rate, seeds, spread, 50, 2_000))
        known = ~np.isnan(found.low)
        held = np.mean(((found.low <= truth) & (truth <= found.high))[known])
        assert held + 2 * np.sqrt(0.05 * 0.95 / 2_000) >= 0.93


def test_two_seeds_are_wide_and_one_or_none_that_differ_have_no_interval():
    rng = np.random.default_rng(3)
    y = simulated(rng, 0.3, 6, 0.5, 50)[0]
    two, six = replicate_mean(y[:2]), replicate_mean(y)
    assert two.high - two.low > 2 * (six.high - six.low)
    assert np.isnan(replicate_mean(y[:1]).low)
    assert replicate_mean(y[:1]).estimate == pytest.approx(y[0].mean())
    none = replicate_mean(np.zeros((3, 50)))
    assert none.estimate == 0.0
    assert np.isnan([none.low, none.high]).all()
    with pytest.raises(ValueError, match="shape"):
        replicate_mean(np.zeros(5))


def test_means_are_not_kept_within_0_and_1():
    found = replicate_mean([[5.0, 7.0, 6.0], [5.5, 7.2, 6.9]], rate=False)
    assert found.low < 1.0 < 6.0 < found.high or found.high > 7.0
