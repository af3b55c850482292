"""p-values of a family of comparisons, corrected so that many looks don't make a finding."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from dashboard.statistics.distributions import Floats

Correction = Literal["holm", "bh", "none"]
CORRECTIONS: tuple[Correction, ...] = get_args(Correction)

CORRECTION_NAMES: dict[Correction, str] = {"holm": "Holm", "bh": "Benjamini-Hochberg", "none": "none"}


def corrected(p: npt.ArrayLike, correction: Correction) -> Floats:
    """Correct the p-values of one family.

    Args:
        p: Shape (comparisons,), from 0 to 1; NaN for a comparison that could not be made, which is no member of
            the family and stays NaN.
        correction: holm (no false finding in the whole family), bh (share of false ones among the findings), none.

    Returns:
        Same shape: p-values to be held against 0.05 each.

    Raises:
        ValueError: A p-value outside 0 to 1, or a correction that is not allowed.

    Sources: Holm (1979), Scandinavian Journal of Statistics 6; Benjamini & Hochberg (1995), JRSS B 57.
    """
    values = np.asarray(p, dtype=np.float64)
    if np.any((values < 0) | (values > 1)):
        raise ValueError("p-values must lie between 0 and 1")
    if correction not in CORRECTIONS:
        raise ValueError(f'correction is "{correction}" (allowed: {", ".join(CORRECTIONS)})')
    result = values.copy()
    known = ~np.isnan(values)
    if correction != "none":
        result[known] = {"holm": _holm, "bh": _benjamini_hochberg}[correction](values[known])
    return result


def _holm(p: Floats) -> Floats:
    """The i-th smallest of m times m - i + 1, never falling."""
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return _put_back(stepped, order)


def _benjamini_hochberg(p: Floats) -> Floats:
    """The i-th smallest of m times m / i, never rising downwards."""
    order = np.argsort(p)
    stepped = np.minimum.accumulate((p[order] * len(p) / np.arange(1, len(p) + 1))[::-1])[::-1]
    return _put_back(stepped, order)


def _put_back(stepped: Floats, order: npt.NDArray[np.intp]) -> Floats:
    result = np.empty_like(stepped)
    result[order] = np.minimum(stepped, 1.0)
    return result
