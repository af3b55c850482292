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
from loaders.store.backup import Held, copy, settled
from loaders.store.compact import STORAGE, Compacted, is_wasteful, log_of, rewrite, with_dead_rows
from loaders.store.forget import forget_passing
from loaders.store.gate import Gate
from loaders.store.hidden import restrict
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

WRITTEN = "FATAL Error: Transaction COMMIT succeeded"
"""Begins what DuckDB says where all is written, and only gathering it in blocks, as is done now and then, failed."""


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
        self._mending = threading.Lock()
        self._given_up = False

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
                store asks. Such a cursor sees the store as it is now for as long as it is open, and writes nothing.
        """
        self._make_sure_of_open()
        with self._gate.passed():
            cursor = self._connection.cursor()
            lend(cursor, self.memory)
            try:
                if hidden:
                    self._make_sure_of_rules()
                    look_there_first(cursor)
                    restrict(cursor, hidden, self.memory)
                yield cursor
            except BaseException:
                self._look()
                raise
            finally:
                cursor.close()

    def _look(self) -> None:
        """See whether DuckDB has given the file up: it does where it can't write it, for lack of room say."""
        try:
            self._connection.execute("SELECT 1")
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
            with self._gate.closed(PATIENCE) as alone:
                if alone:  # else whoever is inside hears of it, and leaves
                    self._connection.close()
                    self._open_again()

    def _open_again(self) -> None:
        self._given_up = True  # until it is open
        self._connection = _connect(self.path)
        self._ruled = self._given_up = False

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
        try:
            with self.cursor() as cursor, all_or_nothing(cursor):
                yield cursor
        except duckdb.FatalException as error:
            # Said to have failed it would be written again.
            if not str(error).startswith(WRITTEN):
                raise
            logger.warning("The store %s: %s", self.path, error)

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
        with self._let_go(patience, "compacted") as path:
            return rewrite(path)

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
        if self.path == MEMORY:
            raise DriftlineError("A store in memory has no file to back up.")
        if file.exists() and (not replace or file.samefile(self.path)):
            raise DriftlineError(
                f"{file} is there already: name another file, or say --replace (never the store itself)."
            )
        with self._let_go(patience, "backed up") as path:
            digest = copy(path, file)
        return settled(file, digest)

    @contextmanager
    def _let_go(self, patience: float, doing: str) -> Iterator[Path]:
        """The store's file, which is open nowhere until the end of this."""
        with self.writing, self._gate.closed(patience) as alone:
            if not alone:
                raise StoreBusy(f"The store {self.path} is being read and can't be {doing} now. Try again later.")
            self._connection.close()
            try:
                yield Path(self.path)
            finally:
                self._open_again()

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
