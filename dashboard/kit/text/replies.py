"""A probe's prompts and replies as messages. Pure."""

from __future__ import annotations

import json

from dashboard.probe.asked import Prompt
from dashboard.queries.probes import SavedReply
from dashboard.texts.messages import Message, Part, called


def messages_of_prompt(prompt: Prompt) -> list[Message]:
    """What a model was told, with the beginning of its reply where that was given."""
    said = [Message("system", (Part("text", prompt.system),))] if prompt.system else []
    for turn in prompt.turns:
        text = [Part("text", turn.text)] if turn.text else []
        calls = [called(call.name, call.arguments) for call in turn.calls]
        said.append(Message(turn.role, (*text, *calls)))
    if prompt.tools:
        said.append(Message("tools", (Part("text", ", ".join(tool.name for tool in prompt.tools)),)))
    if prompt.prefill:
        said.append(Message("assistant, begun with", (Part("text", prompt.prefill),)))
    return said


def message_of_reply(reply: SavedReply) -> Message:
    """What a model replied."""
    parts = [Part("reasoning", reply.reasoning, "Reasoning")] if reply.reasoning else []
    parts += [Part("text", reply.text)] if reply.text else []
    return Message("assistant", (*parts, *map(_called, reply.calls)), speaker=reply.served_model or "")


def _called(call: str) -> Part:
    try:
        found = json.loads(call)
        return called(str(found["name"]), found["arguments"])
    except (ValueError, KeyError, TypeError):
        return called("a tool", call)
