"""What has to be done so that a store shows what lies on disk: decided purely, from two lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from loaders.listing import Item, Listing


@dataclass(frozen=True)
class Known:
    """A file as a store knows it.

    Attributes:
        status: ingested, rejected or left; `reason` says why.
        reader: Fingerprint of the loader and the mapping that it was read with.
        identity: What makes a file the same one elsewhere: "content" (it holds an id of its own: a copy is the same
            log), "name" (content and name: it can be moved), or "path" (the folders say what it is).
    """

    source_id: int
    content_hash: str
    reader: str
    size: int
    mtime_ns: int
    status: str
    format: str
    identity: Literal["content", "name", "path"]
    reason: str | None = None


@dataclass
class Delta:
    """What differs, by relative path. `changed` and `new` are to be read; the others cost no reading."""

    new: list[Item] = field(default_factory=list)
    changed: list[tuple[Item, Known]] = field(default_factory=list)
    touched: list[tuple[Item, Known]] = field(default_factory=list)
    moved: list[tuple[Item, Known, str]] = field(default_factory=list)
    """The item, the source it is, and the path where that lay."""
    copies: list[tuple[Item, Known]] = field(default_factory=list)
    unchanged: list[tuple[Item, Known]] = field(default_factory=list)
    gone: list[tuple[str, Known]] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)


def compute_delta(
    listing: Listing,
    known: Mapping[str, Known],
    elsewhere: Mapping[str, Known],
    reader: Callable[[Item, str], str],
    hash_item: Callable[[Item], str],
) -> Delta:
    """Compare what is listed with what is known.

    Args:
        known: The root's files in the store, by relative path.
        elsewhere: Ingested sources that lie under other roots, by content hash.
        reader: The fingerprint that an item of a format would be read with now.
        hash_item: Hashes an item; called only for items whose size or time is new.
    """
    delta = Delta()
    missing = {path: k for path, k in known.items() if path not in listing.items and not _unlisted(path, listing)}
    by_hash = {k.content_hash: k for k in known.values() if k.status == "ingested"}
    vanished: dict[str, str] = {k.content_hash: path for path, k in missing.items()}
    for path, item in listing.items.items():
        before = known.get(path)
        if before and (before.size, before.mtime_ns, before.reader) == (
            item.size,
            item.mtime_ns,
            reader(item, before.format),
        ):
            delta.unchanged.append((item, before))
            continue
        digest = hash_item(item)
        delta.hashes[path] = digest
        if before:
            same = before.content_hash == digest and before.reader == reader(item, before.format)
            (delta.touched if same else delta.changed).append((item, before))
            continue
        twin = by_hash.get(digest) or elsewhere.get(digest)
        if twin and twin.reader != reader(item, twin.format):
            twin = None
        if twin and digest in vanished and _may_move(twin, vanished[digest], path):
            delta.moved.append((item, twin, vanished.pop(digest)))
        elif twin and twin.identity == "content":
            delta.copies.append((item, twin))
        else:
            delta.new.append(item)
    moved_from = {path for _, _, path in delta.moved}
    delta.gone = [(path, k) for path, k in missing.items() if path not in moved_from]
    return delta


def _may_move(known: Known, before: str, path: str) -> bool:
    if known.identity == "name":
        return before.rpartition("/")[2] == path.rpartition("/")[2]
    return known.identity == "content"


def _unlisted(path: str, listing: Listing) -> bool:
    return any(folder == "." or path.startswith(folder + "/") for folder in listing.unreadable)
