"""What a lake asks of its PostgreSQL by itself: ids, locks that end with who held them, and who is there."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Literal

import psycopg

from loaders.errors import DriftlineError
from loaders.store.backend import Lock
from loaders.store.entering import STAGED
from loaders.store.lake.address import Address

Turn = Lock | Literal["schema"]

DRIFTLINE = 0x64726966
"""Marks, among the advisory locks of a database, those that are taken in turns."""

KEYS: dict[Turn, int] = {"batches": 1, "reviews": 2, "probes": 3, "schema": 4}

CONNECT_SECONDS = 10


class Catalogue:
    """A lake's PostgreSQL. All methods may be called from any thread.

    Questions share one connection. Each lock that is taken in turns has one of its own, and so has each worker: who
    ends, however, ends its connection, and PostgreSQL its locks.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._asking = threading.Lock()
        self._turns: dict[Turn, _Turn] = {lock: _Turn(address, key) for lock, key in KEYS.items()}
        self._connection = connect(address)

    def run(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement, in a transaction of its own; again where the connection was gone, so it must bear that.

        Raises:
            DriftlineError: PostgreSQL doesn't answer.
        """
        with self._asking:
            try:
                return _asked(self._connection, sql, values)
            except psycopg.OperationalError:
                self._connection.close()
                self._connection = connect(self._address)
            try:
                return _asked(self._connection, sql, values)
            except psycopg.OperationalError as error:
                raise gone(self._address, error) from None

    def ids(self, table: str, count: int) -> int:
        """The first of some ids that nobody else is given."""
        return int(self.run(TAKE, [count, table, count])[0][0])

    @contextmanager
    def turn(self, lock: Turn) -> Iterator[None]:
        """Take a turn; the threads of this process among themselves first."""
        turn = self._turns[lock]
        with turn.threads:
            turn.take()
            try:
                yield
            finally:
                turn.give()

    @contextmanager
    def worker(self) -> Iterator[int]:
        """A worker's number; it is the worker's until this ends, or its process does.

        What workers that are gone left unfinished is this one's from now on: it is whole files, which nobody has to
        read again.
        """
        number = STAGED + int(self.run("SELECT nextval('main.workers')")[0][0])
        with connect(self._address) as own:
            own.execute("SELECT pg_advisory_lock(%s)", [number])
            for (left,) in own.execute(LEFT, [STAGED, STAGED, STAGED]).fetchall():
                if own.execute("SELECT pg_try_advisory_lock(%s)", [left]).fetchall()[0][0]:
                    with own.transaction():
                        for table in ("locations", "sources"):
                            own.execute(ADOPT.format(table=table).encode(), [number, left, number, left])
                        own.execute("UPDATE main.endings SET batch = %s WHERE batch = %s", [number, left])
                    own.execute("SELECT pg_advisory_unlock(%s)", [left])
            yield number

    def workers(self) -> int:
        """How many workers there are."""
        return int(self.run(WORKERS)[0][0])

    def close(self) -> None:
        """Let go of everything."""
        self._connection.close()
        for turn in self._turns.values():
            turn.close()


class _Turn:
    """A lock among all processes."""

    def __init__(self, address: Address, key: int) -> None:
        self.threads = threading.RLock()
        self._address, self._key = address, key
        self._depth = 0
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def take(self) -> None:
        if self._depth == 0:
            if self._connection is None or not _lives(self._connection):
                self._connection = connect(self._address)
            try:
                self._connection.execute("SELECT pg_advisory_lock(%s, %s)", [DRIFTLINE, self._key])
            except psycopg.OperationalError as error:
                raise gone(self._address, error) from None
        self._depth += 1

    def give(self) -> None:
        self._depth -= 1
        if self._depth == 0 and self._connection is not None:
            with suppress(psycopg.Error):  # where the connection is gone, so is the lock
                self._connection.execute("SELECT pg_advisory_unlock(%s, %s)", [DRIFTLINE, self._key])

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


def connect(address: Address) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection, each statement a transaction of its own.

    Raises:
        DriftlineError: There is none to be had.
    """
    try:
        return psycopg.connect(
            address.conninfo(), autocommit=True, connect_timeout=CONNECT_SECONDS, application_name="driftline"
        )
    except psycopg.OperationalError as error:
        raise gone(address, error) from None


def gone(address: Address, error: Exception) -> DriftlineError:
    """What is said where PostgreSQL doesn't answer."""
    said = address.redacted(" ".join(str(error).split()))
    return DriftlineError(f"The store {address.name} can't be reached: {said}")


def _asked(connection: psycopg.Connection[tuple[Any, ...]], sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    cursor = connection.execute(sql.encode(), list(values) or None)
    return cursor.fetchall() if cursor.description else []


def _lives(connection: psycopg.Connection[tuple[Any, ...]]) -> bool:
    if connection.closed:
        return False
    try:
        connection.execute("SELECT 1")
    except psycopg.OperationalError:
        connection.close()
        return False
    return True


TAKE = "UPDATE main.ids SET next = next + %s WHERE name = %s RETURNING next - %s"

LEFT = """
SELECT batch_from FROM main.sources WHERE batch_from >= %s
UNION SELECT batch_from FROM main.locations WHERE batch_from >= %s
UNION SELECT batch FROM main.endings WHERE batch >= %s
"""

ADOPT = """
UPDATE main.{table} SET batch_from = %s, batch_to = CASE WHEN batch_to = %s THEN %s ELSE batch_to END
WHERE batch_from = %s
"""

WORKERS = """
SELECT count(*) FROM pg_locks
WHERE locktype = 'advisory' AND granted AND objsubid = 1
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
"""Locks of one number, not of two, are workers'."""
