"""A server as a process of its own: started, waited for, and ended with all that it started."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from dashboard.serving.notes import private_folder
from dashboard.serving.phases import phase, why
from dashboard.serving.start import BESIDE, HOST, Start
from loaders.errors import DriftlineError

LOGS_KEPT = 60
"""More than servers that one command starts: the log of one that runs must stay."""
LOOK_SECONDS = 0.25
END_SECONDS = 25.0
"""The guard gives a server 15 s to end by itself."""

Tell = Callable[[str, float], None]
"""Told what the server is doing, and for how many seconds it has been loading."""


@dataclass
class Running:
    """A server that was started.

    Attributes:
        guard: Runs the server; its standard input is what keeps it running.
        log: What the server prints.
    """

    guard: subprocess.Popen[bytes]
    log: Path
    port: int
    key: str = field(repr=False)
    began: float = field(default_factory=time.monotonic)

    @property
    def url(self) -> str:
        """Its base address, as the OpenAI protocol has it."""
        return f"http://{HOST}:{self.port}/v1"

    def ended(self) -> str | None:
        """Why it is not running any more, with the last it said; None while it runs."""
        status = self.guard.poll()
        if status is None:
            return None
        how = f"signal {-status}" if status < 0 else f"status {status}"
        last = why(self.log.read_text(encoding="utf-8", errors="replace").splitlines())
        return f"It ended with {how}. It said:\n{last}\nAll of it: {self.log}"

    def stop(self) -> None:
        """End it, and wait until it is gone."""
        if self.guard.stdin:
            self.guard.stdin.close()
        try:
            self.guard.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.guard.terminate()
            self.guard.wait()


def free_port(wanted: int | None) -> int:
    """A port on loopback to serve on: the one that is wanted, else any.

    Raises:
        DriftlineError: The wanted port is taken, or is none.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted or 0))
        except (OSError, OverflowError) as error:
            raise DriftlineError(f"Port {wanted} is in use, or may not be used. Choose another: --port N.") from error
        return int(probe.getsockname()[1])


def launch(start: Start, port: int, name: str, logs: Path) -> Running:
    """Start a server, with a key of its own.

    Args:
        name: For its log's name.
        logs: The folder of logs; the oldest of them go.

    Raises:
        DriftlineError: The folder of logs can't be used.
    """
    key = secrets.token_urlsafe(32)
    environment = start.defaults | {name: value for name, value in os.environ.items() if name not in start.dropped}
    added = {name: value.replace("{key}", key) for name, value in start.environment.items()}
    if "PYTHONPATH" in added and environment.get("PYTHONPATH"):
        added["PYTHONPATH"] += os.pathsep + environment["PYTHONPATH"]
    log = logs / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}-{port}.log"
    with _log_file(log) as output:
        guard = subprocess.Popen(  # noqa: S603 - the words are a list, and no shell reads them
            [sys.executable, "-I", str(BESIDE / "guard.py"), *start.words],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env={**environment, **added},
            start_new_session=True,  # Ctrl+C in the terminal reaches driftline alone, which ends the server in order
        )
    return Running(guard, log, port, key)


def wait_ready(running: Running, models: Sequence[str], tell: Tell, health: str | None) -> float:
    """Wait until a server answers with all its models; returns the seconds that it took.

    Args:
        health: The path that says whether it is ready, asked without the key; None where it has none.

    Raises:
        DriftlineError: It died; the message has the last that it said.
    """
    reading = running.log.open("rb")
    said = "starting"
    with reading:
        while True:
            said = _latest_phase(reading) or said
            tell(said, time.monotonic() - running.began)
            if ended := running.ended():
                raise DriftlineError(f"The server did not come up. {ended}")
            if (health is None or _get(running.port, health) is not None) and _lists(running, models):
                return time.monotonic() - running.began
            time.sleep(LOOK_SECONDS)


def _latest_phase(reading: BinaryIO) -> str | None:
    lines = reading.read().decode("utf-8", "replace").splitlines()
    return next((told for line in reversed(lines) if (told := phase(line))), None)


def _lists(running: Running, models: Sequence[str]) -> bool:
    body = _get(running.port, "/v1/models", running.key)
    try:
        listed = {model["id"] for model in json.loads(body or b"{}").get("data", ())}
    except (ValueError, TypeError, KeyError, AttributeError):
        return False
    return listed.issuperset(models)


def _get(port: int, path: str, key: str | None = None) -> bytes | None:
    """The body of an answer with status 200; None for anything else."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {key}"} if key else {})
        response = connection.getresponse()
        body = response.read(4_000_000)
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return body if response.status == 200 else None


def _log_file(path: Path) -> BinaryIO:
    try:
        folder = private_folder(path.parent)
        for old in sorted(folder.glob("*.log"), key=lambda file: file.stat().st_mtime)[: -LOGS_KEPT or None]:
            old.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    except OSError as error:
        raise DriftlineError(f"The server's log can't be written: {path}: {error.strerror or error}.") from error
    return os.fdopen(descriptor, "ab")
