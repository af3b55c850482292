"""The point that was clicked: it stands in the address, is ringed in the charts, and opens what is behind it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.charts.marks import SELECTION
from dashboard.kit.charts.drawn import show
from dashboard.kit.charts.panels import point_panel
from dashboard.kit.page import absent
from dashboard.kit.pickers import controls

POINT = "point"


def chosen_point() -> str:
    """The point that is chosen, by its name in `MARK_COLUMNS`; "" for none. Call it before the charts are drawn."""
    key = _key()
    restored = controls.restored(POINT)
    if restored is not None or key not in st.session_state:
        st.session_state[key] = restored[0] if restored else ""
    return str(st.session_state[key])


def chosen_now() -> str:
    """The same within a fragment, which is drawn anew without the page: a click may have changed it."""
    return str(st.session_state.get(_key(), ""))


def choose(point: str) -> None:
    """Choose a point by something else than a click on it."""
    st.session_state[_key()] = point


def clickable(
    chart: Any,
    key: str,
    alt: str,
    data: pd.DataFrame,
    *,
    keys: Sequence[tuple[str, str]] = (),
    runs: Sequence[str] = (),
) -> None:
    """Show a chart of which a point can be clicked, with its menu of files beneath.

    Args:
        chart: An Altair chart that holds `dashboard.charts.marks.click`.
        key: Of the widget; every chart of a page has its own.
        alt: What is to be seen, for those who don't see it, and for who reads the file.
        data: The numbers behind it, as they are exported.
        keys: Labels and colours of a legend that stands outside it.
        runs: Runs that it tells of besides those of column `run`.
    """
    show(chart, key, alt, data, on_select=partial(_choose, key), keys=keys, runs=runs)


def behind_point(
    points: pd.DataFrame, rates: pd.DataFrame, evals: pd.DataFrame, splits: Sequence[str], as_of: int
) -> None:
    """Show what is behind the point that is chosen, if it is among those drawn, and let it stand in the address.

    Args:
        points: What is drawn, with columns `point` and `row`.
        rates: What `row` is an index of: rows of `RATE_COLUMNS`.
        evals: `EVAL_COLUMNS`.
        splits: The fields that the rates are split by.
        as_of: Batch.
    """
    key = _key()
    behind = points[points["point"] == st.session_state[key]]
    if len(behind):
        row = rates.loc[behind["row"].iloc[0]].to_dict()
        members = evals.loc[evals["eval"] == row["eval"], "members"].iloc[0]
        point_panel(row, list(members), splits, as_of)
    else:
        absent.tell(POINT, controls.restored(POINT) or [], points["point"].dropna().unique().tolist())
        st.session_state[key] = ""
    controls.remember(POINT, st.session_state[key] or None)


def clicked_in() -> str:
    """The key of the chart in which the point was clicked; "" where the address named it."""
    return str(st.session_state.get(f"{_key()}_in", ""))


def _key() -> str:
    """Each page remembers its own."""
    return f"{st.session_state[controls.PAGE]}_{POINT}"


def _choose(key: str) -> None:
    """Take over the point that was clicked."""
    clicked = st.session_state[key].selection.get(SELECTION) or [{}]
    st.session_state[f"{_key()}_in"] = key
    st.session_state[_key()] = clicked[0].get("point") or st.session_state[_key()]
