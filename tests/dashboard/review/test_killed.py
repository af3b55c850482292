"""Whatever people were told to be saved is there after `kill -9`, once, and whole."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loaders.store import Store
from tests.driftline import ROOT
from tests.writing_people import Told, halves, lost_and_twice, reviewed_store

TIMES = int(os.environ.get("DRIFTLINE_KILLS", "2"))
"""How often the process is killed; a number that is set takes as many runs of a second or two."""


def told_until_killed(path: Path, logs: Path, seed: int, seconds: float) -> Iterator[Told]:
    """What people were told by a process that is killed so many seconds after it began to write."""
    command = [sys.executable, "-m", "tests.writing_people", str(path), str(logs), str(seed)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    begun = process.stdout.readline()
    assert "begun" in begun or "[" in begun, "it did not begin"
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    for line in [begun, *process.stdout]:
        if line.endswith("\n"):
            kind, number = json.loads(line)
            yield kind, number
    assert process.wait() == -signal.SIGKILL


@pytest.mark.slow
def test_a_killed_dashboard_lost_nothing_of_what_people_were_told(tmp_path: Path) -> None:
    path, logs = tmp_path / "store.duckdb", tmp_path / "logs"
    logs.mkdir()
    reviewed_store(path)
    rng = random.Random(int(os.environ.get("DRIFTLINE_SEED", "1")))
    told: list[Told] = []
    for seed in range(TIMES):
        told += [
            one
            for one in told_until_killed(path, logs, seed, 0.2 + 2 * rng.random())
            if one[0] not in ("begun", "compaction")
        ]
        store = Store.open(path)
        assert lost_and_twice(store, told) == ([], [])
        assert halves(store) == {}
        store.close()
    assert {kind for kind, _ in told} == {"note", "view", "verdict", "reply", "log"}
    assert not list(tmp_path.glob("*.unreadable-*"))
