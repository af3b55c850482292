"""Running `driftline serve` in tests as a user would, and asking what it started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.driftline import COMMAND, ROOT, START_SECONDS, environment

FAKE = Path(__file__).with_name("fake_vllm.py")


def surroundings(home: Path, **more: str) -> dict[str, str]:
    """An environment with folders of the test's own, and without any server but the one that a test names."""
    return {
        **environment(home / "data"),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "DRIFTLINE_VLLM": str(FAKE),
        "DRIFTLINE_LLAMA": "",
        "FAKE_PIDS": str(home / "pids.json"),
        **more,
    }


@contextmanager
def serving(*words: str | Path, env: dict[str, str], seconds: float = START_SECONDS) -> Iterator[subprocess.Popen[str]]:
    """Run `driftline serve` until it says that it is found; ends it at the end, however the test went."""
    log = Path(env["XDG_STATE_HOME"]).parent / "serve.txt"
    with log.open("w") as output:
        process = subprocess.Popen(
            [*COMMAND, "serve", *map(str, words)], cwd=ROOT, env=env, stdout=output, stderr=output, text=True
        )
        try:
            wait(lambda: "finds them by" in log.read_text() or process.poll() is not None, seconds, log)
            assert process.poll() is None, f"ended with {process.returncode}:\n{log.read_text()}"
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(60)


def wait(holds: Callable[[], bool], seconds: float, log: Path | None = None) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds} s:\n{log.read_text() if log else ''}"
        time.sleep(0.05)


def notes_left(env: dict[str, str]) -> list[dict[str, Any]]:
    """The notes that lie there."""
    return [json.loads(p.read_text()) for p in Path(env["XDG_STATE_HOME"]).glob("driftline/serving/*.json")]


def alive(pid: int) -> bool:
    """Whether a process is there, and is not only waiting for its parent to look."""
    try:
        return b") Z" not in Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False


def below(pid: int) -> set[int]:
    """A process and all that it started, by now."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_bytes().rpartition(b")")[2].split()[1])
        except OSError:
            continue
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def words_of(pid: int) -> str:
    """The words of a process, as `ps` shows them to everybody."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def status_of(url: str, key: str | None = None) -> int:
    """The status with which a server answers a GET."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"} if key else {})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def kill(pid: int) -> None:
    """As `kill -9`."""
    os.kill(pid, signal.SIGKILL)
