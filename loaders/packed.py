"""Files that may be packed with gzip: named and read as what is within."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

ENDING = ".gz"
READ_ERRORS = (OSError, EOFError, zlib.error)
"""What a file that can't be read raises, or one that is no whole gzip."""

MAX_WHOLE_BYTES = 256 * 1024**2
"""What is held in one piece: a document, a CSV file, or one line of a file of lines. As Python's objects it takes up to
ten times as much. (Inspect's own logs have `loaders.inspect.limits`.)"""
MAX_LINES_BYTES = 1024**3
"""All lines of a file together."""


def is_packed(name: str) -> bool:
    """Whether a file is packed, by its name."""
    return name.lower().endswith(ENDING)


def plain_name(name: str) -> str:
    """The name without the ending that says it is packed."""
    return name[: -len(ENDING)] if is_packed(name) else name


def suffix_of(name: str) -> str:
    """The ending that says how a file is written, in lower case: `.csv` also of `a.csv.gz`."""
    return Path(plain_name(name)).suffix.lower()


def open_plain(path: Path) -> BinaryIO:
    """A file for reading, unpacked; reading it may raise any of `READ_ERRORS`."""
    return cast("BinaryIO", gzip.open(path, "rb")) if is_packed(path.name) else path.open("rb")


def read_plain(path: Path, most: int | None = None) -> bytes:
    """The content of a file, unpacked: all of it, or its first bytes.

    Raises:
        OSError: It can't be read, is no whole gzip, or holds more than `MAX_WHOLE_BYTES` and `most` doesn't say less.
    """
    try:
        with open_plain(path) as file:
            return read_whole(file) if most is None else file.read(most)
    except (EOFError, zlib.error) as error:
        raise OSError(f"is no whole gzip: {error}") from error


def read_whole(file: BinaryIO) -> bytes:
    """What is left of an opened file.

    Raises:
        OSError: It is more than `MAX_WHOLE_BYTES`; no more than that is held.
    """
    data = file.read(MAX_WHOLE_BYTES + 1)
    if len(data) > MAX_WHOLE_BYTES:
        raise OSError(f"more than {MAX_WHOLE_BYTES:,} bytes, which is the most that is read in one piece: split it")
    return data


def plain_lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of an opened file, one by one, each with its end.

    Raises:
        OSError: A line is longer than `MAX_WHOLE_BYTES`, or all together than `MAX_LINES_BYTES`.
    """
    number = total = 0
    while line := file.readline(MAX_WHOLE_BYTES + 1):
        number, total = number + 1, total + len(line)
        if len(line) > MAX_WHOLE_BYTES:
            raise OSError(f"line {number} is longer than {MAX_WHOLE_BYTES:,} bytes, the most that is read of one")
        if total > MAX_LINES_BYTES:
            raise OSError(f"more than {MAX_LINES_BYTES:,} bytes up to line {number}, the most that is read: split it")
        yield line
