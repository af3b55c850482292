"""The distributions that are computed here, held against scipy's and against closed forms."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from scipy import special

from dashboard.statistics.distributions import (
    MANY,
    binomial_half_cdf,
    normal_cdf,
    normal_inverse,
    root,
    t_cdf,
    t_quantile,
)
from tests.driftline import ROOT

LEVELS = (0.01, 0.1, 0.4999, 0.5, 0.68, 0.8, 0.9, 0.95, 0.99, 0.999, 1 - 1e-6, 1 - 1e-9, 1 - 1e-12)


def degrees_of_freedom() -> np.ndarray:
    """Whole and broken ones, on both sides of where the series takes over at any of the levels."""
    rng = np.random.default_rng(7)
    spread = 10 ** rng.uniform(0, 7, 400)
    return np.concatenate([[0.5], np.arange(1.0, 120.0), rng.uniform(1, 40, 200), spread])


@pytest.mark.parametrize("level", LEVELS)
def test_quantiles_of_t_are_scipys(level: float) -> None:
    df = degrees_of_freedom()
    # The lower tail, whose chance keeps its digits, unlike 1 less it.
    expected = -special.stdtrit(df, (1.0 - level) / 2.0)
    assert t_quantile(df, level) == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("level", LEVELS)
def test_one_by_one_and_many_at_once_are_the_same(level: float) -> None:
    df = degrees_of_freedom()
    assert len(df) > MANY
    assert t_quantile(df, level) == pytest.approx([float(t_quantile(one, level)) for one in df], rel=1e-13)


@pytest.mark.parametrize("level", [1e-9, 1e-6, *LEVELS])
def test_quantiles_of_t_with_one_and_two_degrees_of_freedom_are_their_closed_forms(level: float) -> None:
    cauchy = math.tan(math.pi * level / 2) if level < 0.5 else 1 / math.tan(math.pi * (1 - level) / 2)
    assert float(t_quantile(1, level)) == pytest.approx(cauchy, rel=1e-12)
    assert float(t_quantile(2, level)) == pytest.approx(level * math.sqrt(2 / (1 - level) / (1 + level)), rel=1e-12)


def test_a_quantile_without_degrees_of_freedom_is_missing_and_shapes_stay() -> None:
    found = t_quantile([[0.0, -1.0, math.nan], [4.0, 9.0, 1e9]], 0.95)
    assert np.isnan(found[0]).all()
    assert found[1] == pytest.approx([2.7764451051977934, 2.2621571627409915, 1.959963986])
    assert t_quantile([], 0.95).shape == (0,)


def test_chances_of_t_are_scipys() -> None:
    rng = np.random.default_rng(8)
    for df, t in zip(
        10 ** rng.uniform(0, 4, 1500), rng.normal(size=1500) * 10 ** rng.uniform(-3, 1.2, 1500), strict=True
    ):
        assert t_cdf(t, df) == pytest.approx(float(special.stdtr(df, t)), rel=1e-11, abs=1e-300)
    assert [t_cdf(-math.inf, 3), t_cdf(0, 3), t_cdf(math.inf, 3)] == [0.0, 0.5, 1.0]
    assert math.isnan(t_cdf(1.0, 0))
    assert math.isnan(t_cdf(math.nan, 3))


def test_normal_chances_and_quantiles_are_scipys() -> None:
    x = np.linspace(-30, 8, 2001)
    assert [normal_cdf(each) for each in x] == pytest.approx(special.ndtr(x), rel=1e-12)
    p = np.concatenate([10 ** np.linspace(-15, -1, 300), np.linspace(0.01, 0.999999, 300)])
    assert [normal_inverse(each) for each in p] == pytest.approx(special.ndtri(p), rel=1e-13, abs=1e-15)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 51, 400, 1001, 20_000])
def test_chances_of_a_fair_coin_are_scipys(n: int) -> None:
    for k in sorted({0, 1 if n > 1 else 0, n // 4, n // 3, n // 2}):
        # By whole numbers where these are few, exactly.
        exact = sum(math.comb(n, i) for i in range(k + 1)) / 2**n if n <= 1001 else float(special.bdtr(k, n, 0.5))
        assert binomial_half_cdf(k, n) == pytest.approx(exact, rel=1e-14 if n <= 1001 else 1e-10)


@pytest.mark.parametrize(
    ("f", "low", "high", "at"),
    [
        (lambda x: math.exp(x) - 0.03, -27.6, 0.0, math.log(0.03)),
        (lambda x: x**3 - 2 * x - 5, 0.0, 10.0, 2.0945514815423265),
        (lambda x: math.atan(50 * (x - 0.3)), -20.0, 20.0, 0.3),
        (lambda x: (x - 1) ** 9, 0.0, 1.7, 1.0),
        (lambda x: -1.0 if x < 0.7 else 1.0, 0.0, 1.0, 0.7),
        (lambda x: x - 2.0, 0.0, 4.0, 2.0),
    ],
)
def test_a_root_is_found_in_few_steps(f: Callable[[float], float], low: float, high: float, at: float) -> None:
    tries: list[float] = []

    def counted(x: float) -> float:
        tries.append(x)
        return f(x)

    assert root(counted, low, high, 1e-10) == pytest.approx(at, abs=1e-9)
    assert len(tries) < 90


def test_statistics_are_imported_without_scipy() -> None:
    code = "import dashboard.statistics, sys; print([m for m in sys.modules if m.partition('.')[0] == 'scipy'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
