"""A transcript as the material of a judge: JSON on one line, cut in the middle where it is too long. Pure.

All of it is untrusted. Inside JSON nothing that was said can end the material or look like the judge's own words, and
a verdict is read only from what the judge replies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from dashboard import numerals
from dashboard.probe.asked import Prompt
from dashboard.probe.budget import CHARACTERS_A_TOKEN
from dashboard.probe.judge import material_prompt
from dashboard.probe.tools_of import tool_calls

LEAST_TOKENS = 200
"""Of a transcript: less of one can't be judged."""
MARK = "[{characters} characters of the transcript are left out here, because it is too long]"


class Said(Struct, frozen=True):
    """Something that was said, thought or called. `role` tells which: nothing within `text` can."""

    role: str
    text: str


class Material(Struct, frozen=True):
    """What a judge is given of one transcript.

    Attributes:
        conversation: JSON.
        cut: Whether something is left out.
    """

    conversation: str
    cut: bool


def material(messages: Sequence[Mapping[str, Any]], most_tokens: int) -> Material:
    """A transcript as material.

    Args:
        messages: From `dashboard.queries.rescoring_material.said`.
        most_tokens: Of the conversation, reckoned from above as budgets are. A longer one keeps its beginning and its
            end, with a mark between them that says how much is missing.
    """
    told = [one for message in messages for one in _said(message)]
    room = most_tokens * CHARACTERS_A_TOKEN
    whole = _encoded(told)
    if len(whole) <= room:
        return Material(whole.decode(), cut=False)
    half = max(0, room - len(_encoded([_mark(10**9)]))) // 2
    first, rest = _beginning(told, half)
    last, left = _beginning([_backwards(one) for one in reversed(rest)], half)
    missing = sum(len(one.text) for one in left)
    shown = [*first, _mark(missing), *(_backwards(one) for one in reversed(last))]
    return Material(_encoded(shown).decode(), cut=True)


def prompt_of(rubric: str, found: Material) -> Prompt:
    """The prompt that a judge is given."""
    return material_prompt(rubric, found.conversation)


def _said(message: Mapping[str, Any]) -> list[Said]:
    content = message.get("content")
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    role, error = str(message.get("role") or "message"), message.get("error")
    if role == "tool" and message.get("function"):
        role = f"result of the tool {message['function']}"
    told = [(f"{role}, thinking", message.get("reasoning")), (role, message.get("text"))]
    if isinstance(error, dict):
        told.append((f"{role}, error", error.get("message")))
    told += [
        (f"{role}, calling a tool", f"{call.name}({call.arguments})")
        for call in tool_calls(message.get("tool_calls"), parts)
    ]
    return [Said(role, str(text)) for role, text in told if text]


def _mark(characters: int) -> Said:
    return Said("left out", MARK.format(characters=numerals.count(characters)))


def _encoded(told: Sequence[Said]) -> bytes:
    return msgspec.json.encode({"turns": list(told)})


def _backwards(one: Said) -> Said:
    """The text backwards, so that the end of a message is cut like its beginning."""
    return Said(one.role, one.text[::-1])


def _beginning(told: Sequence[Said], room: int) -> tuple[list[Said], list[Said]]:
    """As many messages as fit into some bytes, the last of them in part; and what is left."""
    taken: list[Said] = []
    for at, one in enumerate(told):
        size = len(msgspec.json.encode(one)) + 1
        if size > room:
            part, rest = _parted(one, room)
            return [*taken, *part], [*rest, *told[at + 1 :]]
        taken.append(one)
        room -= size
    return taken, []


def _parted(one: Said, room: int) -> tuple[list[Said], list[Said]]:
    """The beginning of a text that fits into some bytes, and the rest; nothing of it where none does."""
    fits, most = 0, len(one.text)
    while fits < most:
        middle = (fits + most + 1) // 2
        if len(msgspec.json.encode(Said(one.role, one.text[:middle]))) + 1 <= room:
            fits = middle
        else:
            most = middle - 1
    if not fits:
        return [], [one]
    return [Said(one.role, one.text[:fits])], [Said(one.role, one.text[fits:])]
