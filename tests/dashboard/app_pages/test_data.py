"""The Data page: what came in, what didn't and why, what rules disagree on, what each run has and lacks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from tests.builders import StoreBuilder, log, reported, sample, samples, score
from tests.pages import headings, html, opened, shown


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
    return dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", html(app)))


def test_an_empty_store_says_what_to_do() -> None:
    builder = StoreBuilder()
    builder.execute("DELETE FROM batches")
    with shown(builder.store):
        assert any("No evals yet" in text for text in headings(opened("data")))


@pytest.mark.slow
def test_the_page_counts_what_there_is(store: StoreBuilder) -> None:
    counted = numbers(opened("data"))
    assert counted == {
        "Files ingested": "6", "Rejected": "1", "Skipped (no mapping)": "0", "Runs": "2", "Logs": "6",
        "Logs without a run": "0", "Samples": "21", "Checkpoints without results": "1", "Conflicting run or step": "1",
    }  # fmt: skip


def test_coverage_shows_gaps_and_checkpoints_that_wait(store: StoreBuilder) -> None:
    app = opened("data", run="a")
    overview, steps = (frame.value for frame in app.dataframe)
    a = overview.set_index("run").loc["a"]
    assert (a["checkpoints"], a["waiting"], a["blackmail"], a["framing"]) == (4, 1, 3, 2)
    by_step = steps.set_index("step")
    assert by_step.loc["100", "framing"] == "4"
    assert pd.isna(by_step.loc["0", "framing"])
    assert by_step.loc["200", "framing"] == "2 (1 incomplete)"
    assert by_step.loc["300", "evals"] == "(no results)"


def test_coverage_tells_the_commands_that_fill_the_gaps(store: StoreBuilder) -> None:
    app = opened("data", run="a")
    assert not app.code, "made before anybody asks"
    app.session_state["fill_gaps"] = True
    app.run()
    assert app.selectbox(key="gaps a").options == ["blackmail", "framing"]
    app.selectbox(key="gaps a").set_value("framing").run()
    (told,) = app.code
    commands = [line for line in told.value.splitlines() if line.startswith("inspect eval")]
    assert ["--metadata step=0" in commands[0], "--metadata step=200" in commands[1]] == [True, True]
    assert all("framing" in command and "--metadata run=a" in command for command in commands)
    assert len(commands) == 3, "the log at 200 is not complete, and 300 has none"


def test_rejected_files_stay_visible_with_their_reason(store: StoreBuilder) -> None:
    table = opened("data", show="Not read").dataframe[0].value
    assert table[["path", "reason"]].to_numpy().tolist() == [["broken.eval", "the zip ends too early <b>"]]


def test_conflicts_name_every_candidate(store: StoreBuilder) -> None:
    table = opened("data", show="Conflicts").dataframe[0].value
    assert table["candidates"].tolist() == ["folder name: 10; run card: 20"]


def test_headers_that_disagree_stand_with_both_numbers(store: StoreBuilder) -> None:
    table = opened("data", show="Headers").dataframe[0].value
    assert (0.5, 0.0) in table[["log reports", "samples give"]].itertuples(index=False, name=None)


def test_runs_tell_their_lineage_and_batches_their_files(store: StoreBuilder) -> None:
    runs = opened("data", show="Runs").dataframe[0].value.set_index("run")
    assert runs.loc["a", "from"] == "base@400"
    assert runs.loc["a", "steps"] == "0 to 300"
    batches = opened("data", show="Batches").dataframe[0].value
    assert batches[["files", "rejected"]].to_numpy().tolist() == [[6, 1]]


def test_files_that_make_trouble_come_first(store: StoreBuilder) -> None:
    assert opened("data", show="Files").dataframe[0].value["status"].tolist() == ["rejected"] + ["ingested"] * 6
