"""The re-scorings that there are: picked to be shown, one alone or up to three beside each other."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import numerals
from dashboard.app_pages.rescorings.compose import MOST_RUBRICS
from dashboard.kit.data_table import data_table
from dashboard.kit.page import clock
from dashboard.kit.pickers import controls


def pick(listed: pd.DataFrame) -> list[str]:
    """Pick re-scorings; what the address names and nobody may see, or has been lost, is picked too, and said.

    Args:
        listed: `dashboard.queries.rescorings.RESCORING_COLUMNS`.
    """
    titles = {
        row["judging_id"]: f"{row['title']} · {row['model']} · {clock.time(row['created_at'])}"
        for row in listed.to_dict("records")
    }
    return controls.pick_any(
        "Re-scoring runs", "judging", list(titles), titles=titles, placeholder="Select one, or up to three to compare",
        most=MOST_RUBRICS,
        help="Several are compared on the samples that all of them scored.",
    )  # fmt: skip


def table(listed: pd.DataFrame) -> None:
    """Every re-scoring with how far it has come."""
    shown = listed.assign(
        progress=[numerals.part(row["judged"], row["items"]) for row in listed.to_dict("records")],
    )
    data_table(
        shown[["title", "rubric_title", "model", "endpoint", "progress", "failed", "author", "created_at", "as_of"]],
        column_config={
            "title": st.column_config.TextColumn("Title", width=230),
            "rubric_title": st.column_config.TextColumn("Rubric", width=160),
            "model": "Model", "endpoint": "Endpoint", "progress": "Judged",
            "failed": st.column_config.NumberColumn("Errors", help="Last attempts without a verdict"),
            "author": "By", "created_at": clock.time_column("Started"),
            "as_of": "Batch",
        },
        alt="Re-scoring runs",
    )  # fmt: skip
