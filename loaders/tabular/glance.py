"""The beginning of a table, however large it is and however it is written: its columns and first rows."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from loaders.errors import RejectedFile
from loaders.packed import READ_ERRORS, open_plain, suffix_of
from loaders.tabular import delimited
from loaders.tabular.rows import open_table

ROWS = 500
"""Rows that are looked at: enough to see whether ids repeat, and which steps there are."""

HEAD = 1_000_000
"""Bytes of a CSV that are read for them: a table may be of any size."""

WHOLE = 5_000_000
"""Bytes of a JSON list that is read: it is read whole or not at all."""


@dataclass(frozen=True)
class Glance:
    """A table's columns and its first rows; nothing where it can't be read."""

    columns: Sequence[str] = ()
    rows: Sequence[Mapping[str, Any]] = ()
    problem: str | None = None
    """Why it can't be read."""


def glance(path: Path) -> Glance:
    """Look at the beginning of a table."""
    try:
        if suffix_of(path.name) in (".csv", ".tsv"):
            return _first_of_csv(path)
        if suffix_of(path.name) == ".json" and path.stat().st_size > WHOLE:
            return Glance(problem=f"a JSON list of more than {WHOLE:,} bytes: convert it to JSON lines for a preview")
        table = open_table(path)
        rows = [row.cells for row in islice(table.rows, ROWS)]
    except RejectedFile as error:
        return Glance(problem=error.reason)
    except READ_ERRORS as error:
        return Glance(problem=f"can't be read: {error}")
    return Glance(table.columns or list(dict.fromkeys(name for row in rows for name in row)), rows)


def _first_of_csv(path: Path) -> Glance:
    with open_plain(path) as file:
        data = file.read(HEAD)
    # What is cut may end within a letter, and its last line within a cell: both are left out.
    text, _ = delimited.decoded(data if len(data) < HEAD else data[: data.rfind(b"\n") + 1] or data[: HEAD // 4 * 4])
    lines = list(islice(io.StringIO(text, newline=""), 50 * ROWS))
    parsed = delimited.parsed("".join(lines), "\t" if suffix_of(path.name) == ".tsv" else None)
    if parsed is None:
        return Glance(problem="is empty")
    # Of two columns with one name the first is read, as the loader does.
    rows = [dict(reversed(list(zip(parsed.header, row, strict=True)))) for _, row in parsed.rows[:ROWS]]
    return Glance(list(dict.fromkeys(parsed.header)), [{name: row[name] for name in parsed.header} for row in rows])
