"""What every writer of reviews has to make sure of: who may write, that texts are texts, and one transaction each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb

from dashboard import numerals
from dashboard.access import NotAllowed, Reader, Role
from loaders.errors import DriftlineError
from loaders.store import Store
from loaders.store.sql import unwritten


class BadText(DriftlineError):
    """A title, note, comment or tag that is empty or too long."""


def require(reader: Reader, role: Role, what: str) -> None:
    """Make sure that a reader may do something.

    Args:
        reader: Who.
        role: The role that it takes.
        what: What it is, in words that go on after "may not".

    Raises:
        NotAllowed: The reader may not.
    """
    if not reader.may(role):
        raise NotAllowed(f"{reader.name} may not {what}: that takes the role {role}, and theirs is {reader.role}.")


def checked(what: str, text: str, most: int, *, needed: bool = False) -> str:
    """A text as it is kept: without space around it, and with all line breaks alike.

    Args:
        what: What it is, for the message: "A comment".
        text: As it was written.
        most: Characters at the most.
        needed: Whether it may not be empty.

    Raises:
        BadText: It is empty and needed, or too long.
    """
    # Lone surrogates and NUL can't be stored, and say nothing.
    clean = (
        text.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").strip()
    )
    if needed and not clean:
        raise BadText(f"{what} is empty. Write something first.")
    if len(clean) > most:
        raise BadText(f"{what} has {numerals.count(len(clean))} characters (allowed: at most {numerals.count(most)}).")
    return clean


def now() -> datetime:
    """The time in UTC, as the store's columns have it."""
    return datetime.now(UTC).replace(tzinfo=None)


def turn(store: Store) -> AbstractContextManager[None]:
    """Keep others from writing until the end: what people write waits for each other, and for no ingest."""
    return store.lock("reviews")


def after(cursor: duckdb.DuckDBPyConnection, last: str, values: list[Any]) -> datetime:
    """The time in UTC, or just after the last one that was written where the clock was set back: the last one counts.

    Args:
        last: SQL of that time, of the same thing.
        values: Of its parameters.
    """
    before = cursor.execute(last, values).fetchall()[0][0]
    return now() if before is None else max(now(), before + timedelta(microseconds=1))


@contextmanager
def transaction(store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    """A cursor that writes all or nothing, one writer at a time.

    Raises:
        DriftlineError: It can't be written.
    """
    try:
        with turn(store), store.transaction() as cursor:
            yield cursor
    except (duckdb.Error, OSError) as error:
        raise DriftlineError(f"It can't be saved, and so it was not done: {unwritten(error)}.") from error
