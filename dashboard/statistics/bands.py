"""Simultaneous bands: intervals of several steps that hold all at once, and what may be read off them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dashboard.statistics.distributions import Floats, normal_cdf, normal_inverse
from dashboard.statistics.proportions import normal_quantile

DRAWS = 10_000
"""Of the largest of the steps' errors; the quantile's own error is about 0.01."""

_GRID = 50.0
"""Quantiles are rounded up to 1 / 50: bands of many lines then share quantiles of t, and none is narrower."""


class Onset(NamedTuple):
    """From which step on a difference shows, read off its simultaneous band."""

    first: float | None
    """The first step whose interval excludes 0."""
    lasting: float | None
    """The first step from which on every step's does, on the same side."""
    higher: bool | None
    """On which side from `lasting` on (else at `first`); None where there is neither."""


def simultaneous_level(covariance: npt.ArrayLike, level: float = 0.95) -> float:
    """The level at which each step's own interval is to be taken, so that all of them hold at once with `level`.

    It is 2 Phi(c) - 1, with c the quantile of max |Z_j| over the steps and Z normal with the steps' correlations: the
    plug-in sup-t band, here with intervals that are honest at 0 of n in place of multiples of a standard error. Drawing
    Z is the Gaussian multiplier bootstrap of the clusters: in each draw a cluster of questions has one random weight,
    the same at all steps. c lies between the quantile of one step (all move together) and Sidak's (none do), which is
    also what steps come to of which no correlation is known, as at 0 of n.

    Args:
        covariance: Shape (steps, steps), from `step_covariance` and `rescaled_covariance`; only its correlations
            count. Steps whose variance is not above 0 are taken as independent of the others.
        level: Of all steps together, between 0 and 1.

    Returns:
        From `level` to Sidak's level^(1 / steps), rounded up a little; `level` for fewer than two steps. The same for
        the same covariance, whenever it is asked.

    Raises:
        ValueError: The covariance is not square, or `level` is not between 0 and 1.

    Assumes that the errors of the steps are jointly near normal in the scale of their intervals, and that the clusters
    are independent. Each interval must hold by itself: the band is no better than they are.

    Sources: Montiel Olea & Plagborg-Moeller (2019), Journal of Applied Econometrics 34, 1-17, algorithm 1;
    Chernozhukov, Chetverikov & Kato (2013), Annals of Statistics 41, 2786-2819; Sidak (1967), JASA 62, 626-633.
    Simulated in tests/dashboard/statistics/test_bands.py.
    """
    least = normal_quantile(level)
    matrix = np.asarray(covariance, dtype=np.float64)
    steps = len(matrix)
    if matrix.shape != (steps, steps):
        raise ValueError("the covariance must have the shape (steps, steps)")
    if steps < 2:
        return level
    spread = np.sqrt(np.diag(matrix))
    known = np.isfinite(spread) & (spread > 0)
    scale = np.outer(np.where(known, spread, 1.0), np.where(known, spread, 1.0))
    correlation = np.where(np.outer(known, known) & np.isfinite(matrix), matrix / scale, 0.0)
    np.fill_diagonal(correlation, 1.0)
    values, vectors = np.linalg.eigh(correlation)
    factor = vectors * np.sqrt(np.maximum(values, 0.0))
    factor /= np.maximum(np.linalg.norm(factor, axis=1, keepdims=True), 1e-12)
    largest = np.abs(factor @ _normal_draws(steps)).max(axis=0)
    most = normal_inverse((1.0 + level ** (1.0 / steps)) / 2.0)
    found = min(max(float(np.quantile(largest, level)), least), most)
    return 2.0 * normal_cdf(math.ceil(found * _GRID - 1e-9) / _GRID) - 1.0


@cache
def _normal_draws(steps: int) -> Floats:
    """Shape (steps, `DRAWS`), the same in every process."""
    return np.random.default_rng(20190101).standard_normal((steps, DRAWS))


def onset(steps: Sequence[float], low: npt.ArrayLike, high: npt.ArrayLike) -> Onset:
    """From which step on a difference shows.

    Where the intervals are a simultaneous band, the whole answer ("lower from step 300 on") holds at the band's level.

    Args:
        steps: Shape (n,), in any order.
        low: Shape (n,), lower bounds of each step's difference, from the run's own start or from another run; NaN where
            there is none, which is passed over.
        high: Upper bounds.

    Raises:
        ValueError: The shapes differ.
    """
    lows, highs = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    if not lows.shape == highs.shape == (len(steps),):
        raise ValueError("every step needs one lower and one upper bound")
    sides = [
        (step, 1 if below > 0 else -1 if above < 0 else 0)
        for step, below, above in sorted(zip(steps, lows.tolist(), highs.tolist(), strict=True))
        if not math.isnan(below)
    ]
    first = next(((step, side) for step, side in sides if side), None)
    if first is None:
        return Onset(None, None, None)
    lasting = None
    for step, side in reversed(sides):
        if not side or side != sides[-1][1]:
            break
        lasting = step
    return Onset(first[0], lasting, (sides[-1][1] if lasting is not None else first[1]) > 0)
