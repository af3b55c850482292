"""Simulated clustered samples: 95% intervals cover the true rate about 95 times of a hundred, naive ones don't."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.statistics import ClusterSums, clustered_proportion_interval, wilson_interval

REPETITIONS = 20_000


def beta_binomial(seed: int, sizes: np.ndarray, rate: float, icc: float) -> ClusterSums:
    """Sums of simulated evals whose questions have rates of their own, beta distributed.

    Args:
        seed: Of the generator.
        sizes: Shape (evals, questions), epochs of each question.
        rate: True rate over all questions.
        icc: Correlation of two epochs of one question.
    """
    rng = np.random.default_rng(seed)
    spread = 1 / icc - 1
    rates = rng.beta(rate * spread, (1 - rate) * spread, size=sizes.shape)
    hits = rng.binomial(sizes, rates)
    n, k = sizes.sum(axis=1), hits.sum(axis=1)
    residuals = hits - sizes * (k / n)[:, None]
    return ClusterSums(
        n=n,
        total=k,
        clusters=np.full(len(n), sizes.shape[1]),
        sum_n2=(sizes**2).sum(axis=1),
        sum_e2=(residuals**2).sum(axis=1),
        sum_e4=(residuals**4).sum(axis=1),
    )


def coverage(low: np.ndarray, high: np.ndarray, rate: float) -> float:
    return float(np.mean((low <= rate) & (rate <= high)))


@pytest.mark.slow
@pytest.mark.parametrize("icc", [0.3, 0.4, 0.5])
@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5])
@pytest.mark.parametrize(("questions", "epochs"), [(25, 8), (50, 4)])
def test_clustered_interval_covers_near_95_percent_where_the_naive_one_does_not(icc, rate, questions, epochs):
    sizes = np.full((REPETITIONS, questions), epochs)
    sums = beta_binomial(20250101, sizes, rate, icc)
    interval = clustered_proportion_interval(sums)
    clustered = coverage(interval.low, interval.high, rate)
    naive = coverage(*wilson_interval(sums.total, sums.n), rate)
    assert 0.935 <= clustered <= 0.965
    assert naive < 0.9
    assert abs(clustered - 0.95) < abs(naive - 0.95) / 3


def test_naive_interval_covers_three_quarters():
    """The case the issue quotes: 25 questions of 8 epochs, ICC 0.3."""
    sums = beta_binomial(1, np.full((REPETITIONS, 25), 8), 0.1, 0.3)
    assert 0.72 <= coverage(*wilson_interval(sums.total, sums.n), 0.1) <= 0.78


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5])
def test_questions_with_unequal_epochs_are_covered_too(rate):
    sizes = np.random.default_rng(7).integers(1, 16, size=(REPETITIONS, 25))
    interval = clustered_proportion_interval(beta_binomial(3, sizes, rate, 0.3))
    assert 0.93 <= coverage(interval.low, interval.high, rate) <= 0.97


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5])
def test_exact_method_on_clusters_covers_at_least_the_level(rate):
    sums = beta_binomial(5, np.full((5_000, 25), 8), rate, 0.3)
    interval = clustered_proportion_interval(sums, method="clopper-pearson")
    assert coverage(interval.low, interval.high, rate) >= 0.95
