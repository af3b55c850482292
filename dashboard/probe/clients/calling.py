"""What both clients do around a request: errors become the endpoint's, and objections to what only some can do."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from typing import TypeVar

from dashboard.probe.asked import Request
from dashboard.probe.clients.events import Ask, Reader, reply
from dashboard.probe.clients.failures import Failures
from dashboard.probe.replies import ClientError, Finish, Piece

T = TypeVar("T")


async def guarded(work: Awaitable[T], failures: Failures, model: str | None = None) -> T:
    """What the work gives; whatever a maker's client raises becomes an error of the endpoint."""
    try:
        return await work
    except Exception as e:  # noqa: BLE001
        failure = failures.of(e, model)
    # Raised out here, so that the maker's error, with all that the server said, is not in its context.
    raise failure


async def streamed(
    ask: Ask, reader: Reader, failures: Failures, request: Request
) -> AsyncGenerator[Piece | Finish, None]:
    """One reply; `unsupported` where the server objects to what not every server can do."""
    failure: ClientError | None = None
    async with aclosing(reply(ask, reader, failures, request.model)) as parts:
        try:
            async for part in parts:
                yield part
        except ClientError as e:
            failure = _objection(e, failures, request)
    if failure is not None:
        raise failure


def _objection(error: ClientError, failures: Failures, request: Request) -> ClientError:
    """An error as `unsupported` where a server, by what it says, refuses prefill, tools or a schema."""
    if error.kind != "bad_request":
        return error
    said = str(error).removeprefix(f"{failures.endpoint.name}: ")
    for wanted, words, text in (
        (request.prompt.system, OF_SYSTEM, NO_SYSTEM),
        (request.prompt.prefill, OF_PREFILL, NO_PREFILL),
        (request.prompt.tools, OF_TOOLS, NO_TOOLS),
        (request.schema, OF_SCHEMA, NO_SCHEMA),
        (request.temperature is not None, OF_TEMPERATURE, NO_TEMPERATURE),
    ):
        if wanted and words.search(said):
            return failures.error("unsupported", f"{text} The server {said}", status=error.status)
    return error


OF_SYSTEM = re.compile(
    r"system.{0,3} (?:role|message|prompt|instruction)s?\b.{0,60}(?:\bnot\b|n't|unsupported|disabled|first)|"
    r"(?:not|n't) (?:support|allow|accept|take|enabled).{0,30}system|unsupported.{0,20}system|"
    r"roles must alternate|(?:unknown|unexpected|invalid).{0,10} role\W.{0,5}system|"
    r"(?:developer|system) instruction is not enabled",
    re.IGNORECASE,
)
OF_PREFILL = re.compile(
    r"continue_final_message|add_generation_prompt|prefill|(?:un|not )(?:recogni[sz]ed|known|expected|permitted)|"
    r"extra (?:fields|inputs)|(?:last|final) message|end with a user message|role.{0,20}assistant",
    re.IGNORECASE,
)
OF_TOOLS = re.compile(r"\btools?\b|tool_choice|tool-call|function call", re.IGNORECASE)
OF_SCHEMA = re.compile(r"response_format|output_config|output_format|schema|structured|guided|grammar", re.IGNORECASE)
OF_TEMPERATURE = re.compile(
    r"temperature\W.{0,40}(?:deprecated|unsupported|not (?:supported|permitted|support)|does not support)|"
    r"(?:unsupported|unknown|unrecognized) \w+: .?temperature",
    re.IGNORECASE,
)

NO_SYSTEM = (
    'this model takes no system prompt. Tick "Merge system prompt into user turn" under Sampling, and ask again.'
)
NO_PREFILL = "this server, or this model, does not continue a reply that is begun (prefill); vLLM does. Leave it out."
NO_TOOLS = (
    "this server does not take these tools. vLLM takes tools when it is started with "
    "`--enable-auto-tool-choice --tool-call-parser NAME`."
)
NO_SCHEMA = "this server does not hold a reply to this JSON schema."
NO_TEMPERATURE = "this model is drawn from at a temperature of its own: leave the temperature open."
