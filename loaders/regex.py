"""Regular expressions that users write: RE2's, which take time that grows with the text, whatever the pattern is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Protocol, cast

import re2

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False


class Match(Protocol):
    """Where a pattern was found, as `re.Match`."""

    def __getitem__(self, group: int | str) -> str | None:
        """What a group found."""

    def groups(self) -> tuple[str | None, ...]:
        """What each group found."""

    def groupdict(self) -> Mapping[str, str | None]:
        """What each named group found."""


class Pattern(Protocol):
    """A compiled pattern, as `re.Pattern`."""

    groups: int
    groupindex: Mapping[str, int]

    def search(self, text: str) -> Match | None:
        """Its first match in a text."""


@lru_cache(maxsize=1000)
def compiled(pattern: str) -> Pattern:
    """A pattern, to be searched for.

    Raises:
        ValueError: It is none, or one that RE2 doesn't have: what looks ahead or behind, and references to a group.
    """
    try:
        return cast("Pattern", re2.compile(pattern, _OPTIONS))
    except re2.error as error:
        told = error.args[0] if error.args else "it can't be read"
        told = told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)
        if told.startswith("invalid perl operator"):
            told += ", which looks ahead or behind: patterns here are RE2's, which have none"
        raise ValueError(told) from error
