"""Parts of the Overview: the study's head, what needs attention, and the runs as pictures that lead to their curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import links, numerals
from dashboard.app_pages.overview.attention import Notice
from dashboard.charts.axes import ValueAxis, value_axis
from dashboard.charts.families import Member, families, pieces
from dashboard.charts.marks import SELECTION, MarkStyle
from dashboard.charts.palette import Scheme
from dashboard.charts.panels import is_fraction, marks_legend
from dashboard.charts.standing_rows import standing_rows
from dashboard.charts.standings import standings_chart
from dashboard.kit.charts.frame import show
from dashboard.kit.page import fragments, shell
from dashboard.kit.pickers.series import colours_of, lineage_of, with_forebears
from dashboard.kit.tables import download_csv
from dashboard.kit.text.plain import escaped, listed
from dashboard.pages import NAMED, page_file
from dashboard.queries.overview import Standings

MOST_ROWS = 60
"""Runs that are drawn at first: more take a switch."""

MOST_NAMED = 12
"""Runs without a rate that are named; the others are counted."""


def study_head(study: dict[str, Any]) -> None:
    """Title and notes of a study."""
    title, notes = study.get("title") or study.get("name"), study.get("notes")
    if title:
        st.html(f'<h2 class="dl-title">{escaped(title)}</h2>')
    if notes:
        st.html(f'<div class="dl-note">{escaped(notes)}</div>')


def study_numbers(runs: pd.DataFrame, evals: pd.DataFrame, logs: pd.DataFrame) -> None:
    """How much there is, and how new it is."""
    placed = runs[runs["placed"]]
    newest = logs["created"].max() if len(logs) else pd.NaT
    numbers = [
        ("Runs", numerals.count(len(placed))),
        ("Checkpoints", numerals.count(int(placed["checkpoints"].sum()))),
        ("Evals", numerals.count(int((~evals["group"]).sum()))),
        ("Logs", numerals.count(len(logs))),
        ("Logs without a run", numerals.count(int((~logs["placed"]).sum()))),
        ("Samples", numerals.count(int(logs["samples"].sum()))),
        ("Newest log", "unknown" if pd.isna(newest) else numerals.time(newest)),
    ]
    with st.container(horizontal=True, gap="medium"):
        for label, value in numbers:
            if label != "Logs without a run" or value != "0":
                st.metric(label, value, width="content")


def show_notices(found: Sequence[Notice]) -> None:
    """Every notice with its first items, and a link to where it is seen; folded, they are told in a line.

    Titles of notices are counts and our own words: nothing from a log stands in the label, which is Markdown.
    """
    if not found:
        st.caption("Nothing needs attention: every file was read, and no two rules disagree.")
        return
    title = f"What needs attention: {' · '.join(notice.title for notice in found)}"
    with st.expander(title, icon=":material/flag:"), st.grid(min(2, len(found)), min_column_width=340):
        for notice in found:
            page = NAMED[notice.page]
            with st.container(gap="xxsmall"):
                st.html(f'<div class="dl-head"><b>{escaped(notice.title)}</b></div>{listed(notice.items)}')
                st.page_link(
                    page.file, label=f"See {page.title}", icon=f":material/{page.icon}:", query_params=notice.state
                )


def pieces_to_show(standings: Standings, runs: pd.DataFrame) -> list[list[Member]]:
    """The runs to draw, in families and pieces: those with a rate; logs that stand alone only if there is no run."""
    measured = standings.runs[standings.runs["row"].notna()]["run"]
    drawn = runs[runs["run"].isin(measured)]
    drawn = drawn[drawn["placed"]] if drawn["placed"].any() else drawn
    parents = {
        str(run): None if pd.isna(parent) else str(parent)
        for run, parent in zip(runs["run"], runs["parent_run"], strict=True)
    }
    members = [member for member in families(parents) if member.run in set(drawn["run"])]
    if len(members) > MOST_ROWS and not st.toggle(f"All {len(members)} rows", key="all_rows", bind="query-params"):
        st.caption(f"{MOST_ROWS} of {len(members)} runs shown")
        members = members[:MOST_ROWS]
    return pieces(members)


def never_measured(standings: Standings, runs: pd.DataFrame) -> None:
    """Say which runs have no rate on this eval."""
    never = standings.runs[standings.runs["row"].isna()]["run"]
    some = runs[runs["run"].isin(never) & runs["placed"]]["run_label"].tolist()
    if some:
        text = f"Not measured on this: {', '.join(some[:MOST_NAMED])}"
        more = f" and {len(some) - MOST_NAMED} more" if len(some) > MOST_NAMED else ""
        st.html(f'<div class="dl-note">{escaped(text + more)}.</div>')


def draw(
    standings: Standings, runs: pd.DataFrame, found: Sequence[Sequence[Member]], state: links.Parameters
) -> pd.DataFrame:
    """Draw every piece; a click on a row leads to the curves of the run and all that it was trained from.

    Args:
        standings: Of one eval and metric.
        runs: `RUN_COLUMNS`.
        found: From `pieces_to_show`.
        state: Parameters of the Curves page besides the runs.

    Returns:
        The rows: `ROW_COLUMNS`.
    """
    scheme: Scheme = shell.scheme()
    colours, labels = colours_of(runs, "run")
    drawn = [standing_rows(standings.rates, standings.runs, runs, piece) for piece in found]
    every = pd.concat([rows for rows, _ in drawn], ignore_index=True)
    fraction, axis, reach = _axes(every, pd.concat([trail for _, trail in drawn]))
    units = standings.rates["unit"].dropna().unique()
    unit = "points" if fraction else str(units[0]) if len(units) else ""
    lineage = lineage_of(runs)
    for number, (rows, trail) in enumerate(drawn):
        names = rows["run"].drop_duplicates().tolist()
        style = MarkStyle(
            scheme=scheme,
            colours={name: colours[name] for name in names},
            labels={name: labels[name] for name in names},
            styles=[""],
        )
        chart = standings_chart(rows, trail, axis, reach, style, unit=unit)
        key = f"standing {number}"

        def open_run(key: str = key) -> None:
            clicked = st.session_state[key].selection.get(SELECTION) or [{}]
            run = clicked[0].get("run")
            if run in lineage:
                along = ["lineage"] if lineage[run].parent_run else None
                to = state | links.parameters(run=with_forebears([run], lineage), x=along)
                fragments.switch_page(page_file(links.CURVES), query_params=to)

        show(
            chart, key, "Runs, with rates, their courses and changes", told_columns(rows), on_select=open_run,
        )  # fmt: skip
    told = [
        "A row leads to its curves, and those of the runs that it was trained from; they stand above it.",
        "Changes: filled and ▲ ▼ significant after Holm's correction over all changes here; hollow and △ ▽ by its own"
        " 95 % interval only; no arrow: no significant difference.",
        *marks_legend(every),
    ]
    st.caption(" · ".join(told))
    return every


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
    st.dataframe(frame, hide_index=True, column_config=config, alt="The numbers behind the rows")
    download_csv(frame, "driftline-overview")


def _axes(rows: pd.DataFrame, trail: pd.DataFrame) -> tuple[bool, ValueAxis, float]:
    """One axis of rates for all pieces, and how far changes reach to either side."""
    fraction = is_fraction(rows)
    axis = value_axis(trail, fraction=fraction, title="latest rate" if fraction else "latest value")
    reach = rows[["change", "change_low", "change_high"]].abs().max().max()
    return fraction, axis, float(reach) * 1.05 if reach > 0 else 0.0
