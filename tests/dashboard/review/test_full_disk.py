"""While the disk is full people are told so; what they were told is saved is there once, and it goes on with room."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from loaders.errors import DriftlineError
from loaders.ingest import ingest
from loaders.store import Store, embedded
from tests.log_files import write_log
from tests.writing_people import Person, Told, halves, lost_and_twice, reviewed_store

SIZE = 24_000_000

pytestmark = pytest.mark.slow


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of some megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder], capture_output=True)
    if made.returncode:
        pytest.skip("only the system's administrator can make a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def fill(disk: Path, left: int) -> Path:
    """Leave so many bytes on a disk; gives what is to be removed to make room again."""
    there = os.statvfs(disk)
    ballast = disk / "ballast"
    ballast.write_bytes(b"x" * max(0, there.f_bavail * there.f_frsize - left))
    return ballast


def refused(write: Callable[[int], None], number: int) -> str:
    """What whoever writes is told, "" where it is saved."""
    try:
        write(number)
    except (DriftlineError, duckdb.Error) as error:
        return str(error)
    return ""


@pytest.mark.parametrize("threshold", ["128MB", "300KB"])
def test_people_write_on_a_full_disk(disk: Path, threshold: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the low threshold, what fills the disk is gathering rows in blocks: DuckDB gives the whole file up then."""
    monkeypatch.setattr(embedded, "WAL_SIZE", threshold)
    path = disk / "store.duckdb"
    reviewed_store(path)
    opened = Store.open(path)
    kinds = Person(opened, 15_000).kinds()
    told: list[Told] = []
    number = 0
    for left in (300_000, 900_000):
        ballast = fill(disk, left)
        said: dict[str, str] = {}
        while len(said) < len(kinds):
            number += 1
            for kind, write in kinds.items():
                if why := refused(write, number):
                    said[kind] = why
                else:
                    told.append((kind, number))
        assert lost_and_twice(opened, told) == ([], [])  # pages go on to show it
        assert said.pop("reply")  # which the engine keeps, and saves when it can
        full = "It can't be saved, and so it was not done: the disk that the store is on is full. Make room on it"
        assert all(why.startswith(full) for why in said.values()), said
        ballast.unlink()
        number += 1
        assert not [kind for kind, write in kinds.items() if refused(write, number)]
        told += [(kind, number) for kind in kinds]
    assert halves(opened) == {}
    opened.close()
    again = Store.open(path)
    assert (lost_and_twice(again, told), halves(again)) == (([], []), {})
    again.close()


def test_a_store_that_can_not_be_made_or_opened_for_lack_of_room_says_so(disk: Path) -> None:
    ballast = fill(disk, 300_000)
    with pytest.raises(DriftlineError, match="No space left"):
        Store.open(disk / "store.duckdb")
    ballast.unlink()
    write_log(disk / "logs/r/checkpoint-1/log.eval", [1, 0])
    opened = Store.open(disk / "store.duckdb")
    assert ingest([disk / "logs"], opened).ingested == 1
    opened.close()
