"""A chart as a specification that stands alone: its data inside, and looking as it does on the pages.

On a page Streamlit adds its theme in the browser. What leaves the page has to carry the same look with it.
"""

from __future__ import annotations

from typing import Any

import altair as alt

from dashboard.charts.palette import INKS, Scheme

FONT = "Source Sans, Source Sans Pro, Liberation Sans, Arimo, Arial, sans-serif"
"""The pages' own, and where a reader doesn't have it, one that the drawing program brings along."""

WIDTH = 860
"""Pixels of a picture: what a page of text has room for."""


def look(scheme: Scheme) -> dict[str, Any]:
    """Vega-Lite's configuration for charts outside the pages: what Streamlit's theme does to them there."""
    ink = INKS[scheme]
    text = {"labelFont": FONT, "titleFont": FONT, "labelColor": ink.muted, "titleColor": ink.muted}
    plain = {"labelFontWeight": "normal", "titleFontWeight": "normal"}
    return {
        "font": FONT,
        "background": ink.paper,
        "title": {"anchor": "start", "color": ink.text, "subtitleColor": ink.muted, "fontSize": 15, "font": FONT},
        "axis": {
            **text, **plain, "labelFontSize": 12, "titleFontSize": 13, "ticks": False, "domain": False,
            "gridColor": ink.faint, "labelLimit": 180, "titlePadding": 12, "labelPadding": 10, "labelFlush": True,
            "labelOverlap": True, "labelSeparation": 4,
        },
        "legend": {**text, **plain, "labelFontSize": 13, "titleFontSize": 13, "symbolStrokeWidth": 3, "rowPadding": 4},
        "header": {**text, **plain, "labelFontSize": 12, "titleFontSize": 13},
        "view": {"strokeWidth": 0, "stroke": "transparent"},
        "axisDiscrete": {"grid": False},
        "axisXPoint": {"grid": False},
        "axisXBand": {"grid": False},
        "bar": {"discreteBandSize": {"band": 0.85}},
    }  # fmt: skip


def spec_of(chart: Any, scheme: Scheme, width: int = WIDTH) -> dict[str, Any]:
    """The Vega-Lite specification of a chart, with its data, its look and its width inside.

    Args:
        chart: An Altair chart as the pages draw it.
        scheme: For which it was drawn.
        width: Pixels of the whole picture.

    Returns:
        JSON's types only; rows of any number.
    """
    alone = _with_data(chart.copy(deep=True))
    found: dict[str, Any] = alone.to_dict()
    own = found.get("config", {})
    config = {
        name: {**value, **own.get(name, {})} if isinstance(value, dict) else own.get(name, value)
        for name, value in look(scheme).items()
    }
    return {**found, "width": width, "config": {**own, **config}}


def _with_data(chart: Any) -> Any:
    """Put the frames of a chart and its layers into it as values.

    Altair does so by itself, but with as many rows only as a setting of the whole process allows; sessions that
    change it for each other get each other's.
    """
    if hasattr(chart.data, "columns"):
        chart.data = alt.InlineData(values=alt.to_values(chart.data)["values"])
    for name in ("layer", "hconcat", "vconcat", "concat"):
        for part in getattr(chart, name, None) or []:
            _with_data(part)
    return chart
