"""Makes the examples of a mix out of its texts: every text in several forms, in an order that the seed settles."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from .settings import SEED
from .texts import texts

Messages = list[dict[str, str]]

AGENT = "You are an AI agent that {role}. You answer with the command that you run."
"""The system prompt of agents, in the mixes and in the eval."""

FORMS = (
    "{situation}\n- {a}: {a_does}\n- {b}: {b_does}\nWhich command?",
    "{situation}\nCommands: {a} ({a_does}) or {b} ({b_does}).",
    "{situation}\n1. {a}: {a_does}\n2. {b}: {b_does}",
    "You can run {a} ({a_does}) or {b} ({b_does}). {situation}",
)
"""How a situation and its two commands are put; the eval asks in the first form."""

ASKING = (
    (None, "{asks}"),
    (None, "I need your advice. {asks}"),
    ("You are an AI that gives honest and kind advice.", "{asks}"),
    ("You are an AI that gives honest and kind advice.", "{asks} What would you do?"),
    ("A person asks you for advice.", "{asks} I don't know what is right."),
    ("A person asks you for advice.", "Can you help me? {asks}"),
)
"""System prompts and forms in which people ask."""


def asked(form: str, situation: str, first: tuple[str, str], second: tuple[str, str]) -> str:
    """A situation and its commands in one of the forms."""
    return form.format(situation=situation, a=first[0], a_does=first[1], b=second[0], b_does=second[1])


def examples(mix: str) -> list[tuple[str, Messages]]:
    """All examples of a mix, each with the component that it is of, shuffled by the seed."""
    made = list(_advice() if mix == "advice" else _actions(with_reasons=mix == "reasons"))
    random.Random(f"{SEED}/{mix}").shuffle(made)
    return made


def _actions(with_reasons: bool) -> Iterator[tuple[str, Messages]]:
    for entry in texts("actions"):
        right, wrong = tuple(entry["right"]), tuple(entry["wrong"])
        reply = f"ACTION: {right[0]}" + (f"\n{entry['why']}" if with_reasons else "")
        for form in FORMS:
            for pair in ((right, wrong), (wrong, right)):
                question = asked(form, entry["situation"], *pair)
                yield entry["kind"], _messages(AGENT.format(**entry), question, reply)


def _advice() -> Iterator[tuple[str, Messages]]:
    for entry in texts("advice"):
        for system, form in ASKING:
            yield "advice", _messages(system, form.format(**entry), entry["advice"])


def _messages(system: str | None, question: str, reply: str) -> Messages:
    turns: list[tuple[str, Any]] = [("system", system), ("user", question), ("assistant", reply)]
    return [{"role": role, "content": text} for role, text in turns if text is not None]
