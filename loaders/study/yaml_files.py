"""Reads a YAML file that has a schema: every problem of it at once, each with line, field and what is allowed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path as FilePath
from typing import Any

from loaders.errors import StudyError
from loaders.study import schema
from loaders.study.checks import Problem, normalise, schema_problems
from loaders.study.conditions import Path, dotted
from loaders.study.yaml_lines import MAX_BYTES, Document, YamlProblem, parse

MAX_PROBLEMS = 50
"""Problems told of one file; the rest is counted."""


def file_bytes(path: FilePath | str) -> bytes:
    """What is in a file.

    Raises:
        StudyError: It can't be read, or is far too long.
    """
    try:
        with FilePath(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as e:
        raise StudyError(path, [f"can't be read: {e.strerror or e}"]) from e
    if len(data) > MAX_BYTES:
        raise StudyError(path, [f"longer than {MAX_BYTES:,} bytes, and no more are read"])
    return data


def checked(
    text: str | bytes, path: FilePath | str, wanted: schema.Schema, more: Callable[[Any], list[Problem]]
) -> dict[str, Any]:
    """The content of a file that has no problem.

    Args:
        text: Of the file.
        path: Only named in errors.
        wanted: The schema, of a mapping.
        more: What no schema says of the content.

    Raises:
        StudyError: The text is not YAML or breaks the schema; names every problem with its line.
    """
    try:
        document = parse(text.encode() if isinstance(text, str) else text)
    except YamlProblem as e:
        raise StudyError(path, [f"line {e.line}: {e.text}" if e.line else e.text]) from e
    value = normalise(document.value, wanted, document)
    lines = told(document, schema_problems(value, wanted) + more(value))
    if lines:
        rest = len(lines) - MAX_PROBLEMS
        raise StudyError(path, lines[:MAX_PROBLEMS] + ([f"and {rest} more problems"] if rest > 0 else []))
    assert isinstance(value, dict)  # noqa: S101  the schema said so
    return value


def told(document: Document, found: list[Problem]) -> list[str]:
    """Problems as sentences in the order of their lines, together with the fields that stand twice."""
    sentences = [_told(document, where, said) for where, said in found]
    for where, first, second in document.duplicates:
        sentences.append((second, f"line {second}: {dotted(where)}: duplicate key, first on line {first}"))
    return [sentence for _, sentence in sorted(sentences, key=lambda each: each[0])]


def _told(document: Document, where: Path, said: str) -> tuple[int, str]:
    line = document.line(where) or 1
    return line, f"line {line}: {dotted(where)}: {said}" if where else f"line {line}: {said}"
