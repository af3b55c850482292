"""Every plot of the reference study: by choices on a page alone, restored by its link, with the published numbers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import parse_qs

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.links import BOUND
from loaders.makers.demo.figures import CLAIMS, POINTS
from loaders.makers.demo.points import HONEYPOTS, Claim, Count, Level, Point
from loaders.makers.demo.writer import DEMO
from tests.pages import address, datasets, opened, shown
from tests.pages import choose as in_panel
from tests.plots import ENVIRONMENTS, PLOTS, Plot, links
from tests.real_stores import shared

pytestmark = pytest.mark.slow

BY_ROW = {plot.row: plot for plot in PLOTS}


@pytest.fixture(autouse=True, scope="module")
def _demo() -> Iterator[None]:
    with shown(shared(DEMO).store):
        yield


def choose(app: AppTest, key: str, value: Any) -> None:
    """Pick something in the widget with this key, whatever its kind."""
    if key.endswith(("_run", "_checkpoint")):
        in_panel(app, key, value)
        assert not app.exception
        return
    for widgets in (app.multiselect, app.selectbox, app.segmented_control, app.toggle):
        for widget in widgets:
            if widget.key == key:
                widget.set_value(value)
                app.run()
                assert not app.exception
                return
    raise AssertionError(f"the page has no widget {key}")


@cache
def link(row: int) -> dict[str, tuple[str, ...]]:
    """The address that a reader ends up with.

    What is bound to the address stands in it by the browser's own doing, which is not there in this process; the
    browser tests see it do so.
    """
    plot = BY_ROW[row]
    app = opened(plot.page)
    for key, value in plot.choices.items():
        choose(app, key, value)
    bound = {name: [value] for name, value in plot.choices.items() if name in BOUND}
    return {name: tuple(values) for name, values in (address(app) | bound).items()}


@cache
def restored(row: int) -> AppTest:
    """The page as its link opens it, in a session of its own."""
    return opened(BY_ROW[row].page, **{name: list(values) for name, values in link(row).items()})


REPEATED = "baseline-sft@400"
"""Evaluated twice in the demo study."""


@cache
def drawn(row: int) -> pd.DataFrame:
    """The points behind the charts of a plot, each once."""
    found = {}
    for _, frame in datasets(restored(row)):
        if "point" in frame and ("definition" in frame or "x_low" in frame):
            found |= {point["point"]: point for point in frame.to_dict("records")}
    return pd.DataFrame(list(found.values()))


def checkpoint(run: str, step: int | None) -> str:
    return f"{run}@{'final' if step is None else step}"


def told(plot: Plot) -> dict[tuple[str, ...], float]:
    """What the demo study says of a plot, read from its figures: checkpoint, eval and values of the split -> number."""
    points: dict[tuple[str, ...], float] = {}
    members: dict[str, dict[str, float]] = {}
    for point in POINTS:
        if plot.row not in point.rows or point.logged is not None or point.run not in (plot.runs or {point.run}):
            continue
        where = checkpoint(point.run, point.step)
        if "honeypots" in plot.evals and point.eval in HONEYPOTS:
            # The line goes through the last of several logs of a checkpoint.
            members.setdefault(where, {})[point.eval] = _number(point)
        elif point.eval in plot.evals and not isinstance(point.result, (Count, Level)):
            points |= {(where, point.eval, name): mean for name, mean in point.result.means.items()}
        elif point.eval in plot.evals:
            points[(where, point.eval, *_split(plot, point))] = _number(point)
    assert all(len(values) == 3 for values in members.values())
    return points | {(where, "honeypots"): sum(values.values()) / 3 for where, values in members.items()}


def _number(point: Point) -> float:
    assert isinstance(point.result, (Count, Level))
    return point.result.k / point.result.scored if isinstance(point.result, Count) else point.result.mean


def _split(plot: Plot, point: Point) -> tuple[str, ...]:
    return tuple(str(point.variant if name == "variant" else point.metadata[name]) for name in plot.series)


@pytest.mark.parametrize("row", BY_ROW)
def test_the_link_restores_what_was_picked_and_stands_in_the_readme(row: int) -> None:
    again = {name: tuple(values) for name, values in address(restored(row)).items()}
    assert again == link(row)
    page, _, query = links()[row].partition("?")
    assert page == f"/{BY_ROW[row].page}"
    assert {name: tuple(values) for name, values in parse_qs(query).items()} == link(row)
    assert len(drawn(row))


@pytest.mark.parametrize("row", sorted(BY_ROW.keys() - {9}))
def test_every_number_of_the_plot_is_behind_it(row: int) -> None:
    plot, points = BY_ROW[row], drawn(row)
    columns = ["checkpoint", "eval", *(["metric"] if row == 5 else []), *("split", "split2")[: len(plot.series)]]
    found = points.set_index(points[columns].astype(str).agg(tuple, axis=1))
    values = told(plot)
    assert values
    for name, value in values.items():
        at = (*name[:2], f"{name[2]}_mean") if row == 5 else name
        assert at in found.index, (at, list(found.index))
        point = found.loc[[at]].iloc[0]
        # Means are told as near as the scores' grid allows; of an eval that was repeated, both logs are pooled.
        near = 0.02 if name[0] == REPEATED else 1e-9
        assert point["rate"] == pytest.approx(value, abs=near if point["kind"] == "rate" else 0.06 * max(1, value / 10))
        assert point["low"] < point["rate"] < point["high"] or point["rate"] in (0, 1)
        assert point["definition"]


def test_the_environments_have_one_line_each() -> None:
    lines = pd.concat(frame for _, frame in datasets(restored(12)) if {"line", "series"} <= set(frame))
    assert sorted(lines["series"].unique()) == ENVIRONMENTS
    assert lines["line"].nunique() == len(ENVIRONMENTS)


def test_two_evals_are_drawn_against_each_other_with_both_intervals() -> None:
    points = drawn(9).set_index("checkpoint")
    adherence = {name[0]: value for name, value in told(BY_ROW[9]).items()}
    honeypots = {name[0]: value for name, value in (told(BY_ROW[4]) | _averages(3)).items() if name[1] == "honeypots"}
    assert set(points.index) == set(adherence)
    for name, point in points.iterrows():
        assert point["x"] == pytest.approx(adherence[name], abs=0.06)
        assert point["y"] == pytest.approx(honeypots[name])
        assert point["x_low"] < point["x"] < point["x_high"]
        assert point["y_low"] < point["y"] < point["y_high"]
    assert points.loc["sonnet-4-like@0", "tokens"] == 0
    assert points.loc["large-honeypots@1700", "tokens"] == 85_000_000


def _averages(row: int) -> dict[tuple[str, ...], float]:
    """The average of the three honeypots at the checkpoints of a row that draws them one by one."""
    one_by_one = told(BY_ROW[row])
    checkpoints = dict.fromkeys(name[0] for name in one_by_one)
    return {(at, "honeypots"): sum(one_by_one[at, name] for name in HONEYPOTS) / 3 for at in checkpoints}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"row {claim.row}: {claim.text}")
def test_published_numbers_are_drawn(claim: Claim) -> None:
    points = drawn(claim.row)
    of = points[(points["checkpoint"] == checkpoint(claim.run, claim.step)) & (points["eval"] == claim.eval)]
    assert len(of) == 1
    assert of["rate"].iloc[0] == pytest.approx(claim.value, abs=claim.within + 1e-9)
    if claim.tokens is not None:
        assert of["tokens"].iloc[0] == claim.tokens


@pytest.mark.parametrize("model", ["haiku-4.5", "opus-4.5"])
def test_nothing_of_a_hundred_is_drawn_with_its_upper_bound(model: str) -> None:
    points = drawn(14)
    of = points[points["checkpoint"] == f"{model}@final"].iloc[0]
    assert (of["k"], of["n"], of["rate"]) == (0, 100, 0)
    assert of["high"] == pytest.approx(0.0370, abs=5e-5)
