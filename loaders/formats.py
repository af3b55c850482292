"""Which loader reads which file."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Literal

import msgspec

from loaders import inspect, lm_eval, tabular, trainer
from loaders.errors import RejectedFile
from loaders.inspect.log import is_lfs_pointer, lfs_reason
from loaders.listing import Item
from loaders.records import LoadedFile
from loaders.table_mapping import TableMapping
from loaders.tabular import verifiers

LIST_FIRST = re.compile(rb"(?:\xef\xbb\xbf)?\s*\[")
"""How a JSON list begins: rows that a mapping may read, and never a log."""

READER = "1"
"""Part of every fingerprint: raised when a loader learns to read more, so that files are read again."""

HEAD_BYTES = 4096
MOST_LOOKED_INTO = 20_000_000
"""Bytes up to which a file of no known format is read to say what it is instead."""

TABULAR = frozenset({".csv", ".jsonl", ".parquet"})
IDENTITY: dict[str, Literal["content", "name"]] = {"inspect": "content", lm_eval.FORMAT: "name"}
"""What makes a file of a format the same one elsewhere; of the others, the path does."""

KNOWN = (
    "an Inspect log (.eval or .json), lm-evaluation-harness results (results*.json, samples_*.jsonl),"
    " trainer_state.json, adapter_config.json, inspect_rl's manifest.json, training_config.json, run.yaml, study.yaml,"
    " or a table (.csv, .jsonl, .parquet, .csv.gz, .jsonl.gz, a .json list of rows) that study.yaml maps"
)


def identity(format: str) -> Literal["content", "name", "path"]:
    """What makes a file the same one elsewhere (see `loaders.delta.Known`)."""
    return IDENTITY.get(format, "path")


class NotMapped(Exception):
    """A table that no entry of a study file claims: nothing is wrong with it."""


def companions(path: Path) -> list[Path]:
    """The files that are read together with a file: samples of lm-eval's results, the metadata of rollouts."""
    return lm_eval.companions(path) or verifiers.companion(path)


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
    return tabular.suffix_of(name) in TABULAR and not name.startswith("samples_")


def may_be_table(path: str) -> bool:
    """Whether a mapping may read a file: a table, or JSON, which can be a list of rows."""
    return is_table(path) or path.lower().endswith(".json")


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
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        return _read(item, head, mapping, mapped_path or item.path)
    except OSError as error:
        raise RejectedFile(path, f"can't be read: {error.strerror or error}") from error


def _read(item: Item, head: bytes, mapping: TableMapping | None, mapped_path: str) -> LoadedFile:
    path = item.parts[0]
    if mapping is not None and (is_table(item.path) or LIST_FIRST.match(head)):
        return tabular.load(path, mapped_path, mapping, item.parts[1:])
    if inspect.sniff(path, head):
        return inspect.load(path)
    if lm_eval.sniff(path, head):
        return lm_eval.load(path)
    if trainer.sniff(path, head):
        return trainer.load(path)
    if tabular.suffix_of(path.name) in TABULAR:
        raise NotMapped
    raise RejectedFile(path, f"unknown format: {_impression(path, head)}. Driftline reads {KNOWN}.")


def _impression(path: Path, head: bytes) -> str:
    if not head.strip():
        return "the file is empty"
    if is_lfs_pointer(head):
        return lfs_reason(head)
    if path.suffix.lower() != ".json":
        return f"not an {path.suffix} that any loader knows"
    if path.stat().st_size > MOST_LOOKED_INTO:
        return f"JSON of {path.stat().st_size:,} bytes that does not begin like a log"
    try:
        document = msgspec.json.decode(path.read_bytes())
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return f"not valid JSON ({error})"
    except RecursionError:
        return "JSON nested too deeply"
    if isinstance(document, dict):
        keys = ", ".join(repr(key) for key in list(document)[:6]) or "no keys"
        return f"a JSON object with {keys}{', ...' if len(document) > 6 else ''}, and without an 'eval' or 'results'"
    return f"a JSON {type(document).__name__}, where a log is an object"


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
