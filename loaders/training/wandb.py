"""Runs of Weights & Biases as people export them: the history as CSV or JSON lines, and a run folder's summary.

A history is what `run.history()` and `run.scan_history()` give, a row a call of `log`, told by its column `_step`. Of a
run folder (`wandb/run-.../files`) `wandb-summary.json` holds the last value of each metric.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from loaders.errors import RejectedFile
from loaders.json_text import decode
from loaders.packed import plain_name, read_plain, suffix_of
from loaders.records import LoadedFile
from loaders.tabular.delimited import decoded, parsed
from loaders.training.json_lines import json_lines
from loaders.training_series import series_of

FORMAT = "wandb"
SUMMARY = "wandb-summary.json"
STEP = "_step"


def matches(path: Path, head: bytes) -> bool:
    """Whether `read` is the one to read this file, by its name and its first bytes."""
    if path.name == SUMMARY:
        return True
    first = head.partition(b"\n")[0]
    if suffix_of(path.name) == ".csv":
        cells = [cell.strip(b' "\r') for cell in first.split(b",")]
        # A chart's export has the columns of several runs: it is a table (`loaders.tabular.exports`).
        return STEP.encode() in cells and not any(cell.endswith(b"__MIN") for cell in cells)
    return suffix_of(path.name) == ".jsonl" and first.lstrip().startswith(b"{") and b'"_step":' in first


def read(path: Path) -> LoadedFile:
    """Read one such file.

    Raises:
        RejectedFile: It is broken, or no row of it has a step and a number.
        OSError: It can't be read.
    """
    notes: list[str] = []
    if path.name == SUMMARY:
        rows: list[dict[str, Any]] = [_summary(path)]
    elif suffix_of(plain_name(path.name)) == ".jsonl":
        rows = json_lines(path, notes)
    else:
        rows = list(_csv(path, notes))
    series = series_of(((row.pop(STEP, None), row) for row in rows), notes)
    if not series:
        raise RejectedFile(path, f"no row has a step and a number: {'; '.join(notes) or 'it holds texts'}")
    return LoadedFile(FORMAT, training=series, notes=notes)


def _summary(path: Path) -> dict[str, Any]:
    try:
        document = decode(read_plain(path))
    except ValueError as error:
        raise RejectedFile(path, f"can't be read as JSON: {error}") from error
    if not isinstance(document, dict):
        raise RejectedFile(path, f"holds a JSON {type(document).__name__}, and an object is wanted")
    return document


def _csv(path: Path, notes: list[str]) -> Iterator[dict[str, Any]]:
    text, said = decoded(read_plain(path))
    whole, _, rest = text.rpartition("\n")
    if rest.strip():  # half a number is another number
        notes.append("the last line is cut off, and left out")
    table = parsed(f"{whole}\n")
    if table is None:
        raise RejectedFile(path, "holds no row")
    notes += [*said, *table.notes, *table.problems[:5]]
    for _, cells in table.rows:
        yield dict(_numbers(dict(zip(table.header, cells, strict=True))))


def _numbers(row: Mapping[str, str]) -> Iterator[tuple[str, float]]:
    """The cells that are numbers, NaN and infinity among them; empty ones say nothing, nor do pandas' row numbers."""
    for name, cell in row.items():
        with suppress(ValueError):
            if name:
                yield name, float(cell)
