"""What is known of a log before it is placed, what comes of placing it, and the disagreements on the way."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

from loaders.checkpoint import Checkpoint
from loaders.study.cards import RunCard

Field = Literal["run", "step", "mix", "stage", "variant", "section"]
"""What is decided about a log."""


class EvalEvidence(Struct, frozen=True, kw_only=True):
    """What a log says of itself, and where it lies."""

    eval_id: int
    path: str
    """Relative to the ingest root, with forward slashes."""
    task: str
    task_display: str | None = None
    model: str | None = None
    target_model: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    tags: list[Any] = field(default_factory=list)
    task_args: dict[str, Any] = field(default_factory=dict)
    model_args: dict[str, Any] = field(default_factory=dict)
    generate_config: dict[str, Any] = field(default_factory=dict)
    model_roles: dict[str, Any] = field(default_factory=dict)
    used_models: list[str] = field(default_factory=list)
    """Names of models under which its samples were answered or graded, as they count their tokens."""
    stated_run: str | None = None
    stated_step: str | None = None
    stated_mix: str | None = None
    stated_stage: str | None = None
    stated_variant: str | None = None
    stated_rule: str | None = None


class Conflict(Struct, frozen=True, kw_only=True):
    """Two rules, or two cards, that disagree."""

    field: str
    """run, step, mix, stage, variant, section; parent for lineage."""
    message: str
    candidates: list[tuple[str, str]]
    """Every rule that said something, with what it said."""
    kind: str = "placement"
    """placement, copy, step, card, lineage or study (an entry that matches nothing)."""
    path: str | None = None
    """Of the log, trainer's state or card that it is about; None where it is about a run."""
    eval_id: int | None = None
    """Of the log."""


class Placement(Checkpoint, frozen=True, kw_only=True):
    """Where a log belongs: the checkpoint that it is of, and what it is of that."""

    eval: str
    """Name of the eval, as the study or the log calls it."""
    mix: str | None = None
    stage: str | None = None
    variant: str | None = None
    section: str | None = None
    """Of its run, as the log states it."""
    tokens: float | None = None
    """Tokens of training up to here, where a card tells them."""
    seed: int | None = None
    """Of the training, where the run's name or the log tells it."""
    placed: bool = True
    """False: nothing says which run or step this is of, and the log stands alone."""
    run_rule: str | None = None
    """For people: "run card sdf/run.yaml"."""
    step_rule: str | None = None
    """For people: "folder name step_0400"; None where there is no step."""
    conflicts: list[Conflict] = field(default_factory=list)
    defaults: tuple[RunCard, ...] = ()
    """Cards without a name that speak of this log's run, nearest first."""


class RunRow(Struct, frozen=True, kw_only=True):
    """A run: the columns of the store's table `runs`, but for its batches."""

    run: str
    label: str | None = None
    base_model: str | None = None
    weights: str | None = None
    """Where the base weights lie: an absolute path, `package:MODULE/FILE` or `hub:ORG/NAME`."""
    parent_run: str | None = None
    parent_step: int | None = None
    stage: str | None = None
    mix: str | None = None
    mix_json: str | None = None
    mix_tokens: float | None = None
    seed: int | None = None
    colour: str | None = None
    links_json: str | None = None
    notes: str | None = None
    section: str | None = None
    card: str | None = None
    """Path of the card, as in the tree it comes from."""
    lineage_offset: int | None = None
    """Steps of training before this run's first; None where the parent or its step is unknown."""
    position: int = 0
