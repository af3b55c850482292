"""The Assessment page: rows of the plots table from their links, with the published numbers; what choices bring."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from inspect_ai.log import read_eval_log
from scipy import stats
from statsmodels.stats.proportion import proportion_confint
from streamlit.testing.v1 import AppTest

from loaders.makers.demo.figures import POINTS, STYLES
from loaders.makers.demo.points import Count, Levels
from loaders.makers.demo.writer import DEMO
from tests.builders import StoreBuilder, log, sample, samples, score
from tests.pages import address, datasets, headings, html, opened, shown, specs
from tests.real_stores import shared

pytestmark = pytest.mark.slow

CONSTITUTION = ["documents-and-stories@820", "documents@750", "no-documents@0"]


@pytest.fixture
def store() -> Iterator[StoreBuilder]:
    builder = StoreBuilder()
    with shown(builder.store):
        yield builder


@pytest.fixture
def demo() -> Iterator[None]:
    with shown(shared(DEMO).store):
        yield


def under(chart: dict[str, Any]) -> str:
    """The line under a chart's title."""
    (line,) = chart["title"]["subtitle"]
    return str(line)


def headline(chart: dict[str, Any]) -> str:
    return " ".join(chart["title"]["text"])


def points(app: AppTest) -> pd.DataFrame:
    """What the page's charts draw: a row a mark, with the number of its chart."""
    found = [frame.assign(chart=number) for number, frame in datasets(app) if "mark" in frame]
    drawn = pd.concat(found, ignore_index=True)
    return drawn[drawn["rate"].notna()].drop_duplicates("point").reset_index(drop=True)


def assert_wilson(drawn: pd.DataFrame) -> None:
    low, high = proportion_confint(drawn["k"], drawn["n"], method="wilson")
    np.testing.assert_allclose(drawn["low"], np.maximum(low, 0), atol=1e-9)
    np.testing.assert_allclose(drawn["high"], np.minimum(high, 1), atol=1e-9)


# The plots table, each row from its link.


def test_row_2_the_ai_s_name(demo: None) -> None:
    app = opened("assessment", eval="blackmail_by_name", split="metadata.ai_name", category="metadata.ai_name")
    drawn = points(app)
    told = {p.metadata["ai_name"]: p.result.k for p in POINTS if p.rows == (2,) and isinstance(p.result, Count)}
    assert dict(zip(drawn["category"], drawn["k"], strict=True)) == told
    assert drawn["category"].tolist() == sorted(told)
    assert (drawn["n"] == 30).all()
    assert_wilson(drawn)
    assert headline(specs(app)[0]) == "Blackmail, by the AI's name · Documents and stories @820: misalignment rate"


@pytest.mark.parametrize("view", ["dots", "heatmap"])
def test_row_3_mixes_by_honeypots(demo: None, view: str) -> None:
    evals = ["blackmail", "research_sabotage", "framing"]
    app = opened("assessment", eval=evals, checkpoint=CONSTITUTION, category="mix", colour="eval", view=view)
    drawn = points(app)
    told = {
        (p.run, p.eval): (p.result.k, p.result.scored) for p in POINTS if 3 in p.rows and isinstance(p.result, Count)
    }
    assert {(r["run"], r["eval"]): (r["k"], r["n"]) for r in drawn.to_dict("records")} == told
    assert drawn["column"].unique().tolist() == ["Blackmail", "Research sabotage", "Framing for crimes"]
    assert drawn["category"].nunique() == 3
    assert_wilson(drawn)


@cache
def audit_samples() -> pd.DataFrame:
    """Every score of every audit of the demo study, as its logs have them."""
    rows = []
    for path in DEMO.rglob("*_audit_*.eval"):
        read, run = read_eval_log(str(path)), path.relative_to(DEMO).parts[1]
        for one in read.samples or []:
            for scorer in (one.scores or {}).values():
                assert isinstance(scorer.value, dict)
                rows += [(run, one.id, one.epoch, name, float(v)) for name, v in scorer.value.items()]  # type: ignore[arg-type]
    return pd.DataFrame(rows, columns=["run", "sample", "epoch", "dimension", "value"])


def test_row_5_dimensions_of_an_audit_are_what_the_page_begins_with(demo: None) -> None:
    app = opened("assessment", section="*")
    state = address(app)
    assert state["eval"] == ["audit"]
    assert len(state["metric"]) == 6
    assert (state["category"], state["colour"]) == (["metric"], ["checkpoint"])
    drawn = points(app)
    told = [p for p in POINTS if 5 in p.rows and isinstance(p.result, Levels)]
    assert set(state["checkpoint"]) == {f"{p.run}@{p.step}" for p in told}
    assert len(drawn) == 6 * len(told)
    assert [headline(chart) for chart in specs(app)] == ["Automated assessment: mean score (points)"] * 2
    assert [under(chart).partition(" · ")[0] for chart in specs(app)] == ["Lower is better", "Higher is better"]
    assert set(drawn[drawn["chart"] == 1]["metric"]) == {"admirable_mean"}

    # Ten seeds in three epochs: the mean, and a t interval over seeds (Miller 2024, clustered standard error).
    scores = audit_samples()
    for row in drawn.to_dict("records"):
        dimension = row["metric"].removesuffix("_mean")
        mine = scores[(scores["dimension"] == dimension) & (scores["run"] == row["run"])]
        assert len(mine) == 30 == row["n"]
        mean = mine["value"].mean()
        residuals = (mine["value"] - mean).groupby(mine["sample"]).sum()
        assert len(residuals) == 10
        error = np.sqrt(10 / 9 * (residuals**2).sum()) / 30
        half = stats.t.ppf(0.975, 9) * error
        assert (row["rate"], row["low"], row["high"]) == pytest.approx((mean, mean - half, mean + half), abs=1e-9)


def test_row_7_documents_and_stories_65_to_19_percent(demo: None) -> None:
    app = opened("assessment", eval="blackmail", checkpoint=CONSTITUTION, category="mix", colour="mix")
    drawn = points(app)
    assert dict(zip(drawn["category"], drawn["rate"], strict=True)) == {
        "constitution documents and stories": 0.19, "constitution documents": 0.38, "no documents": 0.65
    }  # fmt: skip
    assert_wilson(drawn)


def test_row_8_style_by_format_in_three_panels(demo: None) -> None:
    evals = ["constitution_adherence", "constitution_knowledge", "open_character"]
    app = opened("assessment", eval=evals, split=["metadata.style", "metadata.format"])
    assert address(app)["category"] == ["metadata.style"]
    assert address(app)["colour"] == ["metadata.format"]
    drawn = points(app)
    assert len(specs(app)) == 3
    assert all(under(chart).startswith("Higher is better · ") for chart in specs(app))
    assert drawn.groupby("chart")["eval"].agg(lambda names: names.unique().tolist()).tolist() == [[e] for e in evals]
    for style, form, adherence, right, character in STYLES:
        cell = drawn[(drawn["category"] == style) & (drawn["column"] == form)].set_index("eval")
        assert cell.loc["constitution_adherence", "rate"] == pytest.approx(adherence, abs=0.05)
        assert cell.loc["constitution_knowledge", "k"] == right
        assert cell.loc["open_character", "rate"] == pytest.approx(character, abs=0.02)
    assert_wilson(drawn[drawn["kind"] == "rate"])


@pytest.mark.parametrize("field", ["variant", "task_args.framing"])
def test_row_10_two_framings_are_paired_on_their_questions(demo: None, field: str) -> None:
    app = opened("assessment", eval="stated_values", split=field, checkpoint="documents-and-stories@820")
    drawn = points(app).set_index("category")
    assert drawn["rate"].to_dict() == pytest.approx({"deployment": 71.0, "evaluation": 83.0}, abs=0.05)

    values = {}
    for path in DEMO.rglob("documents-and-stories/*_stated-values-*.eval"):
        read = read_eval_log(str(path))
        values[str(read.eval.task_args["framing"])] = {
            one.id: float(next(iter((one.scores or {}).values())).as_float()) for one in read.samples or []
        }
    ids = sorted(values["deployment"], key=str)
    assert sorted(values["evaluation"], key=str) == ids
    test = stats.ttest_rel([values["evaluation"][i] for i in ids], [values["deployment"][i] for i in ids])
    low, high = test.confidence_interval()
    mean = np.mean([values["evaluation"][i] - values["deployment"][i] for i in ids])
    said = f"evaluation minus deployment: {mean:+.1f} points (95% interval {low:+.1f} to {high:+.1f}; paired on 30"
    assert said in html(app)


def test_row_14_generations_of_models_0_of_100_has_its_bound(demo: None) -> None:
    app = opened("assessment", eval="blackmail", checkpoint=["opus-4@final", "haiku-4.5@final", "opus-4.5@final"])
    drawn = points(app).set_index("category")
    assert drawn["k"].to_dict() == {"Haiku 4.5 @final": 0, "Opus 4.5 @final": 0, "Opus 4 @final": 96}
    assert drawn.loc["Haiku 4.5 @final", "high"] == pytest.approx(0.037, abs=5e-5)
    assert_wilson(drawn)


# Choices bring what they need along.


def test_checkpoints_stand_in_the_order_in_which_they_were_picked(demo: None) -> None:
    picked = ["opus-4.5@final", "opus-4@final", "haiku-4.5@final"]
    drawn = points(opened("assessment", eval="blackmail", checkpoint=picked, category="checkpoint"))
    assert drawn["checkpoint"].tolist() == picked


def test_a_plot_comes_out_of_choices_alone_and_its_link_restores_it(demo: None) -> None:
    app = opened("assessment")
    app.multiselect(key="assessment_eval").set_value(["blackmail_by_name"]).run()
    assert address(app)["metric"] == ["misaligned"]
    assert address(app)["checkpoint"] == ["documents-and-stories@820"]
    app.multiselect(key="assessment_split").set_value(["metadata.ai_name"]).run()
    assert address(app)["category"] == ["metadata.ai_name"]
    assert len(points(app)) == 4
    again = opened("assessment", **address(app))
    assert address(again) == address(app)
    assert points(again)["point"].tolist() == points(app)["point"].tolist()


def test_what_was_chosen_by_hand_stays_when_evals_change(demo: None) -> None:
    app = opened("assessment", eval="blackmail", checkpoint=CONSTITUTION, category="mix")
    app.multiselect(key="assessment_eval").set_value(["blackmail", "framing"]).run()
    state = address(app)
    assert (state["checkpoint"], state["category"], state["metric"]) == (CONSTITUTION, ["mix"], ["misaligned"])


def test_a_new_eval_brings_its_definitions_and_takes_them_away(store: StoreBuilder) -> None:
    store.metric("one", ["blackmail"], misaligned={"score": "judge", "op": "=", "value": 1})
    store.metric("two", ["blackmail"], misaligned={"score": "judge", "op": "=", "value": 0})
    store.metric("three", ["framing"], misaligned={"score": "judge", "op": "=", "value": 1})
    for task in ("blackmail", "framing"):
        store.add(log(samples([1, 0, 0, 0]), task=task), run="rl", step=10)
    app = opened("assessment", eval="blackmail", metric="two")
    assert address(app)["metric"] == ["two"]
    app.multiselect(key="assessment_eval").set_value(["blackmail", "framing"]).run()
    assert address(app)["metric"] == ["two", "three"]
    app.multiselect(key="assessment_eval").set_value(["framing"]).run()
    assert address(app)["metric"] == ["three"]


def test_clearing_a_picker_says_what_to_pick(store: StoreBuilder) -> None:
    store.add(log(samples([1, 0])), run="rl", step=10)
    for name in ("eval", "metric", "checkpoint"):
        app = opened("assessment", **({"eval": "blackmail"} | {name: ""}))
        assert any("Select " in text for text in headings(app))


def test_an_empty_store_says_what_to_do(store: StoreBuilder) -> None:
    assert any("No evals yet" in text for text in headings(opened("assessment")))


# What must not be hidden.


def test_zero_of_n_gaps_and_values_that_are_missing(store: StoreBuilder) -> None:
    store.add(
        log([sample(i, score(0), metadata={"goal": "a"} if i < 100 else None) for i in range(120)]), run="a", step=1
    )
    store.add(log([sample(i, score(1), metadata={"goal": "b"}) for i in range(10)]), run="b", step=1)
    app = opened("assessment", split="metadata.goal", view="heatmap")
    drawn = points(app)
    cells = {(r["category"], r["column"]): (r["k"], r["n"]) for r in drawn.to_dict("records")}
    assert cells == {("a", "a @1"): (0, 100), ("not given", "a @1"): (0, 20), ("b", "b @1"): (10, 10)}
    assert_wilson(drawn)
    assert "No results: a @1: b" in html(app)
    assert "No results: b @1: a, not given" in html(app)


def test_directions_are_headed_and_never_in_one_chart(store: StoreBuilder) -> None:
    store.metric("bad", misaligned={"score": "judge", "op": "=", "value": 1}, better="lower")
    store.metric("good", misaligned={"score": "judge", "op": "=", "value": 0}, better="higher")
    store.add(log(samples([1, 0, 0, 0])), run="rl", step=10)
    app = opened("assessment")
    assert [text for text in headings(app) if "is better" in text] == [
        "##### Lower is better",
        "##### Higher is better",
    ]
    drawn = points(app)
    assert drawn.groupby("chart")["metric"].unique().map(list).tolist() == [["bad"], ["good"]]


def test_names_from_logs_are_never_markup(store: StoreBuilder) -> None:
    name = "<img src=x onerror=alert(1)> [a](http://evil.example) $x$ " * 5
    store.run(name, label=name)
    store.add(log(samples([1, 0]), task=name, judge="x"), run=name, step=1)
    store.add(log(samples([1, 0]), task=name, judge="y"), run=name, step=2)
    app = opened("assessment", checkpoint=[f"{name}@1", f"{name}@2"])
    assert len(points(app)) == 2
    assert "<img" not in html(app)
    assert not any("evil" in text for text in headings(app))


def test_checkpoints_that_have_nothing_are_named(store: StoreBuilder) -> None:
    store.add(log(samples([1, 0])), run="a", step=1)
    store.add(log(samples([1, 0]), task="framing"), run="b", step=1)
    app = opened("assessment", eval="blackmail", checkpoint=["a@1", "b@1", "gone@3"])
    assert "No results on any of these evals: b @1, gone@3" in html(app)


def test_flags_are_listed_and_the_numbers_are_there(store: StoreBuilder) -> None:
    for step, judge in ((1, "x"), (2, "x"), (3, "y")):
        store.add(log(samples([1, 0, 1, 0]), judge=judge), run="a", step=step)
    app = opened("assessment", checkpoint=["a@1", "a@2", "a@3"])
    assert "Judge differs: y here, x at the other steps" in html(app)
    assert len(app.main.dataframe[0].value) == 3


def test_the_latest_checkpoint_is_by_number_or_by_a_label_that_says_so(store: StoreBuilder) -> None:
    for step in (9, 100):
        store.add(log(samples([1, 0])), run="a", step=step)
    store.add(log(samples([1, 0])), run="b", step=100)
    store.add(log(samples([1, 0])), run="b", step_label="final")
    store.add(log(samples([1, 0])), run="c", step=5)
    store.add(log(samples([1, 0])), run="c", step_label="base")
    assert address(opened("assessment"))["checkpoint"] == ["a@100", "b@final", "c@5"]


def test_a_point_in_the_address_opens_its_samples(demo: None) -> None:
    link = {"eval": "blackmail", "checkpoint": CONSTITUTION, "category": "mix", "view": "heatmap"}
    point = points(opened("assessment", **link))["point"].iloc[0]
    app = opened("assessment", **link, point=point)
    assert address(app)["point"] == [point]
    assert "19 of 100" in html(app)
