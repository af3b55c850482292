"""A chart as a specification that stands alone: its data inside, and looking as it does on the pages.

On a page Streamlit adds its theme in the browser. What leaves the page has to carry the same look with it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import altair as alt
import pandas as pd
from altair.utils import schemapi

from dashboard.charts.frames import content_of, table_of
from dashboard.charts.heat_scale import ON_LIGHT, STOPS
from dashboard.charts.palette import INKS, Scheme

FONT = "Source Sans, Source Sans Pro, Liberation Sans, Arimo, Arial, sans-serif"
"""The pages' own, and where a reader doesn't have it, one that the drawing program brings along."""

PARTS = ("layer", "hconcat", "vconcat", "concat")
"""Where charts hold charts."""

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
    found: dict[str, Any] = _with_frames(chart, _as_values).to_dict()
    # A legend that several charts of a page share isn't there: all lines are shown.
    free = [{name: of for name, of in param.items() if not _of_page(name, of)} for param in found.get("params", [])]
    found |= {"params": free} if free else {}
    return {**found, "width": width, "config": _under(look(scheme), found.get("config", {}))}


def on_light(spec: dict[str, Any], scheme: Scheme) -> dict[str, Any]:
    """The same chart on light paper: ground and letters are the page's; lines keep the colours that they have on both.

    Args:
        spec: From `spec_of`.
        scheme: For which it was drawn.
    """
    if scheme == "light":
        return spec
    text = json.dumps(spec)
    for name in ("paper", "text", "muted", "faint", "alert"):
        there, light = (json.dumps(getattr(INKS[of], name)) for of in (scheme, "light"))
        text = text.replace(there, light)
    for direction, stops in STOPS[scheme].items():
        text = text.replace(json.dumps(stops), json.dumps(STOPS["light"][direction]))
    for name in ("fill", "text_colour"):
        if f'"{ON_LIGHT}{name}":' in text:
            text = text.replace(f'"field": "{name}"', f'"field": "{ON_LIGHT}{name}"')
    changed: dict[str, Any] = json.loads(text)
    return changed


def _of_page(name: str, value: Any) -> bool:
    """Whether part of a parameter binds it to an element of the page."""
    return name == "bind" and isinstance(value, dict) and "element" in value


def _under(basis: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """A configuration with what is its own, and of a basis what it does not say."""
    merged = {
        name: {**value, **own.get(name, {})} if isinstance(value, dict) else own.get(name, value)
        for name, value in basis.items()
    }
    return {**own, **merged}


def page_spec(chart: Any, scheme: Scheme) -> dict[str, Any]:
    """A chart as a page shows it: its letters stand out by 4.5 to 1; those of Streamlit's theme do by 3.7.

    It is held against Vega-Lite's schema where Altair checks charts, and nowhere else: the check takes a third of the
    time of a page of charts. Tests have it, the served dashboard doesn't.

    Args:
        chart: An Altair chart as it is to be drawn on a page.
        scheme: Of the page.

    Returns:
        Vega-Lite's specification, with `datasets`: name to a table of Arrow's.
    """
    ink = INKS[scheme]
    letters = {"labelColor": ink.muted, "titleColor": ink.muted}
    colours = {
        "axis": letters, "legend": {**letters, "labelColor": ink.text}, "header": letters,
        "title": {"color": ink.text, "subtitleColor": ink.muted},
    }  # fmt: skip
    tables: dict[str, Any] = {}

    def named(frame: pd.DataFrame) -> Any:
        """The name of a frame; the same table has one name, and is sent once."""
        table = table_of(frame)
        name = hashlib.sha256(content_of(table)).hexdigest()[:16]
        tables[name] = table
        return alt.NamedData(name=name)

    found: dict[str, Any] = _with_frames(chart, named).to_dict(validate=schemapi.DEBUG_MODE)
    return {**found, "config": _under(colours, found.get("config", {})), "datasets": tables}


def stop_checking() -> None:
    """Check no chart of this process against Vega-Lite's schema: neither as it is put together nor as it is shown."""
    schemapi.disable_debug_mode()


def _with_frames(chart: Any, put: Callable[[pd.DataFrame], Any]) -> Any:
    """The chart with something else in place of each frame in it and in its layers; what it was made of stays whole.

    Args:
        chart: An Altair chart.
        put: Gives what stands in place of a frame.
    """
    other = chart.copy(deep=False)
    if hasattr(chart.data, "columns"):
        other.data = put(chart.data)
    for name in PARTS:
        if parts := getattr(chart, name, None):
            setattr(other, name, [_with_frames(part, put) for part in parts])
    return other


def _as_values(frame: pd.DataFrame) -> Any:
    """A frame's rows as values.

    Altair makes them by itself, but with as many rows only as a setting of the whole process allows; sessions that
    change it for each other get each other's.
    """
    return alt.InlineData(values=alt.to_values(frame)["values"])
