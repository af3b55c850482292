"""The prompt that a transcript's model had before it at some turn, to be put to other models.

What a prompt can't carry (media, reasoning, tools that the log doesn't keep) is left out or told in words, and said.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from msgspec import Struct

from dashboard.probe.asked import Prompt, Tool, Turn
from dashboard.probe.conversation import NO_TOOL_RUN, told_apart
from dashboard.probe.tools_of import tool_calls, tools_of
from dashboard.queries.transcript import Transcript
from loaders.errors import DriftlineError

MEDIA = ("image", "image_url", "audio", "input_audio", "video", "document", "file")
TOLD = ("text", "reasoning", "thinking", "redacted_thinking", "tool_use", "tool_result", *MEDIA)
"""Parts of a message that are dealt with one way or another."""


class Carried(Struct, frozen=True):
    """A prompt, and in words what of the transcript isn't in it."""

    prompt: Prompt
    remarks: tuple[str, ...] = ()


class NothingToAsk(DriftlineError):
    """A turn before which nothing was said that a model could answer."""


def prompt_of(transcript: Transcript, upto: int | None = None, offered: Sequence[Tool] | None = None) -> Carried:
    """All that came before the reply at a turn.

    Args:
        transcript: Of any format.
        upto: `idx` of the last message to take over; None for all. Trailing messages of the assistant are not taken:
            they are what is to be asked for again. After results of tools, those to the same reply come along.
        offered: The tools that the model could call, where that is known; else they are gathered from the log.

    Raises:
        NothingToAsk: Nothing was said to the model before that turn.
    """
    messages = _until(transcript.messages, upto)
    loss: dict[str, int] = {}
    if not transcript.messages:
        text = transcript.sample.get("input") or ""
        turns, system = ([Turn("user", text)] if text.strip() else []), []
        _count(loss, "The log keeps no messages: the sample's input is the prompt.")
    else:
        system = [m["text"] for m in messages if m["role"] in ("system", "developer") and m["text"]]
        conversation = _Conversation(loss)
        for message in messages:
            conversation.add(message)
        turns = conversation.closed()
    while turns and turns[-1].role == "assistant":
        turns.pop()
    if not any(turn.role == "user" for turn in turns):
        raise NothingToAsk("Before this turn nothing was said to the model: pick a later one.")
    tools, told = (tuple(offered), []) if offered is not None else tools_of(transcript)
    prompt = Prompt(turns=tuple(turns), system="\n\n".join(system) or None, tools=tools)
    return Carried(prompt, (*(_shown(text, count) for text, count in loss.items()), *told))


def _until(messages: Sequence[dict[str, Any]], upto: int | None) -> list[dict[str, Any]]:
    taken = [message for message in messages if upto is None or message["idx"] <= upto]
    if taken and taken[-1]["role"] == "tool":
        # A model is asked again only when all the tools that it called have answered.
        taken += takewhile(lambda message: message["role"] == "tool", messages[len(taken) :])
    while taken and taken[-1]["role"] == "assistant":
        taken.pop()
    return taken


def _count(loss: dict[str, int], text: str) -> None:
    loss[text] = loss.get(text, 0) + 1


def _shown(text: str, count: int) -> str:
    return text if count == 1 else f"{text} ({count} times)"


class _Conversation:
    """Turns in the order that servers want: each call answered before anybody says more."""

    def __init__(self, loss: dict[str, int]) -> None:
        self._loss = loss
        self._turns: list[Turn] = []
        self._seen: set[str] = set()
        self._open: dict[str, str] = {}
        """Calls without a result: the id in the log, and the one in the prompt."""
        self._replies = 0

    def add(self, message: dict[str, Any]) -> None:
        """Take the next message over."""
        role, parts = message["role"], message.get("content")
        parts = [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
        self._say_what_is_lost(message, parts)
        if role in ("system", "developer"):
            if self._turns:
                self._lost("A system message within the conversation was moved to its beginning.")
        elif role == "assistant":
            self._assistant(message, parts)
        elif role == "tool":
            self._result(message.get("tool_call_id"), _result_text(message), message.get("function"))
        else:
            if role != "user":
                self._lost(f'A message of the role "{role}" is taken for the user\'s.')
            for part in parts:
                if part.get("type") == "tool_result":
                    self._result(part.get("tool_use_id"), _part_text(part.get("content")), None)
            self._user(message["text"] or "")

    def closed(self) -> list[Turn]:
        """The turns, calls at the end answered too."""
        if self._turns and self._turns[-1].role != "assistant":
            self._answer_open_calls()
        return self._turns

    def _user(self, text: str) -> None:
        if text.strip():
            self._answer_open_calls()
            self._turns.append(Turn("user", text))

    def _assistant(self, message: dict[str, Any], parts: Sequence[dict[str, Any]]) -> None:
        self._answer_open_calls()
        self._replies += 1
        logged = tool_calls(message.get("tool_calls"), parts)
        calls = told_apart(logged, self._seen, self._replies)
        text = message["text"] or ""
        if not text.strip() and not calls:
            self._lost("An empty message of the assistant is left out.")
            return
        self._open = {before.id: now.id for before, now in zip(logged, calls, strict=True)}
        self._turns.append(Turn("assistant", text, calls))

    def _result(self, logged: Any, text: str, function: str | None) -> None:
        now = self._open.pop(logged, None) if isinstance(logged, str) else None
        if now is None and logged is None and self._open:  # logs without ids: in the order of the calls
            now = self._open.pop(next(iter(self._open)))
        if now is not None:
            self._turns.append(Turn("tool", text, call_id=now))
            return
        self._lost("A tool result without a call became a user message.")
        self._user(f"[Result of {function}] {text}" if function else f"[Result] {text}")

    def _answer_open_calls(self) -> None:
        for now in self._open.values():
            self._lost("A call without a result in the log is answered by: " + NO_TOOL_RUN)
            self._turns.append(Turn("tool", NO_TOOL_RUN, call_id=now))
        self._open = {}

    def _say_what_is_lost(self, message: dict[str, Any], parts: Sequence[dict[str, Any]]) -> None:
        kinds = [str(part.get("type")) for part in parts]
        thought = message.get("reasoning") or any(kind in ("thinking", "redacted_thinking") for kind in kinds)
        if thought and message["role"] == "assistant":
            self._lost("Reasoning of an earlier reply is left out: servers take back none but their own.")
        for kind in kinds:
            if kind in MEDIA:
                self._lost("Images, audio and files are described in words.")
            elif kind not in TOLD:
                self._lost(f'A part of a message, "{kind[:40]}", is left out.')

    def _lost(self, text: str) -> None:
        _count(self._loss, text)


def _result_text(message: dict[str, Any]) -> str:
    """What a tool answered, as Inspect tells it to a model: its error, where it has failed."""
    error = message.get("error")
    if isinstance(error, dict) and error.get("message"):
        return f"Error: {error['message']}"
    return str(message["text"] or "")


def _part_text(content: Any) -> str:
    """The text of a `tool_result` part: plain, or a list of text parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(part["text"]) for part in parts if isinstance(part, dict) and part.get("text"))
