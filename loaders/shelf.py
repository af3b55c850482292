"""The run cards and study files in force, by the root that they lie under; odd ones are left out and named."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import duckdb
import msgspec

from loaders.errors import unforeseen
from loaders.study.cards import RunCard
from loaders.study.definitions import StudyFile
from loaders.study.tree import CardTree
from loaders.table_mapping import TableMapping

GIVEN = "given:"
"""Marks, in a location's path, a study file that was given by `--study`: it counts as lying at the root."""


@dataclass
class CardShelf:
    """All run cards and study files in force, by root."""

    trees: dict[str, CardTree] = field(default_factory=dict)
    cards: list[tuple[str, RunCard]] = field(default_factory=list)
    studies: list[tuple[str, StudyFile]] = field(default_factory=list)

    odd: dict[int, str] = field(default_factory=dict)
    """Cards and study files that no shelf holds, by source: why."""

    @classmethod
    def load(
        cls,
        cursor: duckdb.DuckDBPyConnection,
        batch: int,
        without: Collection[int] = (),
        *,
        under_way: bool = False,
    ) -> CardShelf:
        """The cards as of a batch, some sources left out; of one that is under way, as its worker has them."""
        shelf = cls()
        by_root: dict[str, tuple[list[tuple[str, RunCard]], list[tuple[str, StudyFile]]]] = {}
        for source, root, path, kind, body in cursor.execute(
            CARDS_UNDER_WAY if under_way else CARDS, [batch]
        ).fetchall():
            if source in without:
                continue
            cards, studies = by_root.setdefault(root, ([], []))
            try:
                if kind == "run card":
                    card = msgspec.json.decode(body, type=RunCard)
                    CardTree([(path, card)], [], root)
                    cards.append((path, card))
                    shelf.cards.append((path, card))
                else:
                    study = msgspec.json.decode(body, type=StudyFile)
                    CardTree([], [(path, study)], root)
                    studies.append(("study.yaml" if path.startswith(GIVEN) else path, study))
                    shelf.studies.append((path.removeprefix(GIVEN), study))
            except Exception as error:  # noqa: BLE001 - whatever is in one card, the others are read
                shelf.odd[source] = unforeseen(error)
        shelf.trees = {root: CardTree(cards, studies, root) for root, (cards, studies) in by_root.items()}
        return shelf

    def tree(self, root: str) -> CardTree:
        """The cards that speak of files below a root."""
        return self.trees.get(root) or CardTree([], [], root)

    def mapping(self, root: str, path: str) -> tuple[TableMapping, str] | None:
        """The mapping of a table, and its path as that mapping sees it; None where no study file maps it."""
        return self.tree(root).table_for(path)


CARDS = """
SELECT source_id, root, path, kind, body FROM live_cards(?) ORDER BY starts_with(path, 'given:') DESC, root, path
"""

CARDS_UNDER_WAY = CARDS.replace("live_cards", "all_open_cards")
