"""Rows of CSV, JSONL, JSON and Parquet files, one by one, each with the place where it stands.

The paths are opened as they are: none of these readers takes `*` or `[` in a name for a pattern. A row that can't be
read is left out, counted and named by its line (`Table.problems`), and the rest goes in; a file without any row that
can be read is rejected.
"""

from __future__ import annotations

import codecs
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from loaders.errors import RejectedFile
from loaders.json_text import clean, decode
from loaders.packed import READ_ERRORS, open_plain, plain_lines, read_plain, suffix_of
from loaders.tabular import delimited
from loaders.tabular.commas import with_points

SUFFIXES = frozenset({".csv", ".tsv", ".jsonl", ".json", ".parquet"})
BATCH_ROWS = 4096


@dataclass
class Row:
    """One row: where it stands ("line 17"), and its cells by column."""

    place: str
    cells: dict[str, Any]


@dataclass
class Table:
    """A table that is being read.

    Attributes:
        columns: Names in order, those within objects as `a.b`; None where each row names its own (JSON).
        rows: To be read once.
        problems: The rows that were left out so far, a sentence each that begins with the place.
        notes: Remarks on the file as a whole.
    """

    columns: list[str] | None
    rows: Iterator[Row]
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def is_table(path: Path) -> bool:
    """Whether this is a table, by its name; which columns it has is the mapping's business."""
    return suffix_of(path.name) in SUFFIXES


def open_table(path: Path, wanted: Collection[str] = ()) -> Table:
    """Open a table; its rows are read as they are asked for.

    Args:
        path: The file.
        wanted: Columns that are read: a header that names one of them twice, over different cells, is refused.

    Raises:
        RejectedFile: Here or while rows are read: the file is broken, and the reason says where.
    """
    match suffix_of(path.name):
        case ".csv" | ".tsv":
            return _csv(path, wanted)
        case ".jsonl":
            table = Table(None, iter(()))
            table.rows = _jsonl_rows(path, table.problems)
            return table
        case ".json":
            table = Table(None, iter(()))
            table.rows = _json_rows(path, table.problems)
            return table
        case ".parquet":
            return _parquet(path)
    raise RejectedFile(path, f"is no table: {', '.join(sorted(SUFFIXES))} are read")


def _csv(path: Path, wanted: Collection[str]) -> Table:
    try:
        data = read_plain(path)
    except READ_ERRORS as error:
        raise RejectedFile(path, f"can't be read: {error}") from error
    text, notes = delimited.decoded(data)
    found = delimited.parsed(text, "\t" if suffix_of(path.name) == ".tsv" else None)
    if found is None:
        raise RejectedFile(path, "is empty, and a header with the columns' names is wanted")
    notes += found.notes
    header = found.header
    if commas := with_points(header, [cells for _, cells in found.rows], found.delimiter == ","):
        notes.append(f"decimal commas are read as points in {_quoted(commas)}")
    twice = [name for i, name in enumerate(header) if name in header[:i]]
    if twice:
        notes.append(f"line {found.header_line}: the header names {_quoted(twice)} more than once: the first is read")
    return Table(header, _named(path, found, set(twice) & {*wanted}), found.problems, notes)


def _named(path: Path, found: delimited.Delimited, twice: set[str]) -> Iterator[Row]:
    header = found.header
    places: dict[str, list[int]] = {}
    for index, name in enumerate(header):
        places.setdefault(name, []).append(index)
    for line, cells in found.rows:
        row = {name: cells[those[0]] for name, those in places.items()}
        for name in twice:
            told = {cells[index] for index in places[name]}
            if len(told) > 1:
                raise RejectedFile(
                    path,
                    f'line {found.header_line}: the header names "{name}" more than once, and line {line} holds'
                    f" {_quoted(sorted(told))} in them: give each column its own name",
                )
        yield Row(f"line {line}", row)


def _jsonl_rows(path: Path, problems: list[str]) -> Iterator[Row]:
    try:
        start = read_plain(path, 64)
        if delimited.is_wide(start):
            text, _ = delimited.decoded(read_plain(path))
            yield from _lines(text.encode().splitlines(), problems)
        elif start.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"["):
            yield from _json_rows(path, problems)
        else:
            with open_plain(path) as lines:
                yield from _lines(plain_lines(lines), problems)
    except READ_ERRORS as error:
        raise RejectedFile(path, f"can't be read: {error}") from error


def _lines(lines: Iterable[bytes], problems: list[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = decode(line)
        except ValueError as error:
            problems.append(f"line {number} is no JSON: {error}")
            continue
        if isinstance(row, dict):
            yield Row(f"line {number}", row)
        else:
            problems.append(f"line {number} holds a JSON {type(row).__name__}, not an object")


def _json_rows(path: Path, problems: list[str]) -> Iterator[Row]:
    try:
        rows = decode(read_plain(path))
    except READ_ERRORS as error:
        raise RejectedFile(path, f"can't be read: {error}") from error
    except ValueError as error:
        raise RejectedFile(path, f"is no JSON: {error}") from error
    if not isinstance(rows, list):
        raise RejectedFile(path, f"holds a JSON {type(rows).__name__}, and a table is a list of objects")
    for number, row in enumerate(rows, start=1):
        if isinstance(row, dict):
            yield Row(f"item {number}", row)
        else:
            problems.append(f"item {number} is a JSON {type(row).__name__}, not an object")


def _parquet(path: Path) -> Table:
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise RejectedFile(path, f"is no Parquet file that can be read: {error}") from error
    return Table(_column_names(file.schema_arrow), _parquet_rows(path, file))


def _column_names(fields: Any, prefix: str = "") -> list[str]:
    """The names of columns, and those within objects as `a.b`."""
    names = []
    for field_ in fields:
        names.append(prefix + field_.name)
        if pa.types.is_struct(field_.type):
            names += _column_names(field_.type, f"{prefix}{field_.name}.")
    return names


def _parquet_rows(path: Path, file: Any) -> Iterator[Row]:
    number = 0
    try:
        with file:
            for batch in file.iter_batches(batch_size=BATCH_ROWS):
                for cells in batch.to_pylist():
                    number += 1
                    yield Row(f"row {number}", {name: _plain(cell) for name, cell in cells.items()})
    except (pa.ArrowException, OSError) as error:
        raise RejectedFile(path, f"breaks off after row {number}: {error}") from error


def _plain(cell: Any) -> Any:
    """A cell of Parquet as JSON would hold it."""
    if isinstance(cell, str):
        return clean(cell)
    if isinstance(cell, dict):
        return {clean(str(key)): _plain(item) for key, item in cell.items()}
    if isinstance(cell, list | tuple):
        return [_plain(item) for item in cell]
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    if isinstance(cell, Decimal | timedelta):
        return str(cell)
    if isinstance(cell, bytes):
        return clean(cell.decode("utf-8", "replace"))
    return cell


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
