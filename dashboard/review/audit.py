"""Who did what: shares, exports, probes and edits, one row each, written where they are done."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal, get_args

import duckdb

from loaders.errors import DriftlineError
from loaders.store import Store
from loaders.store.columns import add
from loaders.store.lending import backend_of
from loaders.store.sql import unwritten

Action = Literal["sign_in", "share", "export", "probe", "judge", "view", "note", "verdict", "study"]

ACTIONS: tuple[Action, ...] = get_args(Action)

LONGEST = 2_000
"""Characters of a subject or an address that are kept."""


def add_row(
    cursor: duckdb.DuckDBPyConnection,
    who: str,
    action: Action,
    subject: str,
    *,
    address: str | None = None,
    runs: Sequence[str] = (),
    details: dict[str, Any] | None = None,
) -> None:
    """Write down what somebody did, in the transaction of what is done: both are there, or neither.

    Args:
        cursor: Of that transaction.
        who: The reader's name.
        action: Of which kind.
        subject: What it was done to, in words: "rates as CSV", "thread on advice@160".
        address: The page with its parameters, where there is one.
        runs: All the runs that it tells of: who may not see one of them does not see this row.
        details: Anything else, as JSON.
    """
    row = {
        "happened_at": datetime.now(UTC).replace(tzinfo=None),
        "who": who,
        "action": action,
        "subject": subject[:LONGEST],
        "address": address[:LONGEST] if address else None,
        "runs": list(runs),
        "details_json": json.dumps(details) if details else None,
        "place": backend_of(cursor).ids("audit", 1),
    }
    add(cursor, "audit", row)


def record(store: Store, who: str, action: Action, subject: str, **more: Any) -> None:
    """As `add_row`, for what is no row of the store itself: a share, an export.

    Raises:
        DriftlineError: It can't be written.
    """
    try:
        # Not after an ingest that is under way: a row of another table waits for nothing, and readers shouldn't.
        with store.transaction() as cursor:
            add_row(cursor, who, action, subject, **more)
    except (duckdb.Error, OSError) as error:
        raise DriftlineError(f"It can't be written to the audit log: {unwritten(error)}.") from error
