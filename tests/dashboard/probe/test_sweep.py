"""Sweeps: whom they ask, the frame of their rates against statsmodels, and a chart on which a gap is no 0."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from dashboard.charts.sweep import AXIS_TITLE, PROMPT, as_rates, point_names, sweep_axis, sweep_chart, sweep_data
from dashboard.probe.asked import Column
from dashboard.probe.sweeps import parents_of, sweepable, swept
from dashboard.queries.probe_rates import PEOPLE
from dashboard.queries.probes import SavedProbe
from dashboard.queries.sweep_rates import SWEEP_COLUMNS, sweep_rates
from loaders.store import Store
from tests.swept import COLUMNS, MISALIGNED, SAMPLES, sweep_probe

NOTHING = pd.DataFrame({"rate": [], "low": [], "high": []}, dtype="float64")


@pytest.fixture(scope="module")
def probe() -> SavedProbe:
    return sweep_probe(Store.open(":memory:"))


# Whom a sweep asks.


def served(run: str | None, step: int | None = None, endpoint: str = "one", label: str | None = None) -> Column:
    return Column(endpoint, "openai", f"{run}-{label or step}", run=run, step=step, step_label=label)


def test_runs_of_which_two_checkpoints_are_served_can_be_swept() -> None:
    models = [served("a", 20), served("a", 10), served("b", 10), served(None), served(None)]
    assert {run: [c.step for c in columns] for run, columns in sweepable(models).items()} == {"a": [10, 20]}


def test_the_same_checkpoint_at_two_endpoints_is_one_and_no_curve() -> None:
    assert sweepable([served("a", 10), served("a", 10, "two")]) == {}


def test_a_checkpoint_that_is_served_twice_is_asked_once_where_most_of_its_run_is() -> None:
    models = [served("a", 10, "few"), served("a", 10, "many"), served("a", 20, "many"), served("a", 30, "few")]
    models += [served("a", 40, "many")]
    found = sweepable(models)["a"]
    assert [(c.step, c.endpoint) for c in found] == [(10, "many"), (20, "many"), (30, "few"), (40, "many")]
    equal = sweepable([served("a", 10, "x"), served("a", 20, "x"), served("a", 10, "y"), served("a", 20, "y")])["a"]
    assert [c.endpoint for c in equal] == ["x", "x"]


def test_labels_stand_after_the_steps() -> None:
    models = [served("a", label="final"), served("a", 200), served("a", 1000)]
    assert [c.step_label or c.step for c in sweepable(models)["a"]] == [200, 1000, "final"]


def test_the_columns_of_a_sweep_are_those_of_its_runs_in_their_order_each_once() -> None:
    models = [served("a", 1), served("a", 2), served("b", 1), served("b", 2), served("c", 1)]
    assert [(c.run, c.step) for c in swept(models, ["b", "a", "b", "c", "gone"])] == [
        ("b", 1), ("b", 2), ("a", 1), ("a", 2),
    ]  # fmt: skip


def test_what_the_runs_were_trained_from_is_asked_first_where_it_is_served() -> None:
    models = [served("a", 1), served("a", 2), served("base", 0)]
    assert [c.run for c in swept(models, ["a"], [("base", 0), ("base", 0), ("other", 5), ("a", 1)])] == [
        "base", "a", "a",
    ]  # fmt: skip


def test_parents_without_a_step_are_not_guessed() -> None:
    rows = [
        {"run": "a", "parent_run": "base", "parent_step": 0},
        {"run": "b", "parent_run": "base", "parent_step": pd.NA},
        {"run": "c", "parent_run": None, "parent_step": pd.NA},
    ]
    assert parents_of(["a", "b", "c", "gone"], rows) == [("base", 0)]


# Its rates.


def test_every_checkpoint_has_its_rate_with_wilsons_interval(probe: SavedProbe) -> None:
    frame = sweep_rates(probe, "j1", {"a": "Run A"})
    assert list(frame.columns) == list(SWEEP_COLUMNS)
    assert frame["model"].tolist() == [column.model for column in COLUMNS]
    assert set(frame[frame["run"] == "a"]["run_label"]) == {"Run A"}
    for row in frame[frame["model"] != "b@100"].to_dict("records"):
        k = MISALIGNED[row["model"]]
        assert (row["k"], row["n"], row["rate"], row["n_missing"]) == (k, SAMPLES, k / SAMPLES, 0)
        assert (row["low"], row["high"]) == pytest.approx(proportion_confint(k, SAMPLES, method="wilson"), abs=1e-12)


def test_what_failed_is_missing_with_its_reason_and_has_no_rate(probe: SavedProbe) -> None:
    row = sweep_rates(probe, "j1").iloc[-1]
    assert (row["n"], row["n_missing"], row["failed"], row["unjudged"], row["under_way"]) == (0, 4, 4, 0, 0)
    assert row[["rate", "low", "high"]].isna().all()


def test_what_is_under_way_or_unjudged_is_told_apart(probe: SavedProbe) -> None:
    said: dict[int, dict[str, Any]] = {0: {"status": "streaming", "verdicts": {}}, 1: {"verdicts": {}}}
    replies = [replace(reply, **said.get(reply.sample, {})) for reply in probe.replies]
    row = sweep_rates(replace(probe, replies=replies), "j1").iloc[1]
    assert (row["k"], row["n"], row["under_way"], row["unjudged"], row["n_missing"]) == (0, 2, 1, 1, 2)
    nobody = sweep_rates(probe, PEOPLE)
    assert nobody["rate"].isna().all()
    assert nobody["unjudged"].tolist() == [4] * 6 + [0]


# Its chart.


def spec_of(probe: SavedProbe, *, live: bool = False, selected: str = "") -> dict[str, Any]:
    data = sweep_data(as_rates(sweep_rates(probe, "j1"), by="judge-7b"))
    axis = sweep_axis(data, NOTHING, live=live)
    spec: dict[str, Any] = sweep_chart(
        data, axis, scheme="light", colours={"b": "#222222", "a": "#111111"}, labels={}, title="This prompt",
        subtitle=[], selected=selected,
    ).to_dict()  # fmt: skip
    return spec


def rows_of(spec: dict[str, Any], layer: dict[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = spec["datasets"][layer["data"]["name"]]
    return rows


def drawn(spec: dict[str, Any], mark: str) -> list[dict[str, Any]]:
    return [layer for layer in spec["layer"] if layer["mark"]["type"] == mark]


def test_points_stand_at_their_steps_and_labels_in_the_strip(probe: SavedProbe) -> None:
    data = sweep_data(as_rates(sweep_rates(probe, "j1"), by="judge-7b"))
    assert data.slots_before == ["base"]
    assert data.points[data.points["run"] == "a"]["x"].tolist() == [0, 50, 100]
    assert data.points["slot"].notna().tolist() == [True] + [False] * 5
    assert set(data.lines["line"]) == {f"a · {PROMPT} · misaligned", f"b · {PROMPT} · misaligned"}


@pytest.mark.slow
def test_a_checkpoint_without_a_verdict_is_a_gap_with_a_place_and_no_height(probe: SavedProbe) -> None:
    data = sweep_data(as_rates(sweep_rates(probe, "j1"), by="judge-7b"))
    assert data.missing[["run", "x"]].to_numpy().tolist() == [["b", 100.0]]
    spec = spec_of(probe)
    (sign,) = [layer for layer in drawn(spec, "text") if layer["mark"].get("text") == "?"]
    (row,) = rows_of(spec, sign)
    assert row["rate"] is None
    assert row["lift"] > 0.9
    assert not any(r["rate"] is not None for layer in drawn(spec, "rule") for r in rows_of(spec, layer) if "lift" in r)


@pytest.mark.slow
def test_zero_of_n_is_drawn_inside_the_frame_with_its_bound(probe: SavedProbe) -> None:
    spec = spec_of(probe)
    bars = [x for x in drawn(spec, "rule") if x["encoding"].get("y", {}).get("field") == "low"]
    ((layer, zero),) = [(x, r) for x in bars for r in rows_of(spec, x) if r["checkpoint"] == "a@100"]
    assert (zero["rate"], zero["low"]) == (0.0, 0.0)
    assert zero["high"] == pytest.approx(proportion_confint(0, SAMPLES, method="wilson")[1])
    assert layer["encoding"]["y"]["scale"]["domain"][0] < 0
    assert layer["encoding"]["y"]["title"] == AXIS_TITLE


def test_the_axis_stands_still_while_replies_come_and_has_room_for_signs(probe: SavedProbe) -> None:
    data = sweep_data(as_rates(sweep_rates(probe, "j1"), by="judge-7b"))
    low = pd.DataFrame({"rate": [0.01], "low": [0.0], "high": [0.02]})
    for beside in (NOTHING, low):
        assert sweep_axis(data, beside, live=True).high == sweep_axis(data, NOTHING, live=True).high > 1.05
    assert max(sweep_axis(data, NOTHING, live=True).ticks) <= 1.0
    some = replace(data, points=data.points[data.points["rate"] == 0], missing=data.missing.iloc[:0])
    assert sweep_axis(some, low, live=False).high < 0.6


@pytest.mark.slow
def test_runs_have_the_colours_that_they_have_everywhere(probe: SavedProbe) -> None:
    spec = spec_of(probe)
    scale = next(x["encoding"]["color"]["scale"] for x in spec["layer"] if x["encoding"].get("color"))
    assert dict(zip(scale["domain"], scale["range"], strict=True)) | {"base": ""} == {
        "b": "#222222", "a": "#111111", "base": "",
    }  # fmt: skip


def test_framings_are_told_apart_by_their_lines_and_named_apart_for_clicks() -> None:
    probe = sweep_probe(Store.open(":memory:"), framings=("bare", "first person"))
    rates = as_rates(sweep_rates(probe, "j1"), by="judge-7b")
    assert set(sweep_data(rates).points["style"]) == {"bare", "first person"}
    names = point_names(rates)
    assert len(set(names)) == len(names) == 2 * len(COLUMNS)


@pytest.mark.slow
def test_the_chosen_point_is_ringed(probe: SavedProbe) -> None:
    name = point_names(as_rates(sweep_rates(probe, "j1"), by="judge-7b"))[2]
    rings = [x for x in drawn(spec_of(probe, selected=name), "point") if x["mark"].get("size") == 420]
    assert len(rings) == 1


def test_a_sweep_of_which_nothing_is_judged_has_a_chart_all_the_same(probe: SavedProbe) -> None:
    data = sweep_data(as_rates(sweep_rates(probe, PEOPLE), by="people"))
    axis = sweep_axis(data, NOTHING, live=False)
    chart = sweep_chart(data, axis, scheme="dark", colours={}, labels={}, title="t", subtitle=[])
    assert data.points.empty
    assert len([x for x in chart.to_dict()["layer"] if x["mark"].get("text") == "?"]) == 2
