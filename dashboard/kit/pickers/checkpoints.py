"""Which checkpoints a page begins with, and which its address names. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from dashboard.queries.checkpoints import parse_checkpoints, place_of
from dashboard.queries.rows import checkpoint_in, checkpoint_name, is_missing
from loaders.checkpoint import named
from loaders.errors import DriftlineError

Row = Mapping[Any, Any]

FIRST_CHECKPOINTS = 5
"""Checkpoints that are picked at first, the baseline among them."""


class Named(NamedTuple):
    """What an address names, as the pickers have it."""

    checkpoints: list[str]
    baseline: list[str]


def named_checkpoints(
    checkpoints: Sequence[str] | None, baseline: Sequence[str] | None, coverage: pd.DataFrame
) -> Named | None:
    """Checkpoints and baseline out of an address, understood as the command understands them.

    RUN is its latest checkpoint, RUN@LABEL the one with the label, what is unknown stays as it is; and a baseline that
    is not among the checkpoints is one more of them.

    Args:
        checkpoints: As the address has them; None where it names none.
        baseline: The same.
        coverage: `COVERAGE_COLUMNS`.

    Returns:
        None where the address names no checkpoint.
    """
    if checkpoints is None:
        return None
    of = _canonical(baseline or [], coverage)[:1]
    every = _canonical(checkpoints, coverage)
    return Named([*(name for name in of if name not in every), *every], of)


def measured_by(coverage: pd.DataFrame, evals: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Rows of `COVERAGE_COLUMNS` of some evals and of the members of groups.

    Args:
        coverage: `COVERAGE_COLUMNS`.
        evals: `EVAL_COLUMNS`.
        names: Of evals and groups.
    """
    members = evals[evals["eval"].isin(names)]["members"].explode().dropna()
    return coverage[coverage["eval"].isin([*names, *members])]


def runs_of(coverage: pd.DataFrame, checkpoints: Sequence[str]) -> tuple[str, ...]:
    """The runs of some checkpoints; the names themselves where the store has none of them, which match nothing.

    Args:
        coverage: `COVERAGE_COLUMNS`.
        checkpoints: Their names.
    """
    rows = coverage[coverage["run"].notna()].to_dict("records")
    return tuple(dict.fromkeys(row["run"] for row in rows if checkpoint_name(row) in checkpoints)) or tuple(checkpoints)


def _canonical(names: Sequence[str], coverage: pd.DataFrame) -> list[str]:
    evaluated = coverage[coverage["eval"].notna()].to_dict("records")
    found = []
    for name in names:
        try:
            found.append(parse_checkpoints([name], evaluated)[0].name)
        except DriftlineError:
            found.append(name)
    return list(dict.fromkeys(found))


def first_checkpoints(runs: pd.DataFrame, measured: pd.DataFrame) -> list[str]:
    """Begin with one family: a checkpoint, and the latest checkpoints of runs that were trained from it.

    Of several families it is the one of which most was measured by the same evals as the parent; where no run has
    a parent, these are the latest checkpoints of the first runs, and of a single run its first and its last.

    Args:
        runs: `RUN_COLUMNS`.
        measured: Rows of `COVERAGE_COLUMNS` of the evals in sight.

    Returns:
        Names, the baseline first; fewer than two where there are no more.
    """
    evals: dict[str, set[str]] = {}
    of_run: dict[str, dict[str, None]] = {}
    ordered = sorted(
        measured.to_dict("records"),
        key=lambda row: place_of(checkpoint_in(row)),
    )
    for row in ordered:
        evals.setdefault(checkpoint_name(row), set()).add(row["eval"])
        of_run.setdefault(row["run"], {})[checkpoint_name(row)] = None
    latest = {run: list(of_run[run])[-1] for run in runs["run"] if run in of_run}

    families: dict[str, list[str]] = {}
    for row in runs[runs["parent_run"].notna()].to_dict("records"):
        parent = named(row["parent_run"], None if is_missing(row["parent_step"]) else row["parent_step"])
        if parent in evals and row["run"] in latest:
            families.setdefault(parent, []).append(latest[row["run"]])
    best: tuple[int, int, list[str]] = (0, 0, [])
    for parent, children in families.items():
        common = {child: len(evals[child] & evals[parent]) for child in children}
        most = max(common.values())
        kept = [child for child in children if common[child] == most][: FIRST_CHECKPOINTS - 1]
        if most and (most, len(kept)) > best[:2]:
            best = (most, len(kept), [parent, *kept])
    if best[2]:
        return best[2]
    if len(latest) == 1:
        only = list(next(iter(of_run.values())))
        return [only[0], only[-1]] if len(only) > 1 else only
    return list(latest.values())[:FIRST_CHECKPOINTS]
