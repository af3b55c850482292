"""A chart's numbers as text: sentences, LaTeX and a Methods paragraph, each to be copied."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from dashboard.exports.facts import Facts
from dashboard.exports.methods import methods_text
from dashboard.exports.statements import kind_of, latex, latex_table, statements

FORMS = ("Sentences", "LaTeX", "LaTeX table", "Methods")


def has_statements(data: pd.DataFrame) -> bool:
    """Whether the numbers behind a chart can be stated in sentences."""
    return bool(kind_of(data))


def cite_menu(key: str, data: pd.DataFrame, facts: Callable[[], Facts]) -> None:
    """Offer a chart's numbers as text; it is made when it is opened.

    Args:
        key: Of the chart.
        data: The numbers behind it.
        facts: What the chart is of.
    """
    menu = st.popover("Cite", icon=":material/format_quote:", type="tertiary", key=f"cite {key}", on_change="rerun")
    if not menu.open:
        return
    with menu:
        form = st.segmented_control(
            "Copy as", FORMS, default=FORMS[0], required=True, key=f"cite form {key}", label_visibility="collapsed"
        )
        told = _text(form or FORMS[0], data, facts())
        if told:
            st.code(told, language=None, wrap_lines=True, height=320)
        else:
            st.caption("Nothing to state: no number here has a value.")


def _text(form: str, data: pd.DataFrame, facts: Facts) -> str:
    if form == "Methods":
        return methods_text([data], [facts])
    if form == "LaTeX table":
        return latex_table(data, facts)
    said = statements(data, facts)
    return "\n\n".join(map(latex, said) if form == "LaTeX" else said)
