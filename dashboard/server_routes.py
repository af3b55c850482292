"""The routes by which other commands hand their work to the process that owns a store; each asks for its token."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import queue
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from dashboard import answers, commands
from dashboard.handover import PREFIX, Owner
from loaders.errors import DriftlineError
from loaders.store import Store

logger = logging.getLogger(__name__)


def routes(store: Store, owner: Owner) -> list[Route]:
    """The routes by which other commands hand over their work; each asks for the owner's token."""

    def guarded(
        handler: Callable[[Request], Awaitable[Response]],
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            given = request.headers.get("authorization", "").removeprefix("Bearer ")
            if not hmac.compare_digest(given.encode(), owner.token.encode()):
                return PlainTextResponse("The token is missing or wrong.", status_code=403)
            try:
                return await handler(request)
            except (DriftlineError, msgspec.ValidationError, msgspec.DecodeError) as error:
                return PlainTextResponse(str(error), status_code=422)

        return endpoint

    async def who(_request: Request) -> Response:
        return JSONResponse({"store": store.path, "pid": owner.pid})

    async def ingest(request: Request) -> Response:
        given = msgspec.json.decode(await request.body(), type=commands.IngestArguments)
        return StreamingResponse(_ingest_lines(store, given), media_type="application/x-ndjson")

    async def rates(request: Request) -> Response:
        given = msgspec.json.decode(await request.body(), type=commands.RateArguments)
        found = await asyncio.to_thread(commands.run_rates, store, given)
        return Response(json.dumps(msgspec.to_builtins(found)), media_type="application/json")

    async def compare(request: Request) -> Response:
        given = msgspec.json.decode(await request.body(), type=commands.CompareArguments)
        found = await asyncio.to_thread(commands.run_compare, store, given)
        return Response(json.dumps(found), media_type="application/json")

    async def ask(request: Request) -> Response:
        asked = msgspec.json.decode(await request.body(), type=answers.Asked)
        return Response(msgspec.json.encode(await asyncio.to_thread(answers.answer, store, asked)))

    async def servable(_request: Request) -> Response:
        return Response(msgspec.json.encode(await asyncio.to_thread(commands.run_servable, store)))

    async def export(request: Request) -> Response:
        given = msgspec.json.decode(await request.body(), type=commands.ExportArguments)
        return Response(await asyncio.to_thread(commands.run_export, store, given))

    async def compact(_request: Request) -> Response:
        return Response(msgspec.json.encode(await asyncio.to_thread(commands.run_compact, store)))

    async def backup(request: Request) -> Response:
        given = msgspec.json.decode(await request.body(), type=commands.BackupArguments)
        return Response(msgspec.json.encode(await asyncio.to_thread(commands.run_backup, store, given)))

    return [
        Route(f"{PREFIX}/owner", guarded(who)),
        Route(f"{PREFIX}/ingest", guarded(ingest), methods=["POST"]),
        Route(f"{PREFIX}/rates", guarded(rates), methods=["POST"]),
        Route(f"{PREFIX}/compare", guarded(compare), methods=["POST"]),
        Route(f"{PREFIX}/ask", guarded(ask), methods=["POST"]),
        Route(f"{PREFIX}/servable", guarded(servable), methods=["POST"]),
        Route(f"{PREFIX}/export", guarded(export), methods=["POST"]),
        Route(f"{PREFIX}/compact", guarded(compact), methods=["POST"]),
        Route(f"{PREFIX}/backup", guarded(backup), methods=["POST"]),
    ]


def _ingest_lines(store: Store, given: commands.IngestArguments) -> Iterator[bytes]:
    """Do an ingest in a thread; yield its progress, then its report or its error, a JSON object a line.

    The ingest goes on to its end also when the command that asked for it is gone.
    """
    told: queue.Queue[dict[str, Any] | None] = queue.Queue()

    def work() -> None:
        try:
            report = commands.run_ingest(
                store, given, lambda done, total, path: told.put({"done": done, "total": total, "path": path})
            )
            told.put({"report": msgspec.to_builtins(report)})
        except DriftlineError as error:
            told.put({"error": str(error)})
        except Exception as error:  # the command that waits must hear of it
            logger.exception("An ingest that was handed over failed.")
            told.put({"error": f"The ingest failed: {error!r}. The dashboard's terminal has the details."})
        finally:
            told.put(None)

    threading.Thread(target=work, name="driftline-ingest", daemon=True).start()
    while (line := told.get()) is not None:
        yield json.dumps(line).encode() + b"\n"
