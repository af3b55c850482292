"""How small a difference an eval can find, and how many questions it takes to find a given one."""

from __future__ import annotations

import numpy as np

from dashboard.statistics.distributions import normal_inverse
from dashboard.statistics.proportions import normal_quantile

POWER = 0.8
"""Chance of finding a difference that is there, unless told otherwise."""


def questions_for_rates(
    rate: float, baseline: float, power: float = POWER, level: float = 0.95, design_effect: float = 1.0
) -> float:
    """Samples needed at each of two checkpoints to tell their rates apart, unpaired.

    (z_a sqrt(2 m (1 - m)) + z_b sqrt(p (1 - p) + q (1 - q)))^2 / (p - q)^2, with m = (p + q) / 2; times the design
    effect where samples come in clusters.

    Args:
        rate: Fraction from 0 to 1.
        baseline: Fraction from 0 to 1, another one.
        power: Chance of finding the difference, between 0 and 1.
        level: Confidence level of the two-sided test, between 0 and 1.
        design_effect: Samples per effective one: n / n_eff.

    Returns:
        Samples at each, not rounded.

    Raises:
        ValueError: The rates are equal or outside 0 to 1, or power, level or design effect are not allowed.

    Source: Fleiss, Levin & Paik (2003), Statistical Methods for Rates and Proportions, chapter 4;
    statsmodels' `samplesize_proportions_2indep_onetail`.
    """
    a, b = _quantiles(power, level)
    if not (0 <= rate <= 1 and 0 <= baseline <= 1) or rate == baseline:
        raise ValueError(f"rates are {rate} and {baseline}, and must be two different fractions from 0 to 1")
    if design_effect <= 0:
        raise ValueError(f"design_effect is {design_effect}, and must be positive")
    mean = (rate + baseline) / 2
    null = np.sqrt(2 * mean * (1 - mean))
    real = np.sqrt(rate * (1 - rate) + baseline * (1 - baseline))
    return float((a * null + b * real) ** 2 / (rate - baseline) ** 2 * design_effect)


def questions_for_paired(
    difference: float,
    between: float,
    within: float = 0.0,
    baseline_within: float = 0.0,
    epochs: int = 1,
    baseline_epochs: int = 1,
    power: float = POWER,
    level: float = 0.95,
) -> float:
    """Questions needed to tell two checkpoints apart that answer the same ones, each in several epochs.

    (z_a + z_b)^2 (w^2 + s_A^2 / K_A + s_B^2 / K_B) / d^2.

    Args:
        difference: d, to be found; in the units of the values, not 0.
        between: w^2, variance over questions of the difference of the true question means.
        within: s_A^2, mean variance over epochs of one question.
        baseline_within: s_B^2, the same at the other checkpoint.
        epochs: K_A, of each question.
        baseline_epochs: K_B, at the other checkpoint.
        power: Chance of finding the difference.
        level: Confidence level of the two-sided test.

    Returns:
        Questions, not rounded.

    Raises:
        ValueError: The difference is 0, a variance negative, epochs below 1, or power or level not allowed.

    Source: Miller (2024), "Adding error bars to evals", on sample sizes, arXiv:2411.00640.
    """
    a, b = _quantiles(power, level)
    if difference == 0:
        raise ValueError("no number of questions finds a difference of 0")
    return (a + b) ** 2 * _variance(between, within, baseline_within, epochs, baseline_epochs) / difference**2


def detectable_from_interval(low: float, high: float, power: float = POWER, level: float = 0.95) -> float:
    """The smallest difference that a comparison with such an interval would have found: (z_a + z_b) / z_a half-widths.

    With half-widths of z_a standard errors this is Miller's (z_a + z_b) SE. It is a normal approximation: McNemar's
    exact test finds such a difference less often, some 72 % instead of 80% of the time with 100 questions.

    Args:
        low: Lower bound of the difference that was measured.
        high: Upper bound.
        power: Chance of finding the difference.
        level: Confidence level of the interval.

    Returns:
        In the units of the bounds; NaN where a bound is.

    Source: Miller (2024), as for `questions_for_paired`. Simulated in tests/dashboard/statistics/test_differences.py.
    """
    a, b = _quantiles(power, level)
    return (a + b) / a * (high - low) / 2


def _quantiles(power: float, level: float) -> tuple[float, float]:
    if not 0 < power < 1:
        raise ValueError(f"power is {power}, and must lie between 0 and 1, like 0.8")
    return normal_quantile(level), normal_inverse(power)


def _variance(between: float, within: float, baseline_within: float, epochs: int, baseline_epochs: int) -> float:
    if min(between, within, baseline_within) < 0:
        raise ValueError("variances must not be negative")
    if min(epochs, baseline_epochs) < 1:
        raise ValueError("epochs must be at least 1")
    return between + within / epochs + baseline_within / baseline_epochs
