"""Trends over training: slopes, and the area between two curves.

Points of one curve are answers to the same questions, so they may be correlated; every function that needs to know
takes variances of the points, or their whole covariance (see `step_covariance`). Variances that are made from
intervals (`variance_of_interval`) are honest at 0 of n, where a standard error is 0.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from dashboard.statistics.distributions import Floats, normal_cdf, t_cdf, t_quantile
from dashboard.statistics.proportions import normal_quantile


class Trend(NamedTuple):
    """A number that sums up a curve, with its interval."""

    estimate: float
    low: float
    high: float
    stderr: float
    p: float
    """Two-sided, of the true number being 0."""
    points: int
    """Points of the curve that it rests on."""


def variance_of_interval(low: npt.ArrayLike, high: npt.ArrayLike, level: float = 0.95) -> Floats:
    """The variance of a normal estimate with an interval of this width: ((high - low) / 2 z)^2.

    Args:
        low: Lower bounds.
        high: Upper bounds, same shape.
        level: Of the intervals.
    """
    width = np.asarray(high, dtype=np.float64) - np.asarray(low, dtype=np.float64)
    return np.asarray((width / (2.0 * normal_quantile(level))) ** 2, dtype=np.float64)


def cluster_influence(n: npt.ArrayLike, totals: npt.ArrayLike, cluster: Sequence[Hashable]) -> dict[Hashable, float]:
    """What each cluster adds to the error of a mean: sqrt(C / (C - 1)) * e_c / n, with e_c the cluster's residual.

    The squares add up to the square of `clustered_stderr`, and products with the influences on another mean to the
    covariance of the two (`step_covariance`). The influence on a difference of two means is theirs, subtracted.

    Args:
        n: Shape (parts,), samples in each part; 1 for each question where questions count once.
        totals: Shape (parts,), sum of the values in each part.
        cluster: Shape (parts,), the cluster of each.

    Returns:
        By cluster, in the units of the values; empty with fewer than two clusters, which say nothing of an error.
    """
    n, totals = np.asarray(n, dtype=np.float64), np.asarray(totals, dtype=np.float64)
    number = {name: i for i, name in enumerate(dict.fromkeys(cluster))}
    if len(number) < 2:
        return {}
    residuals = np.bincount([number[name] for name in cluster], weights=totals - n * totals.sum() / n.sum())
    influence = np.sqrt(len(number) / (len(number) - 1)) * residuals / n.sum()
    return dict(zip(number, influence.tolist(), strict=True))


def step_covariance(influences: Sequence[Mapping[Hashable, float]]) -> Floats:
    """Covariance of the means (or differences) at several steps, clustered: sum over clusters of i_c i_c'.

    Steps that ask the same questions are correlated by them; steps that have no cluster in common are not.

    Args:
        influences: Of each step, from `cluster_influence`.

    Returns:
        Shape (steps, steps), in squared units of the values; 0 for steps without any influence.

    Source: Miller (2024), arXiv:2411.00640, for one step; Liang & Zeger (1986), Biometrika 73, for several.
    """
    clusters = list(dict.fromkeys(name for of in influences for name in of))
    matrix = np.array([[of.get(name, 0.0) for name in clusters] for of in influences]).reshape(len(influences), -1)
    return np.asarray(matrix @ matrix.T, dtype=np.float64)


def rescaled_covariance(
    covariance: npt.ArrayLike, variance: npt.ArrayLike, *, unknown: float, chance: float = 0.0
) -> Floats:
    """A covariance with the correlations of one and the variances of another source, such as intervals.

    At 0 of n the first tells neither a variance nor a correlation, while an interval tells the one.

    Args:
        covariance: Shape (steps, steps), from `step_covariance`.
        variance: Shape (steps,), from `variance_of_interval`; NaN for a step without an interval.
        unknown: Correlation of steps of which the data tell none. The cautious value is 1 for what adds steps up (a
            mean), 0 for what subtracts them (a slope).
        chance: The covariance that a single answer makes, in squared units of the values. All correlations shrink by
            its share of the typical variance, so that steps which are equal in every answer don't get a slope without
            error; for what subtracts steps. As Newcombe's method 10 does with the correlation of two.

    Sources: Newcombe (1998), Statistics in Medicine 17, 2635-2650, for `chance`.
    """
    matrix, v = np.asarray(covariance, dtype=np.float64), np.asarray(variance, dtype=np.float64)
    spread = np.sqrt(np.diag(matrix))
    known = spread > 1e-12 * max(1.0, float(spread.max(initial=0.0)))
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = np.where(np.outer(known, known), matrix / np.outer(spread, spread), unknown)
    typical = float(np.nanmean(v)) if np.isfinite(v).any() else np.nan
    correlation = correlation * (1.0 - min(1.0, chance / typical if typical > 0 else 0.0))
    np.fill_diagonal(correlation, 1.0)
    return np.asarray(correlation * np.sqrt(np.outer(v, v)), dtype=np.float64)


def slope(
    x: npt.ArrayLike, y: npt.ArrayLike, variance: npt.ArrayLike, level: float = 0.95, *, scatter: bool = True
) -> Trend:
    """Slope of a line through a curve's points, each weighted by 1 / its variance.

    The slope is sum k_i y_i, and its variance k' V k, with V the points' covariance. Where the points scatter about
    the line by more than V explains, that is not noise of sampling but of training (or no line), and the variance
    grows by the ratio: sum w_i r_i^2 / (n - 2), at least 1. Quantiles are of t with n - 2 degrees of freedom; with
    two points, whose scatter can't be seen, of the normal distribution.

    The slope of a difference over RL steps says whether a lead shrinks.

    Args:
        x: Shape (n,), steps, or log10 of tokens for a slope per factor of ten. Points that miss x, y or the
            variance are left out, as are those whose variance is 0, which weigh infinitely.
        y: Shape (n,), rates or differences.
        variance: Shape (n,), or the covariance, shape (n, n); in squared units of y.
        level: Confidence level, between 0 and 1.
        scatter: Whether the points stand for others that training could have given. If not, the slope sums up these
            very checkpoints, as a slope of each question would (Matthews et al. 1990, BMJ 300): all points weigh the
            same, the error is that of their sampling alone, and quantiles are normal.

    Returns:
        In units of y per unit of x; NaN with fewer than two different x, or without any error.

    Raises:
        ValueError: The shapes don't fit, a variance is negative, or the level is not between 0 and 1.

    Sources: statsmodels' WLS; Knapp & Hartung (2003), Statistics in Medicine 22, for scale and quantile (with the
    scale at least 1, as Roever, Knapp & Friede 2015, BMC Medical Research Methodology 15, advise).
    """
    z = normal_quantile(level)
    x, y, covariance = _known(x, y, variance)
    n = len(x)
    if len(np.unique(x)) < 2:
        return Trend(np.nan, np.nan, np.nan, np.nan, np.nan, n)
    w = 1.0 / np.diag(covariance) if scatter else np.ones(n)
    centred = x - np.sum(w * x) / np.sum(w)
    k = w * centred / np.sum(w * centred**2)
    estimate = float(k @ y)
    residuals = y - np.sum(w * y) / np.sum(w) - estimate * centred
    by_t = scatter and n > 2
    scale = max(1.0, float(np.sum(w * residuals**2)) / (n - 2)) if by_t else 1.0
    variance_of_slope = float(k @ covariance @ k) * scale
    # Points that move together in every answer leave nothing but rounding: that is no certainty.
    if not variance_of_slope > 1e-12 * float(k**2 @ np.diag(covariance)):
        return Trend(estimate, np.nan, np.nan, np.nan, np.nan, n)
    stderr = float(np.sqrt(variance_of_slope))
    half = (float(t_quantile(n - 2, level)) if by_t else z) * stderr
    t = -abs(estimate) / stderr
    p = 2.0 * (t_cdf(t, n - 2) if by_t else normal_cdf(t))
    return Trend(estimate, estimate - half, estimate + half, stderr, p, n)


class Band(NamedTuple):
    """A fitted line with the interval of its height, at several places."""

    fitted: Floats
    low: Floats
    high: Floats


def fit_band(
    x: npt.ArrayLike, y: npt.ArrayLike, variance: npt.ArrayLike, at: npt.ArrayLike, level: float = 0.95
) -> Band:
    """The line of `slope`, and the interval of its height at each place: of the line, not of a further point.

    At place a the height is sum l_i y_i with l_i = w_i / W + (a - x_w) k_i, where x_w is the weighted mean of x and
    k as in `slope`; its variance is l' V l, scaled as there, its quantiles are of the same t.

    Args:
        x: Shape (n,), as in `slope`.
        y: Shape (n,).
        variance: Shape (n,) or (n, n), in squared units of y.
        at: Shape (places,), in units of x.
        level: Confidence level of each place's interval, between 0 and 1.

    Returns:
        Shape (places,) each, in units of y; NaN with fewer than two different x.

    Raises:
        ValueError: The shapes don't fit, a variance is negative, or the level is not between 0 and 1.

    Source: statsmodels' WLS, `get_prediction` (mean_ci).
    """
    z = normal_quantile(level)
    places = np.asarray(at, dtype=np.float64)
    x, y, covariance = _known(x, y, variance)
    n = len(x)
    if len(np.unique(x)) < 2:
        nothing = np.full(places.shape, np.nan)
        return Band(nothing, nothing, nothing)
    w = 1.0 / np.diag(covariance)
    centre = np.sum(w * x) / np.sum(w)
    k = w * (x - centre) / np.sum(w * (x - centre) ** 2)
    weights = w / np.sum(w) + (places - centre)[:, None] * k
    residuals = y - np.sum(w * y) / np.sum(w) - (k @ y) * (x - centre)
    scale = max(1.0, float(np.sum(w * residuals**2)) / (n - 2)) if n > 2 else 1.0
    stderr = np.sqrt(np.einsum("pi,ij,pj->p", weights, covariance, weights) * scale)
    half = (float(t_quantile(n - 2, level)) if n > 2 else z) * stderr
    fitted = weights @ y
    return Band(fitted, fitted - half, fitted + half)


def area_between(x: npt.ArrayLike, difference: npt.ArrayLike, variance: npt.ArrayLike, level: float = 0.95) -> Trend:
    """Mean height of a difference of two curves over training: the area between them over the span of x.

    Trapezoids between neighbouring points, so it is sum k_i d_i, and its variance k' V k; normal quantiles.

    Args:
        x: Shape (n,), steps or log10 of tokens; in any order, each once.
        difference: Shape (n,), one curve less the other at these x.
        variance: Shape (n,) where the differences are independent, else their covariance, shape (n, n). Differences
            over the same questions are not: their plain variances would make the interval too narrow.
        level: Confidence level, between 0 and 1.

    Returns:
        In units of the difference (times the span of x it is the area); NaN with fewer than two points, and without
        an interval where the points leave no error.

    Raises:
        ValueError: The shapes don't fit, an x comes twice, a variance is negative, or the level is not allowed.
    """
    z = normal_quantile(level)
    x, d, covariance = _known(x, difference, variance)
    if len(np.unique(x)) < len(x):
        raise ValueError("the area between two curves needs each x once")
    if len(x) < 2:
        return Trend(np.nan, np.nan, np.nan, np.nan, np.nan, len(x))
    order = np.argsort(x)
    gaps = np.diff(x[order])
    k = np.empty_like(x)
    k[order] = (np.append(gaps, 0.0) + np.insert(gaps, 0, 0.0)) / 2.0 / gaps.sum()
    estimate, variance_of_area = float(k @ d), float(k @ covariance @ k)
    # Points that cancel in every answer leave nothing but rounding: that is no certainty.
    if not variance_of_area > 1e-12 * float(k**2 @ np.diag(covariance)):
        return Trend(estimate, np.nan, np.nan, np.nan, np.nan, len(x))
    stderr = float(np.sqrt(variance_of_area))
    p = 2.0 * normal_cdf(-abs(estimate) / stderr)
    return Trend(estimate, estimate - z * stderr, estimate + z * stderr, stderr, p, len(x))


Direction = Literal["shrinks", "grows", "no significant change"]


def lead_over_steps(lead: float, change: Trend, level: float = 0.95) -> Direction:
    """Read the slope of a lead: whether it moves towards 0, away from it, or not demonstrably either.

    On a line of mean m and slope b the lead is larger at the end than at the start exactly where m b > 0. The sign of
    the first step alone would be chance's wherever a lead begins near 0.

    Args:
        lead: The mean lead over the line, with its sign.
        change: Slope of the lead.
        level: At which `change` must differ from 0.
    """
    if not change.p < 1.0 - level:
        return "no significant change"
    return "shrinks" if lead * change.estimate < 0 else "grows"


def _known(x: npt.ArrayLike, y: npt.ArrayLike, variance: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Points that have everything, with their covariance."""
    x, y, v = (np.asarray(a, dtype=np.float64) for a in (x, y, variance))
    if x.ndim != 1 or y.shape != x.shape or v.shape not in ((len(x),), (len(x), len(x))):
        raise ValueError("x and y must have one shape (n,), the variance (n,) or (n, n)")
    covariance = np.diag(v) if v.ndim == 1 else v
    diagonal = np.diag(covariance)
    if np.any(diagonal < 0):
        raise ValueError("variances must not be negative")
    keep = np.isfinite(x) & np.isfinite(y) & (diagonal > 0) & np.isfinite(diagonal)
    return x[keep], y[keep], covariance[np.ix_(keep, keep)]
