"""The Data page: what came in, what didn't and why, what rules disagree on, what each run has and lacks."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from tests.builders import StoreBuilder, log, reported, sample, samples, score
from tests.pages import headings, opened, shown


@pytest.fixture(scope="module")
def store() -> Iterator[StoreBuilder]:
    builder = StoreBuilder()
    builder.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    builder.run("a", mix="stories", parent_run="base", parent_step=400, notes="a note")
    for task, steps in (("blackmail", (0, 100, 200)), ("framing", (100,))):
        for step in steps:
            builder.add(log(samples([1, 0, 0, 0]), task=task), run="a", step=step)
    builder.add(log(samples([1, 0]), task="framing", complete=False, status="started"), run="a", step=200)
    builder.add(
        log([sample(i, score(0)) for i in range(3)], reported=[reported("mean", 0.5, scorer="judge")]),
        run="b", step_label="final",
    )  # fmt: skip
    builder.checkpoint("a", 300)
    builder.reject("broken.eval", "the zip ends too early <b>")
    builder.conflict(
        path="x.eval", kind="placement", field="step", message="two rules disagree",
        candidates_json=json.dumps([["folder name", 10], ["run card", 20]]),
    )  # fmt: skip
    with shown(builder.store):
        yield builder


def numbers(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def test_an_empty_store_says_what_to_do() -> None:
    builder = StoreBuilder()
    builder.execute("DELETE FROM batches")
    with shown(builder.store):
        assert any("No evals yet" in text for text in headings(opened("data")))


def test_the_page_counts_what_there_is(store: StoreBuilder) -> None:
    counted = numbers(opened("data"))
    assert counted == {
        "Files ingested": "6", "Rejected": "1", "Skipped (no mapping)": "0", "Runs": "2", "Logs": "6",
        "Logs without a run": "0", "Samples": "21", "Checkpoints without results": "1", "Conflicts": "1",
    }  # fmt: skip


def test_coverage_shows_gaps_and_checkpoints_that_wait(store: StoreBuilder) -> None:
    app = opened("data", run="a")
    overview, steps = (frame.value for frame in app.dataframe)
    a = overview.set_index("run").loc["a"]
    assert (a["checkpoints"], a["waiting"], a["blackmail"], a["framing"]) == (4, 1, 3, 2)
    by_step = steps.set_index("step")
    assert by_step.loc["100", "framing"] == "4"
    assert pd.isna(by_step.loc["0", "framing"])
    assert by_step.loc["200", "framing"] == "2 (1 not whole)"
    assert by_step.loc["300", "evals"] == "(no eval yet)"


def test_rejected_files_stay_visible_with_their_reason(store: StoreBuilder) -> None:
    table = opened("data", show="Not read").dataframe[0].value
    assert table[["path", "reason"]].to_numpy().tolist() == [["broken.eval", "the zip ends too early <b>"]]


def test_conflicts_name_every_candidate(store: StoreBuilder) -> None:
    table = opened("data", show="Conflicts").dataframe[0].value
    assert table["candidates"].tolist() == ["folder name: 10; run card: 20"]


def test_headers_that_disagree_stand_with_both_numbers(store: StoreBuilder) -> None:
    table = opened("data", show="Headers").dataframe[0].value
    assert (0.5, 0.0) in table[["header says", "samples give"]].itertuples(index=False, name=None)


def test_runs_tell_their_lineage_and_batches_their_files(store: StoreBuilder) -> None:
    runs = opened("data", show="Runs").dataframe[0].value.set_index("run")
    assert runs.loc["a", "from"] == "base@400"
    assert runs.loc["a", "steps"] == "0 to 300"
    batches = opened("data", show="Batches").dataframe[0].value
    assert batches[["files", "rejected"]].to_numpy().tolist() == [[6, 1]]


def test_files_that_make_trouble_come_first(store: StoreBuilder) -> None:
    assert opened("data", show="Files").dataframe[0].value["status"].tolist() == ["rejected"] + ["ingested"] * 6
