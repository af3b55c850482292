"""Runs that are selected in the table, kept in the address, and the pages that open on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from dashboard import links, numerals
from dashboard.charts.standing_table import chosen_checkpoints
from dashboard.kit.page import absent
from dashboard.kit.pickers import controls, kept
from dashboard.kit.pickers.checked import check_rows, checked_rows, chosen_after
from dashboard.pages import NAMED

RUN = "run"
TABLES, CHOSEN = "_overview_tables", "_overview_chosen"
"""The runs of each table as it was last drawn, by its key; and the runs that were selected then."""

MOST_COMPARED = 8
LONGEST = 1900
"""Characters of an address that any program passes on whole."""


def chosen_runs(known: Sequence[str]) -> list[str]:
    """The selected runs: from the address, or as the tables stand; they are remembered in the address.

    Args:
        known: The runs that can be selected. Others in the address are said to be none.
    """
    session, there = st.session_state, set(known)
    told = controls.restored(RUN)
    if controls.source() is None:
        drawn: dict[str, list[str]] = session.get(TABLES, {})
        tables = [(runs, checked_rows(key)) for key, runs in drawn.items() if key in session]
        before = session.get(CHOSEN, [])
        chosen = chosen_after(before, tables)
        if chosen != before:
            kept.keep_runs(chosen)
    else:
        asked = list(dict.fromkeys(kept.runs(known) if told is None else told))
        chosen = [run for run in asked if run in there]
        absent.tell(RUN, [run for run in asked if run not in there], known)
    session[TABLES], session[CHOSEN] = {}, chosen
    if fits(links.parameters(run=chosen)):
        controls.remember(RUN, chosen or None)
    return chosen


def show_checked(key: str, runs: Sequence[str], chosen: Sequence[str]) -> None:
    """Let the rows of the selected runs be checked in a table, not drawn yet, and know it when the page is drawn anew.

    Args:
        key: Of its widget.
        runs: The run of each of its rows.
        chosen: The selected runs.
    """
    st.session_state[TABLES][key] = list(runs)
    check_rows(key, runs, chosen)


def fits(address: links.Parameters) -> bool:
    """Whether an address is short enough to be shared."""
    return len(links.query(address)) <= LONGEST


def destinations(table: pd.DataFrame, chosen: Sequence[str], state: links.Parameters) -> dict[str, links.Parameters]:
    """The pages that open on some runs: name to parameters.

    Args:
        table: `TABLE_COLUMNS` of every run.
        chosen: Names of runs, at least one.
        state: What is measured, as parameters.
    """
    named = state | links.parameters(run=list(chosen))
    found = {links.CURVES: named, links.MIXES: named, links.PERSISTENCE: named}
    checkpoints = chosen_checkpoints(table, chosen)
    if 2 <= len(checkpoints) <= MOST_COMPARED:
        found[links.COMPARE] = state | links.parameters(checkpoint=checkpoints)
    return {page: address for page, address in found.items() if fits(address)}


def show_links(table: pd.DataFrame, chosen: Sequence[str], state: links.Parameters) -> None:
    """Links to the pages that open on the selected runs; they keep their place where nothing is selected.

    Args:
        table: `TABLE_COLUMNS` of every run.
        chosen: Names of runs.
        state: What is measured, as parameters.
    """
    runs = numerals.plural(len(chosen), "run")
    labels: Mapping[str, str] = {
        links.CURVES: f"Curves of {runs}",
        links.COMPARE: "Compare latest checkpoints",
        links.MIXES: "Data mixes",
        links.PERSISTENCE: "Persistence",
    }
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="overview_choice"):
        if not chosen:
            st.caption("Select runs to open them in Curves, Compare, Data mixes or Persistence.")
            return
        to = destinations(table, chosen, state)
        st.caption(f"{numerals.count(len(chosen))} selected", width="content")
        for name, label in labels.items():
            if name in to:
                page = NAMED[name]
                st.page_link(page.file, label=label, icon=f":material/{page.icon}:", query_params=to[name])
        # A link that leads nowhere would be a letter too pale to be read.
        if left := " ".join(f"{label}: {_why(name)}" for name, label in labels.items() if name not in to):
            st.caption(left)


def _why(page: str) -> str:
    return f"takes 2 to {MOST_COMPARED} checkpoints." if page == links.COMPARE else "select fewer runs."
