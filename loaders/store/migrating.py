"""Everything in a store copied into another one that is empty, whatever the two stand on, and verified."""

from __future__ import annotations

import duckdb

from loaders.errors import DriftlineError
from loaders.store.backend import HIGHEST
from loaders.store.backup import Held
from loaders.store.entering import STAGED
from loaders.store.schema import COLUMNS
from loaders.store.sql import all_or_nothing
from loaders.store.store import Store

OWN = ("schema_version", "views_version", "ids", "endings")
"""Tables that each store has its own of."""

AT_ONCE = 20_000
"""Rows that are in memory together."""


def migrate(source: Store, target: Store) -> list[Held]:
    """Copy a store; nothing is imported into it meanwhile.

    What a worker has not finished is not copied: it is for the worker to finish.

    Args:
        source: It is only read.
        target: Nothing is in it.

    Returns:
        What each table holds, in both.

    Raises:
        DriftlineError: Something is in the target, or the copy is not what was copied.
    """
    with source.lock("batches"), target.lock("batches"), source.cursor() as held, target.cursor() as cursor:
        tables = [table for table in COLUMNS if table not in OWN]
        filled = [table for table in tables if cursor.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone()]  # noqa: S608
        if filled:
            raise DriftlineError(f"There is something in {target.path} already ({filled[0]}): name an empty store.")
        for table in tables:
            _copy(held, cursor, table)
        for table, highest in HIGHEST.items():
            next_one = 1 + held.execute(highest).fetchall()[0][0]
            row = held.execute("SELECT next FROM ids WHERE name = ?", [table]).fetchone()
            target.ids(table, max(next_one, row[0] if row else 1) - target.ids(table, 0))
        found = [(_held(held, table), _held(cursor, table)) for table in tables]
    for there, here in found:
        if there != here:
            raise DriftlineError(
                f"{target.path} is not the same as {source.path}: {there.table} has {there.rows} rows there and"
                f" {here.rows} here, or others. Nothing of {source.path} was changed."
            )
    return [here for _, here in found]


def _copy(held: duckdb.DuckDBPyConnection, cursor: duckdb.DuckDBPyConnection, table: str) -> None:
    rows = held.execute(_rows(table)).to_arrow_reader(AT_ONCE)
    with all_or_nothing(cursor):
        cursor.register("rows_of_another", rows)
        cursor.execute(f"INSERT INTO {table} ({', '.join(COLUMNS[table])}) SELECT * FROM rows_of_another")  # noqa: S608
        cursor.unregister("rows_of_another")


def _held(cursor: duckdb.DuckDBPyConnection, table: str) -> Held:
    # A row is hashed as a whole.
    sql = f"SELECT count(*), coalesce(sum(hash(t)), 0)::VARCHAR FROM ({_rows(table)}) t"  # noqa: S608
    rows, checksum = cursor.execute(sql).fetchall()[0]
    return Held(table, rows, checksum)


def _rows(table: str) -> str:
    """SQL of what is copied of a table: a NUL, which PostgreSQL has in no text, as it is otherwise written there."""
    columns = ", ".join(
        f"replace({name}::VARCHAR, chr(0), chr(65533)) AS {name}"
        if kind in ("VARCHAR", "JSON")
        else f"{name}::{kind} AS {name}"
        for name, kind in COLUMNS[table].items()
    )
    where = f" WHERE batch_from < {STAGED}" if table in ("sources", "locations") else ""
    return f"SELECT {columns} FROM {table}{where}"  # noqa: S608 - names of our own
