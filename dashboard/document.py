"""The HTML document that the pages run in: Streamlit's own, with what has to be there before its first line runs."""

from __future__ import annotations

import html
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard import rooms
from dashboard.docs.serving import PLACE as DOCUMENTATION
from dashboard.pages import ASKING, FILTERED, NAMED, PAGES

SCRIPTS = [Path(__file__).with_name(f"{name}.js") for name in ("history", "legend", "roles")]

LOOK = Path(__file__).with_name("look.css")

STREAMLITS_TITLE = "<title>Streamlit</title>"

SIDEBAR = (
    '<style id="dl-sidebar">@media (min-width: 769px) {'
    ' [data-testid="stAppViewContainer"]:not(:has([data-testid="stSidebar"])) { padding-left: 281.25px; } }</style>'
)
"""Keeps the sidebar's room until it is there, as wide as Streamlit makes it (18.75 rem, once its theme has said
how much that is); the script takes it away with the page."""

AS_IT_IS = ("accept-encoding", "if-none-match", "if-modified-since", "range")
"""Headers by which a browser asks for less than the whole text of a document."""


class Document:
    """Serves the document with our scripts in it, and says so where an address names no page.

    Streamlit answers every address that is no file with its document, and shows the first page there.
    """

    def __init__(self, app: ASGIApp, base_path: str = "") -> None:
        """Wrap an application.

        Args:
            app: What serves.
            base_path: The path that the pages lie under, without slashes at its ends.
        """
        self.app, self.base_path = app, base_path
        scripts = "".join(f"<script>{script.read_text(encoding='utf-8')}</script>" for script in SCRIPTS)
        self.head = (
            f"<title>Driftline</title><style>{LOOK.read_text(encoding='utf-8')}{rooms.styles()}</style>{scripts}"
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or "text/html" not in Headers(scope=scope).get("accept", ""):
            await self.app(scope, receive, send)
            return
        asked = [(name, value) for name, value in scope["headers"] if name.decode("latin-1") not in AS_IT_IS]
        start: Message | None = None
        body = b""
        documentation = self._name(scope).partition("/")[0] == DOCUMENTATION

        async def collect(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                if not documentation and _is_document(message):
                    start = message
                    return
            elif start is not None:
                body += message.get("body", b"")
                if not message.get("more_body", False):
                    await self._answer(start, body, scope, receive, send)
                return
            await send(message)

        await self.app({**scope, "headers": asked}, receive, collect)

    def _name(self, scope: Scope) -> str:
        """What an address names, behind the path that the pages lie under."""
        path: str = scope["path"]
        return path.strip("/").removeprefix(self.base_path).strip("/")

    async def _answer(self, start: Message, body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        name = self._name(scope)
        if name and name not in NAMED:
            await HTMLResponse(no_such_page(name), status_code=404)(scope, receive, send)
            return
        head = self.head + (SIDEBAR if name in FILTERED | ASKING else "")
        body = body.replace(STREAMLITS_TITLE.encode(), head.encode(), 1)
        headers = MutableHeaders(raw=list(start["headers"]))
        for stale in ("etag", "last-modified", "accept-ranges"):
            del headers[stale]
        if scope["method"] != "HEAD":
            headers["content-length"] = str(len(body))
        await send({**start, "headers": headers.raw})
        await send({"type": "http.response.body", "body": body})


def no_such_page(name: str) -> str:
    """What stands at an address that names no page.

    Args:
        name: The address, behind the path that the pages lie under.
    """
    up = "../" * name.count("/") or "./"
    items = "".join(
        f'<li><a href="{up}{page.name}">{page.title}</a>: {page.help}</li>' for page in PAGES if not page.for_admins
    )
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<title>No such page · Driftline</title><style>:root { color-scheme: light dark; }"
        " body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1rem;"
        " overflow-wrap: anywhere; }</style></head>"
        f"<body><main><h1>There is no page “{html.escape(name)}”</h1><p>These are the pages:</p>"
        f"<ul>{items}</ul></main></body></html>"
    )


def _is_document(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    return start["status"] == 200 and headers.get("content-type", "").startswith("text/html")
