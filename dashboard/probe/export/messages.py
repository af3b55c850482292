"""Turns and tools as Inspect writes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from dashboard.probe.asked import Tool, ToolCall, Turn
from dashboard.probe.export.words import without_missing

MOST_NESTED = 100
"""Levels of a call's arguments that are written as JSON: readers refuse to follow a few hundred."""

TYPES = ("string", "integer", "number", "boolean", "array", "object", "null")
KEPT: dict[str, type | tuple[type, ...]] = {
    "format": str, "description": str, "enum": list, "pattern": str, "minLength": int, "maxLength": int,
    "minimum": (int, float), "maximum": (int, float), "examples": list,
}  # fmt: skip
"""Fields of a JSON schema that Inspect knows and that hold no schemas, with their types."""


def message(
    turn: Turn, before: Sequence[Turn], name: str, *, source: str | None = None, reasoning: str = ""
) -> dict[str, Any]:
    """A turn.

    Args:
        turn: What was said.
        before: The turns before it, for the name of the function that a tool's result answers.
        name: The message's id.
        source: input, generate or operator.
        reasoning: Of a reply.
    """
    text: Any = turn.text
    if reasoning:
        text = [{"type": "reasoning", "reasoning": reasoning}, {"type": "text", "text": turn.text}]
    told = {"id": name, "role": turn.role, "content": text, "source": source}
    if turn.role == "tool":
        told |= {"tool_call_id": turn.call_id, "function": _function(turn.call_id, before)}
    if turn.calls:
        told["tool_calls"] = [_call(call) for call in turn.calls]
    return without_missing(told)


def tool_infos(tools: Iterable[Tool]) -> list[dict[str, Any]]:
    """Tools of a model event. Inspect knows a part of JSON schema only, and reads no log with anything else in it."""
    return [
        {"name": tool.name, "description": tool.description, "parameters": _parameters(tool.parameters)}
        for tool in tools
    ]


def _function(call_id: str | None, before: Sequence[Turn]) -> str | None:
    return next((call.name for turn in reversed(before) for call in turn.calls if call.id == call_id), None)


def _call(call: ToolCall) -> dict[str, Any]:
    told: dict[str, Any] = {"id": call.id, "function": call.name, "type": "function"}
    problem = ""
    try:
        arguments = msgspec.json.decode(call.arguments or "{}", type=dict[str, Any])
        if _deeper(arguments, MOST_NESTED):
            problem = "nested too deeply"
    except RecursionError:
        problem = "nested too deeply"
    except msgspec.DecodeError as error:
        problem = str(error)
    if problem:
        # As Inspect tells it.
        said = f"Error parsing the following tool call arguments:\n\n{call.arguments}\n\nError details: {problem}"
        return told | {"arguments": {}, "parse_error": said}
    return told | {"arguments": arguments}


def _deeper(value: Any, levels: int) -> bool:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels == 0 or any(_deeper(each, levels - 1) for each in inside)


def _parameters(schema: dict[str, Any]) -> dict[str, Any]:
    known = _schema(schema, MOST_NESTED)
    return {
        "type": "object",
        "properties": known.get("properties", {}),
        "required": known.get("required", []),
        "additionalProperties": known.get("additionalProperties", False),
    }


def _schema(schema: Any, levels: int) -> dict[str, Any]:
    if not isinstance(schema, dict) or levels == 0:
        return {}
    known = {
        name: value
        for name, value in schema.items()
        if name in KEPT and isinstance(value, KEPT[name]) and not isinstance(value, bool)
    }
    kinds = schema.get("type")
    if all(kind in TYPES for kind in (kinds if isinstance(kinds, list) else [kinds])):
        known["type"] = kinds
    if isinstance(schema.get("required"), list):
        known["required"] = [name for name in schema["required"] if isinstance(name, str)]
    if isinstance(schema.get("items"), dict):
        known["items"] = _schema(schema["items"], levels - 1)
    if isinstance(schema.get("anyOf"), list):
        known["anyOf"] = [_schema(each, levels - 1) for each in schema["anyOf"]]
    if isinstance(schema.get("properties"), dict):
        known["properties"] = {name: _schema(each, levels - 1) for name, each in schema["properties"].items()}
    more = schema.get("additionalProperties")
    if isinstance(more, bool | dict):
        known["additionalProperties"] = more if isinstance(more, bool) else _schema(more, levels - 1)
    return known
