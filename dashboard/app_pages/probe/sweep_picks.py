"""Picking what a sweep asks: runs, of which every served checkpoint is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from dashboard import numerals
from dashboard.kit.pickers import controls
from dashboard.kit.pickers.models import rows_of
from dashboard.kit.pickers.series import labels_of
from dashboard.kit.text.plain import escaped
from dashboard.probe.asked import Column
from dashboard.probe.plans import MOST_SWEPT
from dashboard.probe.sweeps import LEAST, parents_of, sweepable, swept

RUN, HAD_RUNS, WITH_PARENTS = "run", "probe_had_runs", "probe_with_parents"
FIRST_RUNS = 4
"""Runs that are picked where nobody has picked any."""
UNJUDGED = "Without a judge the curve is empty until there are human ratings."


def put(runs: Sequence[str], *, with_parents: bool) -> None:
    """Let some runs be picked, with what they were trained from or without."""
    controls.put(RUN, list(runs))
    st.session_state[HAD_RUNS], st.session_state[WITH_PARENTS] = True, with_parents


def pick(models: Mapping[str, Column], runs: pd.DataFrame, problems: list[str]) -> tuple[Column, ...]:
    """Pick runs; returns every column that a sweep of them asks.

    Args:
        models: Those that may be asked, by name.
        runs: `RUN_COLUMNS`.
        problems: Why it can't be asked is added here.
    """
    session = st.session_state
    labels = labels_of(runs)
    there = sweepable(models.values())
    # While nothing could be swept nothing could be picked either: that was no choice.
    if there and not session.get(HAD_RUNS) and not controls.named(RUN):
        controls.put(RUN, list(there)[:FIRST_RUNS])
    session[HAD_RUNS] = bool(there)
    titles = {run: f"{labels.get(run) or run} · {len(columns)} checkpoints" for run, columns in there.items()}
    picked = controls.pick_many(
        "Runs", RUN, list(there), default=list(there)[:FIRST_RUNS], titles=titles, placeholder="Select runs"
    )
    parents = parents_of(picked, rows_of(runs))
    bare, whole = swept(models.values(), picked), swept(models.values(), picked, parents)
    columns = bare
    if len(whole) > len(bare):
        session.setdefault(WITH_PARENTS, True)
        if st.toggle("Include parent checkpoints", key=WITH_PARENTS):
            columns = whole
    gone = [run for run in picked if run not in there]
    if gone:
        problems.append(
            f"Fewer than {LEAST} checkpoints served of {', '.join(gone)}. Take it out, or start its server and"
            " look again."
        )
    elif not there:
        problems.append(f"No run has {LEAST} or more served checkpoints, which a sweep needs.")
    elif not columns:
        problems.append(f"Select runs with up to {MOST_SWEPT} checkpoints in total.")
    if columns:
        st.html(f'<div class="dl-note">{escaped(told(columns, labels))}</div>')
    return columns


def told(columns: Sequence[Column], labels: Mapping[str, str]) -> str:
    """Which checkpoints are asked where, in a line.

    Args:
        columns: Of a sweep.
        labels: Run to its label.
    """
    steps: dict[str, list[str]] = {}
    for column in columns:
        at = column.step_label if column.step is None else numerals.step(column.step)
        steps.setdefault(str(column.run), []).append(at or column.model)
    of_run = [f"{labels.get(run) or run}: {', '.join(found)}" for run, found in steps.items()]
    return f"{'; '.join(of_run)} · at {', '.join(dict.fromkeys(column.endpoint for column in columns))}"
