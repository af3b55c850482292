"""What a mapping means for the columns that a table has: bare names, wide tables, tables of summaries. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from loaders.records import ReportedMetric
from loaders.regex import compiled
from loaders.study.naming import LABELS
from loaders.table_mapping import Lookup, Share, Source, TableMapping
from loaders.tabular import cells

HEADER, VALUE = "\0header", "value"
"""Columns of the rows that a wide table is spread into: what the header's group found, and the cell."""

NAMES = ("eval", "run", "mix", "stage", "variant", "model", "judge")
"""Fields that a constant names just as well as a column."""
CONTENT = ("id", "question", "epoch", "prompt", "reply", "error")
"""Fields that differ from row to row: a constant makes no sense there."""

BOUNDS = ("__MIN", "__MAX")
"""What W&B's exports add to a column's name for the extremes of a smoothed or grouped line."""

TOTALS = frozenset(
    ["n", "total", "n_total", "num_total", "n_samples", "num_samples", "samples", "n_examples", "num_examples", "size"]
)
COUNTS = frozenset(
    [
        "k",
        "correct",
        "n_correct",
        "num_correct",
        "hits",
        "passed",
        "n_passed",
        "num_passed",
        "successes",
        "positive",
        "harmful",
    ]
)
ROUNDING = 1e-9
MOST = 2**53


def mentioned(mapping: TableMapping) -> set[str]:
    """All names in a mapping that could be a column's."""
    found: set[str] = set(mapping.metadata or [])
    for source in _sources(mapping):
        found.update(columns_of(source))
        if isinstance(source, str):
            found.add(source)
    return found


def columns_of(source: Source | None) -> list[str]:
    """The columns that a source reads."""
    if not isinstance(source, Lookup):
        return []
    if source.header is not None:
        return [HEADER]
    return [source.column] if source.column is not None else source.columns


def resolved(mapping: TableMapping, columns: Sequence[str], first: Mapping[str, Any]) -> tuple[TableMapping, list[str]]:
    """The mapping with every bare name of a column read as that column, and remarks on it.

    A bare text in `eval`, `run` and other names is a constant where the column of that name is read by another field
    or holds numbers; in fields of content it must be a column.

    Raises:
        ValueError: A bare text where only a column makes sense is no column's name.
    """
    explicit = {column for source in _sources(mapping) for column in columns_of(source)}
    notes: list[str] = []

    def column(name: str, source: str) -> Lookup:
        notes.append(f'{name}: "{source}" is read as the column of that name; a constant is {{value: {source}}}')
        return Lookup(column=source)

    def content(name: str, source: Any) -> Any:
        if not isinstance(source, str) or isinstance(source, Lookup):
            return source
        if source in columns or not columns:
            return column(name, source) if columns else source
        there = ", ".join(f'"{c}"' for c in columns)
        raise ValueError(
            f'{name} is "{source}", and no column is called so; the columns there are: {there}. A constant is written'
            f" {{value: {source}}}"
        )

    changed: dict[str, Any] = {}
    for name in CONTENT:
        changed[name] = content(name, getattr(mapping, name))
    for name in NAMES:
        source = getattr(mapping, name)
        if isinstance(source, str) and source in columns and source not in explicit and _names(first.get(source)):
            changed[name] = column(name, source)
    step = mapping.step
    if isinstance(step, str) and (step in columns or (cells.whole_number(step) is None and step.lower() not in LABELS)):
        changed["step"] = content("step", step)
    changed["scores"] = {name: content(f"scores.{name}", source) for name, source in mapping.scores.items()}
    changed["reported"] = {
        name: msgspec.structs.replace(share, **{
            part: content(f"reported.{name}.{part}", getattr(share, part)) for part in ("value", "n", "k", "stderr")
        })
        for name, share in mapping.reported.items()
    }  # fmt: skip
    return msgspec.structs.replace(mapping, **changed), notes


def spread(header: str, row: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """The columns that match, each with its row; None where its cell is empty: nothing was logged there."""
    named = ((column, compiled(header).search(column)) for column in row if not column.endswith(BOUNDS))
    series = {column: found[1] for column, found in named if found}
    bounds = {column + bound for column in series for bound in BOUNDS}
    rest = {column: cell for column, cell in row.items() if column not in series and column not in bounds}
    for column, name in series.items():
        cell = row[column]
        empty = cell is None or (isinstance(cell, str) and not cell.strip())
        yield column, None if empty else {**rest, HEADER: name, VALUE: cell}


def share(name: str, value: Any, n: Any, k: Any, stderr: Any) -> ReportedMetric:
    """A reported number from its cells.

    Raises:
        ValueError: A count is no whole number, k is more than n, or k of n is not the value.
    """
    rate = proportion(value)
    total, count = _count("n", n), _count("k", k)
    if total is not None and count is not None and count > total:
        raise ValueError(f"k is {count} and n {total}, and k is at most n")
    if count is not None and total:
        if rate is not None and not fits(value, count, total):
            raise ValueError(f"k is {count} and n {total}, and that is not the value {cells.as_text(value)}")
        rate = count / total
    elif rate is not None and total and 0 <= rate <= 1 and fits(value, round(rate * total), total):
        count = round(rate * total)
    return ReportedMetric(name, rate, n=total, k=count, stderr=proportion(stderr))


def proportion(cell: Any) -> float | None:
    """A cell as a finite number, "63.4%" as 0.634; None for anything else."""
    value = cells.number(cell)
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e300:
        return None
    return float(value)


def fits(value: Any, k: int, n: int) -> bool:
    """Whether k of n is a value as far as it was rounded."""
    rate = proportion(value)
    if rate is None or not 0 <= k <= n or not n:
        return False
    text = (cells.as_text(value) or "").strip()
    decimals = len(text.rstrip("%").partition(".")[2]) + 2 * text.endswith("%") if "e" not in text.lower() else 12
    return math.isclose(rate, k / n, rel_tol=0, abs_tol=0.5 * 10.0**-decimals + ROUNDING)


def may_be_summary(mapping: TableMapping) -> bool:
    """Whether rows could be summaries though they are mapped as samples: scores, and nothing of a sample."""
    return bool(mapping.scores) and not mapping.reported and all(getattr(mapping, name) is None for name in CONTENT)


def as_summary(mapping: TableMapping, rows: Sequence[Mapping[str, Any]]) -> tuple[TableMapping, list[str]]:
    """The mapping with its scores as reported shares, where each row's own columns say so: k of n is the score.

    Only where a column is called like a total and, in every row, holds a whole number of which the score is a share;
    with a column of the counts beside it where there is one.
    """
    columns = list(rows[0]) if rows else []
    free = [column for column in columns if column not in mentioned(mapping)]
    totals = [column for column in free if column.lower() in TOTALS and all(_total(row.get(column)) for row in rows)]
    if len(totals) != 1 or not any((_total(row.get(totals[0])) or 0) > 1 for row in rows):
        return mapping, []
    shares: dict[str, Share] = {}
    for name, source in mapping.scores.items():
        if not isinstance(source, Lookup) or source.column is None or source.map:
            return mapping, []
        read = [(row.get(source.column), _total(row.get(totals[0])) or 0, row) for row in rows]
        told = [each for each in read if proportion(each[0]) is not None]
        if not told or not all(fits(cell, round((proportion(cell) or 0) * n), n) for cell, n, _ in told):
            return mapping, []
        counts = [
            column
            for column in free
            if column not in totals and all(fits(cell, _whole(row.get(column)), n) for cell, n, row in told)
        ]
        counts = [column for column in counts if column.lower() in COUNTS] or counts
        k = Lookup(column=counts[0]) if len(counts) == 1 else None
        shares[name] = Share(value=source, n=Lookup(column=totals[0]), k=k)
    named = ", ".join(f"{name} {_read_as(one)}" for name, one in shares.items())
    note = f"rows are read as summaries, not samples ({named}); write `reported:` in place of `scores:` to say so"
    return msgspec.structs.replace(mapping, scores={}, reported=shares), [note]


def _read_as(one: Share) -> str:
    k, n = columns_of(one.k), columns_of(one.n)
    return f'is column "{k[0]}" of column "{n[0]}"' if k else f'is a share of column "{n[0]}"'


def _sources(mapping: TableMapping) -> list[Source | None]:
    parts = [getattr(share, part) for share in mapping.reported.values() for part in ("value", "n", "k", "stderr")]
    return [*(getattr(mapping, name) for name in (*NAMES, "step", *CONTENT)), *mapping.scores.values(), *parts]


def _names(cell: Any) -> bool:
    """Whether a cell could name something: text that is neither number nor empty."""
    return isinstance(cells.typed(cell), str)


def _count(name: str, cell: Any) -> int | None:
    if cells.typed(cell) is None:
        return None
    number = _total(cell) if name == "n" else _whole(cell)
    if number is None or number < 0:
        raise ValueError(f"{name} is {cell!r}, and a whole number, 0 or more, is wanted")
    return number


def _total(cell: Any) -> int | None:
    number = cells.whole_number(cell)
    return number if number is not None and 0 <= number <= MOST else None


def _whole(cell: Any) -> int:
    number = cells.whole_number(cell)
    return number if number is not None and 0 <= number <= MOST else -1
