"""A review as one HTML file: it opens offline, and runs nothing.

Charts are drawings inside it, every text is escaped, addresses are text. Besides, its own policy (CSP) forbids a
browser to load or run anything at all, whatever is in it. The only links are our own, to the views themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from dashboard import numerals
from dashboard.charts.keys import Key
from dashboard.charts.palette import INKS
from dashboard.exports.columns import shown_columns
from dashboard.exports.picture import drawings
from dashboard.exports.review import Chart, Review, View, about_view, cell, review_methods, whole_text
from dashboard.exports.statements import statements
from dashboard.texts.rendering import render

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

MID_CELL, LONG_CELL = 22, 60
"""Characters from which on a cell is given room, and more of it."""

OPEN_ROWS = 40
"""Of a table that isn't folded."""


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers or samples as they are drawn: each cell with its class and, for a number, all its digits."""

    title: str
    is_open: bool
    columns: list[str]
    rows: list[list[tuple[str, str, str]]]


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart as it is drawn: its drawing is our own, every text in it escaped by whoever drew it."""

    title: str
    keys: tuple[Key, ...]
    paper: str
    drawing: Markup
    numbers: Table
    said: Sequence[str]


@dataclass(frozen=True, slots=True)
class Section:
    """A view with its figures and its table."""

    view: View
    about: list[str]
    figures: list[Figure]
    table: Table | None


def review_html(review: Review) -> bytes:
    """The file.

    Raises:
        DriftlineError: A chart that can't be drawn.
    """
    made = render(
        "review",
        review=review,
        policy=POLICY,
        titles=[*(view.title for view in review.views), *(one.title for one in review.conversations)],
        sections=[_section(number, view) for number, view in enumerate(review.views, start=1)],
        whole_text=whole_text,
        methods=review_methods(review).split("\n\n"),
    )
    return made.encode("utf-8", "replace")


def _section(number: int, view: View) -> Section:
    drawn = drawings([chart.picture for chart in view.charts], f"part-{number}-chart-")
    figures = [_figure(chart, svg) for chart, svg in zip(view.charts, drawn, strict=True)]
    return Section(view, about_view(view), figures, None if view.table is None else _table(view.table, "Samples"))


def _figure(chart: Chart, svg: str) -> Figure:
    picture = chart.picture
    # The drawing is vl-convert's: it writes texts as text.
    drawing = Markup(svg)  # noqa: S704
    said = statements(chart.numbers, picture.facts)
    paper = INKS[picture.scheme].paper
    return Figure(picture.facts.title, picture.keys, paper, drawing, _table(chart.numbers, "Data"), said)


def _table(frame: pd.DataFrame, title: str) -> Table:
    columns = shown_columns(frame)
    numeric = {name for name in columns if frame[name].dtype.kind in "iuf"}
    rows = [
        [_cell(value, name in numeric) for name, value in zip(columns, row, strict=True)]
        for row in frame[columns].itertuples(index=False, name=None)
    ]
    return Table(f"{title} ({numerals.plural(len(frame), 'row')})", len(frame) <= OPEN_ROWS, columns, rows)


def _cell(value: object, number: bool) -> tuple[str, str, str]:
    text = cell(value)
    if number:
        # All the digits come up where the pointer rests.
        return "number", str(value), text
    return "long" if len(text) > LONG_CELL else "mid" if len(text) > MID_CELL else "short", "", text
