"""The distributions that every rate rests on are scipy's, to rounding."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr, ndtri, stdtrit

from dashboard.statistics.distributions import normal_cdf, normal_inverse, t_quantile

LEVELS = [0.01, 0.5, 0.8, 0.9, 0.95, 0.99, 0.999, 1 - 0.05 / 300]


@pytest.mark.parametrize("level", LEVELS)
def test_quantiles_of_t_are_scipys_at_all_degrees_of_freedom(level):
    whole = np.arange(1.0, 2000.0)
    between = np.concatenate([np.linspace(1.0, 40.0, 5001), np.logspace(1.5, 15.0, 2000)])
    below_one = np.linspace(0.2, 1.0, 50, endpoint=False)
    for df in (whole, between, below_one):
        np.testing.assert_allclose(t_quantile(df, level), stdtrit(df, (1.0 + level) / 2.0), rtol=1e-12)


@pytest.mark.parametrize("level", LEVELS)
def test_infinite_degrees_of_freedom_are_the_normal_quantile(level):
    assert float(t_quantile(np.inf, level)) == pytest.approx(normal_inverse((1.0 + level) / 2.0), rel=1e-13)


def test_quantiles_of_t_keep_their_shape_and_say_where_there_is_none():
    found = t_quantile([[1.0, 0.0, -3.0], [np.nan, 0.5, 20.0]], 0.95)
    assert np.isnan(found).tolist() == [[False, True, True], [True, False, False]]
    assert found.shape == (2, 3)
    assert t_quantile(20.0, 0.95).shape == ()


def test_the_normal_distribution_is_scipys():
    x = np.concatenate([np.linspace(-8.0, 8.0, 4001), [-37.0, 0.0, np.inf, -np.inf]])
    np.testing.assert_allclose([normal_cdf(float(one)) for one in x], ndtr(x), rtol=1e-12)
    p = np.concatenate([np.linspace(0.0, 1.0, 4001)[1:-1], [1e-300, 1e-12, 1.0 - 1e-12]])
    np.testing.assert_allclose([normal_inverse(float(one)) for one in p], ndtri(p), rtol=1e-12, atol=1e-15)
