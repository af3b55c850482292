"""Rates corrected for a judge that errs: what people's labels of some samples say of the judge's verdicts on all.

A judge's verdicts on all samples give p, the share that it calls positive. Labels of some of them give its predictive
values: P, the share of its positives that people confirm, and F, the share of its negatives that people call positive.
All else is a function of these: the labelled checkpoint's own rate is p P + (1 - p) F; the sensitivity is p P over that
rate; the false positive rate is p (1 - P) over what remains; and another checkpoint's rate follows from its own p and
these two (Rogan & Gladen), if the judge errs there as it errs here.

Labels must be a random sample of the judge's positives and one of its negatives, however many of either: then P and F
are right whatever the two shares of labelled samples are. Labels of samples that somebody found worth a look are not.

Everything here works elementwise on arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dashboard.statistics.clusters import ClusterSums, clustered_proportion_interval, kish_size, sums_of_parts
from dashboard.statistics.distributions import Floats
from dashboard.statistics.proportions import checked_counts, normal_quantile

LEAST_OWN = 10
"""Labels of each of the judge's verdicts that a checkpoint's own correction takes, or all that there are."""
LEAST_CARRIED = 20
"""The same of a sensitivity and specificity that are carried to another checkpoint."""


class Bounded(NamedTuple):
    """A number with its interval; fractions, elementwise."""

    estimate: Floats
    low: Floats
    high: Floats


class Pool(NamedTuple):
    """What is known of a judge from the checkpoints with labels."""

    rates: tuple[Bounded, ...]
    """Of each checkpoint the share of samples that the judge calls positive, p."""
    sizes: tuple[npt.ArrayLike, ...]
    """Of each the samples with a verdict."""
    confirmed: Bounded
    """Share of the judge's positives that people call positive, P."""
    missed: Bounded
    """Share of the judge's negatives that people call positive, F."""


def verdict_share(sums: ClusterSums, level: float = 0.95) -> Bounded:
    """The share that the judge calls positive, with the clustered Wilson interval of every rate."""
    interval = clustered_proportion_interval(sums, level)
    with np.errstate(divide="ignore", invalid="ignore"):
        return Bounded(
            np.asarray(sums.total, dtype=float) / np.asarray(sums.n, dtype=float), interval.low, interval.high
        )


def label_sums(labels: npt.ArrayLike, cluster: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> ClusterSums:
    """Sums of the labels of samples with one verdict of the judge.

    Args:
        labels: Shape (n,), 1 where people call the sample positive, else 0.
        cluster: Shape (n,), the cluster of each sample; epochs of a question are one.
        weights: Shape (n,), how many samples each stands for; equal when None. They are scaled so that `n` is Kish's
            effective number of labels.
    """
    y = np.asarray(labels, dtype=np.float64)
    w = np.ones_like(y) if weights is None else np.asarray(weights, dtype=np.float64)
    w = w * (w.sum() / np.sum(w**2)) if len(w) else w
    return sums_of_parts(w, w * y, cluster)


def label_share(sums: ClusterSums, level: float = 0.95) -> Bounded:
    """P or F: Jeffreys' interval of the labels, those of one cluster together counting as one (Kish's effective size).

    Source: Brown, Cai & DasGupta (2001), Statistical Science 16 (Jeffreys' interval, which keeps its level at small
    counts where Wald's and Wilson's lower bound don't); Kish (1965), Survey Sampling, 8.2. From 0 to 1 without a label.
    """
    from scipy.special import betaincinv

    k, n = checked_counts(np.minimum(sums.total, sums.n), sums.n, level)
    known = n > 0
    share = np.where(known, k / np.where(known, n, 1.0), 0.5)
    size = np.where(known, kish_size(sums), 1.0)
    tail = (1.0 - level) / 2.0
    a, b = share * size + 0.5, (1.0 - share) * size + 0.5
    low = np.where(known & (share > 0.0), betaincinv(a, b, tail), 0.0)
    high = np.where(known & (share < 1.0), betaincinv(a, b, 1.0 - tail), 1.0)
    return Bounded(share, low, high)


def sensitivity(pool: Pool) -> Bounded:
    """Share of what people call positive that the judge does too: p P / (p P + (1 - p) F).

    Verdicts by which samples were picked for labels are allowed for (verification bias). NaN where nothing is positive.

    Source: Begg & Greenes (1983), Biometrics 39; interval as in `of_shares`.
    """
    return _clipped(of_shares(lambda *parts: _errors(pool, parts)[0], _parts(pool)))


def specificity(pool: Pool) -> Bounded:
    """Share of what people call negative that the judge does too; source and interval as for `sensitivity`."""
    return _clipped(of_shares(lambda *parts: 1.0 - _errors(pool, parts)[1], _parts(pool)))


def youden(pool: Pool) -> Bounded:
    """Sensitivity + specificity - 1: 1 of a judge without errors, 0 of one that knows nothing."""
    return of_shares(lambda *parts: _power(pool, parts), _parts(pool))


def prediction_powered_rate(pool: Pool) -> Bounded:
    """The rate as people would give it, of one labelled checkpoint: p P + (1 - p) F.

    It is the estimate of PPI++ at its best weight of the judge, which for yes-or-no verdicts is P - F: labels alone
    where the judge knows nothing, the judge's rate where it never errs. It holds for any judge.

    Args:
        pool: Of this checkpoint alone.

    Source: Angelopoulos, Duchi & Zrnic (2023), "PPI++", arXiv:2311.01453 (there with a normal interval, which misses
    a rate of 1 % in up to two of three cases); post-stratified: Cochran (1977), Sampling Techniques, 5A. Interval as in
    `of_shares`.
    """
    return _clipped(of_shares(lambda p, confirmed, missed: p * confirmed + (1.0 - p) * missed, _parts(pool)))


def rogan_gladen_rate(pool: Pool, rate: Bounded, place: int | None = None) -> Bounded:
    """The rate of a checkpoint by the errors that the judge makes elsewhere: (p - f) / (s - f).

    Args:
        pool: What is known of the judge; s and f are its sensitivity and false positive rate there.
        rate: The judge's rate p of this checkpoint.
        place: Where it stands in the pool itself; None if it doesn't.

    Returns:
        From 0 to 1; NaN where s does not exceed f.

    Source: Rogan & Gladen (1978), American Journal of Epidemiology 107; interval as in `of_shares`, since labels are
    drawn by verdict. For a simple random sample of labels: `lee_interval`.
    """
    parts = _parts(pool) if place is not None else (*_parts(pool), rate)
    at = -1 if place is None else place

    def corrected(*parts: Floats) -> Floats:
        errors = _errors(pool, parts)
        return _over(parts[at] - errors[1], _power(pool, parts))

    return _clipped(_where_known(of_shares(corrected, parts), pool))


def rogan_gladen_difference(
    pool: Pool, here: Bounded, there: Bounded, places: tuple[int | None, int | None] = (None, None), r: float = 0.0
) -> Bounded:
    """The difference of two checkpoints' rates by the errors that the judge makes: (p - q) / (s - f).

    Args:
        pool: As for `rogan_gladen_rate`.
        here: The judge's rate p of the one.
        there: The judge's rate q of what is subtracted.
        places: Where either stands in the pool.
        r: Correlation of the two rates, of questions that both answered; `PairedSums.correlation`.

    Returns:
        From -1 to 1; NaN where s does not exceed f. What the judge takes for positive by mistake is in both rates, and
        cancels: with a judge that errs alike at both, the sign of a difference is never that of its errors.
    """
    parts = list(_parts(pool))
    at = []
    for place, rate in zip(places, (here, there), strict=True):
        if place is None:
            parts.append(rate)
        at.append(len(parts) - 1 if place is None else place)

    def corrected(*parts: Floats) -> Floats:
        return _over(parts[at[0]] - parts[at[1]], _power(pool, parts))

    return _clipped(_where_known(of_shares(corrected, parts, (at[0], at[1], r)), pool), -1.0)


def difference_of(here: Bounded, there: Bounded) -> Bounded:
    """The difference of two corrected rates with labels of their own, squares added (Newcombe's method 10)."""
    estimate = here.estimate - there.estimate
    down = np.hypot(here.estimate - here.low, there.high - there.estimate)
    up = np.hypot(here.high - here.estimate, there.estimate - there.low)
    return _clipped(Bounded(estimate, estimate - down, estimate + up), -1.0)


def lee_interval(
    rate: npt.ArrayLike,
    n: npt.ArrayLike,
    sensitivity: npt.ArrayLike,
    positives: npt.ArrayLike,
    specificity: npt.ArrayLike,
    negatives: npt.ArrayLike,
    level: float = 0.95,
) -> Bounded:
    """Rogan and Gladen's rate with the interval of adjusted counts, where labels are a simple random sample.

    Args:
        rate: The judge's rate, a fraction.
        n: Samples behind it; effective ones where they are clustered.
        sensitivity: As labelled.
        positives: Samples labelled positive, that the sensitivity is of.
        specificity: As labelled.
        negatives: Samples labelled negative.
        level: Confidence level, between 0 and 1.

    Returns:
        From 0 to 1; NaN where sensitivity + specificity does not exceed 1.

    Sources: Lee, Zeng, Jeong, Sohn & Lee (2025), "How to correctly report LLM-as-a-judge evaluations",
    arXiv:2511.21140; Lang & Reiczigel (2014), Preventive Veterinary Medicine 113. Simulated: with 20 or more of each
    class it covers 94 % and more; with 5, 90 %.
    """
    z = normal_quantile(level)
    p, n, q1, m1, q0, m0 = (
        np.asarray(x, dtype=np.float64) for x in (rate, n, sensitivity, positives, specificity, negatives)
    )
    power = q1 + q0 - 1.0
    estimate = _over(p + q0 - 1.0, power)
    p, n = (n * p + z**2 / 2.0) / (n + z**2), n + z**2
    q1, m1 = (m1 * q1 + 1.0) / (m1 + 2.0), m1 + 2.0
    q0, m0 = (m0 * q0 + 1.0) / (m0 + 2.0), m0 + 2.0
    adjusted = q1 + q0 - 1.0
    centre = _over(p + q0 - 1.0, adjusted)
    of_one, of_other = q1 * (1.0 - q1) / m1, q0 * (1.0 - q0) / m0
    shift = 2.0 * z**2 * (centre * of_one - (1.0 - centre) * of_other)
    variance = p * (1.0 - p) / n + (1.0 - centre) ** 2 * of_other + centre**2 * of_one
    half = z * _over(np.sqrt(variance), adjusted)
    known = power > 0.0
    bounds = (np.where(known, x, np.nan) for x in (estimate, centre + shift - half, centre + shift + half))
    return _clipped(Bounded(*bounds))


def neyman_gain(weight: npt.ArrayLike, positive: npt.ArrayLike, labelled: npt.ArrayLike) -> Floats:
    """By how much one more label of a stratum lowers the variance of p P + (1 - p) F.

    W^2 s^2 (1 / m - 1 / (m + 1)) of a stratum with the share W of samples and m labels. The spread s^2 = q (1 - q) is
    taken at q = (k + 1) / (m + 2), so that a stratum with no error so far keeps its turn; without a label, at m = 1/2.
    Taking the largest each time is Neyman's allocation, one label at a time.

    Args:
        weight: Share of samples in the stratum.
        positive: Labels in it that are positive, k.
        labelled: Labels in it, m.

    Source: Neyman (1934), Journal of the Royal Statistical Society 97; Wright (2012), The American Statistician 66.
    """
    w, k, m = (np.asarray(x, dtype=np.float64) for x in (weight, positive, labelled))
    q = (k + 1.0) / (m + 2.0)
    m = np.maximum(m, 0.5)
    return np.asarray(w**2 * q * (1.0 - q) / (m * (m + 1.0)), dtype=np.float64)


def of_shares(
    f: Callable[..., Floats], parts: Sequence[Bounded], paired: tuple[int, int, float] | None = None
) -> Bounded:
    """A function of shares with the interval made of theirs: each share is put to its bounds in turn, squares added.

    Args:
        f: Of as many numbers as there are parts, elementwise.
        parts: The shares, independent of each other.
        paired: Two of them that are not, and their correlation.

    Source: Zou & Donner (2008), Statistics in Medicine 27, 1693-1702 (MOVER), for functions that are not sums:
    Newcombe (2011), Communications in Statistics 40. Simulated in tests/dashboard/statistics/test_judge_errors.py.
    """
    at = [part.estimate for part in parts]
    estimate = f(*at)
    down, up = [], []
    for index, part in enumerate(parts):
        moved = [f(*at[:index], bound, *at[index + 1 :]) - estimate for bound in (part.low, part.high)]
        down.append(np.minimum(np.minimum(*moved), 0.0))
        up.append(np.maximum(np.maximum(*moved), 0.0))
    squares = [sum((move**2 for move in moves), start=np.zeros_like(estimate)) for moves in (down, up)]
    if paired is not None:
        one, other, r = paired
        squares = [s - 2.0 * r * m[one] * m[other] for s, m in zip(squares, (down, up), strict=True)]
    low, high = (np.sqrt(np.maximum(square, 0.0)) for square in squares)
    return Bounded(estimate, estimate - low, estimate + high)


BEYOND = 10.0
"""Of a ratio whose denominator is not above 0: outside of every interval of rates."""


def _parts(pool: Pool) -> tuple[Bounded, ...]:
    return (*pool.rates, pool.confirmed, pool.missed)


def _errors(pool: Pool, parts: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Sensitivity and false positive rate, from parts in the order of `_parts`, others behind them."""
    count = len(pool.rates)
    sizes = [np.asarray(size, dtype=np.float64) for size in pool.sizes]
    p = sum((s * x for s, x in zip(sizes, parts, strict=False)), start=np.float64(0.0)) / sum(sizes)
    confirmed, missed = parts[count], parts[count + 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        positive = p * confirmed + (1.0 - p) * missed
        return np.asarray(p * confirmed / positive), np.asarray(p * (1.0 - confirmed) / (1.0 - positive))


def _power(pool: Pool, parts: Sequence[Floats]) -> Floats:
    hit, false = _errors(pool, parts)
    return np.asarray(hit - false)


def _over(numerator: Floats, power: Floats) -> Floats:
    """A ratio, which grows beyond all bounds as its denominator falls to 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(power > 0.0, numerator / power, np.sign(numerator) * BEYOND)
    return np.asarray(np.clip(ratio, -BEYOND, BEYOND))


def _where_known(found: Bounded, pool: Pool) -> Bounded:
    """NaN where the judge, as labelled, knows nothing."""
    power = _power(pool, [part.estimate for part in _parts(pool)])
    return Bounded(*(np.where(power > 0.0, x, np.nan) for x in found))


def _clipped(found: Bounded, least: float = 0.0) -> Bounded:
    return Bounded(*(np.clip(x, least, 1.0) for x in found))
