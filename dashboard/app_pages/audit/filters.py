"""What the Audit page is filtered by, out of what is written."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

import streamlit as st

from dashboard.kit.text.plain import escaped


def day(text: str) -> datetime | None:
    """The beginning of a day that was written; None where nothing was, or something else, which is said."""
    if not text:
        return None
    with suppress(ValueError):
        return datetime.strptime(text, "%Y-%m-%d")
    st.html(f'<div class="dl-notice" role="alert">{escaped(text)} is no day: write one like 2026-01-31.</div>')
    return None
