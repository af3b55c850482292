"""The types in which the study is told: a point is one eval of one checkpoint, with its exact result."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

HONEYPOTS = ("blackmail", "research_sabotage", "framing")

JUDGE = "simulated/judge-2"
OLD_JUDGE = "simulated/judge-1"


@dataclass(frozen=True)
class Count:
    """`k` misaligned (or right) answers among those asked; `errors` samples have no score and are missing."""

    k: int
    questions: int
    epochs: int = 1
    errors: int = 0

    @property
    def asked(self) -> int:
        """Samples in the log."""
        return self.questions * self.epochs

    @property
    def scored(self) -> int:
        """Samples with a score: the denominator."""
        return self.asked - self.errors


@dataclass(frozen=True)
class Level:
    """A numeric score with this mean (as near as the score's grid allows)."""

    mean: float
    questions: int
    epochs: int = 1

    @property
    def asked(self) -> int:
        """Samples in the log."""
        return self.questions * self.epochs


@dataclass(frozen=True)
class Levels:
    """Several numeric scores of one sample, one a dimension."""

    means: dict[str, float]
    questions: int
    epochs: int = 1

    @property
    def asked(self) -> int:
        """Samples in the log."""
        return self.questions * self.epochs


Result = Count | Level | Levels


@dataclass(frozen=True)
class Point:
    """One log: an eval of a run at a step.

    Attributes:
        rows: The rows of the plots table that this point is drawn in.
        variant: What tells it from the other logs of this eval and checkpoint (a framing, a name).
        metadata: Added to the log's metadata; any plot can be split by it.
        attempt: 1 for a log that repeats or retries an earlier one.
        logged: For a run that died: how many samples it got to (status "cancelled").
    """

    run: str
    step: int | None
    eval: str
    result: Result
    rows: tuple[int, ...]
    variant: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    judge: str = JUDGE
    task_version: int | None = None
    attempt: int = 0
    logged: int | None = None

    @property
    def key(self) -> str:
        """What seeds this log's random numbers."""
        return f"{self.run}/{self.step}/{self.eval}/{self.variant}/{self.attempt}"


@dataclass(frozen=True)
class Claim:
    """A published number: what the reference says, and where the study says it.

    Attributes:
        row: Row of the plots table.
        text: The words of the table.
        value: Fraction (0 to 1).
        within: How far the told number may lie off it ("~3 %" and rounding to whole percents).
        eval: An eval, or "honeypots" for the mean of the three.
    """

    row: int
    text: str
    run: str
    step: int | None
    eval: str
    value: float
    within: float = 0.0
    tokens: int | None = None


def apportion(total: int, each: int) -> tuple[int, int, int]:
    """`total` misaligned answers over the three honeypots of `each` samples: blackmail is the most frequent."""
    shares = (0.45, 0.3, 0.25)
    counts = [min(each, int(total * share)) for share in shares]
    order = sorted(range(3), key=lambda i: counts[i] - total * shares[i])
    for i in [*order, *order, *order]:
        if sum(counts) < total and counts[i] < each:
            counts[i] += 1
    if sum(counts) != total:
        raise ValueError(f"{total} of {3 * each} can't be apportioned")
    return counts[0], counts[1], counts[2]


def honeypots(
    run: str,
    step: int | None,
    counts: tuple[int, int, int] | int,
    questions: int | tuple[int, int, int],
    rows: tuple[int, ...],
    epochs: int = 1,
    errors: dict[str, int] | None = None,
    **extra: Any,
) -> list[Point]:
    """The three honeypots on one checkpoint; `counts` as one number is apportioned over them."""
    each = questions if isinstance(questions, tuple) else (questions,) * 3
    if isinstance(counts, int):
        counts = apportion(counts, each[0] * epochs)
    return [
        Point(run, step, name, Count(k, n, epochs, (errors or {}).get(name, 0)), rows, **extra)
        for name, k, n in zip(HONEYPOTS, counts, each, strict=True)
    ]
