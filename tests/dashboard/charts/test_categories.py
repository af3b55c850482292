"""Categories as dots: nothing hides another, nothing unlike shares a panel, 0 of n is drawn, gaps are said."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pandas as pd
import pytest

from dashboard.charts.axes import value_axis
from dashboard.charts.categories import (
    LABEL_LINES,
    LABEL_WIDTH,
    NO_OUTCOME,
    NOT_MEASURED,
    CategoryStyle,
    categories_chart,
    label_lines,
    lay_out,
    shapes_of,
)
from dashboard.charts.categories_data import category_points, crosses, gaps, panel_heading
from dashboard.charts.palette import PALETTE
from tests.rates_rows import rate_row, rates_frame


def placed(
    *rows: dict[str, Any], category: Any = "checkpoint", colour: Any = "checkpoint", **more: Any
) -> pd.DataFrame:
    return category_points(rates_frame(rows), category=category, colour=colour, **({"titles": {}} | more))


def drawn(points: pd.DataFrame, *, crossed: bool = True, bars: bool = True, selected: str = "") -> dict[str, Any]:
    names = points["series"].unique()
    colours = dict(zip(names, PALETTE, strict=False))
    style = CategoryStyle(scheme="light", colours=colours, labels={name: name for name in names}, styles=[])
    axis = value_axis(points, fraction=True, title="misaligned")
    chart = categories_chart(
        points, axis, style, crossed=crossed, bars=bars, title=["t"], subtitle=["s"], selected=selected
    )
    spec: dict[str, Any] = chart.to_dict()
    return spec


def layers(spec: dict[str, Any], mark: str) -> list[dict[str, Any]]:
    return [layer for layer in spec["layer"] if layer["mark"]["type"] == mark]


def data(spec: dict[str, Any], layer: dict[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = spec["datasets"][layer["data"]["name"]]
    return rows


def test_directions_and_units_never_share_a_panel() -> None:
    mean: dict[str, Any] = {"kind": "mean", "rate": 5.0}
    points = placed(
        rate_row("a", 1, 3, 10, eval="adherence", metric="adherence", better="higher", unit="points", **mean),
        rate_row("a", 1, 3, 10, eval="stated", metric="stated", better="higher", unit="points", **mean),
        rate_row("a", 1, 3, 10, eval="knowledge", metric="right", better="higher"),
        rate_row("a", 1, 3, 10, eval="nobody said", metric="score", better=None),
        rate_row("a", 1, 3, 10, eval="audit", metric="deception", better="lower", unit="points", **mean),
        rate_row("a", 1, 3, 10, eval="audit", metric="sycophancy", better="lower", unit="points", **mean),
        rate_row("a", 1, 3, 10, eval="unknown unit", metric="one", better="lower", **mean),
        rate_row("a", 1, 3, 10, eval="unknown unit", metric="two", better="lower", **mean),
        category="metric",
    )
    panels = [sorted(some["metric"]) for _, some in points.groupby("panel", sort=False)]
    assert panels == [
        ["deception", "sycophancy"], ["one"], ["two"], ["adherence"], ["right"], ["stated"], ["score"]
    ]  # fmt: skip
    assert points.groupby("panel")["better"].nunique(dropna=False).max() == 1


def test_what_differs_within_a_cell_is_added_to_the_name_of_its_row() -> None:
    points = placed(
        rate_row("a", 1, 3, 10, variant="deployment"),
        rate_row("a", 1, 4, 10, variant="evaluation"),
        rate_row("b", 1, 5, 10, eval="framing"),
        category="eval",
    )
    assert points["category"].tolist() == ["blackmail · deployment", "blackmail · evaluation", "framing"]


def test_checkpoints_of_one_mix_are_columns_of_their_own() -> None:
    points = placed(
        rate_row("a", 1, 3, 10), rate_row("a", 2, 4, 10), rate_row("b", 1, 5, 10, mix="stories"),
        category="eval", colour="mix",
    )  # fmt: skip
    assert points["column"].tolist() == ["documents · a@1", "documents · a@2", "stories"]
    assert points["value"].tolist() == ["documents", "documents", "stories"]
    assert points["category"].unique().tolist() == ["blackmail"]


def test_logs_without_anything_that_tells_them_apart_are_numbered() -> None:
    points = placed(rate_row("a", None, 3, 10, path="1"), rate_row("a", None, 4, 10, path="2"))
    assert points["category"].tolist() == ["a", "a · log 2"]


def test_a_repeat_stands_where_the_log_stands_that_it_repeats() -> None:
    points = placed(rate_row("a", 1, 3, 10), rate_row("a", 1, 4, 10, repeat=1))
    assert points["category"].tolist() == ["a@1", "a@1"]
    assert lay_out(points, crossed=False).points["y"].nunique() == 1


def test_equal_titles_of_different_things_are_told_apart() -> None:
    points = placed(
        rate_row("a", 1, 3, 10, metric="x"), rate_row("a", 1, 4, 10, metric="y"),
        category="metric", titles={"metric": {"x": "harmful", "y": "harmful"}},
    )  # fmt: skip
    assert points["category"].tolist() == ["harmful (x)", "harmful (y)"]


def test_rows_come_in_the_order_of_the_study_then_by_value_and_those_without_a_value_last() -> None:
    rows = [rate_row("a", 1, 1, 10, split=value) for value in ("10", "9", None, "urgent", "calm")]
    points = placed(*rows, category="split", titles={"split": {"urgent": "Urgent"}})
    assert points["category"].tolist() == ["Urgent", "9", "10", "calm", "not given"]


def test_zero_of_n_has_its_dot_its_interval_and_a_place_inside_the_frame() -> None:
    points = placed(rate_row("a", 1, 0, 100, low=0.0, high=0.037), rate_row("b", 1, 100, 100, low=0.963))
    spec = drawn(points)
    dots = [
        row["rate"]
        for layer in layers(spec, "point")
        if layer["mark"].get("filled") and layer["mark"]["opacity"]
        for row in data(spec, layer)
    ]
    assert sorted(dots) == [0.0, 1.0]
    bars = next(layer for layer in layers(spec, "rule") if layer["encoding"].get("x2", {}).get("field") == "high")
    assert [(row["low"], row["high"]) for row in data(spec, bars)] == [(0.0, 0.037), (0.963, 1.0)]
    low, high = bars["encoding"]["x"]["scale"]["domain"]
    assert low < 0 < 1 < high


def test_marks_are_svg_can_be_clicked_and_say_what_they_are() -> None:
    points = placed(rate_row("a", 1, 3, 100, split="Claude"), category="split")
    spec = drawn(points)
    assert spec["usermeta"]["embedOptions"]["renderer"] == "svg"
    assert [(p["name"], p["select"]["fields"]) for p in spec["params"] if "select" in p] == [("point", ["point"])]
    tips = {tip["title"] for tip in layers(spec, "point")[-1]["encoding"]["tooltip"]}
    assert {"checkpoint", "eval", "split", "samples", "interval"} <= tips


def test_the_chosen_point_is_ringed() -> None:
    points = placed(rate_row("a", 1, 3, 100), rate_row("b", 1, 3, 100))
    chosen = points["point"].iloc[1]
    spec = drawn(points, selected=chosen)
    ring = next(layer for layer in layers(spec, "point") if layer["mark"].get("size") == 420)
    assert [row["point"] for row in data(spec, ring)] == [chosen]


def test_every_combination_keeps_its_lane_and_gaps_are_said_to_be_gaps() -> None:
    points = placed(
        rate_row("a", 1, 0, 10), rate_row("a", 1, 5, 10, eval="framing"), rate_row("b", 1, 5, 10),
        category="eval",
    )  # fmt: skip
    layout = lay_out(points, crossed=True)
    assert layout.empty["text"].tolist() == [NOT_MEASURED]
    assert len({*layout.points["y"], *layout.empty["y"]}) == 4
    assert gaps(points) == ["No results: b@1: framing"]
    words = next(layer for layer in layers(drawn(points), "text"))
    assert words["encoding"]["x"]["scale"]["domain"][0] < 0


def test_measured_without_an_outcome_is_not_the_same_as_not_measured() -> None:
    points = placed(rate_row("a", 1, 3, 10), rate_row("b", 1, None, 0, low=None, high=None))
    layout = lay_out(points, crossed=False)
    assert layout.empty["text"].tolist() == [NO_OUTCOME]
    assert layout.rows["category"].tolist() == ["a@1", "b@1"]


def test_rows_of_what_cannot_cross_hold_only_what_they_have() -> None:
    points = placed(
        rate_row("a", 1, 3, 10), rate_row("b", 1, 3, 10, mix="stories"), rate_row("c", 1, 3, 10, mix="stories"),
        category="mix", colour="checkpoint",
    )  # fmt: skip
    assert not crosses("mix", "checkpoint")
    layout = lay_out(points, crossed=False)
    assert layout.empty.empty
    heights = layout.rows["bottom"].diff().fillna(layout.rows["bottom"])
    assert heights.iloc[1] > heights.iloc[0]


def test_many_checkpoints_make_the_picture_higher_and_never_closer() -> None:
    points = placed(*(rate_row(f"run {at}", at, at % 5, 10) for at in range(44)))
    layout = lay_out(points, crossed=False)
    places = sorted(layout.points["y"])
    assert len(layout.rows) == 44
    assert min(b - a for a, b in pairwise(places)) >= 18
    assert layout.height > 44 * 18


def test_no_pair_of_colour_and_shape_comes_twice() -> None:
    colours = ["#0072B2"] * 3 + ["#E69F00"] * 3 + ["#009E73"] * 6
    assert len(set(zip(colours, shapes_of(colours), strict=True))) == len(colours)


@pytest.mark.parametrize(
    "name", ["x" * 300, "a name of " * 40, "some_very_long_name_" * 20 + "final", "<img src=x onerror=alert(1)>" * 9]
)
def test_long_names_keep_both_ends_and_stay_within_their_lines(name: str) -> None:
    lines = label_lines(name)
    assert len(lines) <= LABEL_LINES
    assert max(map(len, lines)) <= LABEL_WIDTH
    assert lines[0][:5] == name.strip()[:5]
    assert lines[-1][-4:] == name.strip()[-4:]


def test_short_names_break_after_marks_and_nothing_is_lost() -> None:
    assert label_lines("Blackmail") == ["Blackmail"]
    assert label_lines("unprompted_deception_toward_user") == ["unprompted_deception_", "toward_user"]
    assert label_lines("") == [""]


def test_the_heading_says_what_is_measured_and_the_checkpoint_that_all_are_of() -> None:
    titles = {"eval": {"blackmail": "Blackmail"}, "checkpoint": {"a@1": "Run A @1"}}
    points = placed(rate_row("a", 1, 3, 10, split="x"), rate_row("a", 1, 3, 10, split="y"), category="split")
    assert panel_heading(points, titles, ("split", "checkpoint")) == "Blackmail · Run A @1: misalignment rate"
    assert panel_heading(points, titles, ("checkpoint", "split")) == "Blackmail: misalignment rate"
