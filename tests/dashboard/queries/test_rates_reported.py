"""Numbers that logs report: intervals of one kind inside 0 to 100%, values that are none, and what is no metric."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from dashboard.queries.catalogue import metrics_for
from dashboard.queries.frame import RateQuery
from dashboard.queries.rates import rates
from dashboard.queries.reported import successes
from dashboard.statistics import clopper_pearson_interval, share_interval, wilson_interval
from tests.builders import StoreBuilder, log, reported, sample, samples, score
from tests.real_stores import ingested


def frame_of(store: StoreBuilder, **query) -> pd.DataFrame:
    with store.cursor() as cursor:
        return rates(cursor, RateQuery(**query), store.batch)


def line(*numbers, metric: str = "acc") -> StoreBuilder:
    """A run whose logs, at steps 1, 2, ..., report a number each: value, and what stands beside it."""
    store = StoreBuilder()
    for step, (value, more) in enumerate(numbers, 1):
        store.add(log([], task="arc", reported=[reported(metric, value, **more)], minutes=step), step=step)
    return store


def metrics_of(store: StoreBuilder, name: str) -> list[str]:
    with store.cursor() as cursor:
        return metrics_for(cursor, (name,), store.batch)["metric"].tolist()


def test_small_n_stays_inside_and_is_one_kind(cases: Path) -> None:
    frame = ingested(cases / "reported-intervals-small-n").rates()
    assert frame["k"].tolist() == [1, 0, 9]
    assert set(frame["interval"]) == {"Wilson"}
    low, high = wilson_interval([1, 0, 9], [10, 10, 10])
    np.testing.assert_allclose(frame["low"], low)
    np.testing.assert_allclose(frame["high"], high)


def test_odd_errors_leave_the_interval_of_k_of_n(cases: Path) -> None:
    frame = ingested(cases / "reported-intervals-odd").rates(metrics=("all",)).set_index("step")
    # A list is no number, and no metric.
    assert set(frame["metric"]) == {"acc"}
    assert frame.loc[[500, 1000, 1500], "k"].tolist() == [40, 0, 50]
    assert set(frame.loc[[500, 1000, 1500], "interval"]) == {"Wilson"}
    assert pd.isna(frame.loc[2000, "rate"])


@pytest.mark.parametrize("error", [-0.1, math.inf, math.nan, -math.inf])
def test_what_is_no_standard_error_is_left_out_and_named(error: float) -> None:
    store = line((0.4, {"stderr": error}), (0.4, {"stderr": error, "n": 100}), (0.5, {"stderr": 0.05}))
    frame = frame_of(store)
    assert np.isnan(frame.loc[0, "low"])
    assert (frame.loc[1, "k"], frame.loc[1, "interval"]) == (40, "Wilson")
    if not math.isnan(error):
        assert any("which can't be one" in flag for flag in frame.loc[0, "flags"])


def test_negative_errors_do_not_end_an_average() -> None:
    store = StoreBuilder()
    store.group("both", ["arc", "piqa"])
    for task, error in (("arc", -0.1), ("piqa", 0.02)):
        store.add(log([], task=task, reported=[reported("f1", 0.5, stderr=error)]), step=1)
    row = frame_of(store, evals=("both",)).iloc[0]
    assert row["rate"] == 0.5
    assert np.isnan(row["low"])


def test_errors_alone_give_the_interval_of_the_n_that_they_stand_for() -> None:
    # As lm-eval reports 5 of 60: sqrt(p (1 - p) / (n - 1)).
    p = 5 / 60
    error = math.sqrt(p * (1 - p) / 59)
    store = line((p, {"stderr": error}), (p, {"n": 60, "stderr": error}), (p, {"n": 60, "k": 5}))
    frame = frame_of(store)
    np.testing.assert_allclose(frame["low"], proportion_confint(5, 60, method="wilson")[0])
    np.testing.assert_allclose(frame["high"], proportion_confint(5, 60, method="wilson")[1])
    assert frame["interval"].tolist() == ["Wilson, from the reported stderr", "Wilson", "Wilson"]
    assert frame["k"].isna().tolist() == [True, False, False]
    # One line with both says so, where the interval rests on the error.
    told = "The interval rests on the reported standard error; elsewhere on k of n."
    assert [told in flags for flags in frame["flags"]] == [True, False, False]
    exact = frame_of(store, method="clopper-pearson")
    np.testing.assert_allclose(exact["low"], clopper_pearson_interval(5, 60)[0])
    assert exact["interval"].tolist()[1:] == ["Clopper-Pearson"] * 2


@pytest.mark.slow
@pytest.mark.parametrize(("share", "error"), [(0.01, 0.2), (0.999, 0.5), (0.0, 0.1), (1.0, 0.3), (0.5, 3.0)])
def test_no_error_leads_out_of_0_to_100_percent(share: float, error: float) -> None:
    row = frame_of(line((share, {"stderr": error}))).iloc[0]
    assert 0 <= row["low"] <= share <= row["high"] <= 1
    assert row["high"] > row["low"]


def test_the_interval_of_an_error_covers_as_the_one_of_counts() -> None:
    rng = np.random.default_rng(7)
    for rate, n in ((0.03, 200), (0.3, 40), (0.9, 100)):
        k = rng.binomial(n, rate, 20_000)
        p = k / n
        inside = (k > 0) & (k < n)
        low, high = share_interval(p[inside], np.sqrt(p * (1 - p) / (n - 1))[inside])
        assert np.mean((low <= rate) & (rate <= high)) == pytest.approx(0.95, abs=0.025)
    with pytest.raises(ValueError, match="between 0 and 1"):
        share_interval(1.1, 0.1)
    with pytest.raises(ValueError, match="above 0"):
        share_interval(0.5, 0.0)


def test_k_is_told_only_where_one_count_fits() -> None:
    assert successes(0.634, 500) == 317
    assert successes(1 / 3, 300) == 100
    # 37.5 % of 80 was written as 0.38 by nobody; 0.33 of 12 is 4, rounded.
    assert successes(0.33, 12) == 4
    assert successes(0.41, 817) is None
    assert successes(0.512345678901, 100) is None


def test_a_mean_of_partial_credit_is_no_count() -> None:
    row = frame_of(line((0.512345678901, {"n": 100, "stderr": 0.03}))).iloc[0]
    assert pd.isna(row["k"])
    assert row["interval"] == "Wilson, from the reported stderr"


def test_an_error_that_speaks_of_clusters_is_named() -> None:
    row = frame_of(line((0.5, {"n": 100, "stderr": 0.15}))).iloc[0]
    assert row["interval"] == "Wilson"
    assert any("may be too narrow" in flag for flag in row["flags"])


def test_a_known_k_makes_a_share_of_any_name() -> None:
    frame = frame_of(line((0.2, {"n": 10, "k": 2}), (0.3, {"n": 10, "k": 3}), metric="refused"))
    assert frame[["kind", "k", "interval"]].values.tolist() == [["rate", 2, "Wilson"], ["rate", 3, "Wilson"]]
    # A k that is no count of n is none; nor is one that gives another share.
    assert frame_of(line((0.2, {"n": 10, "k": 12}), metric="refused"))["k"].tolist() == [2]
    row = frame_of(line((0.2, {"n": 10, "k": 5}))).iloc[0]
    assert row["k"] == 2
    assert any("5 of 10 is not the reported 0.2" in flag for flag in row["flags"])
    # Written in per cent it is no share, whatever its name.
    assert set(frame_of(line((63.4, {"stderr": 1.0}), (0.9, {"stderr": 0.5})))["kind"]) == {"reported"}


def test_counts_errors_and_placeholders_are_no_metrics() -> None:
    store = StoreBuilder()
    names = (
        "acc",
        "num_total",
        "bypass",
        "alias",
        "stderr",
        "acc_stderr",
        "refusal_count",
        "n",
        "samples",
        "f1",
        "n_gram",
    )
    numbers = [reported(name, 0.5) for name in names]
    store.add(log([], task="arc", reported=[*numbers, reported("nothing", None)]), step=1)
    assert metrics_of(store, "arc") == ["acc", "f1"]


def test_an_infinite_score_is_left_out_and_counted(cases: Path) -> None:
    frame = ingested(cases / "infinite-score").rates().set_index("step")
    assert (frame.loc[10, "rate"], frame.loc[10, "n"]) == (pytest.approx(0.35), 2)
    assert "1 value is infinite: left out." in frame.loc[10, "flags"]
    assert not any("infinite" in flag for flag in frame.loc[5, "flags"])


def test_an_infinite_value_means_the_same_in_csv_and_json(cases: Path) -> None:
    frame = ingested(cases / "infinity-in-tables").rates()
    first = frame[frame["step"] == 100]
    assert first["rate"].tolist() == [12.5, 12.5]
    assert all("1 value is infinite: left out." in flags for flags in first["flags"])


def test_an_infinite_perplexity_is_missing(cases: Path) -> None:
    frame = ingested(cases / "infinite-perplexity").rates(metrics=("all",))
    late = frame[frame["step"] == 1000]
    assert len(late) == 3
    assert late["rate"].isna().all()
    assert all("1 value is infinite: left out." in flags for flags in late["flags"])
    assert not any("reports no" in flag for flags in late["flags"] for flag in flags)
    assert np.isfinite(frame[frame["step"] == 500]["rate"]).all()


def test_values_whose_sum_overflows_are_left_out(cases: Path) -> None:
    frame = ingested(cases / "overflowing-sum").rates()
    assert frame["rate"].tolist() == [0.5, 0.5]
    assert all("2 values are too large to average: left out." in flags for flags in frame["flags"])


@pytest.mark.slow
@pytest.mark.parametrize("value", [math.inf, -math.inf, "inf", "-Infinity", 1e308, -1e300])
def test_no_number_that_leaves_the_tables_is_infinite(value: object) -> None:
    store = StoreBuilder()
    for step in (1, 2):
        store.add(log(samples([0.5, value, value, 0.25], "judge"), minutes=step), step=step)
    store.add(log(samples([value, value], "judge"), minutes=3), step=3)
    frame = frame_of(store)
    numbers = frame[["rate", "low", "high", "stderr", "reported"]].to_numpy(dtype=float)
    assert not np.isinf(numbers).any()
    assert frame["rate"].tolist()[:2] == [0.375, 0.375]
    assert np.isnan(frame["rate"][2])
    assert frame["n_missing"].tolist() == [2, 2, 2]


def test_the_readers_own_word_for_infinite_counts_too() -> None:
    store = StoreBuilder()
    odd = score(None)
    odd.value_type = "infinite"
    store.add(log([sample(1, score(0.5)), sample(2, odd), sample(3, score(0.1))]), step=1)
    row = frame_of(store).iloc[0]
    assert (row["rate"], row["n_missing"]) == (pytest.approx(0.3), 1)
    assert "1 value is infinite: left out." in row["flags"]


def test_a_score_that_is_never_finite_is_still_offered() -> None:
    store = StoreBuilder()
    store.add(log(samples([math.inf, math.inf], "ppl")), step=1)
    row = frame_of(store).iloc[0]
    assert row["metric"] == "mean_ppl"
    assert "2 values are infinite: left out." in row["flags"]


def test_a_metric_that_few_logs_hold_is_not_the_default() -> None:
    store = StoreBuilder()
    for step in range(1, 5):
        held = [reported("f1", 0.5), *([reported("acc", 0.5, stderr=0.1)] if step == 1 else [])]
        store.add(log([], task="arc", reported=held), step=step)
        both = [score(0.5, "judge"), *([score(1, "a_first")] if step == 1 else [])]
        store.add(log([sample(1, *both), sample(2, *both)], task="plot"), step=step)
    assert metrics_of(store, "arc") == ["f1", "acc"]
    assert metrics_of(store, "plot")[0] == "mean_judge"
