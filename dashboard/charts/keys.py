"""An entry of a legend that stands outside the charts: plain values, for pages and files alike."""

from __future__ import annotations

from typing import NamedTuple


class Key(NamedTuple):
    """How a series looks in all charts that share the legend."""

    label: str
    colour: str
    """As #RRGGBB."""
    symbol: str = ""
    """SVG path of a piece of its line, 4 wide around 0, where dash and marker tell the series apart; else a disc."""
    series: str = ""
    """What the charts call it."""
