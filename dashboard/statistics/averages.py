"""Intervals of numbers that carry intervals already: averages over evals, and values reported with an error."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from dashboard.statistics.distributions import Floats
from dashboard.statistics.proportions import clopper_pearson_interval, normal_quantile, wilson_interval


def average_interval(
    estimates: npt.ArrayLike,
    lows: npt.ArrayLike,
    highs: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
) -> tuple[Floats, Floats, Floats]:
    """Average of independent estimates, with an interval made of theirs (MOVER, "square and add").

    low = A - sqrt(sum w_i^2 (x_i - l_i)^2) and high = A + sqrt(sum w_i^2 (u_i - x_i)^2): each bound borrows the
    distances of the members' own bounds, so it stays inside 0 to 1 and honest where a member is at 0 of n.

    Args:
        estimates: Shape (..., m), the m members along the last axis.
        lows: Same shape, lower bounds, all of one confidence level.
        highs: Same shape, upper bounds.
        weights: Shape (m,) or (..., m); equal when None. They are scaled to add up to 1.

    Returns:
        Average, low and high, each of shape (...), in the units of the estimates; NaN where a member is.

    Raises:
        ValueError: There are no members, or the weights are negative or all 0.

    Sources: Zou & Donner (2008), Statistics in Medicine 27, 1693-1702; Newcombe (1998), Statistics in Medicine
    17, 873-890 (method 10, of which this is the general form).
    """
    x, low, high = (np.asarray(a, dtype=np.float64) for a in (estimates, lows, highs))
    if x.ndim == 0 or x.shape[-1] == 0:
        raise ValueError("an average needs at least one member")
    w = np.full(x.shape[-1], 1.0) if weights is None else np.asarray(weights, dtype=np.float64)
    if np.any(w < 0) or np.any(w.sum(axis=-1) == 0):
        raise ValueError("weights must not be negative, nor all 0")
    w = w / w.sum(axis=-1, keepdims=True)
    average = np.sum(w * x, axis=-1)
    down = np.sqrt(np.sum((w * (x - low)) ** 2, axis=-1))
    up = np.sqrt(np.sum((w * (high - x)) ** 2, axis=-1))
    return average, average - down, average + up


def share_interval(
    share: npt.ArrayLike,
    stderr: npt.ArrayLike,
    level: float = 0.95,
    method: Literal["wilson", "clopper-pearson"] = "wilson",
) -> tuple[Floats, Floats]:
    """The interval of a share of which a standard error is known and no n: Wilson's at the n that the error stands for.

    That n is p (1 - p) / stderr^2 + 1, which inverts the standard error of a sample mean, sqrt(p (1 - p) / (n - 1)),
    as lm-eval and inspect report it: then it is the very interval of k out of n. Where the error allows for clusters,
    it is the effective sample size. Unlike p +- z * stderr it lies in 0 to 1, and it is as long as it should be near
    the ends. At 0 and at 1, where the error stands for no n, it is p +- z * stderr, cut off there.

    Args:
        share: Fractions from 0 to 1.
        stderr: Standard errors, above 0; NaN where there is none, and then so are the bounds.
        level: Confidence level, between 0 and 1.
        method: Which interval to take at that n.

    Returns:
        Lower and upper bounds as fractions from 0 to 1.

    Raises:
        ValueError: A share is no fraction, a standard error is not above 0, or `level` is not between 0 and 1.

    Source: Korn & Graubard (1998), Survey Methodology 24 (the effective size); Wilson (1927), JASA 22.
    """
    p, stderr = np.broadcast_arrays(np.asarray(share, dtype=np.float64), np.asarray(stderr, dtype=np.float64))
    if np.any((p < 0) | (p > 1)):
        raise ValueError("a share must lie between 0 and 1")
    if np.any(stderr <= 0):
        raise ValueError("a standard error must be above 0")
    half = normal_quantile(level) * stderr
    n = p * (1.0 - p) / stderr**2 + 1.0
    inside = (p > 0) & (p < 1) & ~np.isnan(stderr)
    sizes = np.where(inside, n, 1.0)
    of_counts = wilson_interval if method == "wilson" else clopper_pearson_interval
    low, high = of_counts(np.where(inside, p, 0.0) * sizes, sizes, level)
    return np.where(inside, low, np.maximum(p - half, 0.0)), np.where(inside, high, np.minimum(p + half, 1.0))


def reported_interval(value: npt.ArrayLike, stderr: npt.ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """value +- z * stderr, for a number that a log reports with a standard error and without its samples.

    Args:
        value: As reported, in its own units.
        stderr: Its standard error in the same units; NaN where there is none, and then so are the bounds.
        level: Confidence level, between 0 and 1.

    Returns:
        Lower and upper bounds in the units of the value.

    Raises:
        ValueError: A standard error is negative, or `level` is not between 0 and 1.
    """
    value, stderr = np.asarray(value, dtype=np.float64), np.asarray(stderr, dtype=np.float64)
    if np.any(stderr < 0):
        raise ValueError("a standard error must not be negative")
    half = normal_quantile(level) * stderr
    return value - half, value + half
