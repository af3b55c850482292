"""Highlights: the places that judges and scanners point to, each with a way to its message."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from dashboard.app_pages.transcript.views import view_title
from dashboard.kit.text.plain import escaped
from dashboard.kit.text.references import Reference
from loaders.records import TARGET_VIEW


def highlights(found: Sequence[Reference], pick: Callable[[int, str], None]) -> None:
    """List them in their order.

    Args:
        found: Not empty.
        pick: Is told the number of the message that was chosen, and its view.
    """
    with st.expander(f"Highlights ({len(found)})", expanded=True):
        for at, one in enumerate(found):
            if one.message is None:
                st.html('<span class="dl-note">Not in this conversation</span>')
            else:
                where = "" if one.view == TARGET_VIEW else f", {view_title(one.view)}"
                st.button(
                    f"Message {one.message}{where}", key=f"highlight_{at}", on_click=pick, args=(one.message, one.view),
                    type="tertiary", icon=":material/arrow_back:", help=f"Cited by {one.by}".replace("_", r"\_"),
                )  # fmt: skip
            if one.said:
                st.html("<br>".join(map(escaped, one.said.split("\n"))))
