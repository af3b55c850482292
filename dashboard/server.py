"""The process that owns a store: it serves the pages, does what other commands hand it, and watches the folder."""

from __future__ import annotations

import asyncio
import hmac
import importlib
import json
import logging
import os
import queue
import socket
import threading
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from streamlit.errors import StreamlitSecretNotFoundError

from dashboard import commands, runtime
from dashboard.handover import HOST, PREFIX, Owner, leave_note, remove_note
from dashboard.probe.endpoints import Declared
from dashboard.probe.service import ProbeService
from dashboard.serving import notes
from loaders.errors import DriftlineError
from loaders.store import Store
from loaders.watch import Watcher

logger = logging.getLogger(__name__)

APP = Path(__file__).with_name("app.py")
THEME = Path(__file__).with_name("theme.toml")
PAGES_NEED = (
    "dashboard.charts.curves",
    "dashboard.charts.panels",
    "dashboard.queries.samples",
    "dashboard.queries.transcript",
)
FIRST_PORT = 8501
PORTS_TRIED = 100


def free_port(wanted: int | None) -> int:
    """A port to serve on: the one that is wanted, else the first free one from 8501 on.

    Raises:
        DriftlineError: The wanted port is taken.
    """
    for port in [wanted] if wanted is not None else range(FIRST_PORT, FIRST_PORT + PORTS_TRIED):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    tried = f"Port {wanted} is" if wanted is not None else f"Ports {FIRST_PORT} to {FIRST_PORT + PORTS_TRIED - 1} are"
    raise DriftlineError(f"{tried} in use. Choose another with --port N.")


def serve(store: Store, port: int, watched: list[Path], declared: Declared, ready: Callable[[str], None]) -> None:
    """Serve the pages on 127.0.0.1 until interrupted.

    Args:
        store: Open; the caller closes it.
        watched: Folders whose new and changed files come in by themselves.
        declared: The endpoints that may be asked; servers of `driftline serve` come to them by themselves.
        ready: Called with the address once the server answers.
    """
    path = Path(store.path)
    probes = ProbeService(store, lambda: notes.joined(declared, notes.served()), key_of)
    runtime.use(store, probes)
    # What the pages need is imported before the first reader comes, who would wait for it.
    for module in PAGES_NEED:
        importlib.import_module(module)
    owner = leave_note(path, port)
    watcher = Watcher(watched, store)

    @asynccontextmanager
    async def lifespan(_app: st.App) -> AsyncIterator[None]:
        watcher.start()
        # The socket is bound a moment after the lifespan begins.
        announcing = asyncio.get_running_loop().call_later(0.2, ready, f"http://{HOST}:{port}")
        yield
        announcing.cancel()
        await asyncio.to_thread(watcher.stop)

    app = st.App(APP, routes=routes(store, owner), lifespan=lifespan)
    try:
        app.run(config={**_theme(), **_options(port)})
    finally:
        remove_note(path, owner)
        runtime.use(None)
        probes.close()


def key_of(name: str) -> str | None:
    """A key by its name: of a server of `driftline serve`, an environment variable, a Streamlit secret; else None."""
    found = notes.key_of(name) or os.environ.get(name)
    if found:
        return found
    try:
        secret = st.secrets.get(name)
    except StreamlitSecretNotFoundError:
        return None
    return secret if isinstance(secret, str) and secret else None


def _options(port: int) -> dict[str, Any]:
    return {
        "server.address": HOST,
        "server.port": port,
        "server.headless": True,
        "server.fileWatcherType": "none",
        "server.runOnSave": False,
        "browser.gatherUsageStats": False,
        "logger.hideWelcomeMessage": True,
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        # No links to search engines with an error's text in them, and no magic that shows what stands alone in a page.
        "client.showErrorLinks": False,
        "runner.magicEnabled": False,
    }


def _theme() -> dict[str, Any]:
    """The theme file as flat options: Streamlit looks for a config beside the program that was started."""
    return dict(_flat("", tomllib.loads(THEME.read_text(encoding="utf-8"))))


def _flat(prefix: str, table: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{name}.", value)
        else:
            yield prefix + name, value


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
        frame = await asyncio.to_thread(commands.run_rates, store, given)
        return Response(json.dumps(commands.records(frame, commands.RATE_COLUMNS)), media_type="application/json")

    async def compare(request: Request) -> Response:
        given = msgspec.json.decode(await request.body(), type=commands.CompareArguments)
        found = await asyncio.to_thread(commands.run_compare, store, given)
        return Response(json.dumps(found), media_type="application/json")

    async def servable(_request: Request) -> Response:
        return Response(msgspec.json.encode(await asyncio.to_thread(commands.run_servable, store)))

    async def export(request: Request) -> Response:
        given = msgspec.json.decode(await request.body(), type=commands.ExportArguments)
        return Response(await asyncio.to_thread(commands.run_export, store, given))

    return [
        Route(f"{PREFIX}/owner", guarded(who)),
        Route(f"{PREFIX}/ingest", guarded(ingest), methods=["POST"]),
        Route(f"{PREFIX}/rates", guarded(rates), methods=["POST"]),
        Route(f"{PREFIX}/compare", guarded(compare), methods=["POST"]),
        Route(f"{PREFIX}/servable", guarded(servable), methods=["POST"]),
        Route(f"{PREFIX}/export", guarded(export), methods=["POST"]),
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
