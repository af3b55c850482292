"""The frontier and the tokens that a rate takes agree with their definitions, counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm

from dashboard.statistics import fit_band, frontier, slope, tokens_to_reach

M = 1e6

# Row 4 of the reference's figures: tokens and rate.
TOKENS = [0, 10 * M, 30 * M, 30 * M, 85 * M, 1 * M, 3 * M]
RATES = [0.22, 0.17, 0.15, 0.03, 0.01, 0.09, 0.03]


def test_the_frontier_of_the_reference():
    assert frontier(TOKENS, RATES, "lower").tolist() == [True, False, False, False, True, True, True]


def test_the_frontier_respects_the_direction():
    values = [5.6, 5.7, 5.8, 7.5, 7.9, 7.0, 8.3]
    assert frontier(TOKENS, values, "higher").tolist() == [True, False, False, False, False, True, True]
    negated = frontier(TOKENS, [-value for value in values], "lower")
    assert negated.tolist() == frontier(TOKENS, values, "higher").tolist()


@pytest.mark.parametrize("seed", range(5))
def test_no_point_of_the_frontier_is_beaten_and_every_other_is(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 8, 25), rng.integers(0, 8, 25)
    on = frontier(x, y, "lower")
    for i in range(25):
        beaten = any((x[j] <= x[i] and y[j] <= y[i]) and (x[j] < x[i] or y[j] < y[i]) for j in range(25) if j != i)
        assert on[i] == (not beaten)


def test_points_equal_in_both_are_on_it_together_and_missing_ones_are_not():
    assert frontier([1, 1, 2, np.nan, 3], [0.0, 0.0, 0.0, 0.0, np.nan], "lower").tolist() == [
        True, True, False, False, False,
    ]  # fmt: skip
    assert frontier([], [], "lower").tolist() == []


def test_a_rate_between_two_checkpoints_is_interpolated_over_the_logarithm():
    halfway = tokens_to_reach([1 * M, 100 * M], [0.4, 0.2], 0.3, "lower")
    assert halfway.tokens == pytest.approx(10 * M)
    assert (halfway.after, halfway.by, halfway.how) == (1 * M, 100 * M, "interpolated")
    quarter = tokens_to_reach([100 * M, 1 * M], [8.0, 4.0], 5.0, "higher")
    assert quarter.tokens == pytest.approx(10 ** (6 + 2 / 4))


def test_what_was_reached_at_first_before_or_never_is_told():
    first = tokens_to_reach([3 * M, 9 * M], [0.3, 0.1], 0.3, "lower")
    assert (first.tokens, first.how) == (3 * M, "at its first checkpoint")
    before = tokens_to_reach([3 * M, 9 * M], [0.2, 0.1], 0.3, "lower")
    assert math.isnan(before.tokens)
    assert (before.by, before.how) == (3 * M, "before its first checkpoint")
    never = tokens_to_reach([3 * M, 9 * M], [0.5, 0.4], 0.3, "lower")
    assert math.isnan(never.tokens)
    assert math.isnan(never.by)
    assert (never.after, never.how) == (9 * M, "never")
    assert tokens_to_reach([], [], 0.3, "lower").how == "never"


def test_from_0_tokens_only_the_span_is_told_unless_a_checkpoint_hits_it():
    between = tokens_to_reach([0, 3 * M], [0.5, 0.1], 0.3, "lower")
    assert math.isnan(between.tokens)
    assert (between.after, between.by, between.how) == (0, 3 * M, "between")
    hit = tokens_to_reach([0, 3 * M], [0.5, 0.3], 0.3, "lower")
    assert (hit.tokens, hit.how) == (3 * M, "interpolated")


def test_the_first_crossing_counts_and_gaps_are_left_out():
    found = tokens_to_reach([1, 10, 100, 1000], [0.4, 0.2, 0.5, 0.1], 0.3, "lower")
    assert (found.after, found.by) == (1, 10)
    gap = tokens_to_reach([1, np.nan, 100], [0.4, 0.0, 0.2], 0.3, "lower")
    assert gap.tokens == pytest.approx(10)


def test_impossible_input_is_refused():
    with pytest.raises(ValueError, match="one shape"):
        frontier([1, 2], [1], "lower")
    with pytest.raises(ValueError, match="negative"):
        frontier([-1], [1], "lower")
    with pytest.raises(ValueError, match="allowed: lower, higher"):
        tokens_to_reach([1], [1], 0.5, "down")  # type: ignore[arg-type]


X = np.array([10.0, 50, 100, 150, 200, 250, 300, 350, 390])
AT = np.array([0.0, 100.0, 222.0, 390.0])


@pytest.mark.parametrize("seed", range(3))
def test_the_band_of_scattered_points_is_statsmodels(seed):
    rng = np.random.default_rng(seed)
    variance = rng.uniform(0.5, 3.0, len(X))
    y = -0.08 * X + rng.normal(size=len(X)) * variance**0.5 * 4
    fit = sm.WLS(y, sm.add_constant(X), weights=1 / variance).fit()
    assert fit.scale > 1, "the example must scatter more than its variances explain"
    theirs = fit.get_prediction(np.column_stack([np.ones(len(AT)), AT])).summary_frame(alpha=0.05)
    ours = fit_band(X, y, variance, AT)
    assert ours.fitted == pytest.approx(theirs["mean"].to_numpy())
    assert ours.low == pytest.approx(theirs["mean_ci_lower"].to_numpy())
    assert ours.high == pytest.approx(theirs["mean_ci_upper"].to_numpy())


def test_the_band_rises_by_the_slope_and_keeps_the_error_of_sampling():
    variance = np.full(len(X), 0.005)
    y = 0.6 - 0.001 * X
    band, line = fit_band(X, y, variance, [0.0, 1.0]), slope(X, y, variance)
    assert band.fitted[1] - band.fitted[0] == pytest.approx(line.estimate)
    theirs = sm.WLS(y, sm.add_constant(X), weights=1 / variance).fit(cov_type="fixed scale")
    assert band.high[0] - band.fitted[0] == pytest.approx((line.high - line.estimate) / line.stderr * theirs.bse[0])


def test_a_band_needs_two_places():
    assert np.isnan(fit_band([1, 1], [0, 1], [1, 1], [0, 1]).fitted).all()
