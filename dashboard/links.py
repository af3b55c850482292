"""Addresses: which query parameters lead to which page and state. Pure: no page is needed to make or read one.

The names in an address are the names of runs, evals and definitions, never their titles; any text is allowed in them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlencode

from dashboard.queries.rows import is_missing, step_of, whole_number

HIGHEST_FIRST, LOWEST_FIRST = "value, highest first", "value, lowest first"
"""Orders of samples by their outcome, as they stand in an address."""

Row = Mapping[Any, Any]
Option = TypeVar("Option", bound=str)
Parameters = dict[str, list[str]]

OVERVIEW, CURVES, MIXES, PERSISTENCE = "overview", "curves", "mixes", "persistence"
ASSESSMENT, COMPARE, SAMPLES, TRANSCRIPT, DATA = "assessment", "compare", "samples", "transcript", "data"
PROBE, RESCORINGS, BESIDE = "probe", "judgings", "beside"
VIEWS, NOTES, AGREEMENT = "views", "notes", "agreement"
REPORT, AUDIT, GALLERY = "report", "audit", "gallery"

AS_OF = "as_of"
"""Pins a page to a batch. The only parameter that every page keeps."""

PIN = re.compile(r"(\d{1,18})(?:-([0-9a-f]{6}))?")

TOGGLES = frozenset({"log_x", "zoom", "differing", "all_rows", "disagree"})
"""Parameters that Streamlit itself keeps in step with a switch that is on or off; off is left out of the address."""

BOUND = TOGGLES | {
    "x", "panels", "series", "show", "interval", "view", "correction", "steps", "ask", "repeats", "band", "cells",
}  # fmt: skip
"""Switches, of which several pages have one of the same name; their defaults are left out of the address."""

FILTER = frozenset(
    {"run", "step", "eval", "metric", "where", "outcome", "text", "score", "in_log", "errors", "limits", "sort"}
)

OLD_OPTIONS = {
    "view": {"two evals": "eval-vs-eval", "along a run": "by-step", "mark": "rate"},
    "show": {"batches": "imports", "headers": "totals", "not read": "unread", "which logs count": "standing"},
}
"""Options of switches as earlier addresses spell them, by the name of the switch: such links go on working."""

EVERY = "*"
"""In an address all that a page offers, where their names would make it too long; no run is named so."""

MARGINS = frozenset({"margin", "margin_score"})
"""Equivalence margins, of rates (in percentage points) and of scores: the same on all pages that test differences."""

MEASURED = frozenset({"eval", "metric", "split", "point", "section", "color"})
"""What every page of charts has: the section, what is measured, how it is split, the point that was clicked, and colors
that the reader gave runs."""


def parameters(**values: object) -> Parameters:
    """Turn values into query parameters: lists as repeated ones, None left out, an empty list as one empty text.

    The empty text matters: `run=` says that no run is chosen, and a missing `run` that nothing was said.
    """
    result: Parameters = {}
    for name, value in values.items():
        if value is None:
            continue
        many = [str(item) for item in value] if isinstance(value, (list, tuple)) else [str(value)]
        result[name] = many or [""]
    return result


def read_option(name: str, told: str, options: Mapping[Option, str]) -> Option | None:
    """The option of a switch that an address means: by its title, its name or an earlier spelling, in any case.

    Args:
        name: Of the switch.
        told: What the address says.
        options: Names with their titles.

    Returns:
        None where it means none of them.
    """
    asked = told.casefold()
    asked = OLD_OPTIONS.get(name, {}).get(asked, asked)
    return next((option for option, title in options.items() if asked in (option.casefold(), title.casefold())), None)


def query(address: Parameters) -> str:
    """An address as the text behind the question mark."""
    return urlencode(address, doseq=True)


def read_link(link: str) -> tuple[str, Parameters]:
    """The name of a page, and its query parameters, out of an address without its server."""
    page, _, told = link.lstrip("/").partition("?")
    return page, parse_qs(told, keep_blank_values=True)


def pin(batch: int, mark: str) -> str:
    """The value of `as_of` that pins a page to a batch of one store.

    Args:
        batch: Its number.
        mark: What tells it from the same number in another store: `dashboard.queries.ingests.batch_mark`.
    """
    return f"{batch}-{mark}"


def read_pin(text: str) -> tuple[int, str | None] | None:
    """The batch that an address names, with its mark where it has one; None for what is no pin."""
    found = PIN.fullmatch(text)
    return None if found is None else (int(found[1]), found[2])


def samples_of_rate(row: Row, splits: Sequence[str] = ()) -> Parameters:
    """The Samples page with what is behind one rate, the worst first.

    Args:
        row: A row of the rates: of one log, or of a group.
        splits: The fields that the rates are split by.
    """
    step = step_of(row)
    return parameters(
        run=[row["run"]],
        step=None if step is None else [step],
        eval=[row["eval"]],
        metric=row["metric"],
        where=[where(field, row[name]) for field, name in zip(splits, ("split", "split2"), strict=False)] or None,
        in_log=None if is_missing(row["eval_key"]) else list(row.get("eval_keys") or [row["eval_key"]]),
        sort=LOWEST_FIRST if row["better"] == "higher" else HIGHEST_FIRST,
    )


def where(field: str, value: object) -> str:
    """A value of a field as a filter of samples: "metadata.ai_name=Claude"; the field alone where it has none."""
    return field if is_missing(value) else f"{field}={value}"


def transcript(
    log: str, sample: str, epoch: int, *, message: int | None = None, within: Parameters | None = None
) -> Parameters:
    """The Transcript page of one sample.

    Args:
        log: The log's eval_key.
        sample: The sample's id as text.
        epoch: From 1.
        message: The message that is marked, from 1; None for none.
        within: The Samples page's own parameters, so that previous and next stay inside its filter.
    """
    kept = {name: values for name, values in (within or {}).items() if name in FILTER}
    return {**kept, **parameters(log=log, sample=sample, epoch=epoch, message=message)}


BY_STEP = "by-step"
"""The view of the Side by side page that tells where questions changed along a run."""


def beside(
    eval_name: str,
    sample: str | None,
    checkpoints: Sequence[str],
    *,
    metric: str | None = None,
    epoch: int | None = None,
    run: str | None = None,
    view: str | None = None,
) -> Parameters:
    """The Side by side page with one question.

    Args:
        eval_name: Of one eval, not of a group.
        sample: The question's id as text; None for the first on which the checkpoints disagree.
        checkpoints: Names, the reference first.
        metric: What counts; None for the eval's default.
        epoch: The same for all columns; None for the first.
        run: Whose steps the view by step shows.
        view: `BY_STEP`, or None for the transcripts.
    """
    return parameters(
        eval=eval_name, sample=sample, checkpoint=list(checkpoints), metric=metric, epoch=epoch, run=run, view=view
    )


def probe(probe_id: str) -> Parameters:
    """The permanent link to a probe: it shows what was saved, and asks no model again."""
    return parameters(probe=probe_id)


def probe_this(log: str, sample: str, epoch: int, upto: int | None) -> Parameters:
    """The Probe page with a transcript's prompt in its composer.

    Args:
        log: The log's eval_key.
        sample: The sample's id as text.
        epoch: From 1.
        upto: Number of the last message that is taken over, from 0; None for all.
    """
    return parameters(log=log, sample=sample, epoch=epoch, upto=upto)


def rescore(within: Parameters) -> Parameters:
    """The Re-scoring page about to re-score what passes a filter of the Samples page.

    Args:
        within: The Samples page's own parameters.
    """
    kept = {name: values for name, values in within.items() if name in FILTER and name != "sort"}
    return {**kept, **parameters(begin="yes")}


def rescorings(*judging_ids: str) -> Parameters:
    """The Re-scoring page with one re-scoring, or several beside each other."""
    return parameters(judging=list(judging_ids))


def sample_of(address: Parameters) -> tuple[str, str, int] | None:
    """Log, sample and epoch out of an address of the Transcript page; None where it names none."""
    log, sample, epoch = (next(iter(address.get(name, [])), "") for name in ("log", "sample", "epoch"))
    if not log or not sample:
        return None
    return log, sample, whole_number(epoch) or 1
