"""Where a text stands in others: upper and lower case alike, any white space for any other. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from dashboard.texts.word_differences import Segment
from loaders.phrase import SPACE


@dataclass(frozen=True)
class Sought:
    """A text that is looked for, as the search of samples understands it (`loaders.store.text_search`).

    Attributes:
        word: Its longest word, in lower case: what lacks it lacks the whole.
        pattern: Of the whole.
    """

    word: str
    pattern: re.Pattern[str]

    def spans(self, text: str, start: int = 0) -> Iterator[tuple[int, int]]:
        """Where it stands in a text, from a place on."""
        if self.word in text.lower():
            for match in self.pattern.finditer(text, start):
                yield match.span()

    def count(self, texts: Iterable[str]) -> int:
        """How often it stands in some texts."""
        return sum(1 for text in texts for _ in self.spans(text))


@lru_cache(maxsize=64)
def sought(text: str) -> Sought | None:
    """What is looked for; None where it is blank.

    A blank at either end stands for white space or an end of the text.
    """
    words = re.split(SPACE, text)
    if not any(words):
        return None
    edge = SPACE.removesuffix("+").replace("[", "[^")
    begin, end = ("" if words[0] else f"(?<!{edge})"), ("" if words[-1] else f"(?!{edge})")
    phrase = SPACE.join(re.escape(word) for word in words if word)
    return Sought(max(words, key=len).lower(), re.compile(begin + phrase + end, re.IGNORECASE))


def marked(text: str, wanted: Sought | None, start: int = 0, end: int | None = None) -> list[Segment]:
    """A stretch of a text in segments: those that are looked for are hits, all else is the same.

    Args:
        text: The whole: what stands at the edge of the stretch is found by what stands beyond it.
        wanted: None for nothing.
        start: Of the stretch.
        end: Of the stretch; None for the text's.
    """
    end = len(text) if end is None else min(end, len(text))
    found: list[Segment] = []
    at = start
    for first, last in wanted.spans(text, start) if wanted else ():
        if first >= end:
            break
        if first > at:
            found.append(Segment("same", text[at:first]))
        found.append(Segment("hit", text[first : min(last, end)]))
        at = min(last, end)
    if at < end:
        found.append(Segment("same", text[at:end]))
    return found
