"""What commands print: lines and tables for people, CSV and JSON for programs."""

from __future__ import annotations

import csv
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rich.console import Console

from dashboard import numerals
from dashboard.exports.csv import defused
from loaders.errors import DriftlineError

if TYPE_CHECKING:
    from rich.table import Table

# Names of logs hold colons and brackets: none of them is markup, and none an emoji.
out = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)


def print_json(content: Any) -> None:
    """Print a document for programs."""
    json.dump(content, sys.stdout, indent=1)
    print()


def print_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Print rows as CSV, texts harmless to spreadsheets."""
    writer = csv.DictWriter(sys.stdout, columns)
    writer.writeheader()
    writer.writerows({name: defused(value) for name, value in row.items()} for row in rows)


def write_file(target: Path, content: bytes) -> None:
    """Write a file whole or not at all, and say so.

    Raises:
        DriftlineError: It can't be written.
    """
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
            file.write(content)
        Path(file.name).replace(target)
    except OSError as error:
        raise DriftlineError(f"{target} can't be written: {error.strerror}.") from error
    out.print(f"Wrote {target} ({numerals.count(len(content))} bytes).", markup=False)


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], titles: Mapping[str, str] | None = None) -> Table:
    """A table of rows; columns are headed by their titles, where these are given, else by their names."""
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False)
    titles = titles or {}
    texts = {
        "run", "mix", "stage", "eval", "variant", "split", "split2", "metric", "interval", "checkpoint", "method",
        "test", "name", "reads", "package", "problem", "sample", "outcome", "log", "reply", "place", "excerpt", "view",
        "column", "type",
    }  # fmt: skip
    cells = [[_cell(row[name]) for name in columns] for row in rows]
    heads = [titles.get(name, name) for name in columns]
    widest = [max([len(head), *(len(row[at]) for row in cells)]) for at, head in enumerate(heads)]
    # Where the terminal is too narrow, long names are cut, and numbers never: Rich by itself drops narrow columns.
    widths = [min(width, 12) if name in texts else width for name, width in zip(columns, widest, strict=True)]
    gaps = 2 * max(0, len(columns) - 1)
    # A pipe or a file has no width: names are whole there.
    room = (out.width if out.is_terminal else gaps + sum(widest)) - gaps - sum(widths)
    for at, (name, head) in enumerate(zip(columns, heads, strict=True)):
        more = min(max(0, room), widest[at] - widths[at])
        widths[at] += more
        room -= more
        justify: Literal["left", "right"] = "left" if name in texts else "right"
        made.add_column(Text(head), justify=justify, no_wrap=True, width=widths[at])
    if room < 0 or not out.is_terminal:
        made.width = gaps + sum(widths)
    for row in cells:
        made.add_row(*map(Text, row))  # plain: a name from a log may look like markup
    return made


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return numerals.count(value) if value.is_integer() and abs(value) >= 1000 else numerals.figures(value)
    return "".join(c if c.isprintable() else " " for c in str(value))
