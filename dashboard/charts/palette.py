"""Which colour a run has, on every page the same, and the few inks that depend on a light or dark background."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

Scheme = Literal["light", "dark"]

PALETTE: tuple[str, ...] = (
    "#0072B2",  # blue
    "#D48000",  # orange
    "#009E73",  # bluish green
    "#BE570A",  # vermilion
    "#009AF4",  # sky blue
    "#C57EAC",  # reddish purple
    "#7E8084",  # grey
    "#875A3B",  # brown
    "#8F8B00",  # olive
    "#6F5FBF",  # violet
)
"""Okabe and Ito's palette for all kinds of colour vision, moved as little as it takes for the first eight to differ by
at least 10 in CIEDE2000 to everybody, and for all to stand out from white and from dark paper by at least 3 to 1."""

BETTER, WORSE = "#009E73", "#D55E00"
"""Of changes: always beside an arrow and a word that say the same."""

DASHES: tuple[tuple[int, ...], ...] = ((1, 0), (6, 3), (2, 2), (8, 3, 2, 3))
"""Line patterns: solid, dashed, dotted, dash-dot. A second code beside colour."""

SHAPES: tuple[str, ...] = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross")

SIGNS = dict(zip(SHAPES, "●■▲◆▼✚", strict=True))
"""Shapes as characters, for legends in words."""


@dataclass(frozen=True, slots=True)
class Ink:
    """Colours of a chart that belong to the page and not to the data."""

    paper: str
    text: str
    muted: str
    faint: str
    alert: str


INKS: dict[Scheme, Ink] = {
    "light": Ink(paper="#ffffff", text="#1f2430", muted="#6a7080", faint="#e7e8ec", alert="#B00020"),
    "dark": Ink(paper="#14171c", text="#e6e8ec", muted="#9aa1ad", faint="#2b3038", alert="#FF8A80"),
}


def colour_of(name: str) -> str:
    """The colour that a name has wherever it is seen, whatever else is there.

    Two names may have the same one; then `looks_of` tells them apart where they meet.
    """
    return PALETTE[int.from_bytes(sha256(name.encode()).digest()[:4]) % len(PALETTE)]


def assign_colours(named: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    """Give every name a colour: its own where its card says one, otherwise that of `colour_of`.

    Args:
        named: (name, own colour or None).
    """
    return {name: own or colour_of(name) for name, own in named}


def spread_colours(names: Iterable[str]) -> dict[str, str]:
    """Give names that belong to one picture only, as values of a field, the palette's colours in turn."""
    return {name: PALETTE[at % len(PALETTE)] for at, name in enumerate(dict.fromkeys(names))}


def looks_of(colours: Mapping[str, str]) -> dict[str, int]:
    """A number for the dash and shape of each name: 0 where its colour is its own, else its place among its namesakes.

    Args:
        colours: Of all that is in one picture. The order of the names decides, not theirs in the study.
    """
    met: dict[str, int] = {}
    looks = {}
    for name in sorted(colours):
        hue = colours[name].lower()
        looks[name] = met.get(hue, 0)
        met[hue] = looks[name] + 1
    return looks


def dash_of(look: int) -> tuple[int, ...]:
    """The dash behind a number of `looks_of`."""
    return DASHES[look % len(DASHES)]


def shape_of(look: int) -> str:
    """The shape behind a number of `looks_of`."""
    return SHAPES[look % len(SHAPES)]
