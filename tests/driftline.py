"""Running the real command in tests, as a user would.

A process of its own costs a second or two of imports: what a command prints is asked in this one, and processes are for
what only they can show (signals, two at once, a store that another holds, how one begins).
"""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from dashboard.cli import main

COMMAND = [sys.executable, "-m", "dashboard.cli"]
ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 180


def environment(data: Path) -> dict[str, str]:
    """The environment, with a user's folders of the test's own: no store, endpoint or served model from elsewhere."""
    folders = {"XDG_STATE_HOME": str(data / "state"), "XDG_CONFIG_HOME": str(data / "config")}
    return {**os.environ, **folders, "XDG_DATA_HOME": str(data), "DRIFTLINE_STORE": "", "COLUMNS": "300"}


def driftline(
    *arguments: str | Path, data: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, in this process.

    Args:
        arguments: Of the command.
        data: The user's data folder.
        env: Variables besides those of `environment`.
    """
    words = list(map(str, arguments))
    said, complained = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said), redirect_stderr(complained):
        for name, value in (environment(data) | dict(env or {})).items():
            patch.setenv(name, value)
        patch.chdir(ROOT)
        try:
            status = main(words)
        except SystemExit as end:  # of the parser: help and wrong usage
            status = int(end.code or 0)
    return subprocess.CompletedProcess(words, status, said.getvalue(), complained.getvalue())


def driftline_process(*arguments: str | Path, data: Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, in a process of its own."""
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, env=environment(data), capture_output=True, text=True, timeout=timeout, check=False
    )


@contextmanager
def viewing(
    *arguments: str | Path,
    data: Path,
    said: list[str] | None = None,
    env: Mapping[str, str] | None = None,
    port: int = 0,
    host: str = "127.0.0.1",
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run `driftline view` on a free port; gives the address once it serves, and ends it at the end.

    Args:
        arguments: Of the command.
        data: The user's data folder.
        said: Filled with the lines that it prints.
        env: Variables besides those of `environment`.
        port: Of the dashboard; 0 for a free one.
        host: What it says that it is at.
    """
    command = [*COMMAND, "view", *map(str, arguments), "--no-browser", "--port", str(port)]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(data) | dict(env or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    said = [] if said is None else said
    address: list[str] = []
    ready = threading.Event()

    def read() -> None:
        assert process.stdout
        for line in process.stdout:
            said.append(line)
            if found := re.search(rf"http://{re.escape(host)}:\d+", line):
                address.append(found[0])
                ready.set()
        ready.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        assert ready.wait(START_SECONDS), f"not serving after {START_SECONDS} s:\n{''.join(said)}"
        assert address, f"ended with {process.wait()}:\n{''.join(said)}"
        yield address[0], process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(5)
