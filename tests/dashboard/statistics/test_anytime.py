"""The interval that may be looked at at any time: its ends, and its coverage under every way to stop."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import betaln

from dashboard.statistics import anytime_interval, wilson_interval

COUNTS = [(0, 1), (1, 1), (0, 20), (1, 20), (7, 20), (20, 20), (3, 500), (250, 500), (9999, 10000)]


@pytest.mark.parametrize(("k", "n"), COUNTS)
@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_the_martingale_is_at_its_limit_at_the_bounds(k: int, n: int, level: float) -> None:
    """By scipy's logarithm of the beta function, and its definition."""
    low, high = (float(bound) for bound in anytime_interval(k, n, level))
    assert 0 <= low <= k / n <= high <= 1
    mixed = betaln(k + 0.5, n - k + 0.5) - betaln(0.5, 0.5)
    for bound, end in ((low, 0.0), (high, 1.0)):
        if bound != end:
            likelihood = k * np.log(bound) + (n - k) * np.log1p(-bound)
            assert np.exp(mixed - likelihood) == pytest.approx(1 / (1 - level), rel=1e-6)


def test_nothing_is_known_of_nothing_and_bad_counts_are_refused() -> None:
    assert np.isnan(anytime_interval(0, 0)).all()
    low, high = anytime_interval([0, 3], [0, 10])
    assert np.isnan(low[0])
    assert low[1] < 0.3 < high[1]
    for k, n, level in ((-1, 10, 0.95), (11, 10, 0.95), (1, 10, 1.0)):
        with pytest.raises(ValueError, match=r"."):
            anytime_interval(k, n, level)


def test_it_is_wider_than_an_interval_for_one_look_and_narrows() -> None:
    widths = []
    for n in (10, 40, 160, 640):
        low, high = anytime_interval(n // 2, n)
        once = wilson_interval(n // 2, n)
        assert low < once[0]
        assert once[1] < high
        widths.append(float(high - low))
    assert widths == sorted(widths, reverse=True)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5])
def test_whoever_stops_at_the_worst_moment_is_wrong_in_at_most_one_of_twenty_cases(rate: float) -> None:
    """Looked at after each of 400 samples; Wilson's interval, looked at so, is wrong several times as often."""
    runs, looks = 1000, 400
    n = np.arange(1, looks + 1)
    k = np.random.default_rng(20261130).binomial(1, rate, (runs, looks)).cumsum(axis=1)
    low, high = anytime_interval(k, n)
    missed = ((low > rate) | (rate > high)).any(axis=1).mean()
    assert missed <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)
    assert missed > 0, "an interval that never misses is too wide"
    low, high = wilson_interval(k, n)
    assert ((low > rate) | (rate > high)).any(axis=1).mean() > 0.2
