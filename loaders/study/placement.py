"""Decides where a log belongs: run, step, mix, stage, variant, name of the eval; a pure function of facts and cards.

Rules in their order: what the log states (or the mapping of its table), run cards, names of the model or adapter,
file name, folder names. The first that says something counts; whoever disagrees with it is reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any

from msgspec.structs import replace

from loaders.packed import plain_name
from loaders.study.cards import STAGES, is_untrained
from loaders.study.definitions import EvalDefinition, names_match, task_names
from loaders.study.evidence import Conflict, EvalEvidence, Placement
from loaders.study.naming import (
    NamedStep,
    as_step,
    run_of_folders,
    seed_of,
    short_model,
    steps_in_file,
    steps_in_folders,
    steps_in_model,
)
from loaders.study.settle import Candidate, Rule, settle_run, settle_step, settle_text
from loaders.study.stated import stated, training_seed, weights_named
from loaders.study.tree import CardTree, Shelved

OUTER = 3
"""Folders above the ingest root, itself included, whose names count: `driftline view run7/checkpoint-400`."""

_INSPECT_ID = re.compile(r"_[2-9A-HJ-NP-Za-km-z]{22}$")


def place(evidence: EvalEvidence, cards: CardTree) -> Placement:
    """Where a log belongs.

    A log of which nothing says the run and step stands alone: its run is a name that no other log has.
    """
    outer = cards.root_parts[-OUTER:]
    chain = cards.chain(evidence.path)
    told = [*_stated(evidence), *_of_cards(evidence, cards), *_of_names(evidence, outer)]
    conflicts = _unreadable(evidence)
    number, label = settle_step(told, conflicts)
    step_label = str(label.value) if label else None
    # An untrained model is where the runs that grew from it begin, and never their latest checkpoint.
    step = int(number.value) if number else 0 if is_untrained(step_label) else None
    run = settle_run(told, conflicts)
    name, run_rule, placed = (
        (str(run.value), run.source, True)
        if run is not None
        else _unnamed_run(evidence, chain, bool(number or label), outer)
    )
    seed = training_seed(evidence)
    if seed is not None and seed_of(name) is None and placed and not (run and run.rule is Rule.CARD):
        name = f"{name}-seed{seed}"
    variant = settle_text("variant", told, [])
    return Placement(
        run=name,
        eval=_eval_name(evidence, cards, variant),
        step=step,
        step_label=step_label,
        mix=settle_text("mix", told, conflicts),
        stage=settle_text("stage", told, conflicts),
        variant=variant,
        section=settle_text("section", told, conflicts),
        tokens=_tokens(chain, step, step_label),
        seed=seed if seed is not None else seed_of(name) if placed else None,
        placed=placed,
        run_rule=run_rule,
        step_rule=number.source if number else label.source if label else None,
        conflicts=conflicts,
        defaults=tuple(each.card for each in chain if each.card.name is None),
    )


def place_task(evidence: EvalEvidence, placement: Placement, cards: CardTree) -> Placement:
    """Where an eval belongs that differs in nothing but its task from one that is placed: it has a name of its own."""
    return replace(placement, eval=_eval_name(evidence, cards, placement.variant))


def place_checkpoint(path: str, cards: CardTree) -> Placement:
    """Where something that a trainer left belongs, by its folder: `models/NAME/checkpoint-110/adapter_config.json`.

    Args:
        path: Of the file, relative to the ingest root.
    """
    placement = place(EvalEvidence(eval_id=-1, path=path, task=""), cards)
    run = run_of_folders([*cards.root_parts[-OUTER:], *path.split("/")[:-1]])
    if placement.placed or run is None:
        return placement
    return replace(placement, run=run, run_rule=f"folder name {run}", placed=True)


def _tokens(chain: Sequence[Shelved], step: int | None, label: str | None) -> float | None:
    """Tokens of training at a checkpoint, as the nearest card tells that tells them."""
    told = (each.card.tokens_at(step, label) for each in chain)
    return next((tokens for tokens in told if tokens is not None), None)


def _unreadable(evidence: EvalEvidence) -> list[Conflict]:
    """What the mapping of a table calls step or stage and is none."""
    rule = evidence.stated_rule or "table mapping"
    found = []
    if evidence.stated_step is not None and as_step(evidence.stated_step) == (None, None):
        found.append(("step", evidence.stated_step, "a whole number, 0 or more, or a short label"))
    if evidence.stated_stage is not None and evidence.stated_stage not in STAGES:
        found.append(("stage", evidence.stated_stage, f"one of {', '.join(STAGES)}"))
    return [
        Conflict(
            field=field,
            message=f"{field}: {rule} says {value!r}, ignored (allowed: {allowed})",
            candidates=[(rule, value)],
        )
        for field, value, allowed in found
    ]


def _stated(evidence: EvalEvidence) -> Iterable[Candidate]:
    for each in stated(evidence):
        if each.field != "stage" or each.value in STAGES:
            # The name of the weights counts as such, even where a field of the log gives it.
            rule = Rule.MODEL if each.of_name else Rule.STATED
            yield Candidate(field=each.field, rule=rule, source=each.rule, value=each.value)


def _of_cards(evidence: EvalEvidence, cards: CardTree) -> Iterable[Candidate]:
    """What cards say: of each field the nearest, and its rivals of the same rank."""
    for field, values in cards.said(evidence.path).items():
        for each in values:
            first = values[0]
            # A pattern is an exception to its folder's own card, but two names for one folder are a contradiction.
            if each.depth == first.depth and (field == "run" or each.by_glob == first.by_glob):
                yield Candidate(field=field, rule=Rule.CARD, source=each.source, value=each.value, by_glob=each.by_glob)


def _of_names(evidence: EvalEvidence, outer: Sequence[str]) -> Iterable[Candidate]:
    """What the names of weights, file and folders say."""
    for source, name in weights_named(evidence):
        # Of several steps in one path the innermost counts: it was trained from the others.
        yield from _named(steps_in_model(name)[:1], Rule.MODEL, f"{source} {name}")
    for each in steps_in_file(evidence.path, evidence.task, outer):
        yield from _named([each], Rule.FILE, f"file name {each.name}")
    for each in steps_in_folders(evidence.path, outer):
        yield from _named([each], Rule.FOLDER, f"folder name {each.name}")


def _named(steps: Iterable[NamedStep], rule: Rule, source: str) -> Iterable[Candidate]:
    for each in steps:
        value = each.label if each.step is None else each.step
        if value is not None:
            yield Candidate(field="step", rule=rule, source=source, value=value)
        if each.run is not None:
            yield Candidate(field="run", rule=rule, source=source, value=each.run)
        if each.variant is not None:
            yield Candidate(field="variant", rule=rule, source=source, value=each.variant)


def _unnamed_run(
    evidence: EvalEvidence, chain: Sequence[Shelved], has_step: bool, outer: Sequence[str]
) -> tuple[str, str | None, bool]:
    """The run where no rule names it: name, rule, and whether that places it."""
    for each in chain:
        if each.folder_name is not None:
            return each.folder_name, f"folder of {each.source}", True
    model = next((short_model(name) for _, name in weights_named(evidence)), None)
    if has_step and model is not None:
        return model, f"model name {model}", True
    folder = run_of_folders([*outer, *evidence.path.split("/")[:-1]])
    if has_step and folder is not None:
        return folder, f"folder name {folder}", True
    return _alone(evidence.path, model), None, False


def _alone(path: str, model: str | None) -> str:
    """A readable name that no other log has: model and file; the whole path unless the file's name is unique."""
    whole = plain_name(path).rpartition(".")[0] or path
    stem = whole.rpartition("/")[2]
    place = stem if _INSPECT_ID.search(stem) else whole
    return f"{model} {place}" if model else place


def _eval_name(evidence: EvalEvidence, cards: CardTree, variant: str | None) -> str:
    """The first definition of an eval that fits, else the task's display name, else its own without the package."""
    for definition in cards.evals(evidence.path):
        if names_match([definition.task], *task_names(evidence.task)) and _fits(definition, evidence, variant):
            return definition.name
    # Some versions of Inspect write the task's whole name as its display name: then it is none.
    display = evidence.task_display if evidence.task_display != evidence.task else None
    return display or task_names(evidence.task)[-1]


def _fits(definition: EvalDefinition, evidence: EvalEvidence, variant: str | None) -> bool:
    for place_, wanted in definition.where.items():
        found = _looked_up(place_, evidence, variant)
        allowed = wanted if isinstance(wanted, list) else [wanted]
        if not any(_same(value, each) for value in found for each in allowed):
            return False
    return True


def _looked_up(dotted: str, evidence: EvalEvidence, variant: str | None) -> list[Any]:
    """What stands at `task_args.scenario` and the like; [None] where nothing does."""
    source, _, rest = dotted.partition(".")
    if source == "tag":
        return evidence.tags or [None]
    simple = {"model": evidence.target_model or evidence.model, "path": evidence.path, "variant": variant}
    if source in simple:
        return [simple[source]]
    value: Any = getattr(evidence, source)
    for key in rest.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return [value]


def _same(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, str):
        return value is not None and fnmatchcase(str(value), wanted)
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    return bool(value == wanted)
