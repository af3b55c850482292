"""Logs that stand alone are never merged: two of one name, or one called like a run, get longer names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import PurePath

from msgspec.structs import replace

from loaders.study.evidence import Placement
from loaders.study.naming import epoch_of

File = tuple[str, str]
"""The root, absolute, and the path below it."""

LONGER: tuple[Callable[[str, str], str], ...] = (
    lambda _root, path: PurePath(path).suffix,
    lambda _root, path: f" ({path})",
    lambda root, path: f" ({PurePath(root).name}/{path})",
    lambda root, path: f" ({root}/{path})",
)
"""What is added to a name, shortest first: `x.json` beside `x.eval`, other folders, other roots."""


def told_apart(placements: Mapping[int, Placement], files: Mapping[int, File]) -> dict[int, Placement]:
    """Placements with a run name of its own for each file that stands alone.

    Args:
        placements: By eval id; several evals of one file share a name, being of the same weights.
        files: Where each lies.
    """
    alone: dict[str, set[File]] = defaultdict(set)
    for eval_id, placement in placements.items():
        if not placement.placed:
            alone[placement.run].add(files[eval_id])
    taken = {placement.run for placement in placements.values() if placement.placed}
    ambiguous = {name: those for name, those in alone.items() if len(those) > 1 or name in taken}
    taken |= alone.keys()
    longer: dict[tuple[str, File], str] = {}
    for name, those in ambiguous.items():
        names = _distinct(name, those, taken)
        taken |= set(names.values())
        longer |= {(name, file): own for file, own in names.items()}
    return {
        eval_id: placement
        if placement.placed
        else replace(placement, run=longer.get((placement.run, files[eval_id]), placement.run))
        for eval_id, placement in placements.items()
    }


def _distinct(name: str, those: set[File], taken: set[str]) -> dict[File, str]:
    names: dict[File, str] = {}
    for addition in LONGER:
        names = {file: name + addition(*file) for file in those}
        if len(set(names.values())) == len(those) and taken.isdisjoint(names.values()):
            break
    return names


def by_epoch(placements: Mapping[int, Placement]) -> dict[int, Placement]:
    """Placements with the epoch as their step, in runs of which no log tells a step but that of an untrained model.

    Where epochs begin at 0 and the run has an untrained model too, epoch 0 is the first after that, and step 1.
    """
    runs: dict[str, list[Placement]] = defaultdict(list)
    for placement in placements.values():
        runs[placement.run].append(placement)
    shift: dict[str, int] = {}
    for run, those in runs.items():
        epochs = [epoch for each in those if (epoch := epoch_of(each.step_label)) is not None and each.step is None]
        steps = {each.step for each in those if each.step is not None}
        if epochs and steps <= {0}:
            shift[run] = 1 if 0 in steps and min(epochs) == 0 else 0
    found = {}
    for eval_id, placement in placements.items():
        epoch = epoch_of(placement.step_label) if placement.step is None else None
        begin = shift.get(placement.run)
        stepped = epoch is not None and begin is not None
        found[eval_id] = replace(placement, step=(epoch or 0) + (begin or 0)) if stepped else placement
    return found
