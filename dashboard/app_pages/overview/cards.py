"""What the first screen says: what improved, what got worse, what is new, and which rates have a caveat. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dashboard import links, numerals
from dashboard.charts.doubts import DOUBTS, Doubt

MOST_CURVES = 8
"""Runs that a link to curves names: more lines can't be told apart."""

MOST_NAMED = 2
"""Changes that a card names, the largest first."""


@dataclass(frozen=True)
class Link:
    """Where a card leads.

    Attributes:
        label: Our own words.
        page: Name of the page.
        state: Its parameters.
    """

    label: str
    page: str
    state: links.Parameters


@dataclass(frozen=True)
class Card:
    """A number with what it is of.

    Attributes:
        title: What was counted.
        count: How many; 0 is said as such.
        told: Of how many, and by which rule. Our own words.
        named: The first of them; texts from logs.
        link: Where they are seen; None where there is none.
    """

    title: str
    count: int
    told: str
    named: tuple[str, ...] = ()
    link: Link | None = None


@dataclass(frozen=True)
class Changes:
    """The changes of a table by what they show.

    Attributes:
        whole: Those over all evals of a group, or of no group.
        better: Significant ones among them, the largest first; where no direction is better, those that are higher.
        worse: The same of the others.
        part: Significant ones over fewer evals than the group has: they count as neither.
        family: How many Holm's correction is over.
        directed: Whether it is known which direction is better.
    """

    whole: pd.DataFrame
    better: pd.DataFrame
    worse: pd.DataFrame
    part: pd.DataFrame
    family: int
    directed: bool


def changes_of(rows: pd.DataFrame) -> Changes:
    """Sort the changes of all runs by what they show.

    Args:
        rows: `ROW_COLUMNS` of every run.
    """
    changed = rows[rows["change"].notna()]
    largest = changed.sort_values("change", key=abs, ascending=False, kind="stable")
    significant = largest[largest["changes_shown"].astype(bool)]
    lacking = significant["change_lacks"].map(bool).astype(bool)
    sure = significant[~lacking]
    directed = bool(rows["better"].isin(["lower", "higher"]).any())
    better = sure["tone"].eq("better") if directed else sure["change"] > 0
    worse = sure["tone"].eq("worse") if directed else sure["change"] < 0
    return Changes(
        whole=changed[~changed["change_lacks"].map(bool).astype(bool)],
        better=sure[better],
        worse=sure[worse],
        part=significant[lacking],
        family=int(changed["p"].notna().sum()),
        directed=directed,
    )


def headline(changes: Changes) -> str:
    """The first screen in a sentence."""
    whole = len(changes.whole)
    if not whole:
        return "No change can be tested: no run has a rate where its parent was evaluated, or at an earlier step."
    words = ("better", "worse") if changes.directed else ("higher", "lower")
    return (
        f"{numerals.part(len(changes.better), whole)} changes since the parent (or first step) are significantly"
        f" {words[0]}, {numerals.count(len(changes.worse))} significantly {words[1]}"
        f" (Holm over {numerals.plural(changes.family, 'change')})."
    )


def change_cards(changes: Changes, state: links.Parameters, unit: str) -> list[Card]:
    """What improved, and what got worse.

    Args:
        changes: From `changes_of`.
        state: What is measured, as parameters of the Curves page.
        unit: Of the changes; "pp" for shares.
    """
    titles = ("Improved", "Got worse") if changes.directed else ("Higher", "Lower")
    of = f"of {numerals.plural(len(changes.whole), 'change')}, significantly (Holm)"
    more = f"; {numerals.count(len(changes.part))} over fewer evals left out" if len(changes.part) else ""
    return [
        Card(
            title,
            len(some),
            of + more,
            tuple(_change_words(row, unit) for row in some.head(MOST_NAMED).to_dict("records")),
            _curves(list(dict.fromkeys(some["run"])), state),
        )
        for title, some in zip(titles, (changes.better, changes.worse), strict=True)
    ]


def new_card(logs: pd.DataFrame, measured: list[str], batch: int, state: links.Parameters) -> Card:
    """What came in with the latest import.

    Args:
        logs: `LOG_COLUMNS`.
        measured: Runs with a rate on what is shown.
        batch: The latest import that is shown.
        state: What is measured, as parameters of the Curves page.
    """
    imports = Link("Data: imports", links.DATA, {"show": ["imports"]})
    new = logs[logs["batch"] == batch]
    runs = list(dict.fromkeys(new["run"].dropna()))
    if len(new) == len(logs):
        told = f"{'run' if len(runs) == 1 else 'runs'}, all with the first import: {numerals.plural(len(new), 'log')}"
        return Card("New", len(runs), told, link=imports)
    if new.empty:
        last = f"; the last logs came with import {logs['batch'].max()}" if logs["batch"].notna().any() else ""
        return Card("New", 0, f"runs with new logs in import {batch}{last}", link=imports)
    told = f"of {numerals.plural(logs['run'].nunique(), 'run')} with new logs: {numerals.plural(len(new), 'log')}"
    here = [run for run in runs if run in set(measured)]
    return Card("New", len(runs), f"{told} in import {batch}", link=_curves(here, state) or imports)


WHERE: dict[Doubt, str] = {"totals": "totals", "log": "files", "mean": "coverage"}
"""Section of the Data page that shows a kind of doubt; an outage is seen in the curves."""


def doubt_card(rows: pd.DataFrame, state: links.Parameters) -> Card:
    """Which latest rates have a caveat that speaks against the number itself.

    Args:
        rows: `ROW_COLUMNS` of every run.
        state: What is measured, as parameters of the Curves page.
    """
    of = f"of {numerals.plural(len(rows), 'latest rate')}"
    some = rows[rows["doubts"].map(bool).astype(bool)]
    counts = Counter(kind for kinds in some["doubts"] for kind in kinds)
    kinds = [kind for kind in DOUBTS if counts[kind]]
    if not kinds:
        return Card("Unreliable", 0, of, link=Link("Data: coverage", links.DATA, {"show": ["coverage"]}))
    told = ", ".join(numerals.plural(counts[kind], *DOUBTS[kind]) for kind in kinds)
    gravest = some[[kinds[0] in of_row for of_row in some["doubts"]]]
    if kinds[0] in WHERE:
        link: Link | None = Link(f"Data: {WHERE[kinds[0]]}", links.DATA, {"show": [WHERE[kinds[0]]]})
    else:
        link = _curves(list(dict.fromkeys(gravest["run"])), state)
    return Card("Unreliable", len(some), f"{of}: {told}", tuple(gravest["label"].head(MOST_NAMED)), link)


def _curves(runs: list[str], state: links.Parameters) -> Link | None:
    if not runs:
        return None
    first = runs[:MOST_CURVES]
    which = numerals.plural(len(first), "run") if len(first) == len(runs) else numerals.part(len(first), len(runs))
    return Link(f"Curves of {which}", links.CURVES, state | links.parameters(run=first))


def _change_words(row: Mapping[Any, Any], unit: str) -> str:
    change = row["change"]
    number = numerals.points(change) if unit == "pp" else numerals.signed(change)
    return f"{row['label']} {number} {unit}".strip()
