"""What people say about runs: the typed content of a `run.yaml`, and of the `runs:` and `logs:` of a study file."""

from __future__ import annotations

from typing import Literal, get_args

from msgspec import UNSET, Struct, UnsetType, field

Stage = Literal["sdf", "sft", "rl", "pretrain", "midtrain", "dpo", "distill", "other"]
STAGES: tuple[Stage, ...] = get_args(Stage)
"""Stages of training; sdf is fine-tuning on synthetic documents."""

UNTRAINED = frozenset({"base", "base_model", "base_untrained", "pretrained", "untrained", "init", "initial"})
"""Labels of a model before its training: they mean step 0."""


def is_untrained(label: str | None) -> bool:
    """Whether a label is that of a model before its training, however it is written."""
    return label is not None and label.strip().lower().replace("-", "_").replace(" ", "_") in UNTRAINED


class Parent(Struct, frozen=True):
    """The checkpoint that a run started from."""

    run: str
    step: int | None = None


class MixComponent(Struct, frozen=True, kw_only=True):
    """One part of a data mix."""

    name: str
    kind: str | None = None
    tokens: float | None = None
    share: float | None = None
    """Fraction of the mix, 0 to 1."""
    examples: int | UnsetType = UNSET
    """How many it has, where a training configuration tells them; cards tell tokens or shares."""


class Mix(Struct, frozen=True, kw_only=True):
    """The data that a run was trained on."""

    name: str | None = None
    components: tuple[MixComponent, ...] = ()

    def tokens(self) -> float | None:
        """Sum over the components; None unless each of them tells its tokens."""
        told = [component.tokens for component in self.components if component.tokens is not None]
        return sum(told) if told and len(told) == len(self.components) else None


class CardCheckpoint(Struct, frozen=True, kw_only=True):
    """A checkpoint that a card tells of; it is known also without evals."""

    step: int | None = None
    label: str | None = None
    """Where the step is not a number (`final`): what stands for it. Else what it is called beside its step."""
    tokens: float | None = None
    epoch: float | None = None
    weights: str | None = None
    """Where its own, whole weights lie; see `loaders.study.weights`."""
    adapter: str | None = None
    """The folder of its LoRA adapter, which the weights of the run go with."""


class LogEntry(Struct, frozen=True, kw_only=True):
    """What is said of the logs whose path matches a glob."""

    match: str
    """Relative to the folder of the card or study file; `*` stays within a folder, `**` doesn't."""
    run: str | None = None
    step: int | str | None = None
    mix: str | None = None
    stage: Stage | None = None
    variant: str | None = None


class RunCard(Struct, frozen=True, kw_only=True):
    """What people say about one run. Everything is optional."""

    name: str | None = None
    label: str | None = None
    base_model: str | None = None
    weights: str | None = None
    """Where the weights lie that training began with, and that adapters go with; see `loaders.study.weights`."""
    parent: Parent | None = None
    stage: Stage | None = None
    section: str | None = None
    """The runs that it is compared with; else those that share its folder (`dashboard.queries.sections`)."""
    mix: Mix | None = None
    seed: int | None = None
    colour: str | None = None
    """#rrggbb."""
    links: dict[str, str] = field(default_factory=dict)
    notes: str | None = None
    step: int | str | None = None
    """The step of every log in the folder: a number, or a label such as `final`."""
    tokens_per_step: float | None = None
    checkpoints: tuple[CardCheckpoint, ...] = ()
    logs: tuple[LogEntry, ...] = ()
    match: str | None = None
    """Cards in a study file only: the paths that the card is for."""
    lines: dict[str, int] = field(default_factory=dict)
    """Line of each entry of a card in a file of its own: `logs[0]`."""

    def tokens_at(self, step: int | None, label: str | None = None) -> float | None:
        """Tokens of training at a checkpoint: as told for it, else from tokens per step; None if neither is told."""
        wanted = (step, label if step is None else None)
        for checkpoint in self.checkpoints:
            told = (checkpoint.step, checkpoint.label if checkpoint.step is None else None)
            if is_untrained(told[1]):
                told = (0, None)
            if told == wanted and checkpoint.tokens is not None:
                return checkpoint.tokens
        if step is not None and self.tokens_per_step is not None:
            return self.tokens_per_step * step
        return None
