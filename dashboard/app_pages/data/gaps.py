"""The commands that evaluate the checkpoints of a run that an eval has no results of."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard.app_pages.data.tables import gaps_of
from dashboard.exports.eval_script import SERVED_AS, script, steps_of
from dashboard.kit import caches
from dashboard.kit.page.reader import cursor
from dashboard.kit.pickers.choices import titles_of
from dashboard.kit.text.plain import escaped
from dashboard.queries.missing import missing
from loaders.errors import DriftlineError


def fill_gaps(coverage: pd.DataFrame, run: str, as_of: int) -> None:
    """Offer the script for one eval at a time; nothing where each checkpoint has results of every eval.

    Args:
        coverage: `COVERAGE_COLUMNS`.
        run: A run in it.
        as_of: Batch.
    """
    gaps = gaps_of(coverage, run)
    if not gaps:
        return
    fold = st.expander("Commands that fill the gaps", icon=":material/terminal:", key="fill_gaps", on_change="rerun")
    if not fold.open:
        return
    with fold:
        titles = titles_of(caches.evals(as_of))
        name = st.selectbox("Eval", gaps, format_func=lambda name: titles.get(name, name), key=f"gaps {run}")
        try:
            with cursor() as con:
                found = missing(con, run, name, as_of)
            lines = script(found, steps_of(found), SERVED_AS, None)
        except DriftlineError as error:
            st.html(f'<div class="dl-notice">{escaped(error)}</div>')
            return
        st.caption("The same as `driftline plan`, which takes another model, server or folder.")
        st.code("\n".join(lines), language="bash", wrap_lines=True)
