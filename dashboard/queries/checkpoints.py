"""Naming checkpoints: `RUN@STEP`, `RUN@LABEL`, or `RUN` for its latest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.queries.rows import step_of, step_order
from loaders.errors import DriftlineError
from loaders.study.cards import is_untrained

LAST_LABELS = ("final", "last", "latest", "main")
"""Labels that say of themselves that nothing comes after."""


def place_in_run(step: int | str | None, label: str | None = None) -> tuple[int, int]:
    """Where in its run a checkpoint comes: an untrained model, other labels, steps, and what says that it is last."""
    label = step if isinstance(step, str) else label
    if is_untrained(label) and step in (0, None, label):
        return 0, 0
    told = "" if label is None else label.strip().lower()
    if told in LAST_LABELS:
        return 3, -LAST_LABELS.index(told)
    return (2, step) if isinstance(step, int) else (1, 0)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A run at a step.

    Attributes:
        run: The run.
        step: Its step; the label of one without a number; None for a log without either.
    """

    run: str
    step: int | str | None

    @property
    def name(self) -> str:
        """The words for it: rl@400."""
        return self.run if self.step is None else f"{self.run}@{self.step}"

    def holds(self, row: Mapping[Any, Any]) -> bool:
        """Whether a row with run, step and step_label is of this checkpoint."""
        return bool(row["run"] == self.run and step_of(row) == self.step)


EVALUATED = ("was not evaluated at", "it was at")
"""How it is told that a run lacks a checkpoint, and which it has."""


def parse_checkpoints(
    texts: Sequence[str], logs: Iterable[Mapping[Any, Any]], told: tuple[str, str] = EVALUATED
) -> list[Checkpoint]:
    """The checkpoints that are meant.

    Args:
        texts: RUN@STEP, RUN@LABEL or RUN each; a run's name may hold an @ itself.
        logs: Rows with run, step and step_label: what there is.
        told: How it is told that a run lacks one of them, and which it has.

    Raises:
        DriftlineError: There is no such run, or no such checkpoint of it (the message lists those that are), RUN
            alone leaves open which is the latest, or two of the texts mean the same checkpoint.
    """
    steps: dict[str, dict[int | str | None, None]] = {}
    labels: dict[tuple[str, str], int | str | None] = {}
    for log in logs:
        steps.setdefault(log["run"], {})[step_of(log)] = None
        if log["step_label"] is not None:
            labels.setdefault((log["run"], log["step_label"]), step_of(log))
    found: dict[Checkpoint, str] = {}
    for text in texts:
        one = _parse(text, {run: list(of) for run, of in steps.items()}, labels, told)
        if one in found:
            raise DriftlineError(f"{text}: the same checkpoint as {found[one]} ({one.name}).")
        found[one] = text
    return list(found)


def _parse(
    text: str,
    steps: dict[str, list[int | str | None]],
    labels: dict[tuple[str, str], int | str | None],
    told: tuple[str, str],
) -> Checkpoint:
    if text in steps:
        return Checkpoint(text, _latest(text, steps[text]))
    run, at, step = text.rpartition("@")
    if run not in steps:
        unknown = run if at else text
        raise DriftlineError(f'{text}: no run "{unknown}" in the store (there are: {_listed(steps)}).')
    if step.isdecimal() and int(step) in steps[run]:
        return Checkpoint(run, int(step))
    if (run, step) in labels:
        return Checkpoint(run, labels[run, step])
    there = [each for each in steps[run] if each is not None]
    names = _listed([str(each) for each in sorted(there, key=step_order)]) if there else "none; name the run alone"
    raise DriftlineError(f'{text}: run "{run}" {told[0]} "{step}" ({told[1]}: {names}).')


def _latest(run: str, steps: list[int | str | None]) -> int | str | None:
    if any(place_in_run(step)[0] >= 2 for step in steps):
        return max(steps, key=place_in_run)
    trained = [step for step in steps if place_in_run(step)[0]]
    labels = [step for step in trained or steps if isinstance(step, str)]
    if len(labels) > 1:
        raise DriftlineError(f"{run}: which is its latest checkpoint? Name one: {_listed(sorted(labels))}.")
    return labels[0] if labels else None


def _listed(names: Iterable[str], most: int = 40) -> str:
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more if names else "none"
