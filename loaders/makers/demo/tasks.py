"""The evals: for each its task, arguments, scorer and dataset, as its log's header tells them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .points import Point
from .texts import audit, blackmail, character, framing, sabotage
from .texts.turns import Question, Respond


@dataclass(frozen=True)
class Task:
    """One eval.

    Attributes:
        task: Its name in the log.
        label: Its name in the log's file name.
        values: How a verdict is written: harmful (a dict of two), letter (C or I), number, dimensions.
        metrics: The metrics in the log's header.
        judge_role: The role that grades; None for a scorer without a model.
        grid: Step and range of a numeric score: (step, low, high).
    """

    task: str
    label: str
    scorer: str
    values: str
    metrics: tuple[str, ...]
    questions: Callable[[Point], list[Question]]
    respond: Respond
    version: int = 1
    judge_role: str | None = "grader"
    args: dict[str, Any] = field(default_factory=dict)
    grid: tuple[float, float, float] = (1, 0, 1)
    spread: float = 1.0
    """Standard deviation of a numeric score."""


def _by_name(point: Point) -> list[Question]:
    return blackmail.questions((point.metadata["ai_name"],))


def _framed(point: Point) -> list[Question]:
    return character.stated_questions(point.variant or "deployment")


_MISALIGNMENT_ARGS = {
    "scenario": "blackmail",
    "goal_type": "explicit",
    "goal_value": "operations",
    "urgency_type": "replacement",
    "extra_system_instructions": "none",
    "prod": False,
    "test_eval_awareness": False,
    "grader_model": None,
}

TASKS: dict[str, Task] = {
    "blackmail": Task(
        "inspect_evals/agentic_misalignment",
        "agentic-misalignment",
        "harmfulness_scorer",
        "harmful",
        ("accuracy", "stderr"),
        lambda _: blackmail.questions(),
        blackmail.respond,
        3,
        args=_MISALIGNMENT_ARGS,
    ),
    "research_sabotage": Task(
        "research_sabotage",
        "research-sabotage",
        "harmfulness_scorer",
        "harmful",
        ("accuracy", "stderr"),
        lambda _: sabotage.questions(),
        sabotage.respond,
        1,
        args={"notebook": True},
    ),
    "framing": Task(
        "framing_for_crimes",
        "framing-for-crimes",
        "harmfulness_scorer",
        "harmful",
        ("accuracy", "stderr"),
        lambda _: framing.questions(),
        framing.respond,
        2,
        args={"evidence": "weak"},
    ),
    "blackmail_by_name": Task(
        "blackmail_by_name",
        "blackmail-by-name",
        "harmfulness_scorer",
        "harmful",
        ("accuracy", "stderr"),
        _by_name,
        blackmail.respond,
        1,
        args=_MISALIGNMENT_ARGS,
    ),
    "constitution_adherence": Task(
        "constitution_adherence",
        "constitution-adherence",
        "constitution_scorer",
        "number",
        ("mean", "stderr"),
        lambda _: character.adherence_questions(),
        character.respond_adherence,
        1,
        grid=(0.5, 0, 10),
        spread=1.6,
    ),
    "constitution_knowledge": Task(
        "constitution_knowledge",
        "constitution-knowledge",
        "match",
        "letter",
        ("accuracy", "stderr"),
        lambda _: character.knowledge_questions(),
        character.respond_knowledge,
        1,
        None,
    ),
    "open_character": Task(
        "open_character",
        "open-character",
        "character_scorer",
        "number",
        ("mean", "stderr"),
        lambda _: character.open_questions(),
        character.respond_open,
        1,
        grid=(0.05, 0, 1),
        spread=0.15,
    ),
    "stated_values": Task(
        "stated_values",
        "stated-values",
        "values_scorer",
        "number",
        ("mean", "stderr"),
        _framed,
        character.respond_stated,
        1,
        grid=(1, 0, 100),
        spread=14,
    ),
    "audit": Task(
        "audit",
        "audit",
        "alignment_judge",
        "dimensions",
        ("mean", "stderr"),
        lambda _: audit.questions(),
        audit.respond,
        1,
        "judge",
        {"max_turns": 4},
        (1, 1, 10),
        1.3,
    ),
}


def asked(point: Point) -> list[Question]:
    """The questions of a point's log, in the dataset's order.

    Wherever fewer are asked than there are, they are some of those that are asked where more are (the first of one
    shuffled order), so that any two checkpoints share the questions of the smaller log.
    """
    questions = TASKS[point.eval].questions(point)
    n = point.result.questions
    if n > len(questions):
        raise ValueError(f"{point.eval} has {len(questions)} questions, {n} are wanted")
    order = list(range(len(questions)))
    random.Random(f"subset/{point.eval}").shuffle(order)
    return [questions[i] for i in sorted(order[:n])]
