"""Probes as they were saved: what was asked, what came back, who judged it how. No model is asked by reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import duckdb
import pandas as pd

from loaders.errors import DriftlineError
from loaders.store.sql import records

INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class SavedReply:
    """One reply: the last attempt at it, with those before it counted.

    Attributes:
        position: Of its column.
        framing: Name of the framing whose prompt it answers.
        sample: From 0.
        turn: 0 for the answer to the framing's prompt, then one more for each message of the reader's.
        follows: The reply of the turn before.
        user_text: What the reader wrote before this turn; None in turn 0.
        status: complete, stopped, failed, or interrupted: saved without an end.
        calls: Tool calls, JSON objects with id, name, arguments.
        note: How it was asked, where that is not as usual.
        first_token_s, seconds: Since the request was sent.
        verdicts: Judge's verdict by judge_id: columns of probe_verdicts.
        marks: The last mark of each person, by author: columns of probe_marks.
    """

    reply_id: int
    position: int
    framing: str
    sample: int
    turn: int
    attempt: int
    follows: int | None
    user_text: str | None
    seed: int | None
    reserved: int
    status: str
    text: str = ""
    reasoning: str = ""
    calls: tuple[str, ...] = ()
    note: str = ""
    stop_reason: str | None = None
    error_kind: str | None = None
    error: str | None = None
    http_status: int | None = None
    served_model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    tries: int = 0
    first_token_s: float | None = None
    seconds: float | None = None
    asked_at: datetime | None = None
    ended_at: datetime | None = None
    verdicts: dict[str, dict[str, Any]] = field(default_factory=dict)
    marks: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class SavedProbe:
    """A probe, whole.

    Attributes:
        framings, sampling, origin: JSON texts, as `dashboard.probe.asked` writes them.
        columns: Columns of probe_columns, by position.
        replies: By framing (in the order of the framings), position, sample, turn; the last attempt at each.
        judges: Columns of probe_judges, oldest first.
        likelihoods: Columns of probe_likelihoods, the newest of each continuation.
    """

    probe_id: str
    kind: str
    title: str
    author: str | None
    created_at: datetime
    driftline: str
    framings: str
    sampling: str
    repeats: str | None
    origin: str | None
    columns: list[dict[str, Any]]
    replies: list[SavedReply]
    judges: list[dict[str, Any]]
    likelihoods: list[dict[str, Any]]


class Model(Protocol):
    """A served model: what it is called, what it was loaded over, and the run that it is a checkpoint of."""

    @property
    def model(self) -> str: ...  # noqa: D102
    @property
    def parent(self) -> str | None: ...  # noqa: D102
    @property
    def run(self) -> str | None: ...  # noqa: D102


class NoSuchProbe(DriftlineError):
    """A link to a probe that isn't in the store."""


PROBE = "SELECT * FROM seen_probes() WHERE probe_id = $probe"
COLUMNS = "SELECT * EXCLUDE (probe_id) FROM seen_probe_columns() WHERE probe_id = $probe ORDER BY position"
REPLIES = """
WITH last AS (
    SELECT * FROM seen_probe_replies() WHERE probe_id = $probe
    QUALIFY row_number() OVER (PARTITION BY position, framing, sample, turn ORDER BY attempt DESC, reply_id DESC) = 1
),
pieces AS (
    SELECT reply_id, string_agg(text, '' ORDER BY seq) FILTER (kind = 'text') AS text,
           string_agg(text, '' ORDER BY seq) FILTER (kind = 'reasoning') AS reasoning,
           list(text ORDER BY seq) FILTER (kind = 'tool_call') AS calls,
           -- A busy server is asked again, and says the same of itself.
           any_value(text) FILTER (kind = 'note') AS note
    FROM seen_probe_pieces() SEMI JOIN last USING (reply_id) GROUP BY reply_id
)
SELECT l.* EXCLUDE (probe_id), p.text, p.reasoning, p.calls, p.note, e.* EXCLUDE (reply_id)
FROM last l LEFT JOIN pieces p USING (reply_id) LEFT JOIN seen_probe_ends() e USING (reply_id)
ORDER BY l.position, l.sample, l.turn
"""
JUDGES = "SELECT * EXCLUDE (probe_id) FROM seen_probe_judges() WHERE probe_id = $probe ORDER BY created_at, judge_id"
VERDICTS = """
SELECT v.* FROM seen_probe_verdicts() v
SEMI JOIN (SELECT reply_id FROM seen_probe_replies() WHERE probe_id = $probe) USING (reply_id)
QUALIFY row_number() OVER (PARTITION BY judge_id, reply_id ORDER BY ended_at DESC) = 1
"""
MARKS = """
SELECT m.* FROM seen_probe_marks() m
SEMI JOIN (SELECT reply_id FROM seen_probe_replies() WHERE probe_id = $probe) USING (reply_id)
QUALIFY row_number() OVER (PARTITION BY reply_id, author ORDER BY marked_at DESC) = 1
ORDER BY marked_at
"""
LIKELIHOODS = """
SELECT * EXCLUDE (probe_id) FROM seen_probe_likelihoods() WHERE probe_id = $probe
QUALIFY row_number() OVER (PARTITION BY position, framing, continuation ORDER BY measured_at DESC) = 1
ORDER BY continuation, framing, position
"""
FREE = "('refused', 'unauthorised', 'not_found', 'bad_request', 'rate_limited', 'overloaded', 'unsupported')"
"""Kinds of errors by which a server says that it did not do what was asked."""

VERDICT_TOKENS = f"""
CASE WHEN v.input_tokens IS NOT NULL OR v.output_tokens IS NOT NULL
     THEN coalesce(v.input_tokens, 0) + coalesce(v.output_tokens, 0)
     WHEN v.error_kind IN {FREE} AND v.raw IS NULL THEN 0 ELSE v.reserved END
"""

SPENT = f"""
WITH asked AS (
    SELECT r.probe_id, r.asked_at AS since, coalesce(least(e.tries, 1), 1) AS requests,
           CASE WHEN e.input_tokens IS NOT NULL OR e.output_tokens IS NOT NULL
                THEN coalesce(e.input_tokens, 0) + coalesce(e.output_tokens, 0)
                WHEN e.tries = 0 OR (e.first_token_s IS NULL AND e.error_kind IN {FREE}) THEN 0
                ELSE r.reserved END AS tokens
    FROM seen_probe_replies() r LEFT JOIN seen_probe_ends() e USING (reply_id)
    UNION ALL
    SELECT j.probe_id, v.ended_at, 1, {VERDICT_TOKENS}
    FROM seen_probe_verdicts() v JOIN seen_probe_judges() j USING (judge_id)
    UNION ALL
    SELECT probe_id, measured_at, 1, CASE WHEN error_kind IN {FREE} THEN 0 ELSE coalesce(reserved, tokens, 0) END
    FROM seen_probe_likelihoods()
    UNION ALL
    SELECT judging_id, ended_at, 1, {VERDICT_TOKENS} FROM seen_judging_verdicts() v
)
SELECT coalesce(sum(requests), 0)::BIGINT AS requests, coalesce(sum(tokens), 0)::BIGINT AS tokens
FROM asked WHERE ($probe IS NULL OR probe_id = $probe) AND ($since IS NULL OR asked.since >= $since)
"""  # noqa: S608 - FREE and VERDICT_TOKENS are constants above
UNSEEN = """
SELECT is_hidden(run) OR names_hidden(model) OR names_hidden(parent) AS unseen
FROM (SELECT unnest(range(len($model))) AS place, unnest($model::VARCHAR[]) AS model,
             unnest($parent::VARCHAR[]) AS parent, unnest($run::VARCHAR[]) AS run)
ORDER BY place
"""
RECENT = """
SELECT p.probe_id, p.kind, p.title, p.author, p.created_at, p.repeats,
       (SELECT count(*) FROM seen_probe_columns() c WHERE c.probe_id = p.probe_id) AS columns,
       (SELECT list(coalesce(c.run || coalesce('@' || coalesce(c.step::VARCHAR, c.step_label), ''), c.model)
                    ORDER BY position) FROM seen_probe_columns() c WHERE c.probe_id = p.probe_id) AS models,
       (SELECT count(*) FROM seen_probe_replies() r WHERE r.probe_id = p.probe_id) AS replies
FROM seen_probes() p
WHERE ($text = '' OR contains(lower(p.title), lower($text)))
ORDER BY created_at DESC LIMIT $most
"""


def read_probe(con: duckdb.DuckDBPyConnection, probe_id: str) -> SavedProbe:
    """Read one probe with everything that came of it.

    Raises:
        NoSuchProbe: There is none of this name.
    """
    of = {"probe": probe_id}
    found = records(con, PROBE, of)
    if not found:
        raise NoSuchProbe(f"There is no probe {probe_id} in this store.")
    probe = found[0]
    verdicts: dict[int, dict[str, dict[str, Any]]] = {}
    for row in records(con, VERDICTS, of):
        verdicts.setdefault(row["reply_id"], {})[row["judge_id"]] = row
    marks: dict[int, dict[str, dict[str, Any]]] = {}
    for row in records(con, MARKS, of):
        if row["verdict"] is not None or row["note"]:
            marks.setdefault(row["reply_id"], {})[row["author"]] = row
    return SavedProbe(
        **{name: probe[name] for name in ("probe_id", "kind", "title", "author", "created_at", "driftline", "repeats")},
        framings=probe["framings_json"],
        sampling=probe["sampling_json"],
        origin=probe["origin_json"],
        columns=records(con, COLUMNS, of),
        replies=[_reply(row, verdicts, marks) for row in records(con, REPLIES, of)],
        judges=records(con, JUDGES, of),
        likelihoods=records(con, LIKELIHOODS, of),
    )


def _reply(
    row: dict[str, Any], verdicts: dict[int, dict[str, dict[str, Any]]], marks: dict[int, dict[str, dict[str, Any]]]
) -> SavedReply:
    return SavedReply(
        **row
        | {
            "status": row["status"] or INTERRUPTED,
            "text": row["text"] or "",
            "reasoning": row["reasoning"] or "",
            "calls": tuple(row["calls"] or ()),
            "note": row["note"] or "",
            "tries": row["tries"] or 0,
            "verdicts": verdicts.get(row["reply_id"], {}),
            "marks": marks.get(row["reply_id"], {}),
        }
    )


def recent_probes(con: duckdb.DuckDBPyConnection, text: str = "", most: int = 100) -> pd.DataFrame:
    """The newest probes: probe_id, kind, title, author, created_at, repeats, columns, models (names), replies.

    Args:
        text: Only those whose title contains it, in any case.
        most: Rows at the most.
    """
    return pd.DataFrame(
        records(con, RECENT, {"text": text, "most": most}),
        columns=[
            "probe_id", "kind", "title", "author", "created_at", "repeats", "columns", "models", "replies",
        ],
    )  # fmt: skip


def unseen(con: duckdb.DuckDBPyConnection, models: Sequence[Model]) -> list[bool]:
    """Of each served model whether the cursor may see nothing of it: it is of a hidden run, or is called like one."""
    told = {name: [getattr(model, name) for model in models] for name in ("model", "parent", "run")}
    return [row["unseen"] for row in records(con, UNSEEN, told)]


def spent(
    con: duckdb.DuckDBPyConnection, *, probe: str | None = None, since: datetime | None = None
) -> tuple[int, int]:
    """Requests made, and tokens read and written, of one probe or re-scoring, or since a time (UTC), of all of them.

    Judges' and likelihoods are included.

    What no server has counted (yet) counts as what was reserved for it, so that nothing is free by not being counted;
    a request that a server refused has taken no tokens, and counts as one however often a busy server was asked.
    """
    row = records(con, SPENT, {"probe": probe, "since": since})[0]
    return row["requests"], row["tokens"]
