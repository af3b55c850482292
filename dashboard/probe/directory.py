"""Who can be asked: the declared endpoints, whether they answer, and the models that they have.

A client is made once for each endpoint, and only for declared ones: no name that a viewer sends leads to an address.
Clients belong to the event loop that first uses them; all else here may be called from any thread.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from dashboard.probe.clients.client import Client, ServedModel
from dashboard.probe.endpoints import Declared, Endpoint
from dashboard.probe.protocols import open_client
from dashboard.probe.redaction import Redactor
from dashboard.probe.replies import ClientError, ErrorKind
from loaders.errors import DriftlineError

CHECK_S = 5.0
"""Seconds that an endpoint has to say which models it has."""

Health = Literal["unasked", "ok", "no_key"] | ErrorKind
"""`unasked`: no answer yet. `no_key`: its key is declared and set nowhere. Else what went wrong when it was asked."""

_GLOB = frozenset("*?[")


class Standing(Struct, frozen=True):
    """How an endpoint stands.

    Attributes:
        message: For people: what is wrong and what helps, or how many models it has.
        models: As last told; they stay while an endpoint doesn't answer.
        checked_at: When it was last asked (UTC).
    """

    endpoint: Endpoint
    health: Health = "unasked"
    message: str = "connecting"
    models: tuple[ServedModel, ...] = ()
    checked_at: datetime | None = None

    @property
    def name(self) -> str:
        """The endpoint's."""
        return self.endpoint.name

    def model(self, model_id: str) -> ServedModel | None:
        """One of its models."""
        return next((model for model in self.models if model.id == model_id), None)


class _Opened(Struct):
    endpoint: Endpoint
    key: str | None
    client: Client


class Directory:
    """The endpoints in force.

    Args:
        declared: What whoever runs the dashboard declares.
        key_of: The key held by an environment variable or secret of that name; None where it is not set.
        check_s: Seconds that an endpoint has to say which models it has.
    """

    def __init__(self, declared: Declared, key_of: Callable[[str], str | None], *, check_s: float = CHECK_S) -> None:
        self._key_of = key_of
        self._check_s = check_s
        self._lock = threading.Lock()
        self._standings: dict[str, Standing] = {}
        self._opened: dict[str, _Opened] = {}
        self._stale: list[Client] = []
        self._keys: set[str] = set()
        self._declared = declared
        self._changes = 0
        self.update(declared)

    @property
    def changes(self) -> int:
        """A number that grows with every change of how an endpoint stands, or of what it serves."""
        return self._changes

    @property
    def declared(self) -> Declared:
        """What is declared now."""
        return self._declared

    def update(self, declared: Declared) -> None:
        """Take endpoints that came, went or changed; what is known of unchanged ones stays.

        Clients of endpoints that went are closed by the next `refresh` or `close`, and with them what they ask.

        Raises:
            DriftlineError: Two endpoints have one name.
        """
        names = [endpoint.name for endpoint in declared.endpoints]
        for name in names:
            if names.count(name) > 1:
                raise DriftlineError(f'Two endpoints are called "{name}": give each a name of its own.')
        with self._lock:
            before = self._standings
            self._declared = declared
            self._changes += 1
            self._standings = {
                endpoint.name: before[endpoint.name]
                if endpoint.name in before and before[endpoint.name].endpoint == endpoint
                else Standing(endpoint)
                for endpoint in declared.endpoints
            }
            for name, opened in list(self._opened.items()):
                if name not in self._standings or self._standings[name].endpoint != opened.endpoint:
                    self._stale.append(self._opened.pop(name).client)
            self._keys |= {key for endpoint in declared.endpoints if (key := self._key(endpoint))}

    def snapshot(self) -> tuple[Standing, ...]:
        """How each endpoint stands, in the order declared."""
        with self._lock:
            return tuple(self._standings.values())

    def client(self, name: str) -> Client:
        """The client of an endpoint.

        Raises:
            DriftlineError: No endpoint of that name is declared.
            ClientError: Its key is not set.
        """
        with self._lock:
            standing = self._standings.get(name)
            if standing is None:
                declared = ", ".join(self._standings) or "none"
                raise DriftlineError(f'No endpoint called "{name}" is declared (allowed: {declared}).')
            endpoint = standing.endpoint
            key = self._key(endpoint)
            if endpoint.key is not None and key is None:
                raise ClientError("unauthorised", f"{name}: {_no_key(endpoint)}")
            opened = self._opened.get(name)
            if opened is not None and opened.key == key:
                return opened.client
            if opened is not None:
                self._stale.append(opened.client)
            if key is not None:
                self._keys.add(key)
            made = _Opened(endpoint, key, open_client(endpoint, key))
            self._opened[name] = made
            return made.client

    async def refresh(self) -> None:
        """Ask every endpoint at once which models it has; none waits for another, and none longer than `check_s`."""
        await self._close_stale()
        await asyncio.gather(*(self._check(standing.endpoint) for standing in self.snapshot()))

    def redact(self, text: str) -> str:
        """The text without any key of any endpoint."""
        with self._lock:
            keys = set(self._keys)
        return Redactor(keys).message(text)

    async def close(self) -> None:
        """Let go of all connections."""
        with self._lock:
            self._stale += [opened.client for opened in self._opened.values()]
            self._opened.clear()
        await self._close_stale()

    async def _close_stale(self) -> None:
        with self._lock:
            stale, self._stale = self._stale, []
        for client in stale:
            await client.close()

    async def _check(self, endpoint: Endpoint) -> None:
        health, message, models = await self._asked(endpoint)
        with self._lock:
            before = self._standings.get(endpoint.name)
            if before is None or before.endpoint != endpoint:
                return  # it went or changed meanwhile
            now = replace(before, health=health, message=message, models=before.models if models is None else models)
            self._changes += now != before
            self._standings[endpoint.name] = replace(now, checked_at=datetime.now(UTC))

    async def _asked(self, endpoint: Endpoint) -> tuple[Health, str, tuple[ServedModel, ...] | None]:
        if endpoint.key is not None and self._key(endpoint) is None:
            return "no_key", f"{endpoint.name}: {_no_key(endpoint)}", None
        try:
            # In a thread: the first client of a protocol loads its package.
            client = await asyncio.to_thread(self.client, endpoint.name)
            async with asyncio.timeout(self._check_s):
                listed = await client.models()
        except TimeoutError:
            text = f"{endpoint.name}: no answer within {self._check_s:g} s. Is the server still loading, or overloaded?"
            return "timeout", text, None
        except ClientError as e:
            named = tuple(ServedModel(name) for name in endpoint.models if not _GLOB & set(name))
            if e.kind == "not_found" and named:
                return "ok", f"{len(named)} as declared; it does not list its models", named
            return e.kind, str(e) + (NAME_THEM if e.kind == "not_found" else ""), None
        except DriftlineError:
            return "unasked", "no longer declared", None
        allowed = tuple(model for model in listed if may_be_asked(endpoint, model.id))
        if listed and not allowed:
            return "ok", f"none of its {len(listed)} models is named by the endpoint's `models`", allowed
        return "ok", f"{len(allowed)} {'model' if len(allowed) == 1 else 'models'}", allowed

    def _key(self, endpoint: Endpoint) -> str | None:
        return (self._key_of(endpoint.key) or None) if endpoint.key is not None else None


def may_be_asked(endpoint: Endpoint, model: str) -> bool:
    """Whether the endpoint's `models` allow a model; all where there are none."""
    return not endpoint.models or any(fnmatchcase(model, glob) for glob in endpoint.models)


NAME_THEM = " If it does not list its models (/v1/models), name them as `models` of the endpoint."


def _no_key(endpoint: Endpoint) -> str:
    return f"no key. Set the environment variable (or Streamlit secret) {endpoint.key}, and refresh."
