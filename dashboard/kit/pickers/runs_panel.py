"""The panel of runs in the sidebar: one table in which a page's runs, mixes or checkpoints are shown and hidden.

Searched by a regular expression, grouped by section, with each run's color, which can be changed. What is chosen stands
in the page's address, and holds on the other pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import links, numerals, short_addresses
from dashboard.charts.standing_table import matching
from dashboard.kit import run_colors
from dashboard.kit.data_table import data_table
from dashboard.kit.page.fragments import sure
from dashboard.kit.pickers import controls, kept
from dashboard.kit.pickers.checked import check_rows, checked_rows, chosen_after
from dashboard.kit.pickers.panel_rows import checkpoint_rows, mix_rows, mixes_of, run_of, run_rows, together
from dashboard.kit.pickers.series import colours_of
from dashboard.kit.tables import ROW_HEIGHT, table_height
from dashboard.kit.text.plain import escaped
from dashboard.rooms import room_key

MOST_ROWS = 8
"""Rows that are in sight at once; a longer table scrolls."""

AROUND, BASELINE = 120, 71
"""Pixels of what stands over the table (heading, search and buttons) and below it, with the gaps."""

SEARCHED = ("name", "title", "section")

KINDS = {"run": ("Run", "Runs"), "mix": ("Mix", "Mixes"), "checkpoint": ("Checkpoint", "Checkpoints")}
"""What is listed, by the name of its parameter: in the singular and in the plural."""


def room(count: int, *, baseline: bool = False) -> Any:
    """Where the panel is to stand, as high as it will be. Call it in the sidebar.

    Args:
        count: How many rows it will have.
        baseline: Whether a baseline is picked in it.
    """
    height = AROUND + _height(count) + (BASELINE if baseline else 0)
    place = st.container(key=room_key("runs_panel", height), gap=None)
    # Without anything in it there would be no room.
    place.html('<div class="dl-unseen"></div>')
    return place.container(gap="xsmall")


def choose_runs(
    place: Any, runs: pd.DataFrame, names: Sequence[str], section: str, default: Sequence[str]
) -> list[str]:
    """Let the reader show and hide runs: the names of those that are shown, in the order in which they were chosen.

    Nothing shown means nothing, never all, and stands in the address as such; so for mixes and checkpoints.

    Args:
        place: From `room`.
        runs: `RUN_COLUMNS`.
        names: Those that are offered.
        section: Whose runs come first.
        default: Shown where the address says nothing.
    """
    return _choose(place, "run", run_rows(runs, names, section), colours_of(runs, "run")[0], default)


def choose_mixes(place: Any, runs: pd.DataFrame, default: Sequence[str]) -> list[str]:
    """Let the reader show and hide the runs of whole mixes: the names of the runs that are shown.

    Args:
        place: From `room`.
        runs: `RUN_COLUMNS`.
        default: Runs whose mixes are shown where the address says nothing.
    """
    shown = _choose(place, "mix", mix_rows(runs), colours_of(runs, "mix")[0], mixes_of(runs, default))
    return [str(run) for run in runs[runs["mix"].isin(shown)]["run"]]


def choose_checkpoints(place: Any, runs: pd.DataFrame, titles: Mapping[str, str], default: Sequence[str]) -> list[str]:
    """Let the reader show and hide checkpoints: the names of those that are shown.

    Args:
        place: From `room`.
        runs: `RUN_COLUMNS`.
        titles: Name of each checkpoint that is offered to its title, in order.
        default: Shown where the address says nothing.
    """
    rows, of_run = checkpoint_rows(titles, runs), colours_of(runs, "run")[0]
    colours = {name: of_run[of[0]] for name, of in zip(rows["name"], rows["runs"], strict=True) if of[0] in of_run}
    return _choose(place, "checkpoint", rows, colours, default)


def pick_baseline(
    runs: pd.DataFrame, offered: Sequence[str], titles: Mapping[str, str], *, default: str, help: str
) -> str:
    """Pick what the others are compared with, of what is shown. Call it in the panel's place.

    Args:
        runs: `RUN_COLUMNS`.
        offered: Runs or checkpoints, at least one.
        titles: Of them.
        default: Where neither this page nor another was told.
        help: Tooltip.
    """
    names = set(runs["run"])
    of = {name: run_of(name, names) for name in offered}
    first = next((name for name in offered if of[name] == kept.baseline()), default)
    picked = controls.pick_one(
        "Baseline", "baseline", offered, default=first, titles=controls.findable(titles), help=help
    )
    last = controls.noticed("baseline", [picked])
    if last not in (None, [picked]) and last[0] in of:
        kept.keep_baseline(of[picked])
    return picked


def _choose(place: Any, name: str, rows: pd.DataFrame, colours: Mapping[str, str], default: Sequence[str]) -> list[str]:
    offered = rows["name"].tolist()
    if controls.restored(name) == [links.EVERY]:
        controls.replace_restored(name, offered)
    chosen = controls.begin(name, offered, default)
    runs_of = dict(zip(rows["name"], rows["runs"], strict=True))
    gone = [each for each in chosen if each not in runs_of]
    if gone:
        absent = together([(each, f"{each} (not here)", "", []) for each in gone])
        rows = pd.concat([absent, rows], ignore_index=True)
    with place:
        _table(name, rows, colours, chosen)
        _remember(name, chosen, offered)
    shown_runs = dict.fromkeys(run for each in chosen for run in runs_of.get(each, ()))
    controls.remember(run_colors.COLOR, run_colors.written(shown_runs, run_colors.given()))
    return chosen


def _remember(name: str, chosen: list[str], offered: Sequence[str]) -> None:
    whole = links.parameters(**{name: chosen})
    long = len(links.query(short_addresses.shortened(whole))) > short_addresses.ROOM
    controls.remember(name, [links.EVERY] if long and set(chosen) == set(offered) else chosen)
    if long and set(chosen) != set(offered):
        st.caption("The address of this choice is too long for some programs. Hide some of it, or show all.")


def _table(name: str, rows: pd.DataFrame, colours: Mapping[str, str], chosen: list[str]) -> None:
    total, (one, many) = len(rows), KINDS[name]
    st.html(
        f'<div class="dl-panel-head" role="heading" aria-level="3"><b>{many}</b>'
        f" · {numerals.part(len(chosen), total)} shown</div>"
    )
    pattern = st.text_input(
        f"Search {many.lower()}", key=f"{name}_search", placeholder="Search (regular expression)",
        label_visibility="collapsed",
    ).strip()  # fmt: skip
    try:
        found = matching(rows, pattern, SEARCHED)
    except ValueError as error:
        st.html(f'<div class="dl-notice" role="alert">Not a regular expression: {escaped(error)}</div>')
        found = rows
    runs_of = dict(zip(rows["name"], rows["runs"], strict=True))
    names = found["name"].tolist()
    which = "matching" if len(found) < total else "all"
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key="runs_panel_buttons"):
        for word, checked in (("Show", range(len(names))), ("Hide", range(0))):
            st.button(
                f"{word} {which}", key=f"{name}_{word}", type="tertiary", on_click=_change,
                args=(name, names, checked, runs_of), disabled=not names,
            )  # fmt: skip
        if chosen:
            _color(name, rows, colours, chosen)
    key = f"{controls.page()}_{name}_rows"
    check_rows(key, names, chosen)
    several = rows["section"].nunique() > 1
    cells = {"color": ["●"] * len(found), "title": found["title"].tolist()}
    cells |= {"section": found["section"].tolist()} if several else {}
    inks = [f"color: {colours.get(each, 'inherit')}" for each in names]
    column = st.column_config

    def check() -> None:
        _change(name, names, checked_rows(key), runs_of)

    data_table(
        pd.DataFrame(cells).style.apply(lambda _: inks, subset=["color"]),
        key=key,
        on_select=sure(check),
        selection_mode="multi-row",
        height=_height(total),
        row_height=ROW_HEIGHT,
        column_config={
            "color": column.TextColumn("", width=28),
            "title": column.TextColumn(one, width=162),
            "section": column.TextColumn("Section", width=100),
        },
        alt=f"{many}: checked rows are shown",
    )


def _height(count: int) -> int:
    return table_height(max(count, 1), MOST_ROWS)


def _change(name: str, names: Sequence[str], checked: Sequence[int], runs_of: Mapping[str, Sequence[str]]) -> None:
    """Show what is checked and hide the rest of some rows; the other pages go along."""
    chosen = chosen_after(controls.named(name), [(names, checked)])
    controls.put(name, chosen)
    kept.keep_runs(list(dict.fromkeys(run for each in chosen for run in runs_of.get(each, ()))))


def _color(name: str, rows: pd.DataFrame, colours: Mapping[str, str], chosen: Sequence[str]) -> None:
    """Give what is shown another color."""
    titles = dict(zip(rows["name"], rows["title"], strict=True))
    runs_of = dict(zip(rows["name"], rows["runs"], strict=True))
    with st.popover("Color", icon=":material/palette:", type="tertiary"):
        of = st.selectbox("Color of", chosen, format_func=lambda each: titles[each], key=f"{name}_color_of")
        now, key = colours.get(of, "#7E8084"), f"{name}_color {of}"
        st.session_state[key] = now.lower()
        st.color_picker(
            "Color", key=key, on_change=lambda: run_colors.give(runs_of[of], st.session_state[key])
        )  # fmt: skip
        if run_colors.given().keys() & set(runs_of[of]):
            st.button(
                "Reset", key=f"{name}_color_reset", icon=":material/undo:", on_click=run_colors.give,
                args=(runs_of[of], None),
            )  # fmt: skip
