"""The forest plot: every difference has a mark and its interval, also none of n; units and directions stay apart."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from dashboard.charts.forest import ForestStyle, forest_chart, forest_rows, pair_id, panel_titles
from dashboard.queries.compare import CompareQuery, compare
from tests.builders import StoreBuilder, log, sample, samples, score

STYLE = ForestStyle(
    scheme="light",
    colours={"a": "#000000", "b": "#0072B2", "c": "#E69F00"},
    labels={"b@10": "Run B @10"},
    baseline="Run A @10",
)


def rows(store: StoreBuilder, *checkpoints: str) -> pd.DataFrame:
    with store.cursor() as cursor:
        found = compare(cursor, CompareQuery(checkpoints or ("a", "b")), store.batch)
    return forest_rows(found.differences, {"a@10": "a", "b@10": "b", "c@10": "c"}, {"blackmail": "Blackmail"})


def store_with(**logs) -> StoreBuilder:
    store = StoreBuilder()
    store.metric("harmful", misaligned={"score": "judge", "op": "=", "value": 1})
    for run, values in logs.items():
        store.add(log(samples(values)), run=run, step=10)
    return store


def data_of(chart) -> list[dict]:
    return [row for rows in chart.to_dict()["datasets"].values() for row in rows]


def test_nothing_of_n_is_drawn_with_its_interval():
    frame = rows(store_with(a=[0] * 100, b=[0] * 100))
    assert frame[["difference", "low", "high"]].round(4).values.tolist() == [[0.0, -0.037, 0.037]]
    spec = forest_chart(frame, STYLE, title="x").to_dict()
    rules = [layer for layer in spec["layer"] if layer["mark"]["type"] == "rule" and "x2" in layer["encoding"]]
    assert [row["high"] for row in spec["datasets"][rules[0]["data"]["name"]]] == [frame["high"].iloc[0]]
    low, high = spec["layer"][-1]["encoding"]["x"]["scale"]["domain"]
    assert low < -0.037
    assert high > 0.037


@pytest.mark.slow
def test_the_rows_are_named_and_headed_and_the_baseline_is_told():
    text = json.dumps(forest_chart(rows(store_with(a=[1] * 9 + [0], b=[0] * 10)), STYLE, title="x").to_dict())
    for said in ("Run B @10", "# Blackmail", "Difference from Run A @10 (pp)", "\\u2190 better"):
        assert said in text


@pytest.mark.slow
def test_paired_is_filled_and_unpaired_hollow_and_both_are_said():
    store = store_with(a=[1] * 10, b=[0] * 10)
    store.add(log([sample(f"x{i}", score(0)) for i in range(10)]), run="c", step=10)
    frame = rows(store, "a", "b", "c")
    assert dict(zip(frame["checkpoint"], frame["paired"], strict=True)) == {"b@10": True, "c@10": False}
    spec = forest_chart(frame, STYLE, title="x").to_dict()
    points = [layer["mark"] for layer in spec["layer"] if layer["mark"]["type"] == "point" and "size" in layer["mark"]]
    looks = [mark for mark in points if mark.get("opacity") == 1]
    assert [mark.get("filled", False) for mark in looks] == [True, False]
    assert "filled: paired by question · hollow: not paired" in spec["title"]["subtitle"][0]


@pytest.mark.slow
def test_units_and_directions_never_share_a_panel():
    store = store_with(a=[1] * 5 + [0] * 5, b=[0] * 10)
    store.metric("right", evals=["knowledge"], better="higher", misaligned={"score": "judge", "op": "=", "value": 1})
    for run in "ab":
        store.add(log(samples([1, 0, 1, 1]), task="knowledge"), run=run, step=10)
        store.add(
            log(samples([2.5, 3.0, 1.0, 4.0 if run == "a" else 7.0], scorer="points"), task="points"), run=run, step=10
        )
    with store.cursor() as cursor:
        query = CompareQuery(("a", "b"), metrics=("harmful", "right", "mean_points"))
        found = compare(cursor, query, store.batch).differences
    frame = forest_rows(found[(found["eval"] != "knowledge") | (found["metric"] == "right")], {"b@10": "b"}, {})
    panels = panel_titles(frame, {"harmful": "Harmful"})
    assert len(panels) == 3
    assert frame.groupby("panel")["better"].nunique(dropna=False).max() == 1
    assert "Harmful" in panels.values()
    higher = forest_chart(frame[frame["better"] == "higher"], STYLE, title="x")
    assert "\\u2190 worse" in json.dumps(higher.to_dict())


def test_a_group_is_headed_as_an_average_and_its_name_is_in_the_address():
    store = store_with(a=[1] * 10, b=[0] * 10)
    for run, values in (("a", [1] * 10), ("b", [0] * 10)):
        store.add(log(samples(values), task="framing"), run=run, step=10)
    store.group("both", ["blackmail", "framing"])
    frame = rows(store)
    group = frame[frame["group"]].iloc[0]
    assert group["heading"] == "both · mean of 2"
    assert (
        group["point"]
        == "both | harmful | b@10"
        == pair_id(
            {"eval": "both", "metric": "harmful", "variant": None, "split": None, "split2": None, "checkpoint": "b@10"}
        )
    )
