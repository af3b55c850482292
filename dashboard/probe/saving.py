"""Saving a probe or a re-scoring as it happens: rows are only ever added. Each call is one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from dashboard.probe.asked import Column
from loaders.store import Store
from loaders.store.columns import append


class ProbeRow(Struct, frozen=True):
    """Columns of `probes`."""

    probe_id: str
    kind: str
    title: str
    author: str | None
    created_at: datetime
    driftline: str
    framings_json: str
    sampling_json: str
    repeats: str | None
    origin_json: str | None


class ColumnRow(Column, frozen=True, kw_only=True):
    """Columns of `probe_columns`."""

    probe_id: str
    position: int


class ReplyRow(Struct, frozen=True):
    """Columns of `probe_replies`: a reply that is asked for."""

    reply_id: int
    probe_id: str
    position: int
    framing: str
    sample: int
    turn: int
    attempt: int
    follows: int | None
    user_text: str | None
    seed: int | None
    reserved: int
    asked_at: datetime


class PieceRow(Struct, frozen=True):
    """Columns of `probe_pieces`."""

    reply_id: int
    seq: int
    kind: str
    text: str


class EndRow(Struct, frozen=True):
    """Columns of `probe_ends`. Times in seconds since the request was sent, the waiting for a free place left out."""

    reply_id: int
    status: str
    stop_reason: str | None
    error_kind: str | None
    error: str | None
    http_status: int | None
    served_model: str | None
    input_tokens: int | None
    output_tokens: int | None
    tries: int
    first_token_s: float | None
    seconds: float | None
    ended_at: datetime


class JudgeRow(Struct, frozen=True):
    """Columns of `probe_judges`."""

    judge_id: str
    probe_id: str
    endpoint: str
    protocol: str
    model: str
    rubric: str
    author: str | None
    created_at: datetime


class VerdictRow(Struct, frozen=True):
    """Columns of `probe_verdicts`."""

    judge_id: str
    reply_id: int
    verdict: str | None
    reason: str | None
    raw: str | None
    error_kind: str | None
    error: str | None
    input_tokens: int | None
    output_tokens: int | None
    reserved: int
    seconds: float | None
    ended_at: datetime


class MarkRow(Struct, frozen=True):
    """Columns of `probe_marks`."""

    reply_id: int
    author: str
    verdict: str | None
    note: str | None
    marked_at: datetime


class LikelihoodRow(Struct, frozen=True):
    """Columns of `probe_likelihoods`."""

    probe_id: str
    position: int
    framing: str
    continuation: str
    tokens: int | None
    logprob: float | None
    error_kind: str | None
    error: str | None
    reserved: int
    measured_at: datetime


class RescoringRow(Struct, frozen=True):
    """Columns of `judgings`."""

    judging_id: str
    title: str
    author: str | None
    created_at: datetime
    driftline: str
    endpoint: str
    protocol: str
    model: str
    rubric_title: str
    rubric: str
    selection_json: str
    as_of: int
    metric: str | None
    limits_json: str
    runs: list[str]


class RescoringItemRow(Struct, frozen=True):
    """Columns of `judging_items`."""

    judging_id: str
    position: int
    sample_id: int
    eval_key: str
    sample_key: str
    epoch: int
    transcript_hash: str


class RescoringVerdictRow(Struct, frozen=True):
    """Columns of `judging_verdicts`."""

    judging_id: str
    position: int
    attempt: int
    verdict: str | None
    reason: str | None
    raw: str | None
    error_kind: str | None
    error: str | None
    input_tokens: int | None
    output_tokens: int | None
    reserved: int
    seconds: float | None
    ended_at: datetime


Row = (
    ProbeRow | ColumnRow | ReplyRow | PieceRow | EndRow | JudgeRow | VerdictRow | MarkRow | LikelihoodRow
    | RescoringRow | RescoringItemRow | RescoringVerdictRow
)  # fmt: skip

TABLES: dict[type[Any], str] = {
    ProbeRow: "probes",
    ColumnRow: "probe_columns",
    ReplyRow: "probe_replies",
    PieceRow: "probe_pieces",
    EndRow: "probe_ends",
    JudgeRow: "probe_judges",
    VerdictRow: "probe_verdicts",
    MarkRow: "probe_marks",
    LikelihoodRow: "probe_likelihoods",
    RescoringRow: "judgings",
    RescoringItemRow: "judging_items",
    RescoringVerdictRow: "judging_verdicts",
}


def save(store: Store, rows: Sequence[Row]) -> None:
    """Add rows, all of them or none, in the order of their tables.

    Raises:
        duckdb.Error: The store can't be written; nothing of `rows` is in it.
    """
    if not rows:
        return
    # Probes share no table with ingests, and need not wait for one; only for each other.
    with store.lock("probes"), store.transaction() as cursor:
        for kind, table in TABLES.items():
            of_kind = [row for row in rows if type(row) is kind]
            if of_kind:
                append(
                    cursor,
                    table,
                    {name: [getattr(row, name) for row in of_kind] for name in kind.__struct_fields__},
                )
