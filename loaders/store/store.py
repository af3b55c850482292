"""Opening a store, and sharing it between the threads of the process that owns it."""

from __future__ import annotations

import logging
import re
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from loaders.errors import DriftlineError, StoreBusy
from loaders.store.compact import STORAGE, Compacted, is_wasteful, rewrite, with_dead_rows
from loaders.store.forget import forget_passing
from loaders.store.gate import Gate
from loaders.store.memory import Memory, lend
from loaders.store.schema import migrate
from loaders.store.sql import all_or_nothing
from loaders.store.views import load_rules, load_views, look_there_first

logger = logging.getLogger(__name__)

MEMORY = ":memory:"

PATIENCE = 5.0
"""Seconds that a compaction waits for cursors in use."""

WAL_SIZE = "128MB"
"""Writes gather so long before they become blocks. Each time that they do, the newest rows of each table are written
again with those that came since: more often costs time, and blocks that are free ever after."""


class Hold:
    """Keeps a batch from being forgotten for as long as somebody has it."""

    def __init__(self, batch: int) -> None:
        self.batch = batch


class Store:
    """A DuckDB file with Driftline's schema.

    One process owns it at a time (DuckDB's own rule); its threads share it, each with a cursor of its own.
    Writers take `writing`, one at a time; readers wait for nothing but a compaction.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: str) -> None:
        self._connection = connection
        self.path = path
        self.writing = threading.RLock()
        self.memory = Memory()
        self._gate = Gate()
        self._holds: weakref.WeakSet[Hold] = weakref.WeakSet()
        self._ruling = threading.Lock()
        self._ruled = False

    @classmethod
    def open(cls, path: Path | str) -> Store:
        """Open a store, and make it where there is none.

        Args:
            path: The file, or ":memory:".

        Raises:
            StoreBusy: Another process owns it; the message names the process.
            DriftlineError: The file is no DuckDB database, or is of a newer Driftline.
        """
        name = str(path)
        if name != MEMORY:
            Path(name).parent.mkdir(parents=True, exist_ok=True)
        return cls(_connect(name), name)

    @contextmanager
    def cursor(self, hidden: Sequence[str] = ()) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor for this thread, closed at the end.

        Args:
            hidden: Patterns (`*`, `?`, `[...]`) of the runs of which it finds nothing; none where the owner of the
                store asks.
        """
        with self._gate.passed():
            cursor = self._connection.cursor()
            lend(cursor, self.memory)
            try:
                if hidden:
                    self._make_sure_of_rules()
                    look_there_first(cursor)
                    cursor.execute("SET VARIABLE hidden_runs = $hidden::VARCHAR[]", {"hidden": list(hidden)})
                yield cursor
            finally:
                cursor.close()

    def _make_sure_of_rules(self) -> None:
        """Load the rules once: most commands never need them."""
        with self._ruling:
            if not self._ruled:
                with self._connection.cursor() as alone:
                    load_rules(alone)
                self._ruled = True

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor that writes all or nothing. Whoever writes the same tables as others takes their lock first."""
        with self.cursor() as cursor, all_or_nothing(cursor):
            yield cursor

    def batch(self) -> int:
        """The newest finished ingest batch; 0 where nothing was ever ingested."""
        with self.cursor() as cursor:
            row = cursor.execute("SELECT coalesce(max(batch), 0) FROM batches WHERE finished_at IS NOT NULL").fetchone()
        return int(row[0]) if row else 0

    def hold(self, batch: int) -> Hold:
        """Keep a batch readable (`loaders.store.forget`) for as long as what is returned is kept."""
        hold = Hold(batch)
        self._holds.add(hold)
        return hold

    def forget_passing(self, seconds: float) -> None:
        """Forget batches that told only of logs still being written, finished longer ago than so many seconds."""
        before = datetime.now(UTC).replace(tzinfo=None) - timedelta(seconds=seconds)
        with self.writing, self.cursor() as cursor:
            forget_passing(cursor, {hold.batch for hold in self._holds}, before)

    def compact(self, patience: float = PATIENCE) -> Compacted | None:
        """Write the store anew without its free blocks; who asks for a cursor meanwhile waits for the end of it.

        Args:
            patience: Seconds to wait for the cursors in use.

        Returns:
            What came of it; None where there is no file to write.

        Raises:
            StoreBusy: They were not given back in time.
            DriftlineError: As `loaders.store.compact.rewrite`; the store is as it was.
        """
        if self.path == MEMORY:
            return None
        with self.writing, self._gate.closed(patience) as alone:
            if not alone:
                raise StoreBusy(f"The store {self.path} is being read and can't be compacted now. Try again later.")
            self._connection.close()
            try:
                return rewrite(Path(self.path))
            finally:
                self._connection = _connect(self.path)
                self._ruled = False

    def compact_if_wasteful(self) -> Compacted | None:
        """Compact where more of the file is free than used; where it can't be done now, another time will do."""
        with self.cursor() as cursor:
            wasteful = is_wasteful(with_dead_rows(cursor, Path(self.path)))
        try:
            return self.compact() if wasteful else None
        except DriftlineError as error:
            logger.info("%s", error)
            return None

    def close(self) -> None:
        """Write everything to the file and let go of it."""
        self._connection.close()


def _connect(name: str) -> duckdb.DuckDBPyConnection:
    try:
        connection = duckdb.connect(name, config={"storage_compatibility_version": STORAGE})
    except duckdb.IOException as error:
        raise _explain(name, error) from error
    # Nothing that reaches SQL may open a file: loaders read files themselves.
    connection.execute("SET enable_external_access = false")
    connection.execute("SET enable_progress_bar = false")
    connection.execute(f"SET checkpoint_threshold = '{WAL_SIZE}'")
    try:
        migrate(connection)
        load_views(connection)
    except ValueError as error:
        connection.close()
        raise DriftlineError(
            f"{name} is a store of another Driftline: {error}. Update Driftline, or use another --store."
        ) from error
    return connection


def _explain(path: str, error: duckdb.IOException) -> DriftlineError:
    text = str(error)
    owner = re.search(r"held in (\S+).*?\(PID (\d+)\)", text)
    if owner:
        return StoreBusy(
            f"The store {path} is in use by process {owner[2]} ({Path(owner[1]).name}), which does not answer as"
            f" a Driftline dashboard. Close that process, wait until it ends, or use another store with --store FILE."
        )
    return DriftlineError(
        f"The store {path} can't be opened: {text.splitlines()[0]}. Use another one with --store FILE."
    )
