"""Runs in families: each below what it was trained from, in pieces that fit a screen or a sheet. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MOST_TOGETHER = 20
"""Runs in one piece: as many rows as a printed page takes."""


@dataclass(frozen=True, slots=True)
class Member:
    """A run in its family.

    Attributes:
        run: Its name.
        depth: 0 for a run without a parent that is here, 1 for its children, and so on.
        family: Number of the family, from 0.
    """

    run: str
    depth: int
    family: int


def families(parents: Mapping[str, str | None]) -> list[Member]:
    """Order runs so that each follows its parent, families in the order of their first run.

    Args:
        parents: Run to parent, in the study's order. A parent that is no key is not here; runs whose parents go round
            in a circle begin a family of their own.
    """
    children: dict[str, list[str]] = {}
    roots = []
    for run, parent in parents.items():
        if parent is not None and parent in parents and not _in_circle(run, parents):
            children.setdefault(parent, []).append(run)
        else:
            roots.append(run)
    of_root = {run: _root(run, parents) for run in parents}
    roots.sort(key=lambda root: next(place for place, run in enumerate(parents) if of_root[run] == root))
    found = []
    for family, root in enumerate(roots):
        waiting = [(root, 0)]
        while waiting:
            run, depth = waiting.pop()
            found.append(Member(run, depth, family))
            waiting += [(child, depth + 1) for child in reversed(children.get(run, []))]
    return found


def pieces(members: Sequence[Member], most: int = MOST_TOGETHER) -> list[list[Member]]:
    """Cut families into pieces of at most `most` runs; a family that fits into one is not torn apart."""
    of_family: dict[int, list[Member]] = {}
    for member in members:
        of_family.setdefault(member.family, []).append(member)
    found: list[list[Member]] = []
    for family in of_family.values():
        if found and len(found[-1]) + len(family) <= most:
            found[-1] += family
            continue
        found += [family[start : start + most] for start in range(0, len(family), most)]
    return found


def _in_circle(run: str, parents: Mapping[str, str | None]) -> bool:
    """Whether a run is its own forebear."""
    seen = {run}
    parent = parents[run]
    while parent is not None and parent in parents and parent not in seen:
        seen.add(parent)
        parent = parents[parent]
    return parent == run


def _root(run: str, parents: Mapping[str, str | None]) -> str:
    while not _in_circle(run, parents) and (parent := parents[run]) is not None and parent in parents:
        run = parent
    return run
