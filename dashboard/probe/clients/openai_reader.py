"""Reads the events of a streamed chat completion."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from msgspec import Struct, field

from dashboard.probe.asked import ToolCall
from dashboard.probe.clients.events import Event, decode
from dashboard.probe.clients.failures import Failures
from dashboard.probe.clients.openai_dialects import Foreign, chunk_of, count
from dashboard.probe.replies import Finish, Piece


class _Function(Struct):
    name: str | None = None
    arguments: str | None = None


class _CallPart(Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Delta(Struct):
    content: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    """As older vLLM, llama.cpp and others call the same."""
    refusal: str | None = None
    tool_calls: list[_CallPart] | None = None


class _Choice(Struct):
    delta: _Delta | None = None
    message: _Delta | None = None
    """A whole reply, as servers give it that ignore `stream`."""
    text: str | None = None
    """Of a plain completion."""
    finish_reason: str | None = None


class _Usage(Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Chunk(Struct):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    model: str | None = None
    error: Any = None


class _Call(Struct):
    """A tool call as far as it has come."""

    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)


_CHUNK = msgspec.json.Decoder(_Chunk)
_ANY = msgspec.json.Decoder()

NOT_YET = (None, "", "null")
"""How servers say in the middle of a reply that it has not ended."""


class OpenAIReader:
    """Reads one reply. A tool call is given whole, when the next one begins or the reply ends."""

    def __init__(self, failures: Failures, model: str) -> None:
        self._failures = failures
        self._model = model
        self._calls: dict[int, _Call] = {}
        self._end = Finish()
        self._last = -1
        self._begun = False
        self.told_end = False
        self.told_all = False

    def feed(self, event: Event) -> list[Piece] | None:
        """See `events.Reader`."""
        data = event.data.strip()
        if data == b"[DONE]":
            self.told_end = self.told_all = True
            return self._whole_calls()
        if not data:
            return None
        chunk = self._chunk(data)
        # Some servers write an empty error beside each choice.
        if event.name == "error" or chunk.error or (chunk.error is not None and not chunk.choices):
            raise self._failures.told(chunk.error or "", self._model)
        self._note(chunk)
        choice = chunk.choices[0] if chunk.choices else None
        if choice is None:
            return [] if self.told_end else None
        # A whole message at the end of a stream says again what was said already.
        delta = choice.delta or (choice.message if not self._begun else None)
        pieces = _texts(delta) if delta is not None else [Piece("text", choice.text)] if choice.text else []
        parts = (delta.tool_calls or []) if delta is not None else []
        for part in parts:
            pieces += self._part(part)
        ends = choice.finish_reason not in NOT_YET
        if ends:
            pieces += self._whole_calls()
            self._end = msgspec.structs.replace(self._end, stop_reason=choice.finish_reason)
            self.told_end = True
        self._begun = self._begun or bool(pieces or parts)
        return pieces if pieces or parts or ends or self.told_end else None

    def whole(self, body: bytes) -> list[Piece] | None:
        """See `events.Reader`."""
        try:
            fields = msgspec.json.decode(body, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        if not fields.get("choices"):
            return None
        pieces = self.feed(Event("", body)) or []
        pieces += self._whole_calls()
        self.told_end = self.told_all = True
        return pieces

    def _chunk(self, data: bytes) -> _Chunk:
        """An event, in the protocol's words or in those of a server that writes it otherwise."""
        try:
            return _CHUNK.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            value = _with_infinity(data)
            value = decode(data, _ANY, self._failures) if value is None else value
        try:
            return msgspec.convert(chunk_of(value), _Chunk)
        except (Foreign, msgspec.MsgspecError) as e:
            failure = self._failures.garbled(f"an event of its reply is not what the protocol says ({e})", data)
        raise failure

    def finish(self) -> Finish:
        """See `events.Reader`."""
        return self._end

    def _note(self, chunk: _Chunk) -> None:
        if chunk.model is not None and self._end.served_model is None:
            self._end = msgspec.structs.replace(self._end, served_model=chunk.model)
        if chunk.usage is not None:
            read, written = count(chunk.usage.prompt_tokens), count(chunk.usage.completion_tokens)
            self._end = msgspec.structs.replace(self._end, input_tokens=read, output_tokens=written)

    def _part(self, part: _CallPart) -> list[Piece]:
        """Take in a part of a call; gives the calls before it, which are whole then."""
        index = part.index
        if index is None:
            # Some servers send whole calls without an index: a new id is a new call.
            last = self._calls.get(self._last)
            index = self._last if last is not None and part.id in (None, last.id) else self._last + 1
        done = self._whole_calls() if index > self._last and self._calls else []
        self._last = max(self._last, index)
        call = self._calls.setdefault(index, _Call())
        call.id = call.id or part.id or ""
        if part.function is not None:
            call.name = call.name or part.function.name or ""
            call.arguments.append(part.function.arguments or "")
        return done

    def _whole_calls(self) -> list[Piece]:
        whole = [ToolCall(call.id, call.name, "".join(call.arguments)) for _, call in sorted(self._calls.items())]
        self._calls.clear()
        return [Piece("tool_call", msgspec.json.encode(call).decode()) for call in whole]


def _with_infinity(data: bytes) -> Any:
    """An event that holds NaN or Infinity, as Python's servers write likelihoods; None for any other."""
    if not any(word in data for word in (b"NaN", b"Infinity")):
        return None
    try:
        value = json.loads(data)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):  # UnicodeEncodeError among them: half a character
        return None
    return value


def _texts(delta: _Delta) -> list[Piece]:
    pieces = []
    if thought := delta.reasoning or delta.reasoning_content:
        pieces.append(Piece("reasoning", thought))
    if said := (delta.content or "") + (delta.refusal or ""):
        pieces.append(Piece("text", said))
    return pieces
