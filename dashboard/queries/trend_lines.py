"""What trends are made of: the logs of a run step by step, and how the steps' numbers vary together."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from dashboard.queries.matches import Match, Measured
from dashboard.queries.questions import epochs_of
from dashboard.statistics import (
    Difference,
    average_difference,
    cluster_influence,
    rescaled_covariance,
    simultaneous_level,
    step_covariance,
    variance_of_interval,
)

Row = dict[str, Any]
Floats = npt.NDArray[np.float64]
Influence = dict[Hashable, float]


@dataclass(frozen=True)
class Line:
    """The checkpoints of one run on one eval or group, by one metric.

    Attributes:
        about: What every row about the line begins with.
        members: Eval -> step -> the log that a line goes through; one eval, or the members of a group.
        missing: Members of the group that the run was never measured on.
        unlike: Members of the group that can't be averaged with the others.
    """

    about: Row
    members: Mapping[str, Mapping[int, Measured]]
    missing: Sequence[str] = ()
    unlike: Sequence[str] = ()

    @property
    def steps(self) -> list[int]:
        """The steps at which every member has a number, ascending."""
        return sorted(set.intersection(*(set(steps) for steps in self.members.values()))) if self.members else []

    @property
    def gaps(self) -> list[int]:
        """The steps at which only some members have one."""
        return sorted({step for steps in self.members.values() for step in steps} - set(self.steps))

    def at(self, step: int) -> list[Measured]:
        """The logs of one step, one of each member."""
        return [steps[step] for steps in self.members.values()]

    def rate(self, step: int) -> float:
        """The number at one step; of a group, the average."""
        return float(np.mean([log.row["rate"] for log in self.at(step)]))

    def checkpoint(self, step: int) -> str:
        """The name of the checkpoint at one step; at step 0 it may be the parent's."""
        return self.at(step)[0].checkpoint

    @cached_property
    def movement(self) -> Movement:
        """The line's own numbers and how they vary together."""
        moved = [_own(self.at(step)) for step in self.steps]
        return Movement(
            steps=self.steps,
            values=[self.rate(step) for step in self.steps],
            variances=[variance for _, variance in moved],
            influences=[influence for influence, _ in moved],
            chance=_chance((self.at(step) for step in self.steps), 0.5) if self.steps else 0.0,
        )


@dataclass(frozen=True)
class Movement:
    """Numbers over steps, and what is needed to know how they vary together.

    Attributes:
        steps: Ascending.
        values: Of each step: rates, means or differences.
        variances: Of each step, made from its interval; NaN without one.
        influences: Of each step, what every cluster adds to its error.
        chance: The covariance that a single answer makes.
    """

    steps: Sequence[int]
    values: Sequence[float]
    variances: Sequence[float]
    influences: Sequence[Influence]
    chance: float

    @property
    def together(self) -> Floats:
        """Covariance over steps for what adds them up."""
        return rescaled_covariance(step_covariance(self.influences), self.variances, unknown=1.0)

    @property
    def apart(self) -> Floats:
        """Covariance over steps for what subtracts them."""
        return rescaled_covariance(step_covariance(self.influences), self.variances, unknown=0.0, chance=self.chance)


@dataclass(frozen=True)
class Step:
    """One line less another (or less its own start) at one step.

    Attributes:
        step: Of the line.
        matches: A pair of logs of each member.
        difference: Their difference; of a group, the average. None where one has no value.
    """

    step: int
    matches: Sequence[Match]
    difference: Difference | None

    @property
    def paired(self) -> bool:
        """Whether all members were compared on the same questions."""
        return all(match.paired for match in self.matches)

    @property
    def questions(self) -> int | None:
        """How many questions both answered; missing for numbers without samples."""
        if not all(match.here.questions and match.there.questions for match in self.matches):
            return None
        return sum(len(match.pairs.here) for match in self.matches)

    def rates(self) -> tuple[float, float]:
        """The two numbers that are compared: where paired, on the questions in common."""
        both = [_compared(match) for match in self.matches]
        return float(np.mean([here for here, _ in both])), float(np.mean([there for _, there in both]))


def against(here: Line, there: Line) -> list[Step]:
    """One line less another at the steps that both have, on the members that both have.

    A log is not compared with itself: two runs from one checkpoint begin there without a difference, by construction.
    """
    members = [name for name in here.members if name in there.members]
    mine, theirs = (Line(line.about, {name: line.members[name] for name in members}) for line in (here, there))
    steps = [step for step in mine.steps if step in theirs.steps]
    found = [_step(step, zip(mine.at(step), theirs.at(step), strict=True)) for step in steps]
    return [step for step in found if not _is_itself(step)]


def from_start(line: Line) -> list[Step]:
    """Every later step of a line less its first."""
    first = line.at(line.steps[0])
    return [_step(step, zip(line.at(step), first, strict=True)) for step in line.steps[1:]]


def movement(steps: Sequence[Step], level: float) -> Movement:
    """Differences over steps, those that there are, and how they vary together.

    Args:
        steps: From `against`.
        level: Of the intervals that variances are made of.
    """
    known = [(step, step.difference) for step in steps if step.difference is not None]
    bounds = np.array([difference.interval(level) for _, difference in known]).reshape(-1, 2)
    return Movement(
        steps=[step.step for step, _ in known],
        values=[difference.estimate for _, difference in known],
        variances=list(variance_of_interval(bounds[:, 0], bounds[:, 1], level)),
        influences=[_averaged([_difference_influence(match) for match in step.matches]) for step, _ in known],
        chance=_chance(([match.here for match in step.matches] for step, _ in known), 1.0) if known else 0.0,
    )


@dataclass(frozen=True)
class StepBand:
    """The simultaneous band of one line's differences.

    Attributes:
        at: The level at which each step's own interval is taken.
        low: Of each step, as they were given; NaN without an interval.
        high: Likewise.
    """

    at: float
    low: Sequence[float]
    high: Sequence[float]


def step_band(steps: Sequence[Step], moved: Movement, level: float) -> StepBand:
    """The simultaneous band over the steps: every interval holds, all at once, with the level.

    Args:
        steps: From `against` or `from_start`.
        moved: Their `movement`.
        level: Of all together.
    """
    at = simultaneous_level(moved.apart, level)
    ends = [(np.nan, np.nan) if step.difference is None else step.difference.interval(at) for step in steps]
    return StepBand(at, [low for low, _ in ends], [high for _, high in ends])


def _step(step: int, pairs: Iterable[tuple[Measured, Measured]]) -> Step:
    matches = [Match(here, there) for here, there in pairs]
    differences = [match.difference() for match in matches]
    known = [difference for difference in differences if difference is not None]
    whole = bool(known) and len(known) == len(differences)
    return Step(step, matches, average_difference(known) if whole else None)


def _is_itself(step: Step) -> bool:
    return all(match.here.row["eval_id"] == match.there.row["eval_id"] for match in step.matches)


def _compared(match: Match) -> tuple[float, float]:
    if match.paired:
        here, there = match.pairs.means
        return float(here.mean()), float(there.mean())
    return match.here.row["rate"], match.there.row["rate"]


def _own(logs: Sequence[Measured]) -> tuple[Influence, float]:
    """Influence and variance of the average over the logs of one step."""
    low, high = ([_number(log.row.get(end)) for log in logs] for end in ("low", "high"))
    variances = variance_of_interval(low, high, logs[0].row["level"])
    return _averaged([_log_influence(log) for log in logs]), float(np.sum(variances)) / len(logs) ** 2


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def _averaged(influences: Sequence[Influence]) -> Influence:
    """Influence on the average of members, which have no questions in common."""
    return {
        (member, cluster): value / len(influences)
        for member, of in enumerate(influences)
        for cluster, value in of.items()
    }


def _log_influence(log: Measured) -> Influence:
    answered = [question for question in log.questions.values() if question["n"]]
    if not answered:
        return {}
    totals = [question["total"] for question in answered]
    return cluster_influence(epochs_of(answered), totals, [question["cluster"] for question in answered])


def _difference_influence(match: Match) -> Influence:
    if match.paired:
        here, there = match.pairs.means
        return cluster_influence(np.ones(len(here)), here - there, match.pairs.clusters)
    mine, theirs = _log_influence(match.here), _log_influence(match.there)
    if not mine or not theirs:
        return {}
    return {cluster: mine.get(cluster, 0.0) - theirs.get(cluster, 0.0) for cluster in {**mine, **theirs}}


def _chance(steps: Iterable[Sequence[Measured]], factor: float) -> float:
    """The covariance of two steps that one answer makes: factor / n^2, averaged like the members. None for means."""
    of_steps = []
    for logs in steps:
        answers = [sum(1 for question in log.questions.values() if question["n"]) for log in logs]
        known = [n for n, log in zip(answers, logs, strict=True) if n and log.row["kind"] == "rate"]
        of_steps.append(factor * sum(1.0 / n**2 for n in known) / len(logs) ** 2)
    return max(of_steps)
