"""Simultaneous bands cover all steps at once as often as stated, also near 0, and onsets are read off them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import betaincinv
from scipy.stats import multivariate_normal, norm

from dashboard.statistics import (
    ClusterSums,
    PairedSums,
    clustered_proportion_interval,
    onset,
    paired_proportion_interval,
    rescaled_covariance,
    simultaneous_level,
)

REPETITIONS = 400


def quantile(level: float) -> float:
    return float(norm.ppf((1 + level) / 2))


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_the_quantile_is_that_of_the_largest_of_correlated_normals(correlation):
    """Against scipy's integral of the multivariate normal."""
    matrix = np.full((4, 4), correlation) + (1 - correlation) * np.eye(4)
    found = quantile(simultaneous_level(3.0 * matrix))
    inside = multivariate_normal(cov=matrix).cdf(np.full(4, found), lower_limit=np.full(4, -found))
    assert 0.948 <= inside <= 0.954
    assert quantile(simultaneous_level(np.eye(4))) <= quantile(0.95 ** (1 / 4)) + 0.02


def test_steps_that_move_together_are_as_one_and_unknown_ones_are_independent():
    assert quantile(simultaneous_level(np.ones((9, 9)))) == pytest.approx(1.96, abs=0.021)
    unknown = np.diag([0.0, np.nan, 1.0])
    assert simultaneous_level(unknown) == simultaneous_level(np.eye(3)) == simultaneous_level(np.eye(3))
    assert simultaneous_level([[1.0]]) == simultaneous_level(np.empty((0, 0))) == 0.95
    with pytest.raises(ValueError, match="shape"):
        simultaneous_level([1.0, 2.0])


def test_onset_is_the_first_step_of_which_the_band_excludes_0():
    steps = [0, 100, 200, 300, 400]
    low, high = [np.nan, -0.3, -0.2, -0.5, -0.6], [np.nan, 0.1, 0.1, -0.1, -0.2]
    assert onset(steps, low, high) == (300, 300, False)
    assert onset(steps[::-1], low[::-1], high[::-1]) == (300, 300, False)
    assert onset([1, 2, 3], [0.1, -0.1, 0.2], [0.3, 0.3, 0.4]) == (1, 3, True)
    assert onset([1, 2], [0.1, -0.1], [0.3, 0.3]) == (1, None, True)
    # What is lower first and higher in the end is not "from the first step on".
    assert onset([1, 2], [-0.3, 0.1], [-0.1, 0.3]) == (1, 2, True)
    assert onset(steps, [np.nan] * 5, [np.nan] * 5) == (None, None, None)
    with pytest.raises(ValueError, match="one lower and one upper"):
        onset(steps, [0.1], [0.2])


def covered(rates: list[float], questions: int, epochs: int, shared: float) -> tuple[float, float]:
    """How often the band of all differences from the first step holds all true ones, and how often 95% intervals do.

    Questions have rates of their own (beta, correlation 0.3 of two epochs), of which `shared` is the same at all steps.
    """
    rng = np.random.default_rng(20260101)
    size, grid = (REPETITIONS, questions, len(rates)), np.linspace(-6, 6, 801)
    ability = shared**0.5 * rng.normal(size=(*size[:2], 1)) + (1 - shared) ** 0.5 * rng.normal(size=size)
    spread = 1 / 0.3 - 1
    hits = np.empty(size)
    for at, rate in enumerate(rates):
        own = np.interp(ability[..., at], grid, betaincinv(rate * spread, (1 - rate) * spread, norm.cdf(grid)))
        hits[..., at] = rng.binomial(epochs, own)
    e = hits - hits.mean(axis=1, keepdims=True)
    d = (e[..., 1:] - e[..., :1]) / (questions * epochs)
    levels = np.array([
        simultaneous_level(rescaled_covariance(c, np.maximum(np.diag(c), 1e-9), unknown=0.0, chance=questions**-2.0))
        for c in np.einsum("rqi,rqj->rij", d, d)
    ])  # fmt: skip
    n = np.full(REPETITIONS, questions * epochs)
    sums = [
        ClusterSums(n, k, n // epochs, n * epochs, (x**2).sum(1), (x**4).sum(1))
        for k, x in zip(hits.sum(axis=1).T, np.moveaxis(e, 2, 0), strict=True)
    ]
    band, pointwise = np.ones(REPETITIONS, bool), np.ones(REPETITIONS, bool)
    for at in range(1, len(rates)):
        norms = np.sqrt(sums[at].sum_e2 * sums[0].sum_e2)
        r = np.divide((e[..., at] * e[..., 0]).sum(1), norms, out=np.zeros(REPETITIONS), where=norms > 0)
        true = rates[at] - rates[0]
        for level, holds in [(0.95, pointwise), *((level, band) for level in np.unique(levels))]:
            some = np.full(REPETITIONS, True) if holds is pointwise else levels == level
            here, there = (ClusterSums(*(np.asarray(x)[some] for x in sums[which])) for which in (at, 0))
            low, high = paired_proportion_interval(PairedSums(here, there, r[some]), level)
            holds[some] &= (low <= true + 1e-12) & (high >= true - 1e-12)
    return float(band.mean()), float(pointwise.mean())


@pytest.mark.slow
@pytest.mark.parametrize("rates", [[0.01] * 7, [0.1] * 7, [0.5] * 7, [0.22, 0.2, 0.15, 0.1, 0.05, 0.03]])
@pytest.mark.parametrize(("questions", "epochs"), [(100, 1), (25, 8)])
def test_the_band_holds_at_all_steps_at_once_95_times_of_a_hundred(rates, questions, epochs):
    band, pointwise = covered(rates, questions, epochs, shared=0.5)
    assert band >= 0.93
    if rates[0] > 0.05:
        # Each step's own interval holds, but not all of them.
        assert pointwise < 0.91


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5])
def test_the_band_of_the_rates_themselves_holds_at_all_steps_at_once(rate):
    """50 questions of four epochs at seven steps, alike in half of what makes them hard."""
    rng = np.random.default_rng(7)
    ability = 0.5**0.5 * (rng.normal(size=(REPETITIONS, 50, 1)) + rng.normal(size=(REPETITIONS, 50, 7)))
    grid = np.linspace(-6, 6, 801)
    own = np.interp(ability, grid, betaincinv(rate * 7 / 3, (1 - rate) * 7 / 3, norm.cdf(grid)))
    hits = rng.binomial(4, own)
    e = hits - hits.mean(axis=1, keepdims=True)
    covariances = np.einsum("rqi,rqj->rij", e, e) / 200**2
    held = []
    for k, x, covariance in zip(hits.sum(axis=1), e, covariances, strict=True):
        variance = np.maximum(np.diag(covariance), 1e-9)
        level = simultaneous_level(rescaled_covariance(covariance, variance, unknown=0.0, chance=0.5 / 50**2))
        n = np.full(7, 200)
        sums = ClusterSums(n, k, n // 4, n * 4, (x**2).sum(0), (x**4).sum(0))
        found = clustered_proportion_interval(sums, level)
        held.append(bool(((found.low <= rate) & (rate <= found.high)).all()))
    assert np.mean(held) >= 0.93
