"""A checkpoint: a run at a step, and how it is named. Pure."""

from __future__ import annotations

from msgspec import Struct


def named(run: object, at: int | str | None) -> str:
    """The words for a checkpoint: rl@400, pythia@main; the run alone where nothing tells the step."""
    return f"{run}" if at is None else f"{run}@{at}"


class Checkpoint(Struct, frozen=True):
    """A run at a step: what is told of one, and what names it.

    Attributes:
        run: The run.
        step: Its step, in optimizer steps of that run; None where only a label tells it, or nothing does.
        step_label: The label that stands for the step (`final`, `base`), or what it is called beside it.
    """

    run: str
    step: int | None = None
    step_label: str | None = None

    @property
    def at(self) -> int | str | None:
        """The step, or the label that stands for it; None for a log without either."""
        return self.step_label if self.step is None else self.step

    @property
    def name(self) -> str:
        """The words for it, as `named` has them."""
        return named(self.run, self.at)

    @property
    def names(self) -> set[str]:
        """All that it is called: by its step, and by its label."""
        return {named(self.run, each) for each in {self.step, self.step_label} - {None}} or {self.run}

    @property
    def identity(self) -> Checkpoint:
        """Run and step alone, equal for the same checkpoint whatever else is known: no label beside a step."""
        return Checkpoint(self.run, self.step, self.step_label if self.step is None else None)
