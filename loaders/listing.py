"""Which files lie below a path, and which of them could be logs, checkpoints or cards."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from loaders.audits.bloom import OWNERS
from loaders.audits.misalignment import RESPONSE
from loaders.audits.scout import is_result
from loaders.errors import DriftlineError
from loaders.every_eval_ever.names import SAMPLES, samples_names
from loaders.helm.names import RUN_SPEC
from loaders.lm_eval.names import NAMED_BY_ARGUMENTS
from loaders.packed import ENDING, is_packed, plain_name, suffix_of
from loaders.trainer import is_weights

LOG_SUFFIXES = frozenset({".eval", ".json", ".jsonl", ".csv", ".tsv", ".parquet"})
PACKED = frozenset({".csv", ".tsv", ".jsonl", ".json"})
"""Of these, what is read where it is packed, too (`.csv.gz`)."""

EVENTS = ".tfevents."
"""In the name of an event file of TensorBoard, whose ending says nothing."""

RUN_CARD, STUDY_FILE = "run.yaml", "study.yaml"
CARD_NAMES = frozenset({RUN_CARD, STUDY_FILE})
"""Files that say something of runs; any other YAML is none of our business."""

SIDECARS = frozenset({
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "vocab.json", "merges.txt", "preprocessor_config.json", "processor_config.json",
    "chat_template.json", "model.safetensors.index.json", "pytorch_model.bin.index.json", "package.json",
    "package-lock.json", "logs.json", "listing.json", "eval-set.json", ".eval-set-id", "wandb-metadata.json",
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
        notes: Of links that were not entered and folders that could not be listed, for people.
    """

    root: Path
    items: dict[str, Item] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    others: int = 0
    notes: list[str] = field(default_factory=list)


Companions = Callable[[Path], list[Path]]
"""Gives the files that are read together with a file."""
Group = Callable[[str, int, int], str | None]
"""What a file of many like it is read together with, by its path, size and time of change."""


def _alone(_path: str, _size: int, _mtime_ns: int) -> str | None:
    return None


def list_root(
    root: Path,
    companions: Companions,
    *,
    group: Group = _alone,
    endings: Sequence[str] = (),
    plugged: Companions | None = None,
    beside: Sequence[Path] = (),
) -> Listing:
    """List what lies below a root, without opening files of other names than those that may belong together.

    Symbolic links to folders are entered after all else, each folder once: one that was listed already, or that holds
    the root, is passed over.

    Args:
        root: A folder, or one file, which brings those that it is read together with.
        companions: Of Driftline's own formats: asked of files whose names say that they may have some.
        group: Of files with equal answers, the first by path stands for all.
        endings: Of files that are listed besides those that Driftline's own formats read, in lower case.
        plugged: Companions by formats of other packages, asked of all other files.
        beside: Folders that are listed by themselves: a link into one of them is not entered.

    Raises:
        DriftlineError: There is no such path, or its name is not UTF-8.
    """
    if not is_printable(root):
        raise DriftlineError(f"{printable(str(root))}: the path is not UTF-8, and can't be stored: rename it.")
    if root.is_file():
        listing = Listing(root.parent)
        files = [_stat(path) for path in dict.fromkeys([root, *_beside(str(root), companions), *_alike(root, group)])]
        _add(listing, [files], companions, group, plugged)
        return listing
    if not root.is_dir():
        raise DriftlineError(f"{root}: no such file or folder.")
    listing = Listing(root)
    _add(listing, _walk(str(root), listing, tuple(endings), beside), companions, group, plugged)
    return listing


def _stat(path: Path) -> tuple[str, int, int]:
    stat = path.stat()
    return str(path), stat.st_size, stat.st_mtime_ns


def _alike(root: Path, group: Group) -> list[Path]:
    """The files in its folder that a file is read together with: without them it would be another log."""
    key = group(*_stat(root))
    if key is None:
        return []
    try:
        return [path for path in root.parent.iterdir() if path.is_file() and group(*_stat(path)) == key]
    except OSError:
        return []


def _walk(
    root: str, listing: Listing, endings: tuple[str, ...], beside: Sequence[Path]
) -> Iterator[list[tuple[str, int, int]]]:
    """The files of each folder. Links wait until no folder is left, so that a folder is listed by its own path."""
    stack = [(root, 0)]
    links: list[tuple[str, int]] = []
    # A link back to the root, or to a folder around it, is a loop.
    seen = {key for around in Path(root).parents if (key := _identity(str(around)))}
    while stack or links:
        if not stack:
            links.sort(reverse=True)
            link = links.pop()
            if owner := _owner(link[0], beside):
                listing.notes.append(f"{printable(link[0])} leads into {owner}, and is read there")
                continue
            stack.append(link)
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
                    elif could_be_ours(entry.name, endings) or is_weights(entry.name, os.path.basename(folder)):  # noqa: PTH119 - hot loop
                        found = _entry(entry)
                        if found:
                            files.append(found)
                    else:
                        listing.others += 1
        except OSError as error:
            shut = printable(os.path.relpath(folder, root).replace(os.sep, "/"))
            listing.unreadable.append(shut)
            listing.notes.append(f"{shut}: this folder can't be listed ({error.strerror or error})")
        merged = {path.removesuffix(".eval") + SHARDS for path, _, _ in files if path.endswith(".eval")}
        stack += [(entry.path, depth + 1) for entry in folders if entry.path not in merged]
        yield files


def _owner(link: str, folders: Sequence[Path]) -> Path | None:
    """The first of some folders that a link leads into."""
    if not folders:
        return None
    target = Path(os.path.realpath(link))
    return next((folder for folder in folders if target.is_relative_to(folder)), None)


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


def could_be_ours(name: str, endings: tuple[str, ...] = ()) -> bool:
    """Whether a file of that name is read at all; `endings` are of formats of other packages."""
    if name in CARD_NAMES:
        return True
    if name.startswith(FORK):
        return False
    if EVENTS in name:
        return True
    if endings and name.lower().endswith(endings) and name not in SIDECARS:
        return True
    ending = os.path.splitext(name)[1].lower()  # noqa: PTH122 - hot loop
    if ending == ENDING:
        return suffix_of(name) in PACKED and plain_name(name) not in SIDECARS
    return ending in LOG_SUFFIXES and name not in SIDECARS


def _add(
    listing: Listing,
    folders: Iterable[list[tuple[str, int, int]]],
    companions: Companions,
    group: Group,
    plugged: Companions | None,
) -> None:
    found: dict[str, tuple[int, int]] = {}
    beside: dict[str, list[str]] = {}
    for files in folders:
        # The first samples files of lm-eval were called by the model's arguments, beside results of any name.
        any_json = any(NAMED_BY_ARGUMENTS.match(path.rpartition(os.sep)[2]) for path, _, _ in files)
        samples = {path for path, _, _ in files if SAMPLES in path}
        for path, size, mtime in files:
            found[path] = size, mtime
            asked = _may_have_companions(path, any_json) or _has_samples(path, samples)
            beside[path] = [str(p) for p in _beside(path, companions)] if asked else []
            if plugged is not None and not beside[path]:
                beside[path] = [str(p) for p in _beside(path, plugged)]
    owned = _settled(beside, found)
    groups: dict[str, list[str]] = {}
    for path in sorted(found.keys() - owned):
        if (key := group(path, *found[path])) is not None:
            groups.setdefault(key, []).append(path)
    for first, *others in groups.values():
        beside[first] = list(dict.fromkeys([*others, *(other for one in (first, *others) for other in beside[one])]))
        owned.update(others)
    root = str(listing.root)
    for path, extra in beside.items():
        if path in owned or (is_packed(path) and plain_name(path) in found):  # the same, packed
            continue
        parts = [path, *sorted(extra)]
        relative = printable(path[len(root) :].lstrip(os.sep).replace(os.sep, "/"))
        while relative in listing.items:  # another file is really called so
            relative += "\\"
        listing.items[relative] = Item(
            relative, tuple(Path(p) for p in parts), sum(found[p][0] for p in parts), max(found[p][1] for p in parts)
        )


def _settled(beside: dict[str, list[str]], found: Container[str]) -> set[str]:
    """Leave each file the companions that it gets, and tell which files are some: no file is lost among others' claims.

    One that belongs to another has none of its own, and one that has some belongs to none: of two that claim each
    other, the first by path stands for both.
    """
    owned: set[str] = set()
    owners: set[str] = set()
    for path in sorted(beside):
        extra = [] if path in owned else [one for one in beside[path] if one in found and one != path]
        beside[path] = [one for one in extra if one not in owners]
        owned.update(beside[path])
        if beside[path]:
            owners.add(path)
    return owned


def printable(name: str) -> str:
    """A name with what is no UTF-8 in it written as `\\xff`: such names can't be stored or shown."""
    return name if name.isascii() else os.fsencode(name).decode("utf-8", "backslashreplace")


def is_printable(path: Path) -> bool:
    """Whether a path can be stored and shown as it is."""
    return str(path) == printable(str(path))


def _beside(path: str, companions: Companions) -> list[Path]:
    try:
        return companions(Path(path))
    except OSError:  # its folder is gone since it was listed
        return []


def _has_samples(path: str, samples: set[str]) -> bool:
    """Whether samples of Every Eval Ever lie beside a record, by their names."""
    folder, slash, name = path.rpartition(os.sep)
    return bool(samples) and any(folder + slash + other in samples for other in samples_names(name))


def _may_have_companions(path: str, any_json: bool) -> bool:
    name = plain_name(path.rpartition(os.sep)[2])
    if name.endswith(".parquet"):
        return is_result(path)
    return name in (*OWNERS, RESPONSE, RUN_SPEC, "results.jsonl") or (
        name.endswith(".json") and (any_json or name.startswith("results") or DATED.search(name) is not None)
    )
