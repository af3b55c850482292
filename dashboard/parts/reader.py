"""Who reads this page, and a look into the store that finds only what that reader may see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import streamlit as st

from dashboard import runtime
from dashboard.access import Reader

NAME, NOBODY_NAMED = "_reader_name", "anonymous"


def reader() -> Reader:
    """Who reads. Where nobody signs in, everybody is who they say, and may do everything."""
    return Reader(str(st.session_state.get(NAME) or "").strip() or NOBODY_NAMED, "admin")


@contextmanager
def cursor() -> Iterator[duckdb.DuckDBPyConnection]:
    """A cursor that finds nothing of the runs that the reader may not see. Pages read by no other."""
    with runtime.store().cursor(hidden=reader().hidden) as found:
        yield found


def name_field() -> None:
    """Ask for the reader's name, where nobody signs in."""
    if not reader().signed_in:
        kept = st.session_state.get(NAME, "")
        written = st.text_input("Your name", value=kept, placeholder=NOBODY_NAMED, max_chars=80)
        st.session_state[NAME] = written.strip()
