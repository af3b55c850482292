"""Who reads this page, and a look into the store that finds only what that reader may see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import streamlit as st

from dashboard import runtime
from dashboard.access import Reader

NAME, NOBODY_NAMED = "_reader_name", "anonymous"
LONGEST_NAME = 80


def reader() -> Reader:
    """Who reads. Where nobody signs in, everybody is who they say, and may do everything."""
    return Reader(str(st.session_state.get(NAME) or "").strip() or NOBODY_NAMED, "admin")


@contextmanager
def cursor() -> Iterator[duckdb.DuckDBPyConnection]:
    """A cursor that finds nothing of the runs that the reader may not see. Pages read by no other."""
    with runtime.store().cursor(hidden=reader().hidden) as found:
        yield found


def name_field(place: str) -> None:
    """Ask for the reader's name, where nobody signs in.

    Args:
        place: Tells the fields of one page apart. All of them show the same name.
    """
    if reader().signed_in:
        return
    key, name = f"{NAME}_{place}", st.session_state.get(NAME, "")
    if st.session_state.get(key) != name:
        st.session_state[key] = name
    st.text_input(
        "Your name", key=key, placeholder=NOBODY_NAMED, max_chars=LONGEST_NAME, on_change=_take_name, args=(key,)
    )


def _take_name(key: str) -> None:
    st.session_state[NAME] = st.session_state[key].strip()
