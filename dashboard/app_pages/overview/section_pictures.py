"""The rates of each section by step as small multiples, each a link to its curves."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import links, numerals
from dashboard.charts.section_courses import MOST, multiples_style, section_courses, section_multiples
from dashboard.kit.page import shell
from dashboard.kit.pickers import controls
from dashboard.kit.pickers.series import colours_of
from dashboard.kit.text.plain import escaped


def show(rates: pd.DataFrame, runs: pd.DataFrame, state: links.Parameters) -> None:
    """Show the first sections in which anything was measured at several steps; nothing where there is none.

    Args:
        rates: `RATE_COLUMNS` of one eval or group and metric.
        runs: `RUN_COLUMNS`.
        state: What is measured, as parameters.
    """
    found = section_courses(rates, runs)
    if not found:
        return
    pinned = controls.pinned()
    addresses = {
        each.name: f"{links.CURVES}?{links.query(links.parameters(section=each.name) | state | pinned)}"
        for each in found[:MOST]
    }
    kinds = set(rates["kind"].dropna())
    kind = str(kinds.pop()) if len(kinds) == 1 else "mean"
    body = section_multiples(found[:MOST], colours_of(runs, "run")[0], addresses, kind, shell.scheme())
    told = "Thin: runs. Bold: their mean, at the steps that all of them have, where they are of one stage."
    head = '<div class="dl-head" role="heading" aria-level="3"><b>Rates by step</b> · per section</div>'
    st.html(
        f"{multiples_style()}{head}{body}"
        f'<div class="dl-note">{escaped(told)}{_more(len(found) - MOST, state | pinned)}</div>'
    )


def _more(left_out: int, state: links.Parameters) -> str:
    """A link to all runs by section, where not all sections are drawn."""
    if left_out <= 0:
        return ""
    address = f"{links.OVERVIEW}?{links.query(links.parameters(by='section') | state)}"
    more = numerals.plural(left_out, "more section")
    return f' <a href="{escaped(address)}" target="_self">{more}: runs by section</a>'
