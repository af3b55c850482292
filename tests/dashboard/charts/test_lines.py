"""Many lines in one plot: named at their ends or in a legend of lines, told by a crosshair, intervals to be seen."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from dashboard.charts.axes import value_axis
from dashboard.charts.crosshair import HOVER, ZOOM, told_at_each
from dashboard.charts.curve_data import CurveData, curve_data
from dashboard.charts.curves import CurveStyle, curve_chart
from dashboard.charts.intervals import FEW, beside, dodged, reach
from dashboard.charts.label_places import spread
from dashboard.charts.line_ends import ALONE, HIDDEN, MOST_NAMED, SHOWN, line_symbol, shortened
from dashboard.charts.palette import PALETTE, assign_colours
from dashboard.charts.shared_legend import BETWEEN, keys_of
from dashboard.charts.shared_legend import HIDDEN as SHARED
from dashboard.charts.spec import spec_of
from dashboard.exports.vega import svgs_of
from tests.rates_rows import rate_row, rates_frame


def drawn(runs: int, steps: int, **more: Any) -> dict[str, Any]:
    """The specification of so many runs, each with so many steps."""
    names = [f"run-{number:02}" for number in range(runs)]
    rows = [
        rate_row(name, step * 10, 3, 10, low=0.1, high=0.6, **more) for name in names for step in range(1, steps + 1)
    ]
    data = curve_data(rates_frame(rows))
    style = CurveStyle(
        x="step", scheme="light", colours=assign_colours((name, None) for name in names),
        labels={name: name.upper() for name in names}, styles=[""],
    )  # fmt: skip
    axis = value_axis(data.points, fraction=True, title="Misalignment rate")
    spec: dict[str, Any] = curve_chart(data, "", axis, style, title="x", subtitle=["y"]).to_dict()
    return spec


def marks(spec: dict[str, Any], mark: str) -> list[dict[str, Any]]:
    return [layer for layer in spec["layer"] if layer["mark"]["type"] == mark]


def rows_of(spec: dict[str, Any], layer: dict[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = spec["datasets"][layer["data"]["name"]]
    return rows


def legends(spec: dict[str, Any]) -> list[dict[str, Any]]:
    encodings = [of for layer in spec["layer"] for of in layer["encoding"].values() if isinstance(of, dict)]
    return [of["legend"] for of in encodings if of.get("legend")]


@pytest.mark.slow
def test_few_lines_are_named_at_their_ends_and_have_no_legend() -> None:
    spec = drawn(MOST_NAMED, 3)
    text = next(layer for layer in marks(spec, "text") if layer["encoding"]["text"].get("field") == "written")
    assert [row["label"] for row in rows_of(spec, text)] == [f"RUN-{number:02}" for number in range(MOST_NAMED)]
    places = sorted(row["place"] for row in rows_of(spec, text))
    low, high = text["encoding"]["y"]["scale"]["domain"]
    # Names of lines that end at one height do not lie on each other.
    assert min(b - a for a, b in pairwise(places)) / (high - low) * spec["height"] > 12
    assert legends(spec) == []


@pytest.mark.slow
def test_many_lines_have_a_legend_that_hides_and_isolates() -> None:
    spec = drawn(MOST_NAMED + 1, 3)
    assert not [layer for layer in marks(spec, "text") if layer["encoding"]["text"].get("field") == "written"]
    binds = {param["name"]: param["bind"] for param in spec["params"] if param["name"] in (HIDDEN, ALONE)}
    assert binds == {HIDDEN: "legend", ALONE: {"legend": "dblclick"}}
    for mark in ("line", "tick"):
        assert all({"filter": SHOWN} in layer["transform"] for layer in marks(spec, mark))
    paths = next(
        layer["encoding"]["shape"]["scale"]["range"] for layer in spec["layer"]
        if layer["encoding"].get("shape", {}).get("legend")
    )  # fmt: skip
    assert len(paths) == MOST_NAMED + 1
    assert all(path.startswith("M-2") for path in paths)


def test_a_symbol_of_a_legend_shows_dash_and_marker() -> None:
    assert line_symbol(0).count("L") < line_symbol(1).count("L")
    assert "A" in line_symbol(0)
    assert "A" not in line_symbol(1)
    assert len({line_symbol(look) for look in range(12)}) == 12


def test_names_are_never_cut_to_the_same_text() -> None:
    alike = {middle: f"With tool definitions {middle} and system prompts of the user" for middle in "ab"}
    assert len(set(shortened(alike).values())) == 2
    assert shortened({"a": "x" * 60})["a"] == "x" * 15 + "…" + "x" * 14


@pytest.mark.slow
@pytest.mark.parametrize(("steps", "bars"), [(FEW, True), (FEW + 1, False)])
def test_intervals_are_bars_where_points_are_few_and_bands_where_many(steps: int, bars: bool) -> None:
    spec = drawn(3, steps)
    assert bool(marks(spec, "tick")) is bars
    assert bool(marks(spec, "area")) is not bars
    line = marks(spec, "line")[0]
    beside = {row["series"]: row["beside"] for row in rows_of(spec, line)}
    assert sorted(beside.values()) == ([-1, 0, 1] if bars else [0, 0, 0])


@pytest.mark.slow
def test_the_crosshair_tells_value_interval_and_counts_of_every_line_at_that_step() -> None:
    rows = [
        rate_row("a", 10, 66, 300, low=0.177, high=0.27), rate_row("a", 20, 0, 300, low=0.0, high=0.013),
        rate_row("b", 20, None, None, rate=0.5, low=None, high=None),
    ]  # fmt: skip
    points = curve_data(rates_frame(rows)).points
    points["line"] = points["run"]
    frame, lines = told_at_each(points, {"a": "A", "b": "B"})
    assert lines == ["a", "b"]
    assert frame[["x", "since", "until", "l0", "l1"]].to_numpy().tolist() == [
        [10, 10, 15, "22.0% [17.7%, 27.0%] (66/300)", "–"],
        [20, 15, 20, "0.0% [0.0%, 1.3%] (0/300)", "50.0%"],
    ]
    spec = drawn(2, 3)
    catch = marks(spec, "rect")[0]
    assert [tip["title"] for tip in catch["encoding"]["tooltip"]] == ["Training step", "RUN-00", "RUN-01"]


def test_zoom_and_crosshair_leave_the_click_alone() -> None:
    params = {param["name"]: param for param in drawn(2, 3)["params"]}
    assert params[ZOOM]["bind"] == "scales"
    assert params[ZOOM]["select"]["encodings"] == ["x"]
    assert params[HOVER]["select"]["on"] == "pointerover"
    assert params["point"]["select"]["on"].startswith("click[")


def test_places_move_apart_as_little_as_it_takes_and_stay_inside() -> None:
    assert spread([10, 50], 13, 100) == [10, 50]
    assert spread([50, 50, 50], 10, 100) == [40, 50, 60]
    assert spread([99, 100], 13, 100) == [87, 100]
    assert spread([1, 0], 13, 100) == [13, 0]


def test_colours_of_the_palette_are_all_that_runs_get() -> None:
    lines = marks(drawn(4, 2), "line")[0]
    assert set(lines["encoding"]["color"]["scale"]["range"]) <= set(PALETTE)


def in_panels() -> tuple[CurveData, CurveStyle]:
    """Eleven runs on two evals, a panel each: two of them have the same colour."""
    names = [f"run-{number:02}" for number in range(11)]
    rows = [rate_row(name, step, 3, 10, eval=of) for name in names for step in (1, 2) for of in ("e1", "e2")]
    data = curve_data(rates_frame(rows), panels="eval")
    style = CurveStyle(
        x="step", scheme="light", colours=dict(zip(names, [*PALETTE, PALETTE[0]], strict=True)),
        labels={name: name.upper() for name in names}, styles=sorted(data.points["style"].unique()), legend=False,
        shared_legend="legend-of-test",
    )  # fmt: skip
    return data, style


@pytest.mark.slow
def test_a_legend_of_several_charts_shows_their_dashes_and_markers_and_hides_their_lines() -> None:
    data, style = in_panels()
    keys = keys_of(style, without="run-03")
    assert [key.label for key in keys] == [f"RUN-{number:02}" for number in range(11) if number != 3]
    assert (keys[0].colour, keys[0].symbol) == (PALETTE[0], line_symbol(0))
    assert (keys[-1].colour, keys[-1].symbol, keys[-1].series) == (PALETTE[0], line_symbol(1), "run-10")
    axis = value_axis(data.points, fraction=True, title="Misalignment rate")
    chart = curve_chart(data, data.points["panel"].iloc[0], axis, style, title="x", subtitle=["y"])
    spec = chart.to_dict()
    bound = next(param for param in spec["params"] if param["name"] == SHARED)
    assert bound["bind"] == {"element": "#legend-of-test"}
    # All of them, not the first drawn alone, at either end of the legend.
    seen = {
        hidden: sum(svg.count(f'aria-label="{run}@1, e1') for run in style.colours)
        for hidden in ("", "run-00", f"run-00{BETWEEN}run-10")
        for svg in [svgs_of([_with(spec_of(chart, "light"), hidden)])[0]]
    }
    assert seen == {"": 11, "run-00": 10, f"run-00{BETWEEN}run-10": 9}
    # A file has no page around it, and shows all of them.
    assert "bind" not in next(param for param in spec_of(chart, "light")["params"] if param["name"] == SHARED)


def _with(spec: dict[str, Any], hidden: str) -> dict[str, Any]:
    """A chart as it is while its legend hides some series."""
    params = [{**param, "value": hidden} if param["name"] == SHARED else param for param in spec["params"]]
    return {**spec, "params": params}


@pytest.mark.parametrize("lines", [2, 8, 20])
def test_marks_beside_each_other_stay_near_their_step(lines: int) -> None:
    outermost = beside([str(line) for line in range(lines)])["0"]
    expression = dodged([0.0, 0.5, 1.0], lines)
    apart = float(expression.partition("min(")[2].partition(",")[0])
    assert abs(outermost) * apart == pytest.approx(reach(lines))
    assert reach(lines) <= 7
