"""Student's t, the normal and the binomial distribution: scipy's, imported when a number first needs them.

Importing scipy takes longer than reading most studies; a command that prints counts alone never pays for it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def normal_cdf(x: float) -> float:
    """The chance that a standard normal variable is at most x."""
    from scipy.special import ndtr

    return float(ndtr(x))


def normal_inverse(p: float) -> float:
    """The standard normal quantile of p, between 0 and 1."""
    from scipy.special import ndtri

    return float(ndtri(p))


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
    from scipy.special import stdtrit

    df = np.asarray(df, dtype=np.float64)
    return np.asarray(stdtrit(np.where(df > 0, df, np.nan), 1.0 - (1.0 - level) / 2.0), dtype=np.float64)


def binomial_half_cdf(k: int, n: int) -> float:
    """The chance of at most k heads in n tosses of a fair coin."""
    from scipy.special import bdtr

    return float(bdtr(k, n, 0.5))


def root(f: Callable[[float], float], low: float, high: float, tolerance: float) -> float:
    """Where f crosses 0 between two places at which its signs differ, to within a tolerance."""
    from scipy.optimize import brentq

    return float(brentq(f, low, high, xtol=tolerance))
