"""What is written last to a store, after a process was killed or its write-ahead log came to harm."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from loaders.store import Store
from loaders.store.compact import log_of
from tests.loaders.store.test_backup import comments, written
from tests.loaders.store.test_compact import content
from tests.loaders.store.test_schema import older


def killed_while_written(tmp_path: Path) -> Path:
    """A store as a killed process leaves it: a comment in the file, one more in its write-ahead log."""
    open_store = written(tmp_path / "open.duckdb", "first")
    with open_store.cursor() as cursor:
        cursor.execute("CHECKPOINT")
        cursor.execute("INSERT INTO comments (comment_id, text) VALUES ('d', 'last')")
    path = tmp_path / "store.duckdb"
    shutil.copy(tmp_path / "open.duckdb", path)
    shutil.copy(log_of(tmp_path / "open.duckdb"), log_of(path))
    open_store.close()
    return path


def test_a_log_that_can_not_be_played_back_is_set_aside_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = killed_while_written(tmp_path)
    log = bytearray(log_of(path).read_bytes())
    log[len(log) // 2] ^= 255
    log_of(path).write_bytes(log)
    assert comments(path) == [("first",)]
    (aside,) = tmp_path.glob("store.duckdb.wal.unreadable-*")
    assert aside.read_bytes() == log
    assert str(aside) in caplog.text
    caplog.clear()
    assert comments(path) == [("first",)]
    assert not caplog.text


def test_a_log_that_was_cut_off_loses_only_what_was_not_finished(tmp_path: Path) -> None:
    path = killed_while_written(tmp_path)
    whole = comments(shutil.copy(path, tmp_path / "alone.duckdb"))
    assert whole == [("first",)]
    log = log_of(path).read_bytes()
    log_of(path).write_bytes(log[:-3])
    assert comments(path) == [("first",)]
    assert not list(tmp_path.glob("*.unreadable-*"))


@pytest.mark.slow
def test_a_changed_schema_does_not_stay_in_the_log(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    older(path, 8, {"views_version"})
    store = Store.open(path)
    shutil.copy(path, tmp_path / "file.duckdb")  # without its log, as long as the store is open
    store.close()
    assert content(tmp_path / "file.duckdb") == content(path)


MIGRATE = "import sys; from loaders.store import Store; print('now', flush=True); Store.open(sys.argv[1])"


@pytest.mark.slow
def test_killed_within_a_migration_the_store_is_migrated_by_the_next(tmp_path: Path) -> None:
    before, whole = tmp_path / "before.duckdb", tmp_path / "whole.duckdb"
    older(before, 8, {"views_version"})
    shutil.copy(before, whole)
    started = time.monotonic()
    Store.open(whole).close()
    seconds = time.monotonic() - started
    expected = content(whole)
    expected.pop("schema_version")  # holds the time
    rng = random.Random(8)
    for at in range(6):
        path = tmp_path / f"{at}.duckdb"
        shutil.copy(before, path)
        process = subprocess.Popen([sys.executable, "-c", MIGRATE, str(path)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(rng.random() * seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()
        Store.open(path).close()
        found = content(path)
        versions = found.pop("schema_version")
        assert found == expected
        assert isinstance(versions, list)
        assert len(versions) == 2
