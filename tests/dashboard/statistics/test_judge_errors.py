"""Rates corrected for a judge that errs: equal to other implementations, and their intervals cover as they say."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import beta

from dashboard.statistics import (
    Bounded,
    ClusterSums,
    Pool,
    difference_of,
    label_share,
    label_sums,
    lee_interval,
    neyman_gain,
    prediction_powered_rate,
    rogan_gladen_difference,
    rogan_gladen_rate,
    sensitivity,
    specificity,
    verdict_share,
)

REPETITIONS = 1_500
SAMPLES = 300
RATES = (0.01, 0.1, 0.5)
ERRORS = ((0.0, 0.0), (0.05, 0.05), (0.2, 0.05), (0.05, 0.2), (0.2, 0.2))
"""Of the judge: share of positives that it misses, share of negatives that it takes for positive."""


def counted(k: np.ndarray | float, n: np.ndarray | float) -> ClusterSums:
    """Sums of k out of n independent samples, elementwise."""
    k, n = np.asarray(k, dtype=float), np.asarray(n, dtype=float)
    p = np.divide(k, n, out=np.zeros(np.broadcast(k, n).shape), where=n > 0)
    return ClusterSums(n, k, n, n, k * (1 - p) ** 2 + (n - k) * p**2, k * (1 - p) ** 4 + (n - k) * p**4)


def pool_of(k: float, n: float, confirmed: tuple[float, float], missed: tuple[float, float]) -> Pool:
    return Pool((verdict_share(counted(k, n)),), (n,), label_share(counted(*confirmed)), label_share(counted(*missed)))


def bounds(found: Bounded) -> tuple[float, float]:
    return float(found.low), float(found.high)


@pytest.mark.parametrize(
    ("p", "q0", "q1", "n", "m0", "m1", "level", "low", "high"),
    [
        (0.4, 0.7, 0.9, 1000, 200, 200, 0.95, 0.05635072484160894, 0.2627330257859588),
        (0.5, 0.8, 0.8, 500, 100, 100, 0.95, 0.3799746588561528, 0.6200253411438469),
        (0.62, 0.85, 0.93, 2000, 150, 350, 0.95, 0.5544774781496563, 0.6456327845409667),
        (0.1, 0.95, 0.6, 300, 50, 80, 0.9, 0.0, 0.17813731660303905),
        (0.9, 0.6, 0.99, 10000, 1000, 1000, 0.99, 0.8273348478706124, 0.8686713102464316),
        (0.3333, 0.777, 0.888, 123, 45, 67, 0.8, 0.012521172499902977, 0.2816724189695818),
        (0.0, 1.0, 1.0, 50, 10, 10, 0.95, 0.0, 0.09568563633822108),
    ],
)
def test_adjusted_counts_equal_the_authors_own_code(p, q0, q1, n, m0, m1, level, low, high):
    """Numbers of github.com/UW-Madison-Lee-Lab/LLM-judge-reporting, as its port to R keeps them for its own tests."""
    assert bounds(lee_interval(p, n, q1, m1, q0, m0, level)) == pytest.approx((low, high), abs=1e-9)


def test_rate_of_labels_drawn_by_verdict_equals_ppi_python_and_not_judgy():
    """66 of 300 positive; 24 of 30 confirmed, 3 of 40 missed. ppi-python 0.2.3, `ppi_mean_pointestimate(lam=...)` at
    the best lam (24/30 - 3/40) * 230 / 300, gives 0.2345; judgy 0.1.0, which takes labels for a simple random sample,
    gives 0.1074 with sensitivity 24/27 and specificity 37/43."""
    pool = pool_of(66, 300, (24, 30), (3, 40))
    assert float(prediction_powered_rate(pool).estimate) == pytest.approx(0.2345)
    assert float(rogan_gladen_rate(pool, pool.rates[0], 0).estimate) == pytest.approx(0.2345)
    assert float(lee_interval(0.22, 300, 24 / 27, 27, 37 / 43, 43).estimate) == pytest.approx(0.10737931034482753)
    hit, clear = sensitivity(pool), specificity(pool)
    assert float(hit.estimate) == pytest.approx(0.22 * 0.8 / 0.2345)
    assert float(clear.estimate) == pytest.approx(0.78 * 37 / 40 / (1 - 0.2345))
    assert hit.low < hit.estimate < hit.high


def test_labels_have_jeffreys_interval_and_those_of_one_question_count_as_one():
    found = label_share(label_sums([1, 1, 0, 0, 0], list("abcde")))
    assert bounds(found) == pytest.approx(beta(2.5, 3.5).interval(0.95))
    twice = label_share(label_sums([1, 1, 0, 0, 0] * 2, list("abcde") * 2))
    assert bounds(twice) == pytest.approx(bounds(found))
    assert bounds(label_share(label_sums([0] * 20, range(20)))) == pytest.approx((0.0, beta(0.5, 20.5).ppf(0.975)))
    assert bounds(label_share(label_sums([], []))) == (0.0, 1.0)


def test_a_judge_that_knows_nothing_gives_no_rate_and_one_without_errors_its_own():
    nothing = pool_of(60, 300, (10, 40), (10, 40))
    assert np.isnan(rogan_gladen_rate(nothing, nothing.rates[0], 0).estimate)
    assert np.isnan(lee_interval(0.2, 300, 0.5, 40, 0.5, 40).estimate)
    perfect = pool_of(60, 300, (40, 40), (0, 40))
    for found in (prediction_powered_rate(perfect), rogan_gladen_rate(perfect, verdict_share(counted(60, 300)))):
        assert float(found.estimate) == pytest.approx(0.2)
        assert found.low < perfect.rates[0].low


def test_the_next_label_goes_where_neyman_would_put_it():
    """Ever the largest gain: in the end, labels are to each other as share times spread."""
    weights, true = np.array([0.2, 0.8]), np.array([0.7, 0.02])
    labelled = np.zeros(2)
    for _ in range(3_000):
        labelled[np.argmax(neyman_gain(weights, true * labelled, labelled))] += 1
    best = weights * np.sqrt(true * (1 - true))
    assert labelled / labelled.sum() == pytest.approx(best / best.sum(), abs=0.01)


class Labelled:
    """Simulated checkpoints: verdicts on all samples, labels of `m` with either verdict, or of all there are."""

    def __init__(self, seed: int, rate: float, errors: tuple[float, float], m: int) -> None:
        rng = np.random.default_rng(seed)
        positive = rng.binomial(SAMPLES, rate, REPETITIONS)
        hit = rng.binomial(positive, 1 - errors[0])
        false = rng.binomial(SAMPLES - positive, errors[1])
        self.k = hit + false
        sizes = np.minimum(self.k, m), np.minimum(SAMPLES - self.k, m)
        confirmed = rng.hypergeometric(hit, false, sizes[0])
        missed = rng.hypergeometric(positive - hit, SAMPLES - positive - false, sizes[1])
        self.pool = Pool(
            (verdict_share(counted(self.k, SAMPLES)),), (SAMPLES,),
            label_share(counted(confirmed, sizes[0])), label_share(counted(missed, sizes[1])),
        )  # fmt: skip


def covers(found: Bounded, truth: float) -> float:
    """Share of intervals that hold the truth, and twice what a simulation of this size may err by."""
    known = ~np.isnan(found.estimate)
    share = float(np.mean(((found.low <= truth) & (truth <= found.high))[known]))
    return share + 2.0 * float(np.sqrt(0.05 * 0.95 / known.sum()))


@pytest.mark.parametrize("m", [10, 40])
def test_a_checkpoints_own_labels_cover_where_the_normal_interval_fails(m):
    for rate, errors in itertools.product(RATES, ERRORS):
        found = prediction_powered_rate(Labelled(1, rate, errors, m).pool)
        assert covers(found, rate) >= 0.93
        if rate == 0.5 and min(errors) > 0 and m == 40:
            assert covers(found, rate) <= 0.98
    # At rates of 1 %, most intervals are those of a few labels without a positive, and cover more than they say.
    low = Labelled(1, 0.01, (0.2, 0.05), m)
    p, confirmed, missed = (x.estimate for x in (*low.pool.rates, low.pool.confirmed, low.pool.missed))
    sizes = np.minimum(low.k, m), np.minimum(SAMPLES - low.k, m)
    variance = (confirmed - missed) ** 2 * p * (1 - p) / SAMPLES + p**2 * confirmed * (1 - confirmed) / sizes[0]
    variance += (1 - p) ** 2 * missed * (1 - missed) / sizes[1]
    normal = np.abs(p * confirmed + (1 - p) * missed - 0.01) <= 1.96 * np.sqrt(variance)
    assert np.mean(normal) < 0.85


def test_errors_carried_to_other_checkpoints_cover_rates_and_differences():
    for labelled, rate, errors in itertools.product((0.1, 0.5), RATES, ERRORS[2:4]):
        one = Labelled(2, labelled, errors, 20)
        other = Labelled(3, rate, errors, 20)
        (there,) = other.pool.rates
        assert covers(rogan_gladen_rate(one.pool, there), rate) >= 0.93
        # The labelled checkpoint itself is one of the two.
        difference = rogan_gladen_difference(one.pool, there, one.pool.rates[0], (None, 0))
        assert covers(difference, rate - labelled) >= 0.93
        both = difference_of(prediction_powered_rate(other.pool), prediction_powered_rate(one.pool))
        assert covers(both, rate - labelled) >= 0.93


def test_adjusted_counts_cover_with_20_labels_of_each_class():
    rng = np.random.default_rng(4)
    for rate, (missed, false) in itertools.product(RATES, ERRORS):
        k = rng.binomial(SAMPLES, rate * (1 - missed) + (1 - rate) * false, REPETITIONS)
        hits, clear = rng.binomial(20, 1 - missed, REPETITIONS), rng.binomial(20, 1 - false, REPETITIONS)
        assert covers(lee_interval(k / SAMPLES, SAMPLES, hits / 20, 20, clear / 20, 20), rate) >= 0.93


def test_questions_with_epochs_are_covered_too():
    """25 questions of 8 epochs; the truth and the judge's errors both go with the question (ICC 0.4)."""
    rng = np.random.default_rng(5)
    shape = (600, 25, 8)
    for rate, (missed, false) in itertools.product(RATES, ((0.05, 0.05), (0.2, 0.2))):
        odds = [rng.beta(1.5 * q, 1.5 * (1 - q), shape[:2])[..., None] for q in (rate, missed, false)]
        truth = rng.random(shape) < odds[0]
        verdict = np.where(truth, rng.random(shape) >= odds[1], rng.random(shape) < odds[2])
        pool = Pool(
            (verdict_share(sums_over(verdict, np.ones(shape))),), (200,),
            *(label_share(sums_over(truth, drawn(rng, of, 20))) for of in (verdict, ~verdict)),
        )  # fmt: skip
        assert covers(prediction_powered_rate(pool), rate) >= 0.93


def drawn(rng: np.random.Generator, of: np.ndarray, m: int) -> np.ndarray:
    """m samples at random of those that are so, one of each question first."""
    order = np.where(of, rng.random(of.shape), 9.0)
    order = np.where(of, order + np.argsort(np.argsort(order, axis=2), axis=2), 99.0).reshape(len(of), -1)
    return (of.reshape(len(of), -1) & (order <= np.sort(order, axis=1)[:, m - 1 : m])).reshape(of.shape)


def sums_over(values: np.ndarray, weights: np.ndarray) -> ClusterSums:
    sizes, totals = weights.sum(axis=2), (weights * values).sum(axis=2)
    n, k = sizes.sum(axis=1), totals.sum(axis=1)
    residuals = totals - sizes * (k / np.maximum(n, 1))[:, None]
    count = (sizes > 0).sum(axis=1)
    return ClusterSums(n, k, count, (sizes**2).sum(1), (residuals**2).sum(1), (residuals**4).sum(1))
