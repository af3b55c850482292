"""The colours of a heatmap: from values to fills, and text that can be read on them. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from dashboard.charts.axes import ValueAxis
from dashboard.charts.palette import Scheme

STOPS: dict[Scheme, dict[str, tuple[str, ...]]] = {
    "light": {
        "lower": ("#FFF4E3", "#F9CE94", "#E08A2E", "#A24A0B", "#662A00"),
        "higher": ("#EDF5FC", "#B5D5EE", "#5FA3D6", "#1F6BAA", "#0A3A69"),
        "": ("#F4F4F5", "#D2D3D6", "#9A9CA3", "#62656E", "#33363D"),
    },
    "dark": {
        "lower": ("#2A1C10", "#5E3410", "#A8620F", "#EBA347", "#FFDFAE"),
        "higher": ("#12202E", "#1B4467", "#2F7AB5", "#79B8EA", "#D3EAFC"),
        "": ("#22252B", "#444850", "#737884", "#A9AEB8", "#E4E6EA"),
    },
}
"""From the lowest value to the highest, by which direction is better. The two directions differ in hue, orange and
blue, which all kinds of colour vision tell apart; within each, lightness runs one way: away from the page's colour."""

ON_LIGHT = "light_"
"""Begins the names of columns with the colours on light paper, where the page is dark."""

BLACK, WHITE = "#000000", "#FFFFFF"


@dataclass(frozen=True, slots=True)
class HeatScale:
    """From values to colours."""

    low: float
    high: float
    stops: tuple[str, ...]
    light_stops: tuple[str, ...] = ()
    """The same on light paper, where the page is dark: a figure is drawn on it."""

    @property
    def on_light(self) -> HeatScale:
        """The scale of a figure."""
        return replace(self, stops=self.light_stops or self.stops, light_stops=())

    def fill(self, value: float) -> str:
        """The colour of a value: interpolated between the stops."""
        share = 0.0 if self.high <= self.low else min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))
        at = min(int(share * (len(self.stops) - 1)), len(self.stops) - 2)
        part = share * (len(self.stops) - 1) - at
        pairs = zip(_rgb(self.stops[at]), _rgb(self.stops[at + 1]), strict=True)
        return "#" + "".join(f"{round(a + (b - a) * part):02X}" for a, b in pairs)

    @property
    def domain(self) -> list[float]:
        """The values of the stops."""
        span, last = self.high - self.low, len(self.stops) - 1
        return [self.low + span * at / last for at in range(last + 1)]


def heat_scale(points: pd.DataFrame, axis: ValueAxis, scheme: Scheme) -> HeatScale:
    """The scale of a panel: rates from 0 to the axis' end, means from the least to the greatest estimate.

    Args:
        points: The panel's rows of `category_points`; all have the same direction.
        axis: The panel's axis: panels in per cent share it.
        scheme: Light or dark.
    """
    direction = str(points["better"].iloc[0])
    stops, on_light = (STOPS[of].get(direction, STOPS[of][""]) for of in (scheme, "light"))
    light = on_light if on_light != stops else ()
    rates = points["rate"].dropna()
    if axis.number.endswith("%") or rates.empty:
        return HeatScale(max(axis.low, 0.0), min(axis.high, 1.0), stops, light)
    return HeatScale(float(rates.min()), float(rates.max()), stops, light)


def readable_on(fill: str) -> str:
    """Black or white, whichever has more contrast on a colour: at least 4.5 to 1 on any."""
    return max((BLACK, WHITE), key=lambda ink: contrast(ink, fill))


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, 1 to 21, by the formula of WCAG 2.2 (relative luminance)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    channels = [c / 255 for c in _rgb(colour)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
