"""Writing what was read: each file all or nothing, in columns rather than row by row."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import duckdb
import msgspec

from loaders.records import EvalRecord, LoadedFile, SampleRecord
from loaders.store.columns import add, append
from loaders.store.sql import all_or_nothing


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
    """Writes sources into a store; holds the next free row ids.

    Args:
        cursor: A cursor of the store, used by this writer alone.
        batch: The ingest batch that everything is written under.
    """

    def __init__(self, cursor: duckdb.DuckDBPyConnection, batch: int) -> None:
        self.cursor = cursor
        self.batch = batch
        self._next = {
            table: 1 + int(cursor.execute(f"SELECT coalesce(max({column}), 0) FROM {table}").fetchall()[0][0])  # noqa: S608
            for table, column in (("sources", "source_id"), ("evals", "eval_id"), ("samples", "sample_id"))
        }
        # What was ever written tells, without asking, that a path or a key is new: most files of a first ingest are.
        self._paths = set(cursor.execute("SELECT DISTINCT root, path FROM locations").fetchall())
        self._keys = {row[0] for row in cursor.execute("SELECT DISTINCT eval_key FROM evals").fetchall()}

    def take_ids(self, table: str, count: int) -> int:
        """Reserve `count` ids of a table; returns the first."""
        first = self._next[table]
        self._next[table] += count
        return first

    def write(self, files: Sequence[ReadFile]) -> list[int]:
        """Write some files' records, and take what lay at their paths before out of the present.

        One transaction: of no file there is ever a part. Several small files share it, since most of its cost is its
        own, not theirs.

        Returns:
            The new sources' ids.
        """
        with all_or_nothing(self.cursor):
            for file, _, _ in files:
                self._leave(file.root, file.path)
            complete = [not one.growing and all(record.complete for record in one.evals) for _, one, _ in files]
            sources = self._sources([file for file, _, _ in files], [loaded for _, loaded, _ in files], complete)
            self._evals(list(zip(sources, files, strict=True)))
            trained = [
                (source, one) for source, read in zip(sources, files, strict=True) for one in read.loaded.checkpoints
            ]
            append(
                self.cursor, "trained", {"source_id": [source for source, _ in trained]}, [one for _, one in trained]
            )
            logged = [
                (source, one) for source, read in zip(sources, files, strict=True) for one in read.loaded.training
            ]
            append(self.cursor, "training", {"source_id": [source for source, _ in logged]}, [one for _, one in logged])
            scans = [(source, one) for source, read in zip(sources, files, strict=True) for one in read.loaded.scans]
            append(self.cursor, "scans", {"source_id": [source for source, _ in scans]}, [one for _, one in scans])
            for source, (file, loaded, card) in zip(sources, files, strict=True):
                if card is not None:
                    said = {"root": file.root, "path": file.path, "kind": loaded.format, "body": card}
                    add(self.cursor, "cards", {"source_id": source} | said)
        return sources

    def set_aside(self, file: SourceFile, status: str, format: str, reason: str) -> None:
        """Record a file that can't be read ("rejected") or is nothing of ours ("left"), with the reason.

        What the file held when it could last be read stays in view.
        """
        with all_or_nothing(self.cursor):
            self._leave(file.root, file.path, keep_ingested=status == "rejected")
            self._sources([file], [LoadedFile(format)], [True], status, reason)

    def refuse(self, source: int, reason: str) -> list[str]:
        """Take a source that is written out of the present: nothing could be decided of it, and its places say why.

        Returns:
            The paths where it lay.
        """
        places = self.cursor.execute(PLACES_OF, [source]).fetchall()
        with all_or_nothing(self.cursor):
            for root, path, content_hash, reader, size, mtime_ns, format in places:
                self._leave(root, path)
                file = SourceFile(root, path, content_hash, reader, size, mtime_ns)
                self._sources([file], [LoadedFile(format)], [True], "rejected", reason)
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
            moved = self.cursor.execute(MOVE_TO_OUTER, given).fetchall()
            self.cursor.execute(CLOSE_ROOT, {"inner": inner, "batch": self.batch})
            self.cursor.execute(CLOSE_HOMELESS, {"inner": inner, "batch": self.batch})
        self._paths.update((outer, path) for (path,) in moved)

    def forget(self, root: str, path: str) -> None:
        """A file is gone: what lay there ends, unless it lies elsewhere too."""
        with all_or_nothing(self.cursor):
            self._leave(root, path)

    def _leave(self, root: str, path: str, keep_ingested: bool = False) -> None:
        if (root, path) not in self._paths:
            return
        for source, status in self.cursor.execute(SOURCES_AT, [root, path]).fetchall():
            if keep_ingested and status == "ingested":
                continue
            self._close_location(root, path, source)
            self.cursor.execute(CLOSE_IF_HOMELESS, {"batch": self.batch, "source": source})

    def _close_location(self, root: str, path: str, source: int) -> None:
        self.cursor.execute(CLOSE_LOCATION, {"batch": self.batch, "root": root, "path": path, "source": source})

    def _sources(
        self,
        files: Sequence[SourceFile],
        loaded: Sequence[LoadedFile],
        complete: list[bool],
        status: str = "ingested",
        reason: str | None = None,
    ) -> list[int]:
        first = self.take_ids("sources", len(files))
        sources = list(range(first, first + len(files)))
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
        return sources

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
        first = self.take_ids("evals", len(evals))
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
        first = self.take_ids("samples", len(samples))
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
        taken = {row[0] for row in self.cursor.execute(LIVE_KEYS, [known]).fetchall()} if known else set()
        unique = []
        for key, content in wanted:
            unique.append(f"{key}-{content}" if key in taken else key)
            taken.add(key)
        self._keys.update(unique)
        return unique


LIVE_KEYS = """
SELECT eval_key FROM evals JOIN sources USING (source_id)
WHERE batch_to IS NULL AND eval_key IN (SELECT unnest(?))
"""
SOURCES_AT = """
SELECT source_id, status FROM locations l JOIN sources s USING (source_id)
WHERE root = ? AND path = ? AND l.batch_to IS NULL
"""
PLACES_OF = """
SELECT root, path, content_hash, reader, l.size, mtime_ns, format
FROM locations l JOIN sources s USING (source_id)
WHERE source_id = ? AND l.batch_to IS NULL
"""
CLOSE_LOCATION = """
UPDATE locations SET batch_to = $batch
WHERE root = $root AND path = $path AND source_id = $source AND batch_to IS NULL
"""
CLOSE_IF_HOMELESS = """
UPDATE sources SET batch_to = $batch
WHERE source_id = $source AND batch_to IS NULL
  AND NOT EXISTS (FROM locations WHERE source_id = $source AND batch_to IS NULL)
"""
MOVE_TO_OUTER = """
INSERT INTO locations
SELECT $outer, $prefix || path, source_id, size, mtime_ns, $batch, NULL FROM locations l
WHERE root = $inner AND batch_to IS NULL AND NOT starts_with(path, '../') AND NOT starts_with(path, 'given:')
  AND NOT list_contains($cards, regexp_extract(path, '[^/]*$'))
  AND NOT EXISTS (FROM locations o WHERE o.root = $outer AND o.path = $prefix || l.path AND o.batch_to IS NULL)
RETURNING path
"""
CLOSE_ROOT = "UPDATE locations SET batch_to = $batch WHERE root = $inner AND batch_to IS NULL"
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
