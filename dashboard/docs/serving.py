"""The rendered site on 127.0.0.1: what is in it, by its path, and nothing else."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from dashboard.docs.contents import HOME
from loaders.errors import DriftlineError

HOST = "127.0.0.1"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
    # Pages load nothing from elsewhere; the browser holds them to it.
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}


PLACE = "docs"
"""Where the site lies beside the pages."""


def found(files: Mapping[str, bytes], path: str) -> tuple[HTTPStatus, dict[str, str], bytes]:
    """What a browser gets that asks for a path: status, headers and content."""
    path = path.lstrip("/") or f"{HOME}.html"
    content = files.get(path)
    kind = "text/plain" if content is None else mimetypes.guess_type(path)[0] or "application/octet-stream"
    kind += "; charset=utf-8" if kind.startswith("text/") else ""
    if content is None:
        return HTTPStatus.NOT_FOUND, {**HEADERS, "Content-Type": kind}, b"There is no such page.\n"
    return HTTPStatus.OK, {**HEADERS, "Content-Type": kind}, content


def server(files: Mapping[str, bytes], port: int) -> ThreadingHTTPServer:
    """A server of these files that is bound already, and not running yet.

    Args:
        files: Content by path.
        port: 0 for any that is free.

    Raises:
        DriftlineError: The port is in use.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def log_message(self, *_: object) -> None:
            """Say nothing: the terminal is the reader's."""

        def _answer(self, *, with_body: bool) -> None:
            status, headers, content = found(files, unquote(urlsplit(self.path).path))
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if with_body:
                self.wfile.write(content)

    try:
        return ThreadingHTTPServer((HOST, port), Handler)
    except OSError as error:
        raise DriftlineError(f"Port {port} is in use. Choose another with --port N.") from error
