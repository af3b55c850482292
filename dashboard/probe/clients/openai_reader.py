"""Reads the events of a streamed chat completion."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct, field

from dashboard.probe.asked import ToolCall
from dashboard.probe.clients.events import Event, decode
from dashboard.probe.clients.failures import Failures
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


class OpenAIReader:
    """Reads one reply. A tool call is given whole, when the next one begins or the reply ends."""

    def __init__(self, failures: Failures, model: str) -> None:
        self._failures = failures
        self._model = model
        self._calls: dict[int, _Call] = {}
        self._end = Finish()
        self._last = -1
        self.told_end = False
        self.told_all = False

    def feed(self, event: Event) -> list[Piece] | None:
        """See `events.Reader`."""
        if event.data == b"[DONE]":
            self.told_end = self.told_all = True
            return self._whole_calls()
        chunk = decode(event.data, _CHUNK, self._failures)
        if chunk.error is not None or event.name == "error":
            raise self._failures.told(chunk.error or "", self._model)
        self._note(chunk)
        choice = chunk.choices[0] if chunk.choices else None
        pieces = _texts(choice.delta) if choice is not None and choice.delta is not None else []
        parts = choice.delta.tool_calls or [] if choice is not None and choice.delta is not None else []
        for part in parts:
            pieces += self._part(part)
        ends = choice is not None and choice.finish_reason is not None
        if choice is not None and ends:
            pieces += self._whole_calls()
            self._end = msgspec.structs.replace(self._end, stop_reason=choice.finish_reason)
            self.told_end = True
        return pieces if pieces or parts or ends or self.told_end else None

    def finish(self) -> Finish:
        """See `events.Reader`."""
        return self._end

    def _note(self, chunk: _Chunk) -> None:
        if chunk.model is not None and self._end.served_model is None:
            self._end = msgspec.structs.replace(self._end, served_model=chunk.model)
        if chunk.usage is not None:
            read, written = chunk.usage.prompt_tokens, chunk.usage.completion_tokens
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


def _texts(delta: _Delta) -> list[Piece]:
    pieces = []
    if thought := delta.reasoning or delta.reasoning_content:
        pieces.append(Piece("reasoning", thought))
    if said := (delta.content or "") + (delta.refusal or ""):
        pieces.append(Piece("text", said))
    return pieces
