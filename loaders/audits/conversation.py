"""A transcript as records: the target's conversation, what it was asked about, and what the judge said of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

import msgspec

from loaders.audits.replay import AUDITOR, COMBINED, View, replay
from loaders.inspect.decode import decode
from loaders.inspect.documents import MessageDoc
from loaders.inspect.errors import Unreadable
from loaders.inspect.messages import message_record
from loaders.inspect.resolve import Budget, Resolver
from loaders.inspect.scores import scalar
from loaders.json_text import clean, json_text
from loaders.records import AUDITOR_VIEW, COMBINED_VIEW, MessageRecord, ScoreRecord

MESSAGE = msgspec.json.Decoder(MessageDoc)
OTHERS = {AUDITOR_VIEW: AUDITOR, COMBINED_VIEW: COMBINED}
DIGEST = 8
"""Characters that tell one question from another."""


@dataclass
class Conversation:
    """What the target saw in the end, and what others did.

    Attributes:
        messages: The target's. Empty where there are none, or where they can't be told.
        views: Those of others, by name; a view without messages, and one that can't be told, is left out.
        edits: How often messages were taken back, replaced or changed, by operation.
        problem: Why the conversation can't be told, where it can't.
    """

    messages: list[MessageRecord] = field(default_factory=list)
    views: dict[str, list[MessageRecord]] = field(default_factory=dict)
    edits: dict[str, int] = field(default_factory=dict)
    problem: str | None = None

    @property
    def reply(self) -> str | None:
        """The target's last message."""
        return next((one.text for one in reversed(self.messages) if one.role == "assistant"), None)


def conversation(transcript: Any) -> Conversation:
    """The target's view of a transcript; of one without events, the messages that were kept instead.

    An edit that can't be replayed leaves no conversation, rather than one that never was.
    """
    if not isinstance(transcript, Mapping):
        return Conversation(problem="it is no object")
    seen = {name: _seen(transcript, names) for name, names in OTHERS.items()}
    views = {name: messages for name, messages in seen.items() if messages}
    try:
        if isinstance(transcript.get("events"), list):
            view = replay(transcript["events"])
        else:
            kept = transcript.get("target_messages") or transcript.get("messages")
            view = View([one for one in kept if isinstance(one, dict)] if isinstance(kept, list) else [])
        return Conversation([_record(message) for message in view.messages], views, dict(view.edits))
    except (ValueError, Unreadable) as error:
        return Conversation(views=views, problem=str(error))


def brief(transcript: Any) -> list[MessageRecord]:
    """What the auditor was told to do: its first messages, up to its own first one; none where they aren't there."""
    events = transcript.get("events") if isinstance(transcript, Mapping) else None
    try:
        told = takewhile(lambda message: _role(message) in ("system", "user"), replay(events, AUDITOR).messages)
        return [_record(message) for message in told]
    except (ValueError, Unreadable):
        return []


def _seen(transcript: Mapping[str, Any], names: frozenset[str]) -> list[MessageRecord]:
    """The messages of one view; none where they can't be told."""
    try:
        return [_record(message) for message in replay(transcript.get("events"), names).messages]
    except (ValueError, Unreadable):
        return []


def digest(text: str) -> str:
    """A short name of a text: equal texts have equal ones."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:DIGEST]


def score_records(
    scorer: str, values: Mapping[str, Any], explanation: Any, metadata: Mapping[str, Any]
) -> list[ScoreRecord]:
    """A row for each dimension that a judge rated, with its one explanation for all of them.

    Args:
        scorer: What the rows are of.
        values: A number for each dimension; anything else is missing.
        explanation: The judge's justification.
        metadata: What else it said; of empty values nothing is kept.
    """
    kept = {name: value for name, value in metadata.items() if value}
    told = json_text(kept) if kept else None
    text = clean(explanation) if isinstance(explanation, str) and explanation else None
    rows = []
    for key, value in values.items():
        number, infinite, kind = scalar(value) if is_number(value) else (None, None, "missing")
        rows.append(ScoreRecord(scorer, clean(str(key)), number, infinite, kind, None, text, None, told))
    if not rows and (text or told):
        rows.append(ScoreRecord(scorer, explanation=text, metadata_json=told))
    return rows


def is_number(value: Any) -> bool:
    """Whether a JSON value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def text_of(value: Any) -> str | None:
    """A text that isn't empty, clean; None for anything else."""
    return clean(value) if isinstance(value, str) and value.strip() else None


def object_of(document: Any, key: str) -> dict[str, Any]:
    """An object within an object; empty where there is none."""
    value = document.get(key) if isinstance(document, Mapping) else None
    return value if isinstance(value, dict) else {}


def objects_of(document: Any, key: str) -> list[dict[str, Any]]:
    """The objects of a list within an object; none where there is no list."""
    value = document.get(key) if isinstance(document, Mapping) else None
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _role(message: Mapping[str, Any]) -> Any:
    """Before v3.0 the role was called `type`."""
    return message.get("role") or message.get("type")


def _record(message: Mapping[str, Any]) -> MessageRecord:
    written = json_text({**message, "role": _role(message)}).encode()
    return message_record(decode(MESSAGE, written, "a message"), Resolver(_no_attachment, Budget()))


def _no_attachment(_key: str) -> None:
    """Transcripts have no attachments."""
