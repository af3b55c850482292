"""The OpenAI protocol: vLLM, llama.cpp's server, OpenAI itself, and whatever else speaks it."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import httpx2
from openai import AsyncOpenAI

from dashboard.probe.asked import Likelihood, Prompt, Request
from dashboard.probe.clients.calling import guarded, streamed
from dashboard.probe.clients.client import ServedModel
from dashboard.probe.clients.failures import Failures
from dashboard.probe.clients.http import NO_KEY, http_client
from dashboard.probe.clients.listing import all_models
from dashboard.probe.clients.openai_body import chat_body, completion_body
from dashboard.probe.clients.openai_likelihood import likelihood_of
from dashboard.probe.clients.openai_reader import OpenAIReader
from dashboard.probe.conversation import as_text
from dashboard.probe.endpoints import Endpoint
from dashboard.probe.redaction import Redactor
from dashboard.probe.replies import ClientError, Finish, Piece


class OpenAIClient:
    """See `client.Client`."""

    def __init__(self, endpoint: Endpoint, key: str | None) -> None:
        self._endpoint = endpoint
        self._root = endpoint.url.rstrip("/").removesuffix("/v1")
        self._failures = Failures(endpoint, Redactor([key]))
        self._client = AsyncOpenAI(
            api_key=key or NO_KEY,
            base_url=endpoint.url,
            max_retries=0,
            http_client=http_client(endpoint, key),
        )

    def stream(self, request: Request) -> AsyncGenerator[Piece | Finish, None]:
        """See `client.Client`."""
        return self._stream(request)

    async def _stream(self, request: Request) -> AsyncGenerator[Piece | Finish, None]:
        """A chat completion; a plain one where the server says that the model has no chat template."""
        body: dict[str, Any] = chat_body(request, self._endpoint.url)
        create = self._client.chat.completions.with_streaming_response.create
        reader = OpenAIReader(self._failures, request.model)
        without: ClientError | None = None
        begun = False
        async with aclosing(streamed(lambda: create(**body), reader, self._failures, request)) as parts:
            try:
                async for part in parts:
                    begun = True
                    yield part
            except ClientError as e:
                if begun or e.status not in (400, 422, 500) or not NO_TEMPLATE.search(str(e)):
                    raise
                without = e
        if without is None:
            return
        # A verdict by a schema is asked of models that follow instructions.
        text = as_text(request.prompt) if request.schema is None else None
        if text is None:
            raise self._failures.error("unsupported", f"{NOT_AS_TEXT} {without}", status=without.status)
        yield Piece("note", PLAIN)
        plain = completion_body(request, text)
        complete = self._client.completions.with_streaming_response.create
        reader = OpenAIReader(self._failures, request.model)
        async with aclosing(streamed(lambda: complete(**plain), reader, self._failures, request)) as parts:
            async for part in parts:
                yield part

    async def models(self) -> list[ServedModel]:
        """See `client.Client`."""

        async def fetch(after: dict[str, str]) -> bytes:
            answer = await self._client.get("/models", cast_to=httpx2.Response, options={"params": after})
            return answer.content

        return await guarded(all_models(fetch, self._failures, "after"), self._failures)

    async def likelihood(self, model: str, prompt: Prompt, continuation: str) -> Likelihood:
        """See `client.Client`. Of the servers known, vLLM can tell."""

        async def post(path: str, body: dict[str, Any]) -> bytes:
            # vLLM has /tokenize beside /v1, not below it.
            url = f"{self._root}{path}" if path.startswith("/") else f"/{path}"
            answer = await guarded(self._client.post(url, cast_to=httpx2.Response, body=body), self._failures)
            return answer.content

        return await likelihood_of(post, self._failures, model, prompt, continuation)

    async def close(self) -> None:
        """See `client.Client`."""
        await self._client.close()


NO_TEMPLATE = re.compile(
    r"must provide a chat[ _]template|chat[ _]template.{0,80}(?:not (?:set|found|defined|specified)|missing|"
    r"is none|does not (?:exist|define))|(?:\bno|without a|(?:has|have) no) chat[ _]template|template not found",
    re.IGNORECASE,
)
"""How servers refuse to chat with a base model: vLLM and transformers, TGI, SGLang."""
PLAIN = "prompted by plain completion: no chat template"
"""The note on such a reply."""
NOT_AS_TEXT = (
    "this model has no chat template, and goes on with a plain text only: it can neither take tools nor judge. Leave"
    " them out, or ask another model."
)
