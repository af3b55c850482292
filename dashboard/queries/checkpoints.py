"""Naming checkpoints: `RUN@STEP`, `RUN@LABEL`, or `RUN` for its latest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dashboard.queries.rows import Row, checkpoint_in, step_of, step_order
from loaders.checkpoint import Checkpoint
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


def place_of(checkpoint: Checkpoint) -> tuple[int, int]:
    """Where in its run it comes, as `place_in_run` tells it."""
    return place_in_run(checkpoint.at, checkpoint.step_label)


def is_row_of(row: Row, checkpoint: Checkpoint) -> bool:
    """Whether a row with run, step and step_label is of a checkpoint."""
    return bool(row["run"] == checkpoint.run and step_of(row) == checkpoint.at)


def checkpoint_at(run: str, at: int | str | None) -> Checkpoint:
    """The checkpoint of a run at a step, or at the label that stands for one."""
    return Checkpoint(run, None, at) if isinstance(at, str) else Checkpoint(run, at)


EVALUATED = ("was not evaluated at", "it was at")
"""How it is told that a run lacks a checkpoint, and which it has."""


def parse_checkpoints(texts: Sequence[str], logs: Iterable[Row], told: tuple[str, str] = EVALUATED) -> list[Checkpoint]:
    """The checkpoints that are meant, as `checkpoints_meant` has them.

    Args:
        texts: RUN@STEP, RUN@LABEL or RUN each; a run's name may hold an @ itself.
        logs: Rows with run, step and step_label: what there is.
        told: How it is told that a run lacks one of them, and which it has.

    Raises:
        DriftlineError: As `checkpoints_meant`.
    """
    return checkpoints_meant(texts, map(checkpoint_in, logs), told)


def checkpoints_meant(
    texts: Sequence[str], known: Iterable[Checkpoint], told: tuple[str, str] = EVALUATED
) -> list[Checkpoint]:
    """The checkpoints that are meant: the identity of each, in the order of the texts.

    Args:
        texts: As for `parse_checkpoints`.
        known: What there is.
        told: How it is told that a run lacks one of them, and which it has.

    Raises:
        DriftlineError: There is no such run, or no such checkpoint of it (the message lists those that are), RUN
            alone leaves open which is the latest, or two of the texts mean the same checkpoint.
    """
    steps: dict[str, dict[int | str | None, None]] = {}
    labels: dict[tuple[str, str], int | str | None] = {}
    for each in known:
        steps.setdefault(each.run, {})[each.at] = None
        if each.step_label is not None:
            labels.setdefault((each.run, each.step_label), each.at)
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
        return checkpoint_at(text, _latest(text, steps[text]))
    run, at, step = text.rpartition("@")
    if run not in steps:
        unknown = run if at else text
        raise DriftlineError(f'{text}: no run "{unknown}" in the store (allowed: {_listed(steps)}).')
    if step.isdecimal() and int(step) in steps[run]:
        return Checkpoint(run, int(step))
    if (run, step) in labels:
        return checkpoint_at(run, labels[run, step])
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
