"""A request in the words of the OpenAI protocol. Pure."""

from __future__ import annotations

from typing import Any

from dashboard.probe.asked import Prompt, Request, Turn
from dashboard.probe.clients.http import host_of

OFFICIAL = "api.openai.com"


def chat_body(request: Request, url: str) -> dict[str, Any]:
    """The fields of a chat completion; those that only some servers know are under `extra_body`.

    A prefill goes last as the assistant's turn, with vLLM's two fields that have it continued.
    """
    prompt = request.prompt
    # OpenAI's own newer models refuse max_tokens; other servers may not know its successor.
    most = "max_completion_tokens" if host_of(url) == OFFICIAL else "max_tokens"
    body: dict[str, Any] = {
        "model": request.model,
        "messages": messages(prompt),
        most: request.max_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.seed is not None:
        body["seed"] = request.seed
    if prompt.tools:
        body["tools"] = tools(prompt)
        body["tool_choice"] = "auto"
    if request.schema is not None:
        wanted = {"name": "reply", "schema": request.schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": wanted}
    if prompt.prefill:
        body["extra_body"] = CONTINUED
    return body


def completion_body(request: Request, text: str) -> dict[str, Any]:
    """The fields of a plain completion: the model goes on with a text."""
    body: dict[str, Any] = {
        "model": request.model,
        "prompt": text,
        "max_tokens": request.max_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.seed is not None:
        body["seed"] = request.seed
    return body


CONTINUED = {"continue_final_message": True, "add_generation_prompt": False}


def messages(prompt: Prompt) -> list[dict[str, Any]]:
    """System prompt, turns and prefill."""
    said: list[dict[str, Any]] = []
    if prompt.system is not None:
        said.append({"role": "system", "content": prompt.system})
    said += [_message(turn) for turn in prompt.turns]
    if prompt.prefill:
        said.append({"role": "assistant", "content": prompt.prefill})
    return said


def _message(turn: Turn) -> dict[str, Any]:
    if turn.role == "tool":
        return {"role": "tool", "tool_call_id": turn.call_id or "", "content": turn.text}
    message: dict[str, Any] = {"role": turn.role, "content": turn.text}
    if turn.calls:
        # Of a turn that only calls, content is null; the arguments go back as the model wrote them.
        message["content"] = turn.text or None
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in turn.calls
        ]
    return message


def tools(prompt: Prompt) -> list[dict[str, Any]]:
    """The tools that are offered."""
    return [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
        }
        for tool in prompt.tools
    ]
