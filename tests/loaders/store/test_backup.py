"""Backups: everything of a store, verified, and nothing overwritten without a word."""

from __future__ import annotations

import stat
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pytest

from loaders.errors import DriftlineError, StoreBusy
from loaders.store import Store, restore
from loaders.store.backup import PART
from loaders.store.schema import VERSION
from tests.loaders.store.test_compact import content


def written(path: Path, text: str) -> Store:
    """A store with a comment of someone's in it."""
    store = Store.open(path)
    with store.transaction() as cursor:
        cursor.execute("INSERT INTO comments (comment_id, thread_id, author, text) VALUES ('c', 't', 'ann', ?)", [text])
    return store


def comments(path: Path) -> list[tuple[str]]:
    store = Store.open(path)
    with store.cursor() as cursor:
        found = cursor.execute("SELECT text FROM comments ORDER BY ALL").fetchall()
    store.close()
    return found


@pytest.mark.slow
def test_a_backup_holds_everything_and_comes_back(tmp_path: Path) -> None:
    path, file = tmp_path / "store.duckdb", tmp_path / "sub" / "kept"
    store = written(path, "first")
    held = store.backup(file)
    assert {one.table: one.rows for one in held}["comments"] == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with store.transaction() as cursor:  # it is in use again
        cursor.execute("INSERT INTO comments (comment_id, text) VALUES ('d', 'later')")
    with pytest.raises(DriftlineError, match="is there already"):
        store.backup(file)
    with pytest.raises(DriftlineError, match="never the store itself"):
        store.backup(path, replace=True)
    store.close()
    with pytest.raises(DriftlineError, match="--replace sets it aside"):
        restore(file, path, replace=False)
    again, aside = restore(file, path, replace=True)
    assert again == held
    assert content(path) == content(file)
    assert comments(path) == [("first",)]
    assert aside is not None
    assert comments(aside) == [("first",), ("later",)]
    assert restore(file, tmp_path / "new.duckdb", replace=False) == (held, None)
    assert not list(tmp_path.rglob(f"*{PART}"))


@pytest.mark.slow
def test_what_is_no_whole_backup_is_refused_and_the_store_stays(tmp_path: Path) -> None:
    path, file = tmp_path / "store.duckdb", tmp_path / "kept"
    store = written(path, "x" * 300_000)
    store.backup(file)
    store.close()
    sound = file.read_bytes()
    for harmed in (b"no database", sound[: len(sound) // 2], bytes(byte ^ 255 for byte in sound)):
        file.write_bytes(harmed)
        with pytest.raises(DriftlineError):
            restore(file, path, replace=True)
    file.write_bytes(sound)
    with duckdb.connect(str(file)) as connection:
        connection.execute("INSERT INTO schema_version VALUES (?, NULL)", [VERSION + 1])
    with pytest.raises(DriftlineError, match="update it"):
        restore(file, path, replace=True)
    assert comments(path) == [("x" * 300_000,)]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["kept", "store.duckdb"]


@pytest.mark.slow
def test_where_there_is_no_room_nothing_is_left_behind(tmp_path: Path) -> None:
    written(tmp_path / "store.duckdb", "first").close()
    code = (
        "import resource, sys; from pathlib import Path; from loaders.store import Store;"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, {2**62}));"
        "Store.open(sys.argv[1]).backup(Path(sys.argv[2]))"
    ).replace(str(2**62), "resource.RLIM_INFINITY")
    command = [sys.executable, "-c", code, str(tmp_path / "store.duckdb"), str(tmp_path / "kept")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "can't be copied" in done.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["store.duckdb"]
    assert comments(tmp_path / "store.duckdb") == [("first",)]


def test_readers_keep_a_backup_waiting_and_it_says_so(tmp_path: Path) -> None:
    store = written(tmp_path / "store.duckdb", "first")
    reading, done = threading.Event(), threading.Event()

    def read() -> None:
        with store.cursor():
            reading.set()
            done.wait()

    reader = threading.Thread(target=read)
    reader.start()
    reading.wait()
    with pytest.raises(StoreBusy, match="can't be backed up now"):
        store.backup(tmp_path / "kept", patience=0.05)
    done.set()
    reader.join()
    assert store.backup(tmp_path / "kept")
    store.close()


@pytest.mark.slow
def test_a_store_that_is_open_elsewhere_is_not_replaced(tmp_path: Path) -> None:
    path, file = tmp_path / "store.duckdb", tmp_path / "kept"
    store = written(path, "first")
    store.backup(file)
    store.close()
    code = "import sys, duckdb; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "open\n"
    with pytest.raises(StoreBusy, match="open in another process"):
        restore(file, path, replace=True)
    holder.communicate("")
    assert comments(path) == [("first",)]
