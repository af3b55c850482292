"""Whatever people were told to be saved is there after `kill -9`, once, and whole."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from loaders.store import Store
from tests.driftline import ROOT
from tests.writing_people import Told, halves, lost_and_twice, reviewed_store

TIMES = int(os.environ.get("DRIFTLINE_KILLS", "2"))
"""How often the process is killed; a number that is set takes as many runs of a second or two."""


KINDS = {"note", "view", "verdict", "reply", "log"}


def told_until_killed(path: Path, logs: Path, seed: int, seconds: float, first: set[str]) -> list[Told]:
    """What people were told by a process that is killed so many seconds after it began to write.

    Args:
        first: Kinds of which one must have been written before.
    """
    command = [sys.executable, "-m", "tests.writing_people", str(path), str(logs), str(seed)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = [process.stdout.readline()]
    while first - {kind for kind, _ in map(json.loads, lines)}:
        lines.append(process.stdout.readline())
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    lines += [line for line in process.stdout if line.endswith("\n")]
    assert process.wait() == -signal.SIGKILL
    return [(kind, number) for kind, number in map(json.loads, lines) if kind in KINDS]


@pytest.mark.slow
def test_a_killed_dashboard_lost_nothing_of_what_people_were_told(tmp_path: Path) -> None:
    path, logs = tmp_path / "store.duckdb", tmp_path / "logs"
    logs.mkdir()
    reviewed_store(path)
    rng = random.Random(int(os.environ.get("DRIFTLINE_SEED", "1")))
    told: list[Told] = []
    for seed in range(TIMES):
        told += told_until_killed(path, logs, seed, 2 * rng.random(), set() if seed else KINDS)
        store = Store.open(path)
        assert lost_and_twice(store, told) == ([], [])
        assert halves(store) == {}
        store.close()
    assert not list(tmp_path.glob("*.unreadable-*"))
