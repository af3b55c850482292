"""Another seed: lines of runs that differ by their seed alone, and what is known of the noise where there is one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import numerals
from dashboard.kit import caches
from dashboard.kit.data_table import data_table
from dashboard.kit.tables import download_csv
from dashboard.queries.frame import RateQuery
from dashboard.queries.rows import is_missing
from dashboard.statistics import neighbour_noise


def another_seed(rates: pd.DataFrame, query: RateQuery, as_of: int) -> None:
    """An expander with the mean over seeds, or with the noise between neighbouring checkpoints of one seed.

    Args:
        rates: `RATE_COLUMNS` of what is drawn.
        query: What was asked for them.
        as_of: Batch.
    """
    fold = st.expander("Another seed", key="another_seed", on_change="rerun")
    if not fold.open:
        return
    with fold:
        shown = replace(query, runs=tuple(dict.fromkeys(rates["run"].dropna())), splits=())
        found = caches.replicates(shown, as_of)
        if len(found):
            _lines(found)
        in_lines = {run for runs in found["runs"] for run in runs}
        if not _one_seed(rates[~rates["run"].isin(in_lines)]) and not len(found):
            st.caption(
                "None of these runs differ by their seed alone, so what another seed would do is not known. The noise"
                " between neighbouring checkpoints is shown of single evals, of runs with enough checkpoints."
            )


def _lines(found: pd.DataFrame) -> None:
    rows = found.to_dict("records")
    table = pd.DataFrame(
        {
            "Line": found["line"],
            "Eval": found["eval"],
            "Step": found["step"],
            "Seeds": [", ".join(map(str, row["seeds"])) for row in rows],
            "Mean over seeds": [_interval(row) for row in rows],
            "Each seed": [", ".join(numerals.value_of(x, row["kind"]) for x in row["rates"] or []) for row in rows],
            "SD of seeds": [_value(row["between_seeds"], row["kind"]) for row in rows],
            "Questions": found["questions"],
            "No interval because": found["reason"],
        }
    )
    data_table(table, placeholder="–", alt="Means over seeds")
    two = int((found["replicates"] == 2).sum())
    wide = f" {numerals.plural(two, 'row')} with two seeds: wide, since one difference tells little." if two else ""
    st.caption(
        "95% CI for another seed and other questions (two-way random effects; t with seeds − 1 degrees of freedom),"
        f" over the questions that all seeds answered.{wide}"
    )
    download_csv(found, "driftline-replicates")


def _value(value: float, kind: str) -> str:
    return "" if is_missing(value) else numerals.value_of(value, kind)


def _interval(row: dict[Any, Any]) -> str:
    bounds = "" if is_missing(row["low"]) else f" {numerals.between(row['low'], row['high'], row['kind'])}"
    return f"{_value(row['mean'], row['kind'])}{bounds}"


def _one_seed(rates: pd.DataFrame) -> bool:
    """The noise of single runs; whether any of them shows some."""
    rows = []
    line = rates[(rates["repeat"] == 0) & rates["step"].notna() & rates["rate"].notna() & ~rates["group"]]
    for key, of in line.groupby(["run", "eval", "metric", "variant", "split", "split2"], dropna=False):
        of = of.sort_values("step")
        noise = neighbour_noise(of["rate"].to_numpy(float))
        if not np.isnan(noise):
            kind = str(of["kind"].iloc[0])
            error = float(np.sqrt(np.nanmean(of["stderr"].to_numpy(float) ** 2)))
            told = numerals.value_of(error, kind) if not np.isnan(error) else ""
            rows.append((key[0], key[1], len(of), numerals.value_of(noise, kind), told))
    if not rows:
        return False
    heads = ["Run", "Eval", "Checkpoints", "SD between neighbours", "Standard error of a rate"]
    data_table(pd.DataFrame(rows, columns=heads), alt="Noise between neighbouring checkpoints")
    st.caption(
        "One seed: what another would do is not known, and no interval of these runs covers it. Known is the noise"
        " between neighbouring checkpoints (von Neumann), which holds sampling, training noise and the trend."
    )
    return True
