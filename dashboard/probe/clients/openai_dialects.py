"""What servers write that speak the OpenAI protocol with an accent, put into the protocol's own words. Pure.

Only events that are not what the protocol says come here, so that it costs the others nothing.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

TEXTS = ("text", "content", "value", "thinking", "reasoning", "summary")
"""Fields of a part of a message that hold its text, or further parts."""
THOUGHTS = ("thinking", "reasoning", "reasoning_text", "thought")
"""Types of parts that are no part of what was said."""
DEEPEST = 4
MOST_TOKENS = 2**53


class Foreign(ValueError):
    """It is nothing that is known to stand for what the protocol says."""


def chunk_of(value: Any) -> dict[str, Any]:
    """An event as the protocol has it.

    Raises:
        Foreign: It holds something else where choices or what was said belong.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Foreign(f"an event is {_kind(value)}")
    choices = value.get("choices")
    if choices is not None and not isinstance(choices, list):
        raise Foreign(f"`choices` is {_kind(choices)}")
    model = value.get("model")
    return {
        "choices": [_choice(choice) for choice in choices or ()],
        "usage": _usage(value.get("usage")),
        "model": model if isinstance(model, str) else None,
        "error": value.get("error"),
    }


def _choice(choice: Any) -> dict[str, Any]:
    if choice is None:
        return {}
    if not isinstance(choice, dict):
        raise Foreign(f"a choice is {_kind(choice)}")
    return {
        "delta": _message(choice.get("delta")),
        "message": _message(choice.get("message")),
        "text": _said(choice.get("text"))[0] or None,
        "finish_reason": _reason(choice.get("finish_reason")),
    }


def _message(message: Any) -> dict[str, Any] | None:
    if message is None:
        return None
    if isinstance(message, str):
        message = {"content": message}
    if not isinstance(message, dict):
        raise Foreign(f"what was said is {_kind(message)}")
    said, thought = _said(message.get("content"))
    thoughts = message.get("reasoning") or message.get("reasoning_content")
    calls = message.get("tool_calls")
    if calls is None and message.get("function_call") is not None:
        calls = [{"index": 0, "function": message["function_call"]}]
    calls = [calls] if isinstance(calls, dict) else calls
    if calls is not None and not isinstance(calls, list):
        raise Foreign(f"`tool_calls` is {_kind(calls)}")
    return {
        "content": said or None,
        "reasoning": ("".join(_said(thoughts)) + thought) or None,
        "refusal": "".join(_said(message.get("refusal"))) or None,
        "tool_calls": [_call(call) for call in calls or () if call is not None],
    }


def _said(content: Any, depth: int = 0) -> tuple[str, str]:
    """What is said in a text, or in parts of a message, and what is only thought."""
    if content is None:
        return "", ""
    if isinstance(content, str):
        return content, ""
    if isinstance(content, list) and depth < DEEPEST:
        both = [_said(part, depth + 1) for part in content]
        return "".join(said for said, _ in both), "".join(thought for _, thought in both)
    if isinstance(content, dict) and depth < DEEPEST:
        kind = content.get("type")
        name = next((name for name in (kind, *TEXTS, "refusal") if isinstance(name, str) and name in content), None)
        if name is not None and name != "type":
            said, thought = _said(content[name], depth + 1)
            return ("", said + thought) if kind in THOUGHTS else (said, thought)
        raise Foreign(f"a part of type {kind!r} holds no text" if kind else "a part holds no text")
    raise Foreign(f"what was said is {_kind(content)}")


def _call(call: Any) -> dict[str, Any]:
    """A part of a tool call; arguments that are an object become the JSON that a model would have written."""
    if not isinstance(call, dict):
        raise Foreign(f"a tool call is {_kind(call)}")
    function = call.get("function")
    if function is not None and not isinstance(function, dict):
        raise Foreign(f"the function of a tool call is {_kind(function)}")
    given = (function or {}).get("arguments")
    name = (function or {}).get("name")
    if not (name is None or isinstance(name, str)):
        raise Foreign(f"the name of a tool is {_kind(name)}")
    told = {
        "name": name,
        "arguments": given if given is None or isinstance(given, str) else msgspec.json.encode(given).decode(),
    }
    named = call.get("id")
    return {
        "index": count(call.get("index")),
        "id": named if named is None or isinstance(named, str) else msgspec.json.encode(named).decode(),
        "function": told if function is not None else None,
    }


def _usage(usage: Any) -> dict[str, int | None] | None:
    """Counts of tokens; what is no whole number, 0 or more, was not counted."""
    if not isinstance(usage, dict):
        return None
    return {name: count(usage.get(name)) for name in ("prompt_tokens", "completion_tokens")}


def count(value: Any) -> int | None:
    """A number of tokens, or the place of a call; None for what can be none."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return int(value) if value == int(value) and 0 <= value < MOST_TOKENS else None


def _reason(reason: Any) -> str | None:
    """Why a reply ended: as text, whatever it is; a server's own number stays that number."""
    if reason is None or reason is False:
        return None
    if isinstance(reason, str):
        return reason
    if isinstance(reason, dict) and isinstance(reason.get("type"), str):
        return str(reason["type"])
    return msgspec.json.encode(reason).decode()


def _kind(value: Any) -> str:
    return {dict: "an object", list: "a list", str: "a text", bool: "a truth value"}.get(type(value), "a number")
