"""The audit log: who did what when. Rows that tell of runs that a reader may not see are not there for that reader."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import duckdb
import pandas as pd

from dashboard.queries.frame import COUNT, LIST, TEXT, TIME, frame_of
from loaders.store.sql import records

AUDIT_COLUMNS: dict[str, str] = {
    "happened_at": TIME, "who": TEXT, "action": TEXT, "subject": TEXT, "address": TEXT, "runs": LIST, "details": TEXT,
    "total": COUNT,
}  # fmt: skip
"""Columns of `audit_page`, the newest first: when (UTC), who, what kind of thing, done to what, the page's address, the
runs that it tells of, more as JSON; `total` is the number of rows on all pages."""

PEOPLE = "SELECT DISTINCT who FROM seen_audit() ORDER BY who"
ROWS = """
SELECT happened_at, who, action, subject, address, runs, details_json AS details, count(*) OVER () AS total
FROM seen_audit()
WHERE (len($who::VARCHAR[]) = 0 OR list_contains($who::VARCHAR[], who))
  AND (len($actions::VARCHAR[]) = 0 OR list_contains($actions::VARCHAR[], action))
  AND ($since::TIMESTAMP IS NULL OR happened_at >= $since) AND ($until::TIMESTAMP IS NULL OR happened_at < $until)
  AND ($text = '' OR contains(lower(subject || ' ' || coalesce(address, '')), lower($text)))
ORDER BY happened_at DESC, place DESC NULLS LAST
LIMIT $size OFFSET $skip
"""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which rows; an empty field allows all.

    Attributes:
        who: Names of readers.
        actions: Kinds.
        text: Stands in the subject or the address, in any case.
        since: Not before (UTC).
        until: Before (UTC).
    """

    who: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None


def audit_page(
    con: duckdb.DuckDBPyConnection, wanted: AuditFilter, page: int = 0, size: int | None = None
) -> pd.DataFrame:
    """A page of the log, the newest first: `AUDIT_COLUMNS`.

    Args:
        con: A cursor that finds nothing of what the reader may not see.
        wanted: Which rows.
        page: From 0.
        size: Rows of a page; None for all rows on one.
    """
    parameters = {
        "who": list(wanted.who), "actions": list(wanted.actions), "text": wanted.text, "since": wanted.since,
        "until": wanted.until, "size": size, "skip": page * (size or 0),
    }  # fmt: skip
    return frame_of(records(con, ROWS, parameters), AUDIT_COLUMNS)


def people(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Everybody who did something that the cursor may see, by name."""
    return [row["who"] for row in records(con, PEOPLE)]
