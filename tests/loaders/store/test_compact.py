"""Compacting a store: smaller, the same to the last row, whatever happens in between."""

from __future__ import annotations

import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pytest

from loaders.errors import DriftlineError, StoreBusy
from loaders.ingest import ingest
from loaders.store import Store
from loaders.store.compact import BESIDE, WORTH, Blocks, blocks_of, is_wasteful
from tests.log_files import write_log

REWRITE = "import sys; from pathlib import Path; from loaders.store.compact import rewrite; rewrite(Path(sys.argv[1]))"


def content(path: Path) -> dict[str, object]:
    """Every table's rows, and the names of macros."""
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = [row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        found: dict[str, object] = {
            table: connection.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall() for table in tables
        }
        found["macros"] = connection.execute(
            "SELECT function_name FROM duckdb_functions() WHERE NOT internal ORDER BY ALL"
        ).fetchall()
    return found


def leave_free(cursor: duckdb.DuckDBPyConnection, size: int) -> None:
    """Leave so many bytes free in the middle of a store's file, as rows do that are written again and again."""
    columns = ", ".join(f"hash(range + {at}) AS c{at}" for at in range(10))
    cursor.execute(f"CREATE TABLE ballast AS SELECT {columns} FROM range({size // 80})")
    cursor.execute("CHECKPOINT")
    # More than fits into what was free before, so that it lies behind the ballast.
    cursor.execute("CREATE TABLE behind AS SELECT hash(range) AS one FROM range(200_000)")
    cursor.execute("CHECKPOINT")
    cursor.execute("DROP TABLE ballast")
    cursor.execute("CHECKPOINT")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of some logs."""
    folder = tmp_path_factory.mktemp("logs") / "study"
    for step in (100, 200, 300):
        write_log(folder / f"tiny/checkpoint-{step}/log.eval", [1, 0] * 20)
    return folder


@pytest.fixture(scope="module")
def made(study: Path) -> Path:
    """A store of them, with as much again that is free."""
    path = study.with_name("made.duckdb")
    store = Store.open(path)
    ingest([study], store)
    with store.cursor() as cursor:
        leave_free(cursor, 12_000_000)
    store.close()
    return path


@pytest.fixture
def path(made: Path, tmp_path: Path) -> Path:
    """That store, for one test alone."""
    return shutil.copy(made, tmp_path / "it's a store.duckdb")


@pytest.mark.slow
def test_a_compacted_store_is_smaller_and_the_same(path: Path, study: Path) -> None:
    before, size = content(path), path.stat().st_size
    path.chmod(0o640)
    store = Store.open(path)
    done = store.compact()
    assert done is not None
    with store.cursor() as cursor:
        assert blocks_of(cursor).free <= blocks_of(cursor).used
    assert ingest([study], store).ingested == 0, "the files are known as before"
    store.close()
    assert (done.before, done.after) == (size, path.stat().st_size)
    assert done.after < size / 2
    assert path.stat().st_mode & 0o777 == 0o640
    assert content(path) == before
    assert [file.name for file in path.parent.iterdir() if file.is_file()] == [path.name]


@pytest.mark.slow
def test_a_store_of_an_older_format_comes_to_that_of_new_ones(path: Path, tmp_path: Path) -> None:
    old = tmp_path / "old.duckdb"
    with duckdb.connect(":memory:") as connection:
        shutil.copy(path, tmp_path / "plain.duckdb")
        connection.execute(f"ATTACH '{tmp_path}/plain.duckdb' AS store")
        connection.execute(f"ATTACH '{old}' AS old (STORAGE_VERSION 'v1.0.0')")
        connection.execute("COPY FROM DATABASE store TO old")
    before = content(old)
    store = Store.open(old)
    store.compact()
    with store.cursor() as cursor:
        tags = cursor.execute("SELECT tags FROM duckdb_databases() WHERE database_name = 'old'").fetchall()[0][0]
    store.close()
    assert tags["storage_version"].startswith("v1.5")
    assert content(old) == before


@pytest.mark.slow
def test_killed_at_any_moment_the_store_is_whole(path: Path) -> None:
    before = content(path)
    started = time.monotonic()
    copy = path.with_name("copy.duckdb")
    shutil.copy(path, copy)
    subprocess.run([sys.executable, "-c", REWRITE, str(copy)], check=True)
    whole = time.monotonic() - started
    beside = path.with_name(path.name + BESIDE)
    interrupted = 0
    for part in (0.4, 0.7, 0.8, 0.9):
        process = subprocess.Popen([sys.executable, "-c", REWRITE, str(path)])
        time.sleep(whole * part)
        process.send_signal(signal.SIGKILL)
        interrupted += process.wait() == -signal.SIGKILL
        assert content(path) == before
    assert interrupted
    subprocess.run([sys.executable, "-c", REWRITE, str(path)], check=True)
    assert content(path) == before
    assert not beside.exists()


@pytest.mark.slow
def test_where_the_disk_is_full_the_store_stays_as_it_is(path: Path) -> None:
    before = path.read_bytes()
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, {resource.RLIM_INFINITY})); "
    done = subprocess.run([sys.executable, "-c", limited + REWRITE, str(path)], capture_output=True, text=True)
    assert "can't be compacted" in done.stderr
    assert "It is as it was" in done.stderr
    assert path.read_bytes() == before
    assert not path.with_name(path.name + BESIDE).exists()


def test_readers_finish_before_and_those_who_come_wait(path: Path) -> None:
    store = Store.open(path)
    reading, done, seen = threading.Event(), threading.Event(), []

    def read_long() -> None:
        with store.cursor() as cursor:
            reading.set()
            done.wait(10)
            seen.append(cursor.execute("SELECT count(*) FROM evals").fetchall()[0][0])

    reader = threading.Thread(target=read_long)
    reader.start()
    reading.wait(10)
    with pytest.raises(StoreBusy, match="is being read"):
        store.compact(patience=0.1)
    with store.cursor() as cursor:  # whoever was refused leaves everything open
        assert cursor.execute("SELECT count(*) FROM evals").fetchall() == [(3,)]
    compacting = threading.Thread(target=store.compact)
    compacting.start()
    done.set()
    reader.join()
    with store.cursor() as cursor:
        seen.append(cursor.execute("SELECT count(*) FROM evals").fetchall()[0][0])
    compacting.join()
    store.close()
    assert seen == [3, 3]


@pytest.mark.slow
def test_an_ingest_compacts_by_itself_what_is_mostly_free(study: Path, tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    store = Store.open(path)
    with store.cursor() as cursor:
        leave_free(cursor, 6 * WORTH)
        assert is_wasteful(blocks_of(cursor))
    wasteful = path.stat().st_size
    ingest([study], store)
    assert path.stat().st_size < wasteful / 4
    with store.cursor() as cursor:
        assert cursor.execute("SELECT count(*) FROM live_evals(1)").fetchall() == [(3,)]
    store.close()


@pytest.mark.parametrize(
    ("used", "free", "wasteful"),
    [(10 * WORTH, 9 * WORTH, False), (WORTH, 2 * WORTH, True), (1, WORTH, False), (1, WORTH + 1, True)],
)
def test_little_that_is_free_is_left_for_what_comes(used: int, free: int, wasteful: bool) -> None:
    assert is_wasteful(Blocks(used, free)) == wasteful


def test_a_store_in_memory_has_nothing_to_compact() -> None:
    assert Store.open(":memory:").compact() is None


def test_a_file_that_is_no_store_is_left_alone(tmp_path: Path) -> None:
    odd = tmp_path / "odd.duckdb"
    odd.write_bytes(b"no store" * 1000)
    done = subprocess.run([sys.executable, "-c", REWRITE, str(odd)], capture_output=True, text=True)
    assert DriftlineError.__name__ in done.stderr
    assert odd.read_bytes() == b"no store" * 1000
