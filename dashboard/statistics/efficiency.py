"""Data efficiency: which checkpoints no other beats for fewer tokens, and how many tokens a rate takes."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Better = Literal["lower", "higher"]

How = Literal["interpolated", "between", "at its first checkpoint", "before its first checkpoint", "never"]


class Reached(NamedTuple):
    """How many tokens a run took to reach a value."""

    tokens: float
    """The estimate; NaN where only `after` and `by` can be told, or where the value was never reached."""
    after: float
    """The last checkpoint (in tokens) before the value was reached; NaN where there is none before."""
    by: float
    """The first checkpoint (in tokens) at which the value is reached; NaN where it never is."""
    how: How
    """interpolated: `tokens` lies between (or at) two checkpoints. between: the earlier of the two has 0 tokens, of
    which there is no logarithm. before its first checkpoint: the first one is already past the value."""


def frontier(tokens: npt.ArrayLike, values: npt.ArrayLike, better: Better) -> npt.NDArray[np.bool_]:
    """The Pareto frontier of estimates: points that no other matches or beats with as few tokens or fewer.

    A point is off the frontier where another has no more tokens and no worse a value, one of the two being better.
    Points that are equal in both are on it together. It is a frontier of estimates: chance puts points on it, too.

    Args:
        tokens: Shape (points,), at least 0.
        values: Same shape, any unit.
        better: Which direction of the values is better.

    Returns:
        Shape (points,); False where tokens or value are missing.

    Raises:
        ValueError: The shapes differ, tokens are negative, or the direction is not allowed.
    """
    x, y = _of_one_shape(tokens, values, better)
    known = np.isfinite(x) & np.isfinite(y)
    on = known.copy()
    for i in np.flatnonzero(known):
        as_good = known & (x <= x[i]) & (y <= y[i])
        on[i] = not np.any(as_good & ((x < x[i]) | (y < y[i])))
    return on


def tokens_to_reach(tokens: npt.ArrayLike, values: npt.ArrayLike, target: float, better: Better) -> Reached:
    """Tokens at which a run first reaches a value: straight between its checkpoints over log10 of the tokens.

    Between the last checkpoint before, (x0, y0), and the first at or past the target, (x1, y1):
    log10 x = log10 x0 + (target - y0) / (y1 - y0) * (log10 x1 - log10 x0). Nothing is extrapolated. It is an
    estimate from estimates: it has no interval, and a later checkpoint may be worse again.

    Args:
        tokens: Shape (checkpoints,), at least 0, of one run, in any order; points that miss one of the two are left
            out.
        values: Same shape.
        target: The value to be reached, in the same unit.
        better: Which direction is better.

    Raises:
        ValueError: The shapes differ, tokens are negative, or the direction is not allowed.
    """
    x, y = _of_one_shape(tokens, values, better)
    goal = target if better == "lower" else -target
    known = np.isfinite(x) & np.isfinite(y)
    order = np.argsort(x[known], kind="stable")
    x, y = x[known][order], y[known][order]
    there = np.flatnonzero(y <= goal)
    if not len(there):
        return Reached(np.nan, float(x[-1]) if len(x) else np.nan, np.nan, "never")
    i = int(there[0])
    by = float(x[i])
    if i == 0:
        if y[0] == goal:
            return Reached(by, np.nan, by, "at its first checkpoint")
        return Reached(np.nan, np.nan, by, "before its first checkpoint")
    after = float(x[i - 1])
    if y[i] == goal or after == by:
        return Reached(by, after, by, "interpolated")
    if after == 0:
        return Reached(np.nan, after, by, "between")
    part = (goal - y[i - 1]) / (y[i] - y[i - 1])
    return Reached(float(after * (by / after) ** part), after, by, "interpolated")


def _of_one_shape(
    tokens: npt.ArrayLike, values: npt.ArrayLike, better: Better
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Both as arrays, the values turned so that lower is better."""
    x, y = np.asarray(tokens, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError("tokens and values must have one shape (n,)")
    if np.any(x < 0):
        raise ValueError("tokens must not be negative")
    if better not in ("lower", "higher"):
        raise ValueError(f'better is "{better}" (allowed: lower, higher)')
    return x, y if better == "lower" else -y
