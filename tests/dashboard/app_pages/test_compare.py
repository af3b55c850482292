"""The Compare page: what it begins with, what it says first, the command's numbers, and what a link may hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.app_pages.compare.telling import TABLE
from dashboard.commands import CompareArguments, run_compare
from dashboard.places import demo_study
from tests.builders import StoreBuilder, log, reported, sample, samples, score
from tests.pages import address, headings, html, opened, shown
from tests.real_stores import shared

pytestmark = pytest.mark.slow


@pytest.fixture
def store() -> Iterator[StoreBuilder]:
    builder = StoreBuilder()
    builder.metric("harmful", misaligned={"score": "judge", "op": "=", "value": 1})
    with shown(builder.store):
        yield builder


def fill(store: StoreBuilder, **logs: list[int]) -> None:
    for run, values in logs.items():
        store.run(run)
        store.add(log(samples(values), judge="old" if run == "a" else "new"), run=run, step=10)


def table(app: AppTest) -> pd.DataFrame:
    """The table of differences."""
    return next(frame.value for frame in app.dataframe if "p_corrected" in frame.value)


def flips(app: AppTest) -> pd.DataFrame:
    return next(frame.value for frame in app.dataframe if "question" in frame.value)


def test_the_demo_study_opens_on_a_family_and_its_parent() -> None:
    with shown(shared(demo_study()).store):
        app = opened("compare")
    state = address(app)
    assert state["baseline"] == ["sonnet-4-like@0"]
    assert "difficult-advice@300" in state["checkpoint"]
    assert state["eval"][0] == "honeypots"
    assert state["metric"] == ["misaligned"]


def test_more_checkpoints_than_are_compared_are_said_to_be_left_out(store: StoreBuilder) -> None:
    for number in range(10):
        store.run(f"a{number}", section="a")
        store.add(log(samples([1, 0, 0, 0])), run=f"a{number}", step=10)
    store.run("b", section="b")
    store.add(log(samples([1, 0])), run="b", step=10)
    app = opened("compare", section="a")
    assert len(address(app)["checkpoint"]) == 8
    assert "8 of 10 checkpoints shown: at most 8 are compared." in headings(app)
    app = opened("compare", checkpoint=[f"a{number}@10" for number in range(8)])
    assert not [text for text in headings(app) if "at most 8" in text]
    assert "9 checkpoints" in html(opened("compare", checkpoint=[f"a{number}@10" for number in range(9)]))


def test_the_table_is_the_commands_to_the_last_digit() -> None:
    link: dict[str, Any] = {
        "checkpoint": ["documents@750", "documents-and-stories@820", "no-documents"],
        "baseline": "no-documents@0",
        "eval": ["blackmail", "honeypots", "constitution_adherence"],
    }
    with shown(shared(demo_study()).store):
        app = opened("compare", **link, correction="BH", margin=0)
        given = CompareArguments(link["checkpoint"], link["baseline"], link["eval"], correction="bh", target=0.05)
        answer = json.loads(json.dumps(run_compare(shared(demo_study()).store, given)))
    assert address(app)["checkpoint"] == ["documents@750", "documents-and-stories@820", "no-documents@0"]
    ours = [frame.value for frame in app.dataframe if "p_corrected" in frame.value]
    assert sum(map(len, ours)) == len(answer["differences"]) == 6
    rows = [row for frame in ours for row in frame.astype(object).where(frame.notna(), None).to_dict("records")]
    theirs = sorted(answer["differences"], key=lambda row: row["kind"] != "rate")
    for row, other in zip(rows, theirs, strict=True):
        assert row.pop("verdict").startswith({"significant": "significant", "inconclusive": "no sig"}[other["verdict"]])
        assert row == {name: other[name] for name in row}
    assert set(TABLE) <= set(answer["differences"][0])
    needed = next(frame.value for frame in app.dataframe if "needed" in frame.value)
    rates = [row["needed"] for row in answer["plan"] if row["kind"] == "rate"]
    assert needed["needed"].tolist()[: len(rates)] == rates
    assert any("all 6 differences" in text and "Benjamini-Hochberg" in text for text in headings(app))


def test_what_is_not_comparable_is_said_once_with_its_checkpoints(store: StoreBuilder) -> None:
    fill(store, a=[1, 1, 1, 0], b=[1, 0, 0, 0], c=[0, 0, 0, 0])
    store.add(log(samples([1, 0]), task="framing", judge="new"), run="b", step=10)
    said = html(opened("compare", checkpoint=["a@10", "b@10", "c@10"], eval=["blackmail", "framing"]))
    assert said.count("judge differs: new (baseline old)") == 1
    assert "judge differs: new (baseline old) · every checkpoint · blackmail" in said


def test_no_difference_is_claimed_where_none_was_logged(store: StoreBuilder) -> None:
    fill(store, b=[1, 1, 1, 0], c=[1, 0, 0, 0])
    assert "No settings differ between these logs" in html(opened("compare"))


def test_flips_are_counted_both_ways_and_name_their_sides(store: StoreBuilder) -> None:
    fill(store, a=[1, 1, 1, 0, 0], b=[0, 0, 1, 1, 0])
    app = opened("compare", checkpoint=["a@10", "b@10"])
    frame = flips(app)
    assert frame["question"].tolist() == ["3", "0", "1"]
    assert frame.columns[1:3].tolist() == ["▸ a @10", "▸ b @10"]
    assert frame.iloc[0, 1:3].tolist() == ["○ aligned 0/1", "● misaligned 1/1"]
    assert "<b>2</b> misaligned → aligned, <b>1</b> aligned → misaligned" in html(app)
    assert "McNemar" in html(app)
    assert table(app)["difference"].tolist() == [pytest.approx(-0.2)]


def test_a_pair_of_the_address_opens_its_questions(store: StoreBuilder) -> None:
    fill(store, a=[1, 1, 1, 0], b=[0, 0, 0, 0], c=[1, 1, 1, 1])
    link = {"checkpoint": ["a@10", "b@10", "c@10"], "pair": "blackmail | harmful | c@10"}
    app = opened("compare", **link)
    assert "▸ c @10" in flips(app).columns
    assert address(app)["pair"] == ["blackmail | harmful | c@10"]
    assert "pair" not in address(opened("compare", **(link | {"pair": "gone"})))


@pytest.mark.parametrize(
    ("named", "said"),
    [
        (["a@10", "nobody@3"], "no run &quot;nobody&quot; in the store (allowed: a, b)"),
        (["a@10", "b@99"], "was not evaluated at &quot;99&quot; (it was at: 10)"),
        (["a@10"], "it takes 2 to 8"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(store: StoreBuilder, named: list[str], said: str) -> None:
    fill(store, a=[1, 0], b=[0, 0])
    app = opened("compare", checkpoint=named)
    assert said in html(app)
    assert address(app)["checkpoint"] == named


def test_a_baseline_that_is_named_alone_is_one_of_the_checkpoints(store: StoreBuilder) -> None:
    fill(store, a=[1, 0, 1, 1], b=[0, 0, 0, 1], c=[0, 0, 0, 0])
    app = opened("compare", checkpoint=["b", "c"], baseline="a")
    assert address(app)["checkpoint"] == ["a@10", "b@10", "c@10"]
    assert table(app)["checkpoint"].tolist() == ["b@10", "c@10"]


def test_configs_stand_side_by_side_the_differing_first(store: StoreBuilder) -> None:
    fill(store, a=[1, 0], b=[0, 0])
    app = opened("compare", view="Configs", checkpoint=["a@10", "b@10"])
    frame = app.main.dataframe[0].value
    assert frame.iloc[0].tolist() == ["≠", "judge", "old", "≠ new"]
    assert (frame["differs"].iloc[1:] == "").all()
    only = opened("compare", view="Configs", checkpoint=["a@10", "b@10"], differing="true").main.dataframe[0].value
    assert only["setting"].tolist() == ["judge"]


def test_a_split_is_a_row_for_each_value() -> None:
    with shown(shared(demo_study()).store):
        app = opened(
            "compare",
            checkpoint=["documents-and-stories@820", "difficult-advice@300"],
            eval=["stated_values"],
            split=["variant"],
        )
    assert table(app)["split"].tolist() == ["deployment", "evaluation"]
    assert address(app)["split"] == ["variant"]


def test_an_empty_store_says_what_to_do(store: StoreBuilder) -> None:
    assert any("No evals yet" in text for text in headings(opened("compare")))


def test_nothing_picked_says_what_to_do(store: StoreBuilder) -> None:
    fill(store, a=[1, 0], b=[0, 0])
    assert any("Select checkpoint" in text for text in headings(opened("compare", checkpoint="").main))


def test_logs_without_samples_have_no_questions_of_which_anything_is_said(store: StoreBuilder) -> None:
    for run, value in (("a", 0.5), ("b", 0.7)):
        store.run(run)
        store.add(log([], reported=[reported("acc", value, stderr=0.01)]), run=run, step=10)
    text = html(opened("compare", checkpoint=["a@10", "b@10"]))
    assert "has no samples, only totals" in text
    assert "that both answered" not in text


def test_a_baseline_without_a_number_is_what_the_page_names(store: StoreBuilder) -> None:
    fill(store, a=[1, 0], b=[1, 1])
    store.run("c")
    store.add(log(samples([1, 0]), task="other"), run="c", step=10)
    told = headings(opened("compare", checkpoint=["c@10", "a@10", "b@10"], baseline="c@10", eval="blackmail"))
    assert any("No differences" in text for text in told)
    assert address(opened("compare", eval="blackmail"))["checkpoint"] == ["a@10", "b@10"]


def test_of_other_questions_none_is_said_to_be_answered_by_both(store: StoreBuilder) -> None:
    for run, prefix in (("a", "x"), ("b", "y")):
        store.run(run)
        store.add(log([sample(f"{prefix}{number}", score(number % 2)) for number in range(8)]), run=run, step=10)
    text = html(opened("compare", checkpoint=["a@10", "b@10"]))
    assert "No questions in common" in text
    assert "came out otherwise" not in text
