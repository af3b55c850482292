"""What there is: runs, evals, metrics, coverage; and what was ingested, rejected or in conflict."""

from __future__ import annotations

import json

import pytest

from dashboard.queries.catalogue import (
    COVERAGE_COLUMNS,
    EVAL_COLUMNS,
    METRIC_COLUMNS,
    RUN_COLUMNS,
    coverage,
    evals,
    metrics_for,
    runs,
    studies,
)
from dashboard.queries.ingests import (
    BATCH_COLUMNS,
    CONFLICT_COLUMNS,
    FILE_COLUMNS,
    batches,
    conflicts,
    files,
    header_metrics,
    rejects,
)
from tests.builders import StoreBuilder, log, reported, samples


@pytest.fixture
def store() -> StoreBuilder:
    store = StoreBuilder()
    store.metric("harmful", ["blackmail", "framing"], misaligned={"score": "judge", "op": "=", "value": 1})
    store.metric("high", ["framing"], kind="mean", score={"score": "judge"}, better="higher")
    store.eval("framing", title="Framing for crimes", cluster="metadata.scenario")
    store.group("honeypots", ["framing", "blackmail", "absent"])
    mix = {"name": "advice", "components": [{"name": "advice", "kind": "advice", "tokens": 3e6, "share": 1.0}]}
    store.run(
        "sdf", label="SDF", mix="advice", mix_json=json.dumps(mix), stage="sdf", links_json='{"log": "https://x"}'
    )
    store.run("rl", parent_run="sdf", parent_step=400, stage="rl", lineage_offset=400)
    store.checkpoint("sdf", 400, tokens=3e6)
    store.checkpoint("rl", 100)
    store.checkpoint("rl", 200, tokens=2e5)
    store.checkpoint("rl", None, step_label="final")
    store.add(log(samples([1, 0])), run="rl", step=100)
    store.add(log(samples([1, 0, 0], "judge"), task="framing"), run="rl", step=100)
    store.add(log(samples([1, 0]), status="cancelled", minutes=1), run="rl", step=100)
    store.add(log(samples([1])), run="lonely", placed=False, mix="guess")
    return store


def test_runs_of_cards_checkpoints_and_logs(store):
    with store.cursor() as cursor:
        frame = runs(cursor, 1)
    assert frame["run"].tolist() == ["sdf", "rl", "lonely"]
    rows = frame.set_index("run")
    assert rows.loc["sdf", "mix_components"][0]["tokens"] == 3e6
    assert rows.loc["sdf", "links"] == {"log": "https://x"}
    assert rows["logs"].tolist() == [0, 3, 1]
    assert rows["checkpoints"].tolist() == [1, 3, 1]
    assert rows["samples"].tolist() == [0, 7, 1]
    assert rows["placed"].tolist() == [True, True, False]
    assert rows.loc["rl", ["first_step", "last_step", "parent_run", "parent_step", "evals"]].tolist() == [
        100, 200, "sdf", 400, 2,
    ]  # fmt: skip
    assert rows.loc["lonely", ["run_label", "mix"]].tolist() == ["lonely", "guess"]


def test_coverage_shows_what_was_evaluated_and_what_waits(store):
    with store.cursor() as cursor:
        frame = coverage(cursor, 1)
    grid = [
        (row.run, row.step if row.step == row.step else None, row.eval, row.logs, row.complete_logs, row.samples)
        for row in frame.astype(object).where(frame.notna(), None).itertuples()
    ]
    assert grid == [
        ("sdf", 400, None, 0, 0, 0),
        ("rl", 100, "blackmail", 2, 1, 4),
        ("rl", 100, "framing", 1, 1, 3),
        ("rl", 200, None, 0, 0, 0),
        ("rl", None, None, 0, 0, 0),
        ("lonely", None, "blackmail", 1, 1, 1),
    ]
    assert frame["tokens"].tolist()[3] == 2e5
    assert frame["step_label"].tolist()[4] == "final"


def test_evals_and_groups(store):
    with store.cursor() as cursor:
        frame = evals(cursor, 1).set_index("eval")
    assert frame.index.tolist() == ["framing", "honeypots", "blackmail"]
    assert frame["group"].tolist() == [False, True, False]
    assert frame.loc["honeypots", "members"] == ["blackmail", "framing"]
    assert frame.loc["framing", ["title", "cluster", "default_metric", "logs", "samples"]].tolist() == [
        "Framing for crimes", "scenario", "harmful", 1, 3,
    ]  # fmt: skip
    assert frame.loc["honeypots", ["default_metric", "logs", "runs"]].tolist() == ["harmful", 4, 2]


def test_metrics_of_an_eval_the_default_first(store):
    with store.cursor() as cursor:
        frame = metrics_for(cursor, ["framing"], 1)
        every = metrics_for(cursor, [], 1)
    assert frame["metric"].tolist() == ["harmful", "high", "mean_judge"]
    assert frame["default"].tolist() == [True, False, False]
    assert frame["origin"].tolist() == ["study.yaml", "study.yaml", "automatic"]
    assert frame["definition"].tolist() == ["judge = 1", "mean of judge", "mean of judge"]
    assert frame["better"].tolist()[:2] == ["lower", "higher"]
    assert set(every["eval"]) == {"blackmail", "framing", "honeypots"}
    group = every[every["eval"] == "honeypots"]
    assert group["metric"].tolist() == ["harmful"]
    assert group["definition"].tolist()[0].startswith("mean of honeypots")


def test_batches_files_and_rejects(store):
    store.reject("broken.eval", "not a zip: byte 0")
    store.next_batch()
    store.add(log(samples([1, 1, 1])), run="rl", step=100, path="lonely/None/x.eval")
    with store.cursor() as cursor:
        frame = batches(cursor)
        assert frame["batch"].tolist() == [2, 1]
        assert frame[["files", "rejected", "superseded", "evals", "samples"]].values.tolist() == [
            [1, 0, 0, 1, 3],
            [4, 1, 0, 4, 8],
        ]
        refused = rejects(cursor, 2)
        assert refused[["path", "reason", "batch"]].values.tolist() == [["broken.eval", "not a zip: byte 0", 1]]
        assert len(files(cursor, 1)) == 5
        assert len(files(cursor, 2, "ingested")) == 5
        assert rejects(cursor, 0).empty


def test_conflicts_name_the_log_and_every_candidate(store):
    candidates = json.dumps([{"rule": "file name", "value": "10"}, {"rule": "tag", "value": "20"}])
    store.conflict(eval_id=1, kind="placement", field="step", message="two steps", candidates_json=candidates)
    store.conflict(path="run.yaml", kind="lineage", field="parent", message="a circle")
    with store.cursor() as cursor:
        frame = conflicts(cursor, 1)
    assert frame["message"].tolist() == ["two steps", "a circle"]
    assert frame.loc[0, ["run", "eval", "field"]].tolist() == ["rl", "blackmail", "step"]
    assert frame["candidates"][0][1] == {"rule": "tag", "value": "20"}
    assert frame["candidates"][1] is None
    assert frame["path"].tolist()[1] == "run.yaml"


def test_the_numbers_that_a_log_reports_of_itself():
    store = StoreBuilder()
    numbers = [reported("fraction_none", 0.5, scorer="s"), reported("mean", 1.5, scorer="s", key="k", stderr=0.1, n=4)]
    store.add(log(samples([1]), log_eval_id="KEY", reported=numbers), step=1)
    with store.cursor() as cursor:
        frame = header_metrics(cursor, "KEY", 1)
        assert frame[["metric", "scorer", "value"]].values.tolist() == [["fraction_none", "s", 0.5], ["mean", "s", 1.5]]
        assert header_metrics(cursor, "NONE", 1).empty


def test_counts_standard_errors_and_placeholders_are_offered_as_no_metrics():
    store = StoreBuilder()
    names = ["stderr", "num_total", "num_correct", "bypass", "sample_len", "acc_norm_stderr", "n_samples", "accuracy"]
    store.add(log([], reported=[reported(name, 0.5, scorer="s") for name in (*names, "fraction_none")]), step=1)
    with store.cursor() as cursor:
        offered = metrics_for(cursor, ["blackmail"], 1)
    assert offered["metric"].tolist() == ["accuracy.s", "fraction_none.s"]


def test_what_a_study_says_of_itself():
    store = StoreBuilder()
    store.study("demo", title="Demo", simulated="Simulated data", notes=None)
    with store.cursor() as cursor:
        (told,) = studies(cursor, 1)
    assert (told["title"], told["simulated"], told["origin"]) == ("Demo", "Simulated data", "study.yaml")


def test_an_empty_store_answers_every_question_with_all_columns():
    store = StoreBuilder()
    with store.cursor() as cursor:
        for frame, columns in (
            (runs(cursor, 1), RUN_COLUMNS),
            (coverage(cursor, 1), COVERAGE_COLUMNS),
            (evals(cursor, 1), EVAL_COLUMNS),
            (metrics_for(cursor, [], 1), METRIC_COLUMNS),
            (files(cursor, 1), FILE_COLUMNS),
            (conflicts(cursor, 1), CONFLICT_COLUMNS),
        ):
            assert frame.empty
            assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == columns
        assert list(batches(cursor)) == list(BATCH_COLUMNS)
        assert studies(cursor, 1) == []
