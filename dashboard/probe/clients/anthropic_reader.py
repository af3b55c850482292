"""Reads the events of a streamed message of the Anthropic Messages API."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct, field

from dashboard.probe.asked import ToolCall
from dashboard.probe.clients.events import Event, decode
from dashboard.probe.clients.failures import Failures
from dashboard.probe.replies import Finish, Piece


class _Usage(Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None


class _Message(Struct):
    id: str | None = None
    model: str | None = None
    usage: _Usage | None = None


class _Block(Struct):
    type: str = ""
    text: str | None = None
    thinking: str | None = None
    id: str | None = None
    name: str | None = None
    input: Any = None


class _Whole(_Message):
    """A message in one piece, from a server that ignores `stream`."""

    type: str = ""
    content: list[_Block] = []
    stop_reason: str | None = None


class _Delta(Struct):
    type: str | None = None
    text: str | None = None
    thinking: str | None = None
    partial_json: str | None = None
    stop_reason: str | None = None


class _Content(Struct):
    """Any event of the protocol: which fields it has says its type."""

    type: str = ""
    message: _Message | None = None
    index: int = 0
    content_block: _Block | None = None
    delta: _Delta | None = None
    usage: _Usage | None = None
    error: Any = None


class _Call(Struct):
    """A tool call as far as it has come."""

    id: str
    name: str
    given: Any
    """Its input where it came at once."""
    parts: list[str] = field(default_factory=list)


_CONTENT = msgspec.json.Decoder(_Content)
_WHOLE = msgspec.json.Decoder(_Whole)

OF_VLLM = "chatcmpl-"
"""How ids of vLLM's messages begin."""


class AnthropicReader:
    """Reads one reply. A tool call is given whole, when its block ends.

    Args:
        failures: Makes the errors.
        model: Asked for; named in errors.
        prefilled: Whether the reply was begun for the model.
    """

    def __init__(self, failures: Failures, model: str, prefilled: bool) -> None:
        self._failures = failures
        self._model = model
        self._prefilled = prefilled
        self._calls: dict[int, _Call] = {}
        self._end = Finish()
        self._cached = 0
        self.told_end = False

    @property
    def told_all(self) -> bool:
        """See `events.Reader`."""
        return self.told_end

    def feed(self, event: Event) -> list[Piece] | None:
        """See `events.Reader`."""
        if event.name == "ping" or event.data.strip() in (b"", b"null"):
            return None
        content = decode(event.data, _CONTENT, self._failures)
        match content.type or event.name:
            case "message_start":
                self._start(content.message or _Message())
                return None
            case "content_block_start":
                return self._block(content.index, content.content_block or _Block())
            case "content_block_delta":
                return self._delta(content.index, content.delta or _Delta())
            case "content_block_stop":
                call = self._calls.pop(content.index, None)
                return [] if call is None else [_whole(call)]
            case "message_delta":
                self._count(content.usage)
                if content.delta is not None and content.delta.stop_reason is not None:
                    self._end = msgspec.structs.replace(self._end, stop_reason=content.delta.stop_reason)
                return []
            case "message_stop":
                self.told_end = True
                return [_whole(call) for call in self._calls.values()]
            case "error":
                raise self._failures.told(content.error or "", self._model)
        return None

    def whole(self, body: bytes) -> list[Piece] | None:
        """See `events.Reader`."""
        try:
            message = _WHOLE.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        if message.type != "message":
            return None
        self._start(message)
        self._end = msgspec.structs.replace(self._end, stop_reason=message.stop_reason)
        self.told_end = True
        pieces: list[Piece] = []
        for at, block in enumerate(message.content):
            pieces += self._block(at, block)
            pieces += [_whole(call) for call in self._calls.values()]
            self._calls.clear()
        return pieces

    def finish(self) -> Finish:
        """See `events.Reader`."""
        return self._end

    def _start(self, message: _Message) -> None:
        if self._prefilled and (message.id or "").startswith(OF_VLLM):
            raise self._failures.error("unsupported", VLLM_STARTS_ANEW)
        self._end = msgspec.structs.replace(self._end, served_model=message.model)
        self._count(message.usage)

    def _count(self, usage: _Usage | None) -> None:
        """Counts are running totals: the last ones hold. Tokens out of a cache were read too."""
        if usage is None:
            return
        if usage.input_tokens is not None:
            cached = (usage.cache_creation_input_tokens or 0) + (usage.cache_read_input_tokens or 0)
            self._end = msgspec.structs.replace(self._end, input_tokens=usage.input_tokens + cached)
        if usage.output_tokens is not None:
            self._end = msgspec.structs.replace(self._end, output_tokens=usage.output_tokens)

    def _block(self, index: int, block: _Block) -> list[Piece]:
        if block.type == "tool_use":
            self._calls[index] = _Call(block.id or "", block.name or "", block.input)
        return _texts(block.thinking, block.text)

    def _delta(self, index: int, delta: _Delta) -> list[Piece]:
        if delta.partial_json is not None and index in self._calls:
            self._calls[index].parts.append(delta.partial_json)
        return _texts(delta.thinking, delta.text)


def _texts(thinking: str | None, text: str | None) -> list[Piece]:
    pieces = [Piece("reasoning", thinking)] if thinking else []
    return pieces + ([Piece("text", text)] if text else [])


def _whole(call: _Call) -> Piece:
    arguments = "".join(call.parts) or msgspec.json.encode(call.given or {}).decode()
    return Piece("tool_call", msgspec.json.encode(ToolCall(call.id, call.name, arguments)).decode())


VLLM_STARTS_ANEW = (
    "vLLM's /v1/messages does not continue a reply that is begun (prefill), it starts a new one. "
    "Declare the same server with the openai protocol, or ask without prefill."
)
