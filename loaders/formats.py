"""Which loader reads which file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from loaders import packed, tabular, trainer
from loaders.audits import misalignment
from loaders.errors import RejectedFile
from loaders.inspect import log as inspect
from loaders.json_text import decode
from loaders.listing import Item, Listing, list_root
from loaders.packed import plain_name, read_plain, suffix_of
from loaders.recognized import TABLE, recognized
from loaders.records import LoadedFile
from loaders.registry import Format, Identity, registered
from loaders.table_mapping import TableMapping
from loaders.tabular import verifiers

LIST_FIRST = re.compile(rb"(?:\xef\xbb\xbf)?\s*\[")
"""How a JSON list begins: rows that a mapping may read, and never a log."""

READER = "8"
"""Part of every fingerprint: raised when a loader learns to read more, so that files are read again."""

SHA256 = re.compile(r"[0-9a-f]{64}")

HEAD_BYTES = 4096
SIGNS = ("eval", "results")
"""Objects that make a JSON file a log of Inspect's or results of lm-evaluation-harness."""
MOST_SHOWN = 80
MOST_LOOKED_INTO = 20_000_000
"""Bytes up to which a file of no known format is read to say what it is instead."""

READ_AS_TEXT = frozenset({".json", ".jsonl", ".csv", ".tsv", ".yaml"})
"""Of these no file of more than `packed.MAX_LINES_BYTES` is read."""
TABULAR = frozenset({".csv", ".tsv", ".jsonl", ".parquet"})
ELSE = f"{TABLE}, or leave it out with `ignore:` there"
"""What to do about a file that no loader reads."""
AGAIN = "copy it again from where it was written, or delete it"


def identity(format: str) -> Identity:
    """What makes a file the same one elsewhere (see `loaders.delta.Known`)."""
    return next((known.identity for known in registered().formats if known.name == format), "path")


class NotMapped(Exception):
    """A table that no entry of a study file claims: nothing is wrong with it."""


class UnknownFormat(RejectedFile):
    """A file that no format reads."""


def listed(root: Path, beside: Sequence[Path] = ()) -> Listing:
    """What lies below a root that a format may read, with what is read together.

    Args:
        beside: As of `list_root`.

    Raises:
        DriftlineError: As `list_root`.
    """
    plugged = registered().plugged
    asked = _plugged_companions if any(known.companions for known in plugged) else None
    endings = [one for known in plugged for one in known.endings]
    return list_root(root, companions, group=group, endings=endings, plugged=asked, beside=beside)


def companions(path: Path) -> list[Path]:
    """The files that are read together with a file: samples of lm-eval's results, judgments of Bloom's rollouts."""
    own = (known.companions(path) for known in registered().own if known.companions)
    return next(filter(None, own), []) or verifiers.companion(path)


def group(path: str, size: int, mtime_ns: int) -> str | None:
    """What a file is read together with (see `Format.group`)."""
    for known in registered().own:
        if known.group and (key := known.group(path, size, mtime_ns)) is not None:
            return f"{known.name}: {key}"
    return None


def _plugged_companions(path: Path) -> list[Path]:
    """The companions of a file that another package's format reads; a log of Driftline's own formats is never one."""
    for known in registered().plugged:
        try:
            found = known.companions(path) if known.companions else []
            if found and _matching(path, read_plain(path, HEAD_BYTES), []) is known:
                own = registered().own
                heads = {one: read_plain(one, HEAD_BYTES) for one in found if one != path and one.is_file()}
                return [one for one, head in heads.items() if not any(each.matches(one, head) for each in own)]
        except (OSError, RejectedFile):  # reading the file says so
            continue
    return []


def fingerprint(item: Item, mapping: TableMapping | None, format: str) -> str:
    """How an item would be read now that was read as `format`; a file is read again when this changes.

    A table's rows depend on its mapping, and through the mapping on its path.

    Args:
        item: The file.
        mapping: The entry that claims it.
        format: What it was read as; its ending where it was rejected or left.
    """
    also = registered().fingerprint(format)
    if mapping is None:
        return (f"{READER}:unmapped" if is_table(item.path) else READER) + also
    key = msgspec.json.encode([mapping, item.path], order="sorted")
    return f"{READER}:{hashlib.sha256(key).hexdigest()[:16]}{also}"


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
        # Weights say what they are by their name, and may be anything within: they are never opened.
        head = b"" if trainer.is_weights(path.name, path.parent.name) else read_plain(path, HEAD_BYTES)
        return _read(item, head, mapping, mapped_path or item.path)
    except OSError as error:
        raise RejectedFile(path, f"can't be read: {error.strerror or error}") from error


def _read(item: Item, head: bytes, mapping: TableMapping | None, mapped_path: str) -> LoadedFile:
    path = item.parts[0]
    if mapping is not None and (is_table(item.path) or LIST_FIRST.match(head)):
        return tabular.load(path, mapped_path, mapping, item.parts[1:])
    faults: list[str] = []
    known = _matching(path, head, faults)
    if known is None:
        try:
            known = _of_document(path, head, faults)
        except (NotMapped, RejectedFile) as error:
            if faults:
                raise RejectedFile(path, "; ".join(faults)) from error
            if isinstance(error, UnknownFormat) and registered().unloadable:
                missing = "; ".join(map(str, registered().unloadable))
                raise RejectedFile(path, f"{error.reason}. It may be of a format that is missing: {missing}") from error
            raise
    loaded = known.read_all(item.parts) if known.read_all else known.read(path)
    loaded.notes += faults
    return loaded


def _matching(path: Path, head: bytes, faults: list[str]) -> Format | None:
    """The first format that a file is of by its beginning; what others did wrong is added to `faults`."""
    for known in registered().own:
        if known.matches(path, head):
            return known
    for known in registered().plugged:
        try:
            if known.matches(path, head):
                return known
        except RejectedFile as error:
            faults.append(error.reason)
    return None


def _of_document(path: Path, head: bytes, faults: list[str]) -> Format:
    """The format of a file that begins unlike one.

    Raises:
        RejectedFile: It is of none.
        NotMapped: It is a table.
    """
    if suffix_of(path.name) in TABULAR:
        raise NotMapped
    document = _document(path, head)
    for known in registered().formats:
        try:
            if known.is_document and known.is_document(document):
                return known
        except RejectedFile as error:
            faults.append(error.reason)
    if said := recognized(plain_name(path.name), document):
        raise RejectedFile(path, said)
    if isinstance(document, list) and document and all(isinstance(row, dict) for row in document):
        raise NotMapped
    raise UnknownFormat(path, f"unknown format: {_impression(document)}: {ELSE}")


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
        raise UnknownFormat(
            path, f"unknown format: {path.suffix or 'a name without an ending'}, which no loader reads: {ELSE}"
        )
    if path.stat().st_size > MOST_LOOKED_INTO:
        raise UnknownFormat(
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
    """SHA-256 of a file's bytes; of its parts' hashes where companions belong to it. Of weights, and of
    what is refused for its size, of size and time.

    Where folders say what a file leaves unsaid, their names count too.

    Raises:
        OSError: A part can't be read.
    """
    digests = []
    if trainer.is_weights(item.parts[0].name, item.parts[0].parent.name):
        return hashlib.sha256(f"{item.size} {item.mtime_ns}".encode()).hexdigest()
    for part in item.parts:
        if suffix_of(part.name) in READ_AS_TEXT and part.stat().st_size > packed.MAX_LINES_BYTES:
            digests.append(hashlib.sha256(f"{item.size} {item.mtime_ns}".encode()).hexdigest())
            continue
        with part.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest() + misalignment.place_of(part))
    return (
        digests[0]
        if len(digests) == 1 and SHA256.fullmatch(digests[0])
        else hashlib.sha256(" ".join(digests).encode()).hexdigest()
    )
