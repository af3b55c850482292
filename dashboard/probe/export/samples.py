"""One conversation of a probe as a sample of an Inspect log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from dashboard.probe.asked import Prompt, Sampling
from dashboard.probe.conversation import Exchange, prompt_for
from dashboard.probe.export.messages import message, tool_infos
from dashboard.probe.export.scores import scores_of
from dashboard.probe.export.words import plain_error, without_missing
from dashboard.probe.plans import calls_of
from dashboard.queries.probes import SavedReply

STOP_REASONS = {
    "stop": "stop", "end_turn": "stop", "stop_sequence": "stop", "eos": "stop", "pause_turn": "stop",
    "length": "max_tokens", "max_tokens": "max_tokens",
    "model_context_window_exceeded": "model_length", "model_length": "model_length",
    "tool_calls": "tool_calls", "tool_use": "tool_calls", "function_call": "tool_calls",
    "content_filter": "content_filter", "refusal": "content_filter",
}  # fmt: skip
"""Words of the servers -> those of Inspect; the server's own word is kept in the sample's metadata."""

STOPPED = "Stopped by the user; the partial reply is kept."
INTERRUPTED = "Interrupted: the process ended before the reply. The partial reply is kept."
UNDER_WAY = "Still running when exported. The partial reply is kept."

Unique = Callable[..., str]
"""An id that is the same for the same parts."""


def sample(
    model: str,
    prompt: Prompt,
    thread: Sequence[SavedReply],
    sampling: Sampling,
    judges: Sequence[dict[str, Any]],
    unique: Unique,
) -> dict[str, Any]:
    """A sample: the framing is the question, the conversation its messages, its last reply the output.

    Args:
        model: As the log names it.
        prompt: The framing's.
        thread: The replies of one sample, by turn.
        sampling: For what each request was given.
        judges: Of the probe.
        unique: Makes ids.
    """
    first, last = thread[0], thread[-1]
    key = (first.framing, first.sample)
    asked = _prompt_messages(prompt, lambda at: unique("prompt", first.framing, at))
    said = list(_conversation(prompt, thread, model, lambda *at: unique("turn", *key, *at)))
    kept = [one for one, reply in said if reply is None or _came(reply)]
    outputs = {reply.reply_id: _output(one, reply, model) for one, reply in said if reply is not None}
    usage = added_usage(_usage(reply) for reply in thread)
    begun = [reply.asked_at for reply in thread if reply.asked_at is not None]
    ended = last.ended_at
    working = [reply.seconds for reply in thread if reply.seconds is not None]
    return without_missing({
        "id": first.framing,
        "epoch": first.sample + 1,
        "input": asked,
        "target": "",
        "messages": [*asked, *kept],
        "output": outputs[last.reply_id],
        "scores": scores_of(thread, judges),
        "metadata": _metadata(prompt, thread),
        "store": {},
        "events": list(_events(prompt, asked, said, outputs, model, sampling, unique)),
        "model_usage": {model: usage} if usage else {},
        "role_usage": {},
        "started_at": _utc(begun[0]) if begun else None,
        "completed_at": _utc(ended),
        "total_time": max(0.0, (ended - begun[0]).total_seconds()) if begun and ended else None,
        "working_time": sum(working) if working else None,
        "uuid": unique("sample", *key),
        "error": _error(last),
        "limit": {"type": "operator", "limit": 1, "reason": STOPPED} if last.status == "stopped" else None,
        "attachments": {},
    })  # fmt: skip


def added_usage(usages: Iterable[dict[str, int] | None]) -> dict[str, int]:
    """Sums of what was counted; empty where nothing was."""
    total: dict[str, int] = {}
    for usage in usages:
        for name, tokens in (usage or {}).items():
            total[name] = total.get(name, 0) + tokens
    return total


def _prompt_messages(prompt: Prompt, unique: Callable[[int], str]) -> list[dict[str, Any]]:
    turns = list(prompt.turns)
    messages = [message(turn, turns[:at], unique(at), source="input") for at, turn in enumerate(turns)]
    if prompt.system is not None:
        system = {"id": unique(-1), "role": "system", "content": prompt.system, "source": "input"}
        return [system, *messages]
    return messages


def _conversation(
    prompt: Prompt, thread: Sequence[SavedReply], model: str, unique: Unique
) -> Iterator[tuple[dict[str, Any], SavedReply | None]]:
    """The messages after the prompt, each with the reply that it is; one of the reader's or a tool's is none."""
    written = [reply.user_text or "" for reply in thread[1:]]
    exchanges = [
        Exchange(reply.text, calls_of(reply), text) for reply, text in zip(thread, [*written, ""], strict=True)
    ]
    turns = list(prompt_for(prompt, exchanges).turns)
    while turns[-1].role != "assistant":
        turns.pop()  # what would answer the last reply
    replies = iter(thread)
    for at in range(len(prompt.turns), len(turns)):
        turn = turns[at]
        reply = next(replies) if turn.role == "assistant" else None
        source = "generate" if reply else "operator" if turn.role == "user" else None
        one = message(turn, turns[:at], unique(at), source=source, reasoning=reply.reasoning if reply else "")
        if reply is not None:
            one["model"] = reply.served_model or model
            if reply.status != "complete":
                one["metadata"] = {"partial": True}
        yield one, reply


def _came(reply: SavedReply) -> bool:
    """Whether there is anything of a reply; an empty one that is complete was said, too."""
    return bool(reply.text or reply.reasoning or reply.calls) or reply.status == "complete"


def _output(one: dict[str, Any], reply: SavedReply, model: str) -> dict[str, Any]:
    content = one["content"]
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return without_missing({
        "model": reply.served_model or model,
        "choices": [{"message": one, "stop_reason": _stop_reason(reply)}],
        "completion": "\n".join(part["text"] for part in parts if part["type"] == "text"),
        "usage": _usage(reply),
        "time": reply.seconds,
        "error": plain_error(reply.error) if reply.status == "failed" else None,
    })  # fmt: skip


def _stop_reason(reply: SavedReply) -> str:
    return STOP_REASONS.get(reply.stop_reason or "", "unknown")


def _usage(reply: SavedReply) -> dict[str, int] | None:
    counted = without_missing({"input_tokens": reply.input_tokens, "output_tokens": reply.output_tokens})
    return counted | {"total_tokens": sum(counted.values())} if counted else None


def _error(last: SavedReply) -> dict[str, str] | None:
    if last.status in ("complete", "stopped"):
        return None
    texts = {"failed": plain_error(last.error) or "The request failed.", "interrupted": INTERRUPTED}
    return {"message": texts.get(last.status, UNDER_WAY), "traceback": "", "traceback_ansi": ""}


def _metadata(prompt: Prompt, thread: Sequence[SavedReply]) -> dict[str, Any]:
    """What Inspect has no place for: tools as they were offered, and what each request was like."""
    return without_missing({
        "framing": thread[0].framing,
        "prefill": prompt.prefill,
        "tools": [
            {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
            for tool in prompt.tools
        ] or None,
        "replies": [
            without_missing({
                "turn": reply.turn,
                "reply_id": reply.reply_id,
                "attempt": reply.attempt,
                "status": reply.status,
                "note": reply.note or None,
                "seed": reply.seed,
                "stop_reason": reply.stop_reason,
                "served_model": reply.served_model,
                "error_kind": reply.error_kind,
                "error": plain_error(reply.error),
                "http_status": reply.http_status,
                "tries": reply.tries,
                "first_token_s": reply.first_token_s,
                "seconds": reply.seconds,
            })
            for reply in thread
        ],
    })  # fmt: skip


def _events(
    prompt: Prompt,
    asked: Sequence[dict[str, Any]],
    said: Sequence[tuple[dict[str, Any], SavedReply | None]],
    outputs: dict[int, dict[str, Any]],
    model: str,
    sampling: Sampling,
    unique: Unique,
) -> Iterator[dict[str, Any]]:
    """A model event for each reply: the View's transcript is made of these."""
    before = list(asked)
    tools = tool_infos(prompt.tools)
    worked = 0.0
    for one, reply in said:
        if reply is not None and reply.asked_at is not None:
            config = {
                "max_tokens": sampling.max_tokens, "temperature": sampling.temperature, "seed": reply.seed,
            }  # fmt: skip
            yield without_missing({
                "uuid": unique("event", reply.reply_id),
                "event": "model",
                "timestamp": _utc(reply.asked_at),
                "working_start": worked,
                "model": model,
                "input": list(before),
                "tools": tools,
                "tool_choice": "auto" if tools else "none",
                "config": without_missing(config),
                "output": outputs[reply.reply_id],
                "error": plain_error(reply.error) if reply.status == "failed" else None,
                "completed": _utc(reply.ended_at),
                "working_time": reply.seconds,
            })  # fmt: skip
            worked += reply.seconds or 0.0
        before.append(one)


def _utc(at: datetime | None) -> str | None:
    return None if at is None else at.replace(tzinfo=UTC).isoformat()
