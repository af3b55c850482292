"""Stores in a real PostgreSQL, which these tests start."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loaders.store import Store
from tests import lakes

WORKER = """
import sys
from pathlib import Path
from loaders import ingest
from loaders.store import Store

store, folder, hold = Store.of_lake(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
ingest.MOST_FILES = 1

def progress(done, total, path):
    if done == hold:
        print("holds", flush=True)
        sys.stdin.readline()

report = ingest.ingest([folder], store, progress=progress)
print(report.batch, report.ingested, flush=True)
"""
"""Ingests a folder; with so many files written it stops, until it is told to go on."""


class Worker:
    """A process that ingests."""

    def __init__(self, address: str, folder: Path, hold: int) -> None:
        command = [sys.executable, "-c", WORKER, address, str(folder), str(hold)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def holds(self) -> None:
        """Wait until it stops in the middle."""
        assert self.process.stdout
        assert self.process.stdout.readline() == "holds\n"

    def goes_on(self) -> tuple[int, int]:
        """Let it come to its end: its batch, and how many files it took in."""
        said, complained = self.process.communicate("\n", timeout=120)
        assert self.process.returncode == 0, complained
        batch, ingested = said.split()[-2:]
        return int(batch), int(ingested)

    def fails(self) -> str:
        """Let it go on to where it fails: what it says."""
        complained = self.process.communicate("\n", timeout=120)[1]
        assert self.process.returncode
        return complained.splitlines()[-1]

    def is_killed(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def address() -> str:
    """Of a new store."""
    return lakes.server().address()


@pytest.fixture
def store(address: str) -> Iterator[Store]:
    opened = Store.of_lake(address)
    yield opened
    opened.close()


@pytest.fixture
def worker(address: str) -> Iterator[Callable[..., Worker]]:
    """Starts workers on the store; `hold=N` stops one when it has written N files."""
    started: list[Worker] = []

    def start(folder: Path, hold: int = -1) -> Worker:
        started.append(Worker(address, folder, hold))
        return started[-1]

    yield start
    for one in started:
        one.is_killed()
