"""People against the judge in tables: who agrees with whom, the rates, and the samples of a cell."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from dashboard import links, numerals
from dashboard.kit.data_table import data_table
from dashboard.kit.numbers import written
from dashboard.kit.page import fragments
from dashboard.kit.pickers import controls
from dashboard.kit.tables import download_csv
from dashboard.kit.text.plain import escaped
from dashboard.kit.text.scan_checks import checks_table
from dashboard.pages import page_file
from dashboard.queries.agreement import TIED, Agreement
from dashboard.queries.rows import checkpoint_name, is_missing
from dashboard.queries.scan_validation import ScanValidation
from dashboard.queries.verdicts import VERDICTS, PersonsVerdict
from dashboard.statistics import Kappa

CELL = "cell"
PICKED = "agreement_cell"
CELL_WIDTH = 100
"""Pixels: three beside each other fit a phone."""

SHORT = {
    "Agreement low": "low", "Agreement high": "high", "Kappa low": "low", "Kappa high": "high", "Judge low": "low",
    "Judge high": "high", "Judge + human low": "low", "Judge + human high": "high", "Judge, count": "k",
    "Judge + human, count": "k", "Samples in common": "Both", "Human labels": "Labeled", "Samples": "n",
}  # fmt: skip
"""What stands over a column whose neighbours tell the rest."""

WHOSE = ("Judge", "Judge + human")


def two_figures(value: float) -> str:
    """Kappa, as papers have it: 0.61, −0.05."""
    return numerals.decimals(value, 2)


def kappa_html(found: Agreement) -> str:
    """Raw agreement and kappa, each with its interval, in a line; or why there is none."""
    kappa: Kappa = found.judge
    share, low, high = found.agreement
    if not kappa.n:
        return '<div class="dl-note">No sample has both a human label and a judge outcome.</div>'
    agreed = (
        f"<b>{numerals.percent(share)}</b> {numerals.between(low, high, 'rate')} agreed, {kappa.agreed} of {kappa.n}"
    )
    if is_missing(kappa.kappa):
        told = "Cohen's kappa is undefined"
    elif is_missing(kappa.low):
        told = f"Cohen's kappa <b>{two_figures(kappa.kappa)}</b> (no interval)"
    else:
        bounds = f"[{two_figures(kappa.low)}, {two_figures(kappa.high)}]"
        told = f"Cohen's kappa <b>{two_figures(kappa.kappa)}</b> {bounds}"
    reason = f": {escaped(kappa.reason)}" if kappa.reason else ""
    return f'<div class="dl-head">{agreed} · {told}{reason}</div>'


def confusion(found: Agreement, words: dict[str, str]) -> str | None:
    """The judge's outcomes against people's verdicts, a button for each count; the address says which one is open.

    Args:
        found: What was compared.
        words: For outcomes.

    Returns:
        The cell that is open, as "JUDGE-PEOPLE"; None where none is.
    """
    cells = [f"{judge}-{people}" for judge in VERDICTS for people in VERDICTS]
    restored = controls.restored(CELL)
    if controls.source() is not None:
        st.session_state[PICKED] = restored[0] if restored else None
    if st.session_state.get(PICKED) not in cells:
        st.session_state[PICKED] = None
    with st.container(horizontal=True, gap="small"):
        st.html("<div></div>", width=CELL_WIDTH)
        for verdict in VERDICTS:
            st.html(f'<div class="dl-note">human:<br>{escaped(words[verdict])}</div>', width=CELL_WIDTH)
    for row, judge in enumerate(VERDICTS):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html(f'<div class="dl-note">judge:<br>{escaped(words[judge])}</div>', width=CELL_WIDTH)
            for column, people in enumerate(VERDICTS):
                count, cell = int(found.table[row, column]), f"{judge}-{people}"
                st.button(
                    numerals.count(count), key=f"cell {cell}", disabled=count == 0, width=CELL_WIDTH,
                    type="primary" if st.session_state[PICKED] == cell else "secondary",
                    help="Show these samples", on_click=_pick, args=(cell,),
                )  # fmt: skip
    picked: str | None = st.session_state[PICKED]
    controls.remember(CELL, picked)
    return picked


def samples_of_cell(found: Agreement, cell: str, words: dict[str, str]) -> None:
    """The samples of one cell; a click on one opens its transcript."""
    judge, people = cell.split("-")
    _sample_table(found.samples[(found.samples["judge"] == judge) & (found.samples["people"] == people)], words, "cell")


def tied_samples(found: Agreement, words: dict[str, str]) -> None:
    """The samples on which people are tied; a click on one opens its transcript."""
    _sample_table(found.samples[found.samples["people"] == TIED], words, "tied")


def pairs_table(found: Agreement) -> None:
    """Every two people with samples in common."""
    pairs = found.pairs.rename(
        columns={
            "one": "One", "other": "Other", "n": "Samples in common", "agreed": "Agreed", "agreement": "Agreement",
            "agreement_low": "Agreement low", "agreement_high": "Agreement high", "kappa": "Kappa",
            "kappa_low": "Kappa low", "kappa_high": "Kappa high", "reason": "Missing because",
        }
    )  # fmt: skip
    if pairs["Missing because"].isna().all():
        pairs = pairs.drop(columns="Missing because")
    shares = dict.fromkeys(("Agreement", "Agreement low", "Agreement high"), numerals.percent)
    kappas = dict.fromkeys(("Kappa", "Kappa low", "Kappa high"), two_figures)
    alt = "Agreement between raters"
    data_table(written(pairs, {**shares, **kappas}), column_config=dict(SHORT), alt=alt)


def scanners_table(found: Sequence[ScanValidation]) -> None:
    """How well scanners do on their validation sets."""
    table = checks_table(found).dropna(axis="columns", how="all")
    shares = [name for name in table.columns if name.startswith(("Precision", "Recall"))]
    shown = written(table, dict.fromkeys(shares, numerals.percent))
    data_table(shown, alt="Scanners on their validation sets", height="content")
    st.caption(
        "Scanners of Inspect Scout on the transcripts of their validation sets that are in this store. Precision: true"
        " among those found. Recall: found among those expected. Intervals: 95%, Wilson."
    )
    download_csv(table, "driftline-scanner-validation")


def rates_table(found: Agreement) -> None:
    """The rate of each log as the judge has it, and with people's verdicts in its place."""
    rates = found.rates
    table = pd.DataFrame(
        {
            "Checkpoint": [checkpoint_name(row) for row in rates.to_dict("records")],
            "Eval": rates["eval"],
            "Samples": rates["n"],
            "Judge, count": rates["judge_k"],
            "Judge": rates["judge_rate"],
            "Judge low": rates["judge_low"],
            "Judge high": rates["judge_high"],
            "Judge + human, count": rates["k"],
            "Judge + human": rates["rate"],
            "Judge + human low": rates["low"],
            "Judge + human high": rates["high"],
            "Human labels": rates["judged"],
            "Changed": rates["changed"],
        }
    )
    shares = dict.fromkeys((f"{whose}{what}" for whose in WHOSE for what in ("", " low", " high")), numerals.percent)
    data_table(
        written(table, shares), column_config=dict(SHORT),
        alt="Rates: judge, and judge + human labels",
    )  # fmt: skip


def _pick(cell: str) -> None:
    st.session_state[PICKED] = None if st.session_state.get(PICKED) == cell else cell


def _sample_table(samples: pd.DataFrame, words: dict[str, str], which: str) -> None:
    samples = samples.reset_index(drop=True)
    table = pd.DataFrame(
        {
            "Judge": samples["judge"].map(lambda outcome: words.get(outcome, words["missing"])),
            "Human": [_said(said, words) for said in samples["verdicts"]],
            "Checkpoint": [checkpoint_name(row) for row in samples.to_dict("records")],
            "Eval": samples["eval"],
            "Sample": samples["sample"],
            "Epoch": samples["epoch"],
            "Explanation": [
                "; ".join(f"{one.author}: {one.note}" for one in said if one.note) for said in samples["verdicts"]
            ],
        }
    )
    key = f"agreement_samples_{which}"
    data_table(
        table, key=key, on_select=fragments.sure(partial(_open_row, samples, key)),
        selection_mode="single-cell",
        alt="Labeled samples; click a row to open its transcript",
    )  # fmt: skip


def _open_row(samples: pd.DataFrame, key: str) -> None:
    cells = st.session_state[key].selection.cells
    if cells:
        row = samples.iloc[cells[0][0]]
        to = links.transcript(row["log"], row["sample"], int(row["epoch"]))
        fragments.switch_page(page_file(links.TRANSCRIPT), query_params=to)


def _said(said: list[PersonsVerdict], words: dict[str, str]) -> str:
    return ", ".join(f"{one.author}: {words[one.verdict]}" for one in said)
