"""A sample as a row of Every Eval Ever's samples: one exchange, or all its messages, with one metric's outcome."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]

NOT_KNOWN = -1
"""The score that stands for none, as the record's `has_unknown_level` says."""
EXCHANGES: tuple[list[str], ...] = ([], ["user"], ["assistant"], ["user", "assistant"])
USAGE = ("input_tokens_cache_write", "input_tokens_cache_read", "reasoning_tokens")


@dataclass(frozen=True)
class Outcome:
    """What a sample came to under a metric: `value`, or `missing`; `answer` is what was graded, where that is known."""

    value: float | None
    answer: str | None = None

    @property
    def missing(self) -> bool:
        """Whether there is none."""
        return self.value is None


def sample_row(sample: Row, outcome: Outcome, epoch: int, better: str) -> Row:
    """The fields of a row that are the sample's own.

    Args:
        sample: As `sample_rows` gives it.
        outcome: Under the row's metric.
        epoch: Which sample of its question it is.
        better: Which values of the metric are: lower or higher.
    """
    messages = sample["messages"]
    single = [one["role"] for one in messages] in EXCHANGES and not any(one.get("tool_calls") for one in messages)
    raw, target = sample.get("input") or "", sample.get("target")
    reference = [target] if target else []
    used = any(one["role"] == "tool" or one.get("tool_calls") for one in messages)
    correct = outcome.value is not None and (outcome.value > 0) == (better == "higher")
    row: Row = {
        "sample_id": sample["sample_key"],
        "sample_hash": hashlib.sha256((raw + "".join(reference)).encode()).hexdigest(),
        "interaction_type": "single_turn" if single else "agentic" if used else "multi_turn",
        "input": {"raw": raw, "formatted": _formatted(messages, raw), "reference": reference, "choices": None},
        "output": _output(sample) if single else None,
        "messages": None if single else [_message(at, one) for at, one in enumerate(messages)],
        "answer_attribution": _answer(outcome.answer, messages, single),
        "evaluation": {
            "score": NOT_KNOWN if outcome.value is None else outcome.value,
            "is_correct": correct,
            "num_turns": len(messages) or 1,
            "tool_calls_count": sum(len(one.get("tool_calls") or ()) for one in messages),
        },
        "token_usage": _usage(sample.get("model_usage")),
        "error": sample.get("error"),
        "metadata": {"epoch": str(epoch), "log": sample["log"], "log_epoch": str(sample["epoch"])},
    }
    choices = sample.get("choices")
    if isinstance(choices, list):
        row["input"]["choices"] = [one if isinstance(one, str) else json.dumps(one) for one in choices]
    return row


def _formatted(messages: Sequence[Row], raw: str) -> str | None:
    """The prompt as the model saw it, where that is another one than the question."""
    asked = next((one["text"] for one in messages if one["role"] == "user"), None)
    return asked if asked and asked != raw else None


def _output(sample: Row) -> Row:
    reply = sample.get("reply")
    reasoning = [one["reasoning"] for one in sample["messages"] if one.get("reasoning")]
    return {"raw": [] if reply is None else [reply], "reasoning_trace": reasoning or None}


def _message(at: int, message: Row) -> Row:
    calls = message.get("tool_calls")
    return {
        "turn_idx": at,
        "role": message["role"],
        "content": message["text"],
        "reasoning_trace": message.get("reasoning"),
        "tool_calls": [_call(one) for one in calls if isinstance(one, Mapping)] if calls else None,
        "tool_call_id": [message["tool_call_id"]] if message.get("tool_call_id") else None,
    }


def _call(call: Mapping[str, Any]) -> Row:
    arguments = call.get("arguments")
    given = arguments if isinstance(arguments, Mapping) else {"arguments": arguments} if arguments else {}
    return {
        "id": str(call.get("id") or ""),
        "name": str(call.get("function") or ""),
        "arguments": {str(key): one if isinstance(one, str) else json.dumps(one) for key, one in given.items()},
    }


def _answer(answer: str | None, messages: Sequence[Row], single: bool) -> list[Row]:
    """What was graded; how it was taken from the reply, logs don't say."""
    if answer is None:
        return []
    last = 0 if single else max((at for at, one in enumerate(messages) if one["role"] == "assistant"), default=0)
    source = "output.raw" if single else f"messages[{last}].content"
    return [
        {"turn_idx": last, "source": source, "extracted_value": answer, "extraction_method": "custom",
         "is_terminal": True}
    ]  # fmt: skip


def _usage(usage: Any) -> Row | None:
    """The evaluated model's tokens; none where several models spoke: which of them it is isn't said."""
    told = list(usage.values()) if isinstance(usage, Mapping) else []
    if len(told) != 1 or not isinstance(told[0], Mapping):
        return None
    asked, replied = told[0].get("input_tokens"), told[0].get("output_tokens")
    if not isinstance(asked, int) or not isinstance(replied, int):
        return None
    total = told[0].get("total_tokens")
    more = {name: one for name in USAGE if isinstance(one := told[0].get(name), int)}
    return {
        "input_tokens": asked,
        "output_tokens": replied,
        "total_tokens": total if isinstance(total, int) else asked + replied,
        **more,
    }
