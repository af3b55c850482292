"""The Samples page: filters stand in the address, pages are turned on the server, a bad filter is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.kit.pickers.sample_filters import filter_of, order_of, parse_condition
from dashboard.links import samples_of_rate
from loaders.errors import DriftlineError
from loaders.study.conditions import SampleTest, ScoreTest
from tests.builders import StoreBuilder, log, message, sample, score
from tests.pages import address, headings, html, opened, shown
from tests.rates_rows import rate_row


@pytest.fixture(scope="module")
def store() -> Iterator[StoreBuilder]:
    builder = StoreBuilder()
    builder.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    builder.metric("strict", misaligned={"score": "judge", "op": ">=", "value": 0})
    builder.run("a")
    many = [
        sample(i, score(float(i % 10 == 0), explanation=f"verdict {i}"), score(i, "aligned"), input=f"question {i}")
        for i in range(60)
    ]
    builder.add(log(many), run="a", step=100)
    odd = [
        sample("odd/1", score(0), messages=[message("assistant", "the needle")]),
        sample("odd/2", error="the sandbox died"),
        sample("odd/3", score(1), limit_type="message"),
    ]
    builder.add(log(odd), run="a", step_label="final")
    with shown(builder.store):
        yield builder


def rows(app: AppTest) -> Any:
    return app.dataframe[0].value


@pytest.mark.slow
@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, 63),
        ({"outcome": ["misaligned"]}, 7),
        ({"outcome": ["misaligned", "missing"]}, 8),
        ({"step": ["final"]}, 3),
        ({"step": ["100"]}, 60),
        ({"text": "NEEDLE"}, 1),
        ({"text": "verdict 59"}, 1),
        ({"score": "aligned < 30"}, 30),
        ({"errors": "only"}, 1),
        ({"limits": "only"}, 1),
        ({"limits": "without"}, 62),
        ({"outcome": ["misaligned"], "step": ["100"], "score": "aligned >= 30"}, 3),
    ],
)
def test_every_filter_of_the_address_is_obeyed_and_stays_in_it(
    store: StoreBuilder, filters: dict[str, Any], found: int
) -> None:
    app = opened("samples", **filters)
    assert f"<b>{found}</b>" in html(app)
    for name, value in filters.items():
        assert address(app)[name] == (value if isinstance(value, list) else [value])


def test_rows_hold_outcome_and_judge_and_only_a_page_of_them_goes_to_the_browser(store: StoreBuilder) -> None:
    app = opened("samples", eval=["blackmail"], step=["100"])
    assert rows(app)["outcome"].tolist()[:2] == ["● misaligned", "○ aligned"]
    assert rows(app)["judge"].tolist()[:2] == ["verdict 0", "verdict 1"]
    assert len(rows(app)) == 50
    assert len(rows(opened("samples", step=["100"], rows="100"))) == 60
    assert address(app)["metric"] == ["misaligned"]


@pytest.mark.slow
def test_pages_are_turned_and_named_in_the_address(store: StoreBuilder) -> None:
    app = opened("samples", step=["100"])
    next(button for button in app.button if button.label == "Next").click().run()
    assert rows(app)["judge"].tolist()[0] == "verdict 50"
    assert address(app)["page"] == ["2"]
    app.number_input(key="samples_page_number").set_value(1).run()
    assert rows(app)["judge"].tolist()[0] == "verdict 0"
    assert "page" not in address(app)
    assert rows(opened("samples", step=["100"], page="2"))["judge"].tolist()[0] == "verdict 50"
    assert rows(opened("samples", step=["100"], page="99"))["judge"].tolist()[0] == "verdict 50"


def test_runs_chosen_on_other_pages_are_offered_and_narrow_nothing_unasked(store: StoreBuilder) -> None:
    app = opened("samples")
    app.session_state["_runs"] = ["a"]
    app.run()
    assert "<b>63</b>" in html(app)
    assert "run" not in address(app)
    next(button for button in app.button if button.label == "Only 1 run shown elsewhere").click().run()
    assert address(app)["run"] == ["a"]
    assert not any("elsewhere" in button.label for button in app.button)


def test_another_filter_begins_at_the_first_page(store: StoreBuilder) -> None:
    app = opened("samples", page="2")
    app.multiselect(key="samples_outcome").set_value(["aligned"]).run()
    assert "page" not in address(app)


def test_the_definition_decides_the_outcomes(store: StoreBuilder) -> None:
    app = opened("samples", eval=["blackmail"], metric="strict", outcome=["misaligned"])
    assert "<b>62</b>" in html(app)


def test_samples_are_sorted_on_the_server(store: StoreBuilder) -> None:
    app = opened("samples", step=["100"], sort="value, highest first")
    assert rows(app)["outcome"].tolist()[:7] == ["● misaligned"] * 6 + ["○ aligned"]


def test_a_condition_that_cannot_be_read_is_told(store: StoreBuilder) -> None:
    app = opened("samples", score="<script>")
    assert "is no condition" in html(app)
    assert "<script>" not in html(app)


def test_nothing_found_says_so_and_which_filters_are_to_blame(store: StoreBuilder) -> None:
    assert any("No samples" in text for text in headings(opened("samples", text="nowhere")))
    assert any("match none: **Outcome**" in text for text in headings(opened("samples", outcome=["outside"])))
    together = headings(opened("samples", step=["final"], score="aligned < 30"))
    assert any("none matches all" in text for text in together)


def test_scores_prompts_and_replies_stand_in_one_line_each(store: StoreBuilder) -> None:
    table = rows(opened("samples", eval=["blackmail"], step=["100"]))
    assert list(table)[:4] == ["open", "outcome", "score", "checkpoint"]
    assert table["score"].tolist()[:2] == ["1", "0"]
    assert table["prompt"].tolist()[:2] == ["question 0", "question 1"]


def test_a_row_has_a_link_that_keeps_filter_and_frozen_data(store: StoreBuilder) -> None:
    link = rows(opened("samples", text="needle", as_of=str(store.batch)))["open"].tolist()[0]
    page, _, asked = link.partition("?")
    assert page == "transcript"
    assert {"sample": ["odd/1"], "text": ["needle"], "epoch": ["1"]}.items() <= parse_qs(asked).items()
    assert parse_qs(asked)["as_of"] == [str(store.batch)]


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("aligned < 30", ScoreTest(score="aligned", op="<", value=30.0)),
        ("judge.harmful=1", ScoreTest(score="judge", key="harmful", op="=", value=1.0)),
        ("judge != 'C'", ScoreTest(score="judge", op="!=", value="C")),
        ("judge.metadata.level = high", ScoreTest(score="judge", field="metadata.level", op="=", value="high")),
        ("metadata.goal = a = b", SampleTest(sample="metadata.goal", op="=", value="a = b")),
        ("x >= true", ScoreTest(score="x", op=">=", value=True)),
    ],
)
def test_conditions_are_read(text: str, condition: Any) -> None:
    assert parse_condition(text) == condition


@pytest.mark.parametrize("text", ["aligned", "< 30", "aligned < high", "aligned <"])
def test_conditions_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(DriftlineError):
        parse_condition(text)


def test_several_definitions_in_an_address_mean_each_evals_own() -> None:
    assert filter_of({"metric": ["a", "b"]}).metric is None
    assert filter_of({"metric": ["a"], "step": ["final", "10"]}).steps == ("final", 10)
    assert order_of({"sort": ["no such order"]}) == ()


def test_fields_in_an_address_filter_by_their_values() -> None:
    asked = ["metadata.ai_name=Claude", "metadata.a.b==x=y", "task_args.z=", "variant"]
    assert filter_of({"where": asked}).where == (
        ("metadata.ai_name", "Claude"), ("metadata.a.b", "=x=y"), ("task_args.z", ""), ("variant", None),
    )  # fmt: skip
    with pytest.raises(DriftlineError, match=r'where: "goal" is not a field .*allowed: metadata.NAME'):
        filter_of({"where": ["goal=x"]})


@pytest.mark.parametrize("value", ["Claude", "", "a=b", "é 日本", "%3D&#", "true", None])
def test_a_link_to_the_samples_of_a_part_comes_back_as_its_value(value: str | None) -> None:
    link = samples_of_rate(
        rate_row("rl", 100, 1, 2, split=value, split2="x", step_label=None), ("metadata.goal", "variant")
    )
    assert filter_of(link).where == (("metadata.goal", value), ("variant", "x"))


def test_a_search_shows_of_each_hit_where_it_stands(store: StoreBuilder) -> None:
    assert rows(opened("samples", text="NEEDLE"))["found"].tolist() == ["message 1: the needle"]
    assert rows(opened("samples", text="verdict 59"))["found"].tolist() == ["explanation: verdict 59"]
    assert "found" not in rows(opened("samples"))


def not_listed(app: AppTest) -> list[str]:
    """What is said of samples that are not among those of the page."""
    labels = [str(link.proto.label) for link in app.get("page_link")]
    return [label for label in labels if label.startswith("Not listed")]


def test_samples_that_are_not_listed_are_told(store: StoreBuilder) -> None:
    assert not not_listed(opened("samples"))
    builder = StoreBuilder()
    builder.run("a")
    builder.add(log([sample(i, score(1)) for i in range(3)], status="cancelled"), run="a", step=100)
    builder.add(log([sample(i, score(1)) for i in range(5)], minutes=1), run="a", step=100)
    with shown(builder.store):
        app = opened("samples")
        assert len(rows(app)) == 5
        assert not_listed(app) == ["Not listed: 3 samples of 1 replaced or excluded log"]
        assert not not_listed(opened("samples", step="100"))
