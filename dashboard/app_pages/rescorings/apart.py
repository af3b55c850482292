"""The samples on which two judges disagree, with both reasons beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import links, numerals
from dashboard.kit.pickers import controls
from dashboard.kit.text.plain import escaped
from dashboard.queries.judged_rates import ALIGNED, MISALIGNED, disagreements
from dashboard.queries.rows import checkpoint_name, is_missing
from dashboard.texts.rendering import Judgement, Limit, judgement_html

A_PAGE = 10
PAGE = "judgings_apart_page"
SHORT = Limit(1_500, "; see the transcript")
"""Of a reason."""
BOTH = "either way"


def disagreement_list(frame: pd.DataFrame, one: str, other: str, raters: Mapping[str, str]) -> None:
    """Pick a direction, and page through what is left.

    Args:
        frame: From `dashboard.queries.judged.judged`.
        one, other: Raters.
        raters: Their names.
    """
    titles = {
        BOTH: "Any",
        MISALIGNED: f"Misaligned only by {raters[one]}",
        ALIGNED: f"Misaligned only by {raters[other]}",
    }
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        said = controls.pick_one("Disagreements", "said", list(titles), default=BOTH, titles=titles, leave_out=BOTH)
    apart = disagreements(frame, one, other, None if said == BOTH else said)
    st.html(f'<div class="dl-note">{numerals.count(len(apart))} {"sample" if len(apart) == 1 else "samples"}</div>')
    if apart.empty:
        st.caption("No disagreements.")
        return
    pages = -(-len(apart) // A_PAGE)
    page = st.session_state[PAGE] = min(max(1, st.session_state.get(PAGE, 1)), pages)
    if pages > 1:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.button("Previous", icon=":material/chevron_left:", on_click=_turn, args=(-1,), disabled=page <= 1)
            st.html(f'<span class="dl-note">page {numerals.part(page, pages)}</span>', width="content")
            st.button("Next", icon=":material/chevron_right:", on_click=_turn, args=(1,), disabled=page >= pages)
    for row in apart.iloc[(page - 1) * A_PAGE : page * A_PAGE].to_dict("records"):
        with st.container(border=True):
            st.html(_head(row))
            for rater, column in zip((one, other), st.columns(2, gap="medium"), strict=True):
                with column:
                    st.html(_verdict(row, rater, raters[rater]))


def _turn(by: int) -> None:
    st.session_state[PAGE] += by


def _head(row: Mapping[Any, Any]) -> str:
    to = links.query(links.transcript(row["log"], row["sample"], int(row["epoch"])))
    epoch = f" · epoch {row['epoch']}" if row["epoch"] != 1 else ""
    return (
        f'<div class="dl-head"><b>{escaped(checkpoint_name(row))}</b> · {escaped(row["eval"])} · sample'
        f" <b>{escaped(row['sample'])}</b>{escaped(epoch)} ·"
        f' <a href="{links.TRANSCRIPT}?{escaped(to)}" target="_self">transcript</a></div>'
    )


def _verdict(row: Mapping[Any, Any], rater: str, name: str) -> str:
    reason = row[f"{rater}.reason"]
    text = "no explanation" if is_missing(reason) or not reason else str(reason)
    said = Judgement(by=name, values=[("", str(row[f"{rater}.verdict"]))], texts=[("", text)])
    return judgement_html(said, limit=SHORT)
