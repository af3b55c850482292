"""How two texts differ, word by word. Long ones by sentence first, so that it takes no more than a second or so."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import chain
from typing import Literal

from msgspec import Struct

WORD = re.compile(r"\w+\s*|[^\w\s]\s*|\s+")
SENTENCE = re.compile(r"[^.!?\n]*(?:[.!?\n]+\s*|\Z)")

MOST_PAIRS = 1_000_000
"""Pairs of equal words (or sentences) that are looked at: what comparing takes grows with their number."""
MOST_PAIRS_WITHIN = 3_000_000
"""The same, for the words of all sentences that differ, together."""

Kind = Literal["same", "added", "removed", "hit", "begun"]


class Segment(Struct, frozen=True):
    """A stretch of text.

    Both have it, or only the second (added) or the first (removed). Where a text is only shown, it may be one that was
    looked for (hit), or a reply's given beginning (begun).
    """

    kind: Kind
    text: str


def differences(base: str, other: str) -> list[Segment]:
    """What becomes of a text on the way to another.

    All that is same or removed is `base`, to the letter; all that is same or added is `other`. What is too long and
    too repetitive to be compared in time is told as removed and added whole.
    """
    before, after = WORD.findall(base), WORD.findall(other)
    if _pairs(before, after) <= MOST_PAIRS:
        return _merged(_by_unit(before, after))
    return _merged(_by_sentence(base, other))


def similarity(segments: Sequence[Segment]) -> float:
    """How much two texts have in common, by characters: 1 where they are the same, 0 where they share no word."""
    same = sum(len(each.text) for each in segments if each.kind == "same")
    rest = sum(len(each.text) for each in segments if each.kind != "same")
    return 2 * same / (2 * same + rest) if same + rest else 1.0


def _by_sentence(base: str, other: str) -> Iterator[Segment]:
    before, after = (list(filter(None, SENTENCE.findall(text))) for text in (base, other))
    left = MOST_PAIRS_WITHIN
    for removed, added, same in (
        _changes(before, after) if _pairs(before, after) <= MOST_PAIRS else _whole(before, after)
    ):
        if same:
            yield Segment("same", same)
            continue
        old, new = WORD.findall(removed), WORD.findall(added)
        pairs = _pairs(old, new)
        if pairs <= min(left, MOST_PAIRS):
            left -= pairs
            yield from _by_unit(old, new)
        else:
            yield from (Segment("removed", removed), Segment("added", added))


def _by_unit(before: Sequence[str], after: Sequence[str]) -> Iterator[Segment]:
    for removed, added, same in _changes(before, after):
        yield from (Segment("same", same), Segment("removed", removed), Segment("added", added))


def _changes(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Stretches in their order, each as (removed, added, same)."""
    start, end = _ends(before, after)
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    yield "", "", "".join(before[:start])
    for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            yield "", "", "".join(old[i:j])
        else:
            yield "".join(old[i:j]), "".join(new[k:m]), ""
    yield "", "", "".join(before[len(before) - end :])


def _whole(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """What is the same at both ends, and the rest as one change."""
    start, end = _ends(before, after)
    yield "", "", "".join(before[:start])
    yield "".join(before[start : len(before) - end]), "".join(after[start : len(after) - end]), ""
    yield "", "", "".join(before[len(before) - end :])


def _ends(before: Sequence[str], after: Sequence[str]) -> tuple[int, int]:
    """How many units are the same at the beginning, and, of the rest, at the end."""
    shorter = min(len(before), len(after))
    start = next((at for at in range(shorter) if before[at] != after[at]), shorter)
    rest = shorter - start
    end = next((at for at in range(rest) if before[-1 - at] != after[-1 - at]), rest)
    return start, end


def _pairs(before: Sequence[str], after: Sequence[str]) -> int:
    """Pairs of equal units between the ends that are the same."""
    start, end = _ends(before, after)
    old, new = Counter(before[start : len(before) - end]), Counter(after[start : len(after) - end])
    return sum(count * new[unit] for unit, count in old.items())


def _merged(segments: Iterator[Segment]) -> list[Segment]:
    """One segment for neighbours of a kind; between two that are the same, what was removed comes first."""
    merged: list[Segment] = []
    changed: dict[Kind, list[str]] = {"removed": [], "added": []}
    same: list[str] = []

    def close(kinds: dict[Kind, list[str]]) -> None:
        for kind, texts in kinds.items():
            if texts:
                merged.append(Segment(kind, "".join(texts)))
                texts.clear()

    for segment in chain(segments, [Segment("same", "")]):
        if not segment.text:
            continue
        if segment.kind == "same":
            close(changed)
            same.append(segment.text)
        else:
            close({"same": same})
            changed[segment.kind].append(segment.text)
    close({"same": same})
    close(changed)
    return merged
