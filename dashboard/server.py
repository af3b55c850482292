"""The process that owns a store: it serves the pages, does what other commands hand it, and watches the folder."""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st
from starlette.middleware import Middleware

from dashboard import news, runtime
from dashboard.access import Policy
from dashboard.access.sign_in import address_to_open
from dashboard.charts.spec import stop_checking
from dashboard.docs.routes import routes as documentation
from dashboard.document import Document
from dashboard.handover import leave_note, reached_at, remove_note
from dashboard.probe.endpoints import Declared
from dashboard.probe.service import ProbeService
from dashboard.server_routes import routes
from dashboard.server_settings import auth_section, key_of, options
from dashboard.serving import notes
from loaders.errors import DriftlineError
from loaders.store import Store
from loaders.watch import Watcher

APP = Path(__file__).with_name("app.py")
PAGES_NEED = (
    "dashboard.charts.curves",
    "dashboard.charts.panels",
    "dashboard.queries.samples",
    "dashboard.queries.transcript",
)
FIRST_PORT = 8501
PORTS_TRIED = 100


LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the pages are served.

    Attributes:
        host: The IP address that is bound, or localhost.
        port: The port that is bound.
        base_path: The path that the pages lie under, without slashes at its ends; "" for none.
        open: Whether others may come without signing in, by whatever name their proxy or network gives this computer.
    """

    host: str
    port: int
    base_path: str = ""
    open: bool = False

    def url(self) -> str:
        """The address for a browser on this computer."""
        host = reached_at(self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/{self.base_path}".rstrip("/")

    def names(self) -> tuple[str, ...]:
        """The names by which browsers may ask for the pages; any where empty.

        On loopback only this computer's own: a page elsewhere can't get in by a name of its own that leads here.
        """
        return () if self.open else (*LOOPBACK_NAMES, self.host)


def free_port(wanted: int | None, host: str) -> int:
    """A port to serve on: the one that is wanted, else the first free one from 8501 on.

    Raises:
        DriftlineError: The wanted port is taken.
    """
    for port in [wanted] if wanted is not None else range(FIRST_PORT, FIRST_PORT + PORTS_TRIED):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    tried = f"Port {wanted} is" if wanted is not None else f"Ports {FIRST_PORT} to {FIRST_PORT + PORTS_TRIED - 1} are"
    raise DriftlineError(f"{tried} in use. Choose another with --port N.")


def serve(
    store: Store,
    place: Place,
    watched: list[Path],
    declared: Declared,
    access: Policy | None,
    parser: argparse.ArgumentParser,
    ready: Callable[[str], None],
) -> None:
    """Serve the pages until interrupted.

    Args:
        store: Open; the caller closes it.
        place: Where.
        watched: Folders whose new and changed files come in by themselves.
        declared: The endpoints that may be asked; servers of `driftline serve` come to them by themselves.
        access: Who may see what; None where nobody signs in.
        parser: Of all commands: the documentation tells of them.
        ready: Called with the address once the server answers.
    """
    probes = ProbeService(store, lambda: notes.joined(declared, notes.served()), key_of)
    runtime.use(store, probes, access)
    # What the pages need is imported before the first reader comes, who would wait for it.
    for module in PAGES_NEED:
        importlib.import_module(module)
    stop_checking()
    # Streamlit collects garbage after each run of a script or a part of it. Modules are no garbage: not looked through,
    # they save a tenth of a second each time.
    gc.collect()
    gc.freeze()
    watcher = Watcher(watched, store)
    url, names = place.url(), place.names()
    if access is not None:
        url = address_to_open(str(auth_section()["redirect_uri"]), place.port)
        names = (*LOOPBACK_NAMES, str(urlsplit(url).hostname))
    # Who needs a store that another owns finds the owner; where nobody owns it, everybody opens it.
    owner = leave_note(store.file, place.host, place.port, url) if store.file else None

    @asynccontextmanager
    async def lifespan(_app: st.App) -> AsyncIterator[None]:
        if watched:
            watcher.start()
        # The socket is bound a moment after the lifespan begins.
        announcing = asyncio.get_running_loop().call_later(0.2, ready, url)
        yield
        announcing.cancel()
        if watched:
            await asyncio.to_thread(watcher.stop)

    handed = routes(store, owner) if owner else []
    served = [*handed, *news.routes(place.base_path), *documentation(place.base_path, parser)]
    document = Middleware(Document, base_path=place.base_path)
    app = st.App(APP, routes=served, lifespan=lifespan, middleware=[document])
    try:
        app.run(config=options(place.host, place.port, place.base_path, names))
    finally:
        if store.file and owner:
            remove_note(store.file, owner)
        runtime.use(None)
        probes.close()
