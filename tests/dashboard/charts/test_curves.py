"""The charts' specifications: 0 of n is drawn with its interval, step 0 survives a log axis, marks can be clicked."""

from __future__ import annotations

from typing import Any

import altair as alt
import pytest

from dashboard.charts.axes import log_ticks, value_axis, x_encoding
from dashboard.charts.curve_data import curve_data
from dashboard.charts.curves import CurveStyle, curve_chart
from dashboard.charts.dots import dots_chart
from dashboard.charts.palette import PALETTE
from tests.rates_rows import rate_row, rates_frame

RUNS = {"a": PALETTE[0], "b": PALETTE[1]}


def drawn(rates: Any, *, log: bool = False, chart: Any = curve_chart, **options: Any) -> dict[str, Any]:
    """The specification of the only panel of these rates."""
    data = curve_data(rates, **options)
    styles = sorted(data.points["style"].unique())
    style = CurveStyle(x=options.get("x", "step"), log=log, scheme="light", colours=RUNS, labels=RUNS, styles=styles)
    axis = value_axis(data.points, fraction=True, title="misaligned")
    spec: dict[str, Any] = chart(data, "", axis, style, title="blackmail", subtitle=["harmful = 1"]).to_dict()
    return spec


def rows_of(spec: dict[str, Any], layer: dict[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = spec["datasets"][layer["data"]["name"]]
    return rows


def layers(spec: dict[str, Any], mark: str) -> list[dict[str, Any]]:
    return [layer for layer in spec["layer"] if layer["mark"]["type"] == mark]


def test_zero_of_n_and_n_of_n_are_drawn_inside_the_frame_with_their_intervals() -> None:
    spec = drawn(rates_frame([rate_row("a", 1, 0, 100, high=0.037), rate_row("a", 2, 100, 100, low=0.963)]))
    dots = next(layer for layer in layers(spec, "point") if layer["mark"].get("filled") and layer["mark"]["opacity"])
    assert [row["rate"] for row in rows_of(spec, dots)] == [0.0, 1.0]
    low, high = dots["encoding"]["y"]["scale"]["domain"]
    assert low < 0 < 1 < high
    bars = next(layer for layer in layers(spec, "rule") if layer["encoding"].get("y2", {}).get("field") == "high")
    assert [(row["low"], row["high"]) for row in rows_of(spec, bars)] == [(0.0, 0.037), (0.963, 1.0)]


@pytest.mark.slow
def test_marks_are_svg_with_a_description_and_a_named_selection() -> None:
    spec = drawn(rates_frame([rate_row("a", 1, 3, 100)]))
    assert spec["usermeta"]["embedOptions"]["renderer"] == "svg"
    assert [p["select"].get("fields") for p in spec["params"] if p["name"] == "point"] == [["point"]]
    target = layers(spec, "point")[-1]
    assert target["encoding"]["description"]["field"] == "description"
    titles = [tip["title"] for tip in target["encoding"]["tooltip"]]
    assert titles == ["checkpoint", "eval", "definition", "samples", "value", "interval", "method", "log"]


@pytest.mark.slow
def test_flags_are_ringed_and_in_the_tooltip() -> None:
    spec = drawn(rates_frame([rate_row("a", 1, 3, 100, flags=["another judge"]), rate_row("a", 2, 3, 100)]))
    ring = next(layer for layer in layers(spec, "point") if not layer["mark"].get("filled", True))
    assert [row["flags"] for row in rows_of(spec, ring)] == ["another judge"]
    titles = [[tip["title"] for tip in x["encoding"]["tooltip"]] for x in layers(spec, "point")[-2:]]
    assert sorted("warnings" in some for some in titles) == [False, True]


def test_the_definition_in_use_stands_in_the_plot() -> None:
    assert drawn(rates_frame([rate_row("a", 1, 3, 100)]))["title"]["subtitle"] == ["harmful = 1"]


@pytest.mark.parametrize(("steps", "kind"), [([0, 1, 512], "symlog"), ([1, 512], "log")])
def test_step_zero_survives_a_logarithmic_axis(steps: list[int], kind: str) -> None:
    scale = x_encoding([float(step) for step in steps], axis="step", log=True).to_dict()["scale"]
    assert scale["type"] == kind
    assert scale["domain"] == [min(steps), max(steps)]


def test_tokens_on_a_symlog_axis_do_not_waste_it_on_the_decades_below_the_first() -> None:
    scale = x_encoding([0.0, 1e6, 1e9], axis="tokens", log=True).to_dict()["scale"]
    assert scale["constant"] == 1e6
    assert log_ticks([0.0, 1e6, 1e9]) == [0, 1e6, 3e6, 1e7, 3e7, 1e8, 3e8, 1e9]


def test_a_score_in_its_own_unit_has_its_own_axis() -> None:
    data = curve_data(rates_frame([rate_row("a", 1, None, 10, rate=-190.0, low=-200.0, high=-180.0, kind="mean")]))
    axis = value_axis(data.points, fraction=False, title="reward")
    assert axis.low < -200 < -180 < axis.high
    assert "%" not in axis.number
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks)


def test_a_rate_without_an_interval_gets_no_bar() -> None:
    spec = drawn(rates_frame([rate_row("a", 1, None, None, rate=0.5, low=None, high=None)]))
    assert not [layer for layer in layers(spec, "rule") if layer["encoding"].get("y2", {}).get("field") == "high"]
    titles = [tip["title"] for tip in layers(spec, "point")[-1]["encoding"]["tooltip"]]
    assert "interval" not in titles


def test_checkpoints_without_any_step_are_rows_with_dots() -> None:
    rates = rates_frame([rate_row("a", None, 3, 10, placed=False), rate_row("b", None, 0, 10, placed=False)])
    spec = drawn(rates, chart=dots_chart)
    dots = layers(spec, "point")[0]
    assert dots["encoding"]["y"]["sort"] == ["a", "b"]
    assert dots["encoding"]["x"]["field"] == "rate"


@pytest.mark.slow
def test_charts_draw_what_altair_accepts() -> None:
    rates = rates_frame([rate_row(run, step, 1, 10) for run in "ab" for step in (0, 10)])
    assert alt.Chart.from_dict(drawn(rates, log=True)).to_dict()


@pytest.mark.slow
def test_variants_that_differ_at_their_ends_are_told_apart_at_the_ends_of_their_lines() -> None:
    long = "goal=america, goal type=explicit, scenario="
    rows = [
        rate_row("a", step, 1, 10, variant=variant) for step in (1, 2) for variant in (None, f"{long}a", f"{long}b")
    ]
    spec = drawn(rates_frame(rows))
    text = next(layer for layer in layers(spec, "text") if layer["encoding"]["text"].get("field") == "written")
    labels = [row["label"] for row in rows_of(spec, text)]
    assert len(set(labels)) == 3
    assert sum("no variant" in label for label in labels) == 1


def every_layer(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """A chart and all that lies within it."""
    inner = [*spec.get("layer", []), *([spec["spec"]] if "spec" in spec else []), *spec.get("vconcat", [])]
    return [spec, *(each for part in inner for each in every_layer(part))]
