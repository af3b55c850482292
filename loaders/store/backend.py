"""What a store stands on: one DuckDB file that a process owns, or a lake that any number of processes share.

`loaders.store.store` is the only module that knows which; all others have a store and its cursors.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal, Protocol

import duckdb

from loaders.store.backup import Held
from loaders.store.compact import Compacted

Lock = Literal["batches", "reviews", "probes"]
"""What writers take turns at: deciding batches, what people write, what is asked of models. None waits for another."""


Use = Literal["own", "read", "private"]
"""What a cursor is for: to write or read tables as they are; to ask of finished batches, and of what people wrote; the
same for one who may not see all, to whom names mean other things (`loaders.store.views`)."""


class Backend(Protocol):
    """Where a store's tables are, and who else is there.

    Attributes:
        name: What people call it. No password is in it.
        file: The one file that a process owns, beside which it may keep more; None where there is none.
        apart: Whether the facts of files (`samples` and such) and where files lie (`sources`, `locations`) can only be
            written in transactions of their own: the facts go first then, and are in nobody's view until the others are
            written.
    """

    name: str
    file: Path | None
    apart: bool

    def cursor(self, use: Use, forgotten: int) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """A cursor for one thread, closed at the end.

        Args:
            use: What for.
            forgotten: How often all that was found out was forgotten, since the store was written to otherwise than by
                a batch: what is kept of the store is of no use any more then.
        """

    def ids(self, table: str, count: int) -> int:
        """Give out ids of a table, which nobody else is given, ever.

        Returns:
            The first of them.
        """

    def lock(self, lock: Lock) -> AbstractContextManager[None]:
        """Take turns with all who write to this store; whoever has a turn may take it again."""

    def worker(self) -> AbstractContextManager[int]:
        """Be one of those who ingest.

        Returns:
            The number that everything is written under until it is finished: that of the next batch where there can be
            one worker only, else one of the worker's own (`loaders.store.entering`).
        """

    def newest(self) -> int:
        """The newest finished batch; 0 where there is none."""

    def can_forget(self) -> bool:
        """Whether all who look at batches are in this process, so that it can tell which nobody looks at."""

    def compact(self, patience: float) -> Compacted | None:
        """As `Store.compact`."""

    def wastes(self) -> bool:
        """Whether compacting is worth its time."""

    def backup(self, file: Path, *, replace: bool, patience: float) -> Sequence[Held]:
        """As `Store.backup`."""

    def close(self) -> None:
        """Write what is to be written, and let go."""


SHARED = "ducklake:"
"""So begins the address of a store that several processes share."""

HIGHEST = {
    "sources": "SELECT coalesce(max(source_id), 0) FROM main.sources",
    "evals": "SELECT coalesce(max(eval_id), 0) FROM main.evals",
    "samples": "SELECT coalesce(max(sample_id), 0) FROM main.samples",
    "measures": "SELECT coalesce(max(measure_id), 0) FROM main.measures",
    "probe_replies": "SELECT coalesce(max(reply_id), 0) FROM main.probe_replies",
    "audit": "SELECT coalesce(max(place), 0) FROM main.audit",
}
"""Tables whose ids a backend gives out, with SQL of the highest that a table holds; 0 where it is empty."""
