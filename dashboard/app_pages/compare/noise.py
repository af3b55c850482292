"""Of sample size planning: what the noise of each rate is made of, and what narrows its interval most."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import numerals
from dashboard.app_pages.compare.tables import Words
from dashboard.kit import caches
from dashboard.kit.data_table import data_table
from dashboard.queries.compare import CompareQuery, Comparison
from dashboard.queries.frame import RateQuery
from dashboard.queries.rows import checkpoint_name, is_missing

SHARES = {
    "of_questions": "Questions", "of_answers": "Answers", "of_judge": "Judge",
    "twice_questions": "Twice the questions", "twice_epochs": "Twice the epochs", "second_judge": "A second judge",
}  # fmt: skip


def noise(found: Comparison, words: Words, query: CompareQuery, as_of: int) -> None:
    """The parts of the noise of every rate that is compared.

    Args:
        found: What is compared.
        words: How the page names it.
        query: What was asked for it.
        as_of: Batch.
    """
    runs = tuple(dict.fromkeys(run for run in found.rates["run"].dropna()))
    asked = RateQuery(runs=runs, evals=query.evals, metrics=query.metrics, repeats=query.repeats)
    parts = caches.noise_components(asked, as_of)
    parts = parts[[checkpoint_name(row) in found.checkpoints for row in parts.to_dict("records")]]
    if parts.empty:
        return
    st.html('<div class="dl-head"><b>What the noise is made of</b></div>')
    rows = parts.to_dict("records")
    table = pd.DataFrame(
        {
            "Eval": [words.evals.get(row["eval"], row["eval"]) for row in rows],
            "Checkpoint": [words.checkpoint(checkpoint_name(row)) for row in rows],
            **{
                title: ["" if is_missing(row[name]) else numerals.whole_percent(row[name]) for row in rows]
                for name, title in SHARES.items()
            },
            "Narrows it most": parts["best"].tolist(),
            "Missing because": parts["reason"].tolist(),
        }
    )
    if table["Missing because"].isna().all():
        table = table.drop(columns="Missing because")
    data_table(table, placeholder="–", alt="What the noise of each rate is made of")
    st.caption(
        "Questions, answers, judge: shares of the variance of a rate (one-way random effects). Twice, a second judge:"
        " by how much its interval becomes shorter. Twice the epochs cost as many answers as twice the questions. The"
        " judge's share is known where two re-scoring runs judged the same transcripts; elsewhere answers hold it. It"
        " does not hold what the judge always gets wrong: see Agreement."
    )
