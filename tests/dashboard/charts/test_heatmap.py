"""Heatmaps: what was not measured is never 0, every number is readable on its cell, colours say one direction."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest

from dashboard.charts.axes import value_axis
from dashboard.charts.categories import NO_OUTCOME, NOT_MEASURED, columns_of
from dashboard.charts.categories_data import category_points
from dashboard.charts.heat_scale import STOPS, HeatScale, contrast, heat_scale, readable_on
from dashboard.charts.heatmap import MOST_COLUMNS, blocks, flattened, heatmap_chart
from dashboard.charts.palette import Scheme
from dashboard.charts.spec import on_light, spec_of
from dashboard.exports.vega import svgs_of
from tests.rates_rows import rate_row, rates_frame


def placed(*rows: dict[str, Any], category: Any = "eval", colour: Any = "checkpoint") -> pd.DataFrame:
    return category_points(rates_frame(rows), category=category, colour=colour, titles={})


def charted(points: pd.DataFrame, scheme: Scheme, *, selected: str = "", fraction: bool = True) -> Any:
    axis = value_axis(points, fraction=fraction, title="misaligned")
    scale = heat_scale(points, axis, scheme)
    return heatmap_chart(points, axis, scale, scheme=scheme, title=["t"], subtitle=["s"], selected=selected)


def drawn(points: pd.DataFrame, *, selected: str = "", fraction: bool = True) -> dict[str, Any]:
    spec: dict[str, Any] = charted(points, "light", selected=selected, fraction=fraction).to_dict()
    return spec


def data(spec: dict[str, Any], layer: dict[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = spec["datasets"][layer["data"]["name"]]
    return rows


def layers(spec: dict[str, Any], mark: str) -> list[dict[str, Any]]:
    return [layer for layer in spec["layer"] if layer["mark"]["type"] == mark]


def filled(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The coloured cells."""
    rects = [x for x in layers(spec, "rect") if x["encoding"].get("fill", {}).get("field") == "fill"]
    return [row for rect in rects for row in data(spec, rect)]


@pytest.mark.slow
def test_a_figure_of_a_dark_page_is_as_it_is_of_a_light_one() -> None:
    points = placed(rate_row("a", 1, 3, 10), rate_row("a", 2, 9, 10, flags=["odd"]), rate_row("b", 1, None, None))
    dark, light = (spec_of(charted(points, scheme), scheme) for scheme in ("dark", "light"))
    # But for names that are counted, or made of everything in a chart.
    of_dark, of_light = (
        re.sub(r"(view|gradient)_\w+", "", svg) for svg in svgs_of([on_light(dark, "dark"), on_light(light, "light")])
    )
    assert of_dark == of_light


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.005)
    assert contrast("#0072B2", "#0072B2") == 1


@pytest.mark.parametrize("scheme", STOPS)
@pytest.mark.parametrize("direction", ["lower", "higher", ""])
def test_every_number_is_readable_on_its_cell(scheme: Any, direction: str) -> None:
    scale = HeatScale(0.0, 1.0, STOPS[scheme][direction])
    fills = [scale.fill(at / 200) for at in range(201)]
    assert min(contrast(readable_on(fill), fill) for fill in fills) >= 4.5


@pytest.mark.parametrize("scheme", STOPS)
@pytest.mark.parametrize("direction", ["lower", "higher", ""])
def test_lightness_runs_one_way_so_that_it_needs_no_hue(scheme: Any, direction: str) -> None:
    scale = HeatScale(0.0, 1.0, STOPS[scheme][direction])
    against_black = [contrast(scale.fill(at / 50), "#000000") for at in range(51)]
    assert against_black == sorted(against_black, reverse=scheme == "light")


def test_the_scale_interpolates_and_stays_within_its_ends() -> None:
    scale = HeatScale(0.0, 10.0, ("#000000", "#646464", "#FFFFFF"))
    assert [scale.fill(value) for value in (-1, 0, 2.5, 5, 10, 11)] == [
        "#000000", "#000000", "#323232", "#646464", "#FFFFFF", "#FFFFFF"
    ]  # fmt: skip
    assert scale.domain == [0.0, 5.0, 10.0]
    assert HeatScale(3.0, 3.0, scale.stops).fill(3.0) == "#000000"


@pytest.mark.slow
def test_better_is_up_and_better_is_down_have_different_colours_and_say_which() -> None:
    lower, higher = (
        placed(rate_row("a", 1, 5, 10, better=better), rate_row("b", 1, 9, 10, better=better))
        for better in ("lower", "higher")
    )
    texts = []
    for points in (lower, higher):
        legend = next(x for x in layers(drawn(points), "point") if "color" in x["encoding"])["encoding"]["color"]
        texts.append(legend["legend"]["title"])
    assert texts == ["darker = higher = worse", "darker = higher = better"]
    assert not {row["fill"] for row in filled(drawn(lower))} & {row["fill"] for row in filled(drawn(higher))}


def test_a_cell_that_was_not_measured_is_hatched_and_has_no_colour() -> None:
    spec = drawn(placed(rate_row("a", 1, 0, 100), rate_row("b", 1, 5, 100), rate_row("a", 1, 4, 100, eval="framing")))
    assert len(filled(spec)) == 3
    words = {row["why"] for layer in layers(spec, "text") for row in data(spec, layer) if row.get("why")}
    assert words == {NOT_MEASURED}
    hatch = layers(spec, "rule")[0]
    assert all(1 <= row["x"] <= row["x2"] <= 2 for row in data(spec, hatch))
    assert 0.0 in [row["rate"] for row in filled(spec)]


@pytest.mark.slow
def test_measured_without_an_outcome_is_not_the_same_as_not_measured() -> None:
    points = placed(rate_row("a", 1, 5, 100), rate_row("b", 1, None, 0, low=None, high=None))
    spec = drawn(points)
    assert {row["why"] for layer in layers(spec, "text") for row in data(spec, layer) if row.get("why")} == {NO_OUTCOME}


def test_cells_hold_numbers_and_the_encoding_writes_them() -> None:
    spec = drawn(placed(rate_row("a", 1, 0, 100, high=0.037), rate_row("b", 1, 96, 100)))
    assert [(row["rate"], row["high"]) for row in filled(spec)] == [(0.0, 0.037), (0.96, 1.0)]
    formulas = {
        step["as"]: step["calculate"]
        for layer in layers(spec, "text")
        for step in layer.get("transform", [])
        if "calculate" in step
    }
    assert formulas["value"] == 'format(datum.rate, ".1~%")'
    assert formulas["bounds"].startswith("isValid(datum.low)")


def test_rates_are_coloured_from_0_and_means_from_the_least_to_the_greatest() -> None:
    rates = placed(rate_row("a", 1, 40, 100), rate_row("b", 1, 60, 100))
    assert heat_scale(rates, value_axis(rates, fraction=True, title=""), "light").low == 0
    means = placed(rate_row("a", 1, 40, 10, kind="mean", low=None, high=None), rate_row("b", 1, 60, 10, kind="mean"))
    scale = heat_scale(means, value_axis(means, fraction=False, title=""), "dark")
    assert (scale.low, scale.high) == (4.0, 6.0)


@pytest.mark.slow
def test_a_cell_shows_the_log_that_lines_go_through_and_says_when_it_is_not_whole() -> None:
    points = placed(
        rate_row("a", 1, 5, 10, status="cancelled", flags=["cancelled"]),
        rate_row("a", 1, 9, 10, repeat=1),
        rate_row("b", 1, 1, 10),
    )
    spec = drawn(points)
    assert [row["k"] for row in filled(spec)] == [5, 1]
    assert [row["state"] for row in filled(spec)] == ["not whole", ""]
    ring = next(layer for layer in layers(spec, "point") if layer["mark"].get("shape") == "circle")
    assert [row["k"] for row in data(spec, ring)] == [5]


def test_a_cell_can_be_clicked_and_the_chosen_one_is_framed() -> None:
    points = placed(rate_row("a", 1, 5, 10), rate_row("b", 1, 1, 10))
    spec = drawn(points, selected=points["point"].iloc[1])
    assert [(p["name"], p["select"]["fields"]) for p in spec["params"] if "select" in p] == [("point", ["point"])]
    target = layers(spec, "rect")[-1]
    assert target["encoding"]["description"]["field"] == "description"
    frame = next(layer for layer in layers(spec, "rect") if layer["mark"].get("strokeWidth") == 3)
    assert [row["checkpoint"] for row in data(spec, frame)] == ["b@1"]


def test_the_longer_side_goes_down() -> None:
    points = placed(*(rate_row(f"run {at:02}", 1, 1, 10, eval=name) for at in range(44) for name in ("x", "y")))
    (piece,) = blocks(points)
    assert columns_of(piece) == ["x", "y"]
    assert piece["category"].unique().tolist() == [f"run {at:02}@1" for at in range(44)]


def test_what_is_still_too_wide_goes_on_underneath_and_nothing_is_lost() -> None:
    points = placed(
        *(rate_row(f"run {at:02}", 1, 1, 10, eval=f"eval {name:02}") for at in range(20) for name in range(30))
    )
    pieces = list(blocks(points))
    assert all(len(columns_of(piece)) <= MOST_COLUMNS for piece in pieces)
    assert sorted(pd.concat(pieces)["point"]) == sorted(points["point"])
    assert [column for piece in pieces for column in columns_of(piece)] == columns_of(points)


@pytest.mark.slow
def test_columns_that_cannot_cross_the_rows_become_rows() -> None:
    points = placed(
        rate_row("a", 1, 1, 10), rate_row("b", 1, 2, 10, mix="stories"), rate_row("c", 1, 3, 10, mix="stories"),
        category="mix",
    )  # fmt: skip
    flat = flattened(points)
    assert flat["category"].tolist() == ["documents", "stories · b@1", "stories · c@1"]
    assert len(filled(drawn(flat))) == 3
    assert not list(layers(drawn(flat), "rule"))
