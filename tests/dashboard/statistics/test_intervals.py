"""Intervals of rates and means agree with statsmodels, scipy and inspect_ai, and stay honest at the ends."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from inspect_ai.scorer import SampleScore, Score, ci, stderr
from scipy.stats import binomtest, norm
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from dashboard.statistics import (
    ClusterSums,
    average_interval,
    clopper_pearson_interval,
    cluster_sums,
    clustered_mean_interval,
    clustered_proportion_interval,
    clustered_stderr,
    kish_size,
    reported_interval,
    wilson_interval,
)

COUNTS = [(0, 1), (1, 1), (0, 100), (100, 100), (3, 48), (1, 300), (50, 100), (99, 100)]


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_wilson_and_exact_intervals_agree_with_statsmodels_and_scipy(level):
    k, n = np.array(COUNTS).T
    wilson, exact = wilson_interval(k, n, level), clopper_pearson_interval(k, n, level)
    for i, (successes, samples) in enumerate(COUNTS):
        for ours, ours_method, scipy_method in ((wilson, "wilson", "wilson"), (exact, "beta", "exact")):
            theirs = proportion_confint(successes, samples, alpha=1 - level, method=ours_method)
            np.testing.assert_allclose([ours[0][i], ours[1][i]], theirs, atol=1e-12)
            test = binomtest(successes, samples).proportion_ci(level, method=scipy_method)
            np.testing.assert_allclose([ours[0][i], ours[1][i]], [test.low, test.high], atol=1e-9)


def test_nothing_out_of_a_hundred_reaches_up_to_3_7_percent():
    low, high = wilson_interval(0, 100)
    assert low == 0.0
    assert f"{high:.4f}" == "0.0370"
    assert wilson_interval(100, 100)[1] == 1.0


def test_no_samples_have_no_interval():
    for interval in (wilson_interval, clopper_pearson_interval):
        assert np.isnan(interval(0, 0)).all()
    nobody = ClusterSums(n=0, total=0, clusters=0, sum_n2=0, sum_e2=0, sum_e4=0)
    assert np.isnan(clustered_proportion_interval(nobody)).all()
    assert np.isnan(clustered_mean_interval(nobody)).all()


def test_impossible_input_is_refused():
    with pytest.raises(ValueError, match="between 0 and n"):
        wilson_interval(3, 2)
    with pytest.raises(ValueError, match="between 0 and n"):
        clopper_pearson_interval(-1, 2)
    with pytest.raises(ValueError, match="between 0 and 1"):
        wilson_interval(1, 2, level=95)
    with pytest.raises(ValueError, match="negative"):
        reported_interval(0.5, -0.1)
    with pytest.raises(ValueError, match="member"):
        average_interval([], [], [])
    with pytest.raises(ValueError, match="allowed: wilson"):
        clustered_proportion_interval(cluster_sums([0.0, 1.0], [0, 1]), method="wald")


def random_clusters(seed: int, binary: bool) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    cluster = rng.integers(0, 12, size=90)
    level = rng.normal(size=12)[cluster]
    values = level + rng.normal(size=90)
    return (values > 0.3).astype(float) if binary else values, cluster


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_clustered_stderr_equals_inspect_ai_and_statsmodels(seed, binary):
    values, cluster = random_clusters(seed, binary)
    ours = clustered_stderr(cluster_sums(values, cluster))
    scores = [
        SampleScore(score=Score(value=float(v)), sample_metadata={"question": int(c)})
        for v, c in zip(values, cluster, strict=True)
    ]
    assert ours == pytest.approx(stderr(cluster="question")(scores), abs=1e-9)
    ols = sm.OLS(values, np.ones(len(values))).fit(
        cov_type="cluster", cov_kwds={"groups": cluster, "use_correction": True}
    )
    assert ours == pytest.approx(ols.bse[0], abs=1e-9)
    if not binary:
        interval = clustered_mean_interval(cluster_sums(values, cluster))
        theirs = ci(level=0.95, cluster="question")(scores)
        assert interval.low == pytest.approx(theirs["lower"], abs=1e-6)
        assert interval.high == pytest.approx(theirs["upper"], abs=1e-6)


def test_singleton_clusters_are_independent_samples():
    values = np.array([1.0] * 7 + [0.0] * 33)
    sums = cluster_sums(values, np.arange(40))
    assert clustered_stderr(sums) == pytest.approx(values.std(ddof=1) / np.sqrt(40), abs=1e-12)
    ours = clustered_proportion_interval(sums)
    assert ours.n_eff == pytest.approx(40)
    np.testing.assert_allclose([ours.low, ours.high], wilson_interval(7, 40), atol=1e-12)
    exact = clustered_proportion_interval(sums, method="clopper-pearson")
    np.testing.assert_allclose([exact.low, exact.high], clopper_pearson_interval(7, 40), atol=1e-9)


def test_copies_of_a_question_count_once():
    """Eight identical epochs of 25 questions are 25 observations, not 200."""
    question = np.repeat(np.arange(25), 8)
    ours = clustered_proportion_interval(cluster_sums((question < 5).astype(float), question))
    assert ours.n_eff == pytest.approx(25, abs=1e-9)
    np.testing.assert_allclose([ours.low, ours.high], wilson_interval(5, 25), atol=1e-9)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_all_or_none_of_clustered_samples_falls_back_on_the_number_of_clusters(value):
    question = np.repeat(np.arange(6), 8)
    ours = clustered_proportion_interval(cluster_sums(np.full(48, value), question))
    assert ours.n_eff == pytest.approx(6)
    np.testing.assert_allclose([ours.low, ours.high], wilson_interval(6 * value, 6), atol=1e-12)


def test_kish_size_of_unequal_clusters():
    sums = cluster_sums([0.0] * 10, [0] * 7 + [1, 2, 3])
    assert kish_size(sums) == pytest.approx(100 / 52)


def test_one_cluster_says_nothing_about_others():
    sums = cluster_sums([0.0, 1.0, 1.0], [0, 0, 0])
    assert np.isnan(clustered_stderr(sums))
    assert np.isnan(clustered_mean_interval(sums).low)
    rate = clustered_proportion_interval(sums)
    assert rate.n_eff == 1.0
    np.testing.assert_allclose([rate.low, rate.high], wilson_interval(2 / 3, 1))


def test_sums_of_many_evals_go_in_as_arrays():
    evals = [random_clusters(seed, binary=True) for seed in range(4)]
    each = [clustered_proportion_interval(cluster_sums(*e)) for e in evals]
    sums = [cluster_sums(*e) for e in evals]
    together = clustered_proportion_interval(ClusterSums(*(np.array(x) for x in zip(*sums, strict=True))))
    for i, one in enumerate(each):
        np.testing.assert_allclose([x[i] for x in together], one)


def test_swapping_success_and_failure_mirrors_the_interval():
    for seed in range(10):
        values, cluster = random_clusters(seed, binary=True)
        for method in ("wilson", "clopper-pearson"):
            one = clustered_proportion_interval(cluster_sums(values, cluster), method=method)
            other = clustered_proportion_interval(cluster_sums(1 - values, cluster), method=method)
            np.testing.assert_allclose([one.low, one.high], [1 - other.high, 1 - other.low], atol=1e-9)


def test_interval_of_an_average_is_newcombes_square_and_add():
    """Newcombe's interval of p1 - p2 is the average with p2 mirrored: twice the average, less 1."""
    theirs = confint_proportions_2indep(56, 70, 48, 80, method="newcomb", compare="diff")
    low, high = wilson_interval([56, 80 - 48], [70, 80])
    average, average_low, average_high = average_interval([56 / 70, 32 / 80], low, high)
    assert average == pytest.approx((56 / 70 - 48 / 80 + 1) / 2)
    np.testing.assert_allclose([2 * average_low - 1, 2 * average_high - 1], theirs, atol=1e-9)


def test_average_of_zeros_keeps_an_upper_bound():
    low, high = wilson_interval([0, 0, 0], [100, 100, 100])
    average, average_low, average_high = average_interval([0, 0, 0], low, high)
    assert (average, average_low) == (0.0, 0.0)
    assert average_high == pytest.approx(high[0] / np.sqrt(3))
    assert np.isnan(average_interval([0.5, np.nan], [0.4, np.nan], [0.6, np.nan])[0])


def test_weights_of_an_average_are_scaled():
    plain = average_interval([[0.1, 0.3]], [[0.0, 0.2]], [[0.2, 0.5]])
    weighted = average_interval([[0.1, 0.3]], [[0.0, 0.2]], [[0.2, 0.5]], weights=[5, 5])
    np.testing.assert_allclose(plain, weighted)
    assert average_interval([0.1, 0.3], [0, 0], [1, 1], weights=[3, 1])[0] == pytest.approx(0.15)


def test_reported_standard_error_gives_the_normal_interval():
    low, high = reported_interval([0.62, 0.5], [0.0118, np.nan])
    assert (low[0], high[0]) == pytest.approx(norm.interval(0.95, 0.62, 0.0118))
    assert np.isnan([low[1], high[1]]).all()
