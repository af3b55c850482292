"""Equivalence and non-inferiority agree with statsmodels and with the intervals, and err as rarely as stated."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from statsmodels.stats.proportion import tost_proportions_2indep
from statsmodels.stats.weightstats import ttost_ind, ttost_paired

from dashboard.statistics import (
    cluster_sums,
    equivalence_p,
    noninferiority_p,
    paired_mean_difference,
    paired_proportion_interval,
    paired_rate_difference,
    reported_difference,
    unpaired_mean_difference,
    unpaired_proportion_interval,
    unpaired_rate_difference,
    verdict,
)
from tests.dashboard.statistics.test_differences import simulate


def independent(k: int, n: int):
    return cluster_sums([1] * k + [0] * (n - k), np.arange(n))


@pytest.mark.parametrize("margin", [0.3, 0.6, 1.5])
def test_paired_means_are_statsmodels_ttost(margin):
    rng = np.random.default_rng(3)
    here, there = rng.normal(0.1, 1, 40), rng.normal(0, 1, 40)
    found = paired_mean_difference(here, there, np.arange(40))
    theirs, (_, above, _), (_, below, _) = ttost_paired(here, there, -margin, margin)
    assert equivalence_p(found, margin) == pytest.approx(theirs, rel=1e-3)
    assert noninferiority_p(found, margin) == pytest.approx(below, rel=1e-3)
    assert noninferiority_p(found, margin, "lower") == pytest.approx(above, rel=1e-3)


def test_unpaired_means_are_statsmodels_ttost():
    rng = np.random.default_rng(4)
    here, there = rng.normal(0.1, 1, 60), rng.normal(0, 2, 50)
    sums = [cluster_sums(x, np.arange(len(x))) for x in (here, there)]
    found = unpaired_mean_difference(*sums, here.std(ddof=1), there.std(ddof=1))
    theirs = ttost_ind(here, there, -1, 1, usevar="unequal")[0]
    assert equivalence_p(found, 1.0) == pytest.approx(theirs, rel=1e-3)


def test_reported_numbers_are_two_z_tests():
    found = reported_difference(1.0, 0.3, 0.8, 0.4)
    assert equivalence_p(found, 1.0) == pytest.approx(norm.sf((1.0 - 0.2) / 0.5), rel=1e-6)


@pytest.mark.parametrize("counts", [(66, 300, 60, 300), (9, 300, 12, 300), (0, 200, 0, 200), (45, 300, 66, 300)])
def test_rates_decide_as_statsmodels_tost_does(counts):
    """Statsmodels' score test and the interval of the pages (Newcombe's) are two methods, a few thousandths apart."""
    k, n, baseline_k, baseline_n = counts
    found = unpaired_rate_difference(independent(k, n), independent(baseline_k, baseline_n))
    for margin in (0.03, 0.05, 0.1):
        theirs = tost_proportions_2indep(k, n, baseline_k, baseline_n, -margin, margin, method="score").pvalue
        assert equivalence_p(found, margin) == pytest.approx(theirs, abs=0.012)


@pytest.mark.parametrize("counts", [(66, 60), (9, 12), (0, 0), (45, 66), (150, 151)])
def test_equivalent_is_where_the_90_percent_interval_lies_within_the_margin(counts):
    found = unpaired_rate_difference(independent(counts[0], 300), independent(counts[1], 300))
    low, high = found.interval(0.9)
    reach = max(-low, high)
    assert equivalence_p(found, reach * 1.0001) < 0.05 < equivalence_p(found, reach * 0.9999)
    assert equivalence_p(found, reach) == pytest.approx(0.05, abs=1e-9)
    assert noninferiority_p(found, 1.0) < 1e-11
    if found.estimate > 0:
        assert noninferiority_p(found, found.estimate / 2) > 0.5


def test_verdicts_say_what_both_tests_say():
    assert verdict(0.01, 0.2, 0.01, 0.9) == "significant"
    assert verdict(0.001, 0.02, 0.01, 0.001) == "significant"
    assert verdict(0.001, 0.2, 0.2, 0.9) == "inconclusive"
    assert verdict(-0.01, 0.02, 0.6, 0.001) == "equivalent"
    assert verdict(-0.01, 0.02, 0.6, np.nan) == "inconclusive"
    assert verdict(np.nan, np.nan, np.nan, np.nan) is None


def test_no_interval_shows_nothing_and_a_margin_is_above_0():
    same = paired_mean_difference([1.0, 1.0], [1.0, 1.0], [0, 1])
    assert np.isnan(equivalence_p(same, 1.0))
    rates = paired_rate_difference([0.0, 1.0], [0.0, 1.0], [1, 1], [1, 1], [0, 1])
    for margin in (0.0, -0.1, np.nan, np.inf):
        with pytest.raises(ValueError, match="margin"):
            equivalence_p(rates, margin)


@pytest.mark.slow
@pytest.mark.parametrize(("questions", "epochs"), [(100, 1), (25, 8)])
@pytest.mark.parametrize(("rate", "margin"), [(0.01, 0.05), (0.1, 0.08), (0.5, 0.2)])
def test_a_difference_as_large_as_the_margin_is_called_equivalent_one_time_in_twenty_at_most(
    questions, epochs, rate, margin
):
    """The size of the test, at the edge of the margin; 5% stated is at most 7%."""
    pair, third = simulate(rate + margin, rate, questions, epochs, icc=0.3, correlation=0.5)
    for low, high in (paired_proportion_interval(pair, 0.9), unpaired_proportion_interval(pair.here, third, 0.9)):
        assert np.mean((low > -margin) & (high < margin)) <= 0.07
        assert np.mean(high < margin) <= 0.07
