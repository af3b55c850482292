"""Runs and their lineage: every run that a card or a log tells of, its parent, and where its steps begin."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from loaders.checkpoint import named
from loaders.study.cards import Mix, Parent
from loaders.study.evidence import Conflict, Placement, RunRow
from loaders.study.tree import CardTree, Shelved


def runs_of(trees: Iterable[CardTree], placements: Sequence[Placement]) -> tuple[list[RunRow], list[Conflict]]:
    """Every run known from a card or a placement, in the order of the cards, then by name; logs alone come last.

    Args:
        trees: The cards of each ingest root.
        placements: Of logs and of checkpoints that trainers left.

    Returns:
        The runs, and conflicts: two cards that contradict each other about a run (kind "card"), parents that can't
        be (kind "lineage").
    """
    trees = list(trees)
    by_run: dict[str, list[Placement]] = {}
    for placement in placements:
        by_run.setdefault(placement.run, []).append(placement)
    shelved = _by_run(trees, placements, by_run)
    rest = sorted(by_run.keys() - shelved.keys(), key=lambda run: (not by_run[run][0].placed, _natural(run)))
    rows = [
        _row(run, shelved.get(run, []), by_run.get(run, []), position) for position, run in enumerate([*shelved, *rest])
    ]
    conflicts = [conflict for run, cards in shelved.items() for conflict in _contradictions(run, cards)]
    conflicts += problems(rows, _known_steps(trees, placements))
    starts = offsets(rows)
    return [replace(row, lineage_offset=starts[row.run]) for row in rows], conflicts


def offsets(runs: Sequence[RunRow]) -> dict[str, int | None]:
    """Steps of training before each run's first: the parent's own offset and the step it was left at, added up.

    0 where a run has no parent; None where a parent or its step is unknown, or where the parents run in a circle.
    """
    by_name = {row.run: row for row in runs}
    known: dict[str, int | None] = {}

    for start in by_name:
        path: list[str] = []
        run: str | None = start
        while run is not None and run in by_name and run not in known and run not in path:
            path.append(run)
            run = by_name[run].parent_run
        for name in reversed(path):
            row = by_name[name]
            if row.parent_run is None:
                known[name] = 0
                continue
            before = known.get(row.parent_run)
            known[name] = None if before is None or row.parent_step is None else before + row.parent_step
    return known


def problems(runs: Sequence[RunRow], steps: Mapping[str, Collection[int]]) -> list[Conflict]:
    """What can't be in the lineage: unknown parents, circles, parent steps beyond the last known one.

    Args:
        steps: Known steps of each run.
    """
    by_name = {row.run: row for row in runs}
    last = {run: max(told) for run, told in steps.items() if told}
    found: list[Conflict] = []
    told_circles: set[frozenset[str]] = set()
    for row in runs:
        if row.parent_run is None:
            continue
        source = f"run card {row.card}" if row.card else "run card"
        parent = named(row.parent_run, row.parent_step)
        candidates = [(source, parent)]
        circle = _circle(row.run, by_name)
        said = None
        if row.parent_run not in by_name:
            near = difflib.get_close_matches(row.parent_run, list(by_name), n=1)
            hint = f"; did you mean {near[0]}?" if near else "."
            said = f"its parent {row.parent_run} is no run that is known from a card or a log{hint}"
        elif circle and frozenset(circle) not in told_circles:
            told_circles.add(frozenset(circle))
            said = f"its parents run in a circle: {' from '.join([*circle, circle[0]])}."
        elif row.parent_step is not None and row.parent_step > last.get(row.parent_run, row.parent_step):
            beyond = f"{row.parent_run}'s last known step {last[row.parent_run]}"
            said = f"its parent step {row.parent_step} is beyond {beyond}."
            candidates.append((f"last known step of {row.parent_run}", str(last[row.parent_run])))
        if said:
            found.append(
                Conflict(kind="lineage", field="parent", message=f"run {row.run}: {said}", candidates=candidates)
            )
    return found


def _circle(run: str, by_name: Mapping[str, RunRow]) -> list[str]:
    """The circle of parents that a run is part of, from it on; empty where there is none."""
    path = [run]
    while (parent := by_name[path[-1]].parent_run) in by_name:
        if parent == run:
            return path
        if parent is None or parent in path:
            return []
        path.append(parent)
    return []


def _by_run(
    trees: Sequence[CardTree], placements: Sequence[Placement], by_run: Mapping[str, list[Placement]]
) -> dict[str, list[Shelved]]:
    """The cards of each run; those of study files first, in their order.

    A card without a name that only adds to runs which logs name themselves is no run of its own.
    """
    adding = {id(card) for placement in placements for card in placement.defaults}
    found: dict[str, list[Shelved]] = {}
    for tree in trees:
        for each in (*tree.study_cards, *tree.cards):
            run = tree.run_of(each)
            nameless = each.card.name is None and id(each.card) in adding and not each.card.checkpoints
            if run is not None and (run in by_run or not nameless):
                found.setdefault(run, []).append(each)
    return found


def _row(run: str, shelved: Sequence[Shelved], logs: Sequence[Placement], position: int) -> RunRow:
    """The facts of a run: each from the first card that tells it; mix, stage and section else from logs that agree."""
    cards = [each.card for each in sorted(shelved, key=lambda each: each.card.name is None)]
    cards += [card for log in logs for card in log.defaults if not any(card is each for each in cards)]

    def first(name: str) -> Any:
        return next((value for card in cards if (value := getattr(card, name)) is not None), None)

    parent = first("parent")
    mix = first("mix")
    links = next((card.links for card in cards if card.links), None)
    return RunRow(
        run=run,
        label=first("label") or run,
        base_model=first("base_model"),
        weights=first("weights"),
        parent_run=parent.run if parent else None,
        parent_step=parent.step if parent else None,
        stage=first("stage") or _agreed(log.stage for log in logs),
        mix=(mix.name if mix else None) or _agreed(log.mix for log in logs),
        mix_json=msgspec.json.encode(mix).decode() if mix else None,
        mix_tokens=mix.tokens() if mix else None,
        seed=first("seed") if first("seed") is not None else _agreed_seed(logs),
        colour=first("colour"),
        links_json=msgspec.json.encode(links).decode() if links else None,
        notes=first("notes"),
        section=first("section") or _agreed(log.section for log in logs),
        card=shelved[0].path if shelved else None,
        position=position,
    )


def _agreed_seed(logs: Sequence[Placement]) -> int | None:
    told = {log.seed for log in logs if log.seed is not None}
    return told.pop() if len(told) == 1 else None


def _agreed(values: Iterable[str | None]) -> str | None:
    told = {value for value in values if value is not None}
    return told.pop() if len(told) == 1 else None


def _contradictions(run: str, shelved: Sequence[Shelved]) -> list[Conflict]:
    """Fields of which two cards for one run say different things."""
    found = []
    for name in ("label", "base_model", "weights", "parent", "stage", "section", "mix", "seed", "colour"):
        told = [(each.source, getattr(each.card, name)) for each in shelved if each.card.name is not None]
        told = [(source, value) for source, value in told if value is not None]
        if any(value != told[0][1] for _, value in told):
            texts = [(source, _text(value)) for source, value in told]
            message = f"run {run}: {name}: {'; '.join(f'{source} says {text}' for source, text in texts)}."
            message += f" {texts[0][1]} counts."
            found.append(Conflict(kind="card", field=name, message=message, candidates=texts))
    return found


def _text(value: Any) -> str:
    if isinstance(value, Parent):
        return named(value.run, value.step)
    return value.name or "a mix without a name" if isinstance(value, Mix) else str(value)


def _known_steps(trees: Sequence[CardTree], placements: Sequence[Placement]) -> dict[str, set[int]]:
    steps: dict[str, set[int]] = {}
    for placement in placements:
        if placement.step is not None:
            steps.setdefault(placement.run, set()).add(placement.step)
    for tree in trees:
        for _, run, checkpoint in tree.told_checkpoints():
            if checkpoint.step is not None:
                steps.setdefault(run, set()).add(checkpoint.step)
    return steps


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts run2 before run10, however long the number: as digits, for Python refuses numbers of thousands of them."""
    parts = [part.lstrip("0") if part.isdecimal() else part for part in re.split(r"([0-9]+)", name) if part]
    return [(len(part) if part.isdecimal() else 0, part) for part in parts]
