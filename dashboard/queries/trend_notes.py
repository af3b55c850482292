"""What must be known about the numbers of a trend, as sentences for people. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dashboard.queries.flags import facets_of
from dashboard.queries.trend_lines import Line, Movement, Step

ALIKE = ("judge", "task version", "epochs", "dataset")
"""What two logs must share to be comparable, besides their questions."""


def notes(line: Line, compared: Sequence[Step], moved: Movement, other: Line | None = None) -> list[str]:
    """What must be known about a line's numbers, or about those of its lead.

    Args:
        line: The line.
        compared: Its steps, less its start or less the other line.
        moved: What slope (and mean) are made of.
        other: The line that a lead is over; None where the line is told by itself.
    """
    told = _of_members(line)
    apart = [step.step for step in compared if not step.paired]
    if apart and all(
        not (match.here.questions and match.there.questions) for step in compared for match in step.matches
    ):
        told.append("not paired: the logs hold no samples")
    elif apart:
        told.append(f"not paired, for lack of questions in common, at {_at(apart)}")
    unlike: dict[str, list[int]] = {}
    for step in compared:
        facets = [(facets_of(match.here.row), facets_of(match.there.row)) for match in step.matches]
        for name in ALIKE:
            if any(here[name] != there[name] for here, there in facets):
                unlike.setdefault(name, []).append(step.step)
    told += [f"another {name} at {_at(steps)}" for name, steps in unlike.items()]
    without = [step for step, variance in zip(moved.steps, moved.variances, strict=True) if np.isnan(variance)]
    if 0 < len(without) < len(moved.steps):
        told.append(f"no interval at {_at(without)}, which {'mean and slope' if other else 'slopes'} leave out")
    if other is not None:
        lone = [name for name in line.members if name not in other.members]
        if lone:
            told.append(f"{other.about['run']} was never measured on {', '.join(lone)}")
        shared = {step for step in line.steps if step in other.steps} - {step.step for step in compared}
        if shared:
            told.append(f"at {_at(sorted(shared))} both are the same checkpoint, which is left out")
    return told


def _of_members(line: Line) -> list[str]:
    """Which members an average lacks, everywhere or at some steps."""
    told = []
    if line.missing:
        told.append(f"missing from the mean: {', '.join(line.missing)}")
    if line.unlike:
        told.append(f"left out of the mean (other kind, unit or direction): {', '.join(line.unlike)}")
    for name, steps in line.members.items():
        absent = [step for step in line.gaps if step not in steps]
        if absent:
            told.append(f"{name} was not measured at {_at(absent)}, which is left out of the mean")
    return told


def _at(steps: Sequence[int]) -> str:
    return f"step{'s' if len(steps) > 1 else ''} {', '.join(str(step) for step in steps)}"
