"""The runs as tables: searched, sorted, grouped, columns hidden; checkboxes select rows, and names are links."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from dashboard import links, numerals
from dashboard.app_pages.overview import choice
from dashboard.charts.curve_data import Lineage
from dashboard.charts.panels import is_fraction
from dashboard.charts.standing_table import GROUPS, SORTS, Block, blocks, matching, sort_rows
from dashboard.kit.data_table import data_table
from dashboard.kit.pickers import controls
from dashboard.kit.pickers.series import with_forebears
from dashboard.kit.tables import ROW_HEIGHT, table_height
from dashboard.kit.text.plain import escaped
from dashboard.rooms import room_key

MOST_ROWS = 20
"""Rows that are in sight at once; a longer table scrolls."""

COLUMNS: dict[str, tuple[str, int, str]] = {
    "rate": ("Latest rate", 215, "Of the latest checkpoint, with its 95% confidence interval and counts."),
    "evals": ("Mean of", 95, "How many of the group's evals the mean is over."),
    "trend": ("Trend", 90, "Rates of all checkpoints by step, evenly spaced; the last is the latest."),
    "change": ("Change", 165, "Since the parent run's checkpoint, else since the run's own first step; 95% interval."),
    "result": ("Significance", 290, "▲ ▼: significant after Holm correction over all changes. △ ▽: not after it."),
    "step": ("Latest step", 95, "Optimizer steps of this run."),
    "step_label": ("Step label", 95, "Of a checkpoint without a step."),
    "warnings": ("Warnings", 260, "What to know about the latest rate before comparing it."),
    "tokens": ("Tokens", 80, "Training tokens up to the latest checkpoint."),
    "section": ("Section", 130, "Runs that are compared with each other."),
    "stage": ("Stage", 90, ""),
    "mix": ("Mix", 140, ""),
    "parent": ("Parent", 150, "The checkpoint that the run began from."),
    "compared": ("Compared rates", 330, "The two rates that the change is the difference of, on what both answered."),
    "p_holm": ("p (Holm)", 85, "Of the change, corrected over all changes of this table."),
}
"""Columns besides the run: title, width, and what it is."""

HIDE = "hide"

View = Literal["table", "chart"]
VIEWS: dict[View, str] = {"table": "Table", "chart": "Chart"}


class Written(float):
    """A number that sorts as such, and is shown in other words."""

    text: str


class Named(str):
    """An address that is shown as a name."""

    __slots__ = ("text",)
    text: str


def worded(value: Written | Named, text: str) -> Written | Named:
    """A value with its words."""
    value.text = text
    return value


def pick_rows(table: pd.DataFrame) -> tuple[pd.DataFrame, str, View]:
    """Search, sort, grouping and view: the rows that are asked for, in order, how they are grouped and shown.

    Args:
        table: `TABLE_COLUMNS` of every run.
    """
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key="overview_rows"):
        pattern = controls.write(
            "Search runs", "text", placeholder="Regular expression",
            help="Runs whose name, section, stage, mix, parent or significance matches; letters of any case are alike.",
        )  # fmt: skip
        by = controls.pick_one("Group by", "by", list(GROUPS), default="none", titles=GROUPS, leave_out="none")
        order = controls.pick_one("Sort by", "sort", list(SORTS), default="study", titles=SORTS, leave_out="study")
        view = controls.switch("View", "view", VIEWS)
        with st.popover("Columns", icon=":material/view_column:"):
            titles = {name: title for name, (title, _, _) in COLUMNS.items()}
            controls.pick_any("Hidden columns", HIDE, list(titles), titles=titles, placeholder="None")
    try:
        found = matching(table, pattern)
    except ValueError as error:
        st.html(f'<div class="dl-notice" role="alert">Not a regular expression: {escaped(error)}</div>')
        found = table
    return sort_rows(found, order), by, view


def titles_of(rows: pd.DataFrame, unit: str) -> dict[str, str]:
    """Titles of the columns of values.

    Args:
        rows: `ROW_COLUMNS`.
        unit: Of the changes.
    """
    since = "Change vs parent" if rows[rows["change"].notna()]["from_parent"].all() else "Change"
    return {
        "rate": "Latest rate" if is_fraction(rows) else "Latest value",
        "change": f"{since} ({unit})" if unit else since,
    }


def show_tables(
    rows: pd.DataFrame,
    by: str,
    chosen: Sequence[str],
    titles: Mapping[str, str],
    colours: Mapping[str, str],
    addresses: Mapping[str, str],
) -> None:
    """Show the rows, a table for each block.

    Args:
        rows: `TABLE_COLUMNS`, in order.
        by: How they are grouped.
        chosen: The selected runs.
        titles: Of the columns of values, whose units differ.
        colours: Of the runs.
        addresses: Run to the address of its curves.
    """
    found, hidden = blocks(rows, by), controls.state().get(HIDE, [])
    # A column that says nothing stands in no table; groups have the same ones, and trends one scale.
    whole = pd.concat([block.rows for block in found if block.whole] or [rows])
    shown = [name for name in COLUMNS if name not in hidden and name not in ("evals", by) and _tells(whole, name)]
    values = [value for course in rows["trend"] for value in course]
    span = (min(0.0, *values), max(values)) if values else (0.0, 1.0)
    for number, block in enumerate(found):
        heading = _heading(block, by)
        if heading:
            st.html(f'<div class="dl-head">{heading}</div>')
        order = shown
        if not block.whole:
            order = [name for name in COLUMNS if name not in hidden and _tells(block.rows, name)]
        _show_block(block.rows, f"overview_runs_{number}", order, chosen, titles, colours, addresses, span)


def _heading(block: Block, by: str) -> str:
    count = numerals.plural(block.rows["run"].nunique(), "run")
    if not block.whole:
        return f"<b>Incomplete means</b> · {count} · over fewer evals than the group has: not ranked with the others"
    return f"<b>{escaped(block.title)}</b> · {count}" if by != "none" else ""


def _tells(rows: pd.DataFrame, name: str) -> bool:
    if name == "trend":
        return any(map(len, rows[name]))
    return bool((rows[name].notna() & (rows[name] != "")).any())


def _show_block(
    rows: pd.DataFrame,
    key: str,
    order: Sequence[str],
    chosen: Sequence[str],
    titles: Mapping[str, str],
    colours: Mapping[str, str],
    addresses: Mapping[str, str],
    span: tuple[float, float],
) -> None:
    runs = rows["run"].tolist()
    height = table_height(len(rows), MOST_ROWS)
    choice.show_checked(key, runs, chosen)
    with st.container(key=room_key(f"{key}_place", height)):
        data_table(
            table_cells(rows, order, colours, addresses),
            key=key,
            on_select="rerun",
            selection_mode="multi-row",
            height=height,
            row_height=ROW_HEIGHT,
            column_config=_config(order, titles, span),
            alt="Runs with latest rates, trends and changes; names lead to their curves",
        )


def table_cells(
    rows: pd.DataFrame, order: Sequence[str], colours: Mapping[str, str], addresses: Mapping[str, str]
) -> Styler:
    """What a table holds, as it is shown: names for addresses, words for numbers, and each run's colour.

    Args:
        rows: `TABLE_COLUMNS`.
        order: Names of `COLUMNS`.
        colours: Of the runs.
        addresses: Run to the address of its curves.
    """
    runs = rows["run"].tolist()
    named = [worded(Named(addresses[run]), label) for run, label in zip(runs, rows["label"], strict=True)]
    cells: dict[str, pd.Series[Any]] = {
        "color": pd.Series(["●"] * len(runs)), "link": pd.Series(named, dtype="object"),
    }  # fmt: skip
    for name in order:
        cells[name] = rows[name].reset_index(drop=True)
        if name in TEXTS:
            cells[name] = cells[name].fillna("")
        if name in WORDED:
            texts = zip(rows[name], rows[f"{name}_text"], strict=True)
            cells[name] = pd.Series([worded(Written(value), text) for value, text in texts], dtype="object")
    styler = pd.DataFrame(cells).style.apply(lambda _: [f"color: {colours[run]}" for run in runs], subset=["color"])
    for name in ("link", *WORDED):
        if name in cells:
            styler = styler.format(lambda value: getattr(value, "text", ""), subset=[name])
    writes: dict[str, Callable[[Any], str]] = {
        "p_holm": numerals.p_value,
        "step": numerals.count,
        "tokens": numerals.tokens,
    }
    for name in writes.keys() & cells.keys():
        styler = styler.format(writes[name], subset=[name], na_rep="")
    return styler


TEXTS = ("step_label", "section", "stage", "mix", "parent")

WORDED = ("rate", "change")
"""Numbers that stand with their intervals."""


def _config(order: Sequence[str], titles: Mapping[str, str], span: tuple[float, float]) -> dict[str, Any]:
    column = st.column_config
    config: dict[str, Any] = {
        "color": column.TextColumn("", width=28, pinned=True),
        "link": column.LinkColumn("Run", width=255, pinned=True, help="Its curves, with those of its parent runs."),
    }
    numbers = ("rate", "change", "step", "tokens", "p_holm")
    for name in order:
        title, width, told = COLUMNS[name]
        title = titles.get(name, title)
        if name == "trend":
            config[name] = column.LineChartColumn(title, width=width, help=told, y_min=span[0], y_max=span[1])
        else:
            kind = column.NumberColumn if name in numbers else column.TextColumn
            config[name] = kind(title, width=width, help=told or None)
    return config


def curve_addresses(
    runs: Sequence[str], state: links.Parameters, lineage: Mapping[str, Lineage], pinned: links.Parameters
) -> dict[str, str]:
    """Run to the address of its curves, with those of all that it was trained from.

    Args:
        runs: Names.
        state: What is measured, as parameters.
        lineage: Of every run.
        pinned: What pins an address to an import, if anything does.
    """
    return {run: f"{links.CURVES}?{links.query(curves_of(run, state, lineage) | pinned)}" for run in runs}


def curves_of(run: str, state: links.Parameters, lineage: Mapping[str, Lineage]) -> links.Parameters:
    """The Curves page with a run and all that it was trained from."""
    if run not in lineage:
        return state | links.parameters(run=[run])
    along = ["lineage"] if lineage[run].parent_run else None
    return state | links.parameters(run=with_forebears([run], lineage), x=along)
