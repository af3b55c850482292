"""The models that may be asked: what the endpoints have, matched to checkpoints, named for people and addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import runtime
from dashboard.kit import caches
from dashboard.kit.page import news
from dashboard.kit.page.fragments import fragment
from dashboard.kit.page.reader import cursor, reader
from dashboard.kit.pickers.series import checkpoint_title, labels_of
from dashboard.kit.text.plain import escaped
from dashboard.probe.asked import Column
from dashboard.probe.directory import Standing
from dashboard.queries import catalogue
from dashboard.queries.probes import unseen

OK = "ok"


def standings() -> tuple[Standing, ...]:
    """How each endpoint stands; the page is drawn anew as soon as one stands otherwise, or serves something else."""
    with st.spinner("Connecting to endpoints …"):
        found, changes = runtime.probes().standings_and_changes()
    fragment(_watch)(changes)
    return found


def _watch(known: int) -> None:
    if runtime.probes().changes() != known:
        st.rerun(scope="app")
    news.listen("endpoints", "endpoints", known)


def offered(as_of: int) -> dict[str, Column]:
    """Every model that may be asked now, by its name in addresses: ENDPOINT/MODEL. Checkpoints come in their order."""
    runs = caches.runs(as_of)
    found = runtime.probes().columns(caches.known_checkpoints(as_of), rows_of(runs))
    if reader().hidden:
        found = _seen(found)
    order = {run: at for at, run in enumerate(runs["run"])}
    last = len(order)
    ordered = sorted(found, key=lambda c: (order.get(c.run or "", last), c.step if c.step is not None else -1, c.model))
    return {name_of(column): column for column in ordered}


def _seen(found: Sequence[Column]) -> list[Column]:
    """Those of which the reader may know. What a model is of is looked up among all runs, also hidden ones."""
    with runtime.store().cursor() as everything:
        newest = runtime.store().batch()
        known = catalogue.known_checkpoints(everything, newest)
        truly = runtime.probes().columns(known, rows_of(catalogue.runs(everything, newest)))
    with cursor() as seen:
        hidden = {name_of(column) for column, no in zip(truly, unseen(seen, truly), strict=True) if no}
    # What a server began to serve between the two looks is not known yet, and offered by the next.
    sure = {name_of(column) for column in truly} - hidden
    return [column for column in found if name_of(column) in sure]


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dicts by column."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def name_of(column: Column) -> str:
    """The name of a served model in addresses."""
    return f"{column.endpoint}/{column.model}"


def titles(columns: Mapping[str, Column], runs: pd.DataFrame) -> dict[str, str]:
    """Names to what is shown: the checkpoint where one is known, else the model, each with its endpoint."""
    labels = labels_of(runs)
    return {name: f"{_title(column, labels)} · {column.endpoint}" for name, column in columns.items()}


def _title(column: Column, labels: Mapping[str, Any]) -> str:
    return checkpoint_title(column.checkpoint, labels) if column.checkpoint else column.model


def why_none(states: Sequence[Standing]) -> str:
    """Why no model can be asked now, in a sentence.

    Args:
        states: Of the endpoints, none of which has a model that the reader may ask.
    """
    if any(state.checked_at is None for state in states):
        return "Connecting to endpoints …"
    silent = [state.message for state in states if state.health != OK]
    return silent[0] if silent else "No endpoint serves a model."


def health(states: Sequence[Standing], models: Mapping[str, Column]) -> None:
    """Say how each endpoint is.

    Args:
        states: Of the endpoints.
        models: Those that may be asked, by name.
    """
    for state in states:
        good = state.health == OK
        count = sum(column.endpoint == state.name for column in models.values())
        # An endpoint counts what it serves, also what the reader may not see.
        told = f"{count} {'model' if count == 1 else 'models'}" if good and reader().hidden else state.message
        css = "dl-tag" if good else "dl-tag dl-bad"
        sign = "●" if good else "○"
        st.html(
            f'<div><span class="{css}">{sign} {escaped(state.endpoint.name)}</span>'
            f'<span class="dl-note">{escaped(told)}</span></div>'
        )
