"""The endpoints that may be asked, as declared by whoever runs the dashboard, and what asking them may cost."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from dashboard.probe.asked import ProtocolName


class Endpoint(Struct, frozen=True):
    """A server of models.

    Attributes:
        name: Shown, and saved with every reply.
        protocol: Name of one of `dashboard.probe.protocols.PROTOCOLS`.
        url: Its base address, as that protocol's client wants it.
        key: Name of the environment variable or Streamlit secret that holds its key; never the key itself.
        models: Globs on the ids of its models that may be asked; all where empty.
        in_flight: Requests that may be under way at once.
        first_token_s: Seconds within which a reply must begin.
        silence_s: Seconds between two pieces of a reply after which it counts as broken off.
        judge_tokens: Tokens that its models have, as judges, for thinking and verdict.
    """

    name: str
    protocol: ProtocolName
    url: str
    key: str | None = None
    models: tuple[str, ...] = ()
    in_flight: int = 8
    first_token_s: float = 120.0
    silence_s: float = 30.0
    judge_tokens: int = 2048


class Match(Struct, frozen=True):
    """A served model that is said to be a checkpoint: RUN@STEP, RUN@LABEL or RUN."""

    model: str
    checkpoint: str
    endpoint: str | None = None


class Allowance(Struct, frozen=True):
    """What may be spent: requests, and tokens read and written."""

    requests: int
    tokens: int


class Limits(Struct, frozen=True):
    """Against runaway cost. Days are UTC."""

    per_probe: Allowance = Allowance(requests=512, tokens=1_000_000)
    per_day: Allowance = Allowance(requests=5_000, tokens=10_000_000)


class Declared(Struct, frozen=True):
    """All that a models file, flags and `driftline serve` declare."""

    endpoints: tuple[Endpoint, ...] = ()
    matches: tuple[Match, ...] = ()
    limits: Limits = msgspec.field(default_factory=Limits)
