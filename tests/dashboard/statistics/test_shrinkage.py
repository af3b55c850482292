"""Shrinkage: the book's own examples, scipy's distribution, and intervals that hold as often as they say."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from dashboard.statistics import shrunk_means, shrunk_rates

RATS = (
    "0/20 0/20 0/20 0/20 0/20 0/20 0/20 0/19 0/19 0/19 0/19 0/18 0/18 0/17 1/20 1/20 1/20 1/20 1/19 1/19 1/18 1/18 2/25"
    " 2/24 2/23 2/20 2/20 2/20 2/20 2/20 2/20 1/10 5/49 2/19 5/46 3/27 2/17 7/49 7/47 3/20 3/20 2/13 9/48 10/50 4/20"
    " 4/20 4/20 4/20 4/20 4/20 4/20 10/48 4/19 4/19 4/19 5/22 11/46 12/49 5/20 5/20 6/23 5/19 6/22 6/20 6/20 6/20 16/52"
    " 15/46 15/47 9/24 4/14"
)
SCHOOLS = ([28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18])


def test_rats_of_bayesian_data_analysis():
    """Posterior means of the hyperparameters: 2.4 and 14.3 (5.3)."""
    k, n = np.array([[float(x) for x in pair.split("/")] for pair in RATS.split()]).T
    found = shrunk_rates(k, n)
    assert found.centre == pytest.approx(2.4 / (2.4 + 14.3), abs=0.002)
    raw = k / n
    assert np.all((found.estimate - raw) * (found.centre - raw) >= -0.002)
    assert found.estimate[-1] == pytest.approx(0.21, abs=0.005)


def test_schools_of_bayesian_data_analysis():
    """Posterior medians of the effects (Table 5.3): 10, 8, 7, 8, 5, 6, 10, 8, with 95% from -2 to 31 in school A."""
    found = shrunk_means(*SCHOOLS)
    assert found.estimate == pytest.approx([10, 8, 7, 8, 5, 6, 10, 8], abs=1.5)
    assert (found.low[0], found.high[0]) == pytest.approx((-2, 31), abs=1.5)


def test_it_is_what_a_plain_sum_over_the_hyperparameters_gives():
    k, n = np.array([0, 3, 1, 9, 5]), np.array([20, 25, 12, 30, 40])
    centre, total = np.meshgrid(np.linspace(0.002, 0.998, 200), np.exp(np.linspace(np.log(0.5), np.log(50_000), 100)))
    a, b = centre * total, (1 - centre) * total
    chance = np.prod([stats.betabinom.pmf(*pair, a, b) for pair in zip(k, n, strict=True)], axis=0)
    weight = (
        chance * total ** (-5 / 2) * total * total
    )  # d(a) d(b) = total d(centre) d(total); d(total) on its logarithm
    weight /= weight.sum()
    found = shrunk_rates(k, n)
    wanted = [float((weight * (x + a) / (of + a + b)).sum()) for x, of in zip(k, n, strict=True)]
    assert found.estimate == pytest.approx(wanted, abs=0.002)
    assert float((weight * stats.beta.cdf(found.high[3], 9 + a, 21 + b)).sum()) == pytest.approx(0.975, abs=0.002)


def test_none_of_n_is_a_result_with_an_interval():
    found = shrunk_rates([0, 0, 0, 0], [50, 50, 50, 5])
    assert found.low.tolist() == [0, 0, 0, 0]
    assert np.all((found.high > 0) & (found.high < [0.1, 0.1, 0.1, 0.5]))
    assert shrunk_rates([5, 5, 5, 5], [5, 5, 5, 5]).high.tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: shrunk_rates([1, 2, 3], [4, 4, 4]), "needs 4 cells"),
        (lambda: shrunk_rates([1, 0, 1, 1], [4, 0, 4, 4]), "without samples"),
        (lambda: shrunk_means([1, 2, 3], [1, 1, 1]), "needs 4 cells"),
        (lambda: shrunk_means([1, 2, 3, 4], [1, 1, 1, 0]), "without a standard error"),
        (lambda: shrunk_rates([1, 1, 1, 1], [4, 4, 4, 4], 1.0), "between 0 and 1"),
    ],
)
def test_what_can_not_be_shrunk_is_refused(call, why):
    with pytest.raises(ValueError, match=why):
        call()


@pytest.mark.slow
@pytest.mark.parametrize("mean", [0.01, 0.1, 0.5])
def test_intervals_of_rates_hold_on_average_over_cells(mean):
    """At least 93% where there is more to go by than four small cells; over 97% near 0, where bounds go down to it."""
    rng = np.random.default_rng(3)
    for total, cells, n in ((5, 12, 50), (20, 12, 300), (100, 12, 50)):
        held = []
        for _ in range(12):
            rates = rng.beta(mean * total, (1 - mean) * total, cells)
            found = shrunk_rates(rng.binomial(n, rates), np.full(cells, n))
            held += ((found.low <= rates) & (rates <= found.high)).tolist()
        # Cells of one draw hang together: two standard errors are those of fewer than `held` has.
        assert np.mean(held) + 2 * np.sqrt(0.05 * 0.95 / 12 / cells**0.5) >= 0.93, (total, cells, n, np.mean(held))


@pytest.mark.slow
def test_intervals_of_means_hold_on_average_over_cells():
    rng = np.random.default_rng(4)
    for cells, spread in itertools.product((4, 12), (0.0, 0.5, 3.0)):
        true = rng.normal(0.0, spread, (200, cells))
        seen = true + rng.normal(size=true.shape)
        found = [shrunk_means(row, np.ones(cells)) for row in seen]
        held = np.mean([(f.low <= t) & (t <= f.high) for f, t in zip(found, true, strict=True)])
        assert held >= 0.93, (cells, spread, held)
