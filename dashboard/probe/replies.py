"""What comes back: the pieces of a stream, its end, and what went wrong in the words of whoever can put it right."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from loaders.errors import DriftlineError

PieceKind = Literal["text", "reasoning", "tool_call", "note"]
"""A `tool_call` piece holds one whole call: the JSON of an `asked.ToolCall`. A `note` is ours: how it was asked."""

ErrorKind = Literal[
    "refused",  # no connection: nobody listens, or the name does not resolve
    "unauthorised",  # 401, 403: the key is missing or wrong
    "not_found",  # 404: no such model or path
    "bad_request",  # 400, 413, 422: the server does not take this prompt or setting
    "rate_limited",  # 429
    "overloaded",  # 503, 529
    "server_error",  # other 5xx, and errors told within a stream
    "timeout",  # silence for longer than the endpoint allows
    "broken",  # the stream ended before its end was told
    "bad_data",  # bytes that are no UTF-8, or no events of the protocol
    "cut",  # a verdict that ended at its limit of tokens
    "unsupported",  # this server or protocol can't do what was asked
]

Status = Literal["waiting", "asking", "streaming", "complete", "stopped", "failed", "interrupted"]
"""Of a reply. `interrupted`: the process that asked ended before the reply did."""

RETRIED: frozenset[str] = frozenset({"rate_limited", "overloaded"})
"""Errors after which the same request may succeed by itself, if nothing of the reply has come yet."""


class Piece(Struct, frozen=True):
    """A part of a reply, in the order of the stream."""

    kind: PieceKind
    text: str


class Finish(Struct, frozen=True, omit_defaults=True):
    """The end of a reply, as the server told it. Tokens are None where it did not count them."""

    stop_reason: str | None = None
    served_model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


class ClientError(DriftlineError):
    """A request that failed.

    Attributes:
        kind: What went wrong.
        status: The HTTP status; None where there was none.
        retry_after: Seconds that the server asks to wait.
    """

    def __init__(
        self, kind: ErrorKind, message: str, *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.kind: ErrorKind = kind
        self.status = status
        self.retry_after = retry_after
