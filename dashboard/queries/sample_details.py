"""The samples of some logs with all that they hold, for whole files: texts, messages, usage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from dashboard.queries.transcript import parsed
from loaders.store.sql import records

LOGS = "SELECT * FROM live_evals($as_of) WHERE eval_key IN (SELECT unnest($logs::VARCHAR[])) ORDER BY created, eval_key"
SAMPLES = """
SELECT s.*, e.eval_key AS log FROM live_samples($as_of) s JOIN live_evals($as_of) e USING (eval_id)
WHERE e.eval_key IN (SELECT unnest($logs::VARCHAR[])) ORDER BY e.created, e.eval_key, s.sample_key, s.epoch
"""
MESSAGES = """
SELECT m.* FROM live_messages($as_of) m JOIN live_samples($as_of) s USING (sample_id)
JOIN live_evals($as_of) e USING (eval_id)
WHERE e.eval_key IN (SELECT unnest($logs::VARCHAR[])) ORDER BY m.sample_id, m.idx
"""


def log_rows(con: duckdb.DuckDBPyConnection, logs: Sequence[str], as_of: int) -> list[dict[str, Any]]:
    """The logs with these keys, oldest first; JSON columns parsed."""
    return [parsed(row) for row in records(con, LOGS, {"logs": list(logs), "as_of": as_of})]


def sample_rows(con: duckdb.DuckDBPyConnection, logs: Sequence[str], as_of: int) -> list[dict[str, Any]]:
    """The samples of the logs with these keys, each with its `log` and its `messages`; JSON columns parsed."""
    asked = {"logs": list(logs), "as_of": as_of}
    messages: dict[int, list[dict[str, Any]]] = {}
    for row in records(con, MESSAGES, asked):
        messages.setdefault(row["sample_id"], []).append(parsed(row))
    return [parsed(row) | {"messages": messages.get(row["sample_id"], [])} for row in records(con, SAMPLES, asked)]
