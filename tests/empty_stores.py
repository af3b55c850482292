"""Stores in memory with nothing in them, for the many tests that fill one of their own.

To make the schema takes many times as long as to empty its tables again: once nobody holds a store any more, the next
one that is asked for is made of what it was.
"""

from __future__ import annotations

import weakref
from functools import cache

import duckdb

from loaders.store import Store
from loaders.store.embedded import MEMORY, Embedded
from loaders.store.schema import COLUMNS
from tests import lakes

_spare: list[duckdb.DuckDBPyConnection] = []


def empty_store() -> Store:
    """A store in memory, as new."""
    if lakes.wanted():
        return Store.open(MEMORY)
    while _spare:
        connection = _spare.pop()
        if _emptied(connection):
            break
    else:
        connection = Embedded.open(MEMORY).connection
        # A few rows are no work for several threads, which cost a fifth more in waking each other; and the tests are on
        # all cores already.
        connection.execute("SET threads = 1")
    store = Store(Embedded(connection, MEMORY))
    weakref.finalize(store, _spare.append, connection).atexit = False
    return store


def copy_of(store: Store) -> Store:
    """Another in memory with the same rows."""
    other = empty_store()
    if lakes.wanted():
        return _copied_lake(store, other)
    with store.cursor() as held, other.transaction() as cursor:
        for name in filled(held) - filled(cursor):
            rows = held.execute(f'FROM "{name}"').to_arrow_table()
            cursor.register("rows_of_another", rows)
            cursor.execute(f'INSERT INTO "{name}" FROM rows_of_another')
            cursor.unregister("rows_of_another")
    return other


def _copied_lake(store: Store, other: Store) -> Store:
    with store.cursor() as held, other.cursor() as cursor:
        cursor.execute("DELETE FROM ids")
        for name in sorted({*COLUMNS} - {"views_version", "schema_version"}):
            rows = held.execute(f"SELECT {', '.join(COLUMNS[name])} FROM {name}").to_arrow_table()
            if rows.num_rows:
                cursor.register("rows_of_another", rows)
                cursor.execute(f"INSERT INTO {name} ({', '.join(COLUMNS[name])}) FROM rows_of_another")
                cursor.unregister("rows_of_another")
    return other


def _emptied(connection: duckdb.DuckDBPyConnection) -> bool:
    """Delete all rows; whether that leaves what a new store is. One that was closed, or is still written to, is not."""
    try:
        # Several statements are one transaction less each.
        connection.execute(
            "BEGIN;"
            + "".join(f'DELETE FROM "{name}";' for name in sorted(filled(connection) - _new()[1]))
            + "COMMIT; CHECKPOINT"
        )
        return (_tables(connection), filled(connection)) == _new()
    except duckdb.Error:
        return False


@cache
def _new() -> tuple[list[str], set[str]]:
    """A new store's tables, and which of them hold rows."""
    connection = Embedded.open(MEMORY).connection
    return _tables(connection), filled(connection)


def _tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    return [sql for (sql,) in connection.execute("SELECT sql FROM duckdb_tables() ORDER BY ALL").fetchall()]


def filled(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """The tables that hold rows."""
    rows = connection.execute("SELECT table_name FROM duckdb_tables() WHERE estimated_size > 0").fetchall()
    return {name for (name,) in rows}
