"""The Curves page: what it begins with, what it says about what is drawn, and what is behind a point."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.builders import StoreBuilder, log, reported, sample, samples, score
from tests.pages import address, headings, html, opened, shown, specs


@pytest.fixture
def store() -> Iterator[StoreBuilder]:
    builder = StoreBuilder()
    with shown(builder.store):
        yield builder


def test_an_empty_store_says_what_to_do(store: StoreBuilder) -> None:
    app = opened("curves")
    assert any("No evals yet" in text for text in headings(app))
    assert app.code[0].value == "driftline ingest PATH"


@pytest.mark.slow
def test_a_group_is_what_the_page_begins_with(store: StoreBuilder) -> None:
    store.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    store.group("honeypots", ["blackmail", "framing"])
    store.run("rl")
    for task in ("blackmail", "framing"):
        store.add(log(samples([1, 0, 0, 0]), task=task), run="rl", step=10)
    app = opened("curves")
    assert address(app)["eval"] == ["honeypots"]
    assert len(specs(app)) == 1


@pytest.mark.slow
def test_the_definition_in_use_and_the_interval_stand_in_the_plot(store: StoreBuilder) -> None:
    store.metric("authors", title="the authors' rule", misaligned={"score": "aligned", "op": "<", "value": 75})
    store.metric("usual", title="the usual rule", misaligned={"score": "aligned", "op": "<", "value": 30})
    store.run("a")
    for step in (1, 2):
        store.add(log(samples([80, 70, 20, 90], scorer="aligned")), run="a", step=step)
    app = opened("curves")
    assert specs(app)[0]["title"]["subtitle"] == [
        "Lower is better · n = 4 per point · 95% CI: Wilson · the authors' rule"
    ]
    assert "the authors' rule: aligned &lt; 75 (lower is better)" in html(app).replace("&#x27;", "'")
    app.selectbox(key="curves_metric").set_value("usual").run()
    assert specs(app)[0]["title"]["subtitle"][0].endswith("the usual rule")
    assert "the usual rule: aligned &lt; 30 (lower is better)" in html(app)
    assert address(app)["metric"] == ["usual"]


@pytest.mark.slow
def test_evals_in_different_units_are_panels_of_their_own(store: StoreBuilder) -> None:
    store.run("a")
    store.add(log(samples([-190.0, -200.0]), task="reward"), run="a", step=1)
    store.add(log(samples([True, False]), task="honest"), run="a", step=1)
    app = opened("curves", eval=["reward", "honest"])
    assert len(specs(app)) == 2


@pytest.mark.slow
def test_numbers_that_a_log_only_reports_say_so(store: StoreBuilder) -> None:
    store.run("a")
    store.add(log([], task="crows", reported=[reported("acc", 0.5, stderr=0.01)]), run="a", step=1)
    app = opened("curves")
    assert any("n not reported" in line for line in specs(app)[0]["title"]["subtitle"])


@pytest.mark.slow
def test_flags_are_listed_under_the_plot(store: StoreBuilder) -> None:
    store.run("a")
    for step, judge in ((1, "x"), (2, "x"), (3, "<b>y</b>")):
        store.add(log(samples([1, 0, 1, 0]), judge=judge), run="a", step=step)
    app = opened("curves")
    assert "Judge differs: &lt;b&gt;y&lt;/b&gt;" in html(app)
    assert "Red ring: warning" in html(app)


@pytest.mark.slow
def test_rules_that_disagree_about_a_log_are_listed_under_the_plot(store: StoreBuilder) -> None:
    store.run("a")
    eval_id = store.add(log(samples([1, 0])), run="a", step=10)
    store.conflict(eval_id=eval_id, kind="step", field="step", message="folder says 10, but task_args.step says 20")
    assert "folder says 10, but task_args.step says 20" in html(opened("curves"))


@pytest.mark.slow
def test_a_checkpoint_without_an_outcome_is_named_and_not_drawn_as_zero(store: StoreBuilder) -> None:
    store.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    store.run("a")
    store.add(log(samples([0, 0])), run="a", step=1)
    store.add(log([sample(1, score(None), error="the scorer broke")]), run="a", step=2)
    app = opened("curves")
    assert "a@2 · blackmail: no sample is scored" in html(app)


@pytest.mark.slow
def test_a_point_of_the_address_shows_what_is_behind_it(store: StoreBuilder) -> None:
    store.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    store.run("a")
    store.add(log(samples([1, 0, 0, 0])), run="a", step=10)
    store.add(log(samples([0, 0, 0, 0])), run="a", step=20)
    app = opened("curves", point="blackmail | misaligned | a@10")
    assert "<b>a@10</b> · blackmail · <b>25.0%</b>" in html(app)
    table = app.main.dataframe[0].value
    assert table["outcome"].tolist() == ["● misaligned", "○ aligned", "○ aligned", "○ aligned"]


@pytest.mark.slow
def test_a_point_that_is_not_drawn_is_let_go(store: StoreBuilder) -> None:
    store.run("a")
    store.add(log(samples([1, 0])), run="a", step=10)
    assert "point" not in address(opened("curves", point="gone"))


@pytest.mark.slow
def test_a_simulated_study_is_announced_on_every_page(store: StoreBuilder) -> None:
    store.study("demo", simulated="Made up, <b>all</b> of it.")
    store.run("a")
    store.add(log(samples([1, 0])), run="a", step=10)
    for page in ("curves", "samples", "transcript", "data"):
        assert "Made up, &lt;b&gt;all&lt;/b&gt; of it." in html(opened(page))


@pytest.mark.slow
def test_lineage_shows_the_runs_that_a_run_was_trained_from(store: StoreBuilder) -> None:
    store.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    store.run("sft", stage="sft", lineage_offset=0)
    store.run("rl", stage="rl", parent_run="sft", parent_step=100, lineage_offset=100)
    store.add(log(samples([1, 1, 0, 0])), run="sft", step=100)
    store.add(log(samples([1, 0, 0, 0])), run="rl", step=50)
    app = opened("curves", run=["rl"], x="lineage")
    chart = specs(app)[0]
    assert chart["title"]["text"] == "blackmail: misalignment rate"
    assert {"rl", "sft"} <= set(json.dumps(chart).replace('"', " ").split())
