"""Server-sent events as bytes, and the reading of a reply from them within the time that its endpoint allows.

The makers' clients send the requests; the events are decoded here, since theirs build an object of many fields for
each token (some 90 µs, here 5), and take any JSON for an event: a server's `"choices": 7` would surface anywhere.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Any, Protocol, TypeVar

import httpx2
import msgspec
from msgspec import Struct

from dashboard.probe.clients.failures import Failures
from dashboard.probe.clients.patience import Patience
from dashboard.probe.redaction import Flow
from dashboard.probe.replies import ClientError, Finish, Piece, PieceKind

LARGEST_EVENT = 32 * 2**20
"""Bytes of one event; a server that never ends one would fill the memory."""
MOST_OF_AN_ANSWER = 2**16
"""Bytes that are read of an answer that is no stream."""

T = TypeVar("T")


class Event(Struct, frozen=True):
    """One event: its name, and its data as bytes."""

    name: str
    data: bytes


class Reader(Protocol):
    """Reads the events of one protocol, in order."""

    def feed(self, event: Event) -> list[Piece] | None:
        """The pieces that an event holds, perhaps none; None where nothing of the reply is in it (a ping).

        Raises:
            ClientError: It tells an error, or is not what the protocol says.
        """
        ...

    def whole(self, body: bytes) -> list[Piece] | None:
        """The pieces of a reply that came in one piece, from a server that ignores `stream`; None where it is none.

        Raises:
            ClientError: As `feed`.
        """
        ...

    @property
    def told_end(self) -> bool:
        """Whether the server told that the reply is whole."""
        ...

    @property
    def told_all(self) -> bool:
        """Whether nothing more is to be read."""
        ...

    def finish(self) -> Finish:
        """The end, as far as it was told."""
        ...


class Answer(Protocol):
    """A response whose body has not been read; the makers' clients both have it."""

    @property
    def headers(self) -> httpx2.Headers: ...  # noqa: D102

    def iter_bytes(self, chunk_size: int | None = None) -> AsyncGenerator[bytes, None]: ...  # noqa: D102


Ask = Callable[[], AbstractAsyncContextManager[Any]]
"""Gives a context manager that sends the request on entering; its target is an `Answer`."""


def decode(data: bytes, decoder: msgspec.json.Decoder[T], failures: Failures) -> T:
    """The JSON of an event.

    Raises:
        ClientError: `bad_data`.
    """
    try:
        return decoder.decode(data)
    except UnicodeDecodeError as e:
        raise failures.garbled(f"an event of its reply is not UTF-8 ({e.reason})", data) from None
    except (msgspec.MsgspecError, RecursionError) as e:
        raise failures.garbled(f"an event of its reply is not what the protocol says ({e})", data) from None


async def reply(ask: Ask, reader: Reader, failures: Failures, model: str) -> AsyncGenerator[Piece | Finish, None]:
    """Pieces as they arrive, then the end. Closing the iterator closes the connection.

    Args:
        ask: Gives what sends the request on entering, and then is an `Answer`.
        reader: Of its events.
        failures: Makes the errors.
        model: Asked for; named in errors.
    """
    endpoint = failures.endpoint
    clean = _Clean(failures)
    failure: ClientError | None = None
    begun = False
    async with (
        aclosing(Patience(endpoint.first_token_s)) as patience,
        aclosing(_progress(ask, reader, failures)) as progress,
    ):
        while failure is None:
            try:
                pieces = await patience.next(progress, endpoint.silence_s if begun else None)
            except StopAsyncIteration:
                break
            except TimeoutError:
                failure = failures.silent(endpoint.silence_s if begun else endpoint.first_token_s, begun)
            except Exception as e:  # noqa: BLE001  whatever the clients raise becomes an error of this endpoint
                failure = failures.of(e, model)
            else:
                begun = True
                for piece in pieces:
                    for cleaned in clean.feed(piece):
                        yield cleaned
    for cleaned in clean.rest():
        yield cleaned
    if failure is not None and not (reader.told_end and failure.kind in ("broken", "timeout")):
        raise failure
    if not reader.told_end:
        raise failures.broken()
    end = reader.finish()
    redact = failures.redact
    yield Finish(
        stop_reason=None if end.stop_reason is None else redact(end.stop_reason),
        served_model=None if end.served_model is None else redact(end.served_model),
        input_tokens=end.input_tokens,
        output_tokens=end.output_tokens,
    )


async def _progress(ask: Ask, reader: Reader, failures: Failures) -> AsyncGenerator[list[Piece], None]:
    """The pieces of each event that is part of the reply."""
    async with ask() as answer:
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "text/event-stream":
            yield await _no_stream(answer, kind, reader, failures)
            return
        decoder = EventDecoder(failures)
        async with aclosing(answer.iter_bytes()) as chunks:
            async for chunk in chunks:
                for event in decoder.feed(chunk):
                    pieces = reader.feed(event)
                    if pieces is not None:
                        yield pieces
                    if reader.told_all:
                        return


async def _no_stream(answer: Answer, kind: str, reader: Reader, failures: Failures) -> list[Piece]:
    """The pieces of an answer that is no stream, or does not say so: a whole reply, or events by another name.

    Raises:
        ClientError: An error that it tells itself, or that it is neither.
    """
    most = MOST_OF_AN_ANSWER if kind == "text/html" else LARGEST_EVENT
    parts = bytearray()
    async for chunk in answer.iter_bytes():
        parts += chunk
        if len(parts) > most:
            break
    body = bytes(parts)
    try:
        error = msgspec.json.decode(body, type=dict[str, Any]).get("error")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        error = None
    if error:
        raise failures.told(error)
    if body.lstrip().startswith(EVENTS):
        pieces: list[Piece] = []
        for event in EventDecoder(failures).feed(body.lstrip() + b"\n\n"):
            pieces += reader.feed(event) or []
            if reader.told_all:
                break
        return pieces
    whole = reader.whole(body)
    if whole is not None:
        return whole
    raise failures.garbled(
        f"answered with {failures.redact(kind) or 'data of no kind'} instead of a stream of events", body
    )


EVENTS = (b"data:", b"event:")
"""How events begin, under whichever type of content they come."""


class EventDecoder:
    """Splits bytes into events, however they are cut into chunks."""

    def __init__(self, failures: Failures) -> None:
        self._failures = failures
        self._buffer = bytearray()
        self._name = ""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """The events that end within this chunk."""
        self._buffer += chunk
        if b"\n" not in chunk and b"\r" not in chunk:
            self._check(len(self._buffer))
            return
        # A carriage return at the very end may be the first half of a line's end.
        ready = len(self._buffer) - (1 if self._buffer.endswith(b"\r") else 0)
        lines = bytes(self._buffer[:ready]).splitlines(keepends=True)
        rest = bytes(self._buffer[ready:])
        if lines and not lines[-1].endswith((b"\n", b"\r")):
            rest = lines.pop() + rest
        self._buffer = bytearray(rest)
        for line in lines:
            event = self._line(line.rstrip(b"\r\n"))
            if event is not None:
                yield event

    def _line(self, line: bytes) -> Event | None:
        if not line:
            event = Event(self._name, b"\n".join(self._data)) if self._data else None
            self._name, self._data, self._size = "", [], 0
            return event
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._size += len(value)
            self._check(self._size)
            self._data.append(value)
        elif field == b"event":
            self._name = value.decode("utf-8", "replace")
        return None

    def _check(self, size: int) -> None:
        if size > LARGEST_EVENT:
            raise self._failures.garbled(f"an event of its reply is larger than {LARGEST_EVENT // 2**20} MB")


class _Clean:
    """Takes the key out of pieces: a hostile server may send it back, in parts too."""

    def __init__(self, failures: Failures) -> None:
        self._redact = failures.redact
        self._kind: PieceKind = "text"
        self._flow = Flow(failures.redact)

    def feed(self, piece: Piece) -> Iterator[Piece]:
        if piece.kind != self._kind:
            yield from self.rest()
            self._kind = piece.kind
        if piece.kind == "tool_call":
            yield Piece("tool_call", self._redact(piece.text))
        elif text := self._flow.feed(piece.text):
            yield Piece(piece.kind, text)

    def rest(self) -> Iterator[Piece]:
        if rest := self._flow.rest():
            yield Piece(self._kind, rest)
