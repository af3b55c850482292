"""Which colour a run has, on every page the same, and the few inks that depend on a light or dark background."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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


def assign_colours(named: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    """Give every name a colour: its own where its card says one, otherwise the next free one of the palette.

    Args:
        named: (name, own colour or None) in the study's order, all of them, not only those in the picture: the
            colour of a run must not depend on what else is selected.

    Returns:
        Name to "#RRGGBB" (or whatever colour the card gives). Beyond the palette colours come again.
    """
    entries = list(dict.fromkeys(named))
    own = {name: colour for name, colour in entries if colour}
    taken = {colour.lower() for colour in own.values()}
    free = [colour for colour in PALETTE if colour.lower() not in taken] or list(PALETTE)
    colours: dict[str, str] = {}
    given = 0
    for name, _ in entries:
        if name in own:
            colours[name] = own[name]
        elif name not in colours:
            colours[name] = free[given % len(free)]
            given += 1
    return colours
