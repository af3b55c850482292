"""What is written down of exports, where they are done."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard import links, runtime
from dashboard.parts import controls
from dashboard.parts.reader import reader
from dashboard.review import audit


def note_export(what: str, runs: Sequence[str]) -> None:
    """Write down that the reader took something away as a file.

    Args:
        what: In words: "rates as CSV".
        runs: All the runs that it tells of.
    """
    page = st.session_state.get(controls.PAGE, "")
    address = {name: st.query_params.get_all(name) for name in st.query_params}
    audit.record(
        runtime.store(), reader().name, "export", what, address=f"{page}?{links.query(address)}", runs=sorted(set(runs))
    )
