"""A lake as a store's backend."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import duckdb

from loaders.errors import DriftlineError
from loaders.store.backend import Lock, Use
from loaders.store.backup import Held
from loaders.store.compact import Compacted
from loaders.store.lake.address import EXAMPLE, Address
from loaders.store.lake.catalogue import Catalogue, gone
from loaders.store.lake.mirror import MIRRORED, Mirror
from loaders.store.lake.tables import METADATA, make, name_tables
from loaders.store.sql import all_or_nothing
from loaders.store.views import load_rules, look_there_first

EXTENSIONS = ("postgres_scanner", "ducklake")
INSTALL = "pip install 'driftline[lake]'"

MANY_FILES = 400
"""So many small files are worth being merged."""
SMALL = 8 * 1024 * 1024
KEPT = "1 hour"
"""Files that were merged stay for so long: questions that began before still read them."""


class Lake:
    """Tables in DuckLake and its PostgreSQL, by the names that they have in a file."""

    apart = True
    file: Path | None = None

    def __init__(self, address: Address, catalogue: Catalogue, connection: duckdb.DuckDBPyConnection) -> None:
        self.name = address.name
        self._address, self._catalogue, self._connection = address, catalogue, connection
        self._mirror = Mirror(connection)
        self._ruled = False

    @classmethod
    def open(cls, address: Address) -> Lake:
        """Open a lake, and make it where the database is empty.

        Raises:
            DriftlineError: PostgreSQL can't be reached, something isn't installed, or a newer Driftline wrote it.
        """
        catalogue = Catalogue(address)
        try:
            connection = _attached(address, catalogue)
            try:
                make(connection, catalogue, address.name)
                with all_or_nothing(connection):  # what is named is looked up once
                    name_tables(connection, MIRRORED)
            except BaseException:
                connection.close()
                raise
        except duckdb.Error as error:
            catalogue.close()
            raise gone(address, error) from None
        except BaseException:
            catalogue.close()
            raise
        return cls(address, catalogue, connection)

    @contextmanager
    def cursor(self, use: Use, forgotten: int) -> Iterator[duckdb.DuckDBPyConnection]:
        """As `Backend.cursor`: the owner's tables are those of the lake, a reader's in part those of the mirror."""
        cursor = self._connection.cursor()
        try:
            if use == "own":
                cursor.execute("SET search_path = 'lake.main,pg.main,memory.main'")
            else:
                self._mirror.bring_up_to_date(lambda: (self.newest(), forgotten))
            if use == "read":  # one look at which files there are, for all that is asked
                cursor.execute("BEGIN TRANSACTION READ ONLY")
            if use == "private":
                self._make_sure_of_rules()
                look_there_first(cursor)
            yield cursor
        finally:
            cursor.close()

    def _make_sure_of_rules(self) -> None:
        with self._mirror.alone():
            if not self._ruled:
                with self._connection.cursor() as alone:
                    load_rules(alone)
                self._ruled = True

    def ids(self, table: str, count: int) -> int:
        """As `Backend.ids`."""
        return self._catalogue.ids(table, count)

    def lock(self, lock: Lock) -> AbstractContextManager[None]:
        """As `Backend.lock`, among all processes."""
        return self._catalogue.turn(lock)

    def worker(self) -> AbstractContextManager[int]:
        """As `Backend.worker`: one of any number."""
        return self._catalogue.worker()

    def newest(self) -> int:
        """As `Backend.newest`."""
        return int(self._catalogue.run(NEWEST)[0][0])

    def can_forget(self) -> bool:
        """As `Backend.can_forget`: others may look at any batch."""
        return False

    def compact(self, patience: float) -> Compacted | None:  # noqa: ARG002 - nobody is waited for
        """As `Store.compact`: small files become large ones, and what no question can still read goes."""
        before = self._bytes()
        with self.lock("batches"), self._connection.cursor() as cursor:
            self._drop_what_no_source_has(cursor)
            cursor.execute("CALL ducklake_merge_adjacent_files('lake')")
            cursor.execute(f"CALL ducklake_expire_snapshots('lake', older_than => now() - INTERVAL '{KEPT}')")
            cursor.execute(f"CALL ducklake_cleanup_old_files('lake', older_than => now() - INTERVAL '{KEPT}')")
        return Compacted(before, self._bytes())

    def _drop_what_no_source_has(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Facts of files whose worker ended before it could say where they lie; not while any may be about to."""
        if self._catalogue.workers():
            return
        for table in ("evals", "samples", "scores", "messages", "reported", "trained", "training", "scans", "cards"):
            sql = f"DELETE FROM lake.main.{table} WHERE source_id NOT IN (SELECT source_id FROM pg.main.sources)"  # noqa: S608
            cursor.execute(sql)

    def _bytes(self) -> int:
        return int(self._catalogue.run(BYTES)[0][0])

    def wastes(self) -> bool:
        """As `Backend.wastes`: there are many small files."""
        return int(self._catalogue.run(SMALL_FILES, [SMALL])[0][0]) > MANY_FILES

    def backup(self, file: Path, *, replace: bool, patience: float) -> list[Held]:  # noqa: ARG002
        """As `Store.backup`.

        Raises:
            DriftlineError: Always: it says what to back up instead.
        """
        raise DriftlineError(
            f"{self.name} is a PostgreSQL database with a folder of Parquet files: back up the database with pg_dump"
            f" first, then copy {data_of(self._catalogue)}. Nothing is copied here."
        )

    def close(self) -> None:
        """As `Backend.close`."""
        self._connection.close()
        self._catalogue.close()


def _attached(address: Address, catalogue: Catalogue) -> duckdb.DuckDBPyConnection:
    """A connection from which the lake can be read and written, and nothing else."""
    data = data_of(catalogue) or address.data
    if data is None:
        raise DriftlineError(
            f"{address.name} holds no store yet: say with --data where its files go (a folder, s3://...)."
        )
    if address.data is not None and address.data != data:
        raise DriftlineError(f"--data: the files of {address.name} are in {data}.")
    bucket = "://" in data
    if not bucket:
        Path(data).mkdir(parents=True, exist_ok=True)
    # What does not fit into memory goes where the system has its temporary files, and not where a command stands.
    aside = Path(tempfile.gettempdir()) / f"driftline-{os.getuid()}-{os.getpid()}"
    connection = duckdb.connect(":memory:", config={"temp_directory": str(aside)})
    try:
        for name in (*EXTENSIONS, *(("httpfs",) if bucket else ())):
            connection.execute(f"LOAD {_quoted(str(extension(name)))}")
        connection.execute("SET enable_progress_bar = false")
        # Whatever is said to open more than this fails, and what fails says it: a password is in none of it.
        server = {"host": "HOST", "hostaddr": "HOST", "port": "PORT", "user": "USER", "dbname": "DATABASE"}
        given = {server[name]: value for name, value in address.parameters.items() if name in server}
        if address.password is not None:
            given["PASSWORD"] = address.password
        named = "".join(f", {name} {_quoted(value)}" for name, value in given.items())
        connection.execute(f"CREATE SECRET driftline_pg (TYPE postgres{named})")
        if bucket:
            connection.execute(_bucket_secret())
        more = " ".join(f"{name}={_quoted(value)}" for name, value in address.parameters.items() if name not in server)
        connection.execute(
            f"CREATE SECRET driftline_lake (TYPE ducklake, METADATA_PATH {_quoted(more)}, DATA_PATH {_quoted(data)},"
            f" METADATA_SCHEMA {_quoted(METADATA)},"
            " METADATA_PARAMETERS MAP {'TYPE': 'postgres', 'SECRET': 'driftline_pg'})"
        )
        connection.execute("ATTACH 'ducklake:driftline_lake' AS lake (DATA_INLINING_ROW_LIMIT 0)")
        connection.execute(f"ATTACH {_quoted(more)} AS pg (TYPE postgres, SECRET driftline_pg)")
        # PostgreSQL has no text with a NUL.
        connection.execute("SET GLOBAL pg_null_byte_replacement = '\ufffd'")
        # Others commit all the time: what a commit waits for is theirs, some milliseconds.
        for name, value in (("max_retry_count", 200), ("retry_wait_ms", 20), ("retry_backoff", 1.05)):
            connection.execute(f"SET GLOBAL ducklake_{name} = {value}")
        # Nothing that reaches SQL may open a file: loaders read files themselves.
        connection.execute(f"SET allowed_directories = [{_quoted(data)}]")
        connection.execute("SET enable_external_access = false")
    except BaseException:
        connection.close()
        raise
    return connection


def data_of(catalogue: Catalogue) -> str | None:
    """Where a lake's files are; None where there is no lake yet."""
    if not catalogue.run(f"SELECT to_regclass('{METADATA}.ducklake_metadata') IS NOT NULL")[0][0]:
        return None
    rows = catalogue.run(f"SELECT value FROM {METADATA}.ducklake_metadata WHERE key = 'data_path'")  # noqa: S608
    return str(rows[0][0]) if rows else None


def extension(name: str) -> Path:
    """The file of a DuckDB extension, from the package that carries it.

    Raises:
        DriftlineError: It is not installed, or is of another DuckDB.
    """
    found = importlib.util.find_spec(f"duckdb_extension_{name}")
    places = list(found.submodule_search_locations or ()) if found else []
    for place in places:
        file = Path(place) / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
        if file.is_file():
            return file
    raise DriftlineError(f"A store like {EXAMPLE} needs DuckDB's {name}, of version {duckdb.__version__}: {INSTALL}.")


def _bucket_secret() -> str:
    """S3, as the variables of AWS say it."""
    env = os.environ
    given = {
        "KEY_ID": env.get("AWS_ACCESS_KEY_ID"),
        "SECRET": env.get("AWS_SECRET_ACCESS_KEY"),
        "SESSION_TOKEN": env.get("AWS_SESSION_TOKEN"),
        "REGION": env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION"),
    }
    endpoint = env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL")
    if endpoint:
        parts = urlsplit(endpoint)
        given |= {"ENDPOINT": parts.netloc, "URL_STYLE": "path", "USE_SSL": str(parts.scheme == "https").lower()}
    named = "".join(f", {name} {_quoted(value)}" for name, value in given.items() if value)
    return f"CREATE SECRET driftline_s3 (TYPE s3{named})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


NEWEST = "SELECT coalesce(max(batch), 0) FROM main.batches WHERE finished_at IS NOT NULL"
BYTES = f"SELECT coalesce(sum(file_size_bytes), 0) FROM {METADATA}.ducklake_data_file WHERE end_snapshot IS NULL"  # noqa: S608
SMALL_FILES = f"""
SELECT count(*) FROM {METADATA}.ducklake_data_file WHERE end_snapshot IS NULL AND file_size_bytes < %s
"""  # noqa: S608
