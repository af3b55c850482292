"""Opening a store, and sharing it between threads and processes."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from loaders.errors import DriftlineError
from loaders.store.backend import SHARED, Backend, Lock, Use
from loaders.store.backup import Held
from loaders.store.compact import Compacted
from loaders.store.embedded import Embedded
from loaders.store.forget import forget_passing
from loaders.store.hidden import restrict
from loaders.store.lending import Lent, lend
from loaders.store.memory import Memory
from loaders.store.sql import all_or_nothing

logger = logging.getLogger(__name__)

PATIENCE = 5.0
"""Seconds that a compaction waits for cursors in use."""


def is_shared(address: str) -> bool:
    """Whether `--store` names a store that several processes may open at once, and no file."""
    return address.startswith(SHARED)


WRITTEN = "FATAL Error: Transaction COMMIT succeeded"
"""Begins what DuckDB says where all is written, and only gathering it in blocks, as is done now and then, failed."""


class Hold:
    """Keeps a batch from being forgotten for as long as somebody has it."""

    def __init__(self, batch: int) -> None:
        self.batch = batch


class Store:
    """Driftline's tables, whatever they stand on (`loaders.store.backend`).

    Threads share it, each with a cursor of its own. Those who write the same tables take turns by `lock`.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.memory = Memory()
        self._holds: weakref.WeakSet[Hold] = weakref.WeakSet()

    @classmethod
    def open(cls, path: Path | str, data: str | None = None) -> Store:
        """Open a store, and make it where there is none.

        Args:
            path: The file, or ":memory:", or the address of a lake (`loaders.store.lake`).
            data: The folder or bucket of a lake's files; where it is there already, it knows.

        Raises:
            StoreBusy: Another process owns it; the message names the process.
            DriftlineError: The file is no DuckDB database, or is of a newer Driftline; a lake can't be reached.
        """
        if isinstance(path, str) and is_shared(path):
            return cls.of_lake(path, data)
        return cls(Embedded.open(path))

    @classmethod
    def of_lake(cls, address: str, data: str | None = None) -> Store:
        """As `open`, of the address of a lake."""
        # Imported where one is asked for: not everybody has what it needs, and importing takes time.
        try:
            from loaders.store.lake import Address, Lake
        except ModuleNotFoundError as error:
            raise DriftlineError(
                f"A store in PostgreSQL needs {error.name}, which isn't installed: pip install 'driftline[lake]'."
            ) from error
        return cls(Lake.open(Address.parse(address, data)))

    @property
    def path(self) -> str:
        """What people call it. No password is in it."""
        return self.backend.name

    @property
    def file(self) -> Path | None:
        """The one file that this process owns; None where there is none."""
        return self.backend.file

    @contextmanager
    def cursor(self, hidden: Sequence[str] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor for this thread, closed at the end.

        Args:
            hidden: None for one that reads and writes tables as they are. For one that asks, patterns (`*`, `?`,
                `[...]`) of the runs of which it finds nothing. Where there are any, it sees the store as it is now for
                as long as it is open, and writes nothing.
        """
        use: Use = "own" if hidden is None else "private" if hidden else "read"
        with self.backend.cursor(use, self.memory.forgotten) as cursor:
            lend(cursor, Lent(self.backend, self.memory))
            if hidden:
                restrict(cursor, hidden, self.memory)
            yield cursor

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor that writes all or nothing. Whoever writes the same tables as others takes their lock first."""
        try:
            with self.cursor() as cursor, all_or_nothing(cursor):
                yield cursor
        except duckdb.FatalException as error:
            # Said to have failed it would be written again.
            if not str(error).startswith(WRITTEN):
                raise
            logger.warning("The store %s: %s", self.path, error)

    def lock(self, lock: Lock) -> AbstractContextManager[None]:
        """Take turns with all who write the same; whoever has a turn may take it again."""
        return self.backend.lock(lock)

    def worker(self) -> AbstractContextManager[int]:
        """Be one of those who ingest: the number that everything is written under until it is finished."""
        return self.backend.worker()

    def ids(self, table: str, count: int) -> int:
        """Ids of a table that nobody else is given, ever: the first of `count`."""
        return self.backend.ids(table, count)

    def batch(self) -> int:
        """The newest finished ingest batch; 0 where nothing was ever ingested."""
        return self.backend.newest()

    def hold(self, batch: int) -> Hold:
        """Keep a batch readable (`loaders.store.forget`) for as long as what is returned is kept."""
        hold = Hold(batch)
        self._holds.add(hold)
        return hold

    def forget_passing(self, seconds: float) -> None:
        """Forget batches that told only of logs still being written, finished longer ago than so many seconds."""
        if not self.backend.can_forget():
            return
        before = datetime.now(UTC).replace(tzinfo=None) - timedelta(seconds=seconds)
        with self.lock("batches"), self.cursor() as cursor:
            forget_passing(cursor, {hold.batch for hold in self._holds}, before)

    def compact(self, patience: float = PATIENCE) -> Compacted | None:
        """Write the store anew without its free room; who asks for a cursor meanwhile may have to wait for the end.

        Args:
            patience: Seconds to wait for the cursors in use.

        Returns:
            What came of it; None where there is no file to write.

        Raises:
            StoreBusy: They were not given back in time.
            DriftlineError: As `loaders.store.compact.rewrite`; the store is as it was.
        """
        return self.backend.compact(patience)

    def backup(self, file: Path, *, replace: bool = False, patience: float = PATIENCE) -> list[Held]:
        """Copy everything into a file, and verify it; who asks for a cursor meanwhile waits for the copy to be made.

        Args:
            file: Written whole or not at all.
            replace: Whether a file that is there may be replaced.
            patience: Seconds to wait for the cursors in use.

        Returns:
            What each table holds.

        Raises:
            StoreBusy: They were not given back in time.
            DriftlineError: A file is there already, or it can't be written; none is left half-written.
        """
        return list(self.backend.backup(file, replace=replace, patience=patience))

    def compact_if_wasteful(self) -> Compacted | None:
        """Compact where it is worth its time; where it can't be done now, another time will do."""
        try:
            return self.compact() if self.backend.wastes() else None
        except DriftlineError as error:
            logger.info("%s", error)
            return None

    def close(self) -> None:
        """Write everything that is to be written, and let go of it."""
        self.backend.close()
