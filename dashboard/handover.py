"""One process owns a store at a time; other commands hand their work to it where it listens.

The owner (a running dashboard) leaves a note beside the store with its address and a token, readable by its user alone.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from loaders.errors import DriftlineError

PREFIX = "/api/driftline"
HOST = "127.0.0.1"
ANSWER_SECONDS = 3.0
"""How long a living dashboard may take to say that it is there."""


class Owner(Struct):
    """Who owns a store, and how to reach them.

    Attributes:
        pid: Of the process.
        host, port: Where this computer reaches it.
        url: Where browsers open it.
        token: What its routes ask for.
    """

    pid: int
    host: str
    port: int
    url: str
    token: str


class Refused(DriftlineError):
    """The dashboard that owns the store could not do what it was handed."""


def note_path(store: Path) -> Path:
    """Where the owner of a store leaves its note."""
    return store.with_name(store.name + ".owner")


def reached_at(bound: str) -> str:
    """The address at which this computer reaches what is bound to an address: loopback, where that is every address."""
    return {"0.0.0.0": HOST, "::": "::1"}.get(bound, bound)  # noqa: S104 - told apart, not bound


def leave_note(store: Path, host: str, port: int, url: str) -> Owner:
    """Say that this process owns `store`, which address and port it is bound to, and where browsers open it."""
    owner = Owner(os.getpid(), reached_at(host), port, url, secrets.token_urlsafe(32))
    path = note_path(store)
    path.unlink(missing_ok=True)
    # Created with its final mode: there is no moment at which others could read the token.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(owner))
    return owner


def remove_note(store: Path, owner: Owner) -> None:
    """Take the note away, if it is still this owner's."""
    if read_note(store) == owner:
        note_path(store).unlink(missing_ok=True)


def read_note(store: Path) -> Owner | None:
    """The note beside a store; None where there is none, or none that can be read."""
    try:
        return msgspec.json.decode(note_path(store).read_bytes(), type=Owner)
    except (OSError, msgspec.DecodeError):
        return None


def find_owner(store: Path) -> Owner | None:
    """The dashboard that owns a store and answers; None where the note is missing or left behind by a dead process."""
    owner = read_note(store)
    if owner is None:
        return None
    connection = http.client.HTTPConnection(owner.host, owner.port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", f"{PREFIX}/owner", headers=_headers(owner))
        response = connection.getresponse()
        body = response.read()
        if response.status == 200 and json.loads(body).get("store") == str(store):
            return owner
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return None


def hand_over(owner: Owner, command: str, arguments: dict[str, Any]) -> bytes:
    """Have the owner do a command; returns what it answers.

    Raises:
        Refused: With the owner's own message.
    """
    return b"".join(_ask(owner, command, arguments))


def hand_over_lines(owner: Owner, command: str, arguments: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Like `hand_over`, for commands that tell their progress: yields one JSON object a line, as they come."""
    rest = b""
    for chunk in _ask(owner, command, arguments):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (json.loads(line) for line in lines if line)
    if rest.strip():
        yield json.loads(rest)


def _ask(owner: Owner, command: str, arguments: dict[str, Any]) -> Iterator[bytes]:
    connection = http.client.HTTPConnection(owner.host, owner.port)
    try:
        headers = {**_headers(owner), "Content-Type": "application/json"}
        connection.request("POST", f"{PREFIX}/{command}", json.dumps(arguments), headers)
        response = connection.getresponse()
        if response.status != 200:
            text = response.read().decode("utf-8", "replace")
            raise Refused(text or f"The dashboard (process {owner.pid}) answered {response.status}.")
        while chunk := response.read1(65536):
            yield chunk
    except (OSError, http.client.HTTPException) as error:
        raise Refused(
            f"The dashboard (process {owner.pid}) stopped answering: {error}. What was imported is kept."
        ) from error
    finally:
        connection.close()


def _headers(owner: Owner) -> dict[str, str]:
    return {"Authorization": f"Bearer {owner.token}"}
