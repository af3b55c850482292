"""Adding entries to a study file: everything else in it, comments and order included, stays as it was written.

Text is inserted behind the last entry of a list, and what came of it is read again: unless that says what it said
before and the new entries, nothing is written.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct

from loaders.errors import DriftlineError
from loaders.study import yaml_text
from loaders.study.reading import parse_study
from loaders.study.yaml_lines import YamlProblem, parse

Entries = Mapping[str, list[Any]]
"""New entries by field: `tables`, `logs`, `metrics`, `ignore`."""

_WRITING = threading.Lock()


class NotWritten(DriftlineError):
    """A study file that can't be changed; the message says why, and the text is there to be copied."""


class Edit(Struct, frozen=True, kw_only=True):
    """A change of a study file that is ready to be written."""

    path: Path
    before: bytes | None
    """What the file held when the change was made; None where there was none."""
    after: bytes
    added: str
    """What is new in it, as YAML, to be copied."""


def added_text(entries: Entries) -> str:
    """New entries as they would stand in a file of their own."""
    return "".join(yaml_text.field(name, some) for name, some in entries.items() if some)


def edit(path: Path, entries: Entries) -> Edit:
    """The change that adds entries to a study file, which need not be there yet.

    Raises:
        NotWritten: The file can't be read, or isn't written so that entries could be added.
        StudyError: The file, or what would come of it, breaks the schema.
    """
    path = path.resolve()
    before = _content(path)
    after = with_entries(before or b"", entries, path)
    return Edit(path=path, before=before, after=after, added=added_text(entries))


def with_entries(data: bytes, entries: Entries, path: Path | str = "study.yaml") -> bytes:
    """A study file's content with more entries.

    Raises:
        NotWritten, StudyError: As `edit`.
    """
    if data:
        parse_study(data, path)
    text = data.decode("utf-8")
    lines = "\r\n" if "\r\n" in text else "\n"
    old = parse(data).value if data else {}
    wanted = deepcopy(old)
    try:
        for name, some in entries.items():
            if some:
                wanted[name] = [*(wanted.get(name) or []), *some]
                text = _with(text, name, some, lines)
        after = text.encode("utf-8")
        sound = parse(after).value == wanted
    except (YamlProblem, yaml.YAMLError):
        sound = False
    if not sound:
        raise NotWritten(f"{path}: it is not written so that entries can be added to it. Copy the text into it.")
    parse_study(after, path)
    return after


def write(change: Edit) -> None:
    """Write a change: all of it or nothing.

    Raises:
        NotWritten: The file has changed since, or can't be written.
    """
    with _WRITING:
        if _content(change.path) != change.before:
            raise NotWritten(f"{change.path}: it has changed meanwhile. Look at the preview again, then write.")
        try:
            _replace(change.path, change.after)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise NotWritten(f"{change.path}: it can't be written ({why}). Copy the text into it.") from error


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NotWritten(f"{path}: it can't be read: {error.strerror or error}") from error


def _replace(path: Path, data: bytes) -> None:
    if path.exists() and not os.access(path, os.W_OK):
        # The folder would let it be replaced; whoever made the file read-only did not mean that.
        raise PermissionError(None, "the file is read-only")
    handle, name = tempfile.mkstemp(prefix=".study-", suffix=".tmp", dir=path.parent)
    new = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.chmod(path.stat().st_mode & 0o7777 if path.exists() else 0o666 & ~_umask())
        new.replace(path)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _with(text: str, name: str, entries: list[Any], lines: str) -> str:
    found = _field(text, name)
    if found is None:
        between = "" if not text.strip("\ufeff") or text.endswith("\n") else lines
        return text + between + yaml_text.field(name, entries).replace("\n", lines)
    key, value = found
    if isinstance(value, yaml.SequenceNode) and value.flow_style:
        told = ", ".join(map(yaml_text.flow, entries))
        at = value.value[-1].end_mark.index if value.value else value.start_mark.index + 1
        return f"{text[:at]}{', ' if value.value else ''}{told}{text[at:]}"
    if isinstance(value, yaml.SequenceNode) and value.value:
        indent, last = value.start_mark.column, _last_line(value)
    else:
        indent, last = key.start_mark.column + 2, key.end_mark.line
    new = "".join(yaml_text.item(entry, indent) for entry in entries).replace("\n", lines)
    parts = text.splitlines(keepends=True)
    if last < len(parts) and not parts[last].endswith(("\n", "\r")):
        parts[last] += lines
    return "".join([*parts[: last + 1], new, *parts[last + 1 :]])


def _field(text: str, name: str) -> tuple[yaml.Node, yaml.Node] | None:
    """The key and the value of a field, with their places."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    return next(((key, value) for key, value in pairs if key.value == name), None)


def _last_line(node: yaml.Node) -> int:
    """The line that a node ends on; a block's own end lies behind the comments that follow it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last_line(last[1] if isinstance(last, tuple) else last)
    end = node.end_mark
    return int(end.line - 1 if end.column == 0 and end.line > node.start_mark.line else end.line)
