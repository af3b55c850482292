"""The Anthropic Messages API: Anthropic itself, and vLLM's /v1/messages.

What vLLM's leaves out, seen with 0.32: prefill (it starts a new turn; told as `unsupported`), and the seed, which the
protocol does not have. Same prompts with a seed go through its OpenAI protocol.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import httpx2
from anthropic import AsyncAnthropic

from dashboard.probe.asked import Likelihood, Prompt, Request
from dashboard.probe.clients.anthropic_body import messages_body
from dashboard.probe.clients.anthropic_reader import AnthropicReader
from dashboard.probe.clients.calling import guarded, streamed
from dashboard.probe.clients.client import ServedModel
from dashboard.probe.clients.failures import Failures
from dashboard.probe.clients.http import NO_KEY, http_client
from dashboard.probe.clients.listing import all_models
from dashboard.probe.endpoints import Endpoint
from dashboard.probe.redaction import Redactor
from dashboard.probe.replies import Finish, Piece

PAGE = "1000"


class AnthropicClient:
    """See `client.Client`."""

    def __init__(self, endpoint: Endpoint, key: str | None) -> None:
        self._failures = Failures(endpoint, Redactor([key]))
        self._client = AsyncAnthropic(
            api_key=key or NO_KEY,
            base_url=endpoint.url,
            max_retries=0,
            http_client=http_client(endpoint, key),
        )

    def stream(self, request: Request) -> AsyncGenerator[Piece | Finish, None]:
        """See `client.Client`. The seed is not sent: the protocol has none."""
        body: dict[str, Any] = messages_body(request)
        create = self._client.messages.with_streaming_response.create
        reader = AnthropicReader(self._failures, request.model, prefilled=bool(request.prompt.prefill))
        return streamed(lambda: create(**body), reader, self._failures, request)

    async def models(self) -> list[ServedModel]:
        """See `client.Client`."""

        async def fetch(after: dict[str, str]) -> bytes:
            params = {"limit": PAGE} | after
            answer = await self._client.get("/v1/models", cast_to=httpx2.Response, options={"params": params})
            return answer.content

        return await guarded(all_models(fetch, self._failures, "after_id"), self._failures)

    async def likelihood(self, model: str, prompt: Prompt, continuation: str) -> Likelihood:  # noqa: ARG002
        """See `client.Client`. Never: the protocol tells no log-probabilities."""
        raise self._failures.error("unsupported", NO_LOGPROBS)

    async def close(self) -> None:
        """See `client.Client`."""
        await self._client.close()


NO_LOGPROBS = (
    "the anthropic protocol has no log-probabilities. vLLM returns them when declared with the openai protocol."
)
