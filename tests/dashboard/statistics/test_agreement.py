"""Cohen's kappa agrees with statsmodels, and is missing, with the reason, where it can't be told."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.stats.inter_rater import cohens_kappa as oracle

from dashboard.statistics import cohens_kappa

TABLES = [
    [[20, 5], [10, 15]],
    [[1, 99], [98, 2]],
    [[50, 0], [1, 0]],
    [[0, 3], [0, 9]],
    [[3, 1], [0, 0]],
    [[300, 12], [7, 4000]],
    [[4, 2, 1], [0, 5, 3], [2, 2, 6]],
]


@pytest.mark.parametrize("table", TABLES)
def test_kappa_and_its_interval_agree_with_statsmodels(table):
    theirs, ours = oracle(np.array(table)), cohens_kappa(table)
    assert ours.kappa == pytest.approx(theirs.kappa, abs=1e-12)
    if theirs.var_kappa > 1e-12:
        assert ours.low == pytest.approx(max(-1.0, theirs.kappa_low), abs=1e-12)
        assert ours.high == pytest.approx(min(1.0, theirs.kappa_upp), abs=1e-12)
    assert (ours.n, ours.agreed) == (np.sum(table), np.trace(np.array(table)))


def test_random_tables_agree_with_statsmodels_at_another_level():
    rng = np.random.default_rng(5)
    for _ in range(50):
        table = rng.integers(1, 40, size=(2, 2))
        theirs = oracle(table)
        ours = cohens_kappa(table, level=0.8)
        half = 1.2815515655446004 * theirs.std_kappa
        assert ours.low == pytest.approx(max(-1.0, theirs.kappa - half), abs=1e-9)
        assert ours.high == pytest.approx(min(1.0, theirs.kappa + half), abs=1e-9)


def test_one_class_alone_has_no_kappa_and_says_why():
    for table in ([[7, 0], [0, 0]], [[0, 0], [0, 7]]):
        found = cohens_kappa(table)
        assert math.isnan(found.kappa)
        assert math.isnan(found.low)
        assert "same label" in str(found.reason)


def test_nothing_judged_by_both_has_no_kappa():
    found = cohens_kappa([[0, 0], [0, 0]])
    assert (found.n, found.agreed) == (0, 0)
    assert math.isnan(found.kappa)
    assert found.reason


@pytest.mark.parametrize("table", [[[5, 0], [0, 5]], [[0, 5], [5, 0]]])
def test_without_exception_there_is_no_interval(table):
    found = cohens_kappa(table)
    assert found.kappa == pytest.approx(oracle(np.array(table)).kappa)
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert "on all samples" in str(found.reason)


@pytest.mark.parametrize("table", [[[3, 1], [0, 0]], [[3, 0], [1, 0]]])
def test_where_one_of_the_two_gave_one_verdict_only_the_reason_says_so(table):
    found = cohens_kappa(table)
    assert found.kappa == 0
    assert math.isnan(found.low)
    assert "one of the two gave every sample the same label" in str(found.reason)


@pytest.mark.parametrize("table", [[[1, 2]], [[1, -1], [0, 2]], [[0.5, 1], [1, 1]], [1, 2]])
def test_what_is_no_table_of_counts_is_refused(table):
    with pytest.raises(ValueError, match="table of agreement"):
        cohens_kappa(table)
