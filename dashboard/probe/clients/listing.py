"""What a server has: /v1/models, all pages of it, in either protocol."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from msgspec import Struct

from dashboard.probe.clients.client import ServedModel
from dashboard.probe.clients.failures import Failures

MOST_PAGES = 100
MOST_MODELS = 10_000

FetchPage = Callable[[dict[str, str]], Awaitable[bytes]]
"""Gets the body of one page, given the parameters of its address."""


class _Row(Struct):
    id: str
    parent: str | None = None
    root: str | None = None


class _Page(Struct):
    data: list[_Row] | None
    """Null where a server (Ollama) has no models."""
    has_more: bool | None = None
    last_id: str | None = None


_PAGE = msgspec.json.Decoder(_Page)


async def all_models(fetch: FetchPage, failures: Failures, cursor: str) -> list[ServedModel]:
    """Every model, in the server's order.

    Args:
        fetch: Gets a page.
        failures: Makes the errors.
        cursor: Name of the parameter that the last id of a page goes into: `after` or `after_id`.

    Raises:
        ClientError: A page is not what the protocols say.
    """
    found: dict[str, ServedModel] = {}
    after: dict[str, str] = {}
    for _ in range(MOST_PAGES):
        page = _decoded(await fetch(after), failures)
        before = len(found)
        rows = page.data or []
        for row in rows:
            clean = [None if text is None else failures.redact(text) for text in (row.id, row.parent, row.root)]
            found.setdefault(row.id, ServedModel(clean[0] or "", clean[1], clean[2]))
        last = page.last_id or (rows[-1].id if rows else None)
        if not page.has_more or last is None or len(found) == before or len(found) >= MOST_MODELS:
            break
        after = {cursor: last}
    return list(found.values())[:MOST_MODELS]


def _decoded(body: bytes, failures: Failures) -> _Page:
    try:
        return _PAGE.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:
        raise failures.garbled(f"its list of models is not what the protocol says ({e})", body) from None
