"""Tables of what is decided: their live rows made to be those that were decided last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb
import pyarrow as pa

from loaders.store.schema import COLUMNS


def reconcile(cursor: duckdb.DuckDBPyConnection, batch: int, table: str, wanted: list[dict[str, Any]]) -> None:
    """Make the live rows of a table be `wanted`: end those that are not among them, add those that are new."""
    names = [name for name in COLUMNS[table] if name not in ("batch_from", "batch_to")]
    listed = ", ".join(names)
    live: dict[tuple[Any, ...], list[int]] = {}
    # Table and column names are the schema's own.
    for rowid, *values in cursor.execute(f"SELECT rowid, {listed} FROM {table} WHERE batch_to IS NULL").fetchall():  # noqa: S608
        live.setdefault(tuple(values), []).append(rowid)
    new = []
    for row in wanted:
        decided = tuple(row[name] for name in names)
        if live.get(decided):
            live[decided].pop()
        else:
            new.append(decided)
    ended = [rowid for rowids in live.values() for rowid in rowids]
    if ended:
        cursor.execute(f"UPDATE {table} SET batch_to = ? WHERE rowid IN (SELECT unnest(?))", [batch, ended])  # noqa: S608
    if new:
        columns = {name: pa.array(column) for name, column in zip(names, zip(*new, strict=True), strict=True)}
        columns["batch_from"] = pa.array([batch] * len(new))
        cursor.register("decided", pa.table(columns))
        cursor.execute(f"INSERT INTO {table} BY NAME SELECT * FROM decided")  # noqa: S608
        cursor.unregister("decided")


def rows_of(
    cursor: duckdb.DuckDBPyConnection, sql: str, batch: int, more: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """The rows of a query as of `$batch`, by column."""
    cursor.execute(sql, {"batch": batch, **(more or {})})
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
