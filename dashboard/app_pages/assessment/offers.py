"""What the Assessment page begins with and offers: evals, what counts, checkpoints, and what rows and colours are.

Pure but for the pickers at the end.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import pandas as pd

from dashboard import numerals
from dashboard.charts.categories_data import WHO, Dimension, Titles
from dashboard.charts.palette import assign_colours, spread_colours
from dashboard.kit.pickers import controls, runs_panel
from dashboard.kit.pickers.checkpoints import runs_of
from dashboard.kit.pickers.series import colours_of, labels_of
from dashboard.queries.checkpoints import LAST_LABELS
from dashboard.queries.rows import checkpoint_name, step_of, step_order
from dashboard.queries.sections import most_in
from loaders.metrics.splits import value_order

MOST_CHECKPOINTS = 12
"""Checkpoints that are picked at first."""

AUTOMATIC = "automatic"
"""Origin of definitions that nobody wrote."""

SPLIT_DIMENSIONS: tuple[Dimension, ...] = ("split", "split2")

WORDS: dict[str, str] = {
    "checkpoint": "checkpoint",
    "run": "run",
    "mix": "data mix",
    "eval": "eval",
    "metric": "metric",
}


def written(metrics: pd.DataFrame) -> pd.DataFrame:
    """What counts at first: of each eval all that the study defines, else all that is built in, else its default.

    Args:
        metrics: Rows of `METRIC_COLUMNS`.
    """
    remoteness = metrics["origin"].map({"built-in": 1, AUTOMATIC: 2}).fillna(0)
    nearest = remoteness == remoteness.groupby(metrics["eval"]).transform("min")
    return metrics[nearest & ((remoteness < 2) | metrics["default"])]


def default_evals(evals: pd.DataFrame, metrics: pd.DataFrame) -> list[str]:
    """Begin with the eval of most written definitions; of equals with the one of most logs.

    Args:
        evals: `EVAL_COLUMNS`.
        metrics: `METRIC_COLUMNS` of all of them.
    """
    # What has no number is not begun with, where anything has one.
    some = evals[evals["measured"] > 0]
    evals = some if len(some) else evals
    found = written(metrics)
    counts = found[found["origin"] != AUTOMATIC].groupby("eval")["metric"].nunique()
    ranked = evals.assign(definitions=evals["eval"].map(counts).fillna(0))
    ranked = ranked.sort_values(["definitions", "logs"], ascending=False, kind="stable")
    return [str(name) for name in ranked["eval"].head(1)]


def measuring(evals: pd.DataFrame, names: Sequence[str]) -> list[list[str]]:
    """For each of some evals the names that stand for it: its own, or those of the group's members.

    Args:
        evals: `EVAL_COLUMNS`.
        names: Of evals and groups.
    """
    some = evals[evals["eval"].isin(names)]
    return [list(of) or [name] for name, of in zip(some["eval"], some["members"], strict=True)]


def default_checkpoints(coverage: pd.DataFrame, members: Sequence[Sequence[str]]) -> list[str]:
    """The latest checkpoint of each run at which everything was measured; where there is none, at which anything was.

    Args:
        coverage: `COVERAGE_COLUMNS`.
        members: From `measuring`.

    Returns:
        Names of checkpoints; logs that stand alone among them only if nothing else was measured.
    """
    of: dict[str, dict[str, dict[str, set[str]]]] = {"placed": {}, "alone": {}}
    steps: dict[str, tuple[bool, int, str]] = {}
    for row in coverage[coverage["eval"].notna()].to_dict("records"):
        name = checkpoint_name(row)
        kind = "placed" if row["placed"] else "alone"
        of[kind].setdefault(row["run"], {}).setdefault(name, set()).add(row["eval"])
        step = step_of(row) or 0
        # A label such as "base" is no later than a step; "final" is.
        steps[name] = step_order(step) if not isinstance(step, str) or step in LAST_LABELS else (False, -1, step)
    for by_run in of.values():
        for needed in (all, any):
            found = []
            for checkpoints in by_run.values():
                there = [
                    name
                    for name, evals in checkpoints.items()
                    if needed(any(member in evals for member in names) for names in members)
                ]
                found += [max(there, key=lambda name: steps[name])] if there else []
            if found:
                return found
    return []


def section_measured(runs: pd.DataFrame, coverage: pd.DataFrame, members: Sequence[Sequence[str]]) -> str:
    """The section of which most runs were measured on some evals.

    Args:
        runs: `RUN_COLUMNS`.
        coverage: `COVERAGE_COLUMNS`.
        members: From `measuring`.
    """
    return most_in(runs_of(coverage, default_checkpoints(coverage, members)), runs)


@dataclass(frozen=True, slots=True)
class Shape:
    """What rows and colours may be, and are at first."""

    offered: dict[str, Dimension]
    """Name in the address -> dimension."""
    category: str
    colour: str


def shape_of(used: pd.DataFrame, evals: Sequence[str], splits: Sequence[str]) -> Shape:
    """Rows are at first what there is most to tell apart by; colours what is left.

    Args:
        used: Rows of `METRIC_COLUMNS` that count.
        evals: Names of the evals in sight.
        splits: Fields that everything is split by.
    """
    offered: dict[str, Dimension] = {name: name for name in get_args(Dimension) if name not in SPLIT_DIMENSIONS}
    offered |= dict(zip(splits, SPLIT_DIMENSIONS, strict=False))
    several = (used.groupby("eval")["metric"].nunique() > 1).any()
    category = "metric" if several else "eval" if len(evals) > 1 else "checkpoint"
    if splits:
        category = splits[0]
    return Shape(offered, category, splits[1] if len(splits) > 1 else "checkpoint")


def titles_of(evals: pd.DataFrame, metrics: pd.DataFrame, runs: pd.DataFrame, checkpoints: Mapping[str, str]) -> Titles:
    """Titles of all that can be a row, a colour or a panel, in the study's order.

    Args:
        evals: `EVAL_COLUMNS`.
        metrics: `METRIC_COLUMNS`.
        runs: `RUN_COLUMNS`.
        checkpoints: From `checkpoint_titles`.
    """
    return {
        "checkpoint": checkpoints,
        "run": labels_of(runs),
        "mix": {mix: mix for mix in runs["mix"].dropna()},
        "eval": dict(zip(evals["eval"], evals["title"], strict=True)),
        "metric": dict(zip(metrics["metric"], metrics["title"], strict=True)),
    }


def colours_for(points: pd.DataFrame, dimension: Dimension, runs: pd.DataFrame, titles: Titles) -> dict[str, str]:
    """Colour of each series: a run's own, wherever it is seen, or a mix's; else one of the palette for each value.

    Args:
        points: `CATEGORY_COLUMNS`.
        dimension: What has a colour.
        runs: `RUN_COLUMNS`.
        titles: As the points were placed with.

    Returns:
        Series to colour, in order.
    """
    once = points.drop_duplicates("series").sort_values("column_rank", kind="stable")
    if dimension in WHO:
        of_run, _ = colours_of(runs, "mix" if dimension == "mix" else "run")
        names = once["value"] if dimension == "mix" else once["run"]
        spare = assign_colours((name, None) for name in names)
        return {series: of_run.get(name, spare[name]) for series, name in zip(once["series"], names, strict=True)}
    known = list(titles.get(dimension, {})) if dimension == "eval" else []
    values = dict.fromkeys([*known, *sorted(once["value"].unique(), key=value_order)])
    of = spread_colours(values)
    return {series: of[value] for series, value in zip(once["series"], once["value"], strict=True)}


def pick_metrics(metrics: pd.DataFrame, evals: Sequence[str]) -> list[str]:
    """Pick what counts; a newly picked eval brings its own definitions along, and one that goes takes its away.

    Args:
        metrics: Rows of `METRIC_COLUMNS` for the evals in sight.
        evals: Their names.
    """
    titles = dict(zip(metrics["metric"], metrics["title"], strict=True))
    default = written(metrics)
    seen = controls.noticed("evals", list(evals))
    if seen is not None and set(seen) != set(evals):
        new = default[default["eval"].isin(set(evals) - set(seen))]["metric"]
        kept = [name for name in controls.named("metric") if name in titles]
        controls.put("metric", list(dict.fromkeys([*kept, *new])) or default["metric"].unique().tolist())
    return controls.pick_many(
        "Metrics", "metric", list(titles), default=default["metric"].unique().tolist(),
        titles=controls.findable(titles), placeholder="Select metrics",
    )  # fmt: skip


def pick_checkpoints(place: Any, runs: pd.DataFrame, titles: Mapping[str, str], default: Sequence[str]) -> list[str]:
    """Pick checkpoints; while the reader hasn't chosen any, they are those that were measured on what is in sight.

    Args:
        place: Of the panel.
        runs: `RUN_COLUMNS`.
        titles: From `checkpoint_titles`.
        default: From `default_checkpoints`.
    """
    order = {name: at for at, name in enumerate(titles)}
    first = sorted(default, key=lambda name: order.get(name, len(order)))[:MOST_CHECKPOINTS]
    before = controls.noticed("checkpoints", first)
    if before is not None and before != first and set(controls.named("checkpoint")) == set(before):
        controls.put("checkpoint", first)
    picked = runs_panel.choose_checkpoints(place, runs, titles, first)
    if picked == first and len(first) < len(default):
        place.caption(f"The first {len(first)} of {len(default)} runs, each at its latest checkpoint.")
    return picked


def in_order(titles: Mapping[str, str], picked: Sequence[str]) -> dict[str, str]:
    """The checkpoints that are picked in the order in which they were picked, then all others."""
    return {name: titles[name] for name in picked if name in titles} | dict(titles)


def pick_dimension(label: str, name: str, shape: Shape, default: str) -> Dimension:
    """Pick what rows or colours are; what was never changed by hand follows what is in sight.

    Args:
        label: Of the widget.
        name: Of the query parameter.
        shape: What is offered.
        default: At first.
    """
    before = controls.noticed(name, [default])
    if before is not None and before != [default] and controls.named(name) == before:
        controls.put(name, default)
    words = {option: _in_words(option) for option in shape.offered}
    picked = controls.pick_one(label, name, list(shape.offered), default=default, titles=words)
    return shape.offered[picked]


def _in_words(option: str) -> str:
    """What is shown of a dimension; the fields of samples and logs keep their keys."""
    return option if "." in option else WORDS.get(option, option).capitalize()


def framing_words(framings: pd.DataFrame, checkpoints: Sequence[str], titles: Titles) -> list[str]:
    """Differences between two framings in words: what less what, with the interval, and on what it rests.

    Args:
        framings: `dashboard.queries.framings.FRAMING_COLUMNS`.
        checkpoints: Names of those in sight.
        titles: Of checkpoints, evals and metrics.
    """
    shown = ["checkpoint", "eval", *["metric"] * (framings["metric"].nunique() > framings["eval"].nunique())]
    rows = [row for row in framings.to_dict("records") if row["checkpoint"] in checkpoints]
    order = {name: at for at, name in enumerate(titles["checkpoint"])}
    rows.sort(key=lambda row: order.get(row["checkpoint"], len(order)))
    told = []
    for row in rows:
        where = [titles[name].get(row[name], row[name]) for name in shown]
        unit = f" {row['unit']}" if isinstance(row["unit"], str) else ""
        if row["kind"] == "rate":
            unit = " pp"
        difference, low, high = signed([row[name] for name in ("difference", "low", "high")], row["kind"] == "rate")
        bounds = f"95% interval {low} to {high}" if low else "no interval"
        basis = f"paired on {row['questions']} questions" if row["paired"] else "not paired: other questions"
        if row["paired"] and row["other_prompts"]:
            basis += f", {row['other_prompts']} of them with another prompt"
        told.append(
            f"{' · '.join(where)}: {row['value']} minus {row['baseline_value']}: {difference}{unit}"
            f" ({bounds}; {basis}; {row['method']})"
        )
    return told


def signed(values: Sequence[float], fractions: bool) -> list[str]:
    """Numbers with their signs, all with as many decimals as give the largest three digits; "" for NaN.

    Args:
        values: Any; NaN for what is not known.
        fractions: Whether they are shown in hundredths, with one decimal.
    """
    largest = max((abs(value) for value in values if value == value), default=0.0)
    decimals = 1 if fractions else min(4, max(0, 2 - math.floor(math.log10(largest)))) if largest else 0
    scale = 100 if fractions else 1
    return [numerals.signed_decimals(value * scale, decimals) if value == value else "" for value in values]
