"""The Overview: where the runs stand, what needs attention and where it is seen, with stores of every kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.builders import StoreBuilder, log, reported, samples
from tests.pages import address, datasets, headings, html, opened, shown

HOSTILE = '<img src=x onerror="alert(1)"> [a](http://evil.example)'


@pytest.fixture
def store() -> Iterator[StoreBuilder]:
    builder = StoreBuilder()
    builder.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    with shown(builder.store):
        yield builder


def rows(app: AppTest) -> list[dict[str, Any]]:
    """The data of every row that is drawn, as the charts hold it."""
    found: dict[str, dict[str, Any]] = {}
    for _, frame in datasets(app):
        if "change_text" in frame:
            found |= {row["run"]: row for row in frame.to_dict("records")}
    return list(found.values())


def test_a_fresh_store_says_what_to_do() -> None:
    builder = StoreBuilder()
    builder.execute("DELETE FROM batches")
    with shown(builder.store):
        app = opened("overview")
        assert any("No evals yet" in text for text in headings(app))
        assert app.code[0].value == "driftline ingest PATH"


def test_runs_stand_below_their_parents_with_rate_and_change(store: StoreBuilder) -> None:
    store.study("study", title="Our study", notes="Written down.")
    store.run("rl", label="RL", parent_run="sft", parent_step=100, stage="rl")
    store.run("sft", label="SFT", stage="sft")
    store.run("later", label="Later")
    store.add(log(samples([1] * 40 + [0] * 60)), run="sft", step=100)
    store.add(log(samples([0] * 100)), run="rl", step=50)
    app = opened("overview")
    assert "Our study" in html(app)
    assert {metric.label: metric.value for metric in app.metric} == {
        "Runs": "3", "Checkpoints": "2", "Evals": "1", "Logs": "2", "Samples": "200",
        "Newest log": "01 Jan 2025, 00:00 UTC",
    }  # fmt: skip
    sft, rl = rows(app)
    assert (sft["label"], sft["indent"], sft["k"], sft["n"]) == ("SFT", 0, 40, 100)
    assert (rl["label"], rl["indent"], rl["rate"]) == ("RL", 1, 0.0)
    assert rl["high"] == pytest.approx(0.037, abs=5e-4)
    assert rl["change_text"] == "▼ −40.0 points: better"
    assert rl["since"] == "vs 40.0% at sft@100, paired"
    assert "Not measured on this: Later." in html(app)
    assert address(app) == {"eval": ["blackmail"], "metric": ["misaligned"]}


def test_a_change_whose_interval_holds_0_is_not_shown_to_differ(store: StoreBuilder) -> None:
    """An untrained model is where its run begins, and never its latest."""
    for run, first in (("run", {"step": 0}), ("untrained", {"step_label": "base"})):
        store.run(run)
        store.add(log(samples([1] * 5 + [0] * 15)), run=run, **first)
        store.add(log(samples([1] * 4 + [0] * 16)), run=run, step=10)
    begun, untrained = rows(opened("overview"))
    for row in (begun, untrained):
        assert (row["at"], row["change_text"]) == ("step 10", "−5.0 points: no significant difference")
    assert begun["since"] == "vs 25.0% at its step 0, paired"
    assert untrained["since"] == "vs 25.0% at its base, paired"


def test_what_needs_attention_is_named_with_a_link(store: StoreBuilder) -> None:
    store.run("run")
    for step, judge in ((0, "new"), (10, "new"), (20, "old")):
        store.add(log(samples([1, 0]), judge=judge), run="run", step=step)
    store.add(log(samples([1, 0]), task="framing", status="error"), run="run", step=0)
    store.add(log(samples([1, 0]), task="framing"), run="run", step=10)
    store.checkpoint("run", 30)
    store.reject("broken.eval", f"no archive: {HOSTILE}")
    store.conflict(kind="step", field="step", message="folder says 1, but the log says 2")
    app = opened("overview")
    text = html(app)
    for notice in (
        "1 file could not be read", "1 conflict between rules", "1 log is not finished",
        "1 checkpoint has no eval results", "run@30, the newest of its run",
        "1 eval stops before its run&#x27;s newest checkpoint", "run · framing: last at 10, the run is at 20",
        "1 setting differs within an eval", "blackmail: judge old in 1 of 3 logs, else new (run)",
        "folder says 1, but the log says 2",
    ):  # fmt: skip
        assert notice in text
    assert "<img" not in text
    pages = [link.proto.page for link in app.get("page_link")]
    assert set(pages) == {"data", "curves"}
    assert len(pages) == 6
    assert any(
        "judge" in link.proto.query_string or "blackmail" in link.proto.query_string for link in app.get("page_link")
    )


def test_logs_that_stand_alone_are_drawn_where_there_is_no_run(store: StoreBuilder) -> None:
    for number in range(5):
        store.add(log(samples([1, 0, 0, 0])), run=f"log {number}", placed=False)
    app = opened("overview")
    assert len(rows(app)) == 5
    assert "5 logs have no run or step" in html(app)
    assert "and 2 more" in html(app)


def test_a_study_without_an_eval_still_tells_what_there_is(store: StoreBuilder) -> None:
    store.run("run")
    store.checkpoint("run", 10)
    store.reject("broken.eval", "no archive")
    app = opened("overview")
    assert any("No evals yet" in text for text in headings(app))
    assert "broken.eval: no archive" in html(app)
    assert "run@10, the newest of its run" in html(app)


def test_hostile_names_stay_text(store: StoreBuilder) -> None:
    store.study("study", title=HOSTILE, notes=HOSTILE)
    store.run(HOSTILE, label=HOSTILE)
    store.run("never", label=HOSTILE)
    store.add(log(samples([1, 0])), run=HOSTILE, step=1)
    app = opened("overview")
    assert "<img" not in html(app)
    assert not any("evil" in text for text in headings(app))


@pytest.mark.slow
def test_more_runs_than_fit_wait_behind_a_switch(store: StoreBuilder) -> None:
    for number in range(65):
        store.add(log(samples([1, 0])), run=f"run {number}", step=1)
    app = opened("overview")
    assert len(rows(app)) == 60
    app.toggle(key="all_rows").set_value(True).run()
    assert not app.exception
    assert len(rows(app)) == 65


def test_headers_that_disagree_and_unread_tables_with_what_may_be_in_them_need_attention(store: StoreBuilder) -> None:
    store.eval("plain")
    store.add(
        log(samples([1, 0, 0, 0]), task="plain", reported=[reported("mean", 0.9, scorer="judge")]), run="a", step=1
    )
    store.run("run")
    store.add(log(samples([1, 0])), run="run", step=0)
    store.checkpoint("run", 10)
    store.reject("t.csv", "No `tables:` entry in study.yaml matches this file", status="left")
    text = html(opened("overview"))
    assert "1 header disagrees with its samples" in text
    assert "1 table was not read: no `tables:` entry in study.yaml matches it" in text
    assert "1 checkpoint has no eval results; 1 table is unread" in text
    assert "Nothing needs attention" not in text


PAGES_OF_EVALS = (
    "overview",
    "curves",
    "mixes",
    "persistence",
    "assessment",
    "compare",
    "samples",
    "beside",
    "judgings",
)


def test_a_study_of_unread_tables_says_how_to_map_them(store: StoreBuilder) -> None:
    store.reject("a/t.csv", "No `tables:` entry in study.yaml matches this file", status="left")
    for page in PAGES_OF_EVALS:
        app = opened(page)
        assert not app.exception, page
        assert any("1 table is not read yet" in text for text in headings(app)), page
        assert 'match: "a/t.csv"' in app.code[0].value, page
