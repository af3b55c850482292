"""Which transcripts are judged again: what a filter of samples finds, or some of each checkpoint, drawn at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb

from dashboard.queries.found_samples import find
from dashboard.queries.sample_filter import SampleFilter
from dashboard.queries.sample_order import order_by
from dashboard.queries.transcript_hash import transcript_hashes

CHOSEN = """,
speaking AS (
    SELECT f.*, coalesce(s.reply, '') <> '' OR f.sample_id IN
           (SELECT sample_id FROM live_messages($as_of) WHERE role = 'assistant') AS speaks
    FROM found f JOIN live_samples($as_of) s USING (sample_id)
),
drawn AS (
    SELECT *, row_number() OVER (
        PARTITION BY run, step, step_label, speaks
        ORDER BY sha256(to_json([$seed::VARCHAR, sample, epoch::VARCHAR])::VARCHAR), eval, log
    ) AS place
    FROM speaking
)
SELECT sample_id, run, step, step_label, eval, log, sample, epoch, speaks FROM drawn
WHERE NOT speaks OR $each::BIGINT IS NULL OR place <= $each ORDER BY place, {order}
"""
"""A question's place in the draw depends on the seed and the question alone: checkpoints that were asked the same
questions are drawn the same ones. Checkpoints take turns, so that a re-scoring that stops early has some of each."""

COUNT = "SELECT count(*) AS n FROM found"


@dataclass(frozen=True)
class Selection:
    """What was selected.

    Attributes:
        items: In the order in which they are asked about: sample_id, run, step, step_label, eval, log, sample, epoch,
            hash.
        found: Samples that the filter finds, drawn or not.
        silent: Those of them that hold no reply at all: there is nothing to judge.
    """

    items: tuple[dict[str, Any], ...] = ()
    found: int = 0
    silent: int = 0

    @property
    def runs(self) -> list[str]:
        """All runs that it tells of."""
        return list(dict.fromkeys(str(item["run"]) for item in self.items if item["run"] is not None))

    @property
    def checkpoints(self) -> int:
        """How many checkpoints its samples are of."""
        return len({(item["run"], item["step"], item["step_label"]) for item in self.items})


def select(con: duckdb.DuckDBPyConnection, wanted: SampleFilter, each: int | None, seed: int, as_of: int) -> Selection:
    """Select transcripts; what the cursor may not see is not among them.

    Args:
        con: A cursor that this thread has to itself.
        wanted: Which samples.
        each: At most so many of each checkpoint, drawn at random; None for all.
        seed: Of the draw: the same one draws the same samples.
        as_of: Batch.
    """
    found = find(con, wanted, as_of)
    if found is None:
        return Selection()
    count = found.records(con, COUNT)[0]["n"]
    rows = found.records(con, CHOSEN.format(order=order_by(())), {"seed": seed, "each": each})
    chosen = [row for row in rows if row.pop("speaks")]
    hashes = transcript_hashes(con, [row["sample_id"] for row in chosen])
    items = tuple(row | {"hash": hashes[row["sample_id"]]} for row in chosen)
    return Selection(items, count, len(rows) - len(chosen))
