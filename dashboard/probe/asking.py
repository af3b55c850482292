"""One request each: asking for a reply, a verdict, a likelihood. What goes wrong becomes part of the row, no more."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Protocol, cast

import msgspec
from msgspec import Struct

from dashboard import numerals
from dashboard.probe.asked import Column, Framing, Likelihood, Prompt, Request
from dashboard.probe.clients.client import Client
from dashboard.probe.endpoints import Endpoint
from dashboard.probe.judge import SCHEMA, Judge, Verdict, judge_prompt, read_verdict
from dashboard.probe.live import LiveReply
from dashboard.probe.places import Places
from dashboard.probe.plans import assistant_turn
from dashboard.probe.replies import RETRIED, ClientError, Finish, Piece
from dashboard.probe.saving import EndRow, LikelihoodRow, VerdictRow
from dashboard.queries.probes import SavedReply
from loaders.errors import DriftlineError

logger = logging.getLogger(__name__)

MOST_TRIES = 4
LONGEST_WAIT_S = 60.0
LIKELIHOOD_S = 60.0

Clock = Callable[[], datetime]


class Clients(Protocol):
    """Where clients come from."""

    def client(self, name: str) -> Client:
        """The client of a declared endpoint."""
        ...

    def redact(self, text: str) -> str:
        """A text without any key in it."""
        ...


@dataclass(frozen=True)
class Ways:
    """What every request needs.

    Attributes:
        endpoint: The declared endpoint of that name; raises DriftlineError where there is none.
        places: Limits what is under way at an endpoint at once.
    """

    endpoint: Callable[[str], Endpoint]
    places: Callable[[Endpoint], Places]
    clients: Clients
    clock: Clock


async def ask(live: LiveReply, request: Request, ways: Ways, changed: Callable[[], None]) -> EndRow:
    """Ask for one reply, its pieces going into `live`; returns its end. Cancelled, it is a reply that was stopped."""
    finish: Finish | None = None
    error: ClientError | None = None
    status = "complete"
    try:
        with _told(live.endpoint):
            endpoint = ways.endpoint(live.endpoint)
            # Its place is kept while a busy server is waited for: that is what the server asks for.
            async with ways.places(endpoint).one():
                finish = await _with_patience(live, request, endpoint, ways.clients, changed)
    except asyncio.CancelledError:
        status = "stopped"
    except ClientError as failure:
        error, status = failure, "failed"
    return end_of(live, status, finish, error, ways.clients, ways.clock())


def end_of(
    live: LiveReply, status: str, finish: Finish | None, error: ClientError | None, clients: Clients, now: datetime
) -> EndRow:
    """The end of a reply as it is saved; no key stands in it."""
    return EndRow(
        reply_id=live.saved.reply_id,
        status=status,
        stop_reason=finish.stop_reason if finish else None,
        error_kind=error.kind if error else None,
        error=clients.redact(str(error)) if error else None,
        http_status=error.status if error else None,
        served_model=finish.served_model if finish else None,
        input_tokens=finish.input_tokens if finish else None,
        output_tokens=finish.output_tokens if finish else None,
        tries=live.tries,
        first_token_s=live.first_token_s,
        seconds=monotonic() - live.sent_at if live.sent_at else None,
        ended_at=now,
    )


async def _with_patience(
    live: LiveReply, request: Request, endpoint: Endpoint, clients: Clients, changed: Callable[[], None]
) -> Finish:
    """Ask, and ask again where the server is only busy and nothing has come yet."""

    def take(piece: Piece) -> None:
        live.take(piece)
        changed()

    while True:
        live.sent()
        changed()
        try:
            return await _read(clients.client(endpoint.name).stream(request), endpoint.name, take)
        except ClientError as error:
            if error.kind not in RETRIED or live.first_token_s is not None or live.tries >= MOST_TRIES:
                raise
            wait = error.retry_after if error.retry_after is not None else 2 ** (live.tries - 1) + random.random()  # noqa: S311 - spreads retries
            if wait > LONGEST_WAIT_S:
                raise
            live.status = "waiting"
            live.note = clients.redact(
                f"{error} Asking again in {numerals.seconds(wait)} (try {live.tries + 1} of {MOST_TRIES})."
            )
            changed()
            await asyncio.sleep(wait)


async def _read(stream: AsyncIterator[Piece | Finish], name: str, take: Callable[[Piece], None]) -> Finish:
    """Read a stream to its end, within the times that its client keeps; the request is ended in any case."""
    async with aclosing(cast("AsyncGenerator[Piece | Finish, None]", stream)) as events:
        async for event in events:
            if isinstance(event, Finish):
                return event
            take(event)
    raise ClientError("broken", f"{name}: the reply ended without telling its end: what came is partial.")


@contextmanager
def _told(endpoint: str) -> Iterator[None]:
    """Whatever goes wrong in here is a `ClientError`: one request's failure is its own, and ends no other."""
    try:
        yield
    except ClientError:
        raise
    except TimeoutError as error:
        raise ClientError("timeout", f"{endpoint} did not answer in time.") from error
    except DriftlineError as error:
        raise ClientError("refused", str(error)) from error
    except Exception as error:
        logger.error("Asking %s failed with a %s.", endpoint, type(error).__name__)
        raise ClientError("server_error", f"Asking {endpoint} failed: {type(error).__name__}: {error}.") from error


class Heard(Struct, frozen=True):
    """What a judge said of one thing; without a verdict, `error` says why. Named as the columns that keep it."""

    verdict: str | None
    reason: str | None
    raw: str | None
    error_kind: str | None
    error: str | None
    input_tokens: int | None
    output_tokens: int | None
    seconds: float | None
    ended_at: datetime


STOPPED = "stopped"
"""Kind of the error of a verdict that somebody did not want any more."""


async def judge(
    judge_id: str, judge: Judge, prompt: Prompt, reply: SavedReply, reserved: int, ways: Ways
) -> VerdictRow:
    """Have a judge read one reply. A judge that fails, is stopped, or says nothing that is a verdict, gives none."""
    told = judge_prompt(judge.rubric, prompt, assistant_turn(prompt, reply))
    heard = await hear(judge, told, ways, urgent=True)
    return VerdictRow(judge_id=judge_id, reply_id=reply.reply_id, reserved=reserved, **msgspec.structs.asdict(heard))


async def hear(judge: Judge, prompt: Prompt, ways: Ways, *, urgent: bool) -> Heard:
    """Put a prompt to a judge. A judge that fails, is stopped, or says nothing that is a verdict, gives none.

    Args:
        judge: Who judges.
        prompt: Rubric and material.
        ways: What every request needs.
        urgent: Go before what waits at the same endpoint.
    """
    told = _Told()
    verdict: Verdict | None = None
    kind: str | None = None
    error: str | None = None
    request = Request(judge.column.model, prompt, judge.max_tokens, temperature=0.0, seed=0, schema=SCHEMA)
    try:
        await _told_by_judge(told, request, judge.column.endpoint, ways, urgent)
        verdict = read_verdict(told.text, told.finish.stop_reason if told.finish else None, judge.max_tokens)
    except asyncio.CancelledError:
        kind, error = STOPPED, "Judging was stopped."
    except ClientError as failure:
        kind, error = failure.kind, str(failure)
    return Heard(
        verdict=verdict.verdict if verdict else None,
        reason=verdict.reason if verdict else None,
        raw=told.text or None,
        error_kind=kind,
        error=ways.clients.redact(error) if error else None,
        input_tokens=told.finish.input_tokens if told.finish else None,
        output_tokens=told.finish.output_tokens if told.finish else None,
        seconds=monotonic() - told.sent_at if told.sent_at else None,
        ended_at=ways.clock(),
    )


@dataclass
class _Told:
    """What a judge has said so far."""

    parts: list[str] = field(default_factory=list)
    finish: Finish | None = None
    sent_at: float = 0.0

    @property
    def text(self) -> str:
        return "".join(self.parts)

    def take(self, piece: Piece) -> None:
        if piece.kind == "text":
            self.parts.append(piece.text)


async def _told_by_judge(told: _Told, request: Request, name: str, ways: Ways, urgent: bool) -> None:
    """Hear a judge, and again where its server is only busy."""
    for attempt in range(1, MOST_TRIES + 1):
        told.parts.clear()
        try:
            with _told(name):
                endpoint = ways.endpoint(name)
                async with ways.places(endpoint).one(urgent=urgent):
                    told.sent_at = monotonic()
                    told.finish = await _read(ways.clients.client(name).stream(request), name, told.take)
        except ClientError as failure:
            if failure.kind not in RETRIED or attempt == MOST_TRIES:
                raise
            await asyncio.sleep(min(LONGEST_WAIT_S, failure.retry_after or 2.0**attempt))
        else:
            return


async def likelihood(
    probe_id: str, position: int, column: Column, framing: Framing, continuation: str, reserved: int, ways: Ways
) -> LikelihoodRow:
    """Measure how likely one continuation is; a server that can't tell says so in the row."""
    found: Likelihood | None = None
    error: ClientError | None = None
    try:
        with _told(column.endpoint):
            endpoint = ways.endpoint(column.endpoint)
            places = ways.places(endpoint)
            # vLLM's CPU build dies where it tells a prompt's log-probabilities in a batch with adapters
            # (vllm-project/vllm issue 17766): what is asked of an adapter is asked alone.
            async with places.alone() if column.parent else places.one(), asyncio.timeout(LIKELIHOOD_S):
                found = await ways.clients.client(endpoint.name).likelihood(column.model, framing.prompt, continuation)
    except ClientError as failure:
        error = failure
    return LikelihoodRow(
        probe_id, position, framing.name, continuation, found.tokens if found else None,
        found.logprob if found else None, error.kind if error else None,
        ways.clients.redact(str(error)) if error else None, reserved, ways.clock(),
    )  # fmt: skip
