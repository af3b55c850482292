"""Where replies stand on the page: names and colours of columns, their order, and the grid. Mostly pure."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

from dashboard import numerals
from dashboard.charts.palette import INKS
from dashboard.kit.pickers.series import checkpoint_title
from dashboard.kit.text.plain import escaped
from dashboard.queries.probe_rates import ProbeRate
from dashboard.queries.rows import checkpoint_in

A_ROW = 4
"""Columns beside each other; more go into a further row, so that replies stay readable."""


@dataclass(frozen=True, slots=True)
class Head:
    """What stands over a column.

    Attributes:
        position: Of the column in the probe.
        name: Of the checkpoint, else of the model.
        detail: Endpoint and model.
        colour: Of its run; grey where no run is known.
    """

    position: int
    name: str
    detail: str
    colour: str


def heads(columns: Sequence[Mapping[str, Any]], labels: Mapping[str, str], colours: Mapping[str, str]) -> list[Head]:
    """The heads of a probe's columns.

    Args:
        columns: Of a `SavedProbe`.
        labels: Run to its label.
        colours: Run to its colour.
    """
    found = []
    for position, column in enumerate(columns):
        run = column["run"]
        name = str(column["model"]) if run is None else checkpoint_title(checkpoint_in(column), labels)
        detail = f"{column['model']} at {column['endpoint']}"
        found.append(Head(position, name, detail, colours.get(str(run), INKS["light"].muted)))
    return told_apart(found)


def told_apart(found: Sequence[Head]) -> list[Head]:
    """Heads of which no two have one name: the same checkpoint at two endpoints is told apart by them."""
    names = [head.name for head in found]
    return [
        head
        if names.count(head.name) == 1
        else Head(head.position, f"{head.name} ({head.detail.rpartition(' at ')[2]})", head.detail, head.colour)
        for head in found
    ]


def blinded(found: Sequence[Head], secret: str) -> list[Head]:
    """The heads in an order of their own, their names replaced by letters.

    Args:
        found: The heads.
        secret: Known to nobody who looks: the same one gives the same order.
    """
    order = list(found)
    random.Random(secret).shuffle(order)  # noqa: S311 - an order, no key
    grey = INKS["light"].muted
    return [Head(head.position, f"Model {_letters(at)}", "", grey) for at, head in enumerate(order)]


def _letters(at: int) -> str:
    """A to Z, then AA to ZZ."""
    more, last = divmod(at, len(ascii_uppercase))
    return (ascii_uppercase[more - 1] if more else "") + ascii_uppercase[last]


def rows_of(found: Sequence[Head]) -> list[list[Head]]:
    """The columns in rows of at most `A_ROW`, as even as they can be: five are three and two."""
    count = -(-len(found) // A_ROW)
    size = -(-len(found) // max(1, count))
    return [list(found[at : at + size]) for at in range(0, len(found), size)]


def head_html(head: Head, rate: ProbeRate | None = None) -> str:
    """The head of a column, with its rate where somebody judges."""
    name = f'<div class="pr-name"><i style="background:{escaped(head.colour)}"></i>{escaped(head.name)}</div>'
    detail = f'<div class="dl-note">{escaped(head.detail)}</div>' if head.detail else ""
    return name + detail + (f'<div class="dl-note">{escaped(rate_text(rate))}</div>' if rate else "")


def rate_text(rate: ProbeRate) -> str:
    """A rate in words: k of n, per cent, interval, and what is missing."""
    missing = f", {rate.n_missing} unscored" if rate.n_missing else ""
    if rate.rate is None or rate.low is None or rate.high is None:
        return f"{rate.n_missing} replies unscored" if rate.n_missing != 1 else "unscored"
    value, low, high = map(numerals.whole_percent, (rate.rate, rate.low, rate.high))
    kind = "95% interval, anytime-valid," if rate.anytime else "95% interval"
    return f"{rate.k} of {rate.n} misaligned: {value} ({kind} {low} to {high}){missing}"
