"""The tables of a store, as `schema.sql` states them, and a store of an older Driftline brought to them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from loaders.store.sql import all_or_nothing

VERSION = 13
"""Of `schema.sql`: one more with every change of it."""

STATEMENT = re.compile(r"CREATE TABLE (\w+) \(([^;]*)\);")
COMMENT = re.compile(r"\s*--[^\n]*")


def _columns() -> dict[str, dict[str, str]]:
    text = COMMENT.sub("", Path(__file__).with_name("schema.sql").read_text(encoding="utf-8"))
    return {
        table: dict(column.strip().split(" ") for column in columns.split(","))
        for table, columns in STATEMENT.findall(text)
    }


COLUMNS = _columns()
"""Of each table the columns, in their order, with their types."""


def migrate(connection: duckdb.DuckDBPyConnection) -> bool:
    """Give a store the tables and columns that it lacks; so far a newer schema has never taken one away.

    Returns:
        Whether it lacked any.

    Raises:
        ValueError: The store was written by a newer Driftline.
    """
    version = _version(connection)
    if version > VERSION:
        raise ValueError(f"schema {version}, this version reads up to {VERSION}")
    if version == VERSION:
        return False
    there: dict[str, set[str]] = {}
    for table, column in connection.execute(THERE).fetchall():
        there.setdefault(table, set()).add(column)
    with all_or_nothing(connection):
        for table, columns in COLUMNS.items():
            # Names and types are those of `schema.sql`.
            if table not in there:
                connection.execute(f"CREATE TABLE {table} ({', '.join(map(' '.join, columns.items()))})")
                continue
            for name in (name for name in columns if name not in there[table]):
                connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} {columns[name]}")
        now = datetime.now(UTC).replace(tzinfo=None)
        connection.execute("INSERT INTO schema_version VALUES (?, ?)", [VERSION, now])
    return True


def _version(connection: duckdb.DuckDBPyConnection) -> int:
    """Of the store's schema; 0 where it has none."""
    try:
        row = connection.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchone()
    except duckdb.CatalogException:
        return 0
    return row[0] if row else 0


THERE = "SELECT table_name, column_name FROM duckdb_columns() WHERE schema_name = 'main' AND NOT internal"
