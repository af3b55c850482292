"""What others write appears without a reload: a cheap number tells the browser whether anything was written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import streamlit as st

from dashboard.access import Reader
from dashboard.kit.page import news
from dashboard.kit.page.fragments import fragment
from dashboard.kit.page.reader import cursor, standing
from dashboard.review.threads.reading import last_change

CHANGES, SHOWN = "_review_changes", "_review_shown"

Read = Callable[[duckdb.DuckDBPyConnection], Any]


def shown(name: str, read: Read) -> Any:
    """Read what people wrote of what is shown, and draw the page anew as soon as that would be something else.

    What a reader is writing meanwhile stays: its field keeps its key.

    Args:
        name: Tells the parts of a page apart that do this.
        read: Reads it; what it returns is compared.
    """
    with cursor() as found:
        st.session_state[CHANGES + name] = last_change(found)
        answer = st.session_state[SHOWN + name] = read(found)
    fragment(_watch)(name, read)
    return answer


def _watch(name: str, read: Read) -> None:
    session = st.session_state
    if not isinstance(standing(), Reader):
        # Signed out meanwhile: what stands before every page takes over.
        st.rerun(scope="app")
    with cursor() as found:
        changes = last_change(found)
        if changes != session[CHANGES + name]:
            session[CHANGES + name] = changes
            if read(found) != session[SHOWN + name]:
                st.rerun(scope="app")
    news.listen(name, "changes", changes)
