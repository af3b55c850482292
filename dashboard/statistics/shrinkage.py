"""Many cells at once: each pulled towards what the others are, as far as they are alike (hierarchical models)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dashboard.statistics.distributions import Floats
from dashboard.statistics.proportions import checked_counts, normal_quantile

FEWEST = 4
"""Cells: of fewer next to nothing can be told of how alike they are."""
SPREAD = np.exp(np.linspace(np.log(0.5), np.log(50_000.0), 32))
"""Grid of the population's a + b: from rates that are nearly all 0 or 1 to rates that are one."""
CENTRES = 40
"""Grid of its mean."""
TAUS = 200
"""Grid of the normal population's standard deviation, up to `REACH` times what the estimates vary by."""
REACH = 8.0
HALVINGS = 27
"""Of the range that a bound is sought in: to a part in 10^8."""
LEAST_WEIGHT = 1e-6
"""Grid points of less weight together tell nothing that could be seen."""


@dataclass(frozen=True, slots=True)
class Shrunk:
    """Cells as of a model, one a cell.

    Attributes:
        estimate: Posterior means.
        low, high: Equal-tailed posterior intervals; from 0 where no sample has the outcome, up to 1 where all have.
        centre: Posterior mean of the population's mean.
        spread: Posterior mean of the population's standard deviation.
    """

    estimate: Floats
    low: Floats
    high: Floats
    centre: float
    spread: float


def shrunk_rates(k: npt.ArrayLike, n: npt.ArrayLike, level: float = 0.95) -> Shrunk:
    """Rates of k out of n each, as draws from one beta distribution that is learnt from them (beta-binomial).

    The beta's parameters have the prior p(a, b) ~ (a + b)^(-5/2): flat in its mean and in (a + b)^(-1/2), which is
    about its standard deviation. All are integrated over a grid, so that the intervals hold what isn't known of them.

    Args:
        k: Successes, shape (cells,); effective ones, which need not be whole, where samples are clustered.
        n: Samples, likewise; above 0.
        level: Posterior probability of the intervals, between 0 and 1.

    Raises:
        ValueError: Fewer than 4 cells, an `n` of 0, a `k` beyond it, or `level` is not between 0 and 1.

    Source: Gelman et al. (2013), Bayesian Data Analysis, 5.3.
    """
    from scipy.special import betainc, betaln

    k, n = np.broadcast_arrays(*checked_counts(k, n, level))
    _enough(k)
    if not np.all(n > 0):
        raise ValueError("a cell without samples has no rate to shrink")
    pooled = (k.sum() + 0.5) / (n.sum() + 1.0)
    # Fine where the mean is, out to where it can't be: half of the nodes follow what is pooled.
    near = np.log(pooled / (1 - pooled)) + np.linspace(-4.0, 4.0, CENTRES)
    centre = 1.0 / (1.0 + np.exp(-near))
    mean, total = (grid.ravel() for grid in np.meshgrid(centre, SPREAD, indexing="ij"))
    a, b = mean * total, (1.0 - mean) * total
    likelihood = np.sum(betaln(k + a[:, None], n - k + b[:, None]), axis=1) - len(k) * betaln(a, b)
    # The prior, times the width of a cell of the grid: d(a) d(b) = (a + b) d(mean) d(a + b).
    weight = _weights(likelihood - 0.5 * np.log(total) + np.log(mean) + np.log1p(-mean))
    seen = weight > LEAST_WEIGHT * weight.max()
    weight, a, b = weight[seen] / weight[seen].sum(), a[seen, None], b[seen, None]
    estimate = weight @ ((k + a) / (n + a + b))

    def below(x: Floats) -> Floats:
        found: Floats = weight @ betainc(k + a, n - k + b, x)
        return found

    zero, one = np.zeros(len(k)), np.ones(len(k))
    low, high = (_quantile(below, zero, one, p) for p in _tails(level))
    # Populations may have most of their rates next to 0: what was never seen isn't told from it.
    low, high = np.where(k == 0, 0.0, low), np.where(k == n, 1.0, high)
    of, sd = a / (a + b), np.sqrt(a * b / (a + b) ** 2 / (a + b + 1.0))
    return Shrunk(estimate, low, high, float((weight @ of).item()), float((weight @ sd).item()))


def shrunk_means(estimates: npt.ArrayLike, stderrs: npt.ArrayLike, level: float = 0.95) -> Shrunk:
    """Means with standard errors, as draws from one normal distribution that is learnt from them.

    Its mean has a flat prior, and so has its standard deviation; both are integrated over.

    Args:
        estimates: Shape (cells,).
        stderrs: Standard errors, likewise, taken as known; above 0.
        level: Posterior probability of the intervals, between 0 and 1.

    Raises:
        ValueError: Fewer than 4 cells, a standard error that isn't above 0, or `level` is not between 0 and 1.

    Source: Gelman et al. (2013), Bayesian Data Analysis, 5.4.
    """
    from scipy.special import ndtr

    y, se = np.broadcast_arrays(np.asarray(estimates, np.float64), np.asarray(stderrs, np.float64))
    normal_quantile(level)
    _enough(y)
    if not np.all(se > 0):
        raise ValueError("a mean without a standard error above 0 can't be shrunk")
    tau = np.linspace(0.0, REACH * float(np.sqrt(np.var(y, ddof=1) + np.mean(se**2))), TAUS + 1)[1:, None]
    # Half a step from 0, where the density need not fall.
    tau = tau - tau[0] / 2.0
    precision = 1.0 / (se**2 + tau**2)
    of_centre = 1.0 / precision.sum(axis=1)
    centre = of_centre * (precision @ y)
    fit = np.sum((y - centre[:, None]) ** 2 * precision, axis=1)
    weight = _weights(0.5 * (np.log(of_centre) + np.log(precision).sum(axis=1) - fit))
    own, others = 1.0 / se**2, 1.0 / tau**2
    mean = (own * y + others * centre[:, None]) / (own + others)
    sd = np.sqrt(1.0 / (own + others) + (others / (own + others)) ** 2 * of_centre[:, None])

    def below(x: Floats) -> Floats:
        found: Floats = weight @ ndtr((x - mean) / sd)
        return found

    reach = 12.0 * sd.max(axis=0)
    low, high = (_quantile(below, mean.min(axis=0) - reach, mean.max(axis=0) + reach, p) for p in _tails(level))
    return Shrunk(weight @ mean, low, high, float(weight @ centre), float((weight @ tau).item()))


def _enough(cells: Floats) -> None:
    if cells.ndim != 1 or len(cells) < FEWEST:
        raise ValueError(f"shrinkage needs {FEWEST} cells or more in a row, and this has the shape {cells.shape}")


def _weights(log_density: Floats) -> Floats:
    density = np.exp(log_density - log_density.max())
    found: Floats = density / density.sum()
    return found


def _tails(level: float) -> tuple[float, float]:
    return (1.0 - level) / 2.0, (1.0 + level) / 2.0


def _quantile(below: Callable[[Floats], Floats], low: Floats, high: Floats, p: float) -> Floats:
    """Where a distribution function, one a cell, reaches p."""
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        under = below(middle) < p
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    return (low + high) / 2.0
