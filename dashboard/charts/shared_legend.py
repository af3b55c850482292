"""One legend for several charts: how each series looks in all of them, and which of them it leaves in sight.

The legend is an element of the page whose value names what is hidden. Every chart is bound to it, so that one click
hides a line in all of them, and nothing is drawn anew on the server: see `dashboard/legend.js`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import altair as alt

from dashboard.charts.keys import Key
from dashboard.charts.line_ends import line_symbol
from dashboard.charts.marks import MarkStyle
from dashboard.charts.palette import looks_of

HIDDEN = "hidden_series"
"""Name of the parameter; its value is the legend's: names of series, one after the other."""

BETWEEN = "\n"
"""Stands between two names."""


def keys_of(style: MarkStyle, without: str | None = None) -> list[Key]:
    """The entries of the legend that charts of a style share.

    Args:
        style: What all charts share.
        without: A series that is not drawn.
    """
    looks = looks_of(style.colours)
    symbols = {name: line_symbol(look) if len(style.styles) < 2 else "" for name, look in looks.items()}
    return [
        Key(style.labels[name], colour, symbols[name], name)
        for name, colour in style.colours.items()
        if name != without
    ]


def obeying(layers: Sequence[alt.Chart], style: MarkStyle) -> list[alt.Chart]:
    """Layers that show what the shared legend leaves in sight; as they are where there is none.

    Args:
        layers: Of frames with column series; at least one.
        style: What all charts share.
    """
    if not style.shared_legend:
        return list(layers)
    element: Any = {"element": f"#{style.shared_legend}"}
    hidden = alt.param(name=HIDDEN, value="", bind=element)
    in_sight = f"indexof(split({HIDDEN}, {json.dumps(BETWEEN)}), datum.series) < 0"
    shown = [layer.transform_filter(in_sight) for layer in layers]
    return [*shown[:-1], shown[-1].add_params(hidden)]
