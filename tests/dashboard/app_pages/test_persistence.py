"""The Persistence page: which snapshots it begins with, what it says of leads, and what it never says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dashboard.app_pages.persistence.telling import lead_in_words
from dashboard.kit.text.trends import change_in_words
from dashboard.queries.trends import TrendQuery, trends
from loaders.makers.demo.writer import DEMO
from tests.builders import StoreBuilder, log, samples
from tests.pages import address, headings, html, opened, shown, specs
from tests.real_stores import shared

pytestmark = pytest.mark.slow

FOUR = {"plain-rl", "documents-rl", "stories-rl", "advice-rl"}


@pytest.fixture
def store() -> Iterator[StoreBuilder]:
    builder = StoreBuilder()
    builder.metric("harmful", misaligned={"score": "judge", "op": "=", "value": 1})
    with shown(builder.store):
        yield builder


def two_snapshots(store: StoreBuilder, a: dict[int, int], b: dict[int, int]) -> None:
    """Runs a and b from parents of their own; k of 60 misaligned at each step."""
    for name, steps in (("a", a), ("b", b)):
        store.run(f"{name}-sft")
        store.run(name, parent_run=f"{name}-sft", parent_step=1, stage="rl")
        for step, k in steps.items():
            store.add(log(samples([1] * k + [0] * (60 - k))), run=name, step=step)


def words(store: StoreBuilder, run: str = "a", baseline: str = "b") -> str:
    with store.cursor() as cursor:
        found = trends(cursor, TrendQuery((run,), baseline), store.batch).lead_lines
    return lead_in_words(found.to_dict("records")[0], {})


def test_the_demo_study_begins_with_its_four_snapshots_on_four_evals() -> None:
    with shown(shared(DEMO).store):
        app = opened("persistence")
        state = address(app)
        assert set(state["run"]) == FOUR
        assert state["baseline"] == ["plain-rl"]
        assert set(state["eval"]) == {"blackmail", "research_sabotage", "framing", "constitution_adherence"}
        assert len(specs(app)) == 8
        text = html(app)
        assert "Plain (RL) from plain-sft@300" in text
        assert "Baseline: Plain (RL) (plain-rl)" in text
        assert text.count(": n.s. (p (Holm) = ") == 12
        assert "lead lasts" not in text
        assert any("Holm over all 12 runs and evals" in caption for caption in headings(app))
        stages = opened(
            "persistence", view="stages", eval="blackmail", point="blackmail | misaligned | stories-sdf@400"
        )
        assert len(specs(stages)) == 1
        assert "stories-sdf@400</b>" in html(stages)


def test_without_parents_the_page_tells_how_a_card_names_one(store: StoreBuilder) -> None:
    store.add(log(samples([1, 0])), run="a", step=1)
    app = opened("persistence")
    assert any("No run has a parent" in text for text in headings(app))
    assert "parent: {run: sft, step: 300}" in app.code[0].value


def test_a_baseline_in_the_address_is_the_baseline(store: StoreBuilder) -> None:
    two_snapshots(store, a={1: 6, 2: 6}, b={1: 40, 2: 40})
    assert address(opened("persistence"))["baseline"] == ["b"]
    app = opened("persistence", run=["a", "b"], baseline="a")
    assert address(app)["baseline"] == ["a"]
    assert "b trails a by 56.7 pp" in html(app)


def test_names_from_logs_are_text(store: StoreBuilder) -> None:
    store.run("<b>x</b>", label="<i>x</i>", parent_run="sft", parent_step=1, stage="rl")
    for step in (1, 2):
        store.add(log(samples([1, 0, 0])), run="<b>x</b>", step=step)
    assert "<i>x</i>" not in html(opened("persistence"))


def test_a_run_that_is_not_here_is_left_out(store: StoreBuilder) -> None:
    two_snapshots(store, a={1: 6, 2: 6}, b={1: 40, 2: 40})
    app = opened("persistence", run=["a", "gone"])
    assert address(app)["baseline"] == ["a"]


def test_a_single_snapshot_has_changes_and_no_leads(store: StoreBuilder) -> None:
    two_snapshots(store, a={1: 6, 2: 6}, b={1: 40, 2: 40})
    app = opened("persistence", run="a")
    assert len(specs(app)) == 1
    assert "No selected run has results at the same step" in html(app)


def test_words_tell_a_lead_and_never_that_it_lasts(store: StoreBuilder) -> None:
    two_snapshots(store, a={100: 6, 300: 6}, b={100: 40, 300: 40})
    assert words(store).startswith("a leads b by 56.7 pp on average over the steps [")
    assert " Lower than b from step 100 on (simultaneous 95% band)." in words(store)
    assert "from step 100 to 300: n.s. (p (Holm) = 1)." in words(store)
    assert words(store, "b", "a").startswith("b trails a by 56.7 pp")


def test_words_tell_where_a_lead_shrinks(store: StoreBuilder) -> None:
    two_snapshots(store, a={100: 0, 300: 28}, b={100: 50, 300: 50})
    assert "the lead shrinks" in words(store)
    assert "it catches up" in words(store, "b", "a")


def test_words_claim_nothing_that_is_not_shown(store: StoreBuilder) -> None:
    two_snapshots(store, a={100: 30, 300: 31}, b={100: 31, 300: 31})
    assert words(store).startswith("a vs b: no significant difference, +")
    assert " At no step significantly different from b (simultaneous 95% band)." in words(store)


def test_from_which_step_on_stands_on_curves_when_it_is_opened(store: StoreBuilder) -> None:
    two_snapshots(store, a={1: 40, 2: 38, 3: 5}, b={1: 40, 2: 40})
    app = opened("curves", run=["a", "b"])
    fold = next(each for each in app.expander if each.label.startswith("First significant step"))
    assert fold.label == "First significant step (2 runs)"
    with store.cursor() as cursor:
        rows = trends(cursor, TrendQuery(("a", "b")), store.batch).lines.to_dict("records")
    assert change_in_words(rows[0], {"a": "A"}) == (
        "A · blackmail: 66.7% at step 1, 8.3% at step 3; −58.3 pp"
        f" [−{-100 * rows[0]['change_low']:.1f}, −{-100 * rows[0]['change_high']:.1f}] (paired)."
        " Lower than the first step from step 3 on (simultaneous 95% band)."
    )
    assert " At no step significantly different from the first step" in change_in_words(rows[1], {})
