"""Whom a sweep asks: every served checkpoint of the picked runs, each once. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dashboard.probe.asked import Column
from dashboard.queries.rows import is_missing, step_order

LEAST = 2
"""Served checkpoints of a run below which there is no curve."""


def sweepable(models: Iterable[Column]) -> dict[str, list[Column]]:
    """Runs of which at least two checkpoints are served, with these, by step, each once.

    Where a checkpoint is served more than once, the endpoint that serves most of its run is asked, so that a curve
    comes from one server as far as that goes; among equals the first.

    Args:
        models: Every model that may be asked now.
    """
    of_run: dict[str, list[Column]] = {}
    for column in models:
        if column.run is not None:
            of_run.setdefault(column.run, []).append(column)
    found = {run: _each_once(columns) for run, columns in of_run.items()}
    return {run: columns for run, columns in found.items() if len(columns) >= LEAST}


def swept(models: Iterable[Column], runs: Sequence[str], parents: Iterable[tuple[str, int]] = ()) -> tuple[Column, ...]:
    """The columns of a sweep.

    Args:
        models: Every model that may be asked now.
        runs: Those that were picked, in order; what can't be swept is left out.
        parents: Run and step of checkpoints that are asked too, where they are served: what the runs were trained from.
    """
    models = list(models)
    there = sweepable(models)
    columns = [column for run in dict.fromkeys(runs) for column in there.get(run, [])]
    asked = {(column.run, column.step) for column in columns}
    wanted = [at for at in dict.fromkeys(parents) if at not in asked]
    found = [next((column for column in models if (column.run, column.step) == at), None) for at in wanted]
    return (*(column for column in found if column is not None), *columns)


def parents_of(runs: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """The checkpoints, as run and step, that some runs were trained from; those whose step is known.

    Args:
        runs: Names.
        rows: Of all runs, with run, parent_run and parent_step.
    """
    of = {row["run"]: (row["parent_run"], row["parent_step"]) for row in rows}
    named = [of[run] for run in runs if run in of]
    return [(str(run), int(step)) for run, step in named if not is_missing(run) and not is_missing(step)]


def _each_once(columns: Sequence[Column]) -> list[Column]:
    serving = Counter(column.endpoint for column in columns)
    best = sorted(columns, key=lambda column: -serving[column.endpoint])
    once: dict[tuple[int | None, str | None], Column] = {}
    for column in best:
        once.setdefault((column.step, column.step_label), column)
    return sorted(once.values(), key=_order)


def _order(column: Column) -> tuple[bool, int, str]:
    at = column.checkpoint.at if column.checkpoint else None
    return step_order("" if at is None else at)
