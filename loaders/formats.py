"""Which loader reads which file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from loaders import lighteval, lm_eval, tabular, trainer
from loaders.errors import RejectedFile
from loaders.inspect import log as inspect
from loaders.json_text import decode
from loaders.listing import Item
from loaders.packed import plain_name, read_plain, suffix_of
from loaders.recognized import TABLE, recognized
from loaders.records import LoadedFile
from loaders.table_mapping import TableMapping
from loaders.tabular import verifiers

LIST_FIRST = re.compile(rb"(?:\xef\xbb\xbf)?\s*\[")
"""How a JSON list begins: rows that a mapping may read, and never a log."""

READER = "4"
"""Part of every fingerprint: raised when a loader learns to read more, so that files are read again."""

HEAD_BYTES = 4096
SIGNS = ("eval", "results")
"""Objects that make a JSON file a log of Inspect's or results of lm-evaluation-harness."""
MOST_SHOWN = 80
MOST_LOOKED_INTO = 20_000_000
"""Bytes up to which a file of no known format is read to say what it is instead."""

TABULAR = frozenset({".csv", ".tsv", ".jsonl", ".parquet"})
Identity = Literal["content", "name", "path"]


def _none(_: Any) -> list[Path]:
    return []


@dataclass(frozen=True)
class Format:
    """A format that is known by its files alone; tables are known by the study file that maps them.

    Attributes:
        name: As its records have it.
        sniff: Whether `load` is the one to read a file, by its path and its first bytes.
        load: Reads one file.
        identity: What makes a file of it the same one elsewhere.
        companions: The files that are read together with a file.
        is_document: Whether a JSON document is of it, for files that begin unlike one.
    """

    name: str
    sniff: Callable[[Path, bytes], bool]
    load: Callable[[Path], LoadedFile]
    identity: Identity = "path"
    companions: Callable[[Path], list[Path]] = _none
    is_document: Callable[[Any], bool] = lambda _: False


FORMATS = (
    Format("inspect", inspect.sniff, inspect.load, identity="content", is_document=inspect.is_log),
    Format(lighteval.FORMAT, lighteval.sniff, lighteval.load, identity="name"),
    Format(lm_eval.FORMAT, lm_eval.sniff, lm_eval.load, identity="name", companions=lm_eval.companions),
    Format(trainer.FORMAT, trainer.sniff, trainer.load),
)
"""In the order in which they are tried: one more format is one more entry."""

ELSE = f"{TABLE}, or leave it out with `ignore:` there"
"""What to do about a file that no loader reads."""
AGAIN = "copy it again from where it was written, or delete it"


def identity(format: str) -> Identity:
    """What makes a file the same one elsewhere (see `loaders.delta.Known`)."""
    return next((known.identity for known in FORMATS if known.name == format), "path")


class NotMapped(Exception):
    """A table that no entry of a study file claims: nothing is wrong with it."""


def companions(path: Path) -> list[Path]:
    """The files that are read together with a file: samples of lm-eval's results, the metadata of rollouts."""
    return next(filter(None, (known.companions(path) for known in FORMATS)), []) or verifiers.companion(path)


def fingerprint(item: Item, mapping: TableMapping | None) -> str:
    """How an item would be read now; a file is read again when this changes.

    A table's rows depend on its mapping, and through the mapping on its path.
    """
    if mapping is None:
        return f"{READER}:unmapped" if is_table(item.path) else READER
    key = msgspec.json.encode([mapping, item.path], order="sorted")
    return f"{READER}:{hashlib.sha256(key).hexdigest()[:16]}"


def is_table(path: str) -> bool:
    """Whether a file can only be read with a mapping (lm-eval's own samples files aside)."""
    name = path.rpartition("/")[2]
    return suffix_of(name) in TABULAR and not name.startswith("samples_")


def may_be_table(path: str) -> bool:
    """Whether a mapping may read a file: a table, or JSON, which can be a list of rows."""
    return is_table(path) or suffix_of(path) == ".json"


def read(item: Item, mapping: TableMapping | None, mapped_path: str | None = None) -> LoadedFile:
    """Read one file with the loader that knows its format.

    Args:
        mapped_path: The item's path as the mapping sees it, relative to the study file's folder.

    Raises:
        RejectedFile: It is broken, or of no known format.
        NotMapped: It is a table that no study file maps.
    """
    path = item.parts[0]
    try:
        head = read_plain(path, HEAD_BYTES)
        return _read(item, head, mapping, mapped_path or item.path)
    except OSError as error:
        raise RejectedFile(path, f"can't be read: {error.strerror or error}") from error


def _read(item: Item, head: bytes, mapping: TableMapping | None, mapped_path: str) -> LoadedFile:
    path = item.parts[0]
    if mapping is not None and (is_table(item.path) or LIST_FIRST.match(head)):
        return tabular.load(path, mapped_path, mapping, item.parts[1:])
    for known in FORMATS:
        if known.sniff(path, head):
            return known.load(path)
    if suffix_of(path.name) in TABULAR:
        raise NotMapped
    document = _document(path, head)
    for known in FORMATS:
        if known.is_document(document):
            return known.load(path)
    if said := recognized(plain_name(path.name), document):
        raise RejectedFile(path, said)
    if isinstance(document, list) and document and all(isinstance(row, dict) for row in document):
        raise NotMapped
    raise RejectedFile(path, f"unknown format: {_impression(document)}: {ELSE}")


def _document(path: Path, head: bytes) -> Any:
    """The document in a file that doesn't begin like one of a known format.

    Raises:
        RejectedFile: It holds none that can be looked into.
    """
    if not head.strip():
        raise RejectedFile(path, f"is empty: {AGAIN}")
    if inspect.is_lfs_pointer(head):
        raise RejectedFile(path, inspect.lfs_reason(head))
    if suffix_of(path.name) != ".json":
        raise RejectedFile(
            path, f"unknown format: {path.suffix or 'a name without an ending'}, which no loader reads: {ELSE}"
        )
    if path.stat().st_size > MOST_LOOKED_INTO:
        raise RejectedFile(
            path, f"unknown format: JSON of {path.stat().st_size:,} bytes that does not begin like a log: {ELSE}"
        )
    try:
        return decode(read_plain(path))
    except ValueError as error:
        raise RejectedFile(path, f"is not valid JSON ({error}): {AGAIN}") from error


def _impression(document: Any) -> str:
    """What a JSON document is, and what keeps it from being a log: `a JSON object with 'a', whose 'b' is a list`."""
    if not isinstance(document, dict):
        return f"a JSON {_kind(document)}, where a log is an object"
    keys = ", ".join(repr(key[:MOST_SHOWN]) for key in list(document)[:6]) or "no keys"
    keys += ", ..." if len(document) > 6 else ""
    odd = [f"{sign!r} is a {_kind(document[sign])}" for sign in SIGNS if not isinstance(document.get(sign, {}), dict)]
    if odd:
        return f"a JSON object with {keys}, whose {' and '.join(odd)}, where a log has an object"
    if not any(sign in document for sign in SIGNS):
        return f"a JSON object with {keys}, and without an 'eval' or 'results'"
    return f"a JSON object with {keys}, whose {' and '.join(repr(s) for s in SIGNS if s in document)} is no log's"


def _kind(value: Any) -> str:
    """What JSON calls a value's type."""
    return {str: "text", list: "list", bool: "boolean", int: "number", float: "number", type(None): "null"}.get(
        type(value), "object"
    )


def hash_item(item: Item) -> str:
    """SHA-256 of a file's bytes; of its parts' hashes where companions belong to it.

    Raises:
        OSError: A part can't be read.
    """
    digests = []
    for part in item.parts:
        with part.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    return digests[0] if len(digests) == 1 else hashlib.sha256(" ".join(digests).encode()).hexdigest()
