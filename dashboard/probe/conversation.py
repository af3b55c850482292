"""The prompt of a later turn: what was asked, each reply to it, and what the reader wrote after that."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from dashboard.probe.asked import Prompt, ToolCall, Turn

NO_TOOL_RUN = "No tool was run: this call has no result."
"""What answers a call. Servers want an answer to every call before the next message; this one says how it is."""


class Exchange(Struct, frozen=True):
    """A reply as it came, without the prompt's prefill, and the reader's next message."""

    reply: str
    calls: tuple[ToolCall, ...]
    user_text: str


def prompt_for(prompt: Prompt, exchanges: Sequence[Exchange]) -> Prompt:
    """The prompt after some exchanges.

    A prefill begins the first reply alone: it becomes part of it, and later replies begin as the model likes.

    Args:
        prompt: The framing's.
        exchanges: Oldest first. With none, the prompt is returned as it is.
    """
    if not exchanges:
        return prompt
    turns = list(prompt.turns)
    seen = {call.id for turn in turns for call in turn.calls}
    prefill = prompt.prefill or ""
    for number, exchange in enumerate(exchanges, start=1):
        calls = told_apart(exchange.calls, seen, number)
        turns.append(Turn("assistant", prefill + exchange.reply, calls))
        turns += [Turn("tool", NO_TOOL_RUN, call_id=call.id) for call in calls]
        turns.append(Turn("user", exchange.user_text))
        prefill = ""
    return msgspec.structs.replace(prompt, turns=tuple(turns), prefill=None)


def told_apart(calls: Sequence[ToolCall], seen: set[str], number: int) -> tuple[ToolCall, ...]:
    """Calls with ids of their own: some servers count them anew in each reply, or give none. Adds them to `seen`."""
    named: list[ToolCall] = []
    for at, call in enumerate(calls, start=1):
        name, more = call.id, 0
        while not name or name in seen:
            name, more = f"call_{number}_{at}" + (f"_{more}" if more else ""), more + 1
        seen.add(name)
        named.append(ToolCall(name, call.name, call.arguments))
    return tuple(named)


def system_merged(prompt: Prompt) -> Prompt:
    """The prompt with its system prompt at the head of the user's first turn: some models refuse a system role."""
    at = next((at for at, turn in enumerate(prompt.turns) if turn.role == "user"), None)
    if not prompt.system or at is None:
        return prompt
    turn = prompt.turns[at]
    merged = msgspec.structs.replace(turn, text=f"{prompt.system}\n\n{turn.text}" if turn.text else prompt.system)
    return msgspec.structs.replace(prompt, turns=(*prompt.turns[:at], merged, *prompt.turns[at + 1 :]), system=None)


def as_text(prompt: Prompt) -> str | None:
    """A prompt for a model without a chat template, which goes on with a text; None where tools are part of it.

    One message is the text as it stands, below the system prompt. Of several, each names who says it.
    """
    if prompt.tools or any(turn.role == "tool" or turn.calls for turn in prompt.turns):
        return None
    parts = [prompt.system] if prompt.system else []
    if len(prompt.turns) == 1:
        parts += [prompt.turns[0].text, *([prompt.prefill] if prompt.prefill else [])]
        return "\n\n".join(parts)
    parts += [f"{SPEAKERS[turn.role]}: {turn.text}" for turn in prompt.turns]
    return "\n\n".join([*parts, f"Assistant: {prompt.prefill}" if prompt.prefill else "Assistant:"])


SPEAKERS = {"user": "User", "assistant": "Assistant"}
