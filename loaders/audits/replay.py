"""A transcript's events replayed: what one of those who took part saw in the end.

Petri and Bloom only ever append to a transcript: an `edit` adds a message, takes the last ones back (`rollback`),
begins anew (`reset`) or changes the list in any way (`json_patch`), each in the views that it names.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from loaders.audits.json_patch import patched

ADD, ROLLBACK, RESET, JSON_PATCH = "add", "rollback", "reset", "json_patch"

TARGET = frozenset({"target"})
AUDITOR = frozenset({"auditor", "evaluator"})
"""The auditor's view, as Petri and as Bloom call it."""
COMBINED = frozenset({"combined"})
"""What both said, each once, as people read it."""


@dataclass
class View:
    """What one of those who took part saw.

    Attributes:
        messages: In the end, as the file has them.
        edits: How often the view was changed otherwise than by adding a message, by operation.
    """

    messages: list[dict[str, Any]] = field(default_factory=list)
    edits: Counter[str] = field(default_factory=Counter)


def replay(events: Any, names: frozenset[str] = TARGET) -> View:
    """What was seen in a view at the end of a transcript.

    Args:
        events: A transcript's `events`.
        names: The view, by any of these names.

    Raises:
        ValueError: An edit can't be replayed; the message names the event, counted from 1.
    """
    view = View()
    for number, event in enumerate(events if isinstance(events, list) else [], start=1):
        if not isinstance(event, dict) or event.get("type", "transcript_event") != "transcript_event":
            continue  # tools made, remarks: nothing that was said
        seen = event.get("view")
        if isinstance(seen, str | list) and not names.isdisjoint([seen] if isinstance(seen, str) else map(str, seen)):
            try:
                _apply(view, event.get("edit"))
            except ValueError as error:
                raise ValueError(f"event {number}: {error}") from error
    return view


def _apply(view: View, edit: Any) -> None:
    operation = edit.get("operation", ADD) if isinstance(edit, dict) else None
    match operation:
        case "add":
            view.messages.append(_message(edit.get("message")))
            return
        case "rollback":
            view.messages = view.messages[: _kept(view.messages, edit)]
        case "reset":
            view.messages = [_message(new) for new in _items(edit.get("new_messages"))]
        case "json_patch":
            after = patched(view.messages, edit.get("patch"))
            view.messages = [_message(new) for new in _items(after)]
        case _:
            raise ValueError(f"an edit {str(operation)[:40]!r} (known: {ADD}, {ROLLBACK}, {RESET}, {JSON_PATCH})")
    view.edits[operation] += 1


def _kept(messages: list[dict[str, Any]], edit: dict[str, Any]) -> int:
    """How many messages a rollback leaves: those up to `to_id`, or all but `count`."""
    last, count = edit.get("to_id"), edit.get("count")
    if last is not None:
        found = [at for at, message in enumerate(messages) if message.get("id") == last]
        if found:
            return found[0] + 1
    if not isinstance(count, int) or isinstance(count, bool) or count < 0 or (last is not None and not count):
        raise ValueError("a rollback to a message that isn't there")
    return max(len(messages) - count, 0)


def _items(value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError("messages that are no list")
    return value


def _message(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("a message that is no object")
    return value
