"""Files that may be packed with gzip: named and read as what is within."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import BinaryIO, cast

ENDING = ".gz"
READ_ERRORS = (OSError, EOFError, zlib.error)
"""What a file that can't be read raises, or one that is no whole gzip."""


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


def read_plain(path: Path, most: int = -1) -> bytes:
    """The content of a file, unpacked: all of it, or its first bytes.

    Raises:
        OSError: It can't be read, or is no whole gzip.
    """
    try:
        with open_plain(path) as file:
            return file.read(most)
    except (EOFError, zlib.error) as error:
        raise OSError(f"is no whole gzip: {error}") from error
