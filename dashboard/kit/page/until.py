"""Until when people's verdicts count: a link that names the time shows the same numbers ever after."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from dashboard.kit.pickers import controls

UNTIL = "until"
KEPT, DRAWN = "_until_kept", "_until_drawn"


def until() -> datetime | None:
    """The time that the page's address names (UTC, without a zone); None where all verdicts count.

    What is no time is said, and counts as none.
    """
    restored = controls.restored(UNTIL)
    if controls.source() is not None:
        st.session_state[KEPT] = restored[0] if restored else None
    st.session_state[DRAWN] = datetime.now(UTC).replace(tzinfo=None)
    named: str | None = st.session_state.get(KEPT)
    if named is None:
        return None
    at = _time_of(named)
    if at is None:
        st.session_state[KEPT] = None
        st.html('<div class="dl-note">Invalid time in the address: all human labels count.</div>')
        return None
    controls.remember(UNTIL, named)
    return at


def forget() -> None:
    """Let all verdicts count."""
    st.session_state[KEPT] = None


def pinned_until() -> str:
    """What a shared link says as `until`, so that it shows the verdicts that are shown now. UTC, to the microsecond."""
    named: str | None = st.session_state.get(KEPT)
    drawn: datetime = st.session_state.get(DRAWN) or datetime.now(UTC).replace(tzinfo=None)
    return named or drawn.isoformat(timespec="microseconds")


def _time_of(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is None else at.astimezone(UTC).replace(tzinfo=None)
