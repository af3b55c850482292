"""How likely a continuation is, as vLLM can tell it: the prompt and the continuation as tokens, and the
log-probability of each token of the continuation given all before it.

The prompt is put into tokens by the server's own chat template (`/tokenize` with messages), up to where the model's
reply begins. The continuation is put into tokens by itself and follows: so the sum covers its tokens and no others,
which a text in one piece does not promise (a token could reach over the boundary).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from dashboard.probe.asked import Likelihood, Prompt
from dashboard.probe.clients.failures import Failures
from dashboard.probe.clients.openai_body import CONTINUED, messages, tools
from dashboard.probe.replies import ClientError

Post = Callable[[str, dict[str, Any]], Awaitable[bytes]]
"""Sends a body to a path of the server, and gives the body of its answer. Raises ClientError."""

T = TypeVar("T")

LEAST = -1e6
"""vLLM puts -9999 for minus infinity; anything below this is no log-probability."""


class _Tokens(Struct):
    tokens: list[int]


class _Logprob(Struct):
    logprob: float


class _Choice(Struct):
    prompt_logprobs: list[dict[str, _Logprob] | None] | None = None


class _Completion(Struct):
    choices: list[_Choice]


async def likelihood_of(post: Post, failures: Failures, model: str, prompt: Prompt, continuation: str) -> Likelihood:
    """The sum of the log-probabilities of a continuation's tokens, at temperature 1.

    Raises:
        ClientError: `unsupported` where the server does not tell them.
    """
    if not continuation:
        raise failures.error("bad_request", "an empty continuation has no likelihood.")
    before = await _tokens(post, failures, _prompt_body(model, prompt))
    after = await _tokens(post, failures, {"model": model, "prompt": continuation, "add_special_tokens": False})
    if not before or not after:
        raise failures.error("unsupported", NOT_TOLD)
    body = {
        "model": model,
        "prompt": before + after,
        "max_tokens": 1,
        "temperature": 0.0,
        "prompt_logprobs": 0,  # of the tokens themselves, and of no others
    }
    completion = await _posted(post, failures, "completions", body, _Completion)
    told = completion.choices[0].prompt_logprobs if completion.choices else None
    if told is None or len(told) != len(before) + len(after):
        raise failures.error("unsupported", NOT_TOLD)
    total = 0.0
    for token, of_token in zip(after, told[len(before) :], strict=True):
        found = (of_token or {}).get(str(token))
        if found is None or not LEAST < found.logprob <= 1e-6:
            raise failures.garbled(f"returned no log-probability for token {token} of the continuation")
        total += found.logprob
    return Likelihood(tokens=len(after), logprob=total)


def _prompt_body(model: str, prompt: Prompt) -> dict[str, Any]:
    body: dict[str, Any] = {"model": model, "messages": messages(prompt), "add_generation_prompt": True}
    if prompt.tools:
        body["tools"] = tools(prompt)
    return body | (CONTINUED if prompt.prefill else {})


async def _tokens(post: Post, failures: Failures, body: dict[str, Any]) -> list[int]:
    return (await _posted(post, failures, "/tokenize", body, _Tokens)).tokens


async def _posted(post: Post, failures: Failures, path: str, body: dict[str, Any], kind: type[T]) -> T:
    """The answer of a path that only some servers have; `unsupported` where it is missing or another server's."""
    try:
        answer = await post(path, body)
    except ClientError as e:
        # A 404 that names the model is of the model, and any other one of the path.
        of_model = re.search(rf"[`'\"]{re.escape(body['model'])}[`'\"]", str(e))
        missing = (e.kind == "not_found" and not of_model) or e.status in (405, 501)
        failure = failures.error("unsupported", NOT_TOLD, status=e.status) if missing else e
    else:
        try:
            return msgspec.json.decode(answer, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            failure = failures.error("unsupported", NOT_TOLD)
    raise failure


NOT_TOLD = "this server does not return log-probabilities of a given continuation; vLLM does."
