"""The HTTP client beneath both protocols: many streams at once, and nothing sent or followed that nobody declared."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

import httpx2

from dashboard.probe.endpoints import Endpoint
from dashboard.probe.protocols import PROTOCOLS

CONNECT_S = 10.0
"""Seconds within which a connection must be made."""
SEND_S = 60.0
IDLE_S = 2.0
"""Connections are kept for less time than uvicorn and vLLM keep theirs (5 s): one that the server is just closing
would fail the next request for nothing."""
SPARE_S = 5.0
"""By which the socket's own time-out is longer than the endpoint's: the endpoint's is what people are told."""

SENT = frozenset({
    *("host", "accept", "accept-encoding", "connection", "content-type", "content-length", "transfer-encoding"),
    *("user-agent", "authorization", "x-stainless-raw-response"),
    *(header for known in PROTOCOLS for header in known.headers),
})  # fmt: skip
"""Headers that are sent. The makers' clients add others out of the environment (OPENAI_CUSTOM_HEADERS,
OPENAI_ORG_ID, ANTHROPIC_CUSTOM_HEADERS), which are meant for one server and not for every declared one."""

NO_KEY = "none"
"""The makers' clients want some key. Where none is declared, none is sent."""

LOGGERS = ("httpx2", "httpcore2", *(known.package for known in PROTOCOLS))


def http_client(endpoint: Endpoint, key: str | None) -> httpx2.AsyncClient:
    """A client for one endpoint.

    The engine keeps to `in_flight`, so connections have no limit of their own; proxies of the environment are used,
    but never for this machine; redirects lead to addresses that nobody declared, and are not followed.
    """
    for name in LOGGERS:
        # Below warnings they log what servers send back (reasons, headers), which no redactor has seen.
        logging.getLogger(name).setLevel(logging.WARNING)

    async def keep_to_what_is_declared(request: httpx2.Request) -> None:
        for name in set(request.headers) - SENT:
            del request.headers[name]
        request.headers.pop("authorization", None)
        if key is not None:
            request.headers["authorization"] = f"Bearer {key}"  # in both protocols
        request.headers["accept-encoding"] = "identity"  # a proxy that compresses holds pieces back

    return httpx2.AsyncClient(
        timeout=httpx2.Timeout(
            connect=CONNECT_S, read=max(endpoint.first_token_s, endpoint.silence_s) + SPARE_S, write=SEND_S, pool=None
        ),
        limits=httpx2.Limits(
            max_connections=None, max_keepalive_connections=max(endpoint.in_flight, 1), keepalive_expiry=IDLE_S
        ),
        follow_redirects=False,
        trust_env=not is_loopback(endpoint.url),
        event_hooks={"request": [keep_to_what_is_declared]},
    )


def is_loopback(url: str) -> bool:
    """Whether an address is of this machine itself."""
    host = host_of(url)
    return host in ("localhost", "::1") or host.startswith("127.") or host.endswith(".localhost")


def host_of(url: str) -> str:
    """The host of an address, in lower case; empty where it has none."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
