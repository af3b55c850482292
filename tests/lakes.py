"""Stores in PostgreSQL, for tests: a server of their own, in a temporary folder, and a database for each store.

`DRIFTLINE_TEST_STORE=lake` (`make lake`) runs tests of stores on such ones: whatever they open, a file or memory, is a
database of its own then.
"""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path

import psycopg

from loaders.store import Store
from loaders.store.embedded import MEMORY
from tests import real_parts

VARIABLE = "DRIFTLINE_TEST_STORE"
USER = "postgres"
"""Debian's, as whom the server runs where the tests run as root, which it refuses."""

WHO_MAY = "tests/dashboard/review/test_who_may.py::test_who_may_not_"

LEFT_OUT = {
    "tests/loaders/store/test_backup.py": "copies a file",
    f"{WHO_MAY}writes_nothing_and_learns_nothing[restored": "copies a file",
    f"{WHO_MAY}reads_nothing[restored": "copies a file",
    "tests/dashboard/review/test_full_disk.py": "fills the disk below a file",
    "tests/loaders/store/test_compact.py": "measures a file",
    "tests/loaders/store/test_full_disk.py": "fills the disk below a file",
    "tests/loaders/store/test_write_ahead.py": "is about DuckDB's write-ahead log",
    "tests/loaders/store/test_schema.py": "is about the tables of a file; a lake's are made of the same text",
    "tests/loaders/store/test_text_search.py": "is about the index beside a file; a lake's texts are read",
    "tests/loaders/store/test_forget.py": "a lake keeps every batch: others may look at it",
    "tests/dashboard/app_pages/test_pinned_links.py::test_a_page_that_is_open_keeps_its_batch_and_a_link": (
        "forgets a batch, of which a lake keeps all"
    ),
    "tests/test_empty_stores.py": "is about stores in memory",
    "tests/loaders/store/test_store.py::test_a_store_held_by_another_process": "nobody holds a lake",
    "tests/loaders/store/test_store.py::test_a_file_that_is_no_store_is_named": "there is no file",
    "tests/loaders/store/test_views.py::test_views_of_another_driftline_are_made_new": "a lake keeps no views",
}
"""Tests that are about what a lake has not, by the beginning of their names."""


def wanted() -> bool:
    """Whether tests of stores run on lakes."""
    return os.environ.get(VARIABLE) == "lake"


class Server:
    """A PostgreSQL that nobody else knows of, reached by a socket in its folder."""

    def __init__(self) -> None:
        places = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")))  # Debian has them in no PATH
        path = os.pathsep.join([*places, os.environ.get("PATH", "")])
        self._programs = Path(real_parts.program("initdb", path=path)).parent
        self.folder = Path(tempfile.mkdtemp(prefix="driftline-pg-", dir="/tmp"))
        self.files = self.folder / "files"
        self.files.mkdir()
        self._as = USER if os.geteuid() == 0 else None
        if self._as:
            self.folder.chmod(0o755)
            (self.folder / "server").mkdir()
            shutil.chown(self.folder / "server", USER)
        else:
            (self.folder / "server").mkdir()
        initdb = ["initdb", "-D", str(self._data), "-A", "trust", "-U", "driftline", "-E", "UTF8", "--no-sync"]
        subprocess.run(
            [self._programs / initdb[0], *initdb[1:], "--locale=C.UTF-8"],
            check=True, stdout=subprocess.DEVNULL, user=self._as, cwd="/",
        )  # fmt: skip
        self.start()
        self._numbers = itertools.count(1)
        self._template = ""

    @property
    def _data(self) -> Path:
        return self.folder / "server" / "data"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = ["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=300"]
        self._process = subprocess.Popen(
            [self._programs / "postgres", "-D", self._data, "-k", self._data.parent, *options],
            stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, user=self._as, cwd="/",
        )  # fmt: skip
        for _ in range(200):
            try:
                psycopg.connect(self.conninfo("postgres")).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError("PostgreSQL does not start")

    def stop(self) -> None:
        """End it at once, whoever is connected."""
        self._process.send_signal(3)  # SIGQUIT: as after a power cut
        self._process.wait()

    def conninfo(self, database: str) -> str:
        return f"host={self._data.parent} user=driftline dbname={database}"

    def run(self, sql: str, database: str = "postgres") -> list[tuple[object, ...]]:
        with psycopg.connect(self.conninfo(database), autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def address(self) -> str:
        """Of a new store, with nothing in it."""
        if not self._template:
            self._template = "template_of_stores"
            self.run(f"CREATE DATABASE {self._template}")
            Store.of_lake(f"ducklake:postgres:{self.conninfo(self._template)}", str(self.files)).close()
        name = f"store{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {self._template}")
        return f"ducklake:postgres:{self.conninfo(name)}"

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


@cache
def server() -> Server:
    """This process's."""
    made = Server()
    atexit.register(made.remove)
    return made


_of_paths: dict[str, str] = {}


def opened(path: Path | str, data: str | None = None) -> Store:
    """What a test opens, as a store in a database of its own: the same one for the same file."""
    name = str(path)
    if name.startswith("ducklake:"):
        return Store.of_lake(name, data)
    if name == MEMORY:
        return Store.of_lake(server().address())
    if name not in _of_paths:
        _of_paths[name] = server().address()
        Path(name).parent.mkdir(parents=True, exist_ok=True)
    return Store.of_lake(_of_paths[name])
