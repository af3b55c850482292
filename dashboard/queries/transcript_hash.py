"""What a transcript says, as one short text: two samples with the same hash hold the same conversation, word by word.

Scores are no part of it, nor ids and times: a log that is written anew with another score holds the same transcripts.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from loaders.store.sql import records

HASHES = """
WITH wanted AS (SELECT DISTINCT unnest($samples::BIGINT[]) AS sample_id),
said AS (
    SELECT sample_id, string_agg(sha256(to_json([role, text, reasoning, tool_calls_json, function, content_json,
                                                 error_json])::VARCHAR), '' ORDER BY idx) AS said
    FROM seen_messages() SEMI JOIN wanted USING (sample_id) GROUP BY sample_id
)
SELECT s.sample_id, sha256(to_json([s.input, s.reply, m.said])::VARCHAR) AS hash
FROM seen_samples() s SEMI JOIN wanted USING (sample_id) LEFT JOIN said m USING (sample_id)
"""
"""Of any samples that the store ever held: rows of facts are never changed."""


def transcript_hashes(con: duckdb.DuckDBPyConnection, samples: Sequence[int]) -> dict[int, str]:
    """The hash of each sample's transcript, by sample_id.

    Args:
        con: A cursor that this thread has to itself.
        samples: Ids of samples that the reader may see.
    """
    return {row["sample_id"]: row["hash"] for row in records(con, HASHES, {"samples": list(samples)})}


def transcript_hash(con: duckdb.DuckDBPyConnection, sample: int) -> str:
    """The hash of one sample's transcript, by its sample_id."""
    return transcript_hashes(con, [sample])[sample]
