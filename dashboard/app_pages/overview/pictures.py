"""The runs as pictures that lead to their curves, and the numbers behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from dashboard import links, numerals
from dashboard.app_pages.overview.tables import curves_of
from dashboard.charts.axes import ValueAxis, value_axis
from dashboard.charts.families import Member, families, pieces
from dashboard.charts.marks import SELECTION, MarkStyle
from dashboard.charts.palette import Scheme
from dashboard.charts.panels import is_fraction, marks_legend
from dashboard.charts.standing_rows import standing_rows
from dashboard.charts.standings import PP, standings_chart
from dashboard.kit.charts.drawing import drawing
from dashboard.kit.charts.frame import show
from dashboard.kit.data_table import data_table
from dashboard.kit.page import fragments, shell
from dashboard.kit.pickers.series import colours_of, lineage_of
from dashboard.kit.tables import download_csv
from dashboard.kit.text.plain import escaped
from dashboard.pages import page_file
from dashboard.queries.overview import Standings

MOST_ROWS = 60
"""Runs that are drawn at first: more take a switch."""

MOST_NAMED = 12
"""Runs without a rate that are named; the others are counted."""


@dataclass(frozen=True)
class Shown:
    """The runs that have a rate, and what is to be shown of them.

    Attributes:
        members: In families.
        rows: `ROW_COLUMNS`.
        trail: `TRAIL_COLUMNS`.
        fraction: Whether their values are shares.
        unit: Of their changes.
    """

    members: list[Member]
    rows: pd.DataFrame
    trail: pd.DataFrame
    fraction: bool
    unit: str


def shown_runs(standings: Standings, runs: pd.DataFrame) -> Shown | None:
    """The runs with a rate, in families; logs that stand alone only if there is no run; None where nothing has one.

    Args:
        standings: Of one eval and metric.
        runs: `RUN_COLUMNS`.
    """
    measured = standings.runs[standings.runs["row"].notna()]["run"]
    drawn = runs[runs["run"].isin(measured)]
    drawn = drawn[drawn["placed"]] if drawn["placed"].any() else drawn
    parents = {
        str(run): None if pd.isna(parent) else str(parent)
        for run, parent in zip(runs["run"], runs["parent_run"], strict=True)
    }
    names = set(drawn["run"])
    members = [member for member in families(parents) if member.run in names]
    if not members:
        return None
    rows, trail = standing_rows(standings.rates, standings.runs, runs, members)
    fraction = is_fraction(rows)
    units = standings.rates["unit"].dropna().unique()
    return Shown(members, rows, trail, fraction, PP if fraction else str(units[0]) if len(units) else "")


def never_measured(standings: Standings, runs: pd.DataFrame) -> None:
    """Say which runs have no rate on this eval."""
    never = standings.runs[standings.runs["row"].isna()]["run"]
    some = runs[runs["run"].isin(never) & runs["placed"]]["run_label"].tolist()
    if some:
        text = f"No results on this eval: {', '.join(some[:MOST_NAMED])}"
        more = f" and {len(some) - MOST_NAMED} more" if len(some) > MOST_NAMED else ""
        st.html(f'<div class="dl-note">{escaped(text + more)}.</div>')


def draw(
    shown: Shown, wanted: Sequence[str], standings: Standings, runs: pd.DataFrame, state: links.Parameters
) -> None:
    """Draw runs in pieces; a click on a row leads to the curves of the run and all that it was trained from.

    Args:
        shown: All runs that have a rate: they share the axes.
        wanted: Those that are drawn.
        standings: Of one eval and metric.
        runs: `RUN_COLUMNS`.
        state: Parameters of the Curves page besides the runs.
    """
    names = set(wanted)
    members = [member for member in shown.members if member.run in names]
    if len(members) > MOST_ROWS and not st.toggle(f"Show all {len(members)} runs", key="all_rows", bind="query-params"):
        st.caption(f"{MOST_ROWS} of {len(members)} runs shown")
        members = members[:MOST_ROWS]
    scheme: Scheme = shell.scheme()
    colours, labels = colours_of(runs, "run")
    axis, reach = _axes(shown)
    lineage = lineage_of(runs)
    for number, piece in enumerate(pieces(members)):
        rows, trail = standing_rows(standings.rates, standings.runs, runs, piece)
        there = rows["run"].drop_duplicates().tolist()
        style = MarkStyle(
            scheme=scheme,
            colours={name: colours[name] for name in there},
            labels={name: labels[name] for name in there},
            styles=[""],
        )
        chart = drawing(standings_chart, rows, trail, axis, reach, style, unit=shown.unit)
        key = f"standing {number}"

        def open_run(key: str = key) -> None:
            clicked = st.session_state[key].selection.get(SELECTION) or [{}]
            run = clicked[0].get("run")
            if run in lineage:
                fragments.switch_page(page_file(links.CURVES), query_params=curves_of(run, state, lineage))

        show(
            chart, key, "Runs with latest rates, trends and changes", told_columns(rows), on_select=open_run,
        )  # fmt: skip
    told = [
        "Click a row to see its curves with its parent runs (listed above it).",
        "Changes are from the parent run, else from the first step. Filled and ▲ ▼: significant after Holm correction"
        " over all changes here; hollow and △ ▽: by their own 95% interval alone; no arrow: no significant difference.",
        *marks_legend(shown.rows),
    ]
    st.caption(" · ".join(told))


def told_columns(rows: pd.DataFrame) -> pd.DataFrame:
    """The columns of the rows that tell something by themselves, without those that serve drawing."""
    shown = [
        "run", "checkpoint", "eval", "metric", "rate", "low", "high", "k", "n", "change", "change_low", "change_high",
        "p", "p_holm", "verdict", "since", "change_method", "definition", "flags",
    ]  # fmt: skip
    return rows[shown].astype({"k": "Int64", "n": "Int64"})


def rows_table(rows: pd.DataFrame) -> None:
    """The numbers behind the picture, as a table and as a file."""
    frame = told_columns(rows)
    numbers = ("rate", "low", "high", "change", "change_low", "change_high", "p", "p_holm")
    config = {name: st.column_config.NumberColumn(format=numerals.COLUMN_FIGURES) for name in numbers}
    data_table(frame, column_config=config, alt="Data of the rows")
    download_csv(frame, "driftline-overview")


def _axes(shown: Shown) -> tuple[ValueAxis, float]:
    """One axis of rates for all pieces, and how far changes reach to either side."""
    title = "Latest rate" if shown.fraction else "Latest value"
    axis = value_axis(shown.trail, fraction=shown.fraction, title=title)
    reach = shown.rows[["change", "change_low", "change_high"]].abs().max().max()
    return axis, float(reach) * 1.05 if reach > 0 else 0.0
