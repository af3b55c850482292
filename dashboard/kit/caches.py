"""Answers of the store, kept for as long as they are asked for: as of a batch nothing changes, so none goes stale."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import duckdb
import pandas as pd
import streamlit as st

from dashboard import runtime
from dashboard.kit.page.reader import reader
from dashboard.kit.run_colors import recolored
from dashboard.queries import beside, cards, catalogue, ingests, nearest, samples, scan_validation, tried_metrics
from dashboard.queries import compare as compare_queries
from dashboard.queries import components as component_queries
from dashboard.queries import corrected as corrected_queries
from dashboard.queries import excerpts as excerpt_queries
from dashboard.queries import fields as field_queries
from dashboard.queries import figures as figure_queries
from dashboard.queries import framings as framing_queries
from dashboard.queries import labeling as labeling_queries
from dashboard.queries import line_bands as band_queries
from dashboard.queries import mixes as mix_queries
from dashboard.queries import overview as overview_queries
from dashboard.queries import rates as rate_queries
from dashboard.queries import replicates as replicate_queries
from dashboard.queries import rescoring_selection as selections
from dashboard.queries import training as training_queries
from dashboard.queries import transcript as transcripts
from dashboard.queries import transcript_hash as hashes
from dashboard.queries import trends as trend_queries
from dashboard.queries import unplaced as unplaced_queries
from dashboard.queries import verdicts as verdict_queries
from dashboard.queries.agreement import AgreementQuery, Name
from dashboard.queries.known_logs import live_logs

P = ParamSpec("P")
R = TypeVar("R")

ENTRIES = 200
"""Answers kept of all queries together. A frame of rates is some 100 kB."""


def _kept(query: Callable[Concatenate[duckdb.DuckDBPyConnection, P], R]) -> Callable[P, R]:
    """Ask the process's store as the reader may see it, and keep the answer. Arguments must be hashable.

    What is hidden from a reader is part of what an answer is kept under: readers who see alike share it, others never.
    """
    name = f"{query.__module__}.{query.__qualname__}"

    @st.cache_data(max_entries=ENTRIES, show_spinner=False, hash_funcs={samples.SampleFilter: repr})
    def answer(_store: Any, path: str, hidden: tuple[str, ...], query_name: str, *args: Any, **kwargs: Any) -> R:  # noqa: ARG001
        with _store.cursor(hidden=hidden) as cursor:
            return query(cursor, *args, **kwargs)

    @wraps(query)
    def ask(*args: P.args, **kwargs: P.kwargs) -> R:
        store = runtime.store()
        # The name is part of the key: Streamlit tells cached functions apart by their source, the same for all here.
        kept: R = answer(store, store.path, reader().hidden, name, *args, **kwargs)
        return kept

    return ask


def _batches(con: duckdb.DuckDBPyConnection, as_of: int) -> pd.DataFrame:
    frame = ingests.batches(con)
    return frame[frame["batch"] <= as_of].reset_index(drop=True)


def _log_paths(con: duckdb.DuckDBPyConnection, as_of: int) -> dict[str, str]:
    return {log["eval_key"]: log["path"] or log["eval_key"] for log in live_logs(con, as_of)}


def _corrected(
    con: duckdb.DuckDBPyConnection,
    query: AgreementQuery,
    as_of: int,
    labels: corrected_queries.Labels,
    newest: datetime | None,  # noqa: ARG001 - part of the key: labels are given while a batch is shown
) -> corrected_queries.Corrected:
    return corrected_queries.corrected(con, query, as_of, labels)


def _next_to_label(
    con: duckdb.DuckDBPyConnection,
    query: AgreementQuery,
    as_of: int,
    skipped: tuple[Name, ...],
    newest: datetime | None,  # noqa: ARG001 - as above
) -> labeling_queries.Next:
    return labeling_queries.next_to_label(con, query, as_of, skipped)


corrected = _kept(_corrected)
next_to_label = _kept(_next_to_label)
rates = _kept(rate_queries.rates)
noise_components = _kept(component_queries.noise_components)
replicates = _kept(replicate_queries.replicates)
compare = _kept(compare_queries.compare)
differences = _kept(mix_queries.differences)
successive = _kept(mix_queries.successive)
trends = _kept(trend_queries.trends)
line_bands = _kept(band_queries.line_bands)
training = _kept(training_queries.training)
training_metrics = _kept(training_queries.training_metrics)
fields = _kept(field_queries.fields)
framings = _kept(framing_queries.framings)
has_repeats = _kept(catalogue.has_repeats)
standings = _kept(overview_queries.standings)
logs = _kept(overview_queries.logs)
scan_validations = _kept(scan_validation.scan_validations)
unlike_settings = _kept(overview_queries.unlike_settings)
_runs = _kept(catalogue.runs)


def runs(as_of: int) -> pd.DataFrame:
    """`RUN_COLUMNS` of every run, in the colors that the reader gave them."""
    return recolored(_runs(as_of))


evals = _kept(catalogue.evals)
metrics_for = _kept(catalogue.metrics_for)
coverage = _kept(catalogue.coverage)
known_checkpoints = _kept(catalogue.known_checkpoints)
figures = _kept(figure_queries.figures)
studies = _kept(catalogue.studies)
batches = _kept(_batches)
batch_mark = _kept(ingests.batch_mark)
files = _kept(ingests.files)
conflicts = _kept(ingests.conflicts)
card_places = _kept(cards.card_places)
unplaced = _kept(unplaced_queries.unplaced)
scores_of = _kept(tried_metrics.scores_of)
roots_of = _kept(tried_metrics.roots_of)
known_names = _kept(unplaced_queries.known_names)
samples_page = _kept(samples.samples_page)
outcome_counts = _kept(samples.outcome_counts)
neighbours = _kept(samples.neighbours)
any_sample = _kept(samples.any_sample)
excerpts = _kept(excerpt_queries.excerpts)
log_paths = _kept(_log_paths)
transcript = _kept(transcripts.transcript)
transcript_hash = _kept(hashes.transcript_hash)
answers = _kept(beside.answers)
gone = _kept(nearest.gone)
judges_outcome = _kept(verdict_queries.judges_outcome)
selection = _kept(selections.select)
