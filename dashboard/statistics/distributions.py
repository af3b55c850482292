"""Student's t, the normal and the binomial distribution without scipy, which takes longer to import than all rates.

Held against scipy in tests/dashboard/statistics/test_distributions.py. What is written for a number and for an array
alike takes the module of its functions, `math` or `numpy`: many quantiles at once want arrays, and one by one numpy is
slow.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MANY = 64
"""So many values are faster as an array than one by one."""

SHIFT = 20
"""From here on Stirling's series has all digits of a double."""


def normal_cdf(x: float) -> float:
    """The chance that a standard normal variable is at most x."""
    return math.erfc(-x / math.sqrt(2.0)) / 2.0


def normal_inverse(p: float) -> float:
    """The standard normal quantile of p, between 0 and 1.

    Source: Abramowitz & Stegun (1964), 26.2.23, whose error of 0.0005 three of Halley's steps take away.
    """
    tail = min(p, 1.0 - p)
    r = math.sqrt(-2.0 * math.log(tail))
    x = r - ((0.010328 * r + 0.802853) * r + 2.515517) / (((0.001308 * r + 0.189269) * r + 1.432788) * r + 1.0)
    for _ in range(3):
        # Around the middle the difference to it has more digits than the tail.
        inside = tail > 0.25
        off = 0.5 - tail - math.erf(x / math.sqrt(2.0)) / 2.0 if inside else normal_cdf(-x) - tail
        u = off * math.sqrt(2.0 * math.pi) * math.exp(x * x / 2.0)
        x += u / (1.0 - x * u / 2.0)
    return x if p > 0.5 else -x


def t_cdf(t: float, df: float) -> float:
    """The chance that Student's t is at most t; NaN where an argument is, or the degrees of freedom not above 0."""
    if not df > 0 or math.isnan(t):
        return math.nan
    t, df = float(t), float(df)
    if math.isinf(t * t):
        return 0.0 if t < 0 else 1.0
    tail: float = _shares(abs(t), df, _gamma_ratio(df / 2.0, math))[0] / 2.0
    return tail if t <= 0 else 1.0 - tail


def t_quantile(df: npt.ArrayLike, level: float) -> Floats:
    """The two-sided quantile of Student's t: what |t| exceeds with the chance 1 - level.

    Args:
        df: Degrees of freedom, any shape; need not be whole. NaN comes of those that are not positive.
        level: Between 0 and 1.

    Source: Newton's method on the distribution function; for large df Abramowitz & Stegun (1964), 26.7.5.
    """
    df = np.asarray(df, dtype=np.float64)
    values = df.ravel()
    z = -normal_inverse((1.0 - level) / 2.0)
    # The sixth term of the series is lost in rounding there, whatever the level.
    many = values > 200.0 * (1.0 + z * z)
    few = (values > 0) & ~many
    found = np.full(values.shape, np.nan)
    found[many] = _series(values[many], z)
    if few.sum() >= MANY:
        different, place = np.unique(values[few], return_inverse=True)
        found[few] = _newton(_series(different, z), different, level, np)[place]
    else:
        found[few] = [_newton(_series(one, z), one, level, math) for one in values[few].tolist()]
    return found.reshape(df.shape)


def root(f: Callable[[float], float], low: float, high: float, tolerance: float) -> float:
    """Where f crosses 0 between two places at which its signs differ, to within a tolerance.

    Source: Chandrupatla (1997), Advances in Engineering Software 28, as told by Scherer (2013), Computational Physics.
    """
    a, b = low, high
    at_a, at_b = f(a), f(b)
    share = 0.5
    while True:
        x = a + share * (b - a)
        at_x = f(x)
        if (at_x > 0) == (at_a > 0):
            c, at_c = a, at_a
        else:
            c, at_c, b, at_b = b, at_b, a, at_a
        a, at_a = x, at_x
        best = a if abs(at_a) < abs(at_b) else b
        least = tolerance / abs(b - a)
        if min(abs(at_a), abs(at_b)) == 0.0 or least > 0.5:
            return best
        xi, phi = (a - b) / (c - b), (at_a - at_b) / (at_c - at_b)
        share = 0.5
        if phi**2 < xi and (1.0 - phi) ** 2 < 1.0 - xi:  # the inverse parabola stays between the two
            share = at_a / (at_b - at_a) * at_c / (at_b - at_c)
            share += (c - a) / (b - a) * at_a / (at_c - at_a) * at_b / (at_c - at_b)
        share = min(1.0 - least, max(least, share))


def binomial_half_cdf(k: int, n: int) -> float:
    """The chance of at most k heads in n tosses of a fair coin, for k up to n / 2."""
    # The largest term is exact; the others fall off from it.
    total = term = 1.0
    for i in range(k, 0, -1):
        term *= i / (n - i + 1)
        total += term
        if term < total * 1e-17:
            break
    return math.comb(n, k) / (1 << n) * total


def _newton(t: Any, df: Any, level: float, of: Any) -> Any:
    """The quantile from a guess, by steps on a curve that bends one way, from where they can't run off.

    That is what lies inside over t, or for the levels at which it has lost its digits the log of the tail over log t.
    """
    ratio = _gamma_ratio(df / 2.0, of)
    peak = 2.0 * ratio / of.sqrt(math.pi * df)
    for _ in range(100):
        outside, inside = _shares(t, df, ratio)
        slope = t * peak * of.exp(-(df + 1.0) / 2.0 * of.log1p(t * t / df))
        if level < 0.5:
            step = (level - inside) / slope
            t = t * (1.0 + step)
        else:
            step = (of.log(outside) - math.log1p(-level)) * outside / slope
            t = t * of.exp(step)
        if _all(abs(step) < 1e-9):  # the error that is left is its square
            break
    return t


def _series(df: Any, z: float) -> Any:
    """The quantile as a series in 1 / df, from the normal one."""
    w = z * z
    terms = (
        (w + 1) / 4,
        ((5 * w + 16) * w + 3) / 96,
        (((3 * w + 19) * w + 17) * w - 15) / 384,
        ((((79 * w + 776) * w + 1482) * w - 1920) * w - 945) / 92160,
    )
    total: Any = 0.0
    for term in reversed(terms):
        total = (total + term) / df
    return z * (1.0 + total)


def _shares(t: Any, df: Any, ratio: Any) -> tuple[Any, Any]:
    """How much lies outside of -t to t, and how much inside: the smaller one has all its digits."""
    if not isinstance(t, np.ndarray):
        if t * t * (df + 5.0) > 3.0 * df:
            outside = _front(t, df, ratio, math) * _continued(df / 2.0, 0.5, df / (df + t * t))
            return outside, 1.0 - outside
        inside = _front(t, df, ratio, math) * _continued(0.5, df / 2.0, t * t / (df + t * t))
        return 1.0 - inside, inside
    far = t * t * (df + 5.0) > 3.0 * df
    a, b = np.where(far, df / 2.0, 0.5), np.where(far, 0.5, df / 2.0)
    share = _front(t, df, ratio, np) * _continued(a, b, np.where(far, df, t * t) / (df + t * t))
    return np.where(far, share, 1.0 - share), np.where(far, 1.0 - share, share)


def _front(t: Any, df: Any, ratio: Any, of: Any) -> Any:
    """x^a (1 - x)^b / B(a, b) with a = df / 2, b = 1/2 and x = df / (df + t^2)."""
    inside = t * t / (df + t * t)
    return of.exp(-df / 2.0 * of.log1p(t * t / df)) * of.sqrt(inside) * ratio / math.sqrt(math.pi)


def _continued(a: Any, b: Any, x: Any) -> Any:
    """The incomplete beta function over its front: a continued fraction, for x < (a + 1) / (a + b + 2).

    Source: Press et al. (2007), Numerical Recipes, 6.4, by Lentz's method.
    """
    c = 1.0
    product = d = 1.0 / (1.0 - (a + b) * x / (a + 1.0))
    for m in range(1, 100_000):
        two = a + 2 * m
        even = m * (b - m) * x / ((two - 1.0) * two)
        odd = -(a + m) * (a + b + m) * x / (two * (two + 1.0))
        d = 1.0 / (1.0 + even * d)
        c = 1.0 + even / c
        product = product * c * d
        d = 1.0 / (1.0 + odd * d)
        c = 1.0 + odd / c
        product = product * c * d
        if _all(abs(c * d - 1.0) < 1e-15):
            break
    return product / a


def _gamma_ratio(a: Any, of: Any) -> Any:
    """gamma(a + 1/2) / gamma(a): by Stirling's series further up, and the recurrence down from there."""
    up = a + SHIFT
    ratio = of.sqrt(up) * of.exp(up * of.log1p(0.5 / up) - 0.5 + _stirling(up + 0.5) - _stirling(up))
    for i in range(SHIFT):
        ratio = ratio * (a + i) / (a + i + 0.5)
    return ratio


def _stirling(z: Any) -> Any:
    """log gamma(z) - (z - 1/2) log z + z - log(2 pi) / 2."""
    w = 1.0 / (z * z)
    return (1 / 12 - w * (1 / 360 - w * (1 / 1260 - w * (1 / 1680 - w / 1188)))) / z


def _all(held: Any) -> bool:
    return bool(held if isinstance(held, bool) else held.all())
