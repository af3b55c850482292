"""Names beside points: none over another, none over a point, all inside, as long as there is room."""

from __future__ import annotations

from itertools import combinations

import pytest

from dashboard.charts.label_places import LINE, MARK, Box, box_of, place_labels

HEIGHT = 380


def boxes(points: list[tuple[float, float]], texts: list[str], width: float) -> list[Box]:
    """Where names stand in a picture of some width; points as in one of 300 pixels."""
    found = place_labels([(x / 300, y) for x, y in points], texts, HEIGHT)
    spots = [(x / 300 * width, y) for x, y in points]
    return [box_of(point, text, place) for point, text, place in zip(spots, texts, found, strict=True)]


# Two evals of the demo study, as a telephone shows them.
DEMO = {
    (65.0, 72.0): "No documents", (163.0, 193.0): "Documents", (103.0, 231.0): "Sonnet 4 (untrained)",
    (109.0, 258.0): "filtered-refusals@200", (114.0, 275.0): "filtered-refusals@600",
    (223.0, 288.0): "Documents and stories", (179.0, 313.0): "difficult-advice@100", (207.0, 351.0): "Reasons added",
    (228.0, 363.0): "Large honeypots", (250.0, 351.0): "difficult-advice@300",
}  # fmt: skip


def test_a_name_alone_stands_to_the_right_and_over_its_point() -> None:
    assert place_labels([(0.3, 100)], ["a"], HEIGHT)[0] == ("left", 10, -8)


def test_a_name_at_the_edge_stays_inside() -> None:
    for point in ((0, 0), (300, 0), (0, HEIGHT), (300, HEIGHT)):
        (box,) = boxes([point], ["difficult-advice@300"], 300)
        assert min(box.left, box.top) >= 0
        assert box.right <= 300
        assert box.bottom <= HEIGHT


@pytest.mark.parametrize("width", [300, 380, 500, 640, 785])
def test_neighbours_cover_neither_each_other_nor_the_points(width: float) -> None:
    found = boxes(list(DEMO), list(DEMO.values()), width)
    spots = [(x / 300 * width, y) for x, y in DEMO]
    marks = [Box(x - MARK, y - MARK, x + MARK, y + MARK) for x, y in spots]
    assert all(one.covers(mark) == 0 for one in found for mark in marks)
    # Hairs of the space that a line takes, not letters.
    assert all(one.covers(other) < 0.3 * (one.right - one.left) * LINE for one, other in combinations(found, 2))


def test_points_on_one_spot_have_their_names_side_by_side() -> None:
    found = boxes([(150.0, 150.0)] * 4, ["one", "two", "three", "four"], 500)
    assert all(one.covers(other) == 0 for one, other in combinations(found, 2))
