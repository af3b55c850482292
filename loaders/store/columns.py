"""Appending many rows at once, column by column, as `schema.sql` types them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

import duckdb

from loaders.store.schema import COLUMNS

FEW = 80
"""Up to so many rows go in as lists of values; above, as an Arrow table, which costs more to set up and less a row."""

SHORT = 100_000
"""Rows with a text of more characters go in as an Arrow table however few they are: DuckDB 1.5 takes time that grows
with the square of a text's length for one with quotation marks within a list of values (4 s for 2 MB, seen here)."""

AT_ONCE = 32_000_000
"""Characters of a column that are copied for DuckDB at once."""

Given = Mapping[str, Sequence[Any]]
"""Values of columns, one a row."""


def append(cursor: duckdb.DuckDBPyConnection, table: str, given: Given, records: Sequence[Any] | None = None) -> None:
    """Append rows to a table.

    Args:
        given: Columns by name; they say how many rows there are.
        records: Where given, one a row: all columns that are not `given` are attributes of theirs. Rows that come in
            have not left: `batch_to` is nobody's.
    """
    if not len(next(iter(given.values()))):
        return
    columns = dict(given)
    if records is not None:
        fields = [name for name in COLUMNS[table] if name not in given and name != "batch_to"]
        columns |= {name: list(map(attrgetter(name), records)) for name in fields}
    _insert(cursor, table, columns)


def add(cursor: duckdb.DuckDBPyConnection, table: str, row: Mapping[str, Any]) -> None:
    """Append one row."""
    append(cursor, table, {name: [value] for name, value in row.items()})


def _insert(cursor: duckdb.DuckDBPyConnection, table: str, columns: dict[str, Sequence[Any]]) -> None:
    """Names of tables and columns, here and below, are our own."""
    types, names = COLUMNS[table], ", ".join(columns)
    count = len(next(iter(columns.values())))
    if count <= FEW and not any(isinstance(v, str) and len(v) > SHORT for c in columns.values() for v in c):
        lists = ", ".join(f"unnest(?::{_parameter(types[name])}[])" for name in columns)
        cursor.execute(f"INSERT INTO {table} ({names}) SELECT {lists}", list(columns.values()))
        return
    # Imported when there is much to write: what a command imports, it waits for.
    import pyarrow as pa

    arrow = {
        "VARCHAR": pa.string(), "BIGINT": pa.int64(), "DOUBLE": pa.float64(), "BOOLEAN": pa.bool_(),
        "TIMESTAMP": pa.timestamp("us"), "VARCHAR[]": pa.list_(pa.string()),
        "BIGINT[]": pa.list_(pa.int64()), "DOUBLE[]": pa.list_(pa.float64()),
    }  # fmt: skip
    for begin, end in _slices(columns):
        made = {name: pa.array(values[begin:end], arrow[_parameter(types[name])]) for name, values in columns.items()}
        cursor.register("incoming", pa.table(made))
        cursor.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM incoming")  # noqa: S608
        cursor.unregister("incoming")


def _slices(columns: dict[str, Sequence[Any]]) -> Iterator[tuple[int, int]]:
    """Rows that go in together: all, but where their texts are long no more of them than are well copied at once."""
    count = len(next(iter(columns.values())))
    long = [c for c in columns.values() if sum(len(v) for v in c if isinstance(v, str)) > AT_ONCE]
    begin = held = 0
    for end in range(count) if long else ():
        held += sum(len(column[end] or "") for column in long)
        if held > AT_ONCE:
            yield begin, end + 1
            begin, held = end + 1, 0
    if begin < count:
        yield begin, count


def _parameter(kind: str) -> str:
    """The type by which values of a column are handed over: JSON is text."""
    return "VARCHAR" if kind == "JSON" else kind
