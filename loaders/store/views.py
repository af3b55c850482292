"""The views of a store over its tables (`views.sql`), twice: without rules, and with those of private runs.

In the main schema nothing is hidden, which costs nothing. A cursor that may not see all looks into `PRIVATE` first:
there are the same views over the rules (`hidden.sql`), and each table's name stands for a refusal, so that a query
which names a table by mistake fails, and tells nothing.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb

from loaders.store.schema import COLUMNS
from loaders.store.sql import all_or_nothing, identifier

PRIVATE = "private"

VIEWS_OF_NO_FILE = ("views_version",)
"""Tables that only a file has, which keeps its views."""

REFUSED = """CREATE OR REPLACE VIEW {table} AS
SELECT error('{table} is a table, which only the owner of a store may read') AS "tables are read through views";
"""


def _text(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


VIEWS = _text("views.sql")

OPEN = _text("nothing_hidden.sql") + VIEWS

FINGERPRINT = hashlib.sha256((OPEN + duckdb.__version__).encode()).hexdigest()


def load_views(connection: duckdb.DuckDBPyConnection) -> bool:
    """Make a store's views those of this Driftline, where they aren't.

    What a store says of its views is as new as they are: a Driftline that doesn't know of it can't open the store.

    Returns:
        Whether they weren't.
    """
    if connection.execute("SELECT fingerprint FROM views_version").fetchall() == [(FINGERPRINT,)]:
        return False
    with all_or_nothing(connection):
        connection.execute(OPEN)
        connection.execute("DELETE FROM views_version")
        connection.execute("INSERT INTO views_version VALUES (?)", [FINGERPRINT])
    return True


def load_rules(cursor: duckdb.DuckDBPyConnection) -> None:
    """Make what is hidden be what this Driftline says, whatever the store was left with.

    Args:
        cursor: Used for nothing else.
    """
    with all_or_nothing(cursor):
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {_schema(cursor, PRIVATE)}")
        look_there_first(cursor)
        cursor.execute(_text("hidden.sql") + VIEWS)
        cursor.execute("".join(REFUSED.format(table=table) for table in COLUMNS))


def look_there_first(cursor: duckdb.DuckDBPyConnection) -> None:
    """Let names mean to a cursor what they mean to one that may not see all."""
    # With the store's own name before them, since a store may be called like a schema.
    path = f"{_schema(cursor, PRIVATE)},{_schema(cursor, 'main')}"
    cursor.execute("SET search_path = $path".replace("$path", "'" + path.replace("'", "''") + "'"))


def _schema(cursor: duckdb.DuckDBPyConnection, name: str) -> str:
    row = cursor.execute("SELECT current_database()").fetchone()
    return f"{identifier(row[0] if row else '')}.{name}"
