"""Chunked samples, a shape that today's Inspect can write beside the usual one.

Such a sample is a folder in the zip, `samples/ID_epoch_N/`: the shell `sample.json`, `metadata.json` where there is
any, and sequences in chunks named by the index of their first item (`messages/0.json`, `messages/1000.json`,
`attachments/0.json`, `events/0.json`). The shell's `message_refs` are half-open ranges of the message sequence, which
also holds messages that only events refer to. Attachments are referred to by their index: `attachment://12`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from typing import Generic, TypeVar

import msgspec
from msgspec import Raw

from loaders.inspect.archive import Archive, shown
from loaders.inspect.decode import decode
from loaders.inspect.documents import EventDoc, SampleDoc
from loaders.inspect.recorded import Recorded, referred

T = TypeVar("T")

WHOLE = re.compile(r"_epoch_-?\d+\.json\Z")
SHELL = re.compile(r"(samples/.*_epoch_-?\d+)/sample\.json\Z", re.DOTALL)
CHUNK = re.compile(r"(messages|attachments|events)/(\d{1,15})\.json\Z")
INDEX = re.compile(r"\d{1,15}\Z", re.ASCII)

SAMPLE = msgspec.json.Decoder(SampleDoc)
ITEMS = msgspec.json.Decoder(list[Raw])
EVENTS = msgspec.json.Decoder(list[EventDoc])
TEXTS = msgspec.json.Decoder(list[str])
ANY_RAW = msgspec.json.Decoder(Raw)


def sample_members(names: Iterable[str]) -> tuple[list[str], dict[str, list[str]]]:
    """The members that are whole samples, and the folders of chunked samples with their members.

    A sample that is there in both shapes counts as whole, as in Inspect.
    """
    files = [name for name in names if name.startswith("samples/") and name.endswith(".json")]
    folders: dict[str, list[str]] = {match[1]: [] for name in files if (match := SHELL.match(name))}
    if not folders:
        return files, folders
    whole = []
    for name in files:
        parent, _, _ = name.rpartition("/")
        folder = parent if parent in folders else parent.rpartition("/")[0]
        if folder in folders and not WHOLE.search(name):
            folders[folder].append(name)
        else:
            whole.append(name)
    for name in whole:
        folders.pop(name.removesuffix(".json"), None)
    return whole, folders


class Chunks(Generic[T]):
    """A sequence in chunks, each read once, when an item of it is first asked for."""

    def __init__(self, archive: Archive, names: dict[int, str], decoder: msgspec.json.Decoder[list[T]]) -> None:
        """Take the chunks' names by the index of their first item."""
        self._archive = archive
        self._names = names
        self._starts = sorted(names)
        self._decoder = decoder
        self._read: dict[int, list[T]] = {}

    def item(self, index: int) -> T | None:
        """The item at an index, None where no chunk holds it."""
        at = bisect_right(self._starts, index) - 1
        if index < 0 or at < 0:
            return None
        start = self._starts[at]
        if start not in self._read:
            name = self._names[start]
            self._read[start] = decode(self._decoder, self._archive.read(name), shown(name))
        chunk = self._read[start]
        return chunk[index - start] if index - start < len(chunk) else None

    def all(self) -> list[T]:
        """The whole sequence, which is not kept."""
        names = (self._names[start] for start in self._starts)
        return [item for name in names for item in decode(self._decoder, self._archive.read(name), shown(name))]


class ChunkedSample:
    """One chunked sample of an archive."""

    def __init__(self, archive: Archive, folder: str, members: list[str]) -> None:
        """Take the sample's folder and the names of its members."""
        self._archive = archive
        self._folder = folder
        names: dict[str, dict[int, str]] = {"messages": {}, "attachments": {}, "events": {}}
        for member in members:
            if match := CHUNK.match(member, len(folder) + 1):
                names[match[1]][int(match[2])] = member
        self._messages = Chunks(archive, names["messages"], ITEMS)
        self._attachments = Chunks(archive, names["attachments"], TEXTS)
        self._events = Chunks(archive, names["events"], EVENTS)

    def read(self) -> SampleDoc:
        """The shell with its metadata and the messages of its conversation put in.

        Raises:
            Unreadable: A chunk is missing or damaged, or the ranges are absurd.
        """
        name = f"{self._folder}/sample.json"
        sample = decode(SAMPLE, self._archive.read(name), shown(name))
        metadata = f"{self._folder}/metadata.json"
        if metadata in self._archive:
            sample.metadata = decode(ANY_RAW, self._archive.read(metadata), shown(metadata))
        sample.messages += referred(sample.message_refs or [], self._messages.item, shown(name))
        return sample

    def attachment(self, key: str) -> str | None:
        """The attachment with an index, None where there is none."""
        return self._attachments.item(int(key)) if INDEX.match(key) else None

    @property
    def recorded(self) -> Recorded:
        """The events, and the messages that they refer to."""
        return Recorded(self._events.all, self._messages.item)
