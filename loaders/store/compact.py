"""A store written anew without the blocks that are free: into a file beside it, which then takes its place at once.

Until that moment the store is what it was, and after it the new file is all there: killed in between, nothing is lost,
and what was left beside it goes with the next compaction. The new file is in the format of new stores.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NamedTuple

import duckdb
from msgspec import Struct

from loaders.errors import DriftlineError

STORAGE = "v1.5.0"
"""DuckDB's file format for new stores: from this on it writes a text that repeats once, such as the settings that all
evals of a file share. A store keeps its format until it is compacted."""

BESIDE = ".compacting"
"""Ends the name of the file that is to take the store's place."""

SPARE = 16 * 1024 * 1024
"""Bytes that are to stay free on the disk."""

WORTH = 8 * 1024 * 1024
"""Fewer bytes that nothing uses are left as they are: writing anew costs more than they do."""


class Compacted(Struct):
    """What compacting a store came to, in bytes of its file."""

    before: int
    after: int


class Blocks(NamedTuple):
    """How much of a store's file is used, and how much is free, in bytes."""

    used: int
    free: int


def blocks_of(cursor: duckdb.DuckDBPyConnection, name: str | None = None) -> Blocks:
    """The blocks of the cursor's own store, or of the one that is attached to it under a name."""
    rows = cursor.execute(BLOCKS, {"name": name}).fetchall()
    return Blocks(*rows[0]) if rows else Blocks(0, 0)


def with_dead_rows(cursor: duckdb.DuckDBPyConnection, path: Path) -> Blocks:
    """The blocks of a store, with what waits beside them to be written, rows that were deleted counted as free.

    DuckDB keeps a deleted row in its group of 122,880 until the whole group is deleted, or can be joined with another.
    """
    blocks = blocks_of(cursor)
    log = log_of(path)
    written = blocks.used + (log.stat().st_size if log.exists() else 0)
    live, held = cursor.execute(ROWS).fetchall()[0]
    dead = int(written * (1 - live / held)) if held else 0
    return Blocks(written - dead, blocks.free + dead)


def is_wasteful(blocks: Blocks) -> bool:
    """Whether more is free than used, and enough to be worth writing all of it anew."""
    return blocks.free > max(blocks.used, WORTH)


def rewrite(path: Path) -> Compacted:
    """Write a store anew that is open nowhere.

    Raises:
        DriftlineError: The disk lacks room, or the store can't be read or written; it is as it was then.
    """
    path = path.resolve()
    beside = path.with_name(path.name + BESIDE)
    _remove(beside)
    before = path.stat().st_size
    try:
        _copy(path, beside)
        if log_of(path).exists():  # what it holds would be played back into the new file
            raise DriftlineError(f"The store {path} was written to while it was compacted: it is as it was. Try again.")
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        shutil.copymode(path, beside)
        beside.replace(path)
    except (duckdb.Error, OSError) as error:
        raise DriftlineError(
            f"The store {path} can't be compacted: {(str(error).splitlines() or [''])[0]}. It is as it was."
        ) from error
    finally:
        _remove(beside)
    settle(path.parent)
    return Compacted(before, path.stat().st_size)


def _copy(path: Path, beside: Path) -> None:
    """Copy everything into a new file, and make sure that everything is in it."""
    connection = duckdb.connect(":memory:")
    try:
        connection.execute(f"ATTACH {_quoted(path)} AS store")
        connection.execute("CHECKPOINT store")
        needed, there = blocks_of(connection, "store").used + SPARE, shutil.disk_usage(path.parent).free
        if there < needed:
            raise DriftlineError(
                f"Compacting {path} takes up to {needed / 1e6:,.0f} MB beside it, and the disk has"
                f" {there / 1e6:,.0f} MB left. The store is as it was."
            )
        connection.execute(f"ATTACH {_quoted(beside)} AS fresh (STORAGE_VERSION '{STORAGE}')")
        connection.execute("COPY FROM DATABASE store TO fresh")
        connection.execute("CHECKPOINT fresh")
        if _inventory(connection, "store") != _inventory(connection, "fresh"):
            raise DriftlineError(f"The copy of {path} is not the same as the store, which is as it was.")
        connection.execute("DETACH fresh")
        connection.execute("DETACH store")
    finally:
        connection.close()


def _inventory(connection: duckdb.DuckDBPyConnection, name: str) -> list[tuple[object, ...]]:
    """Everything in a store: tables with their columns and numbers of rows, and names of views, macros and indexes."""
    found: list[tuple[object, ...]] = connection.execute(INVENTORY, {"name": name}).fetchall()
    tables = [(schema, table) for kind, schema, table, _ in found if kind == "table"]
    for schema, table in tables:
        counted = connection.execute(f'SELECT count(*) FROM {name}."{schema}"."{table}"').fetchall()  # noqa: S608 - names of our own
        found.append(("rows", schema, table, counted[0][0]))
    return found


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def log_of(path: Path) -> Path:
    """Where DuckDB keeps what is written and not yet in the file itself."""
    return path.with_name(path.name + ".wal")


def _remove(beside: Path) -> None:
    for path in (beside, log_of(beside)):
        path.unlink(missing_ok=True)


def settle(folder: Path) -> None:
    """Make the new name last, where the system can say so of a folder."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


BLOCKS = """
SELECT used_blocks * block_size, free_blocks * block_size FROM pragma_database_size()
WHERE database_name = coalesce($name, current_database())
"""

ROWS = """
SELECT sum(live), sum(held) FROM (
    SELECT count(*) AS live, coalesce(max(rowid) + 1, 0) AS held FROM messages
    UNION ALL SELECT count(*), coalesce(max(rowid) + 1, 0) FROM samples
    UNION ALL SELECT count(*), coalesce(max(rowid) + 1, 0) FROM scores
)
"""

INVENTORY = """
SELECT 'table' AS kind, schema_name, table_name, sql FROM duckdb_tables() WHERE database_name = $name
UNION ALL
SELECT 'view', schema_name, view_name, NULL FROM duckdb_views() WHERE database_name = $name AND NOT internal
UNION ALL
SELECT 'macro', schema_name, function_name, NULL FROM duckdb_functions()
WHERE database_name = $name AND NOT internal
UNION ALL
SELECT 'index', schema_name, index_name, NULL FROM duckdb_indexes() WHERE database_name = $name
ORDER BY ALL
"""
