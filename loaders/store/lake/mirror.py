"""What a process keeps of a lake in its own memory: all that has a row for a file, a log or a run, and no more.

Each look into a table of DuckLake or PostgreSQL costs some milliseconds, whatever is in it, and a page takes dozens.
These tables are small beside those of samples, and only change with a batch. A reader finds them as they were when the
newest finished batch was, or later: as of any batch up to it, that is the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import duckdb

from loaders.store.lake.tables import IN_POSTGRES, LAKE, POSTGRES
from loaders.store.sql import all_or_nothing

MIRRORED = (
    # PostgreSQL's first: what they name is in DuckLake before.
    "sources", "locations",
    "evals", "reported", "trained", "training_places", "runs", "placements", "checkpoints", "conflicts", "study",
    "standings", "passed_over", "measures", "measured", "sums", "score_facts",
)  # fmt: skip


class Mirror:
    """The tables of a lake that are kept in the memory of a process.

    Args:
        connection: The process's, with the lake attached.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._bringing = threading.Lock()
        self._state: tuple[int, int] | None = None

    def bring_up_to_date(self, state: Callable[[], tuple[int, int]]) -> None:
        """Copy what is mirrored, unless that was done in the same state."""
        if state() == self._state:
            return
        with self._bringing:
            now = state()  # before what is copied: never newer
            if now == self._state:
                return
            with self._connection.cursor() as cursor, all_or_nothing(cursor):
                for table in MIRRORED:
                    where = POSTGRES if table in IN_POSTGRES else LAKE
                    cursor.execute(f"CREATE OR REPLACE TABLE memory.main.{table} AS FROM {where}.{table}")
            self._state = now

    def alone(self) -> threading.Lock:
        """Held by whoever else changes what names mean in this process."""
        return self._bringing
