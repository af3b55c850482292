"""Where the names of points stand in a picture, so that they cover neither each other nor the points. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

CHARACTER, LINE, RISE, FALL = 5.4, 12.0, 9.0, 3.0
"""Pixels of a small letter, of a line, and of what rises over and hangs under the line that letters stand on."""

MARK = 7.0
"""Pixels from a point's middle to its rim."""

WORSE = 4.0
"""A name over a point is so many times worse than one over a part of another name."""

WIDTHS = (290.0, 420.0, 560.0, 720.0, 800.0)
"""Of plots, in pixels, from a telephone's to a wide screen's."""

Align = Literal["left", "center", "right"]


class Place(NamedTuple):
    """Of a text beside its point: how it is aligned, and how far off it is, in pixels."""

    align: Align
    dx: int
    dy: int


PLACES: tuple[Place, ...] = (
    Place("left", 10, -8), Place("right", -10, -8), Place("left", 10, 14), Place("right", -10, 14),
    Place("center", 0, -12), Place("center", 0, 20), Place("left", 10, -20), Place("right", -10, -20),
    Place("left", 10, 26), Place("right", -10, 26), Place("center", 0, -24), Place("center", 0, 32),
)  # fmt: skip
"""Those that are tried, the nearest and most usual first."""


class Box(NamedTuple):
    """Pixels, y downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def covers(self, other: Box) -> float:
        """Square pixels that both have."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, wide) * max(0.0, high)


def place_labels(points: Sequence[tuple[float, float]], texts: Sequence[str], height: float) -> list[Place]:
    """Choose a place for each name, from the left to the right: the first that covers nothing, else the least bad.

    How wide the picture will be isn't known: a place is judged by all `WIDTHS`.

    Args:
        points: Across as a share of the width, down in pixels.
        texts: Their names.
        height: Of the picture, in pixels.
    """
    spots = [[(x * width, y) for x, y in points] for width in WIDTHS]
    marks = [[Box(x - MARK, y - MARK, x + MARK, y + MARK) for x, y in of] for of in spots]

    def boxes(at: int, place: Place) -> list[Box]:
        return [box_of(of[at], texts[at], place) for of in spots]

    def alone(at: int, place: Place) -> float:
        return sum(
            WORSE * sum(map(box.covers, near)) + LINE * _outside(box, width, height)
            for box, near, width in zip(boxes(at, place), marks, WIDTHS, strict=True)
        )

    tried = [{place: (boxes(at, place), alone(at, place)) for place in PLACES} for at in range(len(points))]
    chosen: dict[int, Place] = {}
    # Twice: those that came first see what came after them.
    for at in sorted(range(len(points)), key=points.__getitem__) * 2:
        others = [tried[other][place][0] for other, place in chosen.items() if other != at]
        cost = {
            place: bad + sum(box.covers(there) for other in others for box, there in zip(mine, other, strict=True))
            for place, (mine, bad) in tried[at].items()
        }
        chosen[at] = min(PLACES, key=cost.__getitem__)
    return [chosen[at] for at in range(len(points))]


def box_of(point: tuple[float, float], text: str, place: Place) -> Box:
    """The room that a name takes.

    Args:
        point: In pixels, y downwards.
        text: The name.
        place: Where it stands.
    """
    wide = CHARACTER * len(text)
    start = point[0] + place.dx - {"left": 0.0, "center": wide / 2, "right": wide}[place.align]
    line = point[1] + place.dy
    return Box(start, line - RISE, start + wide, line + FALL)


def _outside(box: Box, width: float, height: float) -> float:
    return max(0.0, -box.left) + max(0.0, box.right - width) + max(0.0, -box.top) + max(0.0, box.bottom - height)


def spread(at: Sequence[float], apart: float, length: float) -> list[float]:
    """Move places along a line apart, as little as it takes, and keep them on it where they all have room.

    Args:
        at: Where each would like to be.
        apart: From one to the next, at least.
        length: Of the line, from 0.
    """
    order = sorted(range(len(at)), key=at.__getitem__)
    # Groups of neighbours that touch: each stands about the mean of what its members wish.
    groups: list[list[int]] = []

    def start(group: list[int]) -> float:
        wish = sum(at[index] - place * apart for place, index in enumerate(group)) / len(group)
        return min(max(0.0, wish), max(0.0, length - apart * (len(group) - 1)))

    for index in order:
        groups.append([index])
        while len(groups) > 1 and start(groups[-2]) + apart * len(groups[-2]) > start(groups[-1]):
            groups[-2:] = [groups[-2] + groups[-1]]
    found = [0.0] * len(at)
    for group in groups:
        for place, index in enumerate(group):
            found[index] = start(group) + place * apart
    return found
