"""Where the reader is: the page and its address as they stand, for what is written about them."""

from __future__ import annotations

import streamlit as st

from dashboard import links
from dashboard.kit.pickers import controls
from dashboard.pages import NAMED


def page() -> str:
    """Name of the page that is shown; "" before its first run."""
    return str(st.session_state.get(controls.PAGE, ""))


def address() -> links.Parameters:
    """The page's own parameters, without the batch. Ask it where something is clicked: then the page has been drawn."""
    of = NAMED.get(page())
    own = of.parameters if of else frozenset()
    return {name: st.query_params.get_all(name) for name in st.query_params if name in own}
