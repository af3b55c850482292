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


@pytest.mark.slow
def test_runs_stand_below_their_parents_with_rate_and_change(store: StoreBuilder) -> None:
    store.study("study", title="Our study", notes="Written down.")
    store.run("rl", label="RL", parent_run="sft", parent_step=100, stage="rl")
    store.run("sft", label="SFT", stage="sft")
    store.run("later", label="Later")
    store.add(log(samples([1] * 40 + [0] * 60)), run="sft", step=100)
    store.add(log(samples([0] * 100)), run="rl", step=50)
    app = opened("overview", view="chart")
    assert "Our study" in html(app)
    counts = "3 runs · 2 checkpoints · 1 eval · 2 logs · 200 samples · newest log <span>01 Jan 2025, 00:00 UTC</span>"
    assert counts in html(app)
    sft, rl = rows(app)
    assert (sft["label"], sft["indent"], sft["k"], sft["n"]) == ("SFT", 0, 40, 100)
    assert (rl["label"], rl["indent"], rl["rate"]) == ("RL", 1, 0.0)
    assert rl["high"] == pytest.approx(0.037, abs=5e-4)
    assert rl["change_text"] == "▼ −40.0 pp: better"
    assert rl["since"] == "vs 40.0% (sft@100, paired)"
    assert "No results on this eval: Later." in html(app)
    assert address(app) == {"eval": ["blackmail"], "metric": ["misaligned"], "view": ["chart"]}
    assert "1 of 1 changes since the parent (or first step) are significantly better, 0 significantly worse" in html(
        app
    )


@pytest.mark.slow
def test_a_change_whose_interval_holds_0_is_not_shown_to_differ(store: StoreBuilder) -> None:
    """An untrained model is where its run begins, and never its latest."""
    for run, first in (("run", {"step": 0}), ("untrained", {"step_label": "base"})):
        store.run(run)
        store.add(log(samples([1] * 5 + [0] * 15)), run=run, **first)
        store.add(log(samples([1] * 4 + [0] * 16)), run=run, step=10)
    begun, untrained = rows(opened("overview", view="chart"))
    for row in (begun, untrained):
        told = "−5.0 pp: not enough data for ±5 pp (needs 172 questions)"
        assert (row["at"], row["change_text"]) == ("step 10", told)
    assert begun["since"] == "vs 25.0% (step 0, paired)"
    assert untrained["since"] == "vs 25.0% (base, paired)"


@pytest.mark.slow
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
        "1 file could not be read", "1 conflicting run or step", "1 unfinished log",
        "1 checkpoint has no eval results", "run@30, the latest of its run",
        "1 eval stops before its run&#x27;s newest checkpoint", "run · framing: last at 10, the run is at 20",
        "1 setting differs within an eval", "blackmail: judge old in 1 of 3 logs, else new (run)",
        "folder says 1, but the log says 2",
    ):  # fmt: skip
        assert notice in text
    assert "<img" not in text
    links = [link.proto for link in app.get("page_link") if link.proto.label.startswith("Open ")]
    assert {link.page for link in links} == {"data", "curves"}
    assert len(links) == 6
    assert any("judge" in link.query_string or "blackmail" in link.query_string for link in links)


@pytest.mark.slow
def test_selected_runs_stand_in_the_address_and_other_pages_open_on_them(store: StoreBuilder) -> None:
    for run in ("a", "b", "c"):
        store.run(run)
        store.add(log(samples([1, 0, 0, 0])), run=run, step=5)
    app = opened("overview", run=["a", "gone"])
    assert "No run “gone” here." in html(app)
    assert linked(app)["Curves of 1 run"] == "eval=blackmail&metric=misaligned&run=a"
    assert "Compare latest checkpoints" not in linked(app)
    app.session_state["overview_runs_0"] = {"selection": {"rows": [0, 2], "columns": [], "cells": []}}
    app.run()
    assert address(app)["run"] == ["a", "c"]
    assert linked(app)["Curves of 2 runs"].endswith("&run=a&run=c")
    assert (
        linked(app)["Compare latest checkpoints"]
        == "eval=blackmail&metric=misaligned&checkpoint=a%405&checkpoint=c%405"
    )
    # What a search leaves out stays selected, and rows are known by their runs, wherever they stand.
    app.text_input(key="overview_text").set_value("b|c").run()
    assert app.dataframe[0].value["link"].str.contains("run=b|run=c").all()
    assert address(app)["run"] == ["a", "c"]
    assert app.session_state["overview_runs_0"]["selection"]["rows"] == [1]


def linked(app: AppTest) -> dict[str, str]:
    """The address of every link to a page that leads somewhere, by its label."""
    return {link.proto.label: link.proto.query_string for link in app.get("page_link") if not link.proto.disabled}


@pytest.mark.slow
def test_a_search_that_is_no_regular_expression_says_so_and_shows_all(store: StoreBuilder) -> None:
    store.add(log(samples([1, 0])), run="a", step=5)
    app = opened("overview", text="(a")
    assert "Not a regular expression: missing" in html(app)
    assert len(app.dataframe[0].value) == 1


@pytest.mark.slow
def test_logs_that_stand_alone_are_drawn_where_there_is_no_run(store: StoreBuilder) -> None:
    for number in range(5):
        store.add(log(samples([1, 0, 0, 0])), run=f"log {number}", placed=False)
    app = opened("overview")
    assert len(app.dataframe[0].value) == 5
    assert "5 logs have no run or step" in html(app)
    assert "and 2 more" in html(app)


def test_a_study_without_an_eval_still_tells_what_there_is(store: StoreBuilder) -> None:
    store.run("run")
    store.checkpoint("run", 10)
    store.reject("broken.eval", "no archive")
    app = opened("overview")
    assert any("No evals yet" in text for text in headings(app))
    assert "broken.eval: no archive" in html(app)
    assert "run@10, the latest of its run" in html(app)


@pytest.mark.slow
def test_a_change_of_a_score_is_in_its_own_unit_whatever_that_is_called(store: StoreBuilder) -> None:
    store.metric("adherence", kind="mean", better="higher", unit="points", score={"score": "adherence"})
    store.run("run")
    for step, value in ((1, 3.0), (2, 5.0)):
        store.add(log(samples([value, value + 1, value + 2], "adherence")), run="run", step=step)
    (row,) = rows(opened("overview", metric="adherence", view="chart"))
    assert "+2 points: " in row["change_text"]
    assert row["since"] == "vs 4 (step 1, paired)"


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
    app = opened("overview", view="chart")
    assert len(rows(app)) == 60
    app.toggle(key="all_rows").set_value(True).run()
    assert not app.exception
    assert len(rows(app)) == 65


@pytest.mark.slow
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
    assert "1 log total differs from its samples" in text
    assert "1 table not read: no `tables:` entry in study.yaml matches it" in text
    assert "1 checkpoint has no eval results; 1 table is unread" in text
    assert "No warnings" not in text


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


@pytest.mark.slow
def test_a_study_of_unread_tables_says_how_to_map_them(store: StoreBuilder) -> None:
    store.reject("a/t.csv", "No `tables:` entry in study.yaml matches this file", status="left")
    for page in PAGES_OF_EVALS:
        app = opened(page)
        assert not app.exception, page
        assert any("1 table is not read yet" in text for text in headings(app)), page
        assert "Map tables" in [link.proto.label for link in app.get("page_link")], page
