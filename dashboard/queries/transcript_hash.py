"""What was read, in a word: equal for equal conversations, so that a verdict is never counted for another one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from dashboard.queries.sql import records

SAMPLES = """
SELECT sample_id, input, reply FROM live_samples($as_of) WHERE sample_id IN (SELECT unnest($samples::BIGINT[]))
"""
MESSAGES = """
SELECT sample_id, role, text, reasoning, tool_calls_json FROM live_messages($as_of)
WHERE sample_id IN (SELECT unnest($samples::BIGINT[])) ORDER BY sample_id, idx
"""


def transcript_hash(sample: Mapping[str, Any], messages: Sequence[Mapping[str, Any]]) -> str:
    """The hash of a conversation: roles, texts, reasoning and tool calls in order; without messages, prompt and reply.

    Args:
        sample: With `input` and `reply`.
        messages: With `role`, `text`, `reasoning` and `tool_calls` (parsed), in order.
    """
    told: list[Any] = [
        [message["role"], message["text"], message["reasoning"], message["tool_calls"]] for message in messages
    ]
    content = json.dumps(told or [sample["input"], sample["reply"]], sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()


def transcript_hashes(con: duckdb.DuckDBPyConnection, samples: Sequence[int], as_of: int) -> dict[int, str]:
    """The hashes of some conversations, by sample_id.

    Args:
        con: A cursor of this thread.
        samples: Their sample_ids.
        as_of: Batch.
    """
    asked = {"samples": list(samples), "as_of": as_of}
    messages: dict[int, list[dict[str, Any]]] = {}
    for row in records(con, MESSAGES, asked):
        calls = row.pop("tool_calls_json")
        messages.setdefault(row["sample_id"], []).append(
            row | {"tool_calls": None if calls is None else json.loads(calls)}
        )
    rows = records(con, SAMPLES, asked)
    return {row["sample_id"]: transcript_hash(row, messages.get(row["sample_id"], [])) for row in rows}
