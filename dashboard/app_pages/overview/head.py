"""Parts of the Overview's first screen: studies, counts, the headline with its cards, and warnings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st
from markupsafe import Markup

from dashboard import numerals
from dashboard.app_pages.overview.attention import Notice
from dashboard.app_pages.overview.cards import Card
from dashboard.kit.page import clock
from dashboard.kit.text.plain import escaped, listed
from dashboard.pages import NAMED
from dashboard.texts.markdown import markdown_html

STYLE = """<style>
.st-key-overview_cards { min-height: 11.4rem; }
.st-key-overview_measured, .st-key-overview_rows { min-height: 4.3rem; }
.st-key-overview_warnings { min-height: 2.6rem; }
@media (max-width: 1150px) { .st-key-overview_cards { min-height: 20rem; } }
@media (max-width: 640px) { .st-key-overview_cards { min-height: 38rem; }
  .st-key-overview_warnings { min-height: 5.4rem; } }
/* What stands in for a link until its code has come is as high as one. */
:is(.st-key-overview_cards, .st-key-overview_warnings, .st-key-overview_choice) [data-testid="stSkeleton"] {
  height: 1.4rem !important; overflow: clip; }
.dl-card { font-size: .85rem; line-height: 1.4; overflow-wrap: anywhere; }
.dl-card b { font-weight: 600; }
.dl-card strong { font-size: 1.5rem; font-weight: 600; line-height: 1.2; margin-right: .3rem; }
.dl-card i { font-style: normal; opacity: .75; display: block; white-space: nowrap; overflow: hidden;
  text-overflow: ellipsis; }
.dl-studies { display: flex; flex-wrap: wrap; column-gap: 1.5rem; row-gap: .2rem; font-size: .95rem; }
.dl-studies details[open] { flex-basis: 100%; }
.dl-studies summary { cursor: pointer; font-weight: 600; overflow-wrap: anywhere; }
.dl-studies .dl-markdown { font-size: .88rem; max-width: 62rem; padding: .2rem 0 0 1rem; }
.dl-headline { font-size: 1.05rem; font-weight: 600; }
</style>"""
"""The room of what takes longer than the tables is kept, so that it pushes nothing."""


def studies(found: Sequence[dict[str, Any]], counted: Markup) -> None:
    """Every study by its title, its notes folded below it; and how much there is.

    Args:
        found: From `dashboard.queries.catalogue.studies`.
        counted: From `counts_line`.
    """
    parts = []
    for study in found:
        title, notes = study.get("title") or study.get("name"), study.get("notes")
        shown = escaped(title or "Notes")
        if notes:
            text = markdown_html(str(notes)) or escaped(notes)
            parts.append(f'<details><summary>{shown}</summary><div class="dl-markdown">{text}</div></details>')
        elif title:
            parts.append(f"<b>{shown}</b>")
    st.html(f'{STYLE}<div class="dl-studies">{"".join(parts)}</div><div class="dl-note">{counted}</div>')


def counts_line(runs: pd.DataFrame, evals: pd.DataFrame, logs: pd.DataFrame) -> Markup:
    """How much there is, and how new it is, as HTML.

    Args:
        runs: `RUN_COLUMNS`.
        evals: `EVAL_COLUMNS`.
        logs: `LOG_COLUMNS`.
    """
    placed = runs[runs["placed"]]
    newest = logs["created"].max() if len(logs) else pd.NaT
    without = int((~logs["placed"]).sum())
    told = [
        numerals.plural(len(placed), "run"),
        numerals.plural(int(placed["checkpoints"].sum()), "checkpoint"),
        numerals.plural(int((~evals["group"]).sum()), "eval"),
        numerals.plural(len(logs), "log"),
        *([f"{numerals.count(without)} of them without a run"] if without else []),
        numerals.plural(int(logs["samples"].sum()), "sample"),
        *([] if pd.isna(newest) else [Markup("newest log {}").format(clock.time_html(newest))]),
    ]
    return Markup(" · ").join(told)


def room(name: str) -> Any:
    """A part that is filled later; its room, a rule of the page's style, is kept until then."""
    place = st.container(key=f"overview_{name}", gap=None)
    # Without anything in it there would be none.
    place.html('<div class="dl-unseen"></div>')
    return place.container(gap="small")


def show_cards(sentence: str, cards: Sequence[Card]) -> None:
    """The headline, and a card for each number with a link to what is behind it."""
    st.html(f'<div class="dl-headline">{escaped(sentence)}</div>')
    with st.grid(len(cards), min_column_width=225):
        for card in cards:
            with st.container(border=True, gap=None, height="stretch", vertical_alignment="distribute"):
                named = escaped(", ".join(card.named))
                st.html(
                    f'<div class="dl-card"><b>{escaped(card.title)}</b><br>'
                    f"<strong>{numerals.count(card.count)}</strong>{escaped(card.told)}"
                    f'{f"""<i title="{named}">{named}</i>""" if named else ""}</div>'
                )
                if card.link is not None:
                    page = NAMED[card.link.page]
                    st.page_link(
                        page.file, label=card.link.label, icon=f":material/{page.icon}:", query_params=card.link.state
                    )


def show_notices(found: Sequence[Notice]) -> None:
    """Every notice with its first items, and a link to where it is seen; folded, they are told in a line.

    Titles of notices are counts and our own words: nothing from a log stands in the label, which is Markdown.
    """
    if not found:
        st.caption("No warnings: every file was read, and no two rules disagree.")
        return
    title = f"Warnings: {' · '.join(notice.title for notice in found)}"
    with st.expander(title, icon=":material/flag:"), st.grid(min(2, len(found)), min_column_width=340):
        for notice in found:
            page = NAMED[notice.page]
            with st.container(gap="xxsmall"):
                st.html(f'<div class="dl-head"><b>{escaped(notice.title)}</b></div>{listed(notice.items)}')
                st.page_link(
                    page.file, label=f"Open {page.title}", icon=f":material/{page.icon}:", query_params=notice.state
                )
