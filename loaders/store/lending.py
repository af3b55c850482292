"""What a cursor's store lends to whoever has the cursor: most code is handed a cursor and no store."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from loaders.store.memory import Memory

if TYPE_CHECKING:
    from loaders.store.backend import Backend


@dataclass(frozen=True)
class Lent:
    """A cursor's store, as far as its cursor goes.

    Attributes:
        backend: What it stands on.
        memory: What the process found out of it.
    """

    backend: Backend
    memory: Memory


_of_cursors: weakref.WeakKeyDictionary[duckdb.DuckDBPyConnection, Lent] = weakref.WeakKeyDictionary()


def lend(cursor: duckdb.DuckDBPyConnection, lent: Lent) -> None:
    """Let whoever has a cursor find what its store lends."""
    _of_cursors[cursor] = lent


def memory_of(cursor: duckdb.DuckDBPyConnection) -> Memory:
    """The memory of a cursor's store; an empty one of its own where no store gave it out."""
    lent = _of_cursors.get(cursor)
    return lent.memory if lent else Memory()


def backend_of(cursor: duckdb.DuckDBPyConnection) -> Backend:
    """What a cursor's store stands on.

    Raises:
        LookupError: No store gave the cursor out.
    """
    lent = _of_cursors.get(cursor)
    if lent is None:
        raise LookupError("This cursor is of no store.")
    return lent.backend
