"""The views of an audit: what its target saw, what the auditor did, and both combined."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from dashboard.app_pages.transcript.sample_notes import forget_message, pick_message
from dashboard.kit.pickers import controls
from dashboard.queries.transcript import TARGET_VIEW
from loaders.records import AUDITOR_VIEW, COMBINED_VIEW

VIEWS = {TARGET_VIEW: "Target", AUDITOR_VIEW: "Auditor", COMBINED_VIEW: "Combined"}
SHOWN = "_transcript_view"
HELP = (
    "Whose messages are shown. Target: what the audited model saw in the end. Auditor: what the auditor saw, with its"
    " instructions. Combined: what both said."
)


def switch_view(others: Collection[str]) -> str:
    """The view that is shown; there is no choice where a sample has only its own messages.

    Args:
        others: The views that it has besides the target's.
    """
    options = {name: title for name, title in VIEWS.items() if name == TARGET_VIEW or name in others}
    view = controls.switch("View", "view", options, help=HELP) if others else TARGET_VIEW
    before = st.session_state.get(SHOWN, view)
    st.session_state[SHOWN] = view
    if view != before and controls.source() is None:
        forget_message()  # messages of another view have other numbers
    return view


def pick_in_view(number: int, view: str) -> None:
    """Show a view, with one of its messages marked, by its number from 1."""
    controls.put_switch("view", view)
    st.session_state[SHOWN] = view
    pick_message(number)
