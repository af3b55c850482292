"""The form of a metric: what it gives is what the study file that it writes gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.queries.frame import RateQuery
from dashboard.queries.rates import rates
from loaders.ingest import ingest
from loaders.store import Store
from tests.pages import html, ingested, opened, previewed

pytestmark = pytest.mark.slow

ROWS = "step,id,aligned,verdict\n10,a,20,REFUSAL\n10,b,80,COMPLY\n20,a,10,COMPLY\n20,b,,COMPLY\n"
STUDY = (
    "tables: [{match: t.csv, eval: advice, run: sft, step: {column: step}, id: {column: id},"
    " scores: {aligned: {column: aligned}, verdict: {column: verdict}}}]\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "t.csv").write_text(ROWS)
    (tmp_path / "study.yaml").write_text(STUDY)
    return tmp_path


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    with ingested(folder) as store:
        yield store


def test_the_rate_is_shown_as_it_is_typed_and_is_the_one_that_comes_of_it(store: Store, folder: Path) -> None:
    app = opened("data", show="metric")
    assert [option for box in app.selectbox if box.label == "Score" for option in box.options] == [
        "aligned (10 to 80)", "verdict (COMPLY, REFUSAL)",
    ]  # fmt: skip
    app.selectbox(key="metric_op_0").set_value("<").run()
    app.text_input(key="metric_value_0").set_value("30").run()
    assert previewed(app) == [
        ["sft", "10", "advice", "50.0% [9.5%, 90.5%] (1 of 2)"],
        ["sft", "20", "advice", "100.0% [20.7%, 100.0%] (1 of 1)"],
    ]
    assert any("3 samples counted, 1 without an outcome" in each.value for each in app.caption)
    app.button(key="write_study").click().run()
    assert not app.exception
    assert ingest([folder], store).conflicts == []
    with store.cursor() as cursor:
        frame = rates(cursor, RateQuery(evals=("advice",)), 2)
    assert frame[["metric", "k", "n", "better"]].to_numpy().tolist() == [
        ["aligned", 1, 2, "lower"],
        ["aligned", 1, 1, "lower"],
    ]
    assert (folder / "study.yaml").read_text().startswith(STUDY)


def test_a_text_is_compared_and_a_second_condition_joined(store: Store) -> None:
    app = opened("data", show="metric")
    app.text_input(key="metric_value_0").set_value("20").run()
    app.toggle(key="metric_and_1").set_value(True).run()
    app.selectbox(key="metric_score_1").set_value(1).run()
    app.text_input(key="metric_value_1").set_value("REFUSAL").run()
    assert [row[-1] for row in previewed(app)] == [
        "50.0% [9.5%, 90.5%] (1 of 2)",
        "0.0% [0.0%, 65.8%] (0 of 2)",
    ]
    assert 'misaligned: {all: [{score: aligned, op: "=", value: 20}, {score: verdict' in app.code[-1].value


def test_a_mean_has_a_direction(store: Store) -> None:
    app = opened("data", show="metric")
    buttons = {each.proto.label: each for each in app.get("button_group")}
    buttons["Kind"].set_value("Mean of a score").run()
    {each.proto.label: each for each in app.get("button_group")}["Direction"].set_value("Higher is better").run()
    assert [row[-1].split()[0] for row in previewed(app)] == ["50", "10"]
    assert "better: higher" in app.code[-1].value


def test_what_makes_no_sense_is_said(store: Store) -> None:
    app = opened("data", show="metric")
    app.text_input(key="metric_value_0").set_value("").run()
    assert "Enter a value." in html(app)
    assert not app.code
