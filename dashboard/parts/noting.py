"""Files that readers take away: written down where they are made, at the moment that they are taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from dashboard import links, runtime
from dashboard.parts import controls, shell
from dashboard.parts.reader import reader
from dashboard.review import audit

NAMING = ("run", "checkpoint", "baseline", "parent")
"""Columns that name runs, by themselves or with a step behind an @."""


def noted(what: str, runs: Sequence[str], make: Callable[[], bytes]) -> Callable[[], bytes]:
    """What makes a file when its button is clicked, and writes down who took it.

    It runs outside of the page's script, where nobody knows who reads: what it needs is looked up now.

    Args:
        what: The file in words: "rates as CSV".
        runs: All the runs that it tells of.
        make: Makes its content.
    """
    store, who, as_of = runtime.store(), reader().name, shell.as_of()
    address = {name: st.query_params.get_all(name) for name in st.query_params}
    page = f"{st.session_state.get(controls.PAGE, '')}?{links.query(address)}"

    def made() -> bytes:
        content = make()
        details = {"bytes": len(content), "as_of": as_of}
        audit.record(store, who, "export", what, address=page, runs=sorted(set(runs)), details=details)
        return content

    return made


def runs_in(frame: pd.DataFrame) -> list[str]:
    """The runs that a table names."""
    told = [frame[name].dropna().astype(str) for name in NAMING if name in frame]
    return sorted({text.rpartition("@")[0] or text for texts in told for text in texts})
