"""Rows and columns of the rates: intervals of clustered samples, automatic metrics, filters, order, emptiness."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.stats.proportion import proportion_confint

from dashboard.queries.frame import RATE_COLUMNS, RateQuery
from dashboard.queries.rates import rates
from dashboard.statistics import cluster_sums, clustered_proportion_interval, wilson_interval
from tests.builders import StoreBuilder, log, reported, sample, samples, score

FIRST_COLUMNS = (
    "run", "mix", "stage", "step", "tokens", "eval", "metric", "n", "k", "rate", "low", "high", "interval", "n_missing",
)  # fmt: skip


def frame_of(store: StoreBuilder, as_of: int | None = None, **query) -> pd.DataFrame:
    with store.cursor() as cursor:
        return rates(cursor, RateQuery(**query), store.batch if as_of is None else as_of)


def with_harmful() -> StoreBuilder:
    store = StoreBuilder()
    store.metric("harmful", ["blackmail"], misaligned={"score": "judge", "op": "=", "value": 1})
    return store


def test_an_empty_store_gives_every_column_with_its_type():
    frame = frame_of(StoreBuilder())
    assert frame.empty
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == RATE_COLUMNS
    assert tuple(frame.columns)[:14] == FIRST_COLUMNS
    store = with_harmful()
    store.add(log(samples([1, 0])), step=1)
    full = frame_of(store)
    assert (full.dtypes == frame.dtypes).all()


def test_a_row_holds_what_is_known_of_the_log():
    store = with_harmful()
    store.run("rl", label="RL", mix="advice", stage="rl", colour="#0072B2", lineage_offset=1000)
    record = log(
        samples([1, 0, 0]),
        task_version="2",
        model="none/none",
        target_model="org/model",
        judge="org/judge",
        epochs=1,
        log_eval_id="KEY",
        minutes=1,
    )
    store.add(record, run="rl", step=100, tokens=750_000.0, path="a/b.eval", variant="val")
    row = frame_of(store).iloc[0]
    assert row[list(FIRST_COLUMNS)[:10]].tolist() == [
        "rl", "advice", "rl", 100, 750_000.0, "blackmail", "harmful", 3, 1, 1 / 3,
    ]  # fmt: skip
    told = {
        "run_label": "RL", "colour": "#0072B2", "variant": "val", "placed": True, "kind": "rate", "group": False,
        "better": "lower", "definition": "judge = 1", "n_all": 3, "eval_key": "KEY", "path": "a/b.eval",
        "created": pd.Timestamp(datetime(2025, 1, 1, 0, 1, tzinfo=UTC)), "status": "success", "complete": True,
        "task": "blackmail", "task_version": "2", "judge": "org/judge", "epochs": 1, "model": "org/model",
        "repeat": 0, "disagrees": False, "lineage_step": 1100, "clusters": 3, "n_eff": 3.0, "flags": [],
    }  # fmt: skip
    assert {name: row[name] for name in told} == told
    assert (row["low"], row["high"]) == pytest.approx(proportion_confint(1, 3, method="wilson"))
    assert row["stderr"] == pytest.approx(np.std([1, 0, 0], ddof=1) / np.sqrt(3))
    assert pd.isna(row["reported"])
    assert pd.isna(row["step_label"])


def test_epochs_of_a_question_are_a_cluster():
    values = [1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0]
    store = with_harmful()
    store.add(log(samples(values, epochs=4), epochs=4), step=1)
    row = frame_of(store).iloc[0]
    question = np.repeat(np.arange(5), 4)
    expected = clustered_proportion_interval(cluster_sums(values, question))
    np.testing.assert_allclose(
        [row["low"], row["high"], row["n_eff"]], [expected.low, expected.high, expected.n_eff], atol=1e-12
    )
    ols = sm.OLS(values, np.ones(20)).fit(cov_type="cluster", cov_kwds={"groups": question})
    assert row["stderr"] == pytest.approx(ols.bse[0], abs=1e-9)
    assert row["interval"] == f"Wilson, clustered by question (n_eff {expected.n_eff:.1f})"
    assert row["clusters"] == 5
    naive = wilson_interval(7, 20)
    assert row["low"] < naive[0]
    assert row["high"] > naive[1]


def test_none_of_the_epochs_leaves_as_many_observations_as_questions():
    store = with_harmful()
    store.add(log(samples([0] * 48, epochs=8), epochs=8), step=1)
    row = frame_of(store).iloc[0]
    assert row["interval"] == "Wilson, clustered by question (n_eff 6.0)"
    assert row["high"] == pytest.approx(proportion_confint(0, 6, method="wilson")[1])


def test_an_eval_says_what_clusters_its_samples():
    store = with_harmful()
    store.eval("blackmail", cluster="metadata.scenario.name")
    names = ["a", "a", "a", "b", "b", None]
    held = [
        sample(i, score(int(i < 3)), metadata={"scenario": {"name": name}} if name else None)
        for i, name in enumerate(names)
    ]
    store.add(log(held), step=1)
    row = frame_of(store).iloc[0]
    # The sample without the field is a cluster of its own.
    assert row["clusters"] == 3
    assert row["interval"].startswith("Wilson, clustered by scenario.name")
    expected = clustered_proportion_interval(cluster_sums([1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 2]))
    assert row["low"] == pytest.approx(float(expected.low))


def test_the_exact_interval_and_other_levels_on_request():
    store = with_harmful()
    store.add(log(samples([1, 0, 0, 0])), step=1)
    row = frame_of(store, method="clopper-pearson", level=0.9).iloc[0]
    assert (row["low"], row["high"]) == pytest.approx(proportion_confint(1, 4, alpha=0.1, method="beta"))
    assert row["interval"] == "Clopper-Pearson"
    with pytest.raises(ValueError, match="between 0 and 1"):
        RateQuery(level=95)
    with pytest.raises(ValueError, match="allowed: wilson"):
        RateQuery(method="wald")
    assert hash(RateQuery()) == hash(RateQuery())


def test_means_have_clustered_standard_errors_and_t_intervals():
    values = [10.0, 20.0, 30.0, 35.0, 90.0, 80.0]
    store = StoreBuilder()
    store.metric("mean_aligned", ["*"], kind="mean", score={"score": "aligned"}, better="higher", unit="points")
    store.add(log(samples(values, "aligned", epochs=2)), step=1)
    store.add(log(samples([40.0, 50.0, None, 90.0], "aligned")), step=2)
    frame = frame_of(store)
    fits = [
        sm.OLS(values, np.ones(6)).fit(
            cov_type="cluster", cov_kwds={"groups": [0, 0, 1, 1, 2, 2], "df_correction": True}, use_t=True
        ),
        sm.OLS([40, 50, 90], np.ones(3)).fit(),
    ]
    for row, fit in zip(frame.to_dict("records"), fits, strict=True):
        low, high = fit.conf_int()[0]
        assert (row["rate"], row["stderr"], row["low"], row["high"]) == pytest.approx(
            (fit.params[0], fit.bse[0], low, high), abs=1e-9
        )
        assert (row["kind"], row["unit"], row["better"]) == ("mean", "points", "higher")
    assert frame["interval"].tolist() == ["t, clustered by question (3 clusters)", "t"]
    assert frame["k"].isna().all()
    assert frame["n_missing"].tolist() == [0, 1]


def test_a_mean_of_equal_values_has_no_interval_rather_than_one_of_no_width():
    store = StoreBuilder()
    store.add(log(samples([7, 7, 7], "quality")), step=1)
    row = frame_of(store).iloc[0]
    assert row["rate"] == 7.0
    assert row[["low", "high", "stderr"]].isna().all()
    assert any("All 3 values are 7" in flag for flag in row["flags"])


def test_automatic_metrics_where_no_definition_matches():
    store = StoreBuilder()
    held = [
        sample(1, score("C", "grader"), score(7, "quality"), score(True, "flagged"), score(0.5, "d", key="x")),
        sample(2, score("I", "grader"), score(4, "quality"), score(False, "flagged"), score(0.1, "d", key="x")),
        sample(3, score("N", "grader"), score(5, "quality"), score(None, "flagged"), score("free text", "note")),
    ]
    store.add(log(held, task="other"), step=1)
    default = frame_of(store)
    assert default["metric"].tolist() == ["correct_grader"]
    frame = frame_of(store, metrics=("all",)).set_index("metric")
    assert sorted(frame.index) == ["correct_grader", "mean_d.x", "mean_flagged", "mean_quality"]
    assert frame["kind"].to_dict() == {
        "correct_grader": "rate", "mean_d.x": "mean", "mean_flagged": "rate", "mean_quality": "mean",
    }  # fmt: skip
    assert frame["n"].to_dict() == {"correct_grader": 2, "mean_d.x": 2, "mean_flagged": 2, "mean_quality": 3}
    assert (frame["n"] + frame["n_missing"] == 3).all()
    assert frame.loc["correct_grader", ["k", "rate", "better"]].tolist() == [1, 0.5, "higher"]
    assert frame.loc["mean_quality", "rate"] == pytest.approx(16 / 3)


def test_partial_grades_make_a_mean_along_the_whole_line():
    store = StoreBuilder()
    store.add(log(samples(["C", "P", "I", "I"])), step=1)
    store.add(log(samples(["C", "I"])), step=2)
    frame = frame_of(store)
    assert frame["kind"].tolist() == ["mean", "mean"]
    assert frame["rate"].tolist() == [0.375, 0.5]


def test_zeros_and_ones_are_a_rate_only_where_the_whole_eval_has_nothing_else():
    store = StoreBuilder()
    store.add(log(samples([0, 0, 0], "reward"), task="yes_or_no"), step=1)
    store.add(log(samples([1, 1], "reward"), task="yes_or_no"), step=2)
    store.add(log(samples([0, 0, 0], "reward"), task="scale"), step=1)
    store.add(log(samples([0, 0.5], "reward"), task="scale"), step=2)
    store.add(log(samples([1, 1, 1], "points"), task="only_ones"), step=1)
    frame = frame_of(store).set_index(["eval", "step"])
    assert frame.loc[("yes_or_no", 1), ["kind", "k", "rate"]].tolist() == ["rate", 0, 0.0]
    assert frame.loc[("yes_or_no", 1), "high"] == pytest.approx(float(wilson_interval(0, 3)[1]))
    assert frame.loc[("scale", 1), "kind"] == "mean"
    # Ones alone may be the bottom of a scale from 1 to 10.
    assert frame.loc[("only_ones", 1), "kind"] == "mean"


def test_definitions_come_first_and_the_others_are_a_choice_away():
    store = StoreBuilder()
    authors = {"score": "aligned", "op": "<", "value": 75}
    usual = {"score": "aligned", "op": "<", "value": 30}
    store.metric("authors", ["first-*"], misaligned=authors, title="aligned < 75 (authors' rule)")
    store.metric("usual", ["first-*"], misaligned=usual)
    store.metric("authors", ["*"], misaligned=usual)
    store.metric("elsewhere", ["other"], misaligned=usual)
    store.metric("no_such_score", ["*"], misaligned={"score": "absent", "op": "=", "value": 1})
    store.add(log(samples([10, 50, 90], "aligned"), task="first-plot"), step=1)
    assert frame_of(store)[["metric", "k"]].values.tolist() == [["authors", 2]]
    assert frame_of(store, metrics=("usual",))[["metric", "k"]].values.tolist() == [["usual", 1]]
    everything = frame_of(store, metrics=("all",))
    assert everything["metric"].tolist() == ["authors", "mean_aligned", "usual"]
    assert everything["definition"].tolist()[0] == "aligned < 75"


def test_numbers_that_only_the_log_reports():
    store = StoreBuilder()
    store.metric(
        "pct_stereotype", ["crows_pairs*"], kind="reported", reported={"metric": "pct_stereotype"}, better="lower"
    )
    numbers = [reported("likelihood_diff", 3.1, stderr=0.1), reported("pct_stereotype", 0.62, stderr=0.0118)]
    store.add(log([], task="crows_pairs_english", reported=numbers), step=57000)
    store.add(log([], task="crows_pairs_english", reported=numbers[:1]), step=58000)
    store.add(log([], task="lambada", reported=[reported("acc", 0.5), reported("ppl", 9.0, stderr=1.0)]), step=1)
    frame = frame_of(store)
    row = frame[frame["step"] == 57000].iloc[0]
    assert (row["rate"], row["stderr"], row["interval"]) == (0.62, 0.0118, "Wilson, from the reported stderr")
    n = 0.62 * 0.38 / 0.0118**2 + 1
    assert (row["low"], row["high"]) == pytest.approx(tuple(float(end) for end in wilson_interval(0.62 * n, n)))
    assert row["kind"] == "rate"
    # n is never invented.
    assert row[["n", "k", "n_missing", "n_all"]].isna().all()
    absent = frame[frame["step"] == 58000].iloc[0]
    assert pd.isna(absent["rate"])
    assert absent["flags"] == ["The log reports no pct_stereotype."]
    others = frame_of(store, evals=("lambada",), metrics=("all",)).set_index("metric")
    assert others["rate"].to_dict() == {"acc": 0.5, "ppl": 9.0}
    assert np.isnan(others.loc["acc", "low"])
    assert pd.isna(others.loc["acc", "interval"])


def test_filters_and_names_that_nothing_bears():
    store = with_harmful()
    store.run("a", mix="m1", stage="sft")
    store.run("b", mix="m2", stage="rl")
    for run in ("a", "b"):
        store.add(log(samples([1, 0])), run=run, step=1)
    store.add(log(samples([0.5]), task="other"), run="b", step=1)
    assert set(frame_of(store)["eval"]) == {"blackmail", "other"}
    assert frame_of(store, runs=("a",))["run"].tolist() == ["a"]
    assert frame_of(store, mixes=("m2",), evals=("blackmail",))["run"].tolist() == ["b"]
    assert frame_of(store, stages=("rl", "sft"), evals=("other",))["run"].tolist() == ["b"]
    for nothing in ({"runs": ("c",)}, {"evals": ("c",)}, {"metrics": ("c",)}, {"mixes": ("c",)}):
        assert frame_of(store, **nothing).empty


def test_rows_are_sorted_by_run_eval_and_step():
    store = with_harmful()
    store.run("zebra")
    store.run("ape")
    for run, step, label in (("ape", 2, None), ("zebra", 10, None), ("zebra", 9, None), ("zebra", None, "final")):
        store.add(log(samples([1])), run=run, step=step, step_label=label)
    frame = frame_of(store)
    assert frame["run"].tolist() == ["zebra", "zebra", "zebra", "ape"]
    assert frame["step"].astype(object).where(frame["step"].notna(), None).tolist() == [9, 10, None, 2]


@pytest.mark.slow
def test_as_of_an_earlier_batch():
    store = with_harmful()
    store.add(log(samples([1, 0])), step=1, path="a.eval")
    kept = store.add(log(samples([1, 1])), step=2, path="b.eval")
    store.next_batch()
    store.add(log(samples([0, 0, 0])), step=1, path="a.eval")
    store.place(kept, run="renamed", step=2, eval="blackmail")
    store.metric("stricter", ["blackmail"], misaligned={"score": "judge", "op": ">=", "value": 1})
    then, now = frame_of(store, 1), frame_of(store, 2)
    assert then[["run", "step", "k", "n"]].values.tolist() == [["run", 1, 1, 2], ["run", 2, 2, 2]]
    assert now[["run", "step", "k", "n"]].values.tolist() == [["renamed", 2, 2, 2], ["run", 1, 0, 3]]
    assert "stricter" not in set(frame_of(store, 1, metrics=("all",))["metric"])
    assert "stricter" in set(frame_of(store, 2, metrics=("all",))["metric"])
    assert frame_of(store, 0).empty


def test_a_reported_error_of_nought_is_no_certainty():
    store = StoreBuilder()
    nothing = [reported("acc", 0.0, stderr=0.0, n=100)]
    store.add(log([], task="counted", reported=nothing), step=1)
    store.add(log([], task="uncounted", reported=[reported("acc", 0.0, stderr=0.0)]), step=1)
    rows = frame_of(store, metrics=("acc",)).set_index("eval")
    assert rows.loc["counted", "high"] == pytest.approx(0.0369935, abs=1e-6)  # Wilson, 0 of 100
    assert rows.loc["counted", "interval"] == "Wilson"
    assert pd.isna(rows.loc["uncounted", "high"])
    assert "standard error of 0" in rows.loc["uncounted", "flags"][0]
