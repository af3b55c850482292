"""Chat turns (`{"role": ..., "content": ...}`) as other tools than Inspect write them."""

from __future__ import annotations

from typing import Any

from loaders.json_text import clean, decode, json_text
from loaders.records import MessageRecord


def chat_messages(value: Any) -> list[MessageRecord] | None:
    """The messages of a list of turns; None where the value is anything else."""
    if not isinstance(value, list) or not value:
        return None
    if not all(isinstance(turn, dict) and "role" in turn and _says_something(turn) for turn in value):
        return None
    return [_message(turn) for turn in value]


def joined_text(messages: list[MessageRecord]) -> str:
    """The texts of some messages, one below the other."""
    return "\n".join(message.text for message in messages)


def _says_something(turn: dict[str, Any]) -> bool:
    return "content" in turn or bool(turn.get("tool_calls"))


def _message(turn: dict[str, Any]) -> MessageRecord:
    content = turn.get("content")
    parts = content if isinstance(content, list) else [content]
    texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
    calls = turn.get("tool_calls")
    call_id = turn.get("tool_call_id")
    reasoning = turn.get("reasoning_content") or turn.get("reasoning")
    return MessageRecord(
        clean(str(turn["role"])),
        clean("\n".join(text for text in texts if isinstance(text, str))),
        content_json=None if content is None or isinstance(content, str) else json_text(content),
        reasoning=clean(reasoning) if isinstance(reasoning, str) else None,
        tool_calls_json=json_text([_call(call) for call in calls]) if isinstance(calls, list) and calls else None,
        tool_call_id=call_id if isinstance(call_id, str) else None,
        function=turn["name"] if turn["role"] == "tool" and isinstance(turn.get("name"), str) else None,
    )


def _call(call: Any) -> Any:
    """A tool call as {id, function, arguments}; OpenAI's own form holds the latter two in an object, as JSON text."""
    call = _decoded(call)
    if not isinstance(call, dict):
        return {"function": "tool", "arguments": {"call": call}}
    inner = call.get("function")
    if isinstance(inner, dict):
        return {"id": call.get("id"), "function": inner.get("name"), "arguments": _decoded(inner.get("arguments"))}
    if "function" not in call and isinstance(call.get("name"), str):
        return {"id": call.get("id"), "function": call["name"], "arguments": _decoded(call.get("arguments"))}
    return call


def _decoded(value: Any) -> Any:
    """What a text holds as JSON; anything else as it is."""
    if not isinstance(value, str):
        return value
    try:
        return decode(value.encode("utf-8", "replace"))
    except ValueError:
        return value
