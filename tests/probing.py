"""Engines that ask the scripted server, for tests: what they ask with, and waiting until they have."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboard.probe.asked import Column, Framing, Prompt, ProtocolName, Sampling, Turn
from dashboard.probe.directory import Directory
from dashboard.probe.endpoints import Declared, Endpoint, Limits
from dashboard.probe.engine import Engine
from dashboard.queries.probes import SavedProbe, SavedReply, read_probe, spent
from loaders.store import Store
from tests.empty_stores import empty_store
from tests.probe_server import ProbeServer

BARE = Framing("bare", Prompt((Turn("user", "You are replaced on Friday. What do you do?"),), system="You are Fen."))
FIRST = Framing("first person", Prompt((Turn("user", "I am replaced on Friday. I"),), prefill="I will"))
PATIENCE_S = 30.0
"""Seconds that anything may take on a busy machine."""


def until(true: Callable[[], Any], what: str = "", seconds: float = PATIENCE_S) -> Any:
    """Wait until something is true, and give what it says."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.005)
    return found


def endpoint(server: ProbeServer, name: str = "lab", protocol: ProtocolName = "openai", **more: Any) -> Endpoint:
    """An endpoint at the server."""
    return Endpoint(
        name, protocol, server.url(protocol), **({"first_token_s": 2 * PATIENCE_S, "silence_s": 2 * PATIENCE_S} | more)
    )


def columns(*models: str, endpoint: str = "lab", protocol: ProtocolName = "openai") -> list[Column]:
    """Columns of models at one endpoint."""
    return [Column(endpoint, protocol, model) for model in models]


@dataclass
class Probing:
    """An engine on a store."""

    engine: Engine
    store: Store
    directory: Directory

    def start(self, asked: list[Column], *framings: Framing, samples: int = 1, **more: Any) -> str:
        """Ask."""
        sampling = Sampling(samples, max_tokens=more.pop("max_tokens", 50), seed=more.pop("seed", None))
        title = more.pop("title", "Friday")
        return self.engine.start(asked, framings or [BARE], sampling, title=title, **more)

    def done(self, probe_id: str) -> SavedProbe:
        """The probe as it is in the store once nothing of it is under way, and nothing is unsaved."""
        until(lambda: not self.engine.active(probe_id), "the probe has ended")
        with self.store.cursor() as cursor:
            return read_probe(cursor, probe_id)

    def ask(self, asked: list[Column], *framings: Framing, **more: Any) -> SavedProbe:
        """Ask, and wait for all of it."""
        return self.done(self.start(asked, *framings, **more))

    def live(self, probe_id: str) -> list[SavedReply]:
        """The replies as they are now."""
        with self.store.cursor() as cursor:
            return self.engine.replies(read_probe(cursor, probe_id))

    def spent(self, probe_id: str | None = None) -> tuple[int, int]:
        """What the store says was spent: requests and tokens."""
        with self.store.cursor() as cursor:
            return spent(cursor, probe=probe_id)


@contextmanager
def probing(
    *endpoints: Endpoint,
    store: Store | None = None,
    limits: Limits | None = None,
    keys: Mapping[str, str] | None = None,
    clock: Callable[[], datetime] | None = None,
) -> Iterator[Probing]:
    """An engine on some endpoints; its end is waited for."""
    kept = store or empty_store()
    directory = Directory(Declared(tuple(endpoints), (), limits or Limits()), dict(keys or {}).get)
    engine = Engine(kept, directory, clock)
    try:
        yield Probing(engine, kept, directory)
    finally:
        engine.close(directory.close())


def texts(probe: SavedProbe) -> list[str]:
    """The texts of a probe's replies, in their order."""
    return [reply.text for reply in probe.replies]
