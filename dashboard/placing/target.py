"""The study file that speaks of a file, which is added to; a new one at the root where there is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from loaders.listing import STUDY_FILE
from loaders.shelf import GIVEN

UP = 5
"""How many folders above some files a study file is looked for, as an ingest does."""


@dataclass(frozen=True)
class Target:
    """A study file to add to.

    Attributes:
        root: The folder that is ingested.
        at: Where the study file counts as lying, relative to the root.
        file: Where it lies.
        cards: The other run cards and study files below the root, by path.
    """

    root: Path
    at: str
    file: Path
    cards: Mapping[str, Path] = field(default_factory=dict)

    @property
    def folders(self) -> tuple[str, ...]:
        """Names of the folders that the study file lies in, as far as they may name a run."""
        return (*self.root.parts[1:][-UP:], *self.at.split("/")[:-1])

    def within(self, path: str) -> str | None:
        """A path as the study file's globs see it; None where it lies elsewhere."""
        folder = self.at.rpartition("/")[0]
        if not folder:
            return path
        return path[len(folder) + 1 :] if path.startswith(folder + "/") else None

    def around(self, within: str) -> str:
        """The path relative to the root of one that the study file's globs see."""
        folder = self.at.rpartition("/")[0]
        return f"{folder}/{within}" if folder else within


def target_for(root: str, path: str, cards: Iterable[tuple[str, str]]) -> Target:
    """The study file of the folder nearest around a file.

    Args:
        root: The folder that is ingested.
        path: Of the file, relative to it.
        cards: Root and path of every run card and study file; see `dashboard.queries.cards`.
    """
    here = Path(root)
    own = [card for of, card in cards if of == root and not card.startswith("../")]
    given = next((card for card in own if card.startswith(GIVEN)), None)
    lying = {card: here / card for card in own if not card.startswith(GIVEN)}
    around = [
        card
        for card in lying
        if card.rpartition("/")[2] == STUDY_FILE and (path + "/").startswith(card.removesuffix(STUDY_FILE))
    ]
    nearest = max(around, key=len, default=STUDY_FILE)
    if given is not None and nearest == STUDY_FILE:
        return Target(here, STUDY_FILE, Path(given.removeprefix(GIVEN)), lying)
    return Target(here, nearest, here / nearest, {card: file for card, file in lying.items() if card != nearest})


def target_above(files: Iterable[Path]) -> Target:
    """The same for files that no store knows: the nearest study file above all of them, else one in their folder."""
    folders = [file.resolve().parent for file in files]
    first = folders[0]
    while not all(folder.is_relative_to(first) for folder in folders):
        first = first.parent
    for folder in (first, *first.parents)[: UP + 1]:
        if (folder / STUDY_FILE).is_file():
            return Target(folder, STUDY_FILE, folder / STUDY_FILE)
    return Target(first, STUDY_FILE, first / STUDY_FILE)
