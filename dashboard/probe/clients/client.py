"""What the engine asks of a client, whichever protocol it speaks."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from msgspec import Struct

from dashboard.probe.asked import Likelihood, Prompt, Request
from dashboard.probe.replies import Finish, Piece


class ServedModel(Struct, frozen=True):
    """A model that a server says it has. `parent`: the base of a LoRA adapter; `root`: where its weights lie."""

    id: str
    parent: str | None = None
    root: str | None = None


class Client(Protocol):
    """One endpoint. Safe to use for many requests at once, on one event loop. Never retries by itself.

    Every method raises `ClientError`, whose message names the endpoint, says what was wrong and what would help, and
    holds no key.
    """

    def stream(self, request: Request) -> AsyncGenerator[Piece | Finish, None]:
        """Ask for one reply. Yields pieces as they arrive, then one `Finish`; closing the iterator ends the request.

        An end of the stream before the server told its end raises `broken`.
        """
        ...

    async def models(self) -> list[ServedModel]:
        """What the server has, all pages of it."""
        ...

    async def likelihood(self, model: str, prompt: Prompt, continuation: str) -> Likelihood:
        """How likely a continuation of the prompt is; raises `unsupported` where the server can't tell."""
        ...

    async def close(self) -> None:
        """Let go of its connections."""
        ...
