"""Slopes and areas agree with statsmodels and hand computations, and cover what they should."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import norm, t

from dashboard.statistics import (
    ClusterSums,
    PairedSums,
    area_between,
    cluster_influence,
    cluster_sums,
    clustered_stderr,
    lead_over_steps,
    paired_proportion_interval,
    rescaled_covariance,
    slope,
    step_covariance,
    variance_of_interval,
    wilson_interval,
)

X = np.array([0.0, 100.0, 200.0, 300.0, 400.0])


def covariance_of(values, cluster) -> np.ndarray:
    """Over the same questions at every step, each counting once."""
    return step_covariance([cluster_influence(np.ones(len(row)), row, list(cluster)) for row in values])


def noisy(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    variance = rng.uniform(0.5, 3.0, len(X))
    return 0.02 * X + rng.normal(size=len(X)) * variance**0.5 * 4, variance


@pytest.mark.parametrize("seed", range(4))
def test_scattered_points_give_statsmodels_wls_slope(seed):
    y, variance = noisy(seed)
    ours = slope(X, y, variance)
    fit = sm.WLS(y, sm.add_constant(X), weights=1 / variance).fit()
    assert fit.scale > 1, "the example must scatter more than its variances explain"
    assert (ours.estimate, ours.stderr, ours.p) == pytest.approx((fit.params[1], fit.bse[1], fit.pvalues[1]))
    assert (ours.low, ours.high) == pytest.approx(tuple(fit.conf_int(0.05)[1]))


def test_points_on_a_line_keep_the_error_of_their_sampling():
    """Statsmodels with a fixed scale: an accidentally straight curve is no certainty."""
    variance = np.array([1.0, 2.0, 1.0, 3.0, 1.0])
    ours = slope(X, 0.5 * X + 1, variance)
    stderr = sm.WLS(0.5 * X + 1, sm.add_constant(X), weights=1 / variance).fit(cov_type="fixed scale").bse[1]
    assert (ours.estimate, ours.stderr) == pytest.approx((0.5, stderr))
    assert ours.high == pytest.approx(0.5 + t.ppf(0.975, 3) * stderr)


def test_two_points_are_a_difference_over_a_distance():
    ours = slope([0, 10], [0.5, 0.3], [0.01, 0.02])
    assert (ours.estimate, ours.stderr) == pytest.approx((-0.02, 0.03**0.5 / 10))
    assert ours.p == pytest.approx(2 * norm.sf(0.02 / (0.03**0.5 / 10)))


def test_points_without_a_place_or_variance_are_left_out():
    full = slope([0, 1, 2], [0.1, 0.2, 0.4], [1, 1, 1])
    gaps = slope([0, 1, 2, np.nan, 4, 5], [0.1, 0.2, 0.4, 1, np.nan, 1], [1, 1, 1, 1, 1, np.nan])
    assert gaps == full
    for nothing in (slope([1, 1], [0, 1], [1, 1]), slope([], [], []), area_between([1], [1], [1])):
        assert np.isnan([nothing.estimate, nothing.low, nothing.p]).all()


def test_a_slope_of_zeros_is_0_with_bounds():
    low, high = wilson_interval([0] * 5, [100] * 5)
    flat = slope(X, np.zeros(5), variance_of_interval(low, high))
    assert (flat.estimate, flat.p) == (0.0, 1.0)
    assert flat.low < 0 < flat.high
    assert flat.high * 400 < 0.05


def test_variance_of_an_interval_is_that_of_the_normal():
    assert variance_of_interval(-1.959964, 1.959964) == pytest.approx(1.0, rel=1e-6)
    assert variance_of_interval([0.0], [0.5], 0.9) == pytest.approx([(0.25 / 1.644854) ** 2], rel=1e-6)


def test_covariance_over_steps_is_clustered_and_agrees_with_statsmodels():
    rng = np.random.default_rng(5)
    cluster = rng.integers(0, 8, 30)
    values = rng.normal(size=(3, 30)) + rng.normal(size=8)[cluster]
    covariance = covariance_of(values, cluster)
    for i, row in enumerate(values):
        assert covariance[i, i] ** 0.5 == pytest.approx(float(clustered_stderr(cluster_sums(row, cluster))))
    sums = sm.OLS(values[0] + values[1], np.ones(30)).fit(cov_type="cluster", cov_kwds={"groups": cluster}).bse[0] ** 2
    assert covariance[0, 0] + covariance[1, 1] + 2 * covariance[0, 1] == pytest.approx(sums)
    assert not covariance_of(values, np.zeros(30)).any()


def test_area_is_the_trapezoids_and_its_error_follows_the_weights():
    area = area_between([0, 1, 3], [0.2, 0.4, 0.0], [0.01, 0.04, 0.01])
    assert area.estimate == pytest.approx((0.3 * 1 + 0.2 * 2) / 3)
    assert area.stderr == pytest.approx(((1 / 6) ** 2 * 0.01 + (3 / 6) ** 2 * 0.04 + (2 / 6) ** 2 * 0.01) ** 0.5)
    assert area_between([3, 0, 1], [0.0, 0.2, 0.4], [0.01, 0.01, 0.04]) == pytest.approx(area)
    with pytest.raises(ValueError, match="once"):
        area_between([1, 1], [0, 1], [1, 1])


@pytest.mark.parametrize("excess", [0.0, 1e-15])
def test_steps_that_cancel_in_every_answer_leave_an_area_without_an_error(excess):
    """As two questions that swap their answers do. Rounding may make the variance negative: no crash, no certainty."""
    area = area_between([0, 1], [0.1, 0.3], [[0.1, -0.1 - excess], [-0.1 - excess, 0.1]])
    assert area.estimate == pytest.approx(0.2)
    assert np.isnan([area.low, area.high, area.stderr, area.p]).all()


def test_the_same_questions_at_every_step_make_the_area_less_certain_and_the_slope_more():
    rng = np.random.default_rng(2)
    values = rng.normal(size=60) + 0.3 * rng.normal(size=(5, 60))
    covariance = covariance_of(values, np.arange(60))
    y = values.mean(axis=1)
    assert area_between(X, y, covariance).stderr > 1.5 * area_between(X, y, np.diag(covariance)).stderr
    assert slope(X, y, covariance).stderr < 0.5 * slope(X, y, np.diag(covariance)).stderr


@pytest.mark.slow
def test_area_and_slope_cover_95_percent_over_the_same_questions():
    rng = np.random.default_rng(11)
    covered = np.zeros(2)
    repetitions = 2000
    for _ in range(repetitions):
        leads = 0.3 - 0.0005 * X[:, None] + 0.4 * rng.normal(size=50) + 0.4 * rng.normal(size=(5, 50))
        covariance = covariance_of(leads, np.arange(50))
        y = leads.mean(axis=1)
        area, line = area_between(X, y, covariance), slope(X, y, covariance)
        covered += (area.low <= 0.2 <= area.high), (line.low <= -0.0005 <= line.high)
    area_coverage, slope_coverage = covered / repetitions
    assert 0.93 <= area_coverage <= 0.965
    # t with n - 2 degrees of freedom makes the slope's interval cautious, as is meant.
    assert slope_coverage >= 0.95


def test_a_lead_shrinks_or_grows_only_where_its_slope_is_shown():
    variance = np.full(5, 1e-5)
    falling = slope(X, 0.4 - 0.0005 * X, variance)
    assert lead_over_steps(0.4, falling) == "shrinks"
    assert lead_over_steps(-0.1, falling) == "grows"
    assert lead_over_steps(0.4, slope(X, 0.4 - 0.0005 * X, np.full(5, 1.0))) == "no significant change"


def test_impossible_input_is_refused():
    with pytest.raises(ValueError, match="one shape"):
        slope([0, 1], [0], [1, 1])
    with pytest.raises(ValueError, match="negative"):
        slope([0, 1], [0, 1], [1, -1])
    with pytest.raises(ValueError, match="between 0 and 1"):
        area_between([0, 1], [0, 1], [1, 1], level=2)


def test_a_covariance_takes_its_size_from_intervals_and_its_correlations_from_the_data():
    covariance = np.array([[4.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    variance = [1.0, 9.0, 4.0]
    added = rescaled_covariance(covariance, variance, unknown=1.0)
    assert added == pytest.approx(np.array([[1, 1.5, 2], [1.5, 9, 6], [2, 6, 4]]))
    subtracted = rescaled_covariance(covariance, variance, unknown=0.0)
    assert subtracted == pytest.approx(np.array([[1, 1.5, 0], [1.5, 9, 0], [0, 0, 4]]))


def test_steps_that_are_equal_in_every_answer_have_a_slope_with_an_error():
    """As Newcombe's method 10 lowers the correlation of two rates: by what one answer of n makes of it."""
    same = np.full((3, 3), 0.01)
    sure = rescaled_covariance(same, np.diag(same), unknown=0.0)
    assert np.isnan(slope([0, 1, 2], [0.1, 0.1, 0.1], sure, scatter=False).p)
    doubted = rescaled_covariance(same, np.diag(same), unknown=0.0, chance=1 / 20**2)
    assert doubted == pytest.approx(0.01 * (0.75 + 0.25 * np.eye(3)))
    line = slope([0, 1, 2], [0.1, 0.1, 0.1], doubted, scatter=False)
    assert (line.estimate, line.stderr) == pytest.approx((0.0, (0.25 * 0.01 / 2) ** 0.5))


def test_a_slope_of_these_very_points_is_the_mean_slope_of_the_questions():
    """A summary measure for each question, then a test of their mean: statsmodels' clustered OLS on a constant."""
    rng = np.random.default_rng(8)
    cluster = rng.integers(0, 9, 40)
    values = rng.normal(size=40) + rng.normal(size=9)[cluster] + 0.4 * rng.normal(size=(5, 40))
    of_questions = np.polyfit(X, values, 1)[0]
    fit = sm.OLS(of_questions, np.ones(40)).fit(cov_type="cluster", cov_kwds={"groups": cluster})
    ours = slope(X, values.mean(axis=1), covariance_of(values, cluster), scatter=False)
    assert (ours.estimate, ours.stderr, ours.p) == pytest.approx((fit.params[0], fit.bse[0], fit.pvalues[0]))


def leads(rng, repetitions: int, rate: list[float], baseline: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Answers of two runs to 60 questions in 20 clusters at four steps: shape (repetitions, run, step, question).

    A question's difficulty, and its cluster's, is the same at all steps, and half of it for both runs.
    """
    cluster = np.repeat(np.arange(20), 3)
    normal = rng.standard_normal
    shared = 0.3**0.5 * normal((repetitions, 1, 1, 20))[..., cluster] + 0.4**0.5 * normal((repetitions, 1, 1, 60))
    own = 0.3**0.5 * normal((repetitions, 2, 1, 20))[..., cluster] + 0.4**0.5 * normal((repetitions, 2, 1, 60))
    latent = (0.5**0.5) * (shared + own) + 0.3**0.5 * normal((repetitions, 2, 4, 60))
    return (latent < norm.ppf([rate, baseline])[None, :, :, None]).astype(float), cluster


def bands(answers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Interval of the lead at each step, of all repetitions at once: shape (repetitions, step)."""
    by_cluster = answers.reshape(*answers.shape[:3], 20, 3).sum(axis=-1)
    residuals = by_cluster - by_cluster.mean(axis=-1, keepdims=True)
    here, there = (
        ClusterSums(60.0, by_cluster[:, i].sum(-1), 20.0, 20 * 9.0, (r := residuals[:, i] ** 2).sum(-1), (r**2).sum(-1))
        for i in range(2)
    )
    norms = np.sqrt(here.sum_e2 * there.sum_e2)
    both = (residuals[:, 0] * residuals[:, 1]).sum(-1)
    correlation = np.divide(both, norms, out=np.zeros_like(both), where=norms > 0)
    return paired_proportion_interval(PairedSums(here, there, correlation))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rate", "baseline", "most"),
    [
        ([0.03] * 4, [0.05] * 4, 1.0),
        ([0.1] * 4, [0.3] * 4, 0.99),
        ([0.3] * 4, [0.5] * 4, 0.97),
        ([0.3] * 4, [0.6, 0.55, 0.5, 0.45], 0.97),
    ],
    ids=["3 and 5 %", "10 and 30 %", "30 and 50 %", "a lead that shrinks"],
)
def test_leads_over_steps_cover_and_a_lead_that_lasts_is_seldom_said_to_shrink(rate, baseline, most):
    """Over clustered questions that are the same at every step. At low rates the intervals are cautious."""
    rng = np.random.default_rng(4)
    repetitions, steps = 1000, np.array([50.0, 100.0, 200.0, 400.0])
    answers, cluster = leads(rng, repetitions, rate, baseline)
    true = np.array(rate) - np.array(baseline)
    low, high = bands(answers)
    variances = variance_of_interval(low, high)
    lead = answers[:, 0] - answers[:, 1]
    weights = (steps - steps.mean()) / np.sum((steps - steps.mean()) ** 2)
    covered, moved = np.zeros(2), 0
    for values, variance in zip(lead, variances, strict=True):
        covariance = covariance_of(values, cluster)
        area = area_between(steps, values.mean(axis=1), rescaled_covariance(covariance, variance, unknown=1.0))
        apart = rescaled_covariance(covariance, variance, unknown=0.0, chance=1 / 60**2)
        line = slope(steps, values.mean(axis=1), apart, scatter=False)
        covered += area.low <= np.trapezoid(true, steps) / 350 <= area.high, line.low <= weights @ true <= line.high
        moved += lead_over_steps(true[0], line) != "no significant change"
    band = np.mean((low <= true) & (true <= high))
    assert 0.935 <= band <= most
    assert np.all((covered / repetitions >= 0.93) & (covered / repetitions <= most))
    if true[0] == true[-1]:
        assert moved / repetitions <= 0.065
    else:
        assert moved / repetitions > 0.3
