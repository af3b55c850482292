"""A small real HTTP server that plays both protocols, well and badly, as it is told; and keeps what it was sent.

A script is a list of beats (`Text("a")`, `Pause(1)`, `Drop()`), told in the words of whichever protocol is spoken.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import SystemRandom
from typing import Any

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True)
class Thought:
    text: str
    field: str = "reasoning"


@dataclass(frozen=True)
class Call:
    """A tool call, its arguments in parts."""

    id: str
    name: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Pause:
    seconds: float


@dataclass(frozen=True)
class Held:
    """What comes after it comes when the test says so: however slow the machine is, not before."""

    until: threading.Event


@dataclass(frozen=True)
class Ping:
    """A sign of life that is no part of the reply."""


@dataclass(frozen=True)
class Raw:
    """Bytes as they are."""

    data: bytes


@dataclass(frozen=True)
class Drop:
    """The connection is cut, as when the process is killed: a TCP reset."""


@dataclass(frozen=True)
class Close:
    """The connection is closed before the end that HTTP itself would tell."""


@dataclass(frozen=True)
class Fault:
    """An error told within the stream."""

    type: str = "overloaded_error"
    message: str = "Overloaded"
    code: int | None = None


@dataclass(frozen=True)
class End:
    reason: str = "stop"
    read: int = 7
    written: int = 3


Beat = Text | Thought | Call | Pause | Held | Ping | Raw | Drop | Close | Fault | End


@dataclass(frozen=True)
class Refusal:
    """An answer with an error's status; `body` of None is an error in the protocol's words."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    message: str = "no"
    body: bytes | None = None


@dataclass(frozen=True)
class Seen:
    """A request that came."""

    path: str
    headers: dict[str, str]
    query: dict[str, str]
    body: Any


@dataclass
class ProbeServer:
    """What the server says, and what it was sent."""

    scripts: dict[str, list[Beat] | Refusal] = field(default_factory=dict)
    otherwise: list[Beat] | Refusal = field(default_factory=lambda: [Text("Hello"), Text(" there."), End()])
    turns: dict[str, list[list[Beat] | Refusal]] = field(default_factory=dict)
    """What a model says to its first request, to its second one; then its script."""
    models: list[dict[str, Any]] = field(default_factory=lambda: [{"id": "base"}])
    listing: Refusal | bytes | None = None
    """What /v1/models answers instead of the models."""
    listing_pause: float = 0.0
    page: int = 1000
    tokens: dict[str, list[int]] = field(default_factory=dict)
    """What /tokenize answers, by the last text in the request; 404 where there are none at all."""
    logprobs: list[Any] | None = None
    seen: list[Seen] = field(default_factory=list)
    open_streams: int = 0
    most_open: int = 0
    cancelled: int = 0
    """Streams that the client ended."""
    echoing: bool = False
    """Send back, in all that is said, the key that a request came with."""
    first_sent: dict[str, float] = field(default_factory=dict)
    """When each model's first word was sent, by time.time()."""
    port: int = 0

    def begin_anew(self) -> None:
        """Nothing is said, and nothing noted; what is still being sent goes on."""
        new = ProbeServer(port=self.port)
        self.__dict__.update({name: value for name, value in vars(new).items() if name != "open_streams"})

    @property
    def asked(self) -> list[Seen]:
        """The requests for replies."""
        return [seen for seen in self.seen if seen.path in ("/v1/chat/completions", "/v1/messages")]

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def url(self, protocol: str) -> str:
        return self.root + ("/v1" if protocol == "openai" else "")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        data = await request.body()
        body = json.loads(data) if data else None
        self.seen.append(Seen(request.url.path, dict(request.headers), dict(request.query_params), body))
        match request.url.path:
            case "/v1/models":
                await asyncio.sleep(self.listing_pause)
                await self._list(request)(scope, receive, send)
            case "/v1/chat/completions":
                await self._play(OpenAIWords(body["model"]), scope, receive, send)
            case "/v1/messages":
                await self._play(AnthropicWords(body["model"]), scope, receive, send)
            case "/tokenize" if self.tokens:
                text = body.get("prompt") or body["messages"][-1]["content"]
                await JSONResponse({"tokens": self.tokens[text]})(scope, receive, send)
            case "/v1/completions" if self.logprobs is not None:
                answer = {"choices": [{"text": "", "prompt_logprobs": self.logprobs}]}
                await JSONResponse(answer)(scope, receive, send)
            case "/v1/completions":
                await self._play(CompletionWords(body["model"]), scope, receive, send)
            case _:
                await JSONResponse({"detail": "Not Found"}, 404)(scope, receive, send)

    def _list(self, request: Request) -> Response:
        if isinstance(self.listing, bytes):
            return Response(self.listing, media_type="application/json")
        if self.listing is not None:
            return refused(self.listing, OpenAIWords(""))
        models = list(self.models)
        if self.echoing:
            key = key_in(request)
            models.append({"id": f"model-{key}", "parent": key, "root": f"/weights/{key}"})
        after = request.query_params.get("after") or request.query_params.get("after_id")
        ids = [model["id"] for model in models]
        start = ids.index(after) + 1 if after else 0
        rows = models[start : start + self.page]
        more = start + self.page < len(ids)
        return JSONResponse({"data": rows, "has_more": more, "last_id": rows[-1]["id"] if rows else None})

    async def _play(self, words: Words, scope: Any, receive: Any, send: Any) -> None:
        script = self.scripts.get(words.model, self.otherwise)
        if self.turns.get(words.model):
            script = self.turns[words.model].pop(0)

        async def say(data: bytes, more: bool = True) -> None:
            await send({"type": "http.response.body", "body": data, "more_body": more})

        if self.echoing:
            key = key_in(Request(scope))
            script = with_key(script, key)
        if isinstance(script, Refusal):
            await refused(script, words)(scope, receive, send)
            return
        headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        self.open_streams += 1
        self.most_open = max(self.most_open, self.open_streams)
        gone = asyncio.ensure_future(left(receive))
        try:
            await say(words.opening())
            for beat in script:
                match beat:
                    case Pause():
                        await asyncio.wait([gone], timeout=beat.seconds)
                    case Held():
                        while not (beat.until.is_set() or gone.done()):
                            await asyncio.wait([gone], timeout=0.01)
                    case Drop():
                        receive.__self__.transport.abort()
                        return
                    case Close():
                        receive.__self__.transport.close()
                        return
                    case _:
                        if isinstance(beat, Text | Thought):
                            self.first_sent.setdefault(words.model, time.time())
                        for data in words.tell(beat):
                            await say(data)
                if gone.done():
                    self.cancelled += 1
                    return
            await say(b"", more=False)
        finally:
            self.open_streams -= 1
            gone.cancel()


def key_in(request: Request) -> str:
    """The key that a request came with."""
    return request.headers.get("authorization", "").removeprefix("Bearer ") or request.headers.get("x-api-key", "")


def with_key(script: list[Beat] | Refusal, key: str) -> list[Beat] | Refusal:
    """A script in which the key stands wherever it can: whole, in two pieces, in names, in reasons, in headers."""
    half = len(key) // 2
    if isinstance(script, Refusal):
        headers = {**script.headers, "x-key": key, "www-authenticate": f"Bearer {key}"}
        return Refusal(script.status, headers, f"{script.message}: the key {key} of Bearer {key}", script.body)
    more: list[Beat] = [
        Text(f"<{key}> "), Text(key[:half]), Text(key[half:]), Thought(key), Thought(key[:3]), Thought(key[3:]),
        Call(key, f"tool_{key}", (f'{{"key": "{key[:half]}', f'{key[half:]}"}}')),
    ]  # fmt: skip
    return [*more, *(told_with_key(beat, key) for beat in script)]


def told_with_key(beat: Beat, key: str) -> Beat:
    match beat:
        case Fault():
            return Fault(beat.type, f"{beat.message} {key}", beat.code)
        case End():
            return End(f"{beat.reason} {key}", beat.read, beat.written)
        case Raw():
            return Raw(beat.data.replace(b"KEY", key.encode()))
    return beat


async def left(receive: Any) -> None:
    """Returns when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


class Words:
    """How a protocol tells beats."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.index = 0

    def opening(self) -> bytes:
        raise NotImplementedError

    def tell(self, beat: Beat) -> list[bytes]:
        raise NotImplementedError

    def refusal(self, message: str) -> Any:
        raise NotImplementedError


class OpenAIWords(Words):
    def opening(self) -> bytes:
        return self.chunk({"role": "assistant", "content": ""})

    def chunk(self, delta: dict[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return event({"id": "chatcmpl-1", "model": self.model, "choices": [choice]})

    def tell(self, beat: Beat) -> list[bytes]:
        match beat:
            case Text():
                return [self.chunk({"content": beat.text})]
            case Thought():
                return [self.chunk({beat.field: beat.text})]
            case Call():
                index, self.index = self.index, self.index + 1
                first: dict[str, Any] = {"id": beat.id, "function": {"name": beat.name, "arguments": ""}}
                parts = [first, *({"function": {"arguments": part}} for part in beat.parts)]
                return [self.chunk({"tool_calls": [{"index": index, **part}]}) for part in parts]
            case Ping():
                return [b": still here\n\n"]
            case Fault():
                error = {"message": beat.message, "type": beat.type, "code": beat.code}
                return [event({"error": error}), b"data: [DONE]\n\n"]
            case End():
                usage = {"prompt_tokens": beat.read, "completion_tokens": beat.written}
                return [self.chunk({}, beat.reason), event({"choices": [], "usage": usage}), b"data: [DONE]\n\n"]
            case Raw():
                return [beat.data]
        raise TypeError(beat)

    def refusal(self, message: str) -> Any:
        return {"error": {"message": message, "type": "error", "code": None}}


class CompletionWords(OpenAIWords):
    """Of a plain completion."""

    def chunk(self, delta: dict[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": 0, "text": delta.get("content", ""), "finish_reason": reason}
        return event({"id": "cmpl-1", "model": self.model, "choices": [choice]})


class AnthropicWords(Words):
    def opening(self) -> bytes:
        message = {"id": "msg_1", "model": self.model, "usage": {"input_tokens": 1, "output_tokens": 1}}
        return event({"type": "message_start", "message": message})

    def block(self, kind: dict[str, Any], deltas: list[dict[str, Any]]) -> list[bytes]:
        index, self.index = self.index, self.index + 1
        return [
            event({"type": "content_block_start", "index": index, "content_block": kind}),
            *(event({"type": "content_block_delta", "index": index, "delta": delta}) for delta in deltas),
            event({"type": "content_block_stop", "index": index}),
        ]

    def tell(self, beat: Beat) -> list[bytes]:
        match beat:
            case Text():
                return self.block({"type": "text", "text": ""}, [{"type": "text_delta", "text": beat.text}])
            case Thought():
                delta = {"type": "thinking_delta", "thinking": beat.text}
                signed = {"type": "signature_delta", "signature": "xyz"}
                return self.block({"type": "thinking", "thinking": "", "signature": ""}, [delta, signed])
            case Call():
                deltas = [{"type": "input_json_delta", "partial_json": part} for part in beat.parts]
                return self.block({"type": "tool_use", "id": beat.id, "name": beat.name, "input": {}}, deltas)
            case Ping():
                return [event({"type": "ping"})]
            case Fault():
                return [event({"type": "error", "error": {"type": beat.type, "message": beat.message}})]
            case End():
                usage = {"input_tokens": beat.read - 2, "cache_read_input_tokens": 2, "output_tokens": beat.written}
                delta = {"stop_reason": beat.reason}
                return [
                    event({"type": "message_delta", "delta": delta, "usage": usage}),
                    event({"type": "message_stop"}),
                ]
            case Raw():
                return [beat.data]
        raise TypeError(beat)

    def refusal(self, message: str) -> Any:
        return {"type": "error", "error": {"type": "some_error", "message": message}}


def event(value: dict[str, Any]) -> bytes:
    name = f"event: {value['type']}\n" if "type" in value else ""
    return f"{name}data: {json.dumps(value)}\n\n".encode()


def refused(refusal: Refusal, words: Words) -> Response:
    body = refusal.body if refusal.body is not None else json.dumps(words.refusal(refusal.message)).encode()
    return Response(body, refusal.status, refusal.headers, "application/json")


def free_port() -> int:
    """A port on which nobody listens, to be taken later: none of those that connections are given meanwhile."""
    while True:
        port = SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as trying:
            try:
                trying.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def listening() -> tuple[socket.socket, int]:
    """A socket that holds a free port of this machine from now on, and the port."""
    held = socket.create_server(("127.0.0.1", 0))
    return held, int(held.getsockname()[1])


@contextmanager
def probe_server(**settings: Any) -> Iterator[ProbeServer]:
    """The server on a free port of this machine, in a thread of its own."""
    held, port = listening()
    app = ProbeServer(port=port, **settings)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, args=([held],), daemon=True)
    thread.start()
    deadline = time.monotonic() + 180
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.01)
    try:
        yield app
    finally:
        server.should_exit = True
        thread.join(10)


def main(words: int, pause: float) -> None:
    """The server as a process of its own, which prints its port: each model says so many words, a pause before each."""
    held, port = listening()
    script: list[Beat] = [beat for at in range(words) for beat in (Pause(pause), Text(f"word{at} "))]
    app = ProbeServer(port=port, otherwise=[*script, End(written=words)])
    app.models = [{"id": f"m{at}"} for at in range(8)]
    print(port, flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off")).run([held])


@contextmanager
def server_process(words: int, pause: float) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The server in a process that can be killed; its port, on which it listens, and the process."""
    command = [sys.executable, "-m", "tests.probe_server", str(words), str(pause)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout
    try:
        port = process.stdout.readline()
        assert port, f"the server ended with {process.wait()}"
        yield int(port), process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
