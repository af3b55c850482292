"""Which files lie below a path, and which of them could be logs, checkpoints or cards."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from loaders.errors import DriftlineError

LOG_SUFFIXES = frozenset({".eval", ".json", ".jsonl", ".csv", ".parquet"})
PACKED = (".csv.gz", ".jsonl.gz")
"""Tables that are read as they are packed."""

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

SKIPPED_FOLDERS = frozenset({".git", ".venv", "node_modules", "__pycache__", ".ipynb_checkpoints"})
MAX_DEPTH = 40


@dataclass(frozen=True)
class Item:
    """A file that may be read, with what belongs to it.

    Attributes:
        path: Relative to the root, with forward slashes.
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
    """List what lies below a root, following no links to folders, without opening any file.

    Args:
        root: A folder, or one file.
        companions: Gives the files that are read together with a file.

    Raises:
        DriftlineError: There is no such path.
    """
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
    stack = [(root, 0)]
    while stack:
        folder, depth = stack.pop()
        files: list[tuple[str, int, int]] = []
        folders: list[os.DirEntry[str]] = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if entry.name not in SKIPPED_FOLDERS and depth < MAX_DEPTH:
                            folders.append(entry)
                    elif could_be_ours(entry.name):
                        found = _entry(entry)
                        if found:
                            files.append(found)
                    else:
                        listing.others += 1
        except OSError:
            listing.unreadable.append(os.path.relpath(folder, root).replace(os.sep, "/"))
        merged = {path.removesuffix(".eval") + SHARDS for path, _, _ in files if path.endswith(".eval")}
        stack += [(entry.path, depth + 1) for entry in folders if entry.path not in merged]
        yield files


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
    ending = os.path.splitext(name)[1].lower()  # noqa: PTH122 - hot loop
    return (ending in LOG_SUFFIXES and name not in SIDECARS) or (ending == ".gz" and name.lower().endswith(PACKED))


def _add(listing: Listing, files: list[tuple[str, int, int]], companions: Callable[[Path], list[Path]]) -> None:
    found = {path: (size, mtime) for path, size, mtime in files}
    owned: set[str] = set()
    groups: list[tuple[str, list[str]]] = []
    for path in found:
        extra = [str(p) for p in companions(Path(path)) if str(p) in found] if _may_have_companions(path) else []
        owned.update(extra)
        groups.append((path, extra))
    root = str(listing.root)
    for path, extra in groups:
        if path in owned:
            continue
        parts = [path, *sorted(extra)]
        relative = path[len(root) :].lstrip(os.sep).replace(os.sep, "/")
        listing.items[relative] = Item(
            relative, tuple(Path(p) for p in parts), sum(found[p][0] for p in parts), max(found[p][1] for p in parts)
        )


def _may_have_companions(path: str) -> bool:
    name = path.rpartition(os.sep)[2]
    return name == "results.jsonl" or (
        name.endswith(".json") and (name.startswith("results") or DATED.search(name) is not None)
    )
