"""Of what kinds the cells of a score are, and remarks on those that could be taken for something else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from loaders.records import ScoreRecord

LONGEST_TEXT = 40
NAMED = 5
"""Texts that a remark quotes, and their characters."""


@dataclass
class ScoreKinds:
    """What stands in the cells of one score: verdicts are texts, grades are numbers, and both are mostly a slip."""

    numbers: int = 0
    percentages: int = 0
    texts: dict[str, int] = field(default_factory=dict)

    def add(self, cell: Any, scores: Sequence[ScoreRecord]) -> None:
        """Take in a cell and the scores that it holds."""
        for score in scores:
            if score.value_type == "text":
                self.texts[score.value_text or ""] = self.texts.get(score.value_text or "", 0) + 1
            elif score.value_num is not None:
                self.numbers += 1
        self.percentages += isinstance(cell, str) and cell.rstrip().endswith("%") and scores[0].value_num is not None

    def notes(self, name: str) -> Iterator[str]:
        """Remarks on cells that could be taken for something else than they are."""
        if self.percentages:
            yield f"{name}: {self.percentages} percentages are read as shares (50% is 0.5)"
        if self.numbers and self.texts:
            count = sum(self.texts.values())
            quoted = ", ".join(f'"{text[:LONGEST_TEXT]}"' for text in list(self.texts)[:NAMED])
            yield f"{name}: {count} of {self.numbers + count} values are text, which no mean counts ({quoted})"
