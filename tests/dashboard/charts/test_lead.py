"""Charts of leads and lineages: up is better whichever way an eval counts, and every point is where it belongs."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from dashboard.charts.curves import CurveStyle
from dashboard.charts.lead import lead_axis, lead_chart, lead_data
from dashboard.charts.lineages import stage_chart, stage_data, through_training
from dashboard.charts.panels import axes_by_panel
from dashboard.kit.pickers.series import lineage_of
from dashboard.queries.catalogue import runs as all_runs
from dashboard.queries.frame import RateQuery
from dashboard.queries.rates import rates
from dashboard.queries.trends import TrendQuery, trends
from tests.builders import StoreBuilder, log, samples

STYLE = CurveStyle(
    x="step", scheme="light", colours={"a": "#0072B2", "b": "#E69F00"}, labels={"a": "A", "b": "B"}, styles=[""]
)


@pytest.fixture(scope="module")
def study() -> StoreBuilder:
    """Two RL runs from snapshots of their own; `b` also has a pretraining stage, and `a` starts at 0 of 20."""
    store = StoreBuilder()
    store.metric("harmful", ["blackmail"], misaligned={"score": "judge", "op": "=", "value": 1})
    store.metric("kind", ["kindness"], kind="mean", score={"score": "judge"}, better="higher", unit="points")
    store.run("b-sdf", stage="sdf")
    store.run("b-sft", stage="sft", parent_run="b-sdf", parent_step=40)
    store.run("a-sft", stage="sft")
    for name in "ab":
        store.run(name, stage="rl", parent_run=f"{name}-sft", parent_step=30)
    steps = [("b-sdf", 40), ("b-sdf", 80), ("b-sft", 30), ("a-sft", 30), *((r, s) for r in "ab" for s in (50, 100))]
    for run, step in steps:
        k = 0 if run.startswith("a") else 12
        store.add(log(samples([1] * k + [0] * (20 - k))), run=run, step=step)
    for run, value in (("a", 8.0), ("b", 5.0)):
        for step in (50, 100):
            for task in ("kindness", "words"):
                store.add(log(samples([value, value + 1, value + 2.5]), task=task), run=run, step=step)
    return store


def frames(store: StoreBuilder) -> tuple[pd.DataFrame, Any, pd.DataFrame]:
    """Rates, the curves through training, and the leads of a over b."""
    with store.cursor() as cursor:
        table = rates(cursor, RateQuery(), store.batch)
        lineage = lineage_of(all_runs(cursor, store.batch))
        found = trends(cursor, TrendQuery(("a", "b"), "b", from_parent=True), store.batch)
    data = through_training(table, ["a", "b"], lineage)
    return table, data, lead_data(found.leads, data.points)


@pytest.mark.slow
def test_step_0_is_the_parents_point_and_opens_its_samples(study: StoreBuilder) -> None:
    table, data, _ = frames(study)
    begun = data.points[(data.points["x"] == 0) & (data.points["eval"] == "blackmail")].set_index("run")
    assert begun["checkpoint"].to_dict() == {"a": "a-sft@30", "b": "b-sft@30"}
    assert begun["point"].to_dict() == {run: f"blackmail | harmful | {run}-sft@30" for run in "ab"}
    assert table.loc[begun.loc["a", "row"], ["run", "step"]].tolist() == ["a-sft", 30]
    assert (begun.loc["a", "rate"], round(begun.loc["a", "high"], 3)) == (0, 0.161)
    lines = data.lines[data.lines["line"].str.startswith("a · blackmail")]
    assert lines["x"].tolist() == [0, 50, 100]
    # Kindness was never measured before RL.
    assert data.points[data.points["eval"] == "kindness"]["x"].min() == 50


def test_up_is_better_whichever_way_an_eval_counts(study: StoreBuilder) -> None:
    _, _, frame = frames(study)
    at_50 = frame[frame["x"] == 50].set_index("eval")
    # 0 of 20 against 12 of 20, lower is better: 60 percentage points ahead, and so for a higher score.
    assert at_50["difference"].to_dict() == pytest.approx({"blackmail": -0.6, "kindness": 3.0, "words": 3.0})
    assert at_50["rate"].to_dict() == pytest.approx({"blackmail": 60.0, "kindness": 3.0, "words": 3.0})
    known = frame.dropna(subset=["low"])
    assert (known["low"] <= known["rate"]).all()
    assert (known["rate"] <= known["high"]).all()
    assert at_50.loc["blackmail", "low"] > 0
    assert at_50.loc["blackmail", "point"] == "blackmail | harmful | a@50"


@pytest.mark.slow
def test_the_sides_of_a_lead_are_named_and_0_is_in_sight(study: StoreBuilder) -> None:
    _, _, frame = frames(study)

    def spec(name: str, directed: bool) -> tuple[dict[str, Any], str]:
        some = frame[frame["eval"] == name]
        axis = lead_axis(some, "points")
        assert axis.low < 0 < axis.high
        chart = lead_chart(
            some, [0, 50, 100], axis, STYLE, baseline="B", directed=directed, title=name, subtitle=[], selected=""
        )
        return chart.to_dict(), json.dumps(chart.to_dict(), ensure_ascii=False)

    chart, text = spec("blackmail", True)
    assert "▲ better than B" in text
    assert "▼ worse than B" in text
    assert chart["usermeta"] == {"embedOptions": {"renderer": "svg"}}
    bars = [x for x in chart["layer"] if x["mark"]["type"] == "rule" and "y2" in x["encoding"]]
    assert len(bars) == 1
    _, text = spec("words", False)
    assert "▲ more than B" in text
    assert "better than" not in text


@pytest.mark.slow
def test_lineages_stand_stage_by_stage_aligned_at_the_last(study: StoreBuilder) -> None:
    with study.cursor() as cursor:
        lineage = lineage_of(all_runs(cursor, study.batch))
        table = rates(cursor, RateQuery(evals=("blackmail",)), study.batch)
    data = stage_data(table, ["a", "b"], lineage)
    assert data.stages.to_dict("list") == {"x": [0.0, 1.0, 2.0], "label": ["SDF", "SFT", "RL"]}
    of_b = data.points[data.points["series"] == "b"].sort_values("x")
    # The checkpoint at step 80 came after the one that SFT began from.
    assert of_b["checkpoint"].tolist() == ["b-sdf@40", "b-sft@30", "b@50", "b@100"]
    assert of_b["x"].astype(int).tolist() == [0, 1, 2, 2]
    assert data.points[data.points["series"] == "a"]["x"].min() > 1
    axis = axes_by_panel(data.points, {})["blackmail · harmful"]
    chart = stage_chart(data, "blackmail · harmful", axis, STYLE, title="", subtitle=[], selected="").to_dict()
    assert {"data", "mark", "encoding"} <= set(chart["layer"][0])
