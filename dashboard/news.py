"""What is new, as a line that costs next to nothing: open pages ask, and are drawn anew only then."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from weakref import WeakValueDictionary

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from dashboard import runtime
from dashboard.review.threads.reading import last_change

PLACE = "news"
"""Where it lies beside the pages."""
TICKET = "X-Driftline-Ticket"

Kind = Literal["batch", "changes", "endpoints"]
"""What there is news of: batches that come in, what people write, and how endpoints stand."""

_tickets: WeakValueDictionary[str, Ticket] = WeakValueDictionary()


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class Ticket:
    """What lets the browser of a session ask; it counts for as long as it is kept, and its sign-in lasts.

    Attributes:
        sign_in: By which it was given; None where nobody signs in.
        claims: What the identity provider said then.
        code: Names it.
    """

    sign_in: str | None = None
    claims: Mapping[str, Any] = field(default_factory=dict)
    code: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    def counts(self) -> bool:
        """Whether its sign-in still lasts."""
        policy = runtime.access()
        if policy is None:
            return True
        lasts = self.sign_in is not None and not runtime.has_ended(self.sign_in)
        return lasts and not policy.has_expired(self.claims, time.time())


def ticket(sign_in: str | None, claims: Mapping[str, Any] | None) -> Ticket:
    """A new ticket, for somebody who may see pages."""
    given = Ticket(sign_in, claims or {})
    _tickets[given.code] = given
    return given


def newest(kinds: Collection[str]) -> dict[str, int]:
    """The newest batch, and numbers that grow with all that people write and with what endpoints serve.

    Args:
        kinds: Those that are asked about.
    """
    told: dict[str, int] = {}
    if "batch" in kinds:
        told["batch"] = runtime.store().batch()
    if "changes" in kinds:
        with runtime.store().cursor() as cursor:
            told["changes"] = last_change(cursor)
    if "endpoints" in kinds:
        told["endpoints"] = runtime.probes().changes()
    return told


def routes(base_path: str) -> list[Route]:
    """The route by which pages ask.

    Args:
        base_path: The path that the pages lie under, without slashes at its ends; "" for none.
    """

    async def tell(request: Request) -> Response:
        given = _tickets.get(request.headers.get(TICKET, ""))
        if given is None or not given.counts():
            return PlainTextResponse("This page may not ask any more: reload it.", status_code=403)
        told = await asyncio.to_thread(newest, request.query_params.getlist("of"))
        return JSONResponse(told, headers={"Cache-Control": "no-store"})

    return [Route(f"/{base_path}/{PLACE}" if base_path else f"/{PLACE}", tell)]
