"""Student's t, the normal and the binomial distribution.

Importing scipy takes longer than reading most studies. What every rate needs is computed here, as exactly (the tests
compare them); the rest is scipy's, imported when a number first needs it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def normal_cdf(x: float) -> float:
    """The chance that a standard normal variable is at most x."""
    return math.erfc(-x / math.sqrt(2.0)) / 2.0


def normal_inverse(p: float) -> float:
    """The standard normal quantile of p, between 0 and 1."""
    return NormalDist().inv_cdf(p)


def t_cdf(t: float, df: float) -> float:
    """The chance that Student's t is at most t; NaN where an argument is, or the degrees of freedom not above 0."""
    from scipy.special import stdtr

    return float(stdtr(df, t))


def t_quantile(df: npt.ArrayLike, level: float) -> Floats:
    """The two-sided quantile of Student's t: what |t| exceeds with the chance 1 - level.

    Args:
        df: Degrees of freedom, any shape; need not be whole. NaN comes of those that are not positive.
        level: Between 0 and 1.
    """
    df = np.asarray(df, dtype=np.float64)
    heavy = (df > 0) & (df < 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        x = np.where(df >= 1, 2.0 / df - 1.0, np.nan)
    quantile = np.exp(_chebyshev_sum(_quantile_coefficients(level), x))
    if np.any(heavy):
        from scipy.special import stdtrit

        quantile = np.where(heavy, stdtrit(np.where(heavy, df, np.nan), (1.0 + level) / 2.0), quantile)
    return np.asarray(quantile, dtype=np.float64)


NODES = 40
"""Chebyshev nodes in 1 / df: from 32 on, more change nothing but the last digit."""


@cache
def _quantile_coefficients(level: float) -> Floats:
    """The logarithm of t's quantile as a Chebyshev series in 2 / df - 1, for df from 1 to infinity.

    It is smooth in 1 / df, so that a few exact quantiles give all, at a cost that does not grow with the cells.
    """
    at = np.arange(NODES)
    x = np.cos(np.pi * (at + 0.5) / NODES)
    values = np.log(_exact_quantile(2.0 / (1.0 + x), level))
    coefficients = np.cos(np.pi * np.outer(at, at + 0.5) / NODES) @ values * (2.0 / NODES)
    coefficients[0] /= 2.0
    return coefficients


def _chebyshev_sum(coefficients: Floats, x: Floats) -> Floats:
    """The series at x, by Clenshaw's recurrence."""
    before, last = np.zeros_like(x), np.zeros_like(x)
    for coefficient in coefficients[:0:-1]:
        before, last = last, 2.0 * x * last - before + coefficient
    return np.asarray(x * last - before + coefficients[0], dtype=np.float64)


def _exact_quantile(df: Floats, level: float) -> Floats:
    """The two-sided quantile of t for each df from 1 on, by Newton's method on its tail.

    The tail is the density's integral from t on, by the exp-sinh rule, whose error is of the order of rounding. It is
    convex and the normal quantile lies below every t's, so that the steps never overshoot.

    Source: Takahasi & Mori (1974), Publications of the RIMS 9, 721-741 (double exponential formulas).
    """
    places = np.arange(-4.0, 4.0, 1.0 / 32.0)[:, np.newaxis]
    beyond = np.exp(np.pi / 2.0 * np.sinh(places))
    weights = np.pi / 64.0 * np.cosh(places) * beyond
    scale = 2.0 * _gamma_ratio(df / 2.0) / np.sqrt(np.pi * df)

    def density(t: Floats) -> Floats:
        return np.asarray(scale * np.exp(-(df + 1.0) / 2.0 * np.log1p(t**2 / df)), dtype=np.float64)

    t = np.full_like(df, normal_inverse((1.0 + level) / 2.0))
    for _ in range(200):
        step = (np.sum(weights * density(t + beyond), axis=0) - (1.0 - level)) / density(t)
        t = t + step
        if np.all(np.abs(step) <= 1e-14 * t):
            break
    return t


def _gamma_ratio(x: Floats) -> Floats:
    """gamma(x + 1/2) / gamma(x) for x from 1/2 on: as far up as the asymptotic series is exact, and back again."""
    shift = 16
    steps = np.arange(shift)[:, np.newaxis]
    y = x + shift
    logarithm = -1 / (8 * y) + 1 / (192 * y**3) - 1 / (640 * y**5) + 17 / (14336 * y**7) - 31 / (18432 * y**9)
    back = np.prod((x + steps) / (x + steps + 0.5), axis=0)
    return np.asarray(back * np.sqrt(y) * np.exp(logarithm), dtype=np.float64)


def binomial_half_cdf(k: int, n: int) -> float:
    """The chance of at most k heads in n tosses of a fair coin."""
    from scipy.special import bdtr

    return float(bdtr(k, n, 0.5))


def root(f: Callable[[float], float], low: float, high: float, tolerance: float) -> float:
    """Where f crosses 0 between two places at which its signs differ, to within a tolerance."""
    from scipy.optimize import brentq

    return float(brentq(f, low, high, xtol=tolerance))
