"""Which runs, mixes and evals a page begins with, and how they are named and coloured. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard.charts.curve_data import Lineage
from dashboard.charts.palette import assign_colours, spread_colours
from dashboard.charts.points import NO_MIX, SeriesBy
from dashboard.queries.rows import checkpoint_in
from loaders.checkpoint import Checkpoint

MOST_RUNS = 8
"""Runs that are picked at first: more lines than this can't be told apart."""

MOST_ALONE = 30
"""Logs without a step that are picked at first, where no run has one: each is a row of its own."""

ALL = "none"


def default_evals(evals: pd.DataFrame, metrics: pd.DataFrame) -> list[str]:
    """Begin with the first group; else with the eval of most logs, of those that somebody wrote a definition for.

    What has no number is not begun with, where anything has one.

    Args:
        evals: `EVAL_COLUMNS`.
        metrics: `METRIC_COLUMNS` of all of them.
    """
    some = evals[evals["measured"] > 0]
    evals = some if len(some) else evals
    groups = evals[evals["group"]]
    if len(groups):
        return [str(groups["eval"].iloc[0])]
    written = metrics[metrics["default"] & (metrics["origin"] != "automatic")]["eval"]
    of = evals[evals["eval"].isin(written)] if len(written) else evals
    return [str(name) for name in of.sort_values("logs", ascending=False, kind="stable")["eval"].head(1)]


def default_runs(runs: pd.DataFrame, measured: pd.DataFrame) -> list[str]:
    """Begin with the runs that were measured at most checkpoints; with logs that stand alone only if there is no run.

    Args:
        runs: `RUN_COLUMNS`.
        measured: Rows of `COVERAGE_COLUMNS` of the evals in sight.

    Returns:
        At most `MOST_RUNS` runs, or `MOST_ALONE` logs, in the study's order.
    """
    here = runs[runs["run"].isin(measured["run"])]
    placed = here[here["placed"]]
    if placed.empty:
        return [str(run) for run in here["run"].head(MOST_ALONE)]
    steps = measured.groupby("run")["step"].nunique().reindex(placed["run"]).fillna(0)
    most = set(steps.sort_values(ascending=False, kind="stable").index[:MOST_RUNS])
    return [str(run) for run in placed["run"] if run in most]


def shown_of(shown: Sequence[str], offered: Sequence[str], what: str = "runs") -> str:
    """Say how many are drawn where some are left out: "8 of 9 runs shown"; nothing where all are.

    Args:
        shown: What is drawn.
        offered: All that has something to draw.
        what: They are, in the plural.
    """
    drawn = set(shown) & set(offered)
    return f"{len(drawn)} of {len(set(offered))} {what} shown" if 0 < len(drawn) < len(set(offered)) else ""


def colours_of(
    runs: pd.DataFrame, series: SeriesBy, points: pd.DataFrame | None = None
) -> tuple[dict[str, str], dict[str, str]]:
    """Colour and label of every run, or of every mix: its name's, or that of the cards of all its runs.

    Args:
        runs: `RUN_COLUMNS`.
        series: run, mix, or split.
        points: For split: what is drawn, its column `series` the values.

    Returns:
        Name to colour, and name to label, in the study's order.
    """
    if series == "split":
        values = sorted(points["series"].unique(), key=str) if points is not None else []
        return spread_colours(values), {value: value or ALL for value in values}
    rows = runs.to_dict("records")
    colours = assign_colours((str(row["run"]), _text(row["colour"])) for row in rows)
    if series == "run":
        return colours, {str(row["run"]): _text(row["run_label"]) or str(row["run"]) for row in rows}
    own: dict[str, set[str | None]] = {}
    for row in rows:
        own.setdefault(_text(row["mix"]) or NO_MIX, set()).add(_text(row["colour"]))
    of_mix = assign_colours((mix, next(iter(given)) if len(given) == 1 else None) for mix, given in own.items())
    return of_mix, {mix: mix for mix in of_mix}


def labels_of(runs: pd.DataFrame) -> dict[str, str]:
    """Name of each run to its label.

    Args:
        runs: `RUN_COLUMNS`.
    """
    return dict(zip(runs["run"], runs["run_label"], strict=True))


def checkpoint_titles(coverage: pd.DataFrame, runs: pd.DataFrame) -> dict[str, str]:
    """Every checkpoint that was evaluated, with its title, in the study's order.

    Args:
        coverage: `COVERAGE_COLUMNS`.
        runs: `RUN_COLUMNS`.
    """
    labels = labels_of(runs)
    found = {}
    for row in coverage[coverage["eval"].notna()].to_dict("records"):
        checkpoint = checkpoint_in(row)
        found[checkpoint.name] = checkpoint_title(checkpoint, labels)
    return found


def checkpoint_title(checkpoint: Checkpoint, labels: Mapping[str, Any]) -> str:
    """What is shown of a checkpoint: its run's label, and its step or the label that stands for it.

    Args:
        checkpoint: Which.
        labels: From `labels_of`.
    """
    label = labels.get(checkpoint.run) or checkpoint.run
    return str(label) if checkpoint.at is None else f"{label} @{checkpoint.at}"


def lineage_of(runs: pd.DataFrame) -> dict[str, Lineage]:
    """What the lineage axis needs of every run."""
    return {
        str(row["run"]): Lineage(
            parent_run=_text(row["parent_run"]),
            parent_step=_number(row["parent_step"]),
            stage=_text(row["stage"]),
            offset=_number(row["lineage_offset"]),
        )
        for row in runs.to_dict("records")
    }


def with_forebears(runs: Sequence[str], lineage: Mapping[str, Lineage]) -> list[str]:
    """Runs and all that they were trained from, each once."""
    found = dict.fromkeys(runs)
    waiting = list(runs)
    while waiting:
        place = lineage.get(waiting.pop())
        if place is not None and place.parent_run is not None and place.parent_run not in found:
            found[place.parent_run] = None
            waiting.append(place.parent_run)
    return list(found)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: object) -> int | None:
    return None if value is None or value is pd.NA or value != value else int(str(value))
