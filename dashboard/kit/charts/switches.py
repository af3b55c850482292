"""Switches that change how charts are drawn and none of their numbers: only the charts are drawn anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from dashboard.kit.page.fragments import fragment


class Switches(NamedTuple):
    """What is switched on.

    Attributes:
        log: The x axis is logarithmic.
        fit: The axis of values ends where they do, instead of beginning at 0.
    """

    log: bool
    fit: bool


def switched(draw: Callable[[Switches], None], *, log: bool = False, fit: bool = True) -> None:
    """Draw charts under their switches, as a part of the page that is drawn anew by itself.

    Args:
        draw: Draws them; what it draws has no state of its own but the charts'.
        log: Whether the first is offered.
        fit: Whether the second is.
    """

    def part() -> None:
        with st.container(horizontal=True, horizontal_alignment="right"):
            on_log = log and st.toggle("Log x axis", key="log_x", bind="query-params")
            fitted = fit and st.toggle("Fit y axis to data", key="zoom", bind="query-params", help="Off: starts at 0%.")
        draw(Switches(on_log, fitted))

    fragment(part)()
