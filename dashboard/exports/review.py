"""A review, as it is taken along: saved views with their charts and numbers, notes, transcripts. Pure: no store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dashboard import numerals
from dashboard.exports.columns import is_empty
from dashboard.exports.facts import Facts
from dashboard.exports.methods import methods_text
from dashboard.exports.picture import Picture
from dashboard.texts.messages import Message, Part

LONGEST_TEXT = 200_000
"""Characters of one text of a transcript; what is left out is counted."""

Named = tuple[tuple[str, str], ...]
"""Names and values, in order."""


@dataclass(frozen=True)
class Chart:
    """A chart and the numbers behind it."""

    picture: Picture
    numbers: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Note:
    """A thread of comments.

    Attributes:
        on: What it is on, in words.
        state: Open or resolved, and its tags.
        comments: Author, time and text of each.
    """

    on: str
    state: str
    comments: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Conversation:
    """A transcript, or a probe's replies: of which runs, where it comes from, what was said, labelled and noted."""

    title: str
    runs: tuple[str, ...]
    about: Named
    messages: tuple[Message, ...]
    scores: tuple[Part, ...] = ()
    notes: tuple[Note, ...] = ()
    labels: tuple[Part, ...] = ()


@dataclass(frozen=True)
class View:
    """A saved view with what its page shows.

    Attributes:
        title: Its name.
        note: What its author wrote.
        saved: By whom and when, in words.
        page: Name of the page.
        source: Its address, pinned to the batch.
        batch: That batch, in words.
        filters: What the address chooses, in words.
        charts: From top to bottom.
        table: Of a page without charts.
        conversations: Of a page of transcripts or replies.
        notes: On what it shows.
        missing: What could not be shown, in words.
        before: What the review's author says before it, in Markdown.
        link: The whole address that opens it; "" where that is not known.
    """

    title: str
    note: str
    saved: str
    page: str
    source: str
    batch: str
    filters: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    table: pd.DataFrame | None = None
    conversations: tuple[Conversation, ...] = ()
    notes: tuple[Note, ...] = ()
    missing: tuple[str, ...] = ()
    before: str = ""
    link: str = ""


@dataclass(frozen=True)
class Review:
    """A whole review.

    Attributes:
        title, introduction: As its author wrote them; the introduction is Markdown.
        made: By whom and when, in words.
        notices: What has to be said of its studies: that one is simulated.
        views: In order.
        conversations: Transcripts that were chosen besides.
        driftline: Version.
    """

    title: str
    introduction: str
    made: str
    notices: tuple[str, ...]
    views: tuple[View, ...]
    conversations: tuple[Conversation, ...]
    driftline: str


def shared_facts(charts: Sequence[Chart]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Definitions and intervals of several charts, each once."""
    facts: list[Facts] = [chart.picture.facts for chart in charts]
    definitions = dict.fromkeys(told for one in facts for told in one.definitions)
    intervals = dict.fromkeys(told for one in facts for told in one.intervals)
    return tuple(definitions), tuple(intervals)


def review_methods(review: Review) -> str:
    """How the numbers of all its charts were made, with references; "" without charts."""
    charts = [chart for view in review.views for chart in view.charts]
    return methods_text([chart.numbers for chart in charts], [chart.picture.facts for chart in charts])


def about_view(view: View) -> list[str]:
    """What a view is of, a line each: its batch, definitions, intervals, filters and address."""
    definitions, intervals = shared_facts(view.charts)
    about = [view.batch, *definitions]
    about += [f"Intervals: {', '.join(intervals)}"] if intervals else []
    about += [f"Filters: {' · '.join(view.filters)}"] if view.filters else []
    return [*about, f"Source: {view.source}"]


def cell(value: Any) -> str:
    """A cell of a table, four digits of a number: all of them are in the files of numbers."""
    if is_empty(value):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return numerals.figures(value) if abs(value) < 1e6 else numerals.count(value)
    if isinstance(value, (list, tuple)):
        return "; ".join(map(str, value))
    return str(value)


def whole_text(part: Part) -> str:
    """The text of a part as a file has it: cut only where it is longer than anybody reads."""
    rest = len(part.text) - LONGEST_TEXT
    return (
        part.text if rest <= 0 else f"{part.text[:LONGEST_TEXT]}\n[{numerals.count(rest)} more characters are left out]"
    )
