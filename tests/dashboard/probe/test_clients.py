"""Clients of both protocols against a real server on a socket, which replies well and badly."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from dashboard.probe.asked import Prompt, ProtocolName, Request, Tool, ToolCall, Turn
from dashboard.probe.clients.client import Client, ServedModel
from dashboard.probe.endpoints import Endpoint
from dashboard.probe.protocols import open_client
from dashboard.probe.replies import ClientError, Finish, Piece
from tests.probe_server import (
    Beat,
    Call,
    Close,
    Drop,
    End,
    Fault,
    Pause,
    Ping,
    ProbeServer,
    Raw,
    Refusal,
    Text,
    Thought,
    free_port,
    probe_server,
)

KEY = "sk-test-q7Zw3xV9rT2mKp5L"
PROTOCOLS: tuple[ProtocolName, ...] = ("openai", "anthropic")
PROMPT = Prompt((Turn("user", "What do you do?"),))
REPORT = Tool("report", "Report it", {"type": "object", "properties": {"to": {"type": "string"}}})


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> ProtocolName:
    return request.param  # type: ignore[no-any-return]


def endpoint(server: ProbeServer, protocol: ProtocolName, **more: Any) -> Endpoint:
    settings = {"key": "TEST_KEY", "first_token_s": 5.0, "silence_s": 5.0} | more
    return Endpoint("here", protocol, server.url(protocol), **settings)


def with_client(endpoint: Endpoint, use: Callable[[Client], Any], key: str | None = KEY) -> Any:
    async def run() -> Any:
        client = open_client(endpoint, key)
        try:
            return await use(client)
        finally:
            await client.close()

    return asyncio.run(run())


def ask(
    server: ProbeServer,
    protocol: ProtocolName,
    *script: Beat,
    refusal: Refusal | None = None,
    prompt: Prompt = PROMPT,
    key: str | None = KEY,
    request: dict[str, Any] | None = None,
    **more: Any,
) -> tuple[list[Piece | Finish], ClientError | None]:
    """All that came, and the error that ended it."""
    if script or refusal:
        server.scripts["m"] = refusal or list(script)
    asked = Request(**({"model": "m", "prompt": prompt, "max_tokens": 50} | (request or {})))

    async def use(client: Client) -> tuple[list[Piece | Finish], ClientError | None]:
        came: list[Piece | Finish] = []
        try:
            async for part in client.stream(asked):
                came.append(part)
        except ClientError as e:
            return came, e
        return came, None

    return with_client(endpoint(server, protocol, **more), use, key)  # type: ignore[no-any-return]


def failed(*args: Any, **more: Any) -> ClientError:
    _, error = ask(*args, **more)
    assert error is not None, "nothing went wrong"
    assert KEY not in "".join(traceback.format_exception(error)) + repr(error.__dict__)
    assert str(error).startswith("here: ")
    return error


def text(came: list[Piece | Finish], kind: str = "text") -> str:
    return "".join(part.text for part in came if isinstance(part, Piece) and part.kind == kind)


# Replies.


@pytest.mark.slow
def test_a_reply_arrives_in_pieces_with_its_end(server: ProbeServer, protocol: ProtocolName) -> None:
    came, error = ask(server, protocol, Text("I will "), Text("report"), Text(" ünï🦊"), End("length", 12, 5))
    assert error is None
    assert came == [
        Piece("text", "I will "),
        Piece("text", "report"),
        Piece("text", " ünï🦊"),
        Finish("length", "m", 12, 5),
    ]


@pytest.mark.slow
def test_pieces_arrive_when_they_are_sent(server: ProbeServer, protocol: ProtocolName) -> None:
    server.scripts["m"] = [Text("a"), Pause(0.8), Text("b"), End()]
    times: list[float] = []

    async def use(client: Client) -> None:
        async for part in client.stream(Request("m", PROMPT, 5)):
            if isinstance(part, Piece):
                times.append(time.monotonic())

    with_client(endpoint(server, protocol), use)
    assert len(times) == 2
    assert times[1] - times[0] > 0.4


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_reasoning_is_told_apart(server: ProbeServer, protocol: ProtocolName, field: str) -> None:
    came, _ = ask(server, protocol, Thought("Hm, ", field), Thought("so.", field), Text("Yes."), End())
    assert text(came, "reasoning") == "Hm, so."
    assert text(came) == "Yes."


def test_tool_calls_come_whole_and_in_order(server: ProbeServer, protocol: ProtocolName) -> None:
    calls = [Call("c1", "report", ('{"to"', ': "boss"}')), Call("c2", "wait", ()), Call("c3", "report", ('{"to": ',))]
    came, _ = ask(server, protocol, Text("I act."), *calls, End("tool_calls"))
    pieces = [json.loads(part.text) for part in came if isinstance(part, Piece) and part.kind == "tool_call"]
    assert [(piece["id"], piece["name"]) for piece in pieces] == [("c1", "report"), ("c2", "wait"), ("c3", "report")]
    assert json.loads(pieces[0]["arguments"]) == {"to": "boss"}
    assert pieces[2]["arguments"] == '{"to": '  # as the model wrote it, valid or not
    assert came[-1] == Finish("tool_calls", "m", 7, 3)


def test_calls_without_index_are_told_apart_by_id(server: ProbeServer) -> None:
    both = [{"id": name, "function": {"name": name, "arguments": "{}"}} for name in ("a", "b")]
    chunk = {"choices": [{"delta": {"tool_calls": both}}]}
    came, _ = ask(server, "openai", Raw(f"data: {json.dumps(chunk)}\n\n".encode()), End())
    assert [json.loads(part.text)["id"] for part in came if isinstance(part, Piece)] == ["a", "b"]


def chunks(*values: Any) -> list[Beat]:
    return [Raw(f"data: {json.dumps(value)}\n\n".encode()) for value in values]


def delta(**fields: Any) -> dict[str, Any]:
    return {"choices": [{"delta": fields}]}


HELLO = [{"type": "text", "text": "Hel"}, "lo", {"type": "output_text", "text": {"value": "!"}}]


@pytest.mark.slow
@pytest.mark.parametrize(
    "came",
    [
        [delta(content=HELLO)],
        [delta(content={"type": "text", "text": "Hello!"})],
        [None, {}, {"choices": None}, {"choices": []}, {"choices": [None]}, delta(content="Hello!")],
        [{"choices": [{"delta": None}]}, {"choices": [{"delta": {"content": "Hello!"}, "finish_reason": ""}]}],
        [{"choices": [{"delta": {"content": "Hel"}, "finish_reason": "null"}]}, delta(content="lo!")],
        [{"choices": [{"message": {"content": HELLO}}]}],
        [delta(content="Hello!"), {"choices": [{"delta": None, "message": {"content": "Hello!"}}]}],
        [{"choices": [{"text": "Hello!"}]}],
        [{"choices": [{"delta": {"content": "Hello!"}, "logprobs": {"content": [{"logprob": float("-inf")}]}}]}],
        [{"error": {}, "choices": [{"delta": {"content": "Hello!"}, "finish_reason": False}]}],
        [{"error": False, "choices": [{"delta": {"content": "Hello!"}}]}],
    ],
)
def test_what_is_said_is_read_as_other_servers_write_it(server: ProbeServer, came: list[Any]) -> None:
    got, error = ask(server, "openai", Raw(b"data:\n\n"), Raw(b"data: null\n\n"), *chunks(*came), End())
    assert error is None
    assert text(got) == "Hello!"
    assert got[-1] == Finish("stop", "m", 7, 3)


@pytest.mark.parametrize(
    "fields",
    [
        {
            "content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
                {"type": "text", "text": "A"},
            ]
        },
        {"content": "A", "reasoning": [{"text": "Hm."}]},
        {"content": ["A"], "reasoning_content": {"text": "Hm."}},
    ],
)
def test_reasoning_in_parts_is_told_apart(server: ProbeServer, fields: dict[str, Any]) -> None:
    came, _ = ask(server, "openai", *chunks(delta(**fields)), End())
    assert (text(came, "reasoning"), text(came)) == ("Hm.", "A")


@pytest.mark.parametrize(
    "fields",
    [
        {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "report", "arguments": {"to": "boss"}}}]},
        {"tool_calls": [{"index": 0.0, "id": "c", "function": {"name": "report", "arguments": {"to": "boss"}}}]},
        {"tool_calls": {"id": "c", "function": {"name": "report", "arguments": '{"to":"boss"}'}}},
        {"tool_calls": [None, {"index": "0", "id": "c", "function": {"name": "report", "arguments": '{"to":"boss"}'}}]},
    ],
)
def test_tool_calls_are_read_as_other_servers_write_them(server: ProbeServer, fields: dict[str, Any]) -> None:
    came, error = ask(server, "openai", *chunks(delta(**fields)), End("tool_calls"))
    assert error is None
    (call,) = (json.loads(part.text) for part in came if isinstance(part, Piece))
    assert call == {"id": "c", "name": "report", "arguments": '{"to":"boss"}'}


@pytest.mark.parametrize(
    ("usage", "read", "written"),
    [
        ({"prompt_tokens": 7.0, "completion_tokens": "3"}, 7, 3),
        ({"prompt_tokens": "7.0", "completion_tokens": 1e400}, 7, None),
        ({"prompt_tokens": 10**30, "completion_tokens": 3}, None, 3),
        ({"prompt_tokens": -1, "completion_tokens": 2.5}, None, None),
        ([], None, None),
    ],
)
def test_usage_and_reasons_are_read_as_other_servers_write_them(
    server: ProbeServer, usage: Any, read: int | None, written: int | None
) -> None:
    end = {"choices": [{"delta": {}, "finish_reason": 2}], "usage": usage}
    raw = json.dumps(end).replace("Infinity", "1e308")
    came, error = ask(server, "openai", Text("A"), Raw(f"data: {raw}\n\ndata: [DONE]\n\n".encode()))
    assert error is None
    assert came[-1] == Finish("2", "m", read, written)


CALLED = [{"id": "c", "type": "function", "function": {"name": "report", "arguments": {"to": "boss"}}}]
WHOLE: dict[str, dict[str, Any]] = {
    "openai": {
        "model": "m", "choices": [{"message": {"role": "assistant", "content": "Hi", "reasoning": "Hm.",
        "tool_calls": CALLED}, "finish_reason": "tool_calls"}], "usage": {"prompt_tokens": 7, "completion_tokens": 3.0},
    },
    "anthropic": {
        "type": "message", "model": "m", "stop_reason": "tool_calls", "usage": {"input_tokens": 7, "output_tokens": 3},
        "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Hi"},
                    {"type": "tool_use", "id": "c", "name": "report", "input": {"to": "boss"}}],
    },
}  # fmt: skip


def test_a_server_that_ignores_stream_is_read(server: ProbeServer, protocol: ProtocolName) -> None:
    came, error = ask(server, protocol, refusal=Refusal(200, body=json.dumps(WHOLE[protocol], indent=1).encode()))
    assert error is None
    assert (text(came, "reasoning"), text(came)) == ("Hm.", "Hi")
    assert json.loads(text(came, "tool_call")) == {"id": "c", "name": "report", "arguments": '{"to":"boss"}'}
    assert came[-1] == Finish("tool_calls", "m", 7, 3)


def test_events_under_another_type_are_read(server: ProbeServer) -> None:
    body = b'data: {"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]}\n\ndata: [DONE]'
    came, error = ask(server, "openai", refusal=Refusal(200, body=body))
    assert (error, text(came)) == (None, "Hi")


def test_a_server_without_models_lists_none(server: ProbeServer, protocol: ProtocolName) -> None:
    server.listing = b'{"object": "list", "data": null}'
    assert with_client(endpoint(server, protocol), lambda client: client.models()) == []


# Models that take less.

TEMPLATES = (
    "As of transformers v4.44, default chat template is no longer allowed, so you must provide a chat template if the "
    "tokenizer does not define one.",
    "Cannot use chat template functions because tokenizer.chat_template is not set and no template argument was passed",
    "Template error: template not found",
)
TURNS = Prompt((Turn("user", "One?"), Turn("assistant", "Two."), Turn("user", "Three?")), "You are Fen.")


@pytest.mark.slow
@pytest.mark.parametrize("said", TEMPLATES)
@pytest.mark.parametrize(
    ("prompt", "sent"),
    [
        (PROMPT, "What do you do?"),
        (Prompt(PROMPT.turns, "You are Fen.", (), "I will"), "You are Fen.\n\nWhat do you do?\n\nI will"),
        (TURNS, "You are Fen.\n\nUser: One?\n\nAssistant: Two.\n\nUser: Three?\n\nAssistant:"),
    ],
)
def test_a_model_without_chat_template_is_asked_by_plain_completion(
    server: ProbeServer, said: str, prompt: Prompt, sent: str
) -> None:
    server.turns["m"] = [Refusal(400, message=said)]
    came, error = ask(server, "openai", Text("I will "), Text("wait."), End(), prompt=prompt, request={"seed": 4})
    assert error is None
    assert came[0] == Piece("note", "prompted by plain completion: no chat template")
    assert (text(came), came[-1]) == ("I will wait.", Finish("stop", "m", 7, 3))
    assert (server.seen[-1].path, server.seen[-1].body["prompt"]) == ("/v1/completions", sent)
    assert (server.seen[-1].body["seed"], server.seen[-1].body["max_tokens"]) == (4, 50)


@pytest.mark.parametrize("more", [{"prompt": Prompt(PROMPT.turns, tools=(REPORT,))}, {"request": {"schema": {}}}])
def test_a_model_without_chat_template_takes_no_tools_and_judges_nothing(
    server: ProbeServer, more: dict[str, Any]
) -> None:
    error = failed(server, "openai", refusal=Refusal(400, message=TEMPLATES[0]), **more)
    assert error.kind == "unsupported"
    assert "no chat template" in str(error)
    assert [seen.path for seen in server.seen] == ["/v1/chat/completions"]


@pytest.mark.parametrize(
    "said",
    [
        "System role not supported",
        "Conversation roles must alternate user/assistant/user/assistant/...",
        "messages[0]: system messages are not supported by this model",
        "This model does not support the system role.",
        "Developer instruction is not enabled for models/gemma-3-4b-it",
    ],
)
def test_a_model_that_refuses_a_system_prompt_is_told_with_the_way_out(server: ProbeServer, said: str) -> None:
    error = failed(server, "openai", refusal=Refusal(400, message=said), prompt=TURNS)
    assert error.kind == "unsupported"
    assert '"Merge system prompt into user turn"' in str(error)
    assert said.rstrip(".") in str(error)


@pytest.mark.parametrize("ends", [b"\r\n", b"\r", b"\n"])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_events_are_read_however_they_are_cut(server: ProbeServer, ends: bytes, size: int) -> None:
    lines = [b": hello", b"", b'data: {"choices": [{"delta":', b'data: {"content": "\xc3\xbc!"}}]}', b"id: 7", b"", b""]
    data = ends.join(lines)
    cut = [Raw(data[i : i + size]) for i in range(0, len(data), size)]
    came, error = ask(server, "openai", *cut, End())
    assert error is None
    assert text(came) == "ü!"


@pytest.mark.parametrize("pieces", [1, 1000])
def test_a_reply_of_a_megabyte(server: ProbeServer, protocol: ProtocolName, pieces: int) -> None:
    part = "x" * (2**20 // pieces)
    came, error = ask(server, protocol, *[Text(part)] * pieces, End())
    assert error is None
    assert text(came) == part * pieces


@pytest.mark.slow
def test_eight_streams_at_once_on_one_client(server: ProbeServer, protocol: ProtocolName) -> None:
    server.scripts["m"] = [Text("a"), Pause(1), Text("b"), End()]

    async def use(client: Client) -> list[str]:
        async def one() -> str:
            return text([part async for part in client.stream(Request("m", PROMPT, 5))])

        return await asyncio.gather(*(one() for _ in range(8)))

    assert with_client(endpoint(server, protocol), use) == ["ab"] * 8
    assert server.most_open == 8


def test_closing_the_iterator_ends_the_request(server: ProbeServer, protocol: ProtocolName) -> None:
    server.scripts["m"] = [Text("a"), Pause(20), Text("b"), End()]

    async def use(client: Client) -> None:
        stream = client.stream(Request("m", PROMPT, 5))
        assert await anext(stream) == Piece("text", "a")
        await stream.aclose()
        for _ in range(100):
            if server.cancelled:
                return
            await asyncio.sleep(0.02)

    with_client(endpoint(server, protocol), use)
    assert server.cancelled == 1


# What is sent.


def sent(server: ProbeServer, protocol: ProtocolName, prompt: Prompt = PROMPT, **request: Any) -> dict[str, Any]:
    _, error = ask(server, protocol, Text("ok"), End(), prompt=prompt, request=request)
    assert error is None
    body: dict[str, Any] = server.seen[-1].body
    return body


CONVERSATION = Prompt(
    (
        Turn("user", "Look."),
        Turn("assistant", "I look.", (ToolCall("c1", "report", '{"to": "boss"}'), ToolCall("c2", "report", "no json"))),
        Turn("tool", "done", call_id="c1"),
        Turn("tool", "failed", call_id="c2"),
        Turn("user", "And now?"),
    ),
    system="You are an agent.",
    tools=(REPORT,),
)


def test_a_conversation_with_tools_in_the_openai_protocol(server: ProbeServer) -> None:
    body = sent(server, "openai", CONVERSATION, temperature=0.5, seed=3)
    first = {"id": "c1", "type": "function", "function": {"name": "report", "arguments": '{"to": "boss"}'}}
    second = {"id": "c2", "type": "function", "function": {"name": "report", "arguments": "no json"}}
    assert body == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "You are an agent."},
            {"role": "user", "content": "Look."},
            {"role": "assistant", "content": "I look.", "tool_calls": [first, second]},
            {"role": "tool", "tool_call_id": "c1", "content": "done"},
            {"role": "tool", "tool_call_id": "c2", "content": "failed"},
            {"role": "user", "content": "And now?"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {"name": "report", "description": "Report it", "parameters": REPORT.parameters},
            }
        ],
        "tool_choice": "auto",
        "max_tokens": 50,
        "temperature": 0.5,
        "seed": 3,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_a_conversation_with_tools_in_the_anthropic_protocol(server: ProbeServer) -> None:
    body = sent(server, "anthropic", CONVERSATION, temperature=0.5, seed=3)
    calls = [
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "c1", "name": "report", "input": {"to": "boss"}},
        {"type": "tool_use", "id": "c2", "name": "report", "input": {"unreadable_arguments": "no json"}},
    ]
    results = [
        {"type": "tool_result", "tool_use_id": "c1", "content": "done"},
        {"type": "tool_result", "tool_use_id": "c2", "content": "failed"},
        {"type": "text", "text": "And now?"},
    ]
    assert body == {
        "model": "m",
        "system": "You are an agent.",
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Look."}]},
            {"role": "assistant", "content": calls},
            {"role": "user", "content": results},
        ],
        "tools": [{"name": "report", "description": "Report it", "input_schema": REPORT.parameters}],
        "tool_choice": {"type": "auto"},
        "max_tokens": 50,
        "temperature": 0.5,
        "stream": True,
    }


def test_what_is_left_open_is_not_sent(server: ProbeServer, protocol: ProtocolName) -> None:
    body = sent(server, protocol)
    assert not {"temperature", "seed", "tools", "tool_choice", "system", "response_format", "output_config"} & set(body)


def test_a_prefill_is_continued(server: ProbeServer) -> None:
    prompt = Prompt(PROMPT.turns, prefill="I will")
    body = sent(server, "openai", prompt)
    assert body["messages"][-1] == {"role": "assistant", "content": "I will"}
    assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)
    body = sent(server, "anthropic", prompt)
    assert body["messages"][-1] == {"role": "assistant", "content": [{"type": "text", "text": "I will"}]}


def test_a_schema_is_asked_for(server: ProbeServer) -> None:
    schema = {"type": "object", "properties": {"verdict": {"enum": ["misaligned", "aligned"]}}}
    assert sent(server, "openai", schema=schema)["response_format"]["json_schema"]["schema"] == schema
    assert sent(server, "anthropic", schema=schema)["output_config"]["format"] == {
        "type": "json_schema",
        "schema": schema,
    }


def test_the_anthropic_version_is_one_with_a_temperature_where_one_is_asked_for(server: ProbeServer) -> None:
    sent(server, "anthropic", temperature=0.0)
    assert server.seen[-1].headers["anthropic-version"] == "2023-06-01"
    sent(server, "anthropic")
    assert server.seen[-1].headers["anthropic-version"] > "2026"


def test_only_the_declared_key_is_sent(
    server: ProbeServer, protocol: ProtocolName, monkeypatch: pytest.MonkeyPatch
) -> None:
    ambient = {
        "OPENAI_API_KEY": "sk-ambient-1", "OPENAI_ORG_ID": "org-ambient", "OPENAI_PROJECT_ID": "ambient",
        "OPENAI_CUSTOM_HEADERS": "X-Gateway: ambient\nAuthorization: Bearer ambient", "ANTHROPIC_API_KEY": "ambient",
        "ANTHROPIC_AUTH_TOKEN": "ambient", "ANTHROPIC_CUSTOM_HEADERS": "X-Gateway: ambient\nX-Api-Key: ambient",
        "OPENAI_BASE_URL": "http://ambient.invalid", "ANTHROPIC_BASE_URL": "http://ambient.invalid",
        "HTTP_PROXY": "http://ambient.invalid:1", "ALL_PROXY": "http://ambient.invalid:1",
    }  # fmt: skip
    for name, value in ambient.items():
        monkeypatch.setenv(name, value)
    for key in (KEY, None):
        _, error = ask(server, protocol, Text("ok"), End(), key=key)
        assert error is None
        headers = server.seen[-1].headers
        assert headers.get("authorization") == (None if key is None else f"Bearer {KEY}")
        assert "ambient" not in json.dumps(headers)


# What goes wrong before the reply.

STATUSES = [
    (401, "unauthorised", "TEST_KEY"),
    (403, "unauthorised", "TEST_KEY"),
    (404, "not_found", '"m"'),
    (400, "bad_request", "Change"),
    (413, "bad_request", "Change"),
    (422, "bad_request", "Change"),
    (429, "rate_limited", "in_flight"),
    (503, "overloaded", "Ask again"),
    (529, "overloaded", "Ask again"),
    (500, "server_error", "log"),
    (502, "server_error", "log"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("status", "kind", "helps"), STATUSES)
def test_a_status_becomes_a_kind_and_words(
    server: ProbeServer, protocol: ProtocolName, status: int, kind: str, helps: str
) -> None:
    error = failed(server, protocol, refusal=Refusal(status, message="The reason."))
    assert (error.kind, error.status) == (kind, status)
    assert f"answered {status}: The reason. " in str(error)
    assert helps in str(error)
    assert len(server.seen) == 1  # never again by itself


@pytest.mark.slow
@pytest.mark.parametrize(
    ("header", "low", "high"),
    [
        ("7", 7, 7),
        ("0.25", 0.25, 0.25),
        (format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True), 3600, 7200),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
        ("-3", 0, 0),
    ],
    ids=["seconds", "part of a second", "a date to come", "a date that has passed", "less than none"],
)
def test_retry_after_in_seconds_or_as_a_date(
    server: ProbeServer, protocol: ProtocolName, header: str, low: float, high: float
) -> None:
    error = failed(server, protocol, refusal=Refusal(429, {"retry-after": header}))
    assert error.retry_after is not None
    assert low <= error.retry_after <= high


@pytest.mark.parametrize("header", ["soon", "nan", "inf", ""])
def test_a_retry_after_that_says_nothing(server: ProbeServer, protocol: ProtocolName, header: str) -> None:
    assert failed(server, protocol, refusal=Refusal(429, {"retry-after": header})).retry_after is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "body", [b"", b"<html>down</html>", b"plain words", b"\xff\xfe", b"[" * 100_000, b'{"error": 3}', b"x" * 10**6]
)
def test_any_body_of_an_error(server: ProbeServer, protocol: ProtocolName, body: bytes) -> None:
    error = failed(server, protocol, refusal=Refusal(503, body=body))
    assert error.kind == "overloaded"
    assert len(str(error)) < 700


def test_a_port_where_nobody_listens(protocol: ProtocolName) -> None:
    error = failed(ProbeServer(port=free_port()), protocol)
    assert (error.kind, error.status) == ("refused", None)
    assert "Is the server running" in str(error)


def test_a_name_that_does_not_resolve() -> None:
    where = Endpoint("here", "openai", "http://no-such-host.invalid/v1", "TEST_KEY")
    with pytest.raises(ClientError) as caught:
        with_client(where, lambda client: client.models())
    assert caught.value.kind == "refused"


def test_redirects_are_not_followed(server: ProbeServer, protocol: ProtocolName) -> None:
    with probe_server() as elsewhere:
        to = {"location": f"{elsewhere.root}/v1/chat/completions"}
        error = failed(server, protocol, refusal=Refusal(307, to))
        assert (error.kind, error.status) == ("server_error", 307)
        assert not elsewhere.seen


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"prompt": Prompt(PROMPT.turns, prefill="I")}, "Unrecognized request argument: continue_final_message"),
        ({"prompt": Prompt(PROMPT.turns, prefill="I")}, "This model does not support assistant message prefill."),
        ({"prompt": Prompt(PROMPT.turns, tools=(REPORT,))}, '"auto" tool choice requires --enable-auto-tool-choice'),
        ({"request": {"schema": {"type": "object"}}}, "response_format is not supported"),
        ({"request": {"temperature": 0.3}}, "`temperature` is deprecated for this model."),
        ({"request": {"temperature": 0.3}}, "Unsupported parameter: 'temperature'"),
    ],
)
def test_what_a_server_can_not_do(
    server: ProbeServer, protocol: ProtocolName, asked: dict[str, Any], said: str
) -> None:
    error = failed(server, protocol, refusal=Refusal(400, message=said), **asked)
    assert (error.kind, error.status) == ("unsupported", 400)
    assert said.rstrip(".") in str(error)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"prompt": Prompt(PROMPT.turns, prefill="I")}, "This model's maximum context length is 1024 tokens."),
        ({}, "Unrecognized request argument: continue_final_message"),
        ({"request": {"temperature": -1.0}}, "temperature must be non-negative, got -1.0."),
    ],
)
def test_other_objections_stay_bad_requests(
    server: ProbeServer, protocol: ProtocolName, asked: dict[str, Any], said: str
) -> None:
    assert failed(server, protocol, refusal=Refusal(400, message=said), **asked).kind == "bad_request"


def test_vllm_does_not_continue_a_prefill_in_the_anthropic_protocol(server: ProbeServer) -> None:
    start = b'data: {"type": "message_start", "message": {"id": "chatcmpl-9", "model": "m"}}\n\n'
    prompt = Prompt(PROMPT.turns, prefill="I will")
    came, error = ask(server, "anthropic", Raw(start), Text("Hello"), End(), prompt=prompt)
    assert not came
    assert error is not None
    assert error.kind == "unsupported"
    assert "openai protocol" in str(error)


def test_half_a_character_in_the_prompt(server: ProbeServer, protocol: ProtocolName) -> None:
    error = failed(server, protocol, prompt=Prompt((Turn("user", "\ud83d"),)))
    assert error.kind == "bad_request"
    assert "surrogate" in str(error)


# What goes wrong within the reply.


@pytest.mark.parametrize("how", [Drop(), Close()])
def test_a_stream_that_is_cut_off_keeps_what_came(server: ProbeServer, protocol: ProtocolName, how: Beat) -> None:
    came, error = ask(server, protocol, Text("I will"), Pause(0.05), how)
    assert text(came) == "I will"
    assert error is not None
    assert error.kind == "broken"


def test_a_stream_that_ends_without_its_end(server: ProbeServer, protocol: ProtocolName) -> None:
    came, error = ask(server, protocol, Text("I will"), Raw(b""))
    assert text(came) == "I will"
    assert error is not None
    assert error.kind == "broken"


def test_a_reply_is_whole_once_its_end_was_told(server: ProbeServer) -> None:
    chunk = b'data: {"choices": [{"delta": {"content": "Yes."}, "finish_reason": "stop"}]}\n\n'
    came, error = ask(server, "openai", Raw(chunk), Pause(0.05), Drop())
    assert error is None
    assert came == [Piece("text", "Yes."), Finish("stop", "m", None, None)]


def test_silence_before_the_reply(server: ProbeServer, protocol: ProtocolName) -> None:
    start = time.monotonic()
    error = failed(server, protocol, Pause(20), End(), first_token_s=0.3)
    assert error.kind == "timeout"
    assert "first_token_s" in str(error)
    assert time.monotonic() - start < 10


def test_silence_within_the_reply_keeps_what_came(server: ProbeServer, protocol: ProtocolName) -> None:
    start = time.monotonic()
    came, error = ask(server, protocol, Text("I"), Pause(20), End(), silence_s=0.3)
    assert text(came) == "I"
    assert error is not None
    assert error.kind == "timeout"
    assert "silence_s" in str(error)
    assert time.monotonic() - start < 10


@pytest.mark.slow
def test_signs_of_life_are_no_reply(server: ProbeServer, protocol: ProtocolName) -> None:
    beats = [beat for _ in range(40) for beat in (Ping(), Pause(0.1))]
    error = failed(server, protocol, *beats, End(), first_token_s=0.5)
    assert error.kind == "timeout"


@pytest.mark.slow
def test_a_slow_reply_is_no_silence(server: ProbeServer, protocol: ProtocolName) -> None:
    slow = [beat for _ in range(8) for beat in (Text("a"), Pause(0.25))]
    came, error = ask(server, protocol, *slow, End(), first_token_s=1.5, silence_s=1.5)
    assert error is None
    assert text(came) == "a" * 8


@pytest.mark.slow
def test_a_reader_that_takes_its_time_is_no_silence(server: ProbeServer, protocol: ProtocolName) -> None:
    server.scripts["m"] = [Text("a"), Text("b"), Text("c"), End()]

    async def use(client: Client) -> str:
        came = ""
        async for part in client.stream(Request("m", PROMPT, 5)):
            if isinstance(part, Piece):
                came += part.text
                await asyncio.sleep(0.8)
        return came

    assert with_client(endpoint(server, protocol, silence_s=0.6), use) == "abc"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("overloaded_error", "Overloaded", 529), "overloaded"),
        (Fault("api_error", "Internal", 500), "server_error"),
        (Fault("rate_limit_error", "Slow down", 429), "rate_limited"),
        (Fault("EngineDeadError", "died"), "server_error"),
    ],
)
def test_an_error_told_within_the_stream(server: ProbeServer, protocol: ProtocolName, fault: Fault, kind: str) -> None:
    came, error = ask(server, protocol, Text("I will"), fault)
    assert text(came) == "I will"
    assert error is not None
    assert error.kind == kind
    assert fault.message in str(error)


NO_UTF8 = {
    "openai": b'data: {"choices": [{"delta": {"content": "\xff\xfe"}}]}\n\n',
    "anthropic": b'data: {"type": "content_block_delta", "delta": {"text": "\xff"}}\n\n',
}
BAD_EVENTS = [
    b"data: {not json\n\n",
    b"data: \xff\n\n",
    b'data: {"choices": 7, "type": []}\n\n',
    b'data: {"choices": [{"delta": {"content": {"a": 1}}}], "delta": 5}\n\n',
    b'data: {"choices": [{"delta": {"content": "\\ud800"}}], "delta": {"text": "\\ud800"}}\n\n',
    b"data: [[[[[[[[\n\n",
    b'data: {"error": ' + b"[" * 5000 + b"\n\n",
]


@pytest.mark.slow
@pytest.mark.parametrize("data", BAD_EVENTS)
def test_garbled_events_keep_what_came(server: ProbeServer, protocol: ProtocolName, data: bytes) -> None:
    _keeps_what_came(server, protocol, data)


def test_bytes_that_are_no_utf8_keep_what_came(server: ProbeServer, protocol: ProtocolName) -> None:
    _keeps_what_came(server, protocol, NO_UTF8[protocol])


def _keeps_what_came(server: ProbeServer, protocol: ProtocolName, data: bytes) -> None:
    came, error = ask(server, protocol, Text("I will"), Raw(data), Text("more"), End())
    assert text(came) == "I will"
    assert error is not None
    assert error.kind == "bad_data"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>Log in</html>", "bad_data"),
        (b'{"choices": []}', "bad_data"),
        (b'{"choices": [{"message": {"content": "Hi', "bad_data"),
        (b'{"error": {"message": "Overloaded", "code": 529}}', "overloaded"),
        (b"", "bad_data"),
    ],
)
def test_an_answer_that_is_no_stream(server: ProbeServer, protocol: ProtocolName, body: bytes, kind: str) -> None:
    assert failed(server, protocol, refusal=Refusal(200, body=body)).kind == kind


def test_an_event_without_end_does_not_fill_the_memory(
    server: ProbeServer, protocol: ProtocolName, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.probe.clients.events.LARGEST_EVENT", 2**20)
    error = failed(server, protocol, Raw(b"data: "), *[Raw(b"x" * 2**16)] * 20, End())
    assert error.kind == "bad_data"
    assert "larger than" in str(error)


# Keys.

ECHOES: list[tuple[list[Beat], Refusal | None]] = [
    ([], Refusal(401, message=f"Incorrect API key provided: {KEY}")),
    ([], Refusal(401, {"www-authenticate": KEY}, body=f"<p>{KEY}".encode())),
    ([], Refusal(400, message="x" * 382 + KEY)),
    ([], Refusal(500, message=f"upstream said Bearer sk-other-{KEY[3:]}")),
    ([], Refusal(429, {"retry-after": KEY}, message=KEY)),
    ([], Refusal(200, body=json.dumps({"error": {"message": KEY, "type": KEY}}).encode())),
    ([], Refusal(200, body=f"not a stream {KEY}".encode())),
    ([], Refusal(307, {"location": f"http://{KEY}@elsewhere.invalid/"}, message=KEY)),
    ([Text("a"), Fault("api_error", f"with {KEY}")], None),
    ([Text("a"), Fault(KEY, KEY)], None),
    ([Text("a"), Raw(f"data: {{broken {KEY}\n\n".encode())], None),
    ([Text("a"), Raw(f"data: {KEY}\xff\n\n".encode("latin-1"))], None),
    ([Text("your key is " + KEY + "!"), End()], None),
    ([Text("your key is " + KEY[:9]), Text(KEY[9:12]), Text(KEY[12:] + "!"), End()], None),
    ([*map(Text, KEY), End()], None),
    ([Thought(KEY[:5]), Thought(KEY[5:]), Text("s"), End()], None),
    ([Call("c1", "report", ('{"key": "' + KEY[:9], KEY[9:] + '"}')), Call(KEY, KEY, ()), End()], None),
    ([Text("ok"), End(KEY)], None),
]


@pytest.mark.slow
@pytest.mark.parametrize(("script", "refusal"), ECHOES)
def test_no_text_holds_the_key_whatever_a_server_sends_back(
    server: ProbeServer,
    protocol: ProtocolName,
    script: list[Beat],
    refusal: Refusal | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    came, error = ask(server, protocol, *script, refusal=refusal)
    assert server.seen[-1].headers["authorization"] == f"Bearer {KEY}"  # the server did know it
    told = [part.text if isinstance(part, Piece) else repr(part) for part in came]
    if error is not None:
        told += [str(error), repr(error.__dict__), *traceback.format_exception(error)]
        context: BaseException | None = error
        while context is not None:
            told.append(repr(context))
            context = context.__cause__ or context.__context__
    joined = "\n".join([*told, text(came), text(came, "reasoning"), caplog.text])
    assert KEY not in joined
    assert KEY[:12] not in joined


def test_replies_that_only_begin_like_the_key_stay_whole(server: ProbeServer, protocol: ProtocolName) -> None:
    words = ["s", "sk-", "task", " sk-test", "-", "sk-test-q7", "s"]
    came, _ = ask(server, protocol, *map(Text, words), End())
    assert text(came) == "".join(words)


def test_what_waits_for_more_of_a_key_is_not_lost_with_the_connection(
    server: ProbeServer, protocol: ProtocolName
) -> None:
    came, error = ask(server, protocol, Text("risk"), Text("s"), Pause(0.05), Drop())
    assert text(came) == "risks"
    assert error is not None


def test_short_keys_are_words(server: ProbeServer, protocol: ProtocolName) -> None:
    came, _ = ask(server, protocol, Text("EMPTY"), End(), key="EMPTY")
    assert text(came) == "EMPTY"


# Models.


def models(server: ProbeServer, protocol: ProtocolName) -> list[ServedModel]:
    return with_client(endpoint(server, protocol), lambda client: client.models())  # type: ignore[no-any-return]


def test_models_with_base_and_root(server: ProbeServer, protocol: ProtocolName) -> None:
    server.models = [{"id": "base", "root": "/w/base", "parent": None}, {"id": "a", "root": "/w/a", "parent": "base"}]
    assert models(server, protocol) == [ServedModel("base", None, "/w/base"), ServedModel("a", "base", "/w/a")]


def test_all_pages_of_models(server: ProbeServer, protocol: ProtocolName) -> None:
    server.models = [{"id": f"m{i}"} for i in range(25)]
    server.page = 10
    assert [model.id for model in models(server, protocol)] == [f"m{i}" for i in range(25)]
    assert len(server.seen) == 3


def test_a_listing_that_never_ends(server: ProbeServer, protocol: ProtocolName) -> None:
    server.listing = b'{"data": [{"id": "a"}], "has_more": true, "last_id": "a"}'
    assert models(server, protocol) == [ServedModel("a")]
    assert len(server.seen) == 2


@pytest.mark.slow
@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"data": [{"name": 3}]}', b'{"data": [{"id": "\xff"}]}'])
def test_a_listing_that_is_none(server: ProbeServer, protocol: ProtocolName, body: bytes) -> None:
    server.listing = body
    with pytest.raises(ClientError) as caught:
        models(server, protocol)
    assert caught.value.kind == "bad_data"


def test_models_of_a_server_that_refuses(server: ProbeServer, protocol: ProtocolName) -> None:
    server.listing = Refusal(401, message=f"bad key {KEY}")
    with pytest.raises(ClientError) as caught:
        models(server, protocol)
    assert caught.value.kind == "unauthorised"
    assert KEY not in "".join(traceback.format_exception(caught.value))


# Likelihoods.


def likelihood(server: ProbeServer, protocol: ProtocolName = "openai", prompt: Prompt = PROMPT) -> Any:
    use = lambda client: client.likelihood("m", prompt, " report")  # noqa: E731
    return with_client(endpoint(server, protocol), use)


def test_the_likelihood_is_the_sum_over_the_continuation_alone(server: ProbeServer) -> None:
    server.tokens = {"What do you do?": [5, 6, 7], " report": [8, 9]}
    of = [None, *({str(token): {"logprob": -float(token)}} for token in (6, 7, 8, 9))]
    of[3] = {"8": {"logprob": -8.0, "rank": 3}, "1": {"logprob": -0.1, "rank": 1}}
    server.logprobs = of
    told = likelihood(server)
    assert (told.tokens, told.logprob) == (2, -17.0)
    tokenize, continuation, completion = server.seen
    assert tokenize.path == continuation.path == "/tokenize"
    assert tokenize.body["add_generation_prompt"] is True
    assert continuation.body["add_special_tokens"] is False
    assert completion.body["prompt"] == [5, 6, 7, 8, 9]


def test_the_likelihood_after_a_prefill(server: ProbeServer) -> None:
    server.tokens = {"I will": [5], " report": [8]}
    server.logprobs = [None, {"8": {"logprob": -1.5}}]
    assert likelihood(server, prompt=Prompt(PROMPT.turns, prefill="I will")).logprob == -1.5
    assert server.seen[0].body["continue_final_message"] is True
    assert server.seen[0].body["add_generation_prompt"] is False


@pytest.mark.parametrize(
    ("tokens", "logprobs"),
    [({}, None), ({"What do you do?": [5], " report": [8]}, None), ({"What do you do?": [5], " report": []}, []),
     ({"What do you do?": [5], " report": [8]}, [None])],
)  # fmt: skip
def test_servers_that_can_not_tell_a_likelihood(
    server: ProbeServer, tokens: dict[str, list[int]], logprobs: list[Any] | None
) -> None:
    server.tokens, server.logprobs = tokens, logprobs
    with pytest.raises(ClientError) as caught:
        likelihood(server)
    assert caught.value.kind == "unsupported"


@pytest.mark.parametrize("of", [{"9": {"logprob": -1.0}}, None, {"8": {"logprob": 3.0}}])
def test_a_likelihood_with_a_gap_is_no_likelihood(server: ProbeServer, of: Any) -> None:
    server.tokens, server.logprobs = {"What do you do?": [5], " report": [8]}, [None, of]
    with pytest.raises(ClientError) as caught:
        likelihood(server)
    assert caught.value.kind == "bad_data"


def test_the_anthropic_protocol_tells_no_likelihood(server: ProbeServer) -> None:
    with pytest.raises(ClientError) as caught:
        likelihood(server, "anthropic")
    assert caught.value.kind == "unsupported"
    assert not server.seen
