"""How well scanners of Inspect Scout do on their validation sets: of what they were to find, and were not."""

from __future__ import annotations

import json
from collections import Counter, defaultdict

import duckdb
from msgspec import Struct

from loaders.store.sql import records

CHECKED = """
SELECT scorer, key, metadata_json FROM live_scans($as_of)
WHERE metadata_json LIKE '%"validation"%'
"""


class ScanValidation(Struct):
    """Counts of a scanner's checks, each of one transcript.

    Attributes:
        scorer: The scanner, as scores have it: scan:NAME.
        label: Which of its values is meant; None where it has one.
        split: Of the validation set, where it has any.
        true_positives: Expected, and met.
        false_positives: Nothing was expected, and that not met.
        false_negatives: Expected, and not met.
        true_negatives: Nothing was expected, and that met.
    """

    scorer: str
    label: str | None
    split: str | None
    true_positives: int = 0
    false_positives: int = 0
    false_negatives: int = 0
    true_negatives: int = 0

    @property
    def precision(self) -> tuple[int, int]:
        """True among those that it found: k and n."""
        return self.true_positives, self.true_positives + self.false_positives

    @property
    def recall(self) -> tuple[int, int]:
        """Found among those that it was to find: k and n."""
        return self.true_positives, self.true_positives + self.false_negatives


def scan_validations(con: duckdb.DuckDBPyConnection, as_of: int) -> list[ScanValidation]:
    """Every scanner that has a validation set, by label and split; of transcripts whose logs are in the store.

    Counted as Inspect Scout does: by what was expected, and whether that was met.

    Args:
        con: A cursor that this thread has to itself.
        as_of: Batch.
    """
    counts: dict[tuple[str, str | None, str | None], Counter[tuple[bool, bool]]] = defaultdict(Counter)
    scanned = records(con, "SELECT one FROM seen_any_scan()")
    for row in records(con, CHECKED, {"as_of": as_of}) if scanned else ():
        for check in json.loads(row["metadata_json"]).get("validation") or ():
            if row["key"] is not None and check.get("label") != row["key"]:
                continue  # all values of one result have all of its checks
            at = row["scorer"], check.get("label"), check.get("split")
            counts[at][check["expected"], check["met"]] += 1
    return [
        ScanValidation(*at, of[True, True], of[False, False], of[True, False], of[False, True])
        for at, of in sorted(counts.items(), key=lambda each: [name or "" for name in each[0]])
    ]
