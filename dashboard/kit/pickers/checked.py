"""Names that are chosen by the checkboxes of a table's rows, of which a search may leave some out."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import streamlit as st


def chosen_after(before: Sequence[str], tables: Sequence[tuple[Sequence[str], Collection[int]]]) -> list[str]:
    """The chosen names after rows were checked or unchecked.

    A name that stands in several rows, one for each variant, is chosen by any of them and let go by any. Names that
    stand in no table, as a search left them out, stay as they were.

    Args:
        before: The chosen names when the tables were drawn.
        tables: The name of each row, and the places of the rows that are checked now.
    """
    of: dict[str, list[bool]] = {}
    for names, checked in tables:
        marked = set(checked)
        for place, name in enumerate(names):
            of.setdefault(name, []).append(place in marked)
    kept = [name for name in before if all(of.get(name, [True]))]
    return kept + [name for name, rows in of.items() if any(rows) and name not in before]


def checked_rows(key: str) -> list[int]:
    """The places of the rows that are checked in a table; none where it was not drawn yet.

    Args:
        key: Of its widget.
    """
    state = st.session_state.get(key)
    return sorted(state["selection"]["rows"]) if state else []


def check_rows(key: str, names: Sequence[str], chosen: Collection[str]) -> None:
    """Let the rows of the chosen names be checked in a table, not drawn yet.

    Args:
        key: Of its widget.
        names: The name of each of its rows.
        chosen: The chosen names.
    """
    wanted = set(chosen)
    rows = [place for place, name in enumerate(names) if name in wanted]
    if rows != checked_rows(key):
        st.session_state[key] = {"selection": {"rows": rows, "columns": [], "cells": []}}
