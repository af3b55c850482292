"""Notes by which a running `driftline serve` tells the dashboards of the same user of its servers.

A note holds the server's key, so it lies in a folder that nobody else may enter, is readable by its owner alone, and
only such a note is believed. It goes when the server ends; one left behind by a process that was killed is ignored.
"""

from __future__ import annotations

import glob
import os
import re
import secrets
import socket
import stat
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import platformdirs
from msgspec import Struct
from msgspec.structs import replace

from dashboard.probe.asked import ProtocolName
from dashboard.probe.endpoints import Declared, Endpoint, Match
from dashboard.probe.protocols import USUAL

KEY_PREFIX = "driftline serve "
"""Begins the names under which keys of notes are looked up: no environment variable has such a name."""
LARGEST = 1_000_000
LOOPBACK = "127.0.0.1"


class Note(Struct, frozen=True, kw_only=True):
    """A server that `driftline serve` runs.

    Attributes:
        id: Tells it from every other that ever was.
        url: Its base address, with /v1.
        pid: Of the `driftline serve` that runs it, and `started` when that began, as its system counts.
        models: The checkpoint that each model is; None for a base that none of the checkpoints is.
        in_flight: Requests that it answers at the same time.
    """

    id: str
    name: str
    protocol: ProtocolName = USUAL.name
    url: str
    key: str
    pid: int
    started: str | None = None
    host: str
    engine: str
    models: dict[str, str | None]
    in_flight: int = 8

    def __repr__(self) -> str:
        """Without the key: a note may end in a log."""
        return f"Note(id={self.id!r}, name={self.name!r}, url={self.url!r}, models={list(self.models)!r})"


def folder() -> Path:
    """Where notes lie."""
    return platformdirs.user_state_path("driftline", appauthor=False) / "serving"


def private_folder(path: Path) -> Path:
    """A folder that nobody but this user may enter; made where it is not there.

    Raises:
        PermissionError: It is somebody else's, or open to others and can't be closed.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.name == "posix":
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise PermissionError(f"{path} is not a folder of this user")
        if stat.S_IMODE(found.st_mode) & 0o077:
            path.chmod(0o700)
    return path


def note(name: str, url: str, key: str, engine: str, models: Mapping[str, str | None], in_flight: int) -> Note:
    """The note of a server that this process runs."""
    pid = os.getpid()
    return Note(
        id=secrets.token_hex(8), name=name, url=url, key=key, pid=pid, started=_started(pid),
        host=socket.gethostname(), engine=engine, models=dict(models), in_flight=in_flight,
    )  # fmt: skip


def leave(one: Note) -> Path:
    """Put a note where dashboards look; returns its path."""
    path = private_folder(folder()) / f"{one.id}.json"
    part = path.with_suffix(".part")
    # Created with its final mode: there is no moment at which others could read the key.
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(one))
    part.replace(path)
    return path


def remove(one: Note) -> None:
    """Take a note away."""
    (folder() / f"{one.id}.json").unlink(missing_ok=True)


def served() -> list[Note]:
    """The servers that run now, oldest first; those left behind by dead processes are none, and are cleared away."""
    try:
        paths = sorted(folder().glob("*.json"), key=lambda path: path.lstat().st_mtime_ns)
    except OSError:
        return []
    found = []
    for path in paths:
        one = _believed(path)
        if one is None or one.host != socket.gethostname():
            continue  # a home folder may be shared by computers: loopback is another place there
        if _runs(one):
            found.append(one)
        else:
            path.unlink(missing_ok=True)
    return found


def joined(declared: Declared, notes: Sequence[Note]) -> Declared:
    """What is declared, and the servers of the notes: an endpoint each, matched to their checkpoints.

    The keys are not in it: `key_of` finds them under the names that the endpoints give.
    """
    taken = {endpoint.name for endpoint in declared.endpoints}
    endpoints, matches = list(declared.endpoints), list(declared.matches)
    for one in notes:
        name = _free(one.name, taken)
        taken.add(name)
        endpoints.append(
            Endpoint(
                name,
                one.protocol,
                one.url,
                key=KEY_PREFIX + one.id,
                models=tuple(map(glob.escape, one.models)),
                in_flight=max(1, one.in_flight),
            )
        )
        matches += [Match(model, checkpoint, name) for model, checkpoint in one.models.items() if checkpoint]
    return replace(declared, endpoints=tuple(endpoints), matches=tuple(matches))


def key_of(name: str) -> str | None:
    """The key of a server that runs, by the name that its endpoint gives for it; None for any other name."""
    if not name.startswith(KEY_PREFIX):
        return None
    wanted = name.removeprefix(KEY_PREFIX)
    if not re.fullmatch(r"[0-9a-f]{16}", wanted):
        return None
    one = _believed(folder() / f"{wanted}.json")
    return one.key if one is not None and _runs(one) else None


def _free(name: str, taken: set[str]) -> str:
    number = 2
    free = name
    while free in taken:
        free = f"{name} {number}"
        number += 1
    return free


def _believed(path: Path) -> Note | None:
    """A note of this user's own, readable by nobody else, of a server on loopback; None for anything else."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode) or about.st_size > LARGEST:
            return None
        if os.name == "posix" and (about.st_uid != os.getuid() or stat.S_IMODE(about.st_mode) & 0o077):
            return None
        try:
            one = msgspec.json.decode(file.read(), type=Note)
            address = urlsplit(one.url)
            port = address.port
        except (msgspec.DecodeError, OSError, ValueError):
            return None
    sound = address.scheme == "http" and address.hostname == LOOPBACK and port and address.username is None
    return one if sound and path.stem == one.id else None


def _runs(one: Note) -> bool:
    """Whether the process of a note is still the one that left it."""
    if one.pid <= 0:
        return False
    if os.name == "posix":
        try:
            os.kill(one.pid, 0)
        except PermissionError:
            return False  # somebody else's process has the number now
        except OSError:
            return False
    return one.started is None or one.started == _started(one.pid)


def _started(pid: int) -> str | None:
    """When a process began, as its system counts; numbers of processes are used again. None where nothing tells it."""
    if sys.platform != "linux":
        return None
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[19].decode()
    except (OSError, IndexError):
        return None
