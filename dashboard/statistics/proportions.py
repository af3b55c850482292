"""Intervals of one proportion over independent samples: Wilson's score interval and the exact one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dashboard.statistics.distributions import Floats, normal_inverse


def wilson_interval(k: npt.ArrayLike, n: npt.ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """Wilson's score interval of k out of n. At 0 of 100 and level 0.95 it reaches up to 3.70 %.

    Args:
        k: Successes, any shape that broadcasts with `n`. Need not be whole (an effective sample size).
        n: Independent samples. 0 gives NaN: no sample, no interval.
        level: Confidence level, between 0 and 1.

    Returns:
        Lower and upper bounds as fractions from 0 to 1, in the broadcast shape.

    Raises:
        ValueError: `k` is negative or exceeds `n`, or `level` is not between 0 and 1.

    Source: Wilson (1927), JASA 22; recommended by Brown, Cai & DasGupta (2001), Statistical Science 16.
    """
    k, n = checked_counts(k, n, level)
    with np.errstate(divide="ignore", invalid="ignore"):
        return score_interval(k / n, normal_quantile(level) ** 2 / n)


def clopper_pearson_interval(k: npt.ArrayLike, n: npt.ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """The exact (Clopper-Pearson) interval of k out of n; never covers less than `level`, mostly more.

    Args:
        k: Successes, any shape that broadcasts with `n`. Need not be whole (an effective sample size).
        n: Independent samples. 0 gives NaN.
        level: Confidence level, between 0 and 1.

    Returns:
        Lower and upper bounds as fractions from 0 to 1, in the broadcast shape.

    Raises:
        ValueError: `k` is negative or exceeds `n`, or `level` is not between 0 and 1.

    Source: Clopper & Pearson (1934), Biometrika 26, as quantiles of the beta distribution.
    """
    # As in `dashboard.statistics.distributions`: importing it takes longer than reading most studies.
    from scipy.special import betaincinv

    k, n = checked_counts(k, n, level)
    tail = (1.0 - level) / 2.0
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.where(k > 0, betaincinv(k, n - k + 1.0, tail), 0.0)
        high = np.where(k < n, betaincinv(k + 1.0, n - k, 1.0 - tail), 1.0)
    empty = ~(n > 0)
    return np.where(empty, np.nan, low), np.where(empty, np.nan, high)


def score_interval(p: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """Solve |p - P| = sqrt(spread * P * (1 - P)) for the two true rates P.

    Args:
        p: Observed rates, fractions from 0 to 1.
        spread: Squared quantile over sample size, q^2 / n: all that the score interval depends on besides p.

    Returns:
        Lower and upper bounds as fractions from 0 to 1; NaN where an input is.
    """
    centre = (p + spread / 2.0) / (1.0 + spread)
    half = np.sqrt(spread * (p * (1.0 - p) + spread / 4.0)) / (1.0 + spread)
    # Rounding must not lift the bound of 0 of n above 0, nor lower that of n of n below 1.
    low = np.where(p == 0.0, 0.0, np.clip(centre - half, 0.0, 1.0))
    high = np.where(p == 1.0, 1.0, np.clip(centre + half, 0.0, 1.0))
    return low, high


def normal_quantile(level: float) -> float:
    """The two-sided standard normal quantile of a level: 1.96 for 0.95.

    Raises:
        ValueError: `level` is not between 0 and 1.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"level is {level}, and must lie between 0 and 1, like 0.95")
    return normal_inverse(1.0 - (1.0 - level) / 2.0)


def checked_counts(k: npt.ArrayLike, n: npt.ArrayLike, level: float) -> tuple[Floats, Floats]:
    """Both counts as float arrays, refused where they can't be counts of one another."""
    normal_quantile(level)
    k_array, n_array = np.asarray(k, dtype=np.float64), np.asarray(n, dtype=np.float64)
    if np.any(k_array < 0) or np.any(k_array > n_array):
        raise ValueError("k must lie between 0 and n (k successes out of n samples)")
    return k_array, n_array
