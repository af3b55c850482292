"""JSON lines that may still be appended to: what is whole of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loaders.errors import RejectedFile
from loaders.json_text import decode
from loaders.packed import read_plain

SHOWN = 5
"""Lines that are named of those that can't be read."""


def json_lines(path: Path, notes: list[str]) -> list[dict[str, Any]]:
    """The objects of a file, one a line. The last line may be cut off: it is written, or was when the trainer died.

    Args:
        notes: Gets a remark on lines that are left out.

    Raises:
        RejectedFile: No line is a whole object.
        OSError: It can't be read.
    """
    rows: list[dict[str, Any]] = []
    odd: list[str] = []
    *lines, rest = read_plain(path).split(b"\n")
    for number, line in enumerate([*lines, rest], 1):
        if not line.strip():
            continue
        try:
            row = decode(line)
        except ValueError as error:
            if number > len(lines):
                notes.append(f"line {number}, the last one, is cut off, and left out")
            else:
                odd.append(f"line {number} is not valid JSON ({error})")
            continue
        if isinstance(row, dict):
            rows.append(row)
        else:
            odd.append(f"line {number} is a JSON {type(row).__name__}, and an object is wanted")
    if not rows:
        reason = odd[0] if odd else "holds no whole line"
        raise RejectedFile(path, f"{reason}: copy it again from where it was written, or delete it")
    if odd:
        more = f"; and {len(odd) - SHOWN} more" if len(odd) > SHOWN else ""
        notes.append("left out: " + "; ".join(odd[:SHOWN]) + more)
    return rows
