"""CSV as programs write it: the encoding, the delimiter and the escapes are found; broken rows are told by line. Pure.

A row that is no CSV, or has another number of cells than the header, is left out and told; reading goes on at the
next line.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice

from loaders.json_text import clean

DELIMITERS = ",;\t|"
MAX_CELL = 1 << 28
MOST_RESTARTS = 200
"""Rows that are no CSV and that reading goes on behind: an unclosed quote reads to the end of the file each time."""

# Python's own limit of 128 KiB is shorter than a long transcript. The setting is the module's, not a reader's.
csv.field_size_limit(MAX_CELL)

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n", re.I)
"""The first line that Excel takes, and writes, to say which delimiter a file has."""
BACKSLASHED = re.compile(r'\\(["\\])')


@dataclass
class Delimited:
    """A CSV's content.

    Attributes:
        header: The columns' names.
        header_line: The line it stands on.
        delimiter: What stands between its cells.
        rows: Line and cells of each row that has as many as the header.
        problems: Sentences on the others, each beginning with the line.
        notes: Remarks on the whole.
    """

    header: list[str]
    header_line: int
    delimiter: str
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def decoded(data: bytes) -> tuple[str, list[str]]:
    """The text of a file, and remarks on its encoding: UTF-8, UTF-16 and UTF-32 as they say, else Windows-1252."""
    for mark, encoding in BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace"), []
    if unmarked := _unmarked_utf16(data[:4096]):
        return data.decode(unmarked, "replace"), []
    try:
        return data.decode("utf-8"), []
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        note = f"is not UTF-8 (line {line}): read as Windows-1252 (cp1252), so letters with accents may be wrong"
        return data.decode("cp1252", "replace"), [note]


def is_wide(head: bytes) -> bool:
    """Whether a file is UTF-16 or UTF-32, by its first bytes."""
    return any(head.startswith(mark) for mark, encoding in BOMS if encoding != "utf-8") or bool(_unmarked_utf16(head))


def parsed(text: str, delimiter: str | None = None) -> Delimited | None:
    """The rows of a CSV; None where there is no header. Without a delimiter, the header says which it is."""
    skipped = 0
    if found := SEPARATOR_LINE.match(text):
        delimiter, skipped, text = found[1], 1, text[found.end() :]
    plain = _read(text, delimiter, skipped)
    if plain is None or not plain.problems or '\\"' not in text:
        return plain
    # Some writers escape a quote as \" where CSV doubles it: read so where that explains more of the rows.
    escaped = _read(BACKSLASHED.sub(lambda found: '""' if found[1] == '"' else "\\", text), delimiter, skipped)
    return escaped if escaped is not None and len(escaped.problems) < len(plain.problems) else plain


def _unmarked_utf16(head: bytes) -> str | None:
    """UTF-16 without its mark: every second byte of plain text is zero."""
    pairs = len(head) // 2
    if pairs < 4:
        return None
    low, high = head[0 : 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0)
    if high > 0.6 * pairs and low < 0.1 * pairs:
        return "utf-16-le"
    return "utf-16-be" if low > 0.6 * pairs and high < 0.1 * pairs else None


def _read(text: str, delimiter: str | None, skipped: int) -> Delimited | None:
    lines = list(io.StringIO(text, newline=""))
    between = delimiter or _delimiter(next((line for line in lines if line.strip()), ""))
    problems: list[str] = []
    records = _records(lines, between, skipped, problems)
    first = next(records, None)
    if first is None:
        return None
    found = Delimited([name.strip() for name in first[1]], first[0], between, problems=problems)
    width = len(found.header)
    for line, cells in records:
        if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
            cells = cells[:width]  # a delimiter at the end of each row
        if len(cells) == width:
            found.rows.append((line, cells))
        else:
            problems.append(f"line {line} has {len(cells)} cells, and the header names {width} columns")
    return found


def _records(lines: list[str], delimiter: str, skipped: int, problems: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Rows with the lines that they begin at; lines without anything are passed over, broken rows told."""
    start = restarts = 0
    while start < len(lines):
        reader = csv.reader(chain(islice(lines, start, None)), delimiter=delimiter, strict=True)
        line = start
        try:
            for cells in reader:
                if any(cells):
                    yield line + 1 + skipped, [clean(cell) for cell in cells]
                line = start + reader.line_num
            return
        except csv.Error as error:
            problems.append(f"the row that begins at line {line + 1 + skipped} is no CSV: {error}")
            restarts += 1
            start = line + 1
            if restarts >= MOST_RESTARTS:
                problems.append(f"line {start + 1 + skipped} and all below: not read, after {restarts} broken rows")
                return


def _delimiter(header: str) -> str:
    """The delimiter that stands most often in the header, quoted names aside; a comma where there is none."""
    plain = re.sub(r'"[^"]*"', "", header)
    return max(DELIMITERS, key=plain.count)
