"""Scatters, bars, pairs and compositions: what is drawn of rates and mixes, and what is said of the rest."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from dashboard.app_pages.mixes.beginning import at_steps
from dashboard.charts.axes import ValueAxis
from dashboard.charts.bars import bars_chart, row_order
from dashboard.charts.composition import composition, composition_chart
from dashboard.charts.eval_pairs import eval_pairs, eval_pairs_chart
from dashboard.charts.marks import MarkStyle
from dashboard.charts.points import marked_points
from dashboard.charts.scatter import ScatterStyle, frontier_points, scatter_chart, scatter_data
from dashboard.queries.catalogue import RUN_COLUMNS
from dashboard.queries.frame import frame_of
from dashboard.queries.rows import step_of
from dashboard.statistics import wilson_interval
from tests.rates_rows import rate_row, rates_frame

AXIS = ValueAxis(low=-0.02, high=1.0, number=".0%", title="rate")


def rates(*rows: dict[str, Any]) -> pd.DataFrame:
    """Rates with Wilson's intervals; of 100 samples at step 1 where nothing else is said."""
    full = []
    for given in rows:
        row = {"step": 1, "k": 10, "n": 100} | given
        low, high = wilson_interval(row["k"], row["n"])
        full.append(rate_row(**row, low=float(low), high=float(high)))
    return rates_frame(full)


def style(*series: str, **more: Any) -> dict[str, Any]:
    colours = dict(zip(series, ("#0072B2", "#E69F00", "#009E73"), strict=False))
    return {"scheme": "light", "colours": colours, "labels": {name: name for name in series}, "styles": [""], **more}


def spec_of(chart: Any) -> dict[str, Any]:
    spec: dict[str, Any] = json.loads(chart.to_json())
    return spec


def drawn(spec: dict[str, Any], field: str) -> list[Any]:
    """Every value of a field in the data that layers draw."""
    return [row[field] for rows in spec["datasets"].values() for row in rows if field in row]


def test_0_of_100_is_drawn_with_its_upper_bound_and_is_on_the_frontier():
    frame = rates(
        {"run": "a", "step": 1, "tokens": 1e6, "k": 20, "n": 100},
        {"run": "b", "step": 1, "tokens": 5e6, "k": 0, "n": 100},
    )
    data = scatter_data(frame, "run")
    on = frontier_points(data.points, "lower")
    assert on["run"].tolist() == ["a", "b"]
    spec = spec_of(
        scatter_chart(data, "blackmail", AXIS, ScatterStyle(**style("a", "b")), title="", subtitle=[], on_frontier=on)
    )
    assert 0.0 in drawn(spec, "rate")
    assert max(row["high"] for row in data.points.to_dict("records") if row["rate"] == 0) == pytest.approx(
        0.037, abs=5e-4
    )


def test_untrained_keeps_a_place_on_the_logarithm():
    frame = rates(
        {"run": "a", "step": 0, "tokens": 0.0, "k": 20, "n": 100},
        {"run": "a", "step": 9, "tokens": 5e6, "k": 1, "n": 100},
    )
    data = scatter_data(frame, "run")
    text = json.dumps(
        spec_of(scatter_chart(data, "blackmail", AXIS, ScatterStyle(**style("a")), title="", subtitle=[]))
    )
    assert '"type": "symlog"' in text
    assert data.points["x"].tolist() == [0.0, 5e6]


def test_a_checkpoint_without_tokens_is_named_with_its_value_and_not_placed():
    frame = rates(
        {"run": "a", "step": 1, "tokens": 1e6, "k": 20, "n": 100},
        {"run": "b", "step": 1, "tokens": None, "k": 0, "n": 100},
    )
    data = scatter_data(frame, "run")
    assert data.points["run"].tolist() == ["a"]
    assert data.undrawn == ["b@1 · blackmail: its training tokens are unknown (its value is 0)"]


def test_repeats_are_neither_joined_nor_on_the_frontier():
    frame = rates(
        {"run": "a", "step": 1, "tokens": 1e6, "k": 50, "n": 100},
        {"run": "a", "step": 2, "tokens": 2e6, "k": 30, "n": 100},
        {"run": "a", "step": 2, "tokens": 2e6, "k": 3, "n": 100, "repeat": 1},
        {"run": "b", "step": 1, "tokens": 2e6, "k": 1, "n": 100, "complete": False, "status": "cancelled"},
    )
    data = scatter_data(frame, "run")
    assert data.lines[data.lines["series"] == "a"]["rate"].tolist() == [0.5, 0.3]
    on = frontier_points(data.points, "lower")
    assert on["rate"].tolist() == [0.5, 0.3]


def test_a_split_and_an_eval_make_panels_of_their_own():
    frame = rates(
        {"run": "a", "step": 1, "tokens": 1e6, "k": 5, "n": 10, "split": "high"},
        {"run": "a", "step": 1, "tokens": 1e6, "k": 1, "n": 10, "split": "low"},
        {"run": "a", "step": 1, "tokens": 1e6, "k": 1, "n": 10, "split": "low", "eval": "framing"},
    )
    assert scatter_data(frame, "run").points["panel"].tolist() == [
        "blackmail · high",
        "blackmail · low",
        "framing · low",
    ]


def test_the_last_checkpoint_is_told_by_label_step_or_tokens():
    frame = rates(
        {"run": "a", "step": 1, "tokens": 9e6}, {"run": "a", "step": 2, "tokens": 1e6},
        {"run": "b", "step": 7}, {"run": "b", "step": None, "step_label": "final"},
        {"run": "c", "step": None, "step_label": "x", "tokens": 1e6},
        {"run": "c", "step": None, "step_label": "y", "tokens": 2e6},
        {"run": "d", "step": None, "step_label": "x"}, {"run": "d", "step": None, "step_label": "y"},
    )  # fmt: skip
    last = at_steps(frame, "last of each run")
    assert [(row["run"], step_of(row)) for row in last.to_dict("records")] == [
        ("a", 2), ("b", "final"), ("c", "y"), ("d", "x"), ("d", "y"),
    ]  # fmt: skip
    assert len(at_steps(frame, "all")) == len(frame)


def test_bars_are_in_the_order_of_rates_and_0_has_its_whisker():
    points = marked_points(
        rates(
            {"run": "full", "k": 0, "n": 100}, {"run": "worse", "k": 40, "n": 100}, {"run": "middle", "k": 7, "n": 100}
        )
    ).assign(panel="blackmail", style="", row_name=lambda frame: frame["checkpoint"], series=lambda frame: frame["run"])
    order = row_order(points)
    assert [name.split("@")[0] for name in order] == ["worse", "middle", "full"]
    chart = bars_chart(
        points, order, {}, AXIS.lying(), MarkStyle(**style("full", "worse", "middle")),
        baseline=order[-1], bars=True, title="", subtitle=[],
    )  # fmt: skip
    spec = spec_of(chart)
    rules = [layer for layer in spec["layer"] if layer["mark"].get("strokeDash") == [4, 3]]
    assert len(rules) == 1
    assert [row["rate"] for row in spec["datasets"][rules[0]["data"]["name"]]] == [0.0]
    assert any(abs(high - 0.037) < 5e-4 for high in drawn(spec, "high"))


def test_pairs_hold_both_intervals_and_tell_who_lacks_one():
    frame = rates(
        {"run": "a", "tokens": 1e6, "k": 5, "n": 10},
        {"run": "a", "tokens": 1e6, "k": 0, "n": 10, "eval": "framing"},
        {"run": "b", "tokens": 0.0, "k": 5, "n": 10},
        {"run": "b", "tokens": 0.0, "k": 9, "n": 10, "eval": "framing"},
        {"run": "c", "step": 1, "k": 5, "n": 10},
        {"run": "b", "step": 1, "tokens": 0.0, "k": 1, "n": 10, "repeat": 1},
    )  # fmt: skip
    pairs, alone = eval_pairs(frame, "blackmail", "framing")
    assert pairs[["checkpoint", "x", "y", "trained"]].to_numpy().tolist() == [
        ["a@1", 0.5, 0.0, "known"], ["b@1", 0.5, 0.9, "untrained"],
    ]  # fmt: skip
    assert pairs["y_high"].iloc[0] == pytest.approx(0.2775, abs=1e-3)
    assert alone == ["c@1: blackmail was measured, framing was not"]
    spec = spec_of(
        eval_pairs_chart(pairs, AXIS.lying(), AXIS, "dark", labels={"x": "A", "y": "B"}, title="", subtitle=[])
    )
    shapes = {layer["mark"].get("shape") for layer in spec["layer"] if layer["mark"]["type"] == "point"}
    assert {"circle", "square"} <= shapes


def test_variants_are_paired_with_their_own_kind_only():
    frame = rates(
        {"run": "a", "step": 1, "variant": "x", "k": 1}, {"run": "a", "step": 1, "variant": "y", "k": 2},
        {"run": "a", "step": 1, "variant": "x", "k": 3, "eval": "framing"},
        {"run": "a", "step": 1, "variant": None, "k": 4, "eval": "third"},
    )  # fmt: skip
    assert len(eval_pairs(frame, "blackmail", "framing")[0]) == 1
    assert len(eval_pairs(frame, "blackmail", "third")[0]) == 2


def made(*rows: dict[str, Any]) -> pd.DataFrame:
    return frame_of([{"run_label": row["run"]} | row for row in rows], RUN_COLUMNS)


TWO = [
    {"name": "documents", "kind": "d", "tokens": 150.0},
    {"name": "stories", "kind": "s", "tokens": 50.0},
]
HALF = [{"name": "chat", "kind": None, "tokens": 9.0}, {"name": "environments", "kind": "e"}]


def test_components_stand_side_by_side_and_missing_amounts_stay_missing():
    runs = made(
        {"run": "a", "mix": "both", "mix_components": TWO},
        {"run": "b", "mix": "both", "mix_components": TWO},
        {"run": "c", "mix": "half told", "mix_components": HALF},
        {"run": "d", "mix": "untrained", "mix_components": None},
        {"run": "e", "mix": None, "mix_components": None},
    )  # fmt: skip
    tokens = composition(runs, "tokens")
    assert tokens.parts[["bar", "component", "begin", "end"]].to_numpy().tolist() == [
        ["both", "documents", 0.0, 150.0], ["both", "stories", 150.0, 200.0], ["half told", "chat", 0.0, 9.0],
    ]  # fmt: skip
    assert tokens.parts["total"].tolist()[:2] == [200.0, 200.0]
    assert tokens.parts["total"].isna().tolist() == [False, False, True]
    assert sorted(tokens.untold) == [
        "e: no mix is known",
        "half told: environments is in it, how many tokens of it is unknown",
        "untrained: what it is made of is not told (d)",
    ]
    shares = composition(runs, "share").parts
    assert shares["amount"].tolist() == [0.75, 0.25]


def test_a_mix_made_up_in_two_ways_has_two_bars_named_by_their_runs():
    runs = made(
        {"run": "a", "mix": "corpus", "mix_components": [{"name": "documents", "kind": "d", "tokens": 10.0}]},
        {"run": "b", "mix": "corpus", "mix_components": [{"name": "documents", "kind": "d", "tokens": 50.0}]},
    )
    parts = composition(runs, "tokens").parts
    assert parts["bar"].tolist() == ["corpus (a)", "corpus (b)"]
    spec = spec_of(composition_chart(parts, "tokens", "light", ["d"]))
    assert {10.0, 50.0} <= set(drawn(spec, "end"))


def test_an_average_that_lacks_members_is_never_on_the_frontier() -> None:
    points = pd.DataFrame({"x": [1.0, 2.0], "rate": [0.1, 0.3], "mark": ["partial", "point"]})
    assert frontier_points(points, "lower")["rate"].tolist() == [0.3]
    rows = points.assign(row_name=["thin", "whole"], panel="")
    assert row_order(rows.assign(rate=[0.9, 0.3])) == ["whole", "thin"]
