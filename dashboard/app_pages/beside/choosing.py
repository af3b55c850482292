"""What the Side by side page puts beside each other: an eval, checkpoints, a metric, the reference."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from dashboard import links
from dashboard.kit import caches
from dashboard.kit.along import Counted, counted_of
from dashboard.kit.page import nothing
from dashboard.kit.pickers import controls
from dashboard.kit.pickers.checkpoints import first_checkpoints, named_checkpoints
from dashboard.kit.pickers.choices import pick_definition, titles_of
from dashboard.kit.pickers.series import checkpoint_titles, default_evals
from dashboard.queries.beside import MOST
from dashboard.queries.rows import is_missing

FIRST_COLUMNS = 3
"""Checkpoints that are picked at first."""

ANY_VARIANT = "any"

TRANSCRIPTS = "transcripts"
VIEWS = {TRANSCRIPTS: "Transcripts", links.BY_STEP: "By step"}


@dataclass(frozen=True)
class Choice:
    """What is looked at.

    Attributes:
        eval: Name of an eval.
        eval_title: For people.
        checkpoints: Names, in the order of the columns.
        titles: Of all checkpoints that were evaluated.
        counted: What counts.
        variant: Of the logs; None for any.
        reference: The checkpoint that the others are compared with.
    """

    eval: str
    eval_title: str
    checkpoints: list[str]
    titles: dict[str, str]
    counted: Counted
    variant: str | None
    reference: str


def choose(evals: pd.DataFrame, runs: pd.DataFrame, coverage: pd.DataFrame, as_of: int) -> Choice:
    """Draw the pickers; the page ends here where no checkpoint is picked.

    Args:
        evals: `EVAL_COLUMNS`.
        runs: `RUN_COLUMNS`.
        coverage: `COVERAGE_COLUMNS`.
        as_of: Batch.
    """
    single = evals[~evals["group"]]
    titles, offered = titles_of(single), checkpoint_titles(coverage, runs)
    named = named_checkpoints(controls.restored("checkpoint"), None, coverage)
    if named is not None:
        controls.replace_restored("checkpoint", named.checkpoints[:MOST])
    with st.sidebar:
        eval_name = controls.pick_one(
            "Eval", "eval", list(titles), default=_first_eval(single, as_of), titles=controls.findable(titles)
        )
        here = coverage[coverage["eval"] == eval_name]
        first = first_checkpoints(runs, with_samples(here))[:FIRST_COLUMNS]
        picked = controls.pick_many(
            "Checkpoints", "checkpoint", list(offered), default=first, titles=controls.findable(offered), most=MOST,
            placeholder=f"Select two to {MOST}",
        )  # fmt: skip
        if not picked:
            nothing.nothing_picked("checkpoint")
        reference = controls.pick_one(
            "Reference", "to", picked, default=picked[0], titles=controls.findable(offered), leave_out=picked[0],
            help="Word differences and divergences are from this column.",
        )  # fmt: skip
        metrics = caches.metrics_for((eval_name,), as_of)
        definition = pick_definition(metrics)
        variant = _pick_variant(here)
    metric = definition.names[0] if definition.names else None
    counted = counted_of(metrics, eval_name, metric)
    return Choice(eval_name, titles[eval_name], picked, offered, counted, variant, reference)


def _first_eval(evals: pd.DataFrame, as_of: int) -> str:
    """The eval that other pages begin with too, if any of its logs holds samples; of a group its first member."""
    return default_evals(with_samples(evals), caches.metrics_for((), as_of))[0]


def with_samples(some: pd.DataFrame) -> pd.DataFrame:
    """The rows, of evals or checkpoints, with samples to show; all where none has any."""
    held = some[some["samples"] > 0]
    return held if len(held) else some


def _pick_variant(here: pd.DataFrame) -> str | None:
    variants = sorted({str(each) for each in here["variant"] if not is_missing(each)})
    if len(variants) < 2:
        return None
    picked = controls.pick_one(
        "Variant", "variant", [ANY_VARIANT, *variants], default=variants[0], titles={ANY_VARIANT: "Any"}
    )
    return None if picked == ANY_VARIANT else picked


def put_beside(checkpoints: list[str]) -> None:
    """Look at the transcripts of other checkpoints from the next run on."""
    controls.put("checkpoint", checkpoints)
    st.session_state["view"] = TRANSCRIPTS
