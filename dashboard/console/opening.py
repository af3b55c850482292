"""The store that a command means, opened; or the dashboard that owns it."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from dashboard.console.printing import err
from dashboard.handover import Owner, find_owner
from dashboard.places import STORE_VARIABLE, demo_study, store_for
from loaders.errors import DriftlineError
from loaders.store import Store, is_shared

QUEUE_SECONDS = 1.0
"""How long to wait for the lock before looking again whether a dashboard answers."""


@dataclass(frozen=True)
class Shared:
    """A store that other processes may open at the same time.

    Attributes:
        address: As it was given: there may be a password in it.
        data: The folder or bucket of its files, where it is said.
    """

    address: str = field(repr=False)
    data: str | None = None


def store_place(given: argparse.Namespace, paths: Sequence[str]) -> Path | Shared:
    """The store that a command means.

    Raises:
        DriftlineError: Several paths and no --store: which one's store would it be?
    """
    named = given.store or os.environ.get(STORE_VARIABLE, "")
    if is_shared(named):
        return Shared(named, given.data)
    if given.data:
        raise DriftlineError("--data is for a store in PostgreSQL (--store ducklake:postgres:...).")
    if given.store:
        return Path(given.store).expanduser().resolve()
    if len(paths) > 1:
        raise DriftlineError("Several paths go into one store: name it with --store FILE.")
    return store_for(Path(paths[0]) if paths else demo_study())


class NoPandas:
    """Stands before all that finds modules, and says that there is no pandas."""

    def find_spec(self, name: str, *_: object) -> None:
        """Nothing of any other module.

        Raises:
            ModuleNotFoundError: It is pandas.
        """
        if name == "pandas":
            raise ModuleNotFoundError("no pandas while a command prints rows", name=name)


@contextmanager
def without_pandas() -> Iterator[None]:
    """Keep DuckDB from importing pandas, which it does at the first bound value to see whether that is pandas' NaT.

    The import takes longer than a command that prints rows; one that makes frames has no use for this.
    """
    absent = NoPandas()
    sys.meta_path.insert(0, absent)
    try:
        yield
    finally:
        sys.meta_path.remove(absent)


@contextmanager
def alone(path: Path | Shared) -> Iterator[Path]:
    """Nobody uses the store at `path` meanwhile; whoever comes queues.

    Raises:
        DriftlineError: A dashboard owns it, or nobody does.
    """
    if isinstance(path, Shared):
        raise DriftlineError(
            "A store in PostgreSQL is restored with pg_restore and a copy of its files: see the README."
        )
    lock = _lock_of(path)
    owner = find_owner(path) or _queue(lock, path)
    if owner:
        raise DriftlineError(
            f"The dashboard at {owner.url} (process {owner.pid}) uses the store {path}: end it first. Its open pages"
            " would mix numbers of two stores."
        )
    try:
        yield path
    finally:
        lock.release()


@contextmanager
def owned(path: Path | Shared) -> Iterator[Store | Owner]:
    """The store at `path`, opened; or the dashboard that owns it. Commands that open it themselves queue."""
    if isinstance(path, Shared):
        store = Store.open(path.address, path.data)
        try:
            yield store
        finally:
            store.close()
        return
    owner = find_owner(path)
    if owner:
        yield owner
        return
    lock = _lock_of(path)
    owner = _queue(lock, path)
    if owner:
        yield owner
        return
    try:
        store = Store.open(path)
        try:
            yield store
        finally:
            store.close()
    finally:
        lock.release()


def _lock_of(path: Path) -> FileLock:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error
    return FileLock(path.with_name(path.name + ".lock"), mode=0o600)


def _unwritable(path: Path, error: OSError) -> DriftlineError:
    return DriftlineError(
        f"The folder of the store {path} can't be written: {error.strerror or error}. A store is opened where it can"
        " be written, also to be read: use another one with --store FILE."
    )


def _queue(lock: FileLock, path: Path) -> Owner | None:
    """Wait for the lock; or for a dashboard that has come up while waiting, which is returned."""
    said = False
    while True:
        try:
            lock.acquire(timeout=QUEUE_SECONDS if said else 0)
        except Timeout:
            owner = find_owner(path)
            if owner:
                return owner
            if not said:
                err.print("Another driftline command uses the store: waiting for it to end.")
                said = True
        except OSError as error:
            raise _unwritable(path, error) from error
        else:
            return None


@contextmanager
def nothing() -> Iterator[Store]:
    """An empty store in memory."""
    store = Store.open(":memory:")
    try:
        yield store
    finally:
        store.close()


@contextmanager
def readable(given: argparse.Namespace) -> Iterator[Store | Owner]:
    """A store that must be there already.

    Raises:
        DriftlineError: It isn't.
    """
    path = store_place(given, [given.path] if given.path else [])
    if isinstance(path, Path) and not path.is_file():
        raise DriftlineError(_no_store(given, path))
    with owned(path) as place:
        yield place


def check_there(*paths: str | None) -> None:
    """See that files or folders are there, before a store is made for them.

    Raises:
        DriftlineError: One isn't.
    """
    for path in paths:
        if path and not Path(path).expanduser().exists():
            raise DriftlineError(f"{path}: no such file or folder.")


def _no_store(given: argparse.Namespace, path: Path) -> str:
    """What to do where there is no store."""
    if path.is_dir():
        return f"{path} is a folder, not a store: name a folder of logs with --path PATH, the store with --store FILE."
    if given.store:
        return f"No store at {path} yet: run `driftline ingest PATH --store {shlex.quote(str(path))}` first."
    check_there(given.path)
    if given.path:
        return f"No store at {path} yet: run `driftline ingest {shlex.quote(given.path)}` first."
    if os.environ.get(STORE_VARIABLE):
        return f"No store at {path} (${STORE_VARIABLE}) yet: run `driftline ingest PATH` first."
    return (
        f"The demo study is not ingested yet. Name a folder of yours with --path PATH, or run `driftline ingest"
        f" {shlex.quote(str(demo_study()))}` first."
    )
