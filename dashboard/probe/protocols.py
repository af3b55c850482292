"""The protocols that models are served by: one more is one entry here, and its client in `clients`.

Pure until a client is opened: the makers' packages take a second to load, and are imported only then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from dashboard.probe.clients.client import Client
    from dashboard.probe.endpoints import Endpoint


@dataclass(frozen=True)
class Maker:
    """Whoever a protocol is named after: a server that its name alone declares."""

    url: str
    key: str
    """Name of the environment variable or Streamlit secret with its key."""


@dataclass(frozen=True)
class KnownProtocol:
    """A protocol.

    Attributes:
        name: In models files, flags and the store.
        spoken_by: By whom else than its maker, in words; "" for nobody.
        base: A base address as its client wants it, of one as people write it.
        base_in_words: What that has at its end.
        open: Makes the client of an endpoint, given the key itself.
        inspect_model: How Inspect names a model that is served by it.
        package: The maker's, which logs under that name.
        headers: Those that its requests need, besides what all have.
        maker: Its public server; None where addresses are always given.
    """

    name: str
    spoken_by: str
    base: Callable[[str], str]
    base_in_words: str
    open: Callable[[Endpoint, str | None], Client]
    inspect_model: Callable[[str, str], str]
    package: str
    headers: frozenset[str] = frozenset()
    maker: Maker | None = None


def _openai(endpoint: Endpoint, key: str | None) -> Client:
    from dashboard.probe.clients.openai_chat import OpenAIClient

    return OpenAIClient(endpoint, key)


def _anthropic(endpoint: Endpoint, key: str | None) -> Client:
    from dashboard.probe.clients.anthropic_messages import AnthropicClient

    return AnthropicClient(endpoint, key)


PROTOCOLS = (
    KnownProtocol(
        "openai",
        spoken_by="vLLM and others",
        base=lambda url: url if urlsplit(url).path else f"{url}/v1",
        base_in_words="with /v1",
        open=_openai,
        inspect_model=lambda endpoint, model: f"openai-api/{endpoint}/{model}",
        package="openai",
    ),
    KnownProtocol(
        "anthropic",
        spoken_by="",
        base=lambda url: url.removesuffix("/v1").rstrip("/"),
        base_in_words="without /v1",
        open=_anthropic,
        inspect_model=lambda _, model: f"anthropic/{model}",
        package="anthropic",
        headers=frozenset({"anthropic-version"}),
        maker=Maker("https://api.anthropic.com", "ANTHROPIC_API_KEY"),
    ),
)
"""The first is meant where none is named."""

USUAL = PROTOCOLS[0]
BY_NAME = {known.name: known for known in PROTOCOLS}


def open_client(endpoint: Endpoint, key: str | None) -> Client:
    """A client of the endpoint's protocol; `key` is the key itself."""
    return BY_NAME[endpoint.protocol].open(endpoint, key)


def named_in(address: str) -> tuple[KnownProtocol, str]:
    """The protocol that stands before an address, the usual one where none does; and the address."""
    name, colon, rest = address.partition(":")
    known = BY_NAME.get(name) if colon else None
    return (known, rest) if known else (USUAL, address)


def forms() -> str:
    """How a flag declares an endpoint, in words."""
    spoken = f" ({USUAL.spoken_by})" if USUAL.spoken_by else ""
    others = [f"NAME={known.name}:URL" for known in PROTOCOLS[1:]]
    makers = [known.name for known in PROTOCOLS if known.maker]
    *first, last = [f"NAME=URL for the {USUAL.name} protocol{spoken}", *others, *makers]
    return f"{', '.join(first)}, or {last}"


def bases_in_words() -> str:
    """What base addresses have at their end, by protocol."""
    return ", ".join(f"{known.base_in_words} for the {known.name} protocol" for known in PROTOCOLS)
