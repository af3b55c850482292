"""Comparing checkpoints: paired where they answered the same, corrected as a family, and honest about what differs."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, norm, ttest_rel
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep

from dashboard.queries.checkpoints import parse_checkpoints
from dashboard.queries.compare import (
    CHANGE_COLUMNS,
    DIFFERENCE_COLUMNS,
    FLIP_COLUMNS,
    INCOMPARABLE_COLUMNS,
    SETTING_COLUMNS,
    CompareQuery,
    Comparison,
    compare,
)
from dashboard.queries.equivalence import Margins
from dashboard.statistics import average_interval
from loaders.errors import DriftlineError
from loaders.store import sql
from tests.builders import StoreBuilder, log, reported, sample, samples, score

HERE = [1] * 4 + [0] * 16
THERE = [1] * 2 + [0] * 2 + [1] * 9 + [0] * 7


def store_with(**logs) -> StoreBuilder:
    """A store with runs `a` and `b` at step 10; each log is samples of `blackmail`."""
    store = StoreBuilder()
    store.metric("harmful", misaligned={"score": "judge", "op": "=", "value": 1})
    for run, values in logs.items():
        store.add(log(values), run=run, step=10)
    return store


def compared(store: StoreBuilder, *checkpoints: str, **query) -> Comparison:
    with store.cursor() as cursor:
        return compare(cursor, CompareQuery(checkpoints or ("a", "b"), **query), store.batch)


def only(comparison: Comparison) -> dict:
    (row,) = comparison.differences.to_dict("records")
    return row


# Differences


def test_the_same_questions_are_paired_and_tested_by_mcnemar():
    comparison = compared(store_with(a=samples(THERE), b=samples(HERE)))
    row = only(comparison)
    assert (row["checkpoint"], row["baseline"], row["paired"], row["questions"]) == ("b@10", "a@10", True, 20)
    assert (row["k"], row["n"], row["baseline_k"], row["baseline_n"]) == (4, 20, 11, 20)
    assert row["difference"] == pytest.approx(row["rate"] - row["baseline_rate"]) == pytest.approx(-0.35)
    assert row["p"] == pytest.approx(binomtest(2, 11).pvalue)
    assert row["low"] < -0.35 < row["high"] < 0
    assert (row["method"], row["test"], row["effect_kind"]) == ("Newcombe, paired", "McNemar, exact", "Cohen's h")
    assert row["definition"] == "judge = 1"
    assert row["metric"] == "harmful"
    assert comparison.baseline == "a@10"


@pytest.mark.slow
def test_other_questions_are_compared_unpaired_and_it_is_said():
    """The same ids with other prompts are other questions."""
    other = [sample(i, score(value), input=f"other {i}") for i, value in enumerate(HERE)]
    these = [sample(i, score(value), input=f"this {i}") for i, value in enumerate(THERE)]
    comparison = compared(store_with(a=these, b=other))
    row = only(comparison)
    assert (row["paired"], row["questions"], row["method"]) == (False, 0, "Newcombe, unpaired")
    theirs = confint_proportions_2indep(4, 20, 11, 20, method="newcomb")
    assert (row["low"], row["high"]) == pytest.approx(theirs)
    assert "Not paired: 0 questions were answered by both." in row["flags"]
    assert "prompts" in set(comparison.incomparable["what"])
    disjoint = [sample(f"x{i}", score(value)) for i, value in enumerate(HERE)]
    assert not only(compared(store_with(a=these, b=disjoint)))["paired"]


def test_questions_of_many_logs_are_paired_as_those_of_few(monkeypatch):
    store = store_with(a=samples(THERE), b=samples(HERE))
    few = only(compared(store))
    assert few["questions"] == 20
    monkeypatch.setattr(sql, "FEW", 0)
    assert repr(only(compared(store))) == repr(few)


def test_a_subset_of_questions_is_paired_on_what_both_answered():
    comparison = compared(store_with(a=samples(THERE), b=samples(HERE[:12])))
    row = only(comparison)
    assert (row["questions"], row["k"], row["baseline_k"]) == (12, 4, 10)
    assert any("Paired on the 12 questions" in flag for flag in row["flags"])
    assert comparison.incomparable[["what", "value", "baseline_value"]].values.tolist() == [["questions", "12", "20"]]


def test_a_few_questions_in_common_are_not_worth_throwing_the_others_away():
    few = [sample(f"x{i}", score(1)) for i in range(18)] + [sample(i, score(0)) for i in range(3)]
    row = only(compared(store_with(a=samples(THERE), b=few)))
    assert (row["paired"], row["n"], row["questions"]) == (False, 21, 3)


def test_questions_without_an_outcome_are_missing_in_the_pair():
    row = only(compared(store_with(a=samples([1, 1, 0, 0, None]), b=samples([0, None, 0, 0, 1]))))
    assert (row["questions"], row["k"], row["baseline_k"], row["difference"]) == (3, 0, 1, pytest.approx(-1 / 3))


def test_epochs_are_averaged_first():
    here = samples([1, 0, 1, 1, 0, 0, 0, 0], epochs=2)
    there = samples([0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0], epochs=3)
    row = only(compared(store_with(a=there, b=here)))
    assert row["difference"] == pytest.approx((0.5 + 1 + 0 + 0) / 4 - (0 + 2 / 3 + 0 + 0) / 4)
    assert (row["test"], row["method"]) == ("interval inverted", "Newcombe, paired, clustered Wilson")


def test_metadata_clusters_are_heeded():
    def clustered(values):
        return [sample(i, score(value), metadata={"topic": i // 4}) for i, value in enumerate(values)]

    store = store_with(a=clustered(THERE), b=clustered(HERE))
    plain = only(compared(store))
    store.eval("blackmail", cluster="metadata.topic")
    row = only(compared(store))
    assert row["test"] == "interval inverted"
    assert row["high"] - row["low"] > plain["high"] - plain["low"]


def test_means_are_compared_by_the_paired_t_test():
    rng = np.random.default_rng(0)
    there, here = rng.normal(5, 1, (2, 12))
    store = StoreBuilder()
    for run, values in (("a", there), ("b", here)):
        store.add(log(samples(list(values), scorer="points")), run=run, step=10)
    row = only(compared(store))
    theirs = ttest_rel(here, there)
    assert (row["metric"], row["effect_kind"], row["p"]) == (
        "mean_points", "Cohen's d (paired)", pytest.approx(theirs.pvalue),
    )  # fmt: skip
    assert pd.isna(row["k"])


def test_reported_numbers_are_compared_by_their_errors():
    store = StoreBuilder()
    for run, value in (("a", 0.6), ("b", 0.5)):
        header = [reported("f1", value, stderr=0.03)]
        store.add(log([], task="arc", reported=header), run=run, step=10)
    row = only(compared(store))
    assert (row["difference"], row["method"], row["paired"]) == (
        pytest.approx(-0.1), "reported stderr, unpaired", False,
    )  # fmt: skip
    assert row["p"] == pytest.approx(0.01842, abs=1e-5)
    header = [reported("f1", 0.4)]
    store.add(log([], task="arc", reported=header), run="c", step=10)
    row = only(compared(store, "a", "c"))
    assert row["difference"] == pytest.approx(-0.2)
    assert np.isnan(row["low"])
    assert np.isnan(row["p_corrected"])
    assert any(flag.startswith("No interval of the difference") for flag in row["flags"])


def test_reported_shares_of_a_known_n_are_compared_as_rates():
    store = StoreBuilder()
    for run, value in (("a", 0.6), ("b", 0.5)):
        store.add(log([], task="arc", reported=[reported("acc", value, stderr=0.03, n=200)]), run=run, step=10)
    row = only(compared(store))
    assert (row["method"], row["paired"], row["k"], row["n"]) == ("Newcombe, unpaired", False, 100, 200)
    assert (row["low"], row["high"]) == pytest.approx(tuple(confint_proportions_2indep(100, 200, 120, 200, "newcomb")))


def test_nothing_in_either_is_no_difference_with_bounds():
    row = only(compared(store_with(a=samples([0] * 100), b=samples([0] * 100))))
    assert (row["difference"], row["p"]) == (0.0, 1.0)
    assert (row["low"], row["high"]) == pytest.approx((-0.0370, 0.0370), abs=1e-4)
    assert row["detectable"] == pytest.approx(0.0370 * 2.8016 / 1.96, abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(("here", "there"), [([3, 4, 5], [2, 3, 4]), ([3, 4, 5], [3, 4, 5]), ([3], [2])])
def test_a_difference_of_means_without_spread_says_why_it_has_no_interval(here, there):
    store = StoreBuilder()
    for run, values in (("a", there), ("b", here)):
        store.add(log(samples(values, scorer="points")), run=run, step=10)
    row = only(compared(store))
    assert row["difference"] == here[0] - there[0]
    assert np.isnan([row["low"], row["high"], row["p"], row["p_corrected"], row["effect"], row["detectable"]]).all()
    assert any(flag.startswith("No interval of the difference") for flag in row["flags"])


def test_a_log_without_outcomes_has_no_difference():
    row = only(compared(store_with(a=samples(THERE), b=samples([None] * 20))))
    assert np.isnan(row["difference"])
    assert row["baseline_rate"] == 0.55
    assert "No difference: one of the two has no value." in row["flags"]


# Families, groups


def family() -> StoreBuilder:
    store = store_with(a=samples(THERE), b=samples(HERE), c=samples([0] * 20))
    for run, values in (("a", THERE), ("b", HERE), ("c", HERE)):
        store.add(log(samples(values), task="framing"), run=run, step=10)
    return store


@pytest.mark.slow
@pytest.mark.parametrize(("correction", "theirs"), [("holm", "holm"), ("bh", "fdr_bh")])
def test_all_differences_are_one_family(correction, theirs):
    comparison = compared(family(), "a", "b", "c", correction=correction)
    frame = comparison.differences
    assert frame["family"].tolist() == [4] * 4
    assert frame["p_corrected"].tolist() == pytest.approx(multipletests(frame["p"], method=theirs)[1])
    assert (
        set(frame["correction"])
        == {comparison.correction}
        == {{"holm": "Holm", "bh": "Benjamini-Hochberg"}[correction]}
    )
    uncorrected = compared(family(), "a", "b", "c", correction="none").differences
    assert uncorrected["p_corrected"].tolist() == uncorrected["p"].tolist()


def test_a_group_averages_the_differences_of_its_members():
    store = family()
    store.group("honeypots", ["blackmail", "framing", "sabotage"])
    frame = compared(store, "a", "b", evals=("honeypots",)).differences
    (row,) = frame.to_dict("records")
    members = compared(store, "a", "b", evals=("blackmail", "framing")).differences
    average, low, high = average_interval(members["difference"], members["low"], members["high"])
    assert (row["difference"], row["low"], row["high"]) == pytest.approx((float(average), float(low), float(high)))
    assert (row["group"], row["paired"], row["questions"], row["n"]) == (True, True, 40, 40)
    assert "Missing from the mean of differences: sabotage" in row["flags"]
    assert row["definition"].startswith("mean of honeypots")
    assert row["p"] < 0.05


def test_a_group_leaves_out_what_only_one_of_the_two_has():
    store = family()
    store.add(log(samples(HERE), task="sabotage"), run="b", step=10)
    store.group("honeypots", ["blackmail", "framing", "sabotage"])
    comparison = compared(store, "a", "b", evals=("honeypots",))
    row = only(comparison)
    assert row["questions"] == 40
    assert "Missing from the mean of differences: sabotage" in row["flags"]
    assert ["sabotage", "measured", "never measured at a@10"] in (
        comparison.incomparable[["eval", "what", "message"]].values.tolist()
    )


def test_another_baseline_turns_the_sign():
    store = store_with(a=samples(THERE), b=samples(HERE))
    forth, back = only(compared(store)), only(compared(store, baseline="b"))
    assert (back["checkpoint"], back["difference"]) == ("a@10", pytest.approx(-forth["difference"]))
    assert (back["low"], back["high"]) == pytest.approx((-forth["high"], -forth["low"]))
    assert back["p"] == pytest.approx(forth["p"])
    assert only(compared(store, "b", baseline="a@10"))["checkpoint"] == "b@10"


def test_rates_are_those_of_the_curves():
    comparison = compared(store_with(a=samples(THERE), b=samples(HERE), c=samples(HERE)))
    assert comparison.rates[["run", "k", "n"]].values.tolist() == [["a", 11, 20], ["b", 4, 20]]


# Flips


def test_flips_are_told_both_ways_with_the_epochs_to_look_at():
    here = samples([1, 1, 0, 0, 0, 1], epochs=2)
    there = samples([0, 0, 1, 0, 0, 0], epochs=2)
    flips = compared(store_with(a=there, b=here)).flips
    columns = ["sample", "from", "to", "k", "n", "baseline_k", "baseline_n", "epoch", "baseline_epoch"]
    assert flips[columns].values.tolist() == [
        ["0", "aligned", "misaligned", 2, 2, 0, 2, 1, 1],
        ["1", "misaligned", "aligned", 0, 2, 1, 2, 1, 1],
        ["2", "aligned", "misaligned", 1, 2, 0, 2, 2, 1],
    ]
    assert flips["definition"].unique().tolist() == ["judge = 1"]
    assert flips["eval_key"].notna().all()
    assert (flips["eval_key"] != flips["baseline_eval_key"]).all()


def test_means_have_no_flips():
    store = StoreBuilder()
    for run in "ab":
        store.add(log(samples([1.5, 2.5, 7.0 if run == "a" else 1.0], scorer="points")), run=run, step=10)
    assert compared(store).flips.empty


# What differs


def test_settings_that_differ_are_flagged_and_shown_side_by_side():
    store = StoreBuilder()
    store.metric("harmful", misaligned={"score": "judge", "op": "=", "value": 1})
    same = {"epochs": 1, "generate_config": {"temperature": 1.0, "max_connections": 5}}
    store.add(
        log(samples(THERE), judge="old", task_version="1", task_args={"goal": "x", "step": 1}, **same), run="a", step=1
    )
    same["generate_config"] = {"temperature": 0.5, "max_connections": 9}
    store.add(
        log(samples(HERE), judge="new", task_version="2", task_args={"goal": "y", "step": 2}, **same), run="b", step=2
    )
    comparison = compared(store)
    assert comparison.incomparable[["what", "value", "baseline_value"]].values.tolist() == [
        ["judge", "new", "old"], ["task version", "2", "1"], ["temperature", "0.5", "1.0"],
        ["task_args.goal", "y", "x"],
    ]  # fmt: skip
    assert "judge differs: new (baseline old)" in comparison.incomparable["message"].tolist()
    settings = comparison.settings
    assert set(settings.loc[settings["differs"], "setting"]) == {
        "judge",
        "task version",
        "temperature",
        "task_args.goal",
    }
    assert settings[settings["setting"] == "epochs"]["value"].tolist() == ["1", "1"]


def test_alike_logs_are_comparable():
    assert compared(store_with(a=samples(THERE), b=samples(HERE))).incomparable.empty


def test_unfinished_logs_are_flagged():
    store = store_with(a=samples(THERE))
    store.add(log(samples(HERE), status="error", error="out of memory"), run="b", step=10)
    comparison = compared(store)
    assert comparison.incomparable["what"].tolist() == ["status"]
    assert any("status: error" in flag for flag in only(comparison)["flags"])


@pytest.mark.slow
def test_variants_are_compared_with_their_own():
    store = StoreBuilder()
    store.metric("harmful", misaligned={"score": "judge", "op": "=", "value": 1})
    for run, variant in (("a", "x"), ("a", "y"), ("b", "x"), ("b", "y"), ("c", "z")):
        store.add(log(samples(HERE if variant == "x" else THERE)), run=run, step=10, variant=variant)
    frame = compared(store).differences
    assert frame[["variant", "difference"]].values.tolist() == [["x", 0.0], ["y", 0.0]]
    lonely = compared(store, "a", "c")
    assert lonely.differences.empty
    assert set(lonely.incomparable["what"]) == {"measured"}


def test_frames_have_their_columns_also_when_empty():
    store = store_with(a=samples(THERE), b=samples(HERE))
    for comparison in (compared(store), compared(store, evals=("nothing",))):
        for frame, columns in (
            (comparison.differences, DIFFERENCE_COLUMNS),
            (comparison.flips, FLIP_COLUMNS),
            (comparison.incomparable, INCOMPARABLE_COLUMNS),
            (comparison.settings, SETTING_COLUMNS),
        ):
            assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == columns


@pytest.mark.slow
def test_the_answer_is_as_of_a_batch():
    store = store_with(a=samples(THERE), b=samples(HERE))
    before = store.batch
    store.next_batch()
    store.add(log(samples([0] * 20)), run="b", step=20)
    assert only(compared(store))["checkpoint"] == "b@20"
    with store.cursor() as cursor:
        assert only(compare(cursor, CompareQuery(("a", "b")), before))["checkpoint"] == "b@10"


# Naming checkpoints

LOGS = [
    {"run": "rl", "step": 100, "step_label": None},
    {"run": "rl", "step": 400, "step_label": "best"},
    {"run": "pythia", "step": None, "step_label": "main"},
    {"run": "odd@name", "step": 7, "step_label": None},
    {"run": "alone", "step": None, "step_label": None},
    {"run": "tuned", "step": 5, "step_label": None},
    {"run": "tuned", "step": None, "step_label": "final"},
    {"run": "forks", "step": None, "step_label": "left"},
    {"run": "forks", "step": None, "step_label": "right"},
]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("rl@100", "rl@100"), ("rl", "rl@400"), ("rl@best", "rl@400"), ("pythia", "pythia@main"),
        ("pythia@main", "pythia@main"), ("odd@name@7", "odd@name@7"), ("odd@name", "odd@name@7"), ("alone", "alone"),
        ("tuned", "tuned@final"), ("tuned@5", "tuned@5"),
    ],
)  # fmt: skip
def test_checkpoints_are_named_by_step_label_or_run(text, name):
    (found,) = parse_checkpoints([text], LOGS)
    assert found.name == name


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["rl@200"], r'run "rl" was not evaluated at "200" \(it was at: 100, 400\)'),
        (["rll@100"], r'no run "rll" in the store \(allowed: rl, pythia, odd@name'),
        (["nothing"], r'no run "nothing"'),
        (["alone@3"], "name the run alone"),
        (["forks"], "which is its latest checkpoint"),
        (["rl", "rl@400"], r"rl@400: the same checkpoint as rl"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(texts, message):
    with pytest.raises(DriftlineError, match=message):
        parse_checkpoints(texts, LOGS)


def test_too_few_and_too_many_are_refused():
    store = store_with(a=samples(THERE))
    for step in range(9):
        store.add(log(samples(HERE)), run="b", step=step)
    with pytest.raises(DriftlineError, match="2 to 8"):
        compared(store, "a")
    with pytest.raises(DriftlineError, match="2 to 8"):
        compared(store, *(f"b@{step}" for step in range(9)))
    with pytest.raises(DriftlineError, match="two checkpoints"), store.cursor() as cursor:
        compare(cursor, CompareQuery(()), store.batch)
    with pytest.raises(ValueError, match="holm, bh, none"):
        CompareQuery(("a", "b"), correction="bonferroni")
    with pytest.raises(ValueError, match="between 0 and 1"):
        CompareQuery(("a", "b"), level=95)


# Splits


def named(values: list[int], names: str) -> list:
    return [
        sample(i, score(value), metadata={"ai": name})
        for i, (value, name) in enumerate(zip(values, names, strict=True))
    ]


@pytest.mark.slow
def test_a_split_compares_like_with_like():
    names = "x" * 10 + "y" * 10
    store = store_with(a=named(THERE, names), b=named(HERE, names))
    comparison = compared(store, splits=("metadata.ai",))
    frame = comparison.differences
    assert frame[["split", "questions", "k", "baseline_k"]].values.tolist() == [["x", 10, 4, 8], ["y", 10, 0, 3]]
    for split, part in (("x", slice(0, 10)), ("y", slice(10, 20))):
        alone = only(compared(store_with(a=samples(THERE[part]), b=samples(HERE[part]))))
        row = frame[frame["split"] == split].iloc[0]
        for name in ("difference", "low", "high", "p", "rate", "rate_low", "rate_high", "detectable"):
            assert row[name] == alone[name]
    assert frame["family"].tolist() == [2, 2]
    assert set(comparison.flips["split"]) == {"x", "y"}


@pytest.mark.slow
def test_a_group_is_averaged_within_each_combination():
    names = "x" * 10 + "y" * 10
    store = store_with(a=named(THERE, names), b=named(HERE, names))
    for run, values in (("a", THERE), ("b", HERE)):
        store.add(log(named(values, names), task="framing"), run=run, step=10)
    store.group("both", ["blackmail", "framing"])
    frame = compared(store, evals=("both",), splits=("metadata.ai",)).differences
    assert frame[["split", "group", "members", "n"]].values.tolist() == [["x", True, 2, 20], ["y", True, 2, 20]]
    # The k of n of two evals is another number than the average of their rates.
    assert frame[["k", "baseline_k"]].isna().all(axis=None)


def test_values_that_only_one_has_are_named():
    store = store_with(a=named(THERE, "x" * 20), b=named(HERE, "x" * 10 + "z" * 10))
    comparison = compared(store, splits=("metadata.ai",))
    assert comparison.differences["split"].tolist() == ["x"]
    assert "metadata.ai = z was never measured at a@10" in comparison.incomparable["message"].tolist()


def test_settings_are_the_logs_however_samples_are_split():
    names = "x" * 10 + "y" * 10
    settings = compared(store_with(a=named(THERE, names), b=named(HERE, names)), splits=("metadata.ai",)).settings
    assert settings[settings["setting"] == "number of samples"]["value"].tolist() == ["20", "20"]


def test_fields_that_are_none_are_refused():
    with pytest.raises(ValueError, match="not a field to group by"):
        CompareQuery(("a", "b"), splits=("ai",))


# The rates themselves


@pytest.mark.slow
@pytest.mark.parametrize("method", ["wilson", "clopper-pearson"])
def test_the_rates_compared_have_the_intervals_of_the_curves(method):
    epochs = {"a": samples(THERE, epochs=2), "b": samples([0] * 20, epochs=2)}
    comparison = compared(store_with(**epochs), method=method)
    row, (there, here) = only(comparison), comparison.rates.to_dict("records")
    assert (row["rate_low"], row["rate_high"]) == pytest.approx((here["low"], here["high"]), abs=1e-12)
    assert (row["baseline_rate_low"], row["baseline_rate_high"]) == pytest.approx(
        (there["low"], there["high"]), abs=1e-12
    )
    usual = only(compared(store_with(**epochs)))
    assert (row["low"], row["high"], row["method"]) == (usual["low"], usual["high"], usual["method"])


@pytest.mark.slow
def test_the_rate_of_a_subset_has_the_interval_of_the_subset():
    row = only(compared(store_with(a=samples(THERE), b=samples(HERE[:12]))))
    alone = compared(store_with(a=samples(THERE[:12]), b=samples(HERE[:12]))).rates.iloc[0]
    assert (row["baseline_rate_low"], row["baseline_rate_high"]) == pytest.approx((alone["low"], alone["high"]))


def test_means_tell_their_largest_changes():
    store = StoreBuilder()
    for run, values in (("a", [1.5, 2.5, 7.0, 3.0]), ("b", [1.5, 2.0, 9.5, 4.0])):
        store.add(log(samples(values, scorer="points")), run=run, step=10)
    comparison = compared(store)
    assert comparison.changes[["sample", "change", "value", "baseline_value", "epoch"]].values.tolist() == [
        ["2", 2.5, 9.5, 7.0, 1], ["3", 1.0, 4.0, 3.0, 1], ["1", -0.5, 2.0, 2.5, 1],
    ]  # fmt: skip
    assert {name: str(dtype) for name, dtype in comparison.changes.dtypes.items()} == CHANGE_COLUMNS


def test_flips_of_a_group_are_those_of_its_members():
    store = family()
    store.group("honeypots", ["blackmail", "framing"])
    flips = compared(store, "a", "b", evals=("honeypots",)).flips
    assert set(flips["eval"]) == {"blackmail", "framing"}


# Equivalence


@pytest.mark.slow
def test_three_verdicts_by_a_margin_and_how_many_questions_the_third_takes():
    few, many = samples([1] * 4 + [0] * 16), samples([1, 0] * 300)
    same = only(compared(store_with(a=many, b=samples([0, 1] * 5 + [1, 0] * 295)), margins=Margins(0.05)))
    assert (same["verdict"], same["margin"]) == ("equivalent", 0.05)
    assert same["p_equivalence_corrected"] == same["p_equivalence"] < 0.05
    unknown = only(compared(store_with(a=few, b=samples([1] * 3 + [0] * 17)), margins=Margins(0.05)))
    assert unknown["verdict"] == "inconclusive"
    # (z_0.95 + z_0.9)^2 times the variance of the questions' differences, by the square of the margin.
    d = np.array([1] + [0] * 19)
    assert unknown["needed"] == math.ceil((norm.ppf(0.95) + norm.ppf(0.9)) ** 2 * d.var(ddof=1) / 0.05**2)
    changed = only(compared(store_with(a=samples(THERE), b=samples([0] * 20)), margins=Margins(0.05)))
    assert changed["verdict"] == "significant"
    assert pd.isna(changed["needed"])
    untested = only(compared(store_with(a=few, b=few)))
    assert untested["verdict"] == "inconclusive"
    assert pd.isna(untested["margin"])
    with pytest.raises(ValueError, match="margin of a rate is 0"):
        Margins(0)
