"""Whether a difference is as good as none: within a margin (equivalence), or not worse by more (non-inferiority).

Both read the bounds of the very interval that a difference is shown with. A test that finds no difference shows none of
them: it may have had too few questions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from dashboard.statistics.differences import SMALLEST_P, Difference
from dashboard.statistics.distributions import normal_cdf, normal_inverse

Verdict = Literal["significant", "equivalent", "inconclusive"]

_EXACT = normal_inverse(0.95)
_NODES = _EXACT + 0.05 * np.arange(-32, 108)
"""Quantiles at which a bound is looked at: the same for all differences, so that quantiles of t are found once. That of
5% is among them: there the p-value and the bound agree exactly."""


def equivalence_p(found: Difference, margin: float) -> float:
    """p-value of two one-sided tests (TOST): small where the difference is shown to lie within +-margin.

    It is below 5% exactly where the 90% interval lies within the margin: each bound of that interval is a one-sided
    test at 5%, and both must reject.

    Args:
        found: Its interval is read at several levels.
        margin: Equivalence margin, above 0, in the units of the difference; to be set before looking at the data.

    Returns:
        From `SMALLEST_P` to 1; NaN where there is no interval.

    Raises:
        ValueError: The margin is not above 0.

    Assumes what the interval assumes. Wrong where the margin was chosen after seeing the interval, or where a smaller
    difference matters too.

    Sources: Schuirmann (1987), Journal of Pharmacokinetics and Biopharmaceutics 15, 657-680; Berger & Hsu (1996),
    Statistical Science 11, 283-319; statsmodels' `ttost_paired` and `tost_proportions_2indep`.
    """
    return max(noninferiority_p(found, margin), noninferiority_p(found, margin, worse="lower"))


def noninferiority_p(found: Difference, margin: float, worse: Literal["higher", "lower"] = "higher") -> float:
    """p-value of a one-sided test: small where a number is shown not to be worse by the margin or more.

    It is below 5% exactly where the one-sided 95% bound on the worse side (that of the 90% interval) is under the
    margin.

    Args:
        found: Its interval is read at several levels.
        margin: Non-inferiority margin, above 0, in the units of the difference.
        worse: Which direction of the difference is worse.

    Returns:
        From `SMALLEST_P` to 1; NaN where there is no interval.

    Raises:
        ValueError: The margin is not above 0.

    Source: Blackwelder (1982), Controlled Clinical Trials 3, 345-353.
    """
    if not 0 < margin < np.inf:
        raise ValueError(f"the margin is {margin}, and must be above 0")

    def toward(level: float) -> float:
        """The bound on the worse side, worse being up."""
        low, high = found.interval(level)
        return high if worse == "higher" else -low

    def away(level: float) -> float:
        low, high = found.interval(level)
        return -low if worse == "higher" else high

    estimate = found.estimate if worse == "higher" else -found.estimate
    return _tail(toward, margin) if estimate < margin else 1.0 - _tail(away, -margin)


def verdict(low: float, high: float, p: float, p_equivalence: float, level: float = 0.95) -> Verdict | None:
    """What a difference shows; a significant one may lie within the margin as well.

    Args:
        low: Lower bound of the difference, at the level.
        high: Upper bound.
        p: Two-sided p-value of no difference, corrected where there are several.
        p_equivalence: Of `equivalence_p`, corrected likewise; NaN where no margin was set.
        level: Confidence level.

    Returns:
        significant where interval and p-value agree on it, equivalent where it is within the margin, inconclusive
        where the data show neither; None without an interval.
    """
    if np.isnan(low) or np.isnan(p):
        return None
    if (low > 0 or high < 0) and p < 1.0 - level:
        return "significant"
    return "equivalent" if p_equivalence < 1.0 - level else "inconclusive"


def _tail(bound: Callable[[float], float], limit: float) -> float:
    """The chance alpha at which the bound of the interval of level 1 - 2 alpha just reaches the limit, at most 0.5.

    Between two neighbouring nodes bounds are as good as linear in the normal quantile.
    """

    def over(node: int) -> float:
        return bound(2.0 * normal_cdf(float(_NODES[node])) - 1.0) - limit

    first, last = 0, len(_NODES) - 1
    below, above = over(first), over(last)
    if np.isnan(below) or np.isnan(above):
        return np.nan
    if below >= 0:
        return 0.5
    if above < 0:
        return SMALLEST_P
    while last - first > 1:
        middle = (first + last) // 2
        at = over(middle)
        if at < 0:
            first, below = middle, at
        else:
            last, above = middle, at
    quantile = _NODES[first] + (_NODES[last] - _NODES[first]) * -below / (above - below)
    return max(normal_cdf(-float(quantile)), SMALLEST_P)
