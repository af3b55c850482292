"""Runs that differ by their seed alone: the mean over seeds, for another seed and other questions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dashboard.statistics.distributions import Floats, t_quantile
from dashboard.statistics.proportions import normal_quantile, score_interval


@dataclass(frozen=True, slots=True)
class Replicates:
    """The mean over replicates, with its interval over seeds and questions, and what varies how much; elementwise.

    Attributes:
        estimate: Mean over seeds of their means over questions.
        low, high: Bounds; NaN with one seed, or where nothing varies.
        seeds, questions: How many.
        between_seeds: Variance of a seed's true rate, estimated; 0 where seeds differ less than chance makes them.
        between_questions: Variance of a question's true rate over seeds, likewise.
        residual: Variance of a question's mean at one seed besides these: its epochs' chance, and what only that seed
            makes of it.
    """

    estimate: Floats
    low: Floats
    high: Floats
    seeds: int
    questions: int
    between_seeds: Floats
    between_questions: Floats
    residual: Floats


def replicate_mean(means: npt.ArrayLike, level: float = 0.95, *, rate: bool = True) -> Replicates:
    """The mean over seeds that answered the same questions, both drawn at random (two-way random effects, crossed).

    With mean squares of seeds MS_s, of questions MS_q and of the residual MS_e, the mean's variance is
    (MS_s + MS_q - MS_e) / (S Q). The half width is that of its two parts, each with the quantile of t of its own
    degrees of freedom, squares added: sqrt((t_(S-1)^2 MS_s + t_(Q-1)^2 max(MS_q - MS_e, 0)) / (S Q)). So two seeds,
    whose difference has one degree of freedom, give a wide interval whatever they differ by.

    Args:
        means: Shape (..., seeds, questions), the mean over the epochs of a question at a seed, none missing.
        level: Confidence level, between 0 and 1.
        rate: Whether these are shares: then the bounds are those of Wilson's interval of that width, from 0 to 1; the
            one away from the nearer end at least that of the logit's, since rates of seeds are skewed.

    Returns:
        Bounds are NaN with fewer than two seeds or questions, and where every mean is the same (0 of all): then
        seeds say nothing of what another one would do.

    Raises:
        ValueError: No table of means, or `level` is not between 0 and 1.

    Source: Searle, Casella & McCulloch (1992), Variance Components, 4.3 and 4.7 (mean squares as statsmodels'
    `anova_lm`); squares added: Zou & Donner (2008), Statistics in Medicine 27. Simulated in
    tests/dashboard/statistics/test_replicates.py.
    """
    normal_quantile(level)
    y = np.asarray(means, dtype=np.float64)
    if y.ndim < 2 or not y.size:
        raise ValueError(f"replicates need a table of seeds by questions, and this has the shape {y.shape}")
    seeds, questions = y.shape[-2:]
    mean = y.mean(axis=(-2, -1))
    if seeds < 2 or questions < 2:
        unknown = np.full(mean.shape, np.nan)
        return Replicates(mean, unknown, unknown, seeds, questions, unknown, unknown, unknown)
    by_seed, by_question = y.mean(axis=-1, keepdims=True), y.mean(axis=-2, keepdims=True)
    of_seeds = questions * np.var(by_seed[..., 0], axis=-1, ddof=1)
    of_questions = seeds * np.var(by_question[..., 0, :], axis=-1, ddof=1)
    rest = y - by_seed - by_question + mean[..., None, None]
    residual = np.sum(rest**2, axis=(-2, -1)) / ((seeds - 1) * (questions - 1))
    t_seeds, t_questions = (float(t_quantile(n - 1.0, level)) for n in (seeds, questions))
    over = np.maximum(of_questions - residual, 0.0)
    squared = (t_seeds**2 * of_seeds + t_questions**2 * over) / (seeds * questions)
    # By chance seeds may come out alike; then the questions alone allow no less than this.
    squared = np.maximum(squared, t_questions**2 * of_questions / (seeds * questions))
    low, high = _bounds(mean, squared, rate)
    between = np.maximum(of_seeds - residual, 0.0) / questions
    return Replicates(mean, low, high, seeds, questions, between, over / seeds, residual)


def neighbour_noise(values: npt.ArrayLike) -> float:
    """Standard deviation of a line about itself, from differences of neighbours: sqrt(sum d^2 / (2 (m - 1))).

    A steady trend adds to it, so it is an upper bound of what is no trend. NaN with fewer than three values.

    Args:
        values: In the order of steps.

    Source: von Neumann, Kent, Bellinson & Hart (1941), Annals of Mathematical Statistics 12.
    """
    y = np.asarray(values, dtype=np.float64)
    return float(np.sqrt(np.sum(np.diff(y) ** 2) / (2.0 * (len(y) - 1)))) if len(y) > 2 else float("nan")


def _bounds(mean: Floats, squared: Floats, rate: bool) -> tuple[Floats, Floats]:
    if not rate:
        half = np.where(squared > 0.0, np.sqrt(squared), np.nan)
        return mean - half, mean + half
    p = np.where((squared > 0.0) & (mean > 0.0) & (mean < 1.0), mean, np.nan)
    spread = p * (1.0 - p)
    low, high = score_interval(p, squared / spread)
    # Rates of seeds are skewed away from the nearer end, as shares of one rate are not.
    logit, half = np.log(p / (1.0 - p)), np.sqrt(squared) / spread
    below, above = (1.0 / (1.0 + np.exp(-(logit + move))) for move in (-half, half))
    return np.where(p > 0.5, np.minimum(low, below), low), np.where(p <= 0.5, np.maximum(high, above), high)
