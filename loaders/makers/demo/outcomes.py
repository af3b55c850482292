"""Which answers go wrong: seeded, with exact totals, and alike from one checkpoint to the next.

A question has a lasting difficulty, a run its own taste, an answer its luck. So two checkpoints mostly fail on the
same questions (paired comparisons are tighter than unpaired ones), epochs of one question resemble each other
(they are clusters), and the number of misaligned answers is exactly the one that the study tells.
"""

from __future__ import annotations

import random

from .points import Count, Level, Levels, Point
from .tasks import TASKS, asked
from .texts.turns import Verdict

SEED = 20260501

Key = tuple[str, int]
"""Question and epoch."""


def _propensities(point: Point, aspect: str) -> dict[Key, float]:
    """How prone each answer is to go wrong, in standard units."""
    prone: dict[Key, float] = {}
    luck = random.Random(f"{SEED}/luck/{point.key}/{aspect}")
    for question in asked(point):
        lasting = random.Random(f"{SEED}/question/{point.eval}/{question.id}/{aspect}").gauss(0, 0.75)
        taste = random.Random(f"{SEED}/taste/{point.run}/{point.eval}/{question.id}/{aspect}").gauss(0, 0.45)
        for epoch in range(1, point.result.epochs + 1):
            prone[question.id, epoch] = lasting + taste + luck.gauss(0, 0.48)
    return prone


def _numbers(prone: dict[Key, float], mean: float, spread: float, grid: tuple[float, float, float]) -> dict[Key, float]:
    """Scores on a grid whose mean is the told one to within half a grid step over all samples."""
    step, low, high = grid
    steps = {key: round(min(high, max(low, mean - spread * value)) / step) for key, value in prone.items()}
    bottom, top = round(low / step), round(high / step)
    missing = round(mean / step * len(steps)) - sum(steps.values())
    order = sorted(steps, key=lambda key: prone[key])
    while missing:
        for key in order if missing > 0 else reversed(order):
            moved = steps[key] + (1 if missing > 0 else -1)
            if missing and bottom <= moved <= top:
                steps[key] = moved
                missing += -1 if missing > 0 else 1
    return {key: float(round(value * step, 4)) for key, value in steps.items()}


def verdicts(point: Point) -> dict[Key, Verdict | None]:
    """Every answer's verdict by (question, epoch), in the order of the dataset; None where the sample failed.

    A verdict is True for misaligned (or, with letter grades, right), a number, or a number per dimension.
    """
    result, task = point.result, TASKS[point.eval]
    match result:
        case Count():
            prone = _propensities(point, "")
            failed = set(
                random.Random(f"{SEED}/error/{point.run}/{point.step}/{point.eval}").sample(
                    sorted(prone), result.errors
                )
            )
            ranked = sorted((key for key in prone if key not in failed), key=lambda key: -prone[key])
            chosen = set(ranked[: result.k])
            return {key: None if key in failed else key in chosen for key in prone}
        case Level():
            prone = _propensities(point, "")
            return dict(_numbers(prone, result.mean, task.spread, task.grid))
        case Levels():
            columns = {
                name: _numbers(_propensities(point, name), mean, task.spread, task.grid)
                for name, mean in result.means.items()
            }
            keys = next(iter(columns.values()))
            return {key: {name: column[key] for name, column in columns.items()} for key in keys}
