"""From rates to categories: in which row, which column and which panel every rate stands. Pure.

A row is a category, a column is what has a colour in the dots and a column of cells in the heatmap. Whatever else
differs between rates of one row and column is added to the row's name, so that no rate hides another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pandas as pd

from dashboard.charts.panels import DIRECTIONS, titled
from dashboard.charts.points import MARK_COLUMNS, NO_MIX, NO_VARIANT, NOT_GIVEN, marked_points
from dashboard.queries.rows import is_missing
from loaders.metrics.splits import value_order

Dimension = Literal["checkpoint", "run", "mix", "eval", "metric", "split", "split2"]
PanelsBy = Literal["one", "eval", "metric", "run"]

WHO: tuple[Dimension, ...] = ("checkpoint", "run", "mix")
"""Dimensions that say who was measured: a checkpoint has one run and one mix, so these never cross each other."""

TELLING = ("checkpoint", "eval", "metric", "variant", "split", "split2")
"""Dimensions that tell rates apart, in the order in which they are added to a name."""

UNTOLD = {"mix": NO_MIX, "variant": NO_VARIANT, "split": NOT_GIVEN, "split2": NOT_GIVEN}

CATEGORY_COLUMNS = (*MARK_COLUMNS, "variant", "panel", "category", "column", "column_rank", "series", "value")
"""Columns of `category_points`. `panel` tells panels apart and is not for people; `category` and `column` are names for
people (`column` is "" where colours are the categories' own) in the order of `column_rank`, `series` names what has a
colour, `value` is the value of its dimension. `rate` is missing where no sample has an outcome."""

Titles = Mapping[str, Mapping[str, str]]
"""Dimension -> value -> title, values in the study's order."""


def category_points(
    rates: pd.DataFrame, *, category: Dimension, colour: Dimension, panels: PanelsBy = "one", titles: Titles
) -> pd.DataFrame:
    """Place every rate.

    Better-is-up and better-is-down are never in one panel, and neither are different units, nor means of different
    evals: scores from 0 to 10 and from 0 to 100 may both be called points.

    Args:
        rates: Rows of `RATE_COLUMNS`.
        category: What the rows are.
        colour: What the columns are.
        panels: What else has a panel of its own.
        titles: For names and order; values that aren't in it bear their own name, and come last.

    Returns:
        `CATEGORY_COLUMNS`: panels one after the other, lower-is-better first, in each the rows and columns in order.
    """
    frame = marked_points(rates)
    dimensions: tuple[str, ...] = (*TELLING, "run", "mix")
    values = {name: [_value(name, value) for value in frame[name]] for name in dimensions}
    texts = {name: _texts(values[name], titles.get(name, {})) for name in dimensions}
    ranks = {name: _ranks(values[name], titles.get(name, {})) for name in dimensions}

    def part(name: str, at: int) -> _Part:
        return ranks[name][values[name][at]], texts[name][values[name][at]]

    places = [
        _Place(
            panel=_panel(row, None if panels == "one" else part(panels, at)),
            category=[part(category, at)],
            column=[] if colour == category else [part(colour, at)],
        )
        for at, row in enumerate(frame.to_dict("records"))
    ]
    # Of checkpoints and what they were measured on, the ones belong with those who were measured.
    to_column = category not in WHO and colour in WHO
    for name in TELLING:
        if name not in (category, colour, panels):
            parts = [part(name, at) for at in range(len(places))]
            _tell_apart(places, parts, "column" if name == "checkpoint" and to_column else "category")
    _number_logs(places, frame["repeat"].tolist())

    frame["panel"] = [place.panel[-1] for place in places]
    frame["category"] = [_name(place.category) for place in places]
    frame["column"] = [_name(place.column) for place in places]
    own = [part(colour, at)[1] for at in range(len(places))]
    frame["series"] = [_name(place.column) or text for place, text in zip(places, own, strict=True)]
    frame["value"] = values[colour]
    columns = sorted({tuple(place.column) for place in places})
    frame["column_rank"] = [columns.index(tuple(place.column)) for place in places]
    first = _first_places(places, ranks, values)
    order = sorted(
        range(len(places)), key=lambda at: (first[at], places[at].category, places[at].column, frame["repeat"].iloc[at])
    )
    return frame.iloc[order][list(CATEGORY_COLUMNS)].reset_index(drop=True)


_Part = tuple[int, str]
"""Rank and text of one value."""


class _Place:
    """Where a rate stands; row and column grow until nothing else stands there."""

    __slots__ = ("category", "column", "panel")

    def __init__(self, panel: tuple[int, str, str], category: list[_Part], column: list[_Part]) -> None:
        self.panel, self.category, self.column = panel, category, column

    def cell(self) -> tuple[Any, ...]:
        return (self.panel, tuple(self.category), tuple(self.column))


def _value(name: str, value: Any) -> str:
    return UNTOLD.get(name, "") if is_missing(value) else str(value)


def _texts(values: Sequence[str], titles: Mapping[str, str]) -> dict[str, str]:
    """A text for each value; where two would bear the same, their names stand behind."""
    shown = {value: titles.get(value) or value for value in dict.fromkeys(values)}
    of: dict[str, int] = defaultdict(int)
    for text in shown.values():
        of[text] += 1
    return {value: text if of[text] == 1 else f"{text} ({value})" for value, text in shown.items()}


def _ranks(values: Sequence[str], titles: Mapping[str, str]) -> dict[str, int]:
    """The study's order, then other values by size or alphabet, then what has none."""
    place = {value: at for at, value in enumerate(titles)}
    others = set(values) - set(place)
    ordered = sorted(others, key=lambda value: (value in UNTOLD.values(), value_order(value)))
    return place | {value: len(place) + at for at, value in enumerate(ordered)}


def _panel(row: Mapping[Any, Any], chosen: _Part | None) -> tuple[int, str, str]:
    """Direction, and everything that keeps panels apart."""
    direction = str(row["better"]) if row["better"] in DIRECTIONS else ""
    unit = "" if is_missing(row["unit"]) else str(row["unit"])
    parts = [direction, str(row["kind"])]
    if row["kind"] == "reported":
        parts += [unit, str(row["metric"])]
    elif row["kind"] == "mean":
        # Where nobody says what the unit is, two scores of one eval may have different ones.
        parts += [unit, str(row["eval"])] + ([] if unit else [str(row["metric"])])
    rank = [*DIRECTIONS, ""].index(direction)
    return rank, direction, " | ".join([*parts, *([chosen[1]] if chosen else [])])


def _tell_apart(places: list[_Place], parts: list[_Part], target: str) -> None:
    """Add to the names of those rows (or columns) in which rates of one cell differ by this dimension."""
    of_cell: dict[tuple[Any, ...], set[_Part]] = defaultdict(set)
    for place, part in zip(places, parts, strict=True):
        of_cell[place.cell()].add(part)
    several = {
        (place.panel, tuple(getattr(place, target))) for place in places if len(of_cell[place.cell()]) > 1
    }  # fmt: skip
    for place, part in zip(places, parts, strict=True):
        if (place.panel, tuple(getattr(place, target))) in several:
            getattr(place, target).append(part)


def _number_logs(places: list[_Place], repeats: list[int]) -> None:
    """Logs without a step are checkpoints of their own, and may have nothing that tells them apart."""
    seen: dict[tuple[Any, ...], int] = defaultdict(int)
    for place, repeat in zip(places, repeats, strict=True):
        if repeat == 0:
            cell = place.cell()
            seen[cell] += 1
            if seen[cell] > 1:
                place.category.append((seen[cell], f"log {seen[cell]}"))


def _name(parts: list[_Part]) -> str:
    return " · ".join(dict.fromkeys(text for _, text in parts))


def _first_places(
    places: list[_Place], ranks: Mapping[str, Mapping[str, int]], values: Mapping[str, Sequence[str]]
) -> list[tuple[int, tuple[int, int], str]]:
    """The order of panels: by direction, then by the first eval and metric in them."""
    found: dict[tuple[int, str, str], tuple[int, int]] = {}
    for at, place in enumerate(places):
        here = (ranks["eval"][values["eval"][at]], ranks["metric"][values["metric"][at]])
        found[place.panel] = min(found.get(place.panel, here), here)
    return [(place.panel[0], found[place.panel], place.panel[2]) for place in places]


def crosses(category: Dimension, colour: Dimension) -> bool:
    """Whether every row could have a point in every column, so that one without is a gap."""
    return category != colour and not (category in WHO and colour in WHO)


def gaps(points: pd.DataFrame) -> list[str]:
    """Rows and columns of a panel that were not measured together, for people.

    Args:
        points: Rows of `category_points` whose dimensions cross each other.
    """
    found: dict[str, list[str]] = {}
    for _, some in points.groupby("panel", sort=False):
        there = set(zip(some["category"], some["column"], strict=True))
        for column in some["column"].unique():
            missing = [category for category in some["category"].unique() if (category, column) not in there]
            found.setdefault(column, []).extend(missing)
    return [f"No results: {column}: {_listed(missing)}" for column, missing in found.items() if missing]


def _listed(names: Sequence[str], most: int = 6) -> str:
    named = list(dict.fromkeys(names))
    return ", ".join(named[:most]) + (f" and {len(named) - most} more" if len(named) > most else "")


def panel_heading(
    points: pd.DataFrame, titles: Titles, taken: Sequence[Dimension], *, name_metric: bool = False
) -> str:
    """What a panel is of, and what is measured: all that its rows and columns don't say.

    Args:
        points: The panel's rows of `category_points`.
        titles: As there.
        taken: The dimensions of rows and columns.
        name_metric: Whether other panels are of the same eval by other definitions.
    """
    evals, metrics, checkpoints = (points[name].unique().tolist() for name in ("eval", "metric", "checkpoint"))
    named = [titles.get("eval", {}).get(name, name) for name in evals]
    parts = [_listed(named, 3)]
    if name_metric and len(metrics) == 1 and "metric" not in taken:
        parts.append(titles.get("metric", {}).get(metrics[0], metrics[0]))
    if len(checkpoints) == 1 and taken[0] not in WHO:
        parts.append(titles.get("checkpoint", {}).get(checkpoints[0], checkpoints[0]))
    return titled(" · ".join(dict.fromkeys(parts)), points, titles.get("metric", {}))
