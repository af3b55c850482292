"""A store in one DuckDB file, or in memory: one process owns it, and its threads share it."""

from __future__ import annotations

import logging
import re
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from loaders.errors import DriftlineError, StoreBusy
from loaders.store.backend import HIGHEST, Lock, Use
from loaders.store.backup import Held, copy, settled
from loaders.store.compact import STORAGE, Compacted, is_wasteful, log_of, rewrite, with_dead_rows
from loaders.store.gate import Gate
from loaders.store.schema import migrate
from loaders.store.views import load_rules, load_views, look_there_first

logger = logging.getLogger(__name__)

MEMORY = ":memory:"

MENDING_PATIENCE = 5.0
"""Seconds that opening a file anew waits for cursors in use."""

WAL_SIZE = "128MB"
"""Writes gather so long before they become blocks. Each time that they do, the newest rows of each table are written
again with those that came since: more often costs time, and blocks that are free ever after."""


class Embedded:
    """A DuckDB file with Driftline's schema.

    One process owns it at a time (DuckDB's own rule); readers wait for nothing but a compaction.
    """

    apart = False

    def __init__(self, connection: duckdb.DuckDBPyConnection, name: str) -> None:
        self.connection = connection
        self.name = name
        self.file = None if name == MEMORY else Path(name)
        self._gate = Gate()
        self._locks: defaultdict[Lock, threading.RLock] = defaultdict(threading.RLock)
        self._numbering = threading.Lock()
        self._ruling = threading.Lock()
        self._ruled = False
        self._mending = threading.Lock()
        self._given_up = False

    @classmethod
    def open(cls, path: Path | str) -> Embedded:
        """Open a file, and make it where there is none.

        Raises:
            StoreBusy: Another process owns it; the message names the process.
            DriftlineError: The file is no DuckDB database, or is of a newer Driftline.
        """
        name = str(path)
        if name != MEMORY:
            Path(name).parent.mkdir(parents=True, exist_ok=True)
        return cls(_connect(name), name)

    @contextmanager
    def cursor(self, use: Use = "own", forgotten: int = 0) -> Iterator[duckdb.DuckDBPyConnection]:  # noqa: ARG002
        """As `Backend.cursor`: a file is read as fast as anything that could be kept of it."""
        self._make_sure_of_open()
        with self._gate.passed():
            cursor = self.connection.cursor()
            try:
                if use == "private":
                    self._make_sure_of_rules()
                    look_there_first(cursor)
                yield cursor
            except BaseException:
                self._look()
                raise
            finally:
                cursor.close()

    def _look(self) -> None:
        """See whether DuckDB has given the file up: it does where it can't write it, for lack of room say."""
        try:
            self.connection.execute("SELECT 1")
        except duckdb.FatalException:
            self._given_up = True
        except duckdb.Error:
            pass

    def _make_sure_of_open(self) -> None:
        """Open a file anew that DuckDB has given up: what was written before is in it, and there may be room again.

        Raises:
            DriftlineError: It can't be opened.
        """
        if not self._given_up or self._gate.is_inside():
            return
        with self._mending:
            if not self._given_up:
                return
            with self._gate.closed(MENDING_PATIENCE) as alone:
                if alone:  # else whoever is inside hears of it, and leaves
                    self.connection.close()
                    self._open_again()

    def _open_again(self) -> None:
        self._given_up = True  # until it is open
        self.connection = _connect(self.name)
        self._ruled = self._given_up = False

    def _make_sure_of_rules(self) -> None:
        """Load the rules once: most commands never need them."""
        with self._ruling:
            if not self._ruled:
                with self.connection.cursor() as alone:
                    load_rules(alone)
                self._ruled = True

    def ids(self, table: str, count: int) -> int:
        """As `Backend.ids`: counted in the store, from what an older Driftline left there on."""
        with self._numbering, self.cursor() as cursor:
            row = cursor.execute("SELECT next FROM ids WHERE name = ?", [table]).fetchone()
            if row is None:
                first = 1 + int(cursor.execute(HIGHEST[table]).fetchall()[0][0])
                cursor.execute("INSERT INTO ids VALUES (?, ?)", [table, first + count])
            else:
                first = int(row[0])
                cursor.execute("UPDATE ids SET next = ? WHERE name = ?", [first + count, table])
        return first

    def lock(self, lock: Lock) -> AbstractContextManager[None]:
        """As `Backend.lock`, among the threads of this process."""
        return self._turn(lock)

    @contextmanager
    def _turn(self, lock: Lock) -> Iterator[None]:
        with self._locks[lock]:
            yield

    @contextmanager
    def worker(self) -> Iterator[int]:
        """As `Backend.worker`: the only one, who goes on with what an interrupted one left unfinished."""
        with self._locks["batches"]:
            with self.cursor() as cursor:
                row = cursor.execute(NEXT).fetchone()
            yield int(row[0]) if row else 1

    def newest(self) -> int:
        """As `Backend.newest`."""
        with self.cursor() as cursor:
            row = cursor.execute(NEWEST).fetchone()
        return int(row[0]) if row else 0

    def can_forget(self) -> bool:
        """As `Backend.can_forget`: nobody else has the file open."""
        return True

    def compact(self, patience: float) -> Compacted | None:
        """As `Store.compact`."""
        if self.file is None:
            return None
        with self._let_go(patience, "compacted") as path:
            return rewrite(path)

    def wastes(self) -> bool:
        """As `Backend.wastes`: more of the file is free than used."""
        with self.cursor() as cursor:
            return is_wasteful(with_dead_rows(cursor, Path(self.name)))

    def backup(self, file: Path, *, replace: bool, patience: float) -> list[Held]:
        """As `Store.backup`."""
        if self.file is None:
            raise DriftlineError("A store in memory has no file to back up.")
        if file.exists() and (not replace or file.samefile(self.file)):
            raise DriftlineError(
                f"{file} is there already: name another file, or say --replace (never the store itself)."
            )
        with self._let_go(patience, "backed up") as path:
            digest = copy(path, file)
        return settled(file, digest)

    @contextmanager
    def _let_go(self, patience: float, doing: str) -> Iterator[Path]:
        """The store's file, which is open nowhere until the end of this."""
        with self._locks["batches"], self._gate.closed(patience) as alone:
            if not alone:
                raise StoreBusy(f"The store {self.name} is being read and can't be {doing} now. Try again later.")
            self.connection.close()
            try:
                yield Path(self.name)
            finally:
                self._open_again()

    def close(self) -> None:
        """As `Backend.close`."""
        self.connection.close()


NEXT = """
SELECT coalesce(min(batch) FILTER (finished_at IS NULL), max(batch) + 1, 1) FROM batches
"""
NEWEST = "SELECT coalesce(max(batch), 0) FROM batches WHERE finished_at IS NOT NULL"


def _connect(name: str) -> duckdb.DuckDBPyConnection:
    connection = _opened(name)
    # Nothing that reaches SQL may open a file: loaders read files themselves.
    connection.execute("SET enable_external_access = false")
    connection.execute("SET enable_progress_bar = false")
    connection.execute(f"SET checkpoint_threshold = '{WAL_SIZE}'")
    try:
        # DuckDB 1.5 has open faults in playing back changes of tables: they don't stay in the write-ahead log.
        if migrate(connection) | load_views(connection):
            connection.execute("CHECKPOINT")
    except ValueError as error:
        connection.close()
        raise DriftlineError(
            f"{name} was written by another version of Driftline: {error}. Update Driftline, or use another --store."
        ) from error
    except duckdb.Error as error:
        connection.close()
        raise _explain(name, error) from error
    return connection


def _opened(name: str) -> duckdb.DuckDBPyConnection:
    """The file, opened. A write-ahead log that can't be played back is set aside, where the file opens without it."""
    try:
        return _file(name)
    except duckdb.Error as error:
        log = log_of(Path(name))
        if not is_of_log(error) or not log.exists():
            raise _explain(name, error) from error
        aside = log.with_name(f"{log.name}.unreadable-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
        log.rename(aside)
        try:
            connection = _file(name)
        except duckdb.Error as still:
            log.unlink(missing_ok=True)
            aside.rename(log)
            raise _explain(name, still) from still
        logger.warning(
            "What was written last to the store %s can't be read back (%s). It is kept as %s, and the store is as"
            " it was before. Import again; notes and verdicts of the last minutes may be missing.",
            name, str(error).splitlines()[0], aside,
        )  # fmt: skip
        return connection


def _file(name: str) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(name, config={"storage_compatibility_version": STORAGE})


def is_of_log(error: duckdb.Error) -> bool:
    """Whether DuckDB can't open a file because of what its write-ahead log holds, and not for lack of room."""
    text = str(error)
    return "replaying WAL" in text and not re.search(r"[Nn]o space left|Permission denied", text)


def _explain(path: str, error: duckdb.Error) -> DriftlineError:
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
