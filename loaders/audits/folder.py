"""Files of a folder that are one log: which of them are of a format, and reading each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from loaders.errors import RejectedFile
from loaders.packed import read_plain

HEAD_BYTES = 4096

Matches = Callable[[Path, bytes], bool]
T = TypeVar("T")


def begins(path: Path, matches: Matches) -> bool:
    """Whether a file begins as one of a format does; not if it can't be read."""
    try:
        return matches(path, read_plain(path, HEAD_BYTES))
    except OSError:
        return False


@lru_cache(maxsize=20_000)
def looked_into(path: str, _size: int, _mtime_ns: int, matches: Matches) -> bool:
    """The same, looked at once for each size and time of change."""
    return begins(Path(path), matches)


def read_each(paths: Iterable[Path], read: Callable[[Path], T]) -> tuple[list[T], list[RejectedFile]]:
    """What could be read, and what is wrong with the rest.

    Raises:
        RejectedFile: Nothing could be read.
    """
    found, odd = list[T](), list[RejectedFile]()
    for path in paths:
        try:
            found.append(read(path))
        except RejectedFile as error:
            odd.append(error)
    if not found:
        raise odd[0]
    return found, odd
