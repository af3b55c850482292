"""Which files lie below a path, and which of them could be logs, checkpoints or cards."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from loaders.errors import DriftlineError
from loaders.lm_eval.names import NAMED_BY_ARGUMENTS
from loaders.packed import ENDING, is_packed, plain_name, suffix_of

LOG_SUFFIXES = frozenset({".eval", ".json", ".jsonl", ".csv", ".tsv", ".parquet"})
PACKED = frozenset({".csv", ".tsv", ".jsonl", ".json"})
"""Of these, what is read where it is packed, too (`.csv.gz`)."""

RUN_CARD, STUDY_FILE = "run.yaml", "study.yaml"
CARD_NAMES = frozenset({RUN_CARD, STUDY_FILE})
"""Files that say something of runs; any other YAML is none of our business."""

SIDECARS = frozenset({
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "vocab.json", "merges.txt", "preprocessor_config.json", "processor_config.json",
    "chat_template.json", "model.safetensors.index.json", "pytorch_model.bin.index.json", "package.json",
    "package-lock.json", "logs.json", "listing.json", "eval-set.json", ".eval-set-id",
})  # fmt: skip
"""JSON that stands beside checkpoints and logs and holds neither: never listed."""

DATED = re.compile(r"\d{4}-\d\d-\d\dT")
"""In the name of an lm-eval results file that is not called results*.json."""

SHARDS = ".shards"
"""`NAME.shards/` holds the parts of the Inspect log `NAME.eval`; beside it they would count twice."""

SKIPPED_FOLDERS = frozenset({".git", ".venv", "node_modules", "__pycache__", ".ipynb_checkpoints", ".buffer"})
"""Among them Inspect's `.buffer`: what belongs to logs that are being written."""

FORK = "._"
"""So begin the names of what macOS leaves beside files on foreign drives, and that holds none of their content."""
MAX_DEPTH = 40


@dataclass(frozen=True)
class Item:
    """A file that may be read, with what belongs to it.

    Attributes:
        path: Relative to the root, with forward slashes, `printable`.
        parts: The file itself, then its companions (an lm-eval results file has its samples files); absolute.
        size: Bytes, of all parts.
        mtime_ns: The newest change of any part, in nanoseconds.
    """

    path: str
    parts: tuple[Path, ...]
    size: int
    mtime_ns: int


@dataclass
class Listing:
    """All items below a root, by relative path.

    Attributes:
        unreadable: Folders (relative) that could not be listed; what was known in them is not gone.
        others: How many files there were that could be nothing of ours.
    """

    root: Path
    items: dict[str, Item] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    others: int = 0


def list_root(root: Path, companions: Callable[[Path], list[Path]]) -> Listing:
    """List what lies below a root, without opening any file.

    Symbolic links to folders are entered after all else, each folder once: one that was listed already, or that holds
    the root, is passed over.

    Args:
        root: A folder, or one file.
        companions: Gives the files that are read together with a file.

    Raises:
        DriftlineError: There is no such path, or its name is not UTF-8.
    """
    if not is_printable(root):
        raise DriftlineError(f"{printable(str(root))}: the path is not UTF-8, and can't be stored: rename it.")
    if root.is_file():
        listing = Listing(root.parent)
        _add(listing, [_stat(root)], companions)
        return listing
    if not root.is_dir():
        raise DriftlineError(f"{root}: no such file or folder.")
    listing = Listing(root)
    for folder in _walk(str(root), listing):
        _add(listing, folder, companions)
    return listing


def _stat(path: Path) -> tuple[str, int, int]:
    stat = path.stat()
    return str(path), stat.st_size, stat.st_mtime_ns


def _walk(root: str, listing: Listing) -> Iterator[list[tuple[str, int, int]]]:
    """The files of each folder. Links wait until no folder is left, so that a folder is listed by its own path."""
    stack = [(root, 0)]
    links: list[tuple[str, int]] = []
    # A link back to the root, or to a folder around it, is a loop.
    seen = {key for around in Path(root).parents if (key := _identity(str(around)))}
    while stack or links:
        if not stack:
            links.sort(reverse=True)
            stack.append(links.pop())
        folder, depth = stack.pop()
        key = _identity(folder)
        if key in seen:
            continue
        if key:
            seen.add(key)
        files: list[tuple[str, int, int]] = []
        folders: list[os.DirEntry[str]] = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if _is_folder(entry):
                        if entry.name in SKIPPED_FOLDERS or depth >= MAX_DEPTH:
                            continue
                        if entry.is_symlink():
                            links.append((entry.path, depth + 1))
                        else:
                            folders.append(entry)
                    elif could_be_ours(entry.name):
                        found = _entry(entry)
                        if found:
                            files.append(found)
                    else:
                        listing.others += 1
        except OSError:
            listing.unreadable.append(printable(os.path.relpath(folder, root).replace(os.sep, "/")))
        merged = {path.removesuffix(".eval") + SHARDS for path, _, _ in files if path.endswith(".eval")}
        stack += [(entry.path, depth + 1) for entry in folders if entry.path not in merged]
        yield files


def _identity(folder: str) -> tuple[int, int] | None:
    """What makes a folder the same one by whatever path; None where it is gone or can't be looked at."""
    try:
        stat = os.stat(folder)  # noqa: PTH116 - hot loop
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder or a link to one."""
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, or into what may not be looked at
        return False


def _entry(entry: os.DirEntry[str]) -> tuple[str, int, int] | None:
    try:
        stat = entry.stat()
    except OSError:  # a dangling link, or gone since it was listed
        return None
    return (entry.path, stat.st_size, stat.st_mtime_ns) if entry.is_file() else None


def could_be_ours(name: str) -> bool:
    """Whether a file of that name is read at all."""
    if name in CARD_NAMES:
        return True
    if name.startswith(FORK):
        return False
    ending = os.path.splitext(name)[1].lower()  # noqa: PTH122 - hot loop
    if ending == ENDING:
        return suffix_of(name) in PACKED and plain_name(name) not in SIDECARS
    return ending in LOG_SUFFIXES and name not in SIDECARS


def _add(listing: Listing, files: list[tuple[str, int, int]], companions: Callable[[Path], list[Path]]) -> None:
    found = {path: (size, mtime) for path, size, mtime in files}
    owned: set[str] = set()
    groups: list[tuple[str, list[str]]] = []
    # The first samples files of lm-eval were called by the model's arguments, beside results of any name.
    any_json = any(NAMED_BY_ARGUMENTS.match(path.rpartition(os.sep)[2]) for path in found)
    for path in found:
        asked = _may_have_companions(path, any_json)
        extra = [str(p) for p in _beside(path, companions) if str(p) in found] if asked else []
        owned.update(extra)
        groups.append((path, extra))
    root = str(listing.root)
    for path, extra in groups:
        if path in owned or (is_packed(path) and plain_name(path) in found):  # the same, packed
            continue
        parts = [path, *sorted(extra)]
        relative = printable(path[len(root) :].lstrip(os.sep).replace(os.sep, "/"))
        while relative in listing.items:  # another file is really called so
            relative += "\\"
        listing.items[relative] = Item(
            relative, tuple(Path(p) for p in parts), sum(found[p][0] for p in parts), max(found[p][1] for p in parts)
        )


def printable(name: str) -> str:
    """A name with what is no UTF-8 in it written as `\\xff`: such names can't be stored or shown."""
    return name if name.isascii() else os.fsencode(name).decode("utf-8", "backslashreplace")


def is_printable(path: Path) -> bool:
    """Whether a path can be stored and shown as it is."""
    return str(path) == printable(str(path))


def _beside(path: str, companions: Callable[[Path], list[Path]]) -> list[Path]:
    try:
        return companions(Path(path))
    except OSError:  # its folder is gone since it was listed
        return []


def _may_have_companions(path: str, any_json: bool) -> bool:
    name = plain_name(path.rpartition(os.sep)[2])
    return name == "results.jsonl" or (
        name.endswith(".json") and (any_json or name.startswith("results") or DATED.search(name) is not None)
    )
