"""Where the weights of a run and of its checkpoints lie, as its card says it.

A path (absolute, or relative to the card's folder), `package:MODULE/FILE` (a file of an installed Python package), or
`hub:ORG/NAME` (a model of a hub, which the server that serves it knows where to find). Weights are never opened here.
"""

from __future__ import annotations

import os

from msgspec.structs import replace

from loaders.study.cards import RunCard

PACKAGE = "package:"
HUB = "hub:"


def located(said: str, card: str, root: str) -> str:
    """What a card says of weights, independent of where the card lies.

    Args:
        card: Path of the card relative to the root, with forward slashes.
        root: The ingest root, as an absolute path.
    """
    if said.startswith((PACKAGE, HUB)):
        return said
    return os.path.normpath(os.path.join(root, os.path.dirname(card), os.path.expanduser(said)))  # noqa: PTH111, PTH118, PTH120


def with_located_weights(card: RunCard, path: str, root: str) -> RunCard:
    """The card with every place of weights made independent of where it lies."""

    def at(said: str | None) -> str | None:
        return None if said is None else located(said, path, root)

    if card.weights is None and all(each.weights is None and each.adapter is None for each in card.checkpoints):
        return card
    checkpoints = tuple(replace(c, weights=at(c.weights), adapter=at(c.adapter)) for c in card.checkpoints)
    return replace(card, weights=at(card.weights), checkpoints=checkpoints)
