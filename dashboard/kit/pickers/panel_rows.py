"""What the panel of runs offers: runs, mixes or checkpoints, those of one section together. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard.queries.sections import first_in_order

ROWS = ("name", "title", "section", "runs")
"""Columns of what is offered: name and title, its section, and the runs that it stands for."""


def run_rows(runs: pd.DataFrame, names: Sequence[str], section: str) -> pd.DataFrame:
    """Runs as the panel offers them: `ROWS`, those of a section first.

    Args:
        runs: `RUN_COLUMNS`.
        names: Of runs, in the study's order.
        section: Which.
    """
    rows = runs.set_index("run", drop=False).loc[first_in_order(names, runs, section)]
    return together([(row["run"], row["run_label"], row["section"], [row["run"]]) for row in rows.to_dict("records")])


def mix_rows(runs: pd.DataFrame) -> pd.DataFrame:
    """The mixes of all runs, as the panel offers them: `ROWS`.

    Args:
        runs: `RUN_COLUMNS`.
    """
    of = runs[runs["mix"].notna()].groupby("mix", sort=False)
    return together([(mix, mix, some["section"].iloc[0], some["run"].tolist()) for mix, some in of])


def mixes_of(runs: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """The mixes that some runs were trained on, in the study's order."""
    return [str(mix) for mix in runs[runs["run"].isin(names)]["mix"].dropna().unique()]


def checkpoint_rows(titles: Mapping[str, str], runs: pd.DataFrame) -> pd.DataFrame:
    """Checkpoints as the panel offers them: `ROWS`.

    Args:
        titles: Name of each to its title, in order.
        runs: `RUN_COLUMNS`.
    """
    section = dict(zip(runs["run"], runs["section"], strict=True))
    found = [(name, title, run_of(name, section)) for name, title in titles.items()]
    return together([(name, title, section.get(run), [run]) for name, title, run in found])


def run_of(name: str, runs: Collection[str]) -> str:
    """The run that a checkpoint is of; a name that is a run's own is that run.

    Args:
        name: RUN@STEP, RUN@LABEL, or RUN for logs without a step.
        runs: Names of all runs.
    """
    return name if name in runs else name.rpartition("@")[0]


def together(found: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    """Rows of `ROWS` from their values in that order, those of one section together."""
    frame = pd.DataFrame(found, columns=list(ROWS))
    frame["section"] = [name if isinstance(name, str) else "" for name in frame["section"]]
    order = {section: at for at, section in enumerate(dict.fromkeys(frame["section"]))}
    return frame.sort_values("section", key=lambda names: names.map(order), kind="stable", ignore_index=True)
