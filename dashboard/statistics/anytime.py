"""An interval of a proportion that may be looked at after every sample, and be the reason to stop."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from dashboard.statistics.distributions import Floats
from dashboard.statistics.proportions import checked_counts

HALF = 0.5
"""Both parameters of the beta distribution that is mixed over: no rate is favoured."""
LOG_PRIOR = math.log(math.pi)
"""Of the beta function at both."""
HALVINGS = 60
"""Of the interval that a bound is sought in: as far as floating point goes."""


def anytime_interval(k: npt.ArrayLike, n: npt.ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """The interval of k out of n whose coverage holds at all n together, however one decides when to stop.

    For a rate P, B(k + 1/2, n - k + 1/2) / B(1/2, 1/2) / (P^k (1 - P)^(n - k)) is a martingale that begins at 1, so
    that it ever reaches 1 / (1 - level) with a chance of at most 1 - level (Ville). The interval has every P for which
    it is below that now.

    Args:
        k: Successes, any shape that broadcasts with `n`.
        n: Independent samples so far. 0 gives NaN.
        level: Confidence level, between 0 and 1.

    Returns:
        Lower and upper bounds as fractions from 0 to 1, in the broadcast shape.

    Raises:
        ValueError: `k` is negative or exceeds `n`, or `level` is not between 0 and 1.

    Source: Robbins (1970), Annals of Mathematical Statistics 41; for binomial data Lai (1976), Annals of Statistics 4.
    """
    k, n = np.broadcast_arrays(*checked_counts(k, n, level))
    least = _log_beta(k + HALF, n - k + HALF) - LOG_PRIOR + math.log(1.0 - level)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = k / n
        low = _bound(np.zeros_like(rate), rate, k, n, least)
        high = _bound(np.ones_like(rate), rate, k, n, least)
    return np.where(k == 0, np.where(n > 0, 0.0, np.nan), low), np.where(k == n, np.where(n > 0, 1.0, np.nan), high)


def _bound(outside: Floats, inside: Floats, k: Floats, n: Floats, least: Floats) -> Floats:
    """Where the log-likelihood falls to its least value, between an end of the scale and the observed rate."""
    for _ in range(HALVINGS):
        middle = (outside + inside) / 2.0
        within = k * np.log(middle) + (n - k) * np.log1p(-middle) > least
        inside, outside = np.where(within, middle, inside), np.where(within, outside, middle)
    return (outside + inside) / 2.0


def _log_beta(a: Floats, b: Floats) -> Floats:
    log_gamma = np.vectorize(math.lgamma, otypes=[np.float64])
    found: Floats = log_gamma(a) + log_gamma(b) - log_gamma(a + b)
    return found
