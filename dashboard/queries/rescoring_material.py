"""Transcripts as a judge is to read them: what was said, in order, by sample."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import duckdb

from dashboard.queries.transcript import parsed
from loaders.store.sql import records

MESSAGES = """
SELECT sample_id, role, text, reasoning, content_json, tool_calls_json, function, error_json FROM seen_messages()
WHERE sample_id IN (SELECT unnest($samples::BIGINT[])) ORDER BY sample_id, idx
"""
WITHOUT = """
SELECT sample_id, input, reply FROM seen_samples()
WHERE sample_id IN (SELECT unnest($samples::BIGINT[]))
  AND sample_id NOT IN (SELECT sample_id FROM seen_messages())
ORDER BY sample_id
"""
AT_ONCE = 200
"""Transcripts that are in memory at once."""


def said(con: duckdb.DuckDBPyConnection, samples: Sequence[int]) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Each sample's messages: role, text, reasoning, content, tool_calls, function, error;
    prompt and reply where the log keeps none.

    Args:
        con: A cursor that this thread has to itself.
        samples: Ids of samples that the reader may see; what the store no longer shows can be read too.
    """
    for first in range(0, len(samples), AT_ONCE):
        of = {"samples": list(samples[first : first + AT_ONCE])}
        rows = [parsed(row) for row in records(con, MESSAGES, of)]
        for sample, messages in groupby(rows, key=lambda row: int(row["sample_id"])):
            yield sample, list(messages)
        for row in records(con, WITHOUT, of):
            told = (("user", row["input"]), ("assistant", row["reply"]))
            yield row["sample_id"], [{"role": role, "text": text} for role, text in told if text]
