"""Rates beside the corrected ones, and what the judge's errors are, in tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import numerals
from dashboard.kit import caches
from dashboard.kit.data_table import data_table
from dashboard.kit.pickers import controls
from dashboard.kit.tables import download_csv
from dashboard.queries.agreement import AgreementQuery
from dashboard.queries.corrected import Corrected
from dashboard.queries.rows import checkpoint_name, is_missing

LABELS = {"drawn": "From the queue", "all": "All, as if random"}


def corrected_rates(query: AgreementQuery, newest: datetime | None, as_of: int) -> None:
    """What the judge's errors make of rates and differences.

    Args:
        query: Which logs, and whose labels.
        newest: When the newest label was given.
        as_of: The batch that is shown.
    """
    st.html('<div class="dl-head"><b>Rates corrected for the judge\'s errors</b></div>')
    labels = controls.switch(
        "Labels used", "show", LABELS,
        help="Labels from the queue are a random sample of the judge's positives and negatives. Samples that readers"
        " picked are not; all labels as if random may give wrong rates.",
    )  # fmt: skip
    found = caches.corrected(query, as_of, "all" if labels == "all" else "drawn", newest)
    if found.rates.empty:
        st.caption("No log in sight has a yes-or-no outcome of the judge.")
        return
    if found.picked:
        told = numerals.plural(found.picked, "labeled sample")
        taken = "taken for a random sample, which it is not" if labels == "all" else "left out here"
        st.caption(f"{told} picked by readers, not drawn by the queue: {taken}.")
    _judges(found)
    _rates(found)
    if len(found.differences):
        _differences(found)
    st.caption(
        "Own labels: PPI++, for yes-or-no verdicts the post-stratified rate; holds for any judge. Carried over:"
        " Rogan-Gladen by sensitivity and specificity of all labeled checkpoints of the eval with the same judge; holds"
        " if the judge errs alike at all of them. 95% CI (squares added; clustered by question)."
    )
    download_csv(found.rates, "driftline-corrected-rates")


def _interval(row: dict[Any, Any], name: str, points: bool) -> str:
    """A number with its interval; empty where it is missing."""
    if is_missing(row[name]):
        return ""
    write = numerals.points if points else numerals.percent
    return f"{write(row[name])} [{write(row[f'{name}_low'])}, {write(row[f'{name}_high'])}]"


def _cells(frame: pd.DataFrame, name: str, points: bool = False) -> list[str]:
    return [_interval(row, name, points) for row in frame.to_dict("records")]


def _names(frame: pd.DataFrame, otherwise: str = "") -> list[str]:
    return [otherwise if is_missing(row["log"]) else checkpoint_name(row) for row in frame.to_dict("records")]


def _reasons(frame: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    return [
        "; ".join(dict.fromkeys(str(x) for x in row if not is_missing(x))) for row in frame[list(columns)].to_numpy()
    ]


def _judges(found: Corrected) -> None:
    judges = found.judges
    table = pd.DataFrame(
        {
            "Checkpoint": _names(judges, "all labeled (pooled)"),
            "Eval": judges["eval"],
            "Judge": judges["judge"],
            "Labels": judges["labels"],
            "Sensitivity": _cells(judges, "sensitivity"),
            "Specificity": _cells(judges, "specificity"),
            "Not carried over because": _reasons(judges, ["reason"]),
        }
    )
    data_table(table, placeholder="–", alt="Sensitivity and specificity of the judge")


def _rates(found: Corrected) -> None:
    rates = found.rates
    naive = rates.assign(rate_low=rates["low"], rate_high=rates["high"])
    table = pd.DataFrame(
        {
            "Checkpoint": _names(rates),
            "Eval": rates["eval"],
            "Judge's rate": _cells(naive, "rate"),
            "k": rates["k"],
            "n": rates["n"],
            "Labels": rates["labels"],
            "Corrected (own labels)": _cells(rates, "own"),
            "Corrected (carried over)": _cells(rates, "carried"),
            "Missing because": _reasons(rates, ["own_reason", "carried_reason"]),
        }
    )
    data_table(table, placeholder="–", alt="Rates beside the corrected ones")


def _differences(found: Corrected) -> None:
    frame = found.differences.assign(difference_low=found.differences["low"], difference_high=found.differences["high"])
    first = {row["log"]: checkpoint_name(row) for row in found.rates.to_dict("records")}
    table = pd.DataFrame(
        {
            "Checkpoint": _names(frame),
            "Baseline": [first.get(log, "") for log in frame["baseline"]],
            "Eval": frame["eval"],
            "Judge's difference (pp)": _cells(frame, "difference", points=True),
            "Corrected (own labels)": _cells(frame, "own", points=True),
            "Corrected (carried over)": _cells(frame, "carried", points=True),
        }
    )
    data_table(table, placeholder="–", alt="Differences beside the corrected ones")
