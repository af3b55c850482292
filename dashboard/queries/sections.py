"""Sections: the runs that people keep together, since they compare them. Pure.

A run's section is its card's, else the folder that it shares with other runs of its study. A page begins with one of
them, and names the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

ALL = "*"
"""Stands for every section, in addresses too: no folder is named so."""

CARD_FILE = "run.yaml"
"""A card that lies in its run's own folder; a study file tells of many runs."""

Folder = tuple[str, str]
"""An ingested root, and a folder below it; the root itself is ""."""


def name_sections(runs: Iterable[Mapping[str, Any]], studies: Collection[Folder]) -> dict[str, str | None]:
    """The section of each run.

    Runs that share no folder below their study with another are of the study as a whole.

    Args:
        runs: Each with run, section (its card's, or None), card (path of its card, or None) and folders (those of its
            logs, `Folder`).
        studies: The folders that study files lie in.

    Returns:
        Run to section; None everywhere where there are fewer than two.
    """
    told: dict[str, str] = {}
    groups: dict[Folder, dict[str, tuple[tuple[str, ...], bool]]] = {}
    for row in runs:
        if row["section"]:
            told[row["run"]] = row["section"]
            continue
        root, parts, own = _own_folder(row)
        within = max((study for study in studies if _holds(study, (root, parts))), key=_depth, default=(root, ""))
        groups.setdefault(within, {})[row["run"]] = (parts[_depth(within) :], own)
    short = _short_names(groups)
    folders = {(group, run): name for group, of in groups.items() for run, name in _below(of).items()}
    used = {name: {group for (group, _), other in folders.items() if other == name} for name in folders.values()}
    for (group, run), name in folders.items():
        told[run] = short[group] if not name else name if len(used[name]) == 1 else f"{short[group]}/{name}"
    several = len(set(told.values())) > 1
    return {run: name if several else None for run, name in told.items()}


def _own_folder(row: Mapping[str, Any]) -> tuple[str, tuple[str, ...], bool]:
    """Root and folder of a run, and whether the folder is known to be its own."""
    folders: list[Folder] = sorted(row["folders"] or [])
    root = Counter(root for root, _ in folders).most_common(1)[0][0] if folders else ""
    card = PurePosixPath(row["card"]) if row["card"] else None
    if card is not None and card.name == CARD_FILE and ".." not in card.parts:
        return root, card.parent.parts, True
    return root, _shared([_parts(folder) for at, folder in folders if at == root]), False


@lru_cache(maxsize=50_000)
def _parts(folder: str) -> tuple[str, ...]:
    """What a path is made of: a folder for every checkpoint, the same ones each time."""
    return PurePosixPath(folder).parts


def _below(runs: Mapping[str, tuple[tuple[str, ...], bool]]) -> dict[str, str]:
    """The first folder in which runs of one study part, of each run; "" where it shares none with another."""
    outer = {run: parts[:-1] if own else parts for run, (parts, own) in runs.items()}
    above = len(_shared(list(outer.values())))
    first = {run: next(iter(parts[above:]), "") for run, parts in outer.items()}
    size = Counter(first.values())
    return {run: name if runs[run][1] or size[name] > 1 else "" for run, name in first.items()}


def _shared(paths: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The folders that all of some paths begin with."""
    least, most = min(paths, default=()), max(paths, default=())
    same = next((at for at, (one, other) in enumerate(zip(least, most, strict=False)) if one != other), None)
    return least[:same] if same is not None else least[: min(len(least), len(most))]


def _holds(study: Folder, folder: tuple[str, tuple[str, ...]]) -> bool:
    return study[0] == folder[0] and folder[1][: _depth(study)] == _parts(study[1])


def _depth(study: Folder) -> int:
    return len(_parts(study[1]))


def _short_names(folders: Iterable[Folder]) -> dict[Folder, str]:
    """As many of the last folders of each path as tell it from the others."""
    whole = {folder: PurePosixPath(folder[0].replace("\\", "/"), folder[1]).parts for folder in folders}
    names = {}
    for folder, parts in whole.items():
        others = [other for each, other in whole.items() if each != folder]
        length = next(
            (n for n in range(1, len(parts)) if all(other[-n:] != parts[-n:] for other in others)), len(parts)
        )
        names[folder] = "/".join(parts[-length:]) if parts else "logs"
    return names


def sections(runs: pd.DataFrame) -> list[str]:
    """The sections that there are, in the study's order; none where all runs are of one.

    Args:
        runs: `dashboard.queries.catalogue.RUN_COLUMNS`.
    """
    found = [str(name) for name in runs["section"].dropna().unique()]
    return found if len(found) > 1 else []


def within(runs: pd.DataFrame, section: str) -> pd.DataFrame:
    """The rows of a section's runs; all rows of `ALL`.

    Args:
        runs: `RUN_COLUMNS`.
        section: Which.
    """
    return runs if section == ALL else runs[runs["section"] == section]


def first_in_order(names: Sequence[str], runs: pd.DataFrame, section: str) -> list[str]:
    """Names of runs, a section's first: the others stay within reach.

    Args:
        names: Of runs.
        runs: `RUN_COLUMNS`.
        section: Which.
    """
    of = set(within(runs, section)["run"])
    return sorted(names, key=lambda name: name not in of)


def in_order(coverage: pd.DataFrame, runs: pd.DataFrame, section: str) -> pd.DataFrame:
    """The rows of a frame with a column `run`, those of a section's runs first.

    Args:
        coverage: Such a frame.
        runs: `RUN_COLUMNS`.
        section: Which.
    """
    of = coverage["run"].isin(within(runs, section)["run"])
    return pd.concat([coverage[of], coverage[~of]])


def section_of(names: Collection[str], runs: pd.DataFrame) -> str:
    """The one section that all of some runs are of; `ALL` where there is none.

    Args:
        names: Of runs; those that are not here don't count.
        runs: `RUN_COLUMNS`.
    """
    of = set(runs[runs["run"].isin(list(names))]["section"].dropna())
    return str(of.pop()) if len(of) == 1 else ALL


def most_in(names: Sequence[str], runs: pd.DataFrame) -> str:
    """The section that most of some runs are of, the first of equals; `ALL` where none is of any.

    Args:
        names: Of runs.
        runs: `RUN_COLUMNS`.
    """
    count = Counter(runs[runs["run"].isin(list(names))]["section"].dropna())
    return max(sections(runs), key=lambda name: count[name], default=ALL) if count else ALL
