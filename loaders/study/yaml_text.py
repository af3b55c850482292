"""Plain values as the YAML of a study file, as people write it; `yaml_lines` reads it back the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

WIDTH = 110
"""Columns up to which a mapping or list is kept in one line."""

_PLAIN = re.compile(r"[A-Za-z_](?:[\w./ -]*[\w./-])?", re.ASCII)
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off"})
"""Plain words that some reader of YAML takes for something else than a text."""
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}


def flow(value: Any) -> str:
    """A value in one line: `{column: step}`, `[a, b]`, `"007"`."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(str(key))}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(flow, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return _text(value) if isinstance(value, str) else repr(value)


def item(entry: Any, indent: int) -> str:
    """An entry of a list, with its dash: a line for each field, or one for an entry that is no mapping."""
    if not isinstance(entry, Mapping) or not entry:
        return f"{' ' * indent}- {flow(entry)}\n"
    lines = _lines(entry, indent + 2)
    return f"{' ' * indent}- {lines[0].lstrip()}\n" + "".join(f"{line}\n" for line in lines[1:])


def field(name: str, entries: list[Any]) -> str:
    """A field of a study file with its entries: `tables:` and what is in it."""
    return f"{name}:\n" + "".join(item(entry, 2) for entry in entries)


def _lines(mapping: Mapping[str, Any], indent: int) -> list[str]:
    lines = []
    for key, value in mapping.items():
        line = f"{' ' * indent}{_text(str(key))}: {flow(value)}"
        if len(line) > WIDTH and isinstance(value, Mapping) and value:
            lines += [f"{' ' * indent}{_text(str(key))}:", *_lines(value, indent + 2)]
        else:
            lines.append(line)
    return lines


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    if "\\" in text and "'" not in text and text.isprintable():
        return f"'{text}'"  # a regular expression, as it is
    return '"' + "".join(_ESCAPES.get(letter) or _printable(letter) for letter in text) + '"'


def _printable(letter: str) -> str:
    if letter.isprintable():
        return letter
    number = ord(letter)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
