"""One sample in full: its log, scores and messages, JSON columns parsed. All texts are untrusted."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import duckdb

from loaders.errors import DriftlineError
from loaders.records import TARGET_VIEW
from loaders.store.sql import records

EVAL = "SELECT * FROM live_evals($as_of) WHERE eval_key = $log ORDER BY eval_id DESC LIMIT 1"
SAMPLE = """
SELECT * FROM live_samples($as_of) WHERE eval_id = $eval_id AND sample_key = $sample AND epoch = $epoch
ORDER BY sample_id LIMIT 1
"""
SCORES = "SELECT * FROM live_scores_and_scans($as_of) WHERE sample_id = $sample_id ORDER BY scorer, key"
MESSAGES = "SELECT * FROM live_messages($as_of) WHERE sample_id = $sample_id ORDER BY idx"
OF_VIEWS = "SELECT * FROM live_view_messages($as_of) WHERE sample_id = $sample_id ORDER BY view, idx"


@dataclass(frozen=True)
class Transcript:
    """A sample and everything around it.

    Attributes:
        log: The eval: columns of `live_evals`, columns that end in `_json` parsed and named without it.
        sample: Columns of `samples`, likewise.
        scores: Columns of `scores`, a dict each, by scorer and key.
        messages: Columns of `messages`, a dict each, in order.
        views: Of an audit, what others than its target saw: messages likewise, by the name of the view.
    """

    log: dict[str, Any]
    sample: dict[str, Any]
    scores: list[dict[str, Any]]
    messages: list[dict[str, Any]]
    views: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def seen_in(self, view: str) -> list[dict[str, Any]]:
        """The messages of one view.

        Raises:
            DriftlineError: There is no such view of this sample.
        """
        if view == TARGET_VIEW:
            return self.messages
        if view not in self.views:
            has = ", ".join([TARGET_VIEW, *self.views])
            raise DriftlineError(f"This sample has no view {view} (it has: {has}).")
        return self.views[view]


class NoSuchSample(DriftlineError):
    """A link to a log or sample that isn't in the store as of a batch."""


def transcript(con: duckdb.DuckDBPyConnection, log: str, sample: str, epoch: int, as_of: int) -> Transcript:
    """Read one sample.

    Args:
        con: A cursor that this thread has to itself.
        log: Key of the eval (`eval_key`).
        sample: The sample's id as text.
        epoch: Its epoch, from 1.
        as_of: Batch.

    Raises:
        NoSuchSample: There is no such log, or no such sample in it, as of that batch.
    """
    evals = records(con, EVAL, {"log": log, "as_of": as_of})
    if not evals:
        raise NoSuchSample(f"No log with the key {log} in the store at import {as_of}.")
    where = {"eval_id": evals[0]["eval_id"], "sample": sample, "epoch": epoch, "as_of": as_of}
    samples = records(con, SAMPLE, where)
    if not samples:
        raise NoSuchSample(
            f"The log {log} ({evals[0]['path']}) holds no sample {sample} in epoch {epoch} at import {as_of};"
            f" it holds {evals[0]['n_samples'] or 0} samples."
        )
    of = {"sample_id": samples[0]["sample_id"], "as_of": as_of}
    views: dict[str, list[dict[str, Any]]] = {}
    for row in records(con, OF_VIEWS, of):
        views.setdefault(row["view"], []).append(parsed(row))
    return Transcript(
        log=parsed(evals[0]),
        sample=parsed(samples[0]),
        scores=[parsed(row) for row in records(con, SCORES, of)],
        messages=[parsed(row) for row in records(con, MESSAGES, of)],
        views=views,
    )


def parsed(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its JSON columns parsed: `metadata_json` becomes `metadata`."""
    return {
        name.removesuffix("_json"): json.loads(value) if name.endswith("_json") and value is not None else value
        for name, value in row.items()
    }
