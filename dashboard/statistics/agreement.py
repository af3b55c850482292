"""How far two who judged the same things agree: Cohen's kappa with its interval, and where there can be none."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dashboard.statistics.proportions import normal_quantile

NOTHING = "no sample was rated by both"
ONE_CLASS = "both gave every sample the same label, so chance agreement is 1"
NO_SPREAD = "they agree or disagree on all samples, so kappa has no standard error"
ONE_ANSWER = "one of the two gave every sample the same label, so kappa has no standard error"

LEAST_VARIANCE = 1e-15
"""A smaller one is 0 but for rounding."""


@dataclass(frozen=True, slots=True)
class Kappa:
    """Cohen's kappa: agreement beyond what chance gives. 1 is full agreement, 0 what chance gives, below 0 less.

    Attributes:
        n: Things judged by both.
        agreed: Those on which they agree.
        kappa: NaN where it is undefined.
        low, high: Bounds of its interval, from -1 to 1; NaN where they can't be told.
        reason: Why something is missing, for people; None where nothing is.
    """

    n: int
    agreed: int
    kappa: float
    low: float
    high: float
    reason: str | None = None


def cohens_kappa(table: npt.ArrayLike, level: float = 0.95) -> Kappa:
    """Kappa of two raters, with the interval of its asymptotic standard error.

    Args:
        table: Shape (classes, classes): how many things the one put into the class of the row, the other into that of
            the column.
        level: Confidence level, between 0 and 1. Things count as independent: epochs of a question are not, and make
            the true interval wider.

    Raises:
        ValueError: No square table of counts, or `level` is not between 0 and 1.

    Source: Cohen (1960), Educational and Psychological Measurement 20; standard error: Fleiss, Cohen & Everitt (1969),
    Psychological Bulletin 72, as in statsmodels' `cohens_kappa`. Undefined where chance alone would agree always. Full
    agreement and full disagreement have a standard error of 0, which is no certainty: their bounds are missing.
    """
    quantile = normal_quantile(level)
    counts = np.asarray(table, dtype=np.float64)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise ValueError(f"a table of agreement is square, and this has the shape {counts.shape}")
    if np.any(counts < 0) or np.any(counts != np.floor(counts)):
        raise ValueError("a table of agreement holds counts: whole numbers from 0 on")
    n, agreed = int(counts.sum()), int(np.trace(counts))
    if n == 0:
        return Kappa(n, agreed, math.nan, math.nan, math.nan, NOTHING)
    shares = counts / n
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    by_chance = float(rows @ columns)
    # In whole numbers, where rounding can't hide it: all things in one class of both.
    if np.any((counts.sum(axis=1) == n) & (counts.sum(axis=0) == n)):
        return Kappa(n, agreed, math.nan, math.nan, math.nan, ONE_CLASS)
    kappa = (agreed / n - by_chance) / (1.0 - by_chance)
    on_diagonal = np.diag(shares) * (1.0 - (rows + columns) * (1.0 - kappa)) ** 2
    beside = shares * (columns[:, None] + rows[None, :]) ** 2
    np.fill_diagonal(beside, 0.0)
    variance = (on_diagonal.sum() + (1.0 - kappa) ** 2 * beside.sum() - (kappa - by_chance * (1.0 - kappa)) ** 2) / (
        (1.0 - by_chance) ** 2 * n
    )
    if variance < LEAST_VARIANCE:
        reason = NO_SPREAD if agreed in (0, n) else ONE_ANSWER
        return Kappa(n, agreed, float(kappa), math.nan, math.nan, reason)
    half = quantile * math.sqrt(variance)
    return Kappa(n, agreed, float(kappa), max(-1.0, float(kappa - half)), min(1.0, float(kappa + half)))
