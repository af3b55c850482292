"""Colours that are told apart: by all kinds of colour vision, and from light and dark paper."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from dashboard.charts.palette import (
    BETTER,
    DASHES,
    INKS,
    PALETTE,
    SHAPES,
    WORSE,
    assign_colours,
    dash_of,
    looks_of,
    shape_of,
)

# Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency", IEEE
# TVCG 15 (2009), table 1, severity 1.0; applied to linear RGB.
MACHADO = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
SEEN = {"usual": np.eye(3)} | {name: np.array(matrix) for name, matrix in MACHADO.items()}

# sRGB (IEC 61966-2-1) to XYZ, D65.
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = XYZ @ np.ones(3)

LEAST_DIFFERENCE = 10.0
"""CIEDE2000, of any two of the first eight colours. 1 is just noticeable side by side; 10 is seen at a glance."""

LEAST_CONTRAST = 3.0
"""WCAG 2.2, success criterion 1.4.11, for graphical objects."""


def linear(colour: str) -> np.ndarray:
    """A colour "#RRGGBB" as linear RGB."""
    value = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(colour: str, seen: np.ndarray) -> np.ndarray:
    """CIELAB of a colour, as somebody sees it."""
    ratio = XYZ @ np.clip(seen @ linear(colour), 0, 1) / WHITE
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def ciede2000(one: np.ndarray, other: np.ndarray) -> float:
    """Sharma, Wu and Dalal, "The CIEDE2000 color-difference formula", Color Research and Application 30 (2005)."""
    chroma = (np.hypot(*one[1:]) + np.hypot(*other[1:])) / 2
    g = 0.5 * (1 - np.sqrt(chroma**7 / (chroma**7 + 25.0**7)))
    (l1, a1, b1), (l2, a2, b2) = ((c[0], (1 + g) * c[1], c[2]) for c in (one, other))
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = 0.0 if c1 * c2 == 0 else (h2 - h1 + 180) % 360 - 180
    hue_difference = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    lightness, c = (l1 + l2) / 2, (c1 + c2) / 2
    hue = h1 + h2 if c1 * c2 == 0 else (h1 + turn / 2) % 360
    t = (
        1
        - 0.17 * np.cos(np.radians(hue - 30))
        + 0.24 * np.cos(np.radians(2 * hue))
        + 0.32 * np.cos(np.radians(3 * hue + 6))
        - 0.20 * np.cos(np.radians(4 * hue - 63))
    )
    s_l = 1 + 0.015 * (lightness - 50) ** 2 / np.sqrt(20 + (lightness - 50) ** 2)
    s_c, s_h = 1 + 0.045 * c, 1 + 0.015 * c * t
    turned = 2 * np.sqrt(c**7 / (c**7 + 25.0**7)) * np.sin(np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2))))
    parts = (l2 - l1) / s_l, (c2 - c1) / s_c, hue_difference / s_h
    return float(np.sqrt(sum(part**2 for part in parts) - turned * parts[1] * parts[2]))


def contrast(one: str, other: str) -> float:
    """Contrast ratio of WCAG 2: from 1 to 21."""
    light, dark = sorted((float(XYZ[1] @ linear(colour)) for colour in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_colour_difference_is_that_of_the_published_test_data() -> None:
    # Pairs 1, 7, 13, 17 and 25 of table 1 in Sharma, Wu and Dalal.
    for one, other, expected in (
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
        ((50.0, -0.001, 2.49), (50.0, 0.0009, -2.49), 4.8045),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ):
        assert ciede2000(np.array(one), np.array(other)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("vision", SEEN)
def test_the_first_eight_colours_are_told_apart_by_every_kind_of_colour_vision(vision: str) -> None:
    seen = {colour: lab(colour, SEEN[vision]) for colour in PALETTE[:8]}
    close = {
        (one, other): round(difference, 1)
        for one, other in combinations(seen, 2)
        if (difference := ciede2000(seen[one], seen[other])) < LEAST_DIFFERENCE
    }
    assert close == {}


@pytest.mark.parametrize("vision", SEEN)
def test_better_and_worse_are_told_apart_by_every_kind_of_colour_vision(vision: str) -> None:
    assert ciede2000(lab(BETTER, SEEN[vision]), lab(WORSE, SEEN[vision])) >= LEAST_DIFFERENCE


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_marks_stand_out_from_their_paper(scheme: str) -> None:
    paper = INKS[scheme].paper  # type: ignore[index]
    assert {colour: contrast(colour, paper) for colour in PALETTE if contrast(colour, paper) < LEAST_CONTRAST} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_on_their_paper_are_readable(scheme: str) -> None:
    ink = INKS[scheme]  # type: ignore[index]
    # WCAG 2.2, 1.4.3, for text.
    assert min(contrast(colour, ink.paper) for colour in (ink.text, ink.muted, ink.alert)) >= 4.5


def test_print_in_grey_is_told_apart_by_shape_and_dash() -> None:
    assert len(set(SHAPES)) == len(SHAPES) >= 6
    assert len(set(DASHES)) == len(DASHES) >= 4


def test_a_run_keeps_its_colour_whatever_else_there_is() -> None:
    alone = assign_colours([("b", None)])
    among = assign_colours([(name, None) for name in "zab"] + [("c", alone["b"])])
    assert among["b"] == alone["b"]
    assert assign_colours([("b", "#123456")]) == {"b": "#123456"}
    assert set(assign_colours((f"run-{number}", None) for number in range(100)).values()) == set(PALETTE)


def test_no_two_of_ten_lines_are_alike_even_if_all_have_one_colour() -> None:
    for colours in ({f"run-{at}": "#0072B2" for at in range(10)}, assign_colours((f"r{at}", None) for at in range(10))):
        looks = looks_of(colours)
        seen = {(colours[name], dash_of(look), shape_of(look)) for name, look in looks.items()}
        assert len(seen) == 10


def test_the_order_of_the_study_changes_no_dash() -> None:
    colours = dict.fromkeys(("b", "a", "c"), "#0072B2")
    assert looks_of(colours) == looks_of(dict(reversed(colours.items()))) == {"a": 0, "b": 1, "c": 2}
