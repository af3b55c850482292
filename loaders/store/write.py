"""Writing what was read: each file all or nothing, in columns rather than row by row."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

import duckdb
import msgspec

from loaders.records import EvalRecord, LoadedFile, SampleRecord
from loaders.store.columns import add, append
from loaders.store.entering import is_staged
from loaders.store.lending import backend_of
from loaders.store.sql import again_where_others_wrote, all_or_nothing


@dataclass(frozen=True)
class SourceFile:
    """What is known of a file besides its records.

    Attributes:
        root: The folder (or file) that was given to `ingest`, absolute.
        path: The file relative to `root`, with forward slashes.
        content_hash: SHA-256 of its bytes (and its companions').
        reader: Fingerprint of the loader's version and the mapping that it was read with.
        size: Bytes.
        mtime_ns: Time of the last change, in nanoseconds.
    """

    root: str
    path: str
    content_hash: str
    reader: str
    size: int
    mtime_ns: int


class ReadFile(NamedTuple):
    """A file and what it holds; `card` is what it says as JSON, where it is a run card or a study file."""

    file: SourceFile
    loaded: LoadedFile
    card: str | None = None


class Writer:
    """Writes sources into a store.

    Args:
        cursor: A cursor of the store, used by this writer alone.
        batch: The ingest batch that everything is written under.
    """

    def __init__(self, cursor: duckdb.DuckDBPyConnection, batch: int) -> None:
        self.cursor = cursor
        self.batch = batch
        self._backend = backend_of(cursor)
        # What was ever written tells, without asking, that a path or a key is new: most files of a first ingest are.
        self._paths = set(cursor.execute("SELECT DISTINCT root, path FROM locations").fetchall())
        self._keys = {row[0] for row in cursor.execute("SELECT DISTINCT eval_key FROM evals").fetchall()}

    def write(self, files: Sequence[ReadFile]) -> list[int]:
        """Write some files' records, and take what lay at their paths before out of the present.

        One transaction: of no file there is ever a part. Several small files share it, since most of its cost is its
        own, not theirs.

        Returns:
            The new sources' ids.
        """
        first = self._backend.ids("sources", len(files))
        sources = list(range(first, first + len(files)))
        if self._backend.apart:  # until their places are written, nobody sees facts: they are of no source
            again_where_others_wrote(lambda: self._whole(partial(self._facts, sources, files)))
            again_where_others_wrote(lambda: self._whole(partial(self._places, sources, files)))
        else:
            self._whole(partial(self._facts, sources, files), partial(self._places, sources, files))
        return sources

    def _whole(self, *parts: Callable[[], None]) -> None:
        with all_or_nothing(self.cursor):
            for part in parts:
                part()

    def _places(self, sources: list[int], files: Sequence[ReadFile]) -> None:
        """Where the files lie, and what lay there before out of the present."""
        for file, _, _ in files:
            self._leave(file.root, file.path)
        complete = [not one.growing and all(record.complete for record in one.evals) for _, one, _ in files]
        self._sources(sources, [file for file, _, _ in files], [loaded for _, loaded, _ in files], complete)

    def _facts(self, sources: list[int], files: Sequence[ReadFile]) -> None:
        """What is in the files."""
        pairs = list(zip(sources, files, strict=True))
        self._evals(pairs)
        trained = [(source, one) for source, read in pairs for one in read.loaded.checkpoints]
        append(self.cursor, "trained", {"source_id": [source for source, _ in trained]}, [one for _, one in trained])
        logged = [(source, one) for source, read in pairs for one in read.loaded.training]
        append(self.cursor, "training", {"source_id": [source for source, _ in logged]}, [one for _, one in logged])
        scans = [(source, one) for source, read in pairs for one in read.loaded.scans]
        append(self.cursor, "scans", {"source_id": [source for source, _ in scans]}, [one for _, one in scans])
        for source, (file, loaded, card) in pairs:
            if card is not None:
                said = {"root": file.root, "path": file.path, "kind": loaded.format, "body": card}
                add(self.cursor, "cards", {"source_id": source} | said)

    def set_aside(self, file: SourceFile, status: str, format: str, reason: str) -> None:
        """Record a file that can't be read ("rejected") or is nothing of ours ("left"), with the reason.

        What the file held when it could last be read stays in view.
        """
        with all_or_nothing(self.cursor):
            self._leave(file.root, file.path, keep_ingested=status == "rejected")
            source = self._backend.ids("sources", 1)
            self._sources([source], [file], [LoadedFile(format)], [True], status, reason)

    def refuse(self, source: int, reason: str) -> list[str]:
        """Take a source that is written out of the present: nothing could be decided of it, and its places say why.

        Returns:
            The paths where it lay.
        """
        places = self.cursor.execute(PLACES_OF, {"source": source, "batch": self.batch}).fetchall()
        with all_or_nothing(self.cursor):
            for root, path, content_hash, reader, size, mtime_ns, format in places:
                self._leave(root, path)
                file = SourceFile(root, path, content_hash, reader, size, mtime_ns)
                refused = self._backend.ids("sources", 1)
                self._sources([refused], [file], [LoadedFile(format)], [True], "rejected", reason)
        return [path for _, path, *_ in places]

    def relocate(self, file: SourceFile, source: int) -> None:
        """Say that a known source lies (also) at `file.path`, with that size and time."""
        with all_or_nothing(self.cursor):
            self._close_location(file.root, file.path, source)
            self._locations([file], [source])

    def absorb(self, inner: str, outer: str, prefix: str, cards: Collection[str]) -> None:
        """What lies below one root lies below another one around it from now on; what lies there already stays.

        Run cards and study files, and what was said above the inner root, are read anew where they lie.

        Args:
            prefix: What stands before the inner root's paths in the outer one, with its slash.
            cards: The names of run cards and study files.
        """
        given = {"inner": inner, "outer": outer, "prefix": prefix, "batch": self.batch, "cards": list(cards)}
        with all_or_nothing(self.cursor):
            moved = self.cursor.execute(TO_OUTER, given).fetchall()
            columns = ("path", "source_id", "size", "mtime_ns")
            rows: dict[str, list[Any]] = {name: [row[at] for row in moved] for at, name in enumerate(columns)}
            more: dict[str, list[Any]] = {"root": [outer] * len(moved), "batch_from": [self.batch] * len(moved)}
            append(self.cursor, "locations", rows | more)
            self._close("root = $root", {"root": inner})
            if not is_staged(self.batch):
                self.cursor.execute(CLOSE_HOMELESS, {"inner": inner, "batch": self.batch})
        self._paths.update((outer, row[0]) for row in moved)

    def forget(self, root: str, path: str) -> None:
        """A file is gone: what lay there ends, unless it lies elsewhere too."""
        with all_or_nothing(self.cursor):
            self._leave(root, path)

    def _leave(self, root: str, path: str, keep_ingested: bool = False) -> None:
        if (root, path) not in self._paths:
            return
        at = {"root": root, "path": path, "batch": self.batch}
        for source, status in self.cursor.execute(SOURCES_AT, at).fetchall():
            if keep_ingested and status == "ingested":
                continue
            self._close_location(root, path, source)
            if not is_staged(self.batch):
                self.cursor.execute(CLOSE_IF_HOMELESS, {"batch": self.batch, "source": source})

    def _close_location(self, root: str, path: str, source: int) -> None:
        place = {"root": root, "path": path, "source": source}
        self._close("root = $root AND path = $path AND source_id = $source", place)

    def _close(self, where: str, values: dict[str, Any]) -> None:
        """End what lies at some places; of others' it is only noted that it will end."""
        given = values | {"batch": self.batch}
        if is_staged(self.batch):
            self.cursor.execute(NOTE_ENDING.format(where=where), given)
            where += " AND batch_from = $batch"
        self.cursor.execute(CLOSE.format(where=where), given)

    def _sources(
        self,
        sources: list[int],
        files: Sequence[SourceFile],
        loaded: Sequence[LoadedFile],
        complete: list[bool],
        status: str = "ingested",
        reason: str | None = None,
    ) -> None:
        columns: dict[str, list[Any]] = {
            "source_id": sources,
            "content_hash": [file.content_hash for file in files],
            "reader": [file.reader for file in files],
            "format": [one.format for one in loaded],
            "size": [file.size for file in files],
            "status": [status] * len(files),
            "reason": [reason] * len(files),
            "notes": [msgspec.json.encode(one.notes).decode() for one in loaded],
            "complete": complete,
            "batch_from": [self.batch] * len(files),
        }
        append(self.cursor, "sources", columns)
        self._locations(files, sources)

    def _locations(self, files: Sequence[SourceFile], sources: list[int]) -> None:
        self._paths.update((file.root, file.path) for file in files)
        columns: dict[str, list[Any]] = {
            "root": [file.root for file in files],
            "path": [file.path for file in files],
            "source_id": sources,
            "size": [file.size for file in files],
            "mtime_ns": [file.mtime_ns for file in files],
            "batch_from": [self.batch] * len(files),
        }
        append(self.cursor, "locations", columns)

    def _evals(self, read: list[tuple[int, ReadFile]]) -> None:
        keys = self._eval_keys([one for _, one in read])
        evals = [(source, record) for source, one in read for record in one.loaded.evals]
        first = self._backend.ids("evals", len(evals))
        numbered = [(first + at, source, record) for at, (source, record) in enumerate(evals)]
        for _, record in evals:
            record.created, record.completed = _utc(record.created), _utc(record.completed)
        columns = _ids(numbered, "eval_id")
        columns |= {"eval_key": keys, "n_samples": [len(record.samples) for _, record in evals]}
        append(self.cursor, "evals", columns, [record for _, record in evals])
        reported = [(eval_id, source, one) for eval_id, source, record in numbered for one in record.reported]
        append(self.cursor, "reported", _ids(reported, "eval_id"), [one for _, _, one in reported])
        samples = [(eval_id, source, one) for eval_id, source, record in numbered for one in record.samples]
        self._samples(samples)

    def _samples(self, samples: list[tuple[int, int, SampleRecord]]) -> None:
        first = self._backend.ids("samples", len(samples))
        columns = _ids(samples, "eval_id")
        columns["sample_id"] = list(range(first, first + len(samples)))
        columns["n_messages"] = [len(one.messages) for _, _, one in samples]
        append(self.cursor, "samples", columns, [one for _, _, one in samples])
        scores = [score for _, _, one in samples for score in one.scores]
        columns = {
            "sample_id": [first + at for at, (_, _, one) in enumerate(samples) for _ in one.scores],
            "eval_id": [eval_id for eval_id, _, one in samples for _ in one.scores],
            "source_id": [source for _, source, one in samples for _ in one.scores],
        }
        append(self.cursor, "scores", columns, scores)
        messages = [message for _, _, one in samples for message in one.messages]
        columns = {
            "sample_id": [first + at for at, (_, _, one) in enumerate(samples) for _ in one.messages],
            "source_id": [source for _, source, one in samples for _ in one.messages],
            "idx": [at for _, _, one in samples for at in range(len(one.messages))],
        }
        append(self.cursor, "messages", columns, messages)
        of_views = [
            (first + at, source, view, idx, message)
            for at, (_, source, one) in enumerate(samples)
            for view, seen in one.views.items()
            for idx, message in enumerate(seen)
        ]
        columns = {
            name: [row[at] for row in of_views] for at, name in enumerate(("sample_id", "source_id", "view", "idx"))
        }
        append(self.cursor, "view_messages", columns, [message for *_, message in of_views])

    def _eval_keys(self, read: list[ReadFile]) -> list[str]:
        """Short names for links: the log's own id; else a hash of where the eval stood when it first came in.

        Of two live logs with one id (a log and its conversion), the second gets its content's hash behind it.
        """
        wanted = [
            (record.log_eval_id or _key_of_place(file, record), file.content_hash[:6])
            for file, loaded, _ in read
            for record in loaded.evals
        ]
        known = [key for key, _ in wanted if key in self._keys]
        taken: set[str] = set()
        if known:
            left = [file for file, _, _ in read if (file.root, file.path) in self._paths]
            leaving = {"roots": [file.root for file in left], "paths": [file.path for file in left]}
            rows = self.cursor.execute(LIVE_KEYS, {"keys": known, "batch": self.batch} | leaving).fetchall()
            taken = {row[0] for row in rows}
        unique = []
        for key, content in wanted:
            unique.append(f"{key}-{content}" if key in taken else key)
            taken.add(key)
        self._keys.update(unique)
        return unique


LIVE_KEYS = """
SELECT eval_key FROM evals JOIN all_open_locations($batch) l USING (source_id)
WHERE eval_key IN (SELECT unnest($keys))
  AND (l.root, l.path) NOT IN (SELECT (unnest($roots::VARCHAR[]), unnest($paths::VARCHAR[])))
"""
"""Those of what lies elsewhere than what is being written."""
SOURCES_AT = """
SELECT source_id, status FROM all_open_locations($batch) l JOIN sources s USING (source_id)
WHERE root = $root AND path = $path
"""
PLACES_OF = """
SELECT root, path, content_hash, reader, l.size, mtime_ns, format
FROM all_open_locations($batch) l JOIN sources s USING (source_id)
WHERE source_id = $source
"""
CLOSE = "UPDATE locations SET batch_to = $batch WHERE {where} AND batch_to IS NULL"
NOTE_ENDING = """
INSERT INTO endings SELECT $batch, root, path, source_id FROM all_open_locations($batch)
WHERE {where} AND batch_from <> $batch
"""
CLOSE_IF_HOMELESS = """
UPDATE sources SET batch_to = $batch
WHERE source_id = $source AND batch_to IS NULL
  AND NOT EXISTS (FROM locations WHERE source_id = $source AND batch_to IS NULL)
"""
TO_OUTER = """
SELECT $prefix || path, source_id, size, mtime_ns FROM all_open_locations($batch) l
WHERE root = $inner AND NOT starts_with(path, '../') AND NOT starts_with(path, 'given:')
  AND NOT list_contains($cards, regexp_extract(path, '[^/]*$'))
  AND NOT EXISTS (FROM all_open_locations($batch) o WHERE o.root = $outer AND o.path = $prefix || l.path)
"""
CLOSE_HOMELESS = """
UPDATE sources SET batch_to = $batch
WHERE batch_to IS NULL AND source_id IN (SELECT source_id FROM locations WHERE root = $inner AND batch_to = $batch)
  AND NOT EXISTS (FROM locations l WHERE l.source_id = sources.source_id AND l.batch_to IS NULL)
"""


def _key_of_place(file: SourceFile, record: EvalRecord) -> str:
    parts = (
        file.path, record.task, record.model, record.judge, record.stated_run, record.stated_step, record.stated_mix,
        record.stated_stage, record.stated_variant,
    )  # fmt: skip
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).hexdigest()[:12]


def _ids(rows: Sequence[tuple[int, int, object]], name: str) -> dict[str, list[Any]]:
    """The id under `name` and the source of (id, source, record) rows."""
    return {name: [row[0] for row in rows], "source_id": [row[1] for row in rows]}


def _utc(time: datetime | None) -> datetime | None:
    return time.astimezone(UTC).replace(tzinfo=None) if time is not None and time.tzinfo else time
