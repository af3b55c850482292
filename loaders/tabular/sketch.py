"""A first `tables:` entry for a table that none matches, for whoever knows the columns to correct.

A column is only taken for a score where its name or its values say so; where none does, the entry leaves a gap
instead of naming a column that is none.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from loaders.errors import RejectedFile
from loaders.packed import READ_ERRORS, open_plain, suffix_of
from loaders.tabular import cells, delimited
from loaders.tabular.rows import open_table

ROWS = 20
"""Rows that are looked at."""

HEAD = 200_000
"""Bytes of a CSV that are read for them: a table may be of any size."""

WHOLE = 5_000_000
"""Bytes of a JSON list that is read: it is read whole or not at all."""

MOST_SCORES = 4

STEP = re.compile(r"(?:global_?|training_?)?steps?|checkpoint|iter(?:ation)?", re.I)
IDENTITY = re.compile(r"(?:question|sample|prompt|item|task|example|doc)?_?id", re.I)
SCORE = re.compile(
    r"(?<![a-z])(?:score|grade|rating|verdict|judge|reward|acc|accuracy|correct|pass(?:ed)?|rate|harm|harmful|refus|refusal"
    r"|(?:mis)?aligned|alignment|coheren(?:t|ce)|toxic(?:ity)?|(?:un)?safe|f1|em|bleu|rouge)(?:d|s)?(?![a-z])",
    re.I,
)
NO_SCORE = re.compile(
    r"(?<![a-z])(?:id|idx|index|row|seed|epochs?|steps?|n|k|count|num|total|tokens?|time|timestamp|date|length|len|size|lr|"
    r"learning rate|temperature|std|stderr|se|sem|low|high|lower|upper|min|max|year|version|unnamed)(?![a-z])",
    re.I,
)


@dataclass(frozen=True)
class Glance:
    """A table's columns and its first rows; nothing where it can't be read."""

    columns: Sequence[str] = ()
    rows: Sequence[Mapping[str, Any]] = ()


def glance(path: Path) -> Glance:
    """Look at the beginning of a table, however large it is and however it is written."""
    try:
        if suffix_of(path.name) in (".csv", ".tsv"):
            return _first_of_csv(path)
        if suffix_of(path.name) == ".json" and path.stat().st_size > WHOLE:
            return Glance()
        table = open_table(path)
        rows = [row.cells for row in islice(table.rows, ROWS)]
    except (RejectedFile, *READ_ERRORS):
        return Glance()
    return Glance(table.columns or list(dict.fromkeys(name for row in rows for name in row)), rows)


def entry(path: str, found: Glance) -> str:
    """A `tables:` entry as YAML; names in quotes are YAML whatever they hold."""
    step, identity = _named(found.columns, STEP), _named(found.columns, IDENTITY)
    scores = _scores(found, {step, identity})
    lines = [
        "tables:",
        f'  - match: {_quoted(path)}  # may be a pattern: "**/*.csv"',
        "    eval: name-of-the-eval",
        '    run: name-of-the-run      # or {column: ...}, or {path: "results/([^/]+)/"}',
        *([f"    step: {{column: {_quoted(step)}}}"] if step else []),
        *([f"    id: {{column: {_quoted(identity)}}}"] if identity else []),
    ]
    if not scores:
        return "\n".join([*lines, "    scores: {score: {column: name-of-a-column}}"]) + "\n"
    told = [f"      {_quoted(name)}: {{column: {_quoted(name)}}}" for name in scores[:MOST_SCORES]]
    return "\n".join([*lines, "    scores:", *told]) + "\n"


def _first_of_csv(path: Path) -> Glance:
    with open_plain(path) as file:
        data = file.read(HEAD)
    # What is cut may end within a letter, and its last line within a cell: both are left out.
    text, _ = delimited.decoded(data if len(data) < HEAD else data[: data.rfind(b"\n") + 1] or data[: HEAD // 4 * 4])
    lines = list(islice(io.StringIO(text, newline=""), 50 * ROWS))
    parsed = delimited.parsed("".join(lines), "\t" if suffix_of(path.name) == ".tsv" else None)
    if parsed is None:
        return Glance()
    return Glance(parsed.header, [dict(zip(parsed.header, row, strict=True)) for _, row in parsed.rows[:ROWS]])


def _named(columns: Sequence[str], pattern: re.Pattern[str]) -> str | None:
    return next((name for name in columns if pattern.fullmatch(name.strip())), None)


def _scores(found: Glance, taken: set[str | None]) -> list[str]:
    """The columns that look like scores: by their names, else numbers that are no counts, places or settings."""
    free = [name for name in dict.fromkeys(found.columns) if name.strip() and name not in taken]
    offered = [name for name in free if not NO_SCORE.search(_spaced(name))]
    values = {name: [cells.typed(row.get(name)) for row in found.rows] for name in offered}
    held = {name: [value for value in some if value is not None] for name, some in values.items()}
    short = [name for name in offered if all(not isinstance(v, str) or len(v) <= 40 for v in held[name])]
    named = [name for name in short if SCORE.search(_spaced(name))]
    numbers = [name for name in short if held[name] and all(isinstance(v, (bool, int, float)) for v in held[name])]
    return named or numbers


def _spaced(name: str) -> str:
    """A column's name in words: `aligned_score`, `alignedScore` and `eval/aligned.score` hold the same ones."""
    return re.sub(r"[\W_]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))


def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)
