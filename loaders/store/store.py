"""Opening a store, and sharing it between the threads of the process that owns it."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from loaders.errors import DriftlineError, StoreBusy
from loaders.store.schema import migrate

MEMORY = ":memory:"

STORAGE = "v1.5.0"
"""DuckDB's file format for new stores: from this on it knows texts that repeat (the settings that all evals of a file
share), which takes Pythia's store from 420 MB to 10. An older store keeps its format until it is compacted."""

WAL_SIZE = "128MB"
"""Writes gather so long before they become blocks. Each time that they do, the newest rows of each table are written
again with those that came since: more often costs time, and blocks that are free ever after."""


class Store:
    """A DuckDB file with Driftline's schema.

    One process owns it at a time (DuckDB's own rule); its threads share it, each with a cursor of its own.
    Writers take `writing`, one at a time; readers never wait.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: str) -> None:
        self._connection = connection
        self.path = path
        self.writing = threading.RLock()

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
        except ValueError as error:
            connection.close()
            raise DriftlineError(
                f"{name} is a store of another Driftline: {error}. Update Driftline, or use another --store."
            ) from error
        return cls(connection, name)

    @contextmanager
    def cursor(self, hidden: Sequence[str] = ()) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor for this thread, closed at the end.

        Args:
            hidden: Patterns (`*`, `?`, `[...]`) of the runs of which it finds nothing; none where the owner of the
                store asks.
        """
        cursor = self._connection.cursor()
        try:
            if hidden:
                cursor.execute("SET VARIABLE hidden_runs = $hidden::VARCHAR[]", {"hidden": list(hidden)})
            yield cursor
        finally:
            cursor.close()

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor that writes all or nothing. Whoever writes the same tables as others takes their lock first."""
        with self.cursor() as cursor:
            cursor.execute("BEGIN")
            try:
                yield cursor
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")

    def batch(self) -> int:
        """The newest finished ingest batch; 0 where nothing was ever ingested."""
        with self.cursor() as cursor:
            row = cursor.execute("SELECT coalesce(max(batch), 0) FROM batches WHERE finished_at IS NOT NULL").fetchone()
        return int(row[0]) if row else 0

    def close(self) -> None:
        """Write everything to the file and let go of it."""
        self._connection.close()


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
