"""Doing what a reader asked for, and saying on the page why it could not be done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from dashboard.access import Role
from dashboard.kit.page.reader import require
from dashboard.kit.text.plain import escaped
from loaders.errors import DriftlineError

NOTICE = "probe_notice"


def attempt(act: Callable[[], Any], role: Role = "prober", where: str = NOTICE) -> None:
    """Do something for a reader who may, and keep the reason for the page where it can't be done.

    Args:
        act: What is done.
        role: That the reader must have, whatever controls the page showed.
        where: The place on the page that will tell.
    """
    try:
        require(role)
        act()
    except DriftlineError as error:
        st.session_state[where] = str(error)


def notice(where: str = NOTICE) -> None:
    """Say, once, why something could not be done."""
    told = st.session_state.pop(where, None)
    if told:
        st.html(f'<div class="dl-notice" role="alert">{escaped(told)}</div>')
