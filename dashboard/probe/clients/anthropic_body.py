"""A request in the words of the Anthropic Messages API. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from dashboard.probe.asked import Prompt, Request, ToolCall, Turn

Block = dict[str, Any]

WITH_TEMPERATURE = "2023-06-01"
"""The API version that has a temperature."""

UNREADABLE = "unreadable_arguments"
"""The protocol has a call's input as an object: a text that is none goes under this name."""


def messages_body(request: Request) -> dict[str, Any]:
    """The fields of a message request.

    The protocol has no seed. A schema goes as the output format: the API takes only schemas whose objects allow no
    further properties and that bound no numbers, and says so of others.
    """
    prompt = request.prompt
    body: dict[str, Any] = {
        "model": request.model,
        "max_tokens": request.max_tokens,
        "messages": messages(prompt),
        "stream": True,
    }
    if prompt.system is not None:
        body["system"] = prompt.system
    if request.temperature is not None:
        # Version 2026-10-21, which the maker's client speaks, has no temperature on any model; the one before has it
        # on those that take one. Servers other than Anthropic's don't look at the version.
        body["extra_body"] = {"temperature": request.temperature}
        body["extra_headers"] = {"anthropic-version": WITH_TEMPERATURE}
    if prompt.tools:
        body["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
            for tool in prompt.tools
        ]
        body["tool_choice"] = {"type": "auto"}
    if request.schema is not None:
        body["output_config"] = {"format": {"type": "json_schema", "schema": request.schema}}
    return body


def messages(prompt: Prompt) -> list[dict[str, Any]]:
    """Turns and prefill. Users and assistants alternate here: turns of one side that follow each other become one.

    Empty texts, which the API refuses, are left out.
    """
    said: list[dict[str, Any]] = []
    for turn in prompt.turns:
        role = "assistant" if turn.role == "assistant" else "user"
        blocks = _blocks(turn)
        if said and said[-1]["role"] == role:
            said[-1]["content"] += blocks
        elif blocks:
            said.append({"role": role, "content": blocks})
    if prompt.prefill:
        said.append({"role": "assistant", "content": [{"type": "text", "text": prompt.prefill}]})
    return said


def _blocks(turn: Turn) -> list[Block]:
    if turn.role == "tool":
        return [{"type": "tool_result", "tool_use_id": turn.call_id or "", "content": turn.text}]
    texts: list[Block] = [{"type": "text", "text": turn.text}] if turn.text else []
    return texts + [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": _input(call)} for call in turn.calls
    ]


def _input(call: ToolCall) -> dict[str, Any]:
    try:
        return msgspec.json.decode(call.arguments or "{}", type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError):
        return {UNREADABLE: call.arguments}
