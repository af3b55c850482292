"""Small helpers around SQL: values are bound, identifiers and paths into JSON pass through here."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import duckdb

T = TypeVar("T")


def records(con: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Run a query and return its rows as dicts of plain Python values.

    Args:
        con: A connection or cursor that this thread has to itself.
        sql: The query, values as `$name`.
        parameters: One entry for each `$name` in the query, and no other.
    """
    result = con.execute(sql, parameters or {})
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


@contextmanager
def all_or_nothing(cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """What a cursor writes within is written whole, or, where anything is raised, not at all."""
    cursor.execute("BEGIN")
    try:
        yield
    except BaseException:
        cursor.execute("ROLLBACK")
        raise
    cursor.execute("COMMIT")


def unwritten(error: duckdb.Error | OSError) -> str:
    """Why a store can't be written, for whoever wrote something."""
    told = (str(error).splitlines() or ["it does not say why"])[0]
    full = "No space left" in told
    return "the disk that the store is on is full. Make room on it, and try again" if full else told


TURNS = 40
"""So often is something tried that others' writing got in the way of."""


def again_where_others_wrote(write: Callable[[], T]) -> T:
    """Write; again, a little later, where another process wrote the same table of a lake at the same time.

    Args:
        write: All or nothing.

    Raises:
        duckdb.Error: It was in vain each time; or it failed otherwise.
    """
    for turn in range(TURNS):
        try:
            return write()
        except duckdb.Error as error:
            if turn == TURNS - 1 or "ransaction conflict" not in str(error):
                raise
            time.sleep(random.uniform(0, 0.05 * (turn + 1)))  # noqa: S311 - that two don't come back at once
    raise AssertionError


FEW = 100
"""So many ids are looked for one after the other in each row."""


def among_logs(view: str, ids: str, count: int) -> str:
    """A view of samples or scores, of some logs alone where they are few.

    DuckDB tests a list while it scans, and reads the other columns of what is left alone; what a join leaves is read
    whole before it (8 times as long, seen here with DuckDB 1.5 and the prompts of 26 of 6,000 logs).

    Args:
        view: With a column `eval_id`.
        ids: SQL of the list of the logs' ids: a parameter.
        count: How many they are.
    """
    return f"(FROM {view} WHERE list_contains({ids}::BIGINT[], eval_id))" if count <= FEW else view


def identifier(name: str) -> str:
    """A column's or table's name, quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def json_pointer(path: str, *, deep: bool = True) -> str:
    """A dotted path as a JSON pointer (RFC 6901), which DuckDB's `json_extract` takes: "a.b" is "/a/b".

    Args:
        path: The path.
        deep: Whether a dot goes deeper; else the whole path is one name.
    """
    parts = path.split(".") if deep else [path]
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)
