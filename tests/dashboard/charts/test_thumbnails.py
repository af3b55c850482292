"""Small pictures: which numbers of an address they show, and where."""

from __future__ import annotations

import pandas as pd
import pytest

from dashboard.charts.thumbnails import Plan, plan_of, thumbnail_points
from tests.rates_rows import rate_row, rates_frame


@pytest.fixture
def rates() -> pd.DataFrame:
    return rates_frame([rate_row("a", 100, 10, 20), rate_row("a", 200, 5, 20), rate_row("b", 100, 20, 20)])


def placed(rates: pd.DataFrame, plan: Plan) -> dict[str, float]:
    points = thumbnail_points(rates, plan, {"a": 0, "b": 300})
    return dict(zip(points["checkpoint"], points["x"].round(2), strict=True))


def test_lines_go_along_steps_with_those_of_the_parents_where_the_address_says_so(rates: pd.DataFrame) -> None:
    assert placed(rates, plan_of("curves", {})) == {"a@100": 0.08, "a@200": 0.92, "b@100": 0.08}
    assert placed(rates, plan_of("curves", {"x": ["lineage"]})) == {"a@100": 0.08, "a@200": 0.36, "b@100": 0.92}


def test_bars_are_the_latest_of_each_run_in_the_order_of_the_address(rates: pd.DataFrame) -> None:
    plan = plan_of("mixes", {"view": ["ablations"], "run": ["b", "a"]})
    assert placed(rates, plan) == {"b@100": 0.08, "a@200": 0.92}
    named = plan_of("assessment", {"checkpoint": ["a@200", "a@100"]})
    assert placed(rates, named) == {"a@200": 0.08, "a@100": 0.92}


def test_heights_are_shares_of_the_highest_bound(rates: pd.DataFrame) -> None:
    points = thumbnail_points(rates, plan_of("curves", {}), {})
    top = points.set_index("checkpoint")["y"]
    assert points["y_high"].max() == 1
    assert top["a@100"] == pytest.approx(0.5 / points["high"].max())


def test_what_has_no_place_is_not_drawn(rates: pd.DataFrame) -> None:
    assert thumbnail_points(rates, plan_of("mixes", {"view": ["eval-vs-eval"]}), {}).empty
    assert thumbnail_points(rates.iloc[:0], plan_of("curves", {}), {}).empty
