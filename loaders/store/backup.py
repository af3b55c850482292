"""A store's file copied to another place and back, each time verified after it is written.

A backup is a store: one DuckDB file, with everything in it, private runs too. Every table of a copy is read to its last
block, of which DuckDB checks the checksums, and its bytes are compared with what was read of the original.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from msgspec import Struct

from loaders.errors import DriftlineError, StoreBusy
from loaders.store.compact import SPARE, log_of, settle
from loaders.store.schema import VERSION

PART = ".part"
"""Ends the name of a copy that isn't whole yet."""
PIECE = 8 * 1024 * 1024


class Held(Struct, frozen=True):
    """What a table holds: its rows, and a checksum over them that doesn't depend on their order."""

    table: str
    rows: int
    checksum: str


def copy(path: Path, to: Path) -> str:
    """Copy a store that is open nowhere into a file that only its user can read; nothing is at `to` before it is whole.

    Returns:
        The SHA-256 of what was read.

    Raises:
        DriftlineError: There is no room, or it can't be read or written; then nothing is left behind.
    """
    if log_of(path).exists():
        raise DriftlineError(
            f"{path} has a write-ahead log beside it: it is open, or was not closed. Nothing is copied."
        )
    part = to.with_name(to.name + PART)
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        needed, there = path.stat().st_size + SPARE, shutil.disk_usage(to.parent).free
        if there < needed:
            raise DriftlineError(f"{to} takes {needed / 1e6:,.0f} MB, and the disk has {there / 1e6:,.0f} MB left.")
        part.unlink(missing_ok=True)
        digest = hashlib.sha256()
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with path.open("rb") as source, os.fdopen(descriptor, "wb") as file:
            while piece := source.read(PIECE):
                digest.update(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        return digest.hexdigest()
    except OSError as error:
        part.unlink(missing_ok=True)
        raise DriftlineError(f"{path} can't be copied to {to}: {error.strerror or error}.") from error


def settled(to: Path, digest: str) -> list[Held]:
    """Verify a copy and give it its name.

    Raises:
        DriftlineError: It is not what was read; then it is removed.
    """
    part = to.with_name(to.name + PART)
    try:
        with part.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != digest:
            raise DriftlineError(f"The copy at {to} is not what was written: the disk may be faulty. It is removed.")
        held = held_by(part)
        part.replace(to)
        settle(to.parent)
    except OSError as error:
        raise DriftlineError(f"{to} can't be verified: {error.strerror or error}.") from error
    finally:
        part.unlink(missing_ok=True)
    return held


def held_by(path: Path) -> list[Held]:
    """What each table of a store holds, every value of it read.

    Raises:
        StoreBusy: A process has it open.
        DriftlineError: It is no store of Driftline, is damaged, or is of a newer Driftline.
    """
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.Error as error:
        kind = StoreBusy if "lock" in str(error).lower() else DriftlineError
        raise kind(f"{path} can't be opened as a store: {str(error).splitlines()[0]}") from error
    try:
        version = connection.execute("SELECT max(version) FROM schema_version").fetchall()[0][0]
        if version is None or version > VERSION:
            raise DriftlineError(f"{path} is of schema {version}, and this Driftline reads up to {VERSION}: update it.")
        tables = connection.execute("SELECT table_name FROM duckdb_tables() WHERE NOT internal ORDER BY ALL").fetchall()
        held = []
        for (table,) in tables:
            # A name of the store's own; a row is hashed as a whole.
            sql = f'SELECT count(*), coalesce(sum(hash(t)), 0)::VARCHAR FROM "{table}" t'  # noqa: S608
            rows, checksum = connection.execute(sql).fetchall()[0]
            held.append(Held(table, rows, checksum))
        return held
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise DriftlineError(f"{path} is no store of Driftline, or is damaged: {reason}") from error
    finally:
        connection.close()


def restore(backup: Path, path: Path, *, replace: bool) -> tuple[list[Held], Path | None]:
    """Put a backup where a store is, or is to be; whoever calls keeps others from opening it.

    Args:
        backup: Made by `Store.backup`; it stays as it is.
        path: Of the store.
        replace: Whether a store that is there may be set aside.

    Returns:
        What each table holds, and where the store that was there is now.

    Raises:
        StoreBusy: The store is open in another process.
        DriftlineError: The backup is none, a store is there and `replace` is not said, or there is no room. Everything
            is as it was then.
    """
    if not backup.is_file():
        raise DriftlineError(f"{backup}: no such file.")
    if path.exists() and backup.samefile(path):
        raise DriftlineError(f"{backup} is the store itself.")
    if path.exists() and not replace:
        raise DriftlineError(f"There is a store at {path}: --replace sets it aside, under another name.")
    wanted = held_by(backup)
    _make_sure_of_closed(path)
    digest = copy(backup, path.with_name(path.name + ".restored"))
    fresh = path.with_name(path.name + ".restored")
    if settled(fresh, digest) != wanted:
        fresh.unlink()
        raise DriftlineError(f"{backup} changed while it was read. The store is as it was.")
    aside = None
    if path.exists():
        aside = path.with_name(f"{path.name}.replaced-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
        os.link(path, aside)  # so that at every moment a whole store has the store's name
        if log_of(path).exists():
            log_of(path).rename(log_of(aside))
    fresh.replace(path)
    settle(path.parent)
    return wanted, aside


def _make_sure_of_closed(path: Path) -> None:
    """Refuse to replace a store that another process has open; a damaged one may be replaced."""
    if not path.exists():
        return
    try:
        duckdb.connect(str(path), read_only=True).close()
    except duckdb.Error as error:
        if "lock" in str(error).lower():
            raise StoreBusy(f"{path} is open in another process: {str(error).splitlines()[0]}") from error
