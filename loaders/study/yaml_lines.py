"""YAML into plain Python values, each with the line it stands on.

Built from PyYAML's events rather than its constructor, because the files are written by hand and errors must name
lines, and because its YAML 1.1 reads `no` as False, 0400 as 256, 1e6 as text and 2024-01-01 as a date. Here plain
scalars are read as YAML 1.2's core schema says (true and false, decimal numbers, null), and all else is text.

A file can be hostile: size, depth and number of nodes are capped, aliases count as often as they are used, tags are
refused, so nothing is ever constructed but dict, list, str, int, float, bool and None.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import yaml
from msgspec import Struct, field

from loaders.json_text import UNCLEAN
from loaders.study.conditions import Path

MAX_BYTES = 1_000_000
MAX_DEPTH = 30
MAX_NODES = 50_000
"""Nodes of a document, with every alias replaced by what it stands for."""

_INT = re.compile(r"[-+]?[0-9][0-9_]*")
_FLOAT = re.compile(r"[-+]?([0-9][0-9_]*(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_LONGEST_NUMBER = 40
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class YamlProblem(Exception):
    """The text is not YAML that is read here; nothing more can be said about its content."""

    def __init__(self, line: int | None, text: str) -> None:
        self.line = line
        self.text = text
        super().__init__(text)


class Document(Struct):
    """A YAML document as plain values, and where each value stands."""

    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    """Line of each key and item, counted from 1."""
    texts: dict[Path, str] = field(default_factory=dict)
    """Plain scalars that were read as number, boolean or null, as they were written."""
    aliases: dict[Path, Path] = field(default_factory=dict)
    duplicates: list[tuple[Path, int, int]] = field(default_factory=list)
    """Keys given twice in one mapping: path, first line, second line. The first value stays."""

    def line(self, path: Path) -> int | None:
        """The line of a value, or of the nearest value around it."""
        path = self._written(path)
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)

    def text(self, path: Path) -> str | None:
        """A number, boolean or null as it was written."""
        return self.texts.get(self._written(path))

    def _written(self, path: Path) -> Path:
        """Where a value that is reached through aliases was written."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.aliases:
                return self._written((*self.aliases[path[:length]], *path[length:]))
        return path


def parse(data: bytes) -> Document:
    """A YAML document as plain values with lines. An empty document is an empty mapping.

    Raises:
        YamlProblem: Not UTF-8, not YAML, too large or too deep, more than one document, a tag, an alias of itself.
    """
    if len(data) > MAX_BYTES:
        raise YamlProblem(None, f"{len(data):,} bytes, and at most {MAX_BYTES:,} are read")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = data[: e.start].count(b"\n") + 1
        raise YamlProblem(line, f"not UTF-8 text: {e.reason}") from e
    try:
        return _Builder(yaml.parse(text, Loader=yaml.SafeLoader)).document()
    except yaml.reader.ReaderError as e:
        line = text[: e.position].count("\n") + 1
        raise YamlProblem(line, f"character U+{ord(text[e.position]):04X} is not allowed in YAML") from e
    except yaml.MarkedYAMLError as e:
        mark = e.problem_mark or e.context_mark
        said = " ".join(part for part in (e.context, e.problem) if part)
        raise YamlProblem(mark.line + 1 if mark else None, f"not YAML: {said}") from e


class _Builder:
    """Builds values from a stream of events; recursion is bounded by MAX_DEPTH."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self.events = events
        self.result = Document()
        self.anchors: dict[str, tuple[Any, Path, int] | None] = {}
        self.nodes = 0

    def document(self) -> Document:
        next(self.events)  # StreamStart
        event = next(self.events)
        if isinstance(event, yaml.StreamEndEvent):
            self.result.value = {}
            return self.result
        self.result.value = self.node(next(self.events), ())
        next(self.events)  # DocumentEnd
        event = next(self.events)
        if not isinstance(event, yaml.StreamEndEvent):
            raise YamlProblem(_line(event), "a second document (`---`), and a file is one document")
        if self.result.value is None:
            self.result.value = {}
        return self.result

    def count(self, nodes: int, event: yaml.Event) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            raise YamlProblem(_line(event), f"more than {MAX_NODES:,} values, aliases counted as often as used")

    def node(self, event: yaml.Event, path: Path) -> Any:
        if len(path) > MAX_DEPTH:
            raise YamlProblem(_line(event), f"nested deeper than {MAX_DEPTH} levels")
        self.result.lines.setdefault(path, _line(event))
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, path)
        assert isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent))  # noqa: S101  as PyYAML's grammar has it
        if event.tag not in (None, "!", "tag:yaml.org,2002:str"):
            raise YamlProblem(_line(event), f"tag `{event.tag}`, and no tags are read")
        before = self.nodes
        self.count(1, event)
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        value: Any
        if isinstance(event, yaml.ScalarEvent):
            value = self.scalar(event, path)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self.sequence(path)
        else:
            value = self.mapping(path)
        if event.anchor is not None:
            self.anchors[event.anchor] = (value, path, self.nodes - before)
        return value

    def alias(self, event: yaml.AliasEvent, path: Path) -> Any:
        if event.anchor not in self.anchors:
            raise YamlProblem(_line(event), f"alias `*{event.anchor}` of nothing that is defined above it")
        anchored = self.anchors[event.anchor]
        if anchored is None:
            raise YamlProblem(_line(event), f"alias `*{event.anchor}` inside of what it stands for")
        value, origin, nodes = anchored
        self.count(nodes, event)
        self.result.aliases[path] = origin
        return value

    def scalar(self, event: yaml.ScalarEvent, path: Path) -> str | int | float | bool | None:
        _check_text(event)
        if event.style is not None or event.tag is not None:
            return str(event.value)
        value = _plain(event.value)
        if not isinstance(value, str):
            self.result.texts[path] = event.value
        return value

    def sequence(self, path: Path) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self.node(event, (*path, len(items))))
        return items

    def mapping(self, path: Path) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise YamlProblem(_line(event), "a key that is not a plain text")
            _check_text(event)
            here = (*path, str(event.value))
            if event.value in values:
                self.result.duplicates.append((here, self.result.lines[here], _line(event)))
                self.node(next(self.events), (*path, f"{event.value} (again)"))
                continue
            self.result.lines[here] = _line(event)
            values[event.value] = self.node(next(self.events), here)
        return values


def _check_text(event: yaml.ScalarEvent) -> None:
    """Refuse what only an escape in quotation marks can write, and no store can hold."""
    odd = UNCLEAN.search(event.value)
    if odd:
        raise YamlProblem(_line(event), f"character U+{ord(odd[0]):04X}, which is no text")


def _plain(text: str) -> str | int | float | bool | None:
    """A plain scalar by YAML 1.2's core schema, in decimal only; `_` may group digits."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > _LONGEST_NUMBER:
        return text
    if _INT.fullmatch(text):
        return int(text.replace("_", ""))
    if _FLOAT.fullmatch(text) and math.isfinite(number := float(text.replace("_", ""))):
        return number
    return text


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1
