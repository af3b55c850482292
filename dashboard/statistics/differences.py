"""Differences of two rates or means: paired on the same questions, or unpaired; clustered either way.

A difference of rates takes its interval from the intervals of the two rates ("square and add"), so it is honest at
0 of n, where a standard error would be 0. A difference of means is a t interval on the clustered standard error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dashboard.statistics.averages import reported_interval
from dashboard.statistics.clusters import (
    ClusteredInterval,
    ClusterSums,
    clustered_mean_interval,
    clustered_proportion_interval,
    clustered_stderr,
    sums_of_numbered,
    sums_of_parts,
)
from dashboard.statistics.distributions import Floats, binomial_half_cdf, normal_cdf, root, t_cdf, t_quantile
from dashboard.statistics.proportions import normal_quantile

SMALLEST_P = 1e-12
"""p-values found by inverting an interval are not followed further down."""


class PairedSums(NamedTuple):
    """Sums of two evals over the same clusters, or arrays of them with an entry per pair."""

    here: ClusterSums
    there: ClusterSums
    correlation: npt.ArrayLike
    """Of the clusters' residuals, from -1 to 1: how far chance moved both rates alike. 0 where either has none."""


@dataclass(frozen=True)
class Difference:
    """A difference of two numbers, the second subtracted.

    Attributes:
        estimate: In the units of the two: fractions for rates.
        interval: Lower and upper bound at a level between 0 and 1; NaN where nothing can be told.
        p: Two-sided p-value of "no difference"; NaN where nothing can be told.
        test: What `p` is of.
        effect: Standardised effect.
        effect_kind: Which: "Cohen's h", "Cohen's d" or "Cohen's d (paired)".
        method: What the interval is.
        sums: Of paired rates, what the interval is made of.
    """

    estimate: float
    interval: Callable[[float], tuple[float, float]]
    p: float
    test: str
    effect: float
    effect_kind: str
    method: str
    sums: PairedSums | None = None


def paired_sums(
    means: npt.ArrayLike,
    baseline: npt.ArrayLike,
    epochs: npt.ArrayLike,
    baseline_epochs: npt.ArrayLike,
    cluster: npt.ArrayLike,
) -> PairedSums:
    """Sums of two evals over the same questions, every question counting once whatever its number of epochs.

    A question stands for as many samples as the harmonic mean of the questions' epochs: the number of samples that
    an average of question means is worth.

    Args:
        means: Shape (questions,), mean over the epochs of a question.
        baseline: Same shape, of the same questions at the other checkpoint.
        epochs: Same shape, number of epochs behind each mean, at least 1.
        baseline_epochs: Same shape, likewise.
        cluster: Same shape, the cluster of each question.

    Raises:
        ValueError: The shapes differ, or there are no questions.
    """
    a, b, m, k = (np.asarray(x, dtype=np.float64) for x in (means, baseline, epochs, baseline_epochs))
    label = np.asarray(cluster)
    if not (a.shape == b.shape == m.shape == k.shape == label.shape) or a.ndim != 1 or not len(a):
        raise ValueError("paired questions need means, epochs and clusters of one shape (questions,), at least one")
    _, index = np.unique(label, return_inverse=True)
    residuals = [np.bincount(index, weights=x - x.mean()) for x in (a, b)]
    norm = np.sqrt(np.sum(residuals[0] ** 2) * np.sum(residuals[1] ** 2))
    here, there = (
        sums_of_numbered(np.full(len(a), weight), weight * x, index)
        for x, weight in ((a, len(a) / np.sum(1 / m)), (b, len(a) / np.sum(1 / k)))
    )
    return PairedSums(here, there, float(np.sum(residuals[0] * residuals[1]) / norm) if norm > 0 else 0.0)


def paired_proportion_interval(sums: PairedSums, level: float = 0.95) -> tuple[Floats, Floats]:
    """Interval of a difference of two rates over the same questions.

    D - sqrt(x^2 - 2 r x y + y^2), where x and y are the distances from the one rate to its lower bound and from the
    other to its upper bound (both from `clustered_proportion_interval`), and r their correlation; the upper bound
    likewise. With one epoch and no clusters this is Newcombe's method 10; as there, a positive r is first lowered
    by what one answer's worth of chance makes of it, so that rates which are equal in every answer don't get an
    interval without width.

    Args:
        sums: Sums of values 0 and 1, from `paired_sums`, or arrays of them.
        level: Confidence level, between 0 and 1.

    Returns:
        Bounds of the difference as fractions from -1 to 1, in the shape of the sums.

    Sources: Newcombe (1998), Statistics in Medicine 17, 2635-2650, method 10; Zou & Donner (2008), Statistics in
    Medicine 27, 1693-1702, for intervals of any kind. Simulated in tests/dashboard/statistics/test_differences.py.
    """
    # Both at once: most of the cost of a few numbers is that of asking for them.
    fields = np.array(np.broadcast_arrays(*sums.here, *sums.there), dtype=np.float64)
    both = _bounds(ClusterSums(*fields.reshape(2, -1, *fields.shape[1:]).swapaxes(0, 1)), level)
    here, there = (_Bounded(both.rate[at], ClusteredInterval(*(ends[at] for ends in both.interval))) for at in (0, 1))
    p, q = here.rate, there.rate
    r = np.asarray(sums.correlation, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(p * (1.0 - p) * q * (1.0 - q))
        by_chance = 1.0 / (2.0 * np.sqrt(here.interval.n_eff * there.interval.n_eff) * spread)
        corrected = np.where(spread > 0, np.maximum(r - by_chance, 0.0), 0.0)
    return _square_and_add(here, there, np.where(r > 0, corrected, r))


def unpaired_proportion_interval(
    sums: ClusterSums, baseline: ClusterSums, level: float = 0.95
) -> tuple[Floats, Floats]:
    """Interval of a difference of two rates over questions that have nothing to do with each other.

    D - sqrt(x^2 + y^2), with x and y as in `paired_proportion_interval`: without clusters, Newcombe's hybrid score
    interval; with them, the same of the two clustered Wilson intervals.

    Args:
        sums: Sums of values 0 and 1, or arrays of them.
        baseline: Sums of what is subtracted.
        level: Confidence level, between 0 and 1.

    Returns:
        Bounds of the difference as fractions from -1 to 1, in the shape of the sums.

    Source: Newcombe (1998), Statistics in Medicine 17, 873-890, method 10.
    """
    return _square_and_add(_bounds(sums, level), _bounds(baseline, level), np.asarray(0.0))


def paired_rate_difference(
    means: npt.ArrayLike,
    baseline: npt.ArrayLike,
    epochs: npt.ArrayLike,
    baseline_epochs: npt.ArrayLike,
    cluster: npt.ArrayLike,
) -> Difference:
    """Difference of two rates over the same questions; arguments as for `paired_sums`.

    p is that of McNemar's exact test where every question has one epoch and is a cluster of its own; elsewhere it
    is the level at which the interval just reaches 0.
    """
    sums = paired_sums(means, baseline, epochs, baseline_epochs, cluster)
    p, q = (float(np.mean(np.asarray(x, dtype=np.float64))) for x in (means, baseline))
    single = np.all(np.asarray(epochs) == 1) and np.all(np.asarray(baseline_epochs) == 1)
    independent = int(np.asarray(sums.here.clusters)) == len(np.asarray(means))

    @cache
    def interval(level: float) -> tuple[float, float]:
        return _floats(paired_proportion_interval(sums, level))

    if single and independent:
        d = np.asarray(means, dtype=np.float64) - np.asarray(baseline, dtype=np.float64)
        p_value, test = mcnemar_p(int(np.sum(d > 0)), int(np.sum(d < 0))), "McNemar, exact"
    else:
        p_value, test = inverted_p(p - q, interval), "interval inverted"
    method = "Newcombe, paired" if independent and single else "Newcombe, paired, clustered Wilson"
    return Difference(p - q, interval, p_value, test, cohens_h(p, q), "Cohen's h", method, sums)


def unpaired_rate_difference(sums: ClusterSums, baseline: ClusterSums) -> Difference:
    """Difference of two rates over different questions, from the sums of each; p is the interval's, inverted."""
    p, q = (float(np.asarray(s.total) / np.asarray(s.n)) for s in (sums, baseline))

    @cache
    def interval(level: float) -> tuple[float, float]:
        return _floats(unpaired_proportion_interval(sums, baseline, level))

    clustered = any(float(np.asarray(s.clusters)) < float(np.asarray(s.n)) for s in (sums, baseline))
    method = "Newcombe, unpaired" + (", clustered Wilson" if clustered else "")
    p_value = inverted_p(p - q, interval)
    return Difference(p - q, interval, p_value, "interval inverted", cohens_h(p, q), "Cohen's h", method)


def paired_mean_difference(means: npt.ArrayLike, baseline: npt.ArrayLike, cluster: npt.ArrayLike) -> Difference:
    """Difference of two means over the same questions: the mean of the questions' differences.

    Its standard error is that of the differences, clustered; t with C - 1 degrees of freedom. Without clusters it
    is the paired t test. The effect is the mean difference over the standard deviation of the differences (d_z).

    Args:
        means: Shape (questions,), mean over the epochs of a question, in the score's units.
        baseline: Same shape, of the same questions at the other checkpoint.
        cluster: Same shape, the cluster of each question.

    Returns:
        Bounds and p are NaN with fewer than two clusters, or where all differences are equal.

    Source: Miller (2024), "Adding error bars to evals", on paired differences, arXiv:2411.00640.
    """
    d = np.asarray(means, dtype=np.float64) - np.asarray(baseline, dtype=np.float64)
    sums = sums_of_parts(np.ones_like(d), d, cluster)
    estimate, stderr = float(d.mean()), float(clustered_stderr(sums))
    spread = float(np.std(d, ddof=1)) if len(d) > 1 else np.nan
    known = stderr > 1e-12 * max(1.0, abs(estimate))

    @cache
    def interval(level: float) -> tuple[float, float]:
        if not known:
            return np.nan, np.nan
        found = clustered_mean_interval(sums, level)
        return float(found.low), float(found.high)

    df = float(np.asarray(sums.clusters)) - 1.0
    p = float(2.0 * t_cdf(-abs(estimate) / stderr, df)) if known else np.nan
    effect = estimate / spread if known and spread > 0 else np.nan
    clustered = ", clustered" if df + 1 < len(d) else ""
    return Difference(
        estimate, interval, p, "paired t" + clustered, effect, "Cohen's d (paired)", "t, paired" + clustered
    )


def unpaired_mean_difference(
    sums: ClusterSums, baseline: ClusterSums, spread: float, baseline_spread: float
) -> Difference:
    """Difference of two means over different questions: Welch's t on the clustered standard errors.

    Degrees of freedom are Satterthwaite's, each mean with its clusters less one. Without clusters it is Welch's t
    test. The effect is the difference over the pooled standard deviation of the samples.

    Args:
        sums: Sums of one eval, in the score's units.
        baseline: Sums of what is subtracted.
        spread: Standard deviation of the samples, n - 1 in the denominator.
        baseline_spread: The same of the other eval.

    Source: Miller (2024), arXiv:2411.00640, on two-sample differences; Welch (1947), Biometrika 34.
    """
    m, k = (float(np.asarray(s.total) / np.asarray(s.n)) for s in (sums, baseline))
    v, w = (float(clustered_stderr(s)) ** 2 for s in (sums, baseline))
    free = [float(np.asarray(s.clusters)) - 1.0 for s in (sums, baseline)]
    estimate, stderr = m - k, float(np.sqrt(v + w))
    known = stderr > 1e-12 * max(1.0, abs(m), abs(k))
    df = (v + w) ** 2 / (v**2 / free[0] + w**2 / free[1]) if known else np.nan

    @cache
    def interval(level: float) -> tuple[float, float]:
        half = float(t_quantile(df, level)) * stderr if known else np.nan
        return estimate - half, estimate + half

    n = [float(np.asarray(s.n)) for s in (sums, baseline)]
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = np.sqrt(((n[0] - 1) * spread**2 + (n[1] - 1) * baseline_spread**2) / (np.float64(sum(n)) - 2))
    p = float(2.0 * t_cdf(-abs(estimate) / stderr, df)) if known else np.nan
    effect = float(estimate / pooled) if pooled > 0 else np.nan
    clustered = ", clustered" if any(f + 1 < size for f, size in zip(free, n, strict=True)) else ""
    return Difference(estimate, interval, p, "Welch's t" + clustered, effect, "Cohen's d", "t, unpaired" + clustered)


def reported_difference(value: float, stderr: float, baseline: float, baseline_stderr: float) -> Difference:
    """Difference of two numbers that logs report with standard errors, as if they were independent: a z test.

    Args:
        value: As reported, in its own units.
        stderr: Its standard error; NaN where there is none, and then nothing is told of the difference.
        baseline: What is subtracted.
        baseline_stderr: Its standard error.

    Raises:
        ValueError: A standard error is negative.
    """
    error = float(np.hypot(stderr, baseline_stderr))

    @cache
    def interval(level: float) -> tuple[float, float]:
        if not error > 0:
            return np.nan, np.nan
        return _floats(reported_interval(value - baseline, error, level))

    if min(stderr, baseline_stderr) < 0:
        raise ValueError("a standard error must not be negative")
    p = 2.0 * normal_cdf(-abs(value - baseline) / error) if error > 0 else np.nan
    return Difference(value - baseline, interval, p, "z", np.nan, "none", "reported stderr, unpaired")


def mcnemar_p(gained: int, lost: int) -> float:
    """McNemar's exact test: the two-sided binomial p-value of the pairs that differ, at one half.

    Args:
        gained: Questions that are 1 here and 0 there.
        lost: Questions that are 0 here and 1 there.

    Source: McNemar (1947), Psychometrika 12; statsmodels' `mcnemar(exact=True)`.
    """
    both = gained + lost
    return min(1.0, 2.0 * binomial_half_cdf(min(gained, lost), both)) if both else 1.0


def cohens_h(rate: float, baseline: float) -> float:
    """Cohen's h: 2 asin(sqrt p) - 2 asin(sqrt q). Source: Cohen (1988), Statistical Power Analysis, chapter 6."""
    p, q = np.clip([rate, baseline], 0.0, 1.0)
    return float(2.0 * np.arcsin(np.sqrt(p)) - 2.0 * np.arcsin(np.sqrt(q)))


def inverted_p(estimate: float, interval: Callable[[float], tuple[float, float]]) -> float:
    """The p-value that belongs to an interval: 1 less the level at which it just reaches 0.

    So p is below 0.05 exactly where the 95% interval excludes 0.

    Args:
        estimate: The difference; 0 gives 1.
        interval: Bounds at a level.

    Returns:
        From `SMALLEST_P` to 1; NaN where there is no interval.
    """
    if estimate == 0.0:
        return 1.0 if np.isfinite(interval(0.95)[0]) else np.nan

    def margin(log_p: float) -> float:
        low, high = interval(1.0 - float(np.exp(log_p)))
        return low if estimate > 0 else -high

    least, most = np.log(SMALLEST_P), np.log(1.0 - 1e-9)
    at_least, at_most = margin(least), margin(most)
    if np.isnan(at_least) or np.isnan(at_most):
        return np.nan
    if at_least > 0:
        return SMALLEST_P
    return float(np.exp(root(margin, least, most, 1e-10))) if at_most > 0 else 1.0


class _Bounded(NamedTuple):
    rate: Floats
    interval: ClusteredInterval


def _bounds(sums: ClusterSums, level: float) -> _Bounded:
    normal_quantile(level)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Question means times a weight don't add up to whole counts, and rounding must not carry them beyond n.
        n = np.asarray(sums.n, dtype=np.float64)
        total = np.clip(np.asarray(sums.total, dtype=np.float64), 0.0, n)
        return _Bounded(total / n, clustered_proportion_interval(sums._replace(total=total), level))


def _square_and_add(here: _Bounded, there: _Bounded, r: Floats) -> tuple[Floats, Floats]:
    difference = here.rate - there.rate

    def reach(x: Floats, y: Floats) -> Floats:
        return np.sqrt(np.maximum(x**2 - 2.0 * r * x * y + y**2, 0.0))

    low = difference - reach(here.rate - here.interval.low, there.interval.high - there.rate)
    high = difference + reach(here.interval.high - here.rate, there.rate - there.interval.low)
    return np.maximum(low, -1.0), np.minimum(high, 1.0)


def _floats(bounds: tuple[Floats, Floats]) -> tuple[float, float]:
    return float(bounds[0]), float(bounds[1])
