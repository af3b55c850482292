"""What was said: a message and its texts, whoever keeps it: a transcript, a probe, a file. All of it is untrusted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

Kind = Literal["reasoning", "text", "media", "call", "error", "verdict"]

ROLES = ("system", "user", "assistant", "tool")
"""Those that have a colour of their own."""


class Part(Struct, frozen=True):
    """One text of a message.

    Attributes:
        kind: What it is.
        text: In full; of a call its arguments, a line or more each.
        title: Stands over it; "" for the text itself.
        arguments: Of a call, by name; the name is "" where they are one text.
    """

    kind: Kind
    text: str
    title: str = ""
    arguments: tuple[tuple[str, str], ...] = ()


class Message(Struct, frozen=True):
    """A message: who speaks, and its parts in the order in which they are read.

    Attributes:
        role: Of who speaks.
        parts: What is said, thought and called.
        number: Its place in the conversation, from 1; None where it has none.
        speaker: The model, or the tool; "" where it is not known.
        source: Where the log has it from: "input", "generate"; "" where it doesn't say.
    """

    role: str
    parts: tuple[Part, ...]
    number: int | None = None
    speaker: str = ""
    source: str = ""

    @property
    def title(self) -> str:
        """Number, role and speaker in a line."""
        return " · ".join(str(part) for part in (self.number, self.role, self.speaker) if part)

    @property
    def texts(self) -> list[str]:
        """Every text that is shown, and so can be found: names of tools and arguments too."""
        found = []
        for part in self.parts:
            if part.kind == "call":
                found += [part.title, *(text for argument in part.arguments for text in argument)]
            elif part.kind != "media":
                found.append(part.text)
        return [text for text in found if text]


def messages_of(rows: Iterable[Mapping[str, Any]]) -> list[Message]:
    """The messages of a conversation.

    Args:
        rows: Columns of `messages`, JSON parsed, in order.
    """
    return [_message(number, row) for number, row in enumerate(rows, start=1)]


def messages_of_sample(rows: Sequence[Mapping[str, Any]], sample: Mapping[str, Any]) -> list[Message]:
    """The messages of a sample; its prompt and reply where the log keeps none (tables, lm-eval).

    Args:
        rows: Columns of `messages`, JSON parsed, in order.
        sample: Columns of `samples`.
    """
    pairs = (("user", sample["input"]), ("assistant", sample["reply"]))
    return messages_of(rows or [{"role": role, "text": text} for role, text in pairs if text])


def called(name: str, arguments: Any) -> Part:
    """A tool call.

    Args:
        name: Of the tool.
        arguments: As the log has them: by name, or as one text or value.
    """
    pairs = tuple(_arguments(arguments))
    return Part(
        "call", "\n".join(f"{name}: {text}" if name else text for name, text in pairs), f"→ calls {name}", pairs
    )


def as_text(value: Any) -> str:
    """A text as it is; all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, indent=1, ensure_ascii=False, default=str)


def _message(number: int, row: Mapping[str, Any]) -> Message:
    role = str(row.get("role") or "message")
    speaker = row.get("function") if role == "tool" else row.get("model")
    return Message(role, tuple(_parts(row)), number, str(speaker or ""), str(row.get("source") or ""))


def _parts(row: Mapping[str, Any]) -> Iterable[Part]:
    if row.get("reasoning"):
        yield Part("reasoning", str(row["reasoning"]), "Reasoning")
    if row.get("text"):
        yield Part("text", str(row["text"]))
    content = row.get("content")
    for part in content if isinstance(content, list) else []:
        # Named, never loaded: an image in a log may be an address.
        if isinstance(part, dict) and part.get("type") not in ("text", "reasoning"):
            yield Part("media", f"[{part.get('type', 'unknown')}, not shown]")
    for call in row.get("tool_calls") or []:
        if isinstance(call, dict):
            yield called(str(call.get("function") or call.get("type") or "tool"), call.get("arguments"))
            if call.get("parse_error"):
                yield Part("error", str(call["parse_error"]), "Not parsed")
    error = row.get("error")
    if error:
        yield Part("error", str(error.get("message") if isinstance(error, dict) else error), "Error")


def _arguments(given: Any) -> list[tuple[str, str]]:
    if not isinstance(given, dict):
        return [] if given in (None, "") else [("", as_text(given))]
    return [(str(name), as_text(value)) for name, value in given.items()]
