"""The client for an endpoint. Imports the makers' packages only when one is wanted: they take a second to load."""

from __future__ import annotations

from dashboard.probe.clients.client import Client
from dashboard.probe.endpoints import Endpoint


def open_client(endpoint: Endpoint, key: str | None) -> Client:
    """A client of the endpoint's protocol; `key` is the key itself."""
    if endpoint.protocol == "anthropic":
        from dashboard.probe.clients.anthropic_messages import AnthropicClient

        return AnthropicClient(endpoint, key)
    from dashboard.probe.clients.openai_chat import OpenAIClient

    return OpenAIClient(endpoint, key)
