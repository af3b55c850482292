"""Runs inside vLLM, in its own Python: asks for the key on every path.

By itself vLLM asks for it below /v1 only, and /invocations, /tokenize and others answer anybody on this computer.
"""

import hmac
import os


class KeyEverywhere:
    """ASGI middleware: 401 without the key, but for /health."""

    def __init__(self, app):
        self.app = app
        self.wanted = b"Bearer " + os.environ["VLLM_API_KEY"].encode()

    async def __call__(self, scope, receive, send):
        """Let a request through, or turn it away."""
        if scope["type"] not in ("http", "websocket") or scope["path"] == "/health":
            return await self.app(scope, receive, send)
        given = dict(scope["headers"]).get(b"authorization", b"")
        if hmac.compare_digest(given, self.wanted):
            return await self.app(scope, receive, send)
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})
        start = {"type": "http.response.start", "status": 401, "headers": [(b"content-type", b"application/json")]}
        await send(start)
        return await send({"type": "http.response.body", "body": b'{"error": "Unauthorized"}'})
