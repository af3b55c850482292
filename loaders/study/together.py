"""Logs of which no rule says the run, and which belong together all the same: one evaluation, or one model's tasks.

Two logs of one evaluation (a retry, a copy that was scored) share a name; where one of them lies in its checkpoint's
folder and the other in a folder of conversions, both are of that checkpoint. Logs of one model that hold a task each
are a run of that model's name. Several logs of one task may be of checkpoints that nothing tells apart: they stay
alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from loaders.study.alone import File
from loaders.study.evidence import EvalEvidence, Placement
from loaders.study.naming import is_generic, model_parts, short_model
from loaders.study.stated import weights_named

NO_MODELS = frozenset({"model", "default", "test", "fake", "hardcoded", "unknown", "none", "...", "base", "mock"})
"""What stands for a model in logs of tests and of servers that hold one only: no run is called so."""


class Identity(Struct, frozen=True, kw_only=True):
    """What tells whether two logs are of one evaluation, and of the same weights."""

    task: str
    weights: tuple[str, ...]
    """All names of the weights, with revision and server."""
    named: str | None
    """The model's name, where it is a real one."""
    ids: tuple[str, ...]
    """The log's own ids, of the evaluation and of the task in its set."""

    @property
    def evaluations(self) -> list[Hashable]:
        """Logs that have one of these in common are of one evaluation."""
        return [(self.task, self.weights, each) for each in self.ids]


def identity(evidence: EvalEvidence, ids: Sequence[str | None]) -> Identity:
    """What a log tells of itself for this.

    Args:
        ids: `eval_id` and `task_id` as the log gives them.
    """
    names = [name for _, name in weights_named(evidence)]
    args = evidence.model_args
    told = [f"{key}={args[key]}" for key in sorted(args) if key in ("revision", "base_url", "model_base_url")]
    first = next((name for name in names if short_model(name)), None)
    real = first is not None and not first.startswith("mockllm/") and not _placeholder(short_model(first) or "")
    return Identity(
        task=evidence.task,
        weights=(*names, *told),
        named=first if real else None,
        ids=own_ids(ids),
    )


def own_ids(ids: Sequence[str | None]) -> tuple[str, ...]:
    """The ids of a log, each with its kind, of `eval_id` and `task_id` as the log gives them."""
    return tuple(f"{kind} {value}" for kind, value in zip(("eval", "task"), ids, strict=True) if value)


def _placeholder(name: str) -> bool:
    return name.lower() in NO_MODELS or is_generic(name)


def brought_together(
    placements: Mapping[int, Placement], files: Mapping[int, File], identities: Mapping[int, Identity]
) -> tuple[dict[int, Placement], dict[int, File]]:
    """The placements, with names shared where logs belong together, and the file that each counts as lying in.

    Args:
        placements: By eval id.
        files: Where each lies.
        identities: What each tells of itself.
    """
    placed = {**placements, **_as_their_twins(placements, files, identities)}
    lies = dict(files)
    alone = [eval_id for eval_id, placement in placed.items() if not placement.placed]
    for members in _same(alone, identities):
        first = min(members, key=lambda eval_id: (len(files[eval_id][1]), files[eval_id]))
        for eval_id in members:
            placed[eval_id] = replace(placed[eval_id], run=placed[first].run)
            lies[eval_id] = files[first]
    taken = {placement.run for placement in placed.values() if placement.placed}
    for members, name in _by_model(alone, lies, identities, taken):
        for eval_id in members:
            rule = f"model name {identities[eval_id].named}"
            placed[eval_id] = replace(placed[eval_id], run=name, run_rule=rule, placed=True)
    return placed, lies


def _as_their_twins(
    placements: Mapping[int, Placement], files: Mapping[int, File], identities: Mapping[int, Identity]
) -> dict[int, Placement]:
    """Placements of logs that don't say their checkpoint, where all of the same evaluation that do agree."""
    sure: dict[Hashable, list[int]] = defaultdict(list)
    for eval_id, placement in placements.items():
        if placement.placed and _stands(placement):
            for evaluation in identities[eval_id].evaluations:
                sure[evaluation].append(eval_id)
    found = {}
    for eval_id, placement in placements.items():
        if _stands(placement):
            continue
        twins = {twin for evaluation in identities[eval_id].evaluations for twin in sure.get(evaluation, ())}
        if placement.placed:  # it says its run: another run's log is no twin of it
            twins = {twin for twin in twins if placements[twin].run == placement.run}
        where = {(placements[twin].run, placements[twin].step, placements[twin].step_label) for twin in twins}
        if len(where) != 1:
            continue
        twin = min(twins, key=lambda one: files[one])
        there, rule = placements[twin], f"same evaluation as {files[twin][1]}"
        found[eval_id] = replace(
            placement, run=there.run, step=there.step, step_label=there.step_label, mix=placement.mix or there.mix,
            stage=placement.stage or there.stage, tokens=there.tokens, seed=there.seed, defaults=there.defaults,
            run_rule=placement.run_rule if placement.placed else rule, step_rule=rule, placed=True,
        )  # fmt: skip
    return found


def _stands(placement: Placement) -> bool:
    """Whether a log says which checkpoint it is of."""
    return placement.step is not None or placement.step_label is not None


def _same(alone: Sequence[int], identities: Mapping[int, Identity]) -> list[list[int]]:
    """Groups of evals that are one evaluation: of the same task and weights, with an id of their own in common."""
    group: dict[int, int] = {eval_id: eval_id for eval_id in alone}

    def root(eval_id: int) -> int:
        while group[eval_id] != eval_id:
            eval_id = group[eval_id]
        return eval_id

    first: dict[Hashable, int] = {}
    for eval_id in alone:
        for evaluation in identities[eval_id].evaluations:
            before = first.setdefault(evaluation, eval_id)
            group[root(eval_id)] = root(before)
    found: dict[int, list[int]] = defaultdict(list)
    for eval_id in alone:
        found[root(eval_id)].append(eval_id)
    return [members for members in found.values() if len(members) > 1]


def _by_model(
    alone: Sequence[int], lies: Mapping[int, File], identities: Mapping[int, Identity], taken: set[str]
) -> list[tuple[list[int], str]]:
    """Groups of evals of one model in several files, of which no two hold the same task; and the run's name."""
    by_weights: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for eval_id in alone:
        if identities[eval_id].named is not None:
            by_weights[identities[eval_id].weights].append(eval_id)
    groups = []
    for members in by_weights.values():
        tasks: dict[str, set[File]] = defaultdict(set)
        for eval_id in members:
            tasks[identities[eval_id].task].add(lies[eval_id])
        if len({lies[eval_id] for eval_id in members}) > 1 and all(len(those) == 1 for those in tasks.values()):
            groups.append(members)
    named = []
    for length in (1, 2):
        names = [_name(identities[members[0]].named or "", length) for members in groups]
        free = [name not in taken and names.count(name) == 1 for name in names]
        named += [(members, name) for members, name, ok in zip(groups, names, free, strict=True) if ok]
        groups = [members for members, ok in zip(groups, free, strict=True) if not ok]
    return named


def _name(model: str, length: int) -> str:
    """The model's short name, or with its organization where that is needed to tell it apart."""
    parts = model_parts(model)
    return short_model(model) or model if length == 1 or len(parts) < 2 else "/".join(parts[-2:])
