"""Times in the reader's own zone, as the browser names it; UTC in the tooltip. Files and shared texts keep UTC."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st
from markupsafe import Markup

from dashboard import numerals
from dashboard.kit.text.plain import escaped


def zone() -> tzinfo:
    """The reader's zone; UTC where the browser names none that is known here."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def time(at: datetime) -> str:
    """When, where there is no tooltip: 29 Nov 2026, 02:03 CET."""
    return numerals.time(at, zone())


def time_html(at: datetime) -> Markup:
    """When, with UTC in the tooltip."""
    return _told(numerals.time(at, zone()), numerals.time(at))


def exact_time_html(at: datetime) -> Markup:
    """When, to the second, with UTC in the tooltip."""
    return _told(numerals.exact_time(at, zone()), numerals.exact_time(at))


def clock(at: datetime) -> str:
    """When within a day: 02:03:07 CET."""
    return numerals.clock(at, zone())


def time_column(title: str, *, exact: bool = False, help: str = "") -> Any:
    """A column of times; its cells sort as such.

    Args:
        title: Over it.
        exact: To the second.
        help: More for the tooltip.
    """
    there = zone()
    return st.column_config.DatetimeColumn(
        title,
        format=numerals.COLUMN_EXACT_TIME if exact else numerals.COLUMN_TIME,
        timezone=str(there),
        help=" ".join(filter(None, (help, f"Time zone: {there}. Files have UTC."))),
    )


def _told(here: str, utc: str) -> Markup:
    # Both are made of digits and names of months and zones.
    title = "" if here == utc else f' title="{escaped(utc)}"'
    return Markup(f"<span{title}>{escaped(here)}</span>")  # noqa: S704
