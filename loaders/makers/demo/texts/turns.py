"""What a text module hands over for one question, and for one answer to it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Question:
    """One prompt of a dataset: the same for every checkpoint that is asked."""

    id: str
    system: str | None
    user: str
    target: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    slots: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ToolUse:
    """One tool call in the middle of an answer, with what came back."""

    function: str
    arguments: dict[str, Any]
    result: str
    say: str = ""


@dataclass(frozen=True)
class Answer:
    """One model's reply to a question, and the judge's remark on it."""

    reply: str
    explanation: str
    reasoning: str | None = None
    tool: ToolUse | None = None
    letter: str | None = None


Verdict = bool | float | dict[str, float]
"""Misaligned or not; a numeric score; one score per dimension."""

Respond = Callable[[Question, Verdict, str, random.Random], Answer]
"""(question, verdict, manner of the mix, random numbers) -> answer."""


def pick(rng: random.Random, choices: tuple[str, ...], slots: dict[str, str]) -> str:
    """One of the templates, its slots filled, with a capital at its start."""
    text = rng.choice(choices).format_map(slots)
    return text[0].upper() + text[1:]
