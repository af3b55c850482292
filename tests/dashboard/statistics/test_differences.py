"""Differences of rates and means agree with statsmodels, scipy and worked examples, and stay honest at the ends."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import betaincinv
from scipy.stats import norm, t, ttest_ind, ttest_rel
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportion_effectsize,
    samplesize_proportions_2indep_onetail,
)

from dashboard.statistics import (
    CORRECTIONS,
    ClusterSums,
    PairedSums,
    average_difference,
    average_interval,
    cluster_sums,
    clustered_stderr,
    corrected,
    detectable_from_interval,
    mcnemar_p,
    paired_mean_difference,
    paired_proportion_interval,
    paired_rate_difference,
    paired_sums,
    questions_for_paired,
    questions_for_rates,
    reported_difference,
    unpaired_mean_difference,
    unpaired_proportion_interval,
    unpaired_rate_difference,
    wilson_interval,
)

COUNTS = [(0, 100, 0, 100), (0, 100, 5, 100), (56, 70, 48, 80), (9, 10, 3, 10), (10, 10, 0, 20), (1, 300, 40, 60)]


def independent(k: int, n: int) -> ClusterSums:
    return cluster_sums([1] * k + [0] * (n - k), np.arange(n))


def pairs(both: int, gained: int, lost: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    """Answers of two checkpoints, from the four counts of a table of pairs."""
    here = [1] * both + [1] * gained + [0] * lost + [0] * neither
    there = [1] * both + [0] * gained + [1] * lost + [0] * neither
    return np.array(here, dtype=float), np.array(there, dtype=float)


def rates_of(here: np.ndarray, there: np.ndarray, cluster: np.ndarray | None = None, epochs: int = 1):
    label = np.arange(len(here)) if cluster is None else cluster
    n = np.full(len(here), epochs)
    return paired_rate_difference(here, there, n, n, label)


@pytest.mark.parametrize("counts", COUNTS)
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_unpaired_rates_without_clusters_are_newcombes_hybrid_score_interval(counts, level):
    k, n, baseline_k, baseline_n = counts
    difference = unpaired_rate_difference(independent(k, n), independent(baseline_k, baseline_n))
    theirs = confint_proportions_2indep(k, n, baseline_k, baseline_n, method="newcomb", alpha=1 - level)
    assert difference.interval(level) == pytest.approx(theirs, abs=1e-9)
    assert difference.estimate == pytest.approx(k / n - baseline_k / baseline_n)
    assert difference.effect == pytest.approx(proportion_effectsize(k / n, baseline_k / baseline_n))
    assert difference.effect_kind == "Cohen's h"


@pytest.mark.parametrize("counts", COUNTS[1:])
def test_p_is_the_level_at_which_statsmodels_interval_reaches_0(counts):
    k, n, baseline_k, baseline_n = counts
    p = unpaired_rate_difference(independent(k, n), independent(baseline_k, baseline_n)).p
    if p > 1e-11:
        low, high = confint_proportions_2indep(k, n, baseline_k, baseline_n, method="newcomb", alpha=p)
        assert min(abs(low), abs(high)) == pytest.approx(0, abs=1e-7)


def test_paired_rates_give_published_values():
    # Newcombe (1998), Statistics in Medicine 17, 2635-2650, method 10; and the airways of Bentur et al. (2009) in
    # Fagerland, Lydersen & Laake (2014), Statistics in Medicine 33, 2850-2875.
    assert rates_of(*pairs(36, 12, 2, 0)).interval(0.95) == pytest.approx((0.0569, 0.3404), abs=6e-5)
    assert rates_of(*pairs(1, 1, 7, 12)).interval(0.95) == pytest.approx((-0.507, -0.026), abs=6e-4)


@pytest.mark.parametrize("table", [(20, 12, 5, 13), (1, 1, 7, 12), (50, 0, 0, 50), (5, 30, 20, 5), (53, 0, 1, 0)])
def test_paired_rates_are_newcombes_method_10(table):
    """Computed anew from the four counts."""
    both, gained, lost, neither = table
    n = sum(table)
    margins = (both + gained) * (lost + neither) * (both + lost) * (gained + neither)
    excess = both * neither - gained * lost
    phi = (max(excess - n / 2, 0) if excess > 0 else excess) / margins**0.5 if margins else 0.0
    p, q = (both + gained) / n, (both + lost) / n
    (l1, l2), (u1, u2) = wilson_interval([both + gained, both + lost], n)
    low = (p - q) - ((p - l1) ** 2 - 2 * phi * (p - l1) * (u2 - q) + (u2 - q) ** 2) ** 0.5
    high = (p - q) + ((u1 - p) ** 2 - 2 * phi * (u1 - p) * (q - l2) + (q - l2) ** 2) ** 0.5
    assert rates_of(*pairs(*table)).interval(0.95) == pytest.approx((low, high), abs=1e-12)


def test_mcnemars_exact_test_agrees_with_statsmodels():
    for gained, lost in [(0, 0), (1, 0), (5, 5), (12, 2), (0, 30), (40, 61)]:
        theirs = mcnemar([[7, gained], [lost, 9]], exact=True).pvalue
        assert mcnemar_p(gained, lost) == pytest.approx(theirs, rel=1e-9)
    difference = rates_of(*pairs(7, 12, 2, 9))
    assert difference.p == pytest.approx(mcnemar([[7, 12], [2, 9]], exact=True).pvalue)
    assert difference.test == "McNemar, exact"


def test_mcnemar_does_not_apply_to_clusters_or_epochs():
    here, there = pairs(7, 12, 2, 9)
    assert rates_of(here, there, np.arange(30) // 2).test == "interval inverted"
    assert rates_of(here, there, epochs=4).test == "interval inverted"


def test_nothing_misaligned_in_either_is_no_difference_with_bounds():
    zeros = np.zeros(100)
    paired = rates_of(zeros, zeros)
    unpaired = unpaired_rate_difference(independent(0, 100), independent(0, 100))
    for difference in (paired, unpaired):
        assert difference.estimate == 0.0
        assert difference.interval(0.95) == pytest.approx((-0.0370, 0.0370), abs=1e-4)
        assert difference.p == 1.0


def test_equal_answers_do_not_make_the_interval_vanish():
    for both in (1, 10, 50, 90):
        low, high = rates_of(*pairs(both, 0, 0, 100 - both)).interval(0.95)
        assert low < -0.01
        assert high > 0.01


def test_all_against_none_is_found_and_stays_within_one():
    difference = rates_of(np.ones(20), np.zeros(20), epochs=3)
    low, high = difference.interval(0.95)
    assert 0.7 < low < 1.0
    assert high == 1.0
    assert difference.p < 1e-6


def test_epochs_are_averaged_first_and_every_question_counts_once():
    """The estimate does not depend on how often a question was asked, and equal epochs give the pooled counts."""
    means, baseline = np.array([1.0, 0.5, 0.0, 0.25]), np.array([0.5, 0.5, 0.0, 0.0])
    few = paired_rate_difference(means, baseline, [4, 4, 4, 4], [4, 4, 4, 4], np.arange(4))
    many = paired_rate_difference(means, baseline, [4, 8, 16, 4], [4, 4, 4, 4], np.arange(4))
    assert few.estimate == many.estimate == pytest.approx((0.5 + 0 + 0 + 0.25) / 4)
    samples = [1] * 4 + [1, 1, 0, 0] + [0] * 4 + [1, 0, 0, 0]
    pooled = cluster_sums(samples, np.arange(16) // 4)
    ours = paired_sums(means, baseline, [4] * 4, [4] * 4, np.arange(4)).here
    np.testing.assert_allclose(np.array(ours, dtype=float), np.array(pooled, dtype=float), atol=1e-12)


def random_pairs(seed: int, questions: int = 40) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    cluster = rng.integers(0, 12, questions)
    shared = rng.normal(size=12)[cluster] + rng.normal(size=questions)
    return shared + rng.normal(size=questions) + 0.4, shared + rng.normal(size=questions), cluster


@pytest.mark.parametrize("seed", range(3))
def test_paired_means_are_scipys_paired_t(seed):
    here, there, _ = random_pairs(seed)
    difference = paired_mean_difference(here, there, np.arange(len(here)))
    theirs = ttest_rel(here, there)
    interval = theirs.confidence_interval(0.9)
    assert difference.p == pytest.approx(theirs.pvalue, rel=1e-9)
    assert difference.interval(0.9) == pytest.approx((interval.low, interval.high))
    d = here - there
    assert (difference.effect, difference.effect_kind) == (
        pytest.approx(d.mean() / d.std(ddof=1)), "Cohen's d (paired)",
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_paired_clustered_means_are_statsmodels_cluster_robust_ols(seed):
    here, there, cluster = random_pairs(seed)
    difference = paired_mean_difference(here, there, cluster)
    fit = sm.OLS(here - there, np.ones(len(here))).fit(cov_type="cluster", cov_kwds={"groups": cluster}, use_t=True)
    assert difference.p == pytest.approx(fit.pvalues[0], rel=1e-9)
    assert difference.interval(0.95) == pytest.approx(tuple(fit.conf_int(0.05)[0]), rel=1e-9)


def test_paired_standard_error_is_millers():
    """sqrt(SE_A^2 + SE_B^2 - 2 SE_A SE_B corr), as Miller (2024) has it."""
    here, there, _ = random_pairs(0)
    n = len(here)
    a, b = here.std(ddof=1) / n**0.5, there.std(ddof=1) / n**0.5
    stderr = (a**2 + b**2 - 2 * a * b * np.corrcoef(here, there)[0, 1]) ** 0.5
    low, high = paired_mean_difference(here, there, np.arange(n)).interval(0.95)
    assert (high - low) / 2 == pytest.approx(t.ppf(0.975, n - 1) * stderr)


def test_unpaired_means_are_welchs_t_and_millers_clustered_errors():
    here, there, cluster = random_pairs(4)
    there = there[:25]
    plain = unpaired_mean_difference(
        cluster_sums(here, np.arange(40)), cluster_sums(there, np.arange(25)), here.std(ddof=1), there.std(ddof=1)
    )
    theirs = ttest_ind(here, there, equal_var=False)
    interval = theirs.confidence_interval(0.95)
    assert plain.p == pytest.approx(theirs.pvalue, rel=1e-9)
    assert plain.interval(0.95) == pytest.approx((interval.low, interval.high))
    pooled = ((39 * here.var(ddof=1) + 24 * there.var(ddof=1)) / 63) ** 0.5
    assert plain.effect == pytest.approx((here.mean() - there.mean()) / pooled)
    sums, baseline = cluster_sums(here, cluster), cluster_sums(there, cluster[:25])
    clustered = unpaired_mean_difference(sums, baseline, 1.0, 1.0)
    stderr = np.hypot(clustered_stderr(sums), clustered_stderr(baseline))
    low, high = clustered.interval(0.95)
    assert norm.ppf(0.975) * stderr < (high - low) / 2 < 1.2 * norm.ppf(0.975) * stderr
    assert clustered.method == "t, unpaired, clustered"


def test_values_without_spread_have_no_interval():
    for difference in (
        paired_mean_difference([1.0, 2.0, 3.0], [0.5, 1.5, 2.5], [0, 1, 2]),
        paired_mean_difference([1.0], [0.5], [0]),
        unpaired_mean_difference(cluster_sums([2.0] * 3, range(3)), cluster_sums([1.0] * 3, range(3)), 0.0, 0.0),
        reported_difference(0.3, np.nan, 0.2, 0.1),
    ):
        assert np.isfinite(difference.estimate)
        assert np.isnan(difference.interval(0.95)).all()
        assert np.isnan(difference.p)


def test_reported_numbers_are_compared_by_their_errors():
    difference = reported_difference(0.6, 0.03, 0.5, 0.04)
    assert difference.interval(0.95) == pytest.approx((0.1 - 1.959964 * 0.05, 0.1 + 1.959964 * 0.05))
    assert difference.p == pytest.approx(2 * norm.sf(2.0))
    with pytest.raises(ValueError, match="negative"):
        reported_difference(0.6, -0.03, 0.5, 0.04)


def test_the_average_of_differences_squares_and_adds():
    members = [rates_of(*pairs(5, 20, 2, 23)), rates_of(*pairs(0, 0, 0, 50)), rates_of(*pairs(10, 5, 5, 30))]
    average = average_difference(members)
    bounds = np.array([m.interval(0.95) for m in members])
    expected = average_interval([m.estimate for m in members], bounds[:, 0], bounds[:, 1])
    assert average.estimate == pytest.approx(float(expected[0]))
    assert average.interval(0.95) == pytest.approx((float(expected[1]), float(expected[2])))
    assert average.interval(1 - average.p)[0] == pytest.approx(0, abs=1e-8)
    assert average_difference(members[:1]) is members[0]
    with pytest.raises(ValueError, match="at least one member"):
        average_difference([])


def test_impossible_pairs_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        paired_sums([0.5], [0.5, 0.1], [1], [1], [0])
    with pytest.raises(ValueError, match="at least one"):
        paired_sums([], [], [], [], [])
    with pytest.raises(ValueError, match="between 0 and 1"):
        unpaired_proportion_interval(independent(1, 2), independent(1, 2), level=95)


# Families


def test_corrections_agree_with_statsmodels_and_leave_out_what_is_missing():
    p = np.array([0.001, 0.04, 0.03, 0.2, 0.9, 0.03])
    for ours, theirs in (("holm", "holm"), ("bh", "fdr_bh")):
        assert corrected(p, ours) == pytest.approx(multipletests(p, method=theirs)[1])
        with_gap = corrected([np.nan, *p], ours)
        assert np.isnan(with_gap[0])
        assert with_gap[1:] == pytest.approx(corrected(p, ours))
        assert corrected([], ours).size == 0
    assert corrected(p, "none") == pytest.approx(p)
    with pytest.raises(ValueError, match="holm, bh, none"):
        corrected(p, "bonferroni")
    with pytest.raises(ValueError, match="between 0 and 1"):
        corrected([1.2], "holm")
    assert set(CORRECTIONS) == {"holm", "bh", "none"}


# Power


@pytest.mark.parametrize(("rate", "baseline"), [(0.2, 0.1), (0.05, 0.0), (0.6, 0.5), (0.01, 0.1)])
def test_questions_for_unpaired_rates_agree_with_statsmodels(rate, baseline):
    theirs = samplesize_proportions_2indep_onetail(rate - baseline, baseline, power=0.8, alpha=0.05)
    assert questions_for_rates(rate, baseline) == pytest.approx(theirs)
    assert questions_for_rates(rate, baseline, design_effect=3) == pytest.approx(3 * theirs)


def test_questions_for_pairs_are_millers_and_nearly_the_t_tests():
    # Miller (2024), on sample sizes.
    n = questions_for_paired(0.03, 1 / 9, 1 / 6, 1 / 6, 1, 1)
    assert n == pytest.approx((1.959964 + 0.841621) ** 2 * (1 / 9 + 1 / 6 + 1 / 6) / 0.03**2, rel=1e-5)
    assert questions_for_paired(0.03, 1 / 9, 1 / 6, 1 / 6, 10, 10) < n
    theirs = TTestPower().solve_power(effect_size=0.1, power=0.8, alpha=0.05)
    assert questions_for_paired(0.1, 1.0) == pytest.approx(theirs, rel=0.005)


def test_a_comparison_tells_what_it_would_have_found():
    """An interval of half-width 1.96 SE finds 2.8 SE four times in five."""
    assert detectable_from_interval(-1.959964, 1.959964) == pytest.approx(2.801585, abs=1e-5)
    assert np.isnan(detectable_from_interval(np.nan, np.nan))


def test_what_a_comparison_would_have_found_is_millers_and_the_number_of_questions_agrees():
    """Miller (2024), on the minimum detectable effect: (z_a + z_b) sqrt(w^2 / n); here with a quantile of t for z_a."""
    d = np.random.default_rng(6).normal(0.1, 1.0, 2000)
    interval = paired_mean_difference(d, np.zeros(2000), np.arange(2000)).interval(0.95)
    found = detectable_from_interval(*interval)
    millers = (norm.ppf(0.975) + norm.ppf(0.8)) * np.sqrt(d.var(ddof=1) / 2000)
    assert found == pytest.approx(millers * t.ppf(0.975, 1999) / norm.ppf(0.975), rel=1e-9)
    assert questions_for_paired(found, d.var(ddof=1)) == pytest.approx(2000, rel=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "baseline"), [(50, 0.4), (100, 0.5), (300, 0.2)])
def test_rates_that_differ_by_what_is_detectable_are_told_apart_about_four_times_in_five(n, baseline):
    """McNemar's exact test is the more cautious the fewer the questions."""
    rng = np.random.default_rng(12)

    def found(rate: float) -> list:
        ability = rng.normal(size=(300, 2, n)) * 0.5**0.5 + rng.normal(size=(300, 1, n)) * 0.5**0.5
        answers = (ability < norm.ppf([baseline, rate])[None, :, None]).astype(float)
        return [rates_of(here, there) for here, there in answers]

    detectable = np.median([detectable_from_interval(*each.interval(0.95)) for each in found(baseline)])
    power = np.mean([each.p < 0.05 for each in found(baseline - detectable)])
    assert 0.65 <= power <= 0.9


def test_impossible_powers_are_refused():
    for wrong in (
        lambda: questions_for_rates(0.1, 0.1),
        lambda: questions_for_rates(0.1, 1.2),
        lambda: questions_for_rates(0.1, 0.2, power=80),
        lambda: questions_for_rates(0.1, 0.2, design_effect=0),
        lambda: questions_for_paired(0, 1),
        lambda: questions_for_paired(0.1, -1),
        lambda: questions_for_paired(0.1, 1, epochs=0),
        lambda: detectable_from_interval(-0.1, 0.1, power=80),
    ):
        with pytest.raises(ValueError, match=r"must|finds"):
            wrong()


# Coverage

REPETITIONS = 10_000


def simulate(rate: float, baseline: float, questions: int, epochs: int, icc: float, correlation: float):
    """Epochs of questions whose own rates are beta distributed, in two checkpoints alike, and in a third alone.

    Returns:
        Sums of the pair, and of the third checkpoint: its true rate is `baseline`, its questions are others.
    """
    rng = np.random.default_rng(20250301)
    spread = 1 / icc - 1
    grid = np.linspace(-6, 6, 2001)

    def answers(true: float, ability: np.ndarray) -> tuple[ClusterSums, np.ndarray]:
        quantiles = betaincinv(true * spread, (1 - true) * spread, norm.cdf(grid))
        hits = rng.binomial(epochs, np.interp(ability, grid, quantiles))
        n = questions * epochs
        e = hits - hits.mean(axis=1, keepdims=True)
        each = np.full(REPETITIONS, 1.0)
        return (
            ClusterSums(n * each, hits.sum(axis=1), questions * each, n * epochs * each, (e**2).sum(1), (e**4).sum(1)),
            e,
        )

    size = (REPETITIONS, questions)
    shared = rng.normal(size=size)
    other = correlation * shared + (1 - correlation**2) ** 0.5 * rng.normal(size=size)
    (here, e), (there, f) = answers(rate, shared), answers(baseline, other)
    norms = np.sqrt((e**2).sum(1) * (f**2).sum(1))
    r = np.divide((e * f).sum(1), norms, out=np.zeros(REPETITIONS), where=norms > 0)
    return PairedSums(here, there, r), answers(baseline, rng.normal(size=size))[0]


def coverage(bounds, true: float) -> float:
    return float(np.mean((bounds[0] <= true + 1e-12) & (true - 1e-12 <= bounds[1])))


@pytest.mark.slow
@pytest.mark.parametrize(("questions", "epochs"), [(25, 8), (50, 4), (100, 1)])
@pytest.mark.parametrize(("rate", "baseline"), [(0.1, 0.1), (0.2, 0.1), (0.5, 0.5), (0.6, 0.4)])
def test_intervals_of_differences_cover_near_95_percent(questions, epochs, rate, baseline):
    pair, third = simulate(rate, baseline, questions, epochs, icc=0.3, correlation=0.5)
    paired = coverage(paired_proportion_interval(pair), rate - baseline)
    unpaired = coverage(unpaired_proportion_interval(pair.here, third), rate - baseline)
    assert 0.935 <= paired <= 0.97
    assert 0.935 <= unpaired <= 0.97


@pytest.mark.parametrize(("rate", "baseline"), [(0.01, 0.01), (0.05, 0.01)])
def test_near_0_intervals_cover_at_least_95_percent_where_standard_errors_do_not(rate, baseline):
    pair, third = simulate(rate, baseline, 50, 4, icc=0.3, correlation=0.5)
    assert coverage(paired_proportion_interval(pair), rate - baseline) >= 0.95
    assert coverage(unpaired_proportion_interval(pair.here, third), rate - baseline) >= 0.95
    p, q = (np.asarray(s.total) / np.asarray(s.n) for s in (pair.here, third))
    half = 1.96 * np.sqrt(p * (1 - p) / 200 + q * (1 - q) / 200)
    assert coverage((p - q - half, p - q + half), rate - baseline) < 0.92


def test_pairing_narrows_the_interval_and_clusters_are_not_ignored():
    pair, third = simulate(0.5, 0.5, 25, 8, icc=0.3, correlation=0.9)
    widths = [np.mean(high - low) for low, high in (
        paired_proportion_interval(pair), unpaired_proportion_interval(pair.here, third)
    )]  # fmt: skip
    assert widths[0] < 0.75 * widths[1]
    p, q = (np.asarray(s.total) / np.asarray(s.n) for s in (pair.here, third))
    half = 1.96 * np.sqrt(p * (1 - p) / 200 + q * (1 - q) / 200)
    assert coverage((p - q - half, p - q + half), 0.0) < 0.85
