"""The views of an audit: what its target saw, in the end and in branches that were left, the auditor, and both."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from dashboard.app_pages.transcript.sample_notes import forget_message, pick_message
from dashboard.kit.pickers import controls
from loaders.records import AUDITOR_VIEW, BRANCH, COMBINED_VIEW, TARGET_VIEW, branch_view

VIEWS = {TARGET_VIEW: "Target", AUDITOR_VIEW: "Auditor", COMBINED_VIEW: "Combined"}
MOST_BRANCHES = 12
"""Of more, the first are offered: the others are in the download."""
SHOWN = "_transcript_view"
HELP = (
    "Whose messages are shown. Target: what the audited model saw in the end. Auditor: what the auditor saw, with its"
    " instructions. Combined: what both said. Branch: what the target saw in a branch that the auditor left, by rolling"
    " back or restarting."
)


def view_title(name: str) -> str:
    """A view as it is named within a line."""
    return name.replace("-", " ") if name.startswith(BRANCH) else f"{name} view"


def switch_view(others: Collection[str]) -> str:
    """The view that is shown; there is no choice where a sample has only its own messages.

    Args:
        others: The views that it has besides the target's.
    """
    options = {name: title for name, title in VIEWS.items() if name == TARGET_VIEW or name in others}
    branches = sorted(int(name.removeprefix(BRANCH)) for name in others if name.startswith(BRANCH))
    options |= {branch_view(number): f"Branch {number}" for number in branches[:MOST_BRANCHES]}
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
