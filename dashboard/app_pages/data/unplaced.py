"""Logs without a run or step: pick them, say where they belong, see where that puts them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import numerals
from dashboard.app_pages.data import writing
from dashboard.app_pages.data.tables import placement_table, unplaced_table
from dashboard.kit import caches
from dashboard.kit.data_table import data_table
from dashboard.kit.page import clock
from dashboard.kit.page.reader import cursor, reader
from dashboard.kit.text.plain import escaped
from dashboard.placing.logs import compiled, entries_for, read_paths, step_of
from dashboard.placing.target import Target, target_for
from dashboard.queries.unplaced import placed_as
from loaders.errors import DriftlineError
from loaders.study.cards import STAGES
from loaders.study.editing import Entries, edit
from loaders.study.evidence import Placement
from loaders.study.reading import parse_study

ALIKE, PATTERN, EACH = "The same for all", "Pattern in the path", "One by one"
EXAMPLE = r"(?P<run>[^/]+)/step-(?P<step>\d+)"
TALL, SHOWN = 420, 12


def unplaced(as_of: int) -> None:
    """Draw the section.

    Args:
        as_of: Batch.
    """
    if writing.outcome():
        return
    logs = caches.unplaced(as_of)
    if logs.empty:
        st.caption("None: every log has a run and a step.")
        return
    if reader().hidden:
        st.caption("Placing logs takes access to all runs: whose these logs are is not known yet.")
    st.caption("Nothing in these logs, their names or folders says run and step. Select them, and say it here.")
    # Rows are selected by their numbers: in another list these are other logs.
    key = f"unplaced {pd.util.hash_pandas_object(logs[['root', 'path']]).sum()}"
    data_table(
        unplaced_table(logs), key=key, on_select="rerun", selection_mode="multi-row",
        height="content" if len(logs) <= SHOWN else TALL, alt="Logs without a run or step; select some to place them",
        column_config={"Created": clock.time_column("Created")},
    )  # fmt: skip
    if reader().hidden or not reader().may("editor"):
        return
    picked = [row for row in st.session_state[key].selection.rows if row < len(logs)]
    how = st.segmented_control("Place", [ALIKE, PATTERN, EACH], default=ALIKE, required=True, key="unplaced_how")
    whole = f"All {numerals.plural(len(logs), 'log')}"
    # One step for all logs there are is rarely meant: it is asked for. A pattern tells them apart.
    every = not picked and (how != ALIKE or st.toggle(whole, key="unplaced_all"))
    if not picked and not every:
        st.caption("Select logs in the table.")
        return
    st.caption(f"{numerals.part(len(logs) if every else len(picked), len(logs))} selected.")
    some = logs if every else logs.iloc[picked]
    roots = some["root"].unique()
    if len(roots) > 1:
        st.html('<div class="dl-notice">Select logs of one folder at a time.</div>')
        return
    paths = [str(path) for path in some["path"]]
    try:
        places = _places(str(how), paths, as_of)
    except ValueError as error:
        st.html(f'<div class="dl-notice" role="alert">{escaped(error)}</div>')
        return
    if not places:
        return
    targets = {path: target_for(str(roots[0]), path, caches.card_places(as_of)) for path in places}
    target = next(iter(targets.values()))
    if any(each.file != target.file for each in targets.values()):
        st.html('<div class="dl-notice">Select logs of one study.yaml at a time.</div>')
        return
    entries = entries_for({target.within(path) or path: place for path, place in places.items()})
    if not entries["logs"]:
        return
    ready = _show(target, entries, list(places), as_of)
    writing.panel(target, entries, ready=ready)


def _places(how: str, paths: Sequence[str], as_of: int) -> Mapping[str, Mapping[str, Any]]:
    """What the widgets say of logs, by path.

    Raises:
        ValueError: What was typed makes no sense.
    """
    runs, mixes = caches.known_names(as_of)
    if how == EACH:
        return _one_by_one(paths)
    found: Mapping[str, Mapping[str, Any]] = {path: {} for path in paths}
    groups: set[str] = set()
    if how == PATTERN:
        pattern = st.text_input(
            "Regular expression with named groups", key="unplaced_pattern", placeholder=EXAMPLE,
            help="Groups may be called run, step, stage, mix, variant: (?P<step>\\d+) reads the step.",
        )  # fmt: skip
        if not pattern:
            st.code("\n".join(paths[:3]), language=None)
            return {}
        regex = compiled(pattern)
        groups = set(regex.groupindex)
        found = read_paths(regex, paths)
        st.caption(f"Matches {numerals.part(len(found), len(paths))}.")
    columns = st.columns(4)
    said: dict[str, Any] = {}
    with columns[0]:
        if "run" not in groups:
            said["run"] = _named("Run", runs, f"unplaced_run {how}")
    with columns[1]:
        if "step" not in groups:
            said["step"] = step_of(st.text_input("Step", key="unplaced_step"))
    with columns[2]:
        if "stage" not in groups:
            said["stage"] = st.selectbox("Stage", STAGES, index=None, key="unplaced_stage", placeholder="None")
    with columns[3]:
        if "mix" not in groups:
            said["mix"] = _named("Mix", mixes, f"unplaced_mix {how}")
    told = {name: value.strip() if isinstance(value, str) else value for name, value in said.items()}
    return {path: {**told, **place} for path, place in found.items()}


def _named(label: str, names: Sequence[str], key: str) -> str | None:
    """Pick a name, or type a new one."""
    typed = st.session_state.get(key)
    # What was typed is an option, too: drawn anew, the widget shows no other.
    options = [*names, *([typed] if typed and typed not in names else [])]
    return st.selectbox(label, options, index=None, accept_new_options=True, key=key, placeholder="Pick or type")


def _one_by_one(paths: Sequence[str]) -> dict[str, dict[str, Any]]:
    frame = pd.DataFrame({"Log": paths, "Run": "", "Step": "", "Stage": None, "Mix": ""})
    edited = st.data_editor(
        frame, hide_index=True, disabled=["Log"], key="unplaced_each " + "\n".join(paths),
        column_config={"Stage": st.column_config.SelectboxColumn(options=list(STAGES))},
    )  # fmt: skip
    places = {}
    for row in edited.to_dict("records"):
        texts = {name.lower(): str(row[name] or "").strip() or None for name in ("Run", "Stage", "Mix")}
        places[str(row["Log"])] = {**texts, "step": step_of(str(row["Step"] or ""))}
    return places


def _show(target: Target, entries: Entries, paths: Sequence[str], as_of: int) -> bool:
    """Where the entries put the logs, by the code of an ingest; whether each then has a run and a step."""
    try:
        study = parse_study(edit(target.file, entries).after, target.file)
        with cursor() as con:
            found = placed_as(con, as_of, str(target.root), paths, target.at, study)
    except DriftlineError as error:
        st.html(f'<div class="dl-notice" role="alert">{escaped(error)}</div>')
        return False
    st.markdown("##### Preview")
    data_table(
        placement_table(found), height="content" if len(found) <= SHOWN else TALL,
        alt="Where these logs belong",
    )  # fmt: skip
    for problem in _problems(found):
        st.html(f'<div class="dl-notice">{escaped(problem)}</div>')
    return True


def _problems(found: Sequence[tuple[str, Placement]]) -> list[str]:
    told = list(dict.fromkeys(conflict.message for _, placement in found for conflict in placement.conflicts))
    if labels := {p.step_label for _, p in found if p.step is None and p.step_label is not None}:
        named = ", ".join(sorted(labels))
        told.append(f"{named}: read as a label, with no place on the x axis. A step is a whole number.")
    without = sum(placement.step is None and placement.step_label is None for _, placement in found)
    if without:
        told.append(f"{numerals.plural(without, 'log')} without a step: no point on a curve.")
    return told
