"""Trees of run cards and study files, written as YAML in the tests that use them."""

from __future__ import annotations

from loaders.study.reading import parse_run_card, parse_study
from loaders.study.tree import CardTree


def tree(cards: dict[str, str] | None = None, studies: dict[str, str] | None = None, root: str = "") -> CardTree:
    """A tree of the cards and studies that these texts hold, by path relative to the root."""
    return CardTree(
        [(path, parse_run_card(text, path)) for path, text in (cards or {}).items()],
        [(path, parse_study(text, path)) for path, text in (studies or {}).items()],
        root,
    )
