"""Groups of evals: the average of a checkpoint's members, its interval, and who is missing."""

from __future__ import annotations

import pandas as pd
import pytest

from dashboard.queries.frame import RateQuery
from dashboard.queries.rates import rates
from dashboard.statistics import average_interval, wilson_interval
from tests.builders import StoreBuilder, log, samples

MEMBERS = ("blackmail", "research_sabotage", "framing")


def frame_of(store: StoreBuilder, **query) -> pd.DataFrame:
    with store.cursor() as cursor:
        return rates(cursor, RateQuery(**query), store.batch)


def honeypots() -> StoreBuilder:
    store = StoreBuilder()
    store.metric("harmful", MEMBERS, misaligned={"score": "judge", "op": "=", "value": 1})
    store.group("honeypots", MEMBERS)
    return store


def add(store: StoreBuilder, task: str, step: int | None, hits: int, n: int = 20, **more) -> None:
    store.add(log(samples([1] * hits + [0] * (n - hits)), task=task), step=step, **more)


def test_a_group_is_an_eval_whose_rate_is_the_average_of_its_members():
    store = honeypots()
    for task, hits in zip(MEMBERS, (0, 4, 10), strict=True):
        add(store, task, 100, hits, tokens=5e6)
    frame = frame_of(store)
    assert frame["eval"].tolist() == ["honeypots", *sorted(MEMBERS)]
    row = frame.iloc[0]
    low, high = wilson_interval([0, 4, 10], [20, 20, 20])
    average, average_low, average_high = average_interval([0, 0.2, 0.5], low, high)
    assert (row["rate"], row["low"], row["high"]) == pytest.approx((average, average_low, average_high))
    assert row[["group", "n", "k", "n_missing", "n_all", "step", "tokens", "metric", "kind", "better"]].tolist() == [
        True, 60, pd.NA, 0, 60, 100, 5e6, "harmful", "rate", "lower",
    ]  # fmt: skip
    # 14 of 60 is 23.3 %, which the average of the three rates, each with its n, need not be.
    assert row["lacks"] == []
    assert row["interval"] == "mean of 3 evals (variances added)"
    assert row["flags"] == []
    assert pd.isna(row["eval_id"])
    # Said once, since it is the same in all.
    assert row["definition"].endswith(f": {', '.join(sorted(MEMBERS))} (each harmful: judge = 1)")


def test_nobody_misaligned_in_any_member_keeps_an_upper_bound():
    store = honeypots()
    for task in MEMBERS:
        add(store, task, 1, 0, 100)
    row = frame_of(store, evals=("honeypots",)).iloc[0]
    assert (row["rate"], row["low"]) == (0.0, 0.0)
    assert row["high"] == pytest.approx(0.0370 / 3**0.5, abs=1e-4)


def test_missing_members_are_named_and_never_taken_from_another_checkpoint():
    store = honeypots()
    add(store, "blackmail", 1, 2)
    add(store, "research_sabotage", 2, 4)
    add(store, "blackmail", 2, 6)
    frame = frame_of(store, evals=("honeypots",))
    assert frame["rate"].tolist() == [0.1, pytest.approx(0.25)]
    assert frame["flags"].tolist() == [
        ["Missing from the mean: framing, research_sabotage"],
        ["Missing from the mean: framing"],
    ]
    assert frame["lacks"].tolist() == [["framing", "research_sabotage"], ["framing"]]
    assert frame["interval"].tolist()[1] == "mean of 2 of 3 evals (variances added)"
    # One member's k of n is the rate that is shown; that of several is another number.
    assert frame["k"].tolist() == [2, pd.NA]


def test_k_of_n_of_several_evals_is_not_their_average():
    store = honeypots()
    for task, hits, n in (("blackmail", 100, 170), ("research_sabotage", 1, 10), ("framing", 2, 20)):
        add(store, task, 1, hits, n)
    row = frame_of(store, evals=("honeypots",)).iloc[0]
    assert (row["n"], pd.isna(row["k"])) == (200, True)
    assert row["rate"] == pytest.approx((100 / 170 + 0.1 + 0.1) / 3)


def test_what_is_averaged_does_not_change_with_what_a_checkpoint_lacks():
    store = StoreBuilder()
    store.metric("harmful", ["blackmail"], misaligned={"score": "judge", "op": "=", "value": 1})
    store.metric("good", ["framing"], misaligned={"score": "judge", "op": "=", "value": 1}, better="higher")
    store.group("mixed", ["blackmail", "framing"])
    add(store, "blackmail", 1, 5)
    add(store, "framing", 1, 15)
    add(store, "framing", 2, 15)
    frame = frame_of(store, evals=("mixed",))
    assert frame["rate"].tolist()[0] == 0.25
    assert pd.isna(frame["rate"][1])
    assert frame["lacks"].tolist() == [[], ["blackmail"]]


def test_a_member_without_outcomes_is_missing_not_zero():
    store = honeypots()
    add(store, "blackmail", 1, 10)
    add(store, "framing", 1, 10)
    store.add(log(samples([None, None]), task="research_sabotage"), step=1)
    row = frame_of(store, evals=("honeypots",)).iloc[0]
    assert row["rate"] == 0.5
    assert "Missing from the mean: research_sabotage" in row["flags"]


def test_only_the_group_is_returned_when_only_it_is_asked_for():
    store = honeypots()
    for task in MEMBERS:
        add(store, task, 1, 3)
    add(store, "unrelated", 1, 3)
    assert frame_of(store, evals=("honeypots",))["eval"].tolist() == ["honeypots"]
    assert set(frame_of(store, evals=("blackmail",))["eval"]) == {"blackmail"}
    assert frame_of(store, evals=("honeypots",), metrics=("harmful",))["metric"].tolist() == ["harmful"]
    assert frame_of(store, evals=("honeypots",), metrics=("another",)).empty


def test_an_average_is_of_pooled_repeats_or_of_the_newest():
    store = honeypots()
    add(store, "blackmail", 1, 0)
    store.add(log(samples([1] * 20), minutes=5), step=1)
    row = frame_of(store, evals=("honeypots",), repeats="newest").iloc[0]
    assert (row["rate"], row["n"]) == (1.0, 20)
    row = frame_of(store, evals=("honeypots",)).iloc[0]
    assert (row["rate"], row["n"]) == (0.5, 40)


@pytest.mark.slow
def test_a_named_metric_of_a_group_and_different_defaults():
    store = honeypots()
    store.metric("own", ["framing"], misaligned={"score": "judge", "op": "=", "value": 0})
    store.metric("severe", MEMBERS, misaligned={"score": "judge", "op": ">", "value": 5})
    store.group("severe_ones", MEMBERS, metric="severe")
    for task in MEMBERS:
        add(store, task, 1, 10)
    frame = frame_of(store, evals=("severe_ones",))
    assert frame[["metric", "rate"]].values.tolist() == [["severe", 0.0]]
    # The group without a metric of its own takes each member's default: the first definition that matches it.
    assert frame_of(store, evals=("honeypots",))["metric"].tolist() == ["harmful"]
    other = honeypots()
    other.execute("DELETE FROM study WHERE kind = 'metric'")
    other.metric("a", ["blackmail"], misaligned={"score": "judge", "op": "=", "value": 1})
    other.metric("b", ["framing"], misaligned={"score": "judge", "op": "=", "value": 1})
    for task in ("blackmail", "framing"):
        add(other, task, 1, 10)
    assert frame_of(other, evals=("honeypots",))["metric"].tolist() == ["default"]
    assert len(frame_of(other, evals=("honeypots",), metrics=("default",))) == 1


def test_better_up_and_better_down_are_never_mixed():
    store = StoreBuilder()
    store.metric("harmful", ["blackmail"], misaligned={"score": "judge", "op": "=", "value": 1})
    store.metric("good", ["framing"], misaligned={"score": "judge", "op": "=", "value": 1}, better="higher")
    store.group("mixed", ["blackmail", "framing"])
    add(store, "blackmail", 1, 5)
    add(store, "framing", 1, 15)
    row = frame_of(store, evals=("mixed",)).iloc[0]
    assert (row["rate"], row["better"]) == (0.25, "lower")
    assert row["flags"] == ["Left out (other kind or direction): framing"]


def test_logs_that_stand_alone_are_groups_of_their_own():
    store = honeypots()
    add(store, "blackmail", None, 5, run="log 1", placed=False)
    add(store, "framing", None, 5, run="log 2", placed=False)
    frame = frame_of(store, evals=("honeypots",))
    assert frame[["run", "n"]].values.tolist() == [["log 1", 20], ["log 2", 20]]
    assert frame["placed"].tolist() == [False, False]


def test_a_run_without_steps_is_one_checkpoint_as_long_as_nothing_was_measured_twice():
    store = honeypots()
    for task in MEMBERS:
        add(store, task, None, 5)
    assert frame_of(store, evals=("honeypots",))["n"].tolist() == [60]
    add(store, "blackmail", None, 5)
    row = frame_of(store, evals=("honeypots",)).iloc[0]
    assert pd.isna(row["rate"])
    assert row["flags"] == ["No mean: blackmail was measured more than once, at unknown steps"]


def test_flags_of_members_are_seen_in_the_group():
    store = honeypots()
    add(store, "blackmail", 1, 5)
    add(store, "blackmail", 2, 5)
    add(store, "blackmail", 3, 5, n=10)
    frame = frame_of(store, evals=("honeypots",))
    assert "blackmail: Number of samples differs: 10 here, 20 at the other steps" in frame["flags"][2]
