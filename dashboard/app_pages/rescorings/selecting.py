"""Which transcripts are to be judged, and what that may cost before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from dashboard import links, numerals, runtime
from dashboard.kit import caches
from dashboard.kit.pickers.sample_filters import filter_of
from dashboard.kit.text.plain import escaped
from dashboard.probe.budget import OverBudget, affordable, in_words
from dashboard.probe.endpoints import Allowance
from dashboard.probe.judge import Judge
from dashboard.probe.rescoring.rescorer import Limit, Size, cost, reserve
from dashboard.queries.rescoring_selection import Selection

ENTRIES = 20
"""Answers kept: the sizes of some thousand transcripts each."""

WORDS = {
    "run": "run", "step": "step", "eval": "eval", "metric": "definition", "where": "where", "outcome": "outcome",
    "text": "text", "score": "score", "in_log": "log", "errors": "errors", "limits": "limits",
}  # fmt: skip
"""Parts of a filter, in words."""


def chosen(within: links.Parameters, each: int | None, seed: int, as_of: int) -> Selection:
    """The transcripts that a filter finds, or some of each checkpoint.

    Raises:
        DriftlineError: The filter can't be read.
    """
    return caches.selection(filter_of(within), each, seed, as_of)


@st.cache_data(max_entries=ENTRIES, show_spinner=False)
def _sizes(_rescorer: Any, path: str, samples: tuple[int, ...], tokens: int) -> dict[int, Size]:  # noqa: ARG001
    found: dict[int, Size] = _rescorer.sizes(samples, Limit(tokens))
    return found


def sizes(selection: Selection, tokens: int) -> list[Size]:
    """How long the material of each transcript is, in their order."""
    ids = tuple(item["sample_id"] for item in selection.items)
    found = _sizes(runtime.probes().rescorer, runtime.store().path, ids, tokens)
    return [found[sample] for sample in ids]


def filter_words(within: links.Parameters) -> str:
    """A filter in words; empty for none."""
    parts = [f"{word} {', '.join(within[name])}" for name, word in WORDS.items() if any(within.get(name, []))]
    return " · ".join(parts)


def selection_html(selection: Selection, long: Sequence[Size], tokens: int) -> str:
    """What is selected, in numbers."""
    drawn, cut = len(selection.items), sum(size.cut for size in long)
    many = "checkpoint" if selection.checkpoints == 1 else "checkpoints"
    told = [f"<b>{numerals.count(drawn)}</b> transcripts of {numerals.count(selection.checkpoints)} {many}"]
    if drawn < selection.found - selection.silent:
        told.append(f"drawn from {numerals.count(selection.found)}")
    if selection.silent:
        told.append(f"{numerals.count(selection.silent)} without a reply left out")
    if cut:
        told.append(f"{numerals.count(cut)} longer than {numerals.count(tokens)} tokens (cut in the middle)")
    return f'<div class="dl-head">{" · ".join(told)}</div>'


def affording(judges: Sequence[Judge], long: Sequence[Size]) -> tuple[str, bool]:
    """What re-scoring by some rubrics may cost, in words, and whether anything of it is allowed now."""
    judges = [runtime.probes().engine.with_room(judge) for judge in judges]
    costs = [cost(judge, long) for judge in judges]
    requests, tokens = sum(c.requests for c in costs), sum(c.tokens for c in costs)
    service = runtime.probes()
    limits = service.directory.declared.limits
    of_one, of_day = service.engine.spent(None)
    told = f"{in_words('A judging', Allowance(requests, tokens), of_day, limits)}, with probes."
    fitting = 0
    for judge in judges:
        single = [Allowance(1, reserve(judge, size)) for size in long]
        try:
            count = affordable(single, of_one, of_day, limits)
        except OverBudget as error:
            return f"{told} {error}", False
        fitting += count
        taken = cost(judge, long[:count])
        of_day = Allowance(of_day.requests + taken.requests, of_day.tokens + taken.tokens)
    if fitting < requests:
        of = f"{numerals.count(fitting)} of {numerals.count(requests)} requests"
        told += f" {of} fit the limits now; resume later for the rest."
    return told, True


def selection_note(within: links.Parameters) -> str:
    """The filter as a line."""
    return f'<div class="dl-note">{escaped(filter_words(within) or "all samples")}</div>'
