"""Rates and means whose samples come in clusters: the epochs of one question, several prompts of one scenario.

Everything here works on sums over the clusters of an eval, which a database gathers in one pass, and on
arrays of such sums, an entry per eval. With n_c samples in cluster c, which add up to t_c, n = sum n_c,
mean m = sum t_c / n and the cluster's residual e_c = t_c - m n_c, these are n, t, the number of clusters C,
sum n_c^2, sum e_c^2 and sum e_c^4.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from dashboard.statistics.distributions import Floats, t_quantile
from dashboard.statistics.proportions import checked_counts, clopper_pearson_interval, normal_quantile, score_interval


class ClusterSums(NamedTuple):
    """Sums over the clusters of one eval, or arrays of them with an entry per eval."""

    n: npt.ArrayLike
    """Samples."""
    total: npt.ArrayLike
    """Sum of the samples' values; the number of successes where they are 0 or 1."""
    clusters: npt.ArrayLike
    """Clusters that hold at least one sample."""
    sum_n2: npt.ArrayLike
    """Sum over clusters of (samples in the cluster)^2."""
    sum_e2: npt.ArrayLike
    """Sum over clusters of the squared residual, in squared units of the values."""
    sum_e4: npt.ArrayLike
    """Sum over clusters of the residual to the fourth."""


class ClusteredInterval(NamedTuple):
    """An interval over clustered samples, and what it rests on; all in the shape of the sums."""

    low: Floats
    high: Floats
    stderr: Floats
    """Cluster-robust standard error; NaN with fewer than two clusters."""
    n_eff: Floats
    """Independent samples that would tell as much as these; NaN for means."""


def cluster_sums(values: npt.ArrayLike, cluster: npt.ArrayLike) -> ClusterSums:
    """The sums of one eval from its samples.

    Args:
        values: Shape (n,), one value a sample, none missing.
        cluster: Shape (n,), which cluster each sample belongs to; anything that `numpy.unique` takes.
    """
    values = np.asarray(values, dtype=np.float64)
    return sums_of_parts(np.ones_like(values), values, cluster)


def sums_of_parts(n: npt.ArrayLike, totals: npt.ArrayLike, cluster: npt.ArrayLike) -> ClusterSums:
    """The sums of one eval from parts of its clusters, such as its questions.

    Args:
        n: Shape (parts,), samples in each part; need not be whole (an effective number).
        totals: Shape (parts,), sum of the values in each part.
        cluster: Shape (parts,), which cluster each part belongs to; anything that `numpy.unique` takes.
    """
    n, totals = np.asarray(n, dtype=np.float64), np.asarray(totals, dtype=np.float64)
    _, index = np.unique(np.asarray(cluster), return_inverse=True)
    return sums_of_numbered(n, totals, index)


def sums_of_numbered(n: Floats, totals: Floats, index: npt.NDArray[np.intp]) -> ClusterSums:
    """As `sums_of_parts`, where clusters are numbered from 0 already, with none left out."""
    sizes = np.bincount(index, weights=n)
    mean = totals.sum() / n.sum() if n.sum() else 0.0
    residuals = np.bincount(index, weights=totals - n * mean)
    return ClusterSums(
        n=n.sum(),
        total=totals.sum(),
        clusters=len(sizes),
        sum_n2=np.sum(sizes**2),
        sum_e2=np.sum(residuals**2),
        sum_e4=np.sum(residuals**4),
    )


def sums_of_counts(k: float, n: float) -> ClusterSums:
    """The sums of k out of n independent samples, each a cluster of its own.

    Args:
        k: Successes.
        n: Samples, at least one.
    """
    p = k / n
    squares, fourths = (k * (1.0 - p) ** power + (n - k) * p**power for power in (2, 4))
    return ClusterSums(n=n, total=k, clusters=n, sum_n2=n, sum_e2=squares, sum_e4=fourths)


def kish_size(sums: ClusterSums) -> Floats:
    """Effective sample size if the samples of a cluster were copies of each other: (sum n_c)^2 / sum n_c^2.

    It is the number of clusters where all are equally large. Source: Kish (1965), Survey Sampling, 8.2.
    """
    n, sum_n2 = np.asarray(sums.n, dtype=np.float64), np.asarray(sums.sum_n2, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(n**2 / sum_n2, dtype=np.float64)


def clustered_stderr(sums: ClusterSums) -> Floats:
    """Cluster-robust standard error of the mean (of a rate, where values are 0 and 1).

    sqrt(C / (C - 1) * sum e_c^2) / n. NaN with fewer than two clusters: one cluster says nothing about others.
    Equal to the ordinary standard error s / sqrt(n) where every sample is a cluster of its own.

    Source: Miller (2024), "Adding error bars to evals", appendix A, arXiv:2411.00640, with the finite-cluster
    factor C / (C - 1) as in inspect_ai's `stderr(cluster=...)`. Statsmodels' cluster-robust OLS on a constant
    multiplies by a further (n - 1) / (n - 1) = 1 and agrees.
    """
    n, clusters, sum_e2 = (np.asarray(x, dtype=np.float64) for x in (sums.n, sums.clusters, sums.sum_e2))
    with np.errstate(divide="ignore", invalid="ignore"):
        stderr = np.sqrt(clusters / (clusters - 1.0) * sum_e2) / n
    return np.where(clusters >= 2, stderr, np.nan)


def clustered_mean_interval(sums: ClusterSums, level: float = 0.95) -> ClusteredInterval:
    """Interval of a mean: mean +- t * clustered standard error, t with C - 1 degrees of freedom.

    Args:
        sums: Sums per eval, in the units of the values.
        level: Confidence level, between 0 and 1.

    Returns:
        Bounds in the units of the values; NaN with fewer than two clusters. `n_eff` is NaN.

    Raises:
        ValueError: `level` is not between 0 and 1.

    Source: Miller (2024), arXiv:2411.00640; inspect_ai's `ci(method="t", cluster=...)`.
    """
    normal_quantile(level)
    n, total, clusters = (np.asarray(x, dtype=np.float64) for x in (sums.n, sums.total, sums.clusters))
    stderr = clustered_stderr(sums)
    half = t_quantile(clusters - 1.0, level) * stderr
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / n
    return ClusteredInterval(mean - half, mean + half, stderr, np.full_like(stderr, np.nan))


def clustered_proportion_interval(
    sums: ClusterSums, level: float = 0.95, method: Literal["wilson", "clopper-pearson"] = "wilson"
) -> ClusteredInterval:
    """Interval of a rate over clustered samples, honest at 0 of n and n of n too.

    The effective sample size is n / deff, with deff the clustered variance over that of n independent samples.
    It lies between the Kish size (samples of a cluster are copies) and n (they are independent); at 0 of n and
    n of n, where the data say nothing of the clustering, it is the Kish size. Wilson's interval (or the exact
    one) is then taken at that size, with quantiles of t for the uncertainty of deff itself, and kept between
    the intervals for n and for the Kish size. So it is plain Wilson where every cluster is one sample.

    The two bounds take t with different degrees of freedom. A rate that comes out low by chance brings a low
    variance with it, so it is the bound away from the nearer end (the upper one of a low rate) that misses too
    often. That bound takes Satterthwaite's degrees of freedom, from the fourth moment of the residuals: few
    where the variance rests on few clusters. The other takes C - 1.

    Args:
        sums: Sums per eval of values 0 and 1.
        level: Confidence level, between 0 and 1.
        method: Which interval to take at the effective size.

    Returns:
        Bounds as fractions from 0 to 1; NaN where there is no sample.

    Raises:
        ValueError: More successes than samples, or a level or method that is not allowed.

    Sources: Korn & Graubard (1998), Survey Methodology 24 (effective size adjusted for degrees of freedom, at
    most n); Dean & Pagano (2015), J. Survey Statistics and Methodology 3 (Wilson's is the best of these on
    clustered samples); Satterthwaite (1946), Biometrics 2. Simulated in tests/dashboard/statistics/test_coverage.py.
    """
    z = normal_quantile(level)
    if method not in ("wilson", "clopper-pearson"):
        raise ValueError(f'method is "{method}" (allowed: wilson, clopper-pearson)')
    k, n = checked_counts(sums.total, sums.n, level)
    clusters, sum_e2, sum_e4 = (np.asarray(x, dtype=np.float64) for x in (sums.clusters, sums.sum_e2, sums.sum_e4))
    kish, stderr = kish_size(sums), clustered_stderr(sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = k / n
        deff = stderr**2 * (n - 1.0) / (p * (1.0 - p))
        # One cluster, 0 of n or n of n: nothing is known of deff.
        known = (clusters >= 2) & (p > 0.0) & (p < 1.0)
        n_eff = np.where(known, np.clip(n / deff, kish, n), kish)
        narrowest, widest = z**2 / n, z**2 / kish

        def spread(df: Floats) -> Floats:
            spread = np.clip(t_quantile(df, level) ** 2 / n_eff, narrowest, widest)
            return np.where(known, spread, widest)

        near, far = spread(np.stack(np.broadcast_arrays(clusters - 1.0, _satterthwaite_df(clusters, sum_e2, sum_e4))))
        low_spread, high_spread = np.where(p <= 0.5, near, far), np.where(p <= 0.5, far, near)
        if method == "wilson":
            low, high = score_interval(p, low_spread)[0], score_interval(p, high_spread)[1]
        else:
            low = clopper_pearson_interval(p * z**2 / low_spread, z**2 / low_spread, level)[0]
            high = clopper_pearson_interval(p * z**2 / high_spread, z**2 / high_spread, level)[1]
    return ClusteredInterval(low, high, stderr, n_eff)


def _satterthwaite_df(clusters: Floats, sum_e2: Floats, sum_e4: Floats) -> Floats:
    """Degrees of freedom of the clustered variance: 2 mean^2 / variance of the mean of e_c^2, in [1, C - 1]."""
    mean = sum_e2 / clusters
    variance = np.maximum(sum_e4 / clusters - mean**2, 0.0) / (clusters - 1.0)
    return np.where(variance > 0, np.clip(2.0 * mean**2 / variance, 1.0, clusters - 1.0), clusters - 1.0)
