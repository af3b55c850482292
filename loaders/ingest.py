"""From files on disk into the store: list, compare, read what is new, and decide anew what it means."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import duckdb
import msgspec

from loaders import bounds, formats
from loaders.delta import Delta, Known, compute_delta
from loaders.derive import derive
from loaders.describe import describe, tell_undecided
from loaders.errors import RejectedFile, StudyError, unforeseen
from loaders.json_text import clean
from loaders.listing import CARD_NAMES, RUN_CARD, Item, Listing, is_printable, printable
from loaders.metrics.settled import is_settled, settle
from loaders.records import LoadedFile
from loaders.registry import registered
from loaders.report import FileLine, IngestReport
from loaders.roots import roots_of
from loaders.shelf import GIVEN, CardShelf
from loaders.store import Store, text_search
from loaders.store.entering import enter, is_begun, is_staged, next_number
from loaders.store.write import ReadFile, SourceFile, Writer
from loaders.study.reading import read_run_card, read_study
from loaders.study.unmatched import unmatched_ignore
from loaders.version import version
from loaders.write_behind import Waiting, WriteBehind

ABOVE = 5
"""How many folders above the root are searched for a run card or study file."""


MOST_FILES, MOST_ROWS, MOST_CHARACTERS = 200, 20_000, 16_000_000
"""Reached by one of these, the files that wait are written, in one transaction: what each costs is shared by many, and
what is held in memory is bounded. Rows are samples, messages and scores."""


UNMAPPED = "No `tables:` entry in study.yaml matches this file"
"""Why a table is left unread."""


Reader = Callable[[Item, str], str]
"""The fingerprint that an item of a format would be read with now."""
Read = Callable[[Item], tuple[LoadedFile, str | None]]


class Progress(Protocol):
    """Told of each file that is read."""

    def __call__(self, done: int, total: int, path: str) -> None:
        """`done` of `total` files are read; `path` is next."""


def ingest(
    paths: Sequence[Path],
    store: Store,
    *,
    study: Path | None = None,
    progress: Progress | None = None,
    settle_seconds: float = 0.0,
    forget_seconds: float | None = None,
) -> IngestReport:
    """Bring a store up to date with what lies below some paths.

    Each file is written in a transaction of its own; the new batch comes into view when all are in. Killed half-way,
    the next ingest goes on in the same batch. Nothing changed means no new batch.

    Args:
        paths: Folders or files.
        study: A study file that counts as lying at the root of each path; remembered for later ingests of that path.
        settle_seconds: Files changed within the last so many seconds are left for the next time (they may still be
            written to); 0 reads everything.
        forget_seconds: Batches that told only of logs that were still being written are forgotten after so long
            (`loaders.store.forget`); None keeps every one.

    Raises:
        DriftlineError: A path doesn't exist, or `study` can't be read. Nothing is changed then.
    """
    started = time.monotonic()
    if study is not None:
        read_study(study.expanduser().resolve())
    with store.worker() as number, store.cursor() as cursor:
        roots = roots_of(paths, cursor, study)
        listings = [formats.listed(root, roots.beside(root)) for root in roots.paths]
        batch = _Batch(cursor, number)
        report = IngestReport(roots=[str(root) for root in roots.paths], batch=store.batch())
        report.notes += [*map(str, registered().unloadable), *roots.notes]
        for inner, outer in roots.absorbed.items():
            batch.writer.absorb(str(inner), str(outer), inner.relative_to(outer).as_posix() + "/", CARD_NAMES)
        for root, listing in zip(roots.paths, listings, strict=True):
            _Root(batch, listing, report, study, settle_seconds, root).bring_up_to_date(progress)
        with store.lock("batches"):
            if batch.enter():
                report.conflicts, undecided = derive(cursor, batch.number)
                for source, reason in undecided.items():
                    tell_undecided(report, batch.writer.refuse(source, reason), reason)
                describe(cursor, batch.number, report)
                settle(cursor, batch.number)
                batch.finish(report)
                report.batch = batch.number
            else:
                report.batch = store.batch()
                report.conflicts = [row[0] for row in cursor.execute(CONFLICTS, [report.batch]).fetchall()]
                if not is_settled(cursor, report.batch):
                    settle(cursor, report.batch)
            # Without an index, text is found more slowly: no reason for an ingest to fail.
            with suppress(OSError, ValueError):
                text_search.bring_up_to_date(cursor)
    if batch.entered:
        if forget_seconds is not None:
            store.forget_passing(forget_seconds)
        store.compact_if_wasteful()
    report.seconds = time.monotonic() - started
    return report


class _Batch:
    """What a worker takes in, written under its number until it is finished.

    Where there is one worker only, that is the number of the batch, and what an interrupted ingest left unfinished goes
    on in it. Where there may be several, it is the worker's own, and the batch gets its number when it is entered.
    """

    def __init__(self, cursor: duckdb.DuckDBPyConnection, number: int) -> None:
        self.cursor = cursor
        self.number = number
        self.entered = False
        self._started = _now()
        self._writer: Writer | None = None

    @property
    def writer(self) -> Writer:
        """The writer; asking for it begins the batch."""
        if self._writer is None:
            if not is_staged(self.number):
                self._begin()
            self._writer = Writer(self.cursor, self.number)
        return self._writer

    def _begin(self) -> None:
        if not self.cursor.execute(BEGUN, [self.number]).fetchone():
            self.cursor.execute(
                "INSERT INTO batches VALUES (?, ?, NULL, ?, NULL, NULL)", [self.number, self._started, version()]
            )

    def enter(self) -> bool:
        """Let what was taken in be a batch: from now on it has its number, and can be decided.

        Returns:
            Whether there is anything to finish: what was taken in, or what a worker that is gone left half decided.
        """
        row = self.cursor.execute(UNFINISHED).fetchone()
        if is_staged(self.number):
            if row is None and not is_begun(self.cursor, self.number):
                return False
            number = next_number(self.cursor)
            staged, self.number, self._writer = self.number, number, None
            self._begin()
            enter(self.cursor, staged, number, formats.by_content)
        elif row is None:
            return False
        self.entered = True
        return True

    def finish(self, report: IngestReport) -> None:
        self.cursor.execute(
            "UPDATE batches SET finished_at = ?, roots = ?, report = ? WHERE batch = ?",
            [_now(), msgspec.json.encode(report.roots).decode(), msgspec.json.encode(report).decode(), self.number],
        )


@dataclass
class _Root:
    """One root's part of an ingest."""

    batch: _Batch
    listing: Listing
    report: IngestReport
    study: Path | None
    settle_seconds: float
    given: Path
    """The folder, or the one file of the listing's root that is looked at."""
    read: dict[str, str] = field(default_factory=dict)
    """Format of the logs read by now that are the same wherever they lie, by content hash."""
    sources: dict[str, int] = field(default_factory=dict)
    """Of these, the sources of those that are written."""
    waiting: list[Waiting] = field(default_factory=list)
    rows: int = 0
    characters: int = 0
    """Of what waits."""
    behind: WriteBehind = field(default_factory=WriteBehind)

    def bring_up_to_date(self, progress: Progress | None) -> None:
        with self.behind:
            self._bring_up_to_date(progress)

    def _bring_up_to_date(self, progress: Progress | None) -> None:
        known = self._known()
        cards, logs = self._split(known)
        self._apply(cards, known, lambda _item, _format: formats.READER, self._read_card, None)
        shelf = CardShelf.load(self.batch.cursor, self.batch.number, under_way=True)
        self._leave_out_ignored(logs, shelf)
        tables = [path for path in logs.items if formats.may_be_table(path)]
        mappings = {path: shelf.mapping(str(self.listing.root), path) for path in tables}

        def reader(item: Item, format: str) -> str:
            mapped = mappings.get(item.path)
            return formats.fingerprint(item, mapped[0] if mapped else None, format)

        def read(item: Item) -> tuple[LoadedFile, None]:
            mapped = mappings.get(item.path)
            return (formats.read(item, *mapped) if mapped else formats.read(item, None)), None

        self._apply(logs, known, reader, read, progress)
        self.report.others += self.listing.others
        self.report.notes += self.listing.notes

    def _leave_out_ignored(self, logs: Listing, shelf: CardShelf) -> None:
        """Drop from the listing what a study file says is not to be read."""
        tree = shelf.tree(str(self.listing.root))
        several = self.study is not None and len(self.report.roots) > 1  # it speaks of the others too
        for file, study in tree.studies:
            if file.startswith("../") or several:
                continue
            matches = partial(tree.matches_any, file, logs.items)
            self.report.notes += [f"{file}: {said}" for said in unmatched_ignore(study, matches)]
        for path in [path for path in logs.items if tree.ignored(path)]:
            del logs.items[path]
            self.report.ignored += 1
            self.report.lines.append(FileLine(path, "", "ignored", reason="by study.yaml"))

    def _known(self) -> dict[str, Known]:
        rows = self.batch.cursor.execute(KNOWN, [self.batch.number, str(self.listing.root)]).fetchall()
        known = {row[0]: _known(row[1:]) for row in rows}
        if self.given == self.listing.root:
            return known
        # Where one file was named, nothing is said of the others of its folder.
        return {path: k for path, k in known.items() if path in self.listing.items or _is_card(path)}

    def _split(self, known: dict[str, Known]) -> tuple[Listing, Listing]:
        """The listing's cards (with those above the root and the one given), and its logs."""
        cards, logs = (Listing(self.listing.root, {}, self.listing.unreadable) for _ in range(2))
        now, unsettled = time.time_ns(), int(self.settle_seconds * 1e9)
        for path, item in self.listing.items.items():
            # Not what is of a later time than now: where a clock was set back, that would be left out until it is over.
            if abs(now - item.mtime_ns) < unsettled:
                if path in known:  # as it was, until it has settled
                    known.pop(path)
                continue
            (cards if item.parts[0].name in CARD_NAMES else logs).items[path] = item
        # Beside a file that was named itself, too.
        beside = [] if self.given == self.listing.root else _cards_in(self.listing.root, "")
        for item in [*beside, *_above(self.listing.root), *self._given(known)]:
            cards.items[item.path] = item
        return cards, logs

    def _given(self, known: dict[str, Known]) -> list[Item]:
        remembered = [path for path in known if path.startswith(GIVEN)]
        if self.study is not None:
            return [_item(GIVEN + str(self.study.expanduser().resolve()), self.study.expanduser().resolve())]
        return [
            _item(path, Path(path.removeprefix(GIVEN))) for path in remembered if Path(path[len(GIVEN) :]).is_file()
        ]

    def _apply(
        self,
        listing: Listing,
        known: dict[str, Known],
        reader: Reader,
        read: Read,
        progress: Progress | None,
    ) -> None:
        cards = read == self._read_card
        mine = {path: k for path, k in known.items() if _is_card(path) == cards}
        rows = self.batch.cursor.execute(KNOWN_ELSEWHERE, [self.batch.number, str(self.listing.root)]).fetchall()
        elsewhere = {row[0]: _known(row[1:]) for row in rows}
        delta = compute_delta(listing, mine, elsewhere, reader, _hash)
        self._settle_known(delta)
        todo = [(item, "new") for item in delta.new] + [(item, "changed") for item, _ in delta.changed]
        for done, (item, outcome) in enumerate(sorted(todo, key=lambda pair: pair[0].path)):
            if progress:
                progress(done, len(todo), item.path)
            self._take_in(item, outcome, delta.hashes[item.path], reader, read)
        self._write()
        self._finish()
        if progress and todo:
            progress(len(todo), len(todo), "")

    def _settle_known(self, delta: Delta) -> None:
        """Everything that needs no reading."""
        for item, known in delta.unchanged:
            if known.status == "ingested":
                self.report.unchanged += 1
            elif known.status == "left":
                self.report.left += 1
                self.report.lines.append(FileLine(item.path, known.format, "left", reason=known.reason))
            else:
                self.report.rejected += 1
                self.report.lines.append(FileLine(item.path, known.format, "rejected", reason=known.reason))
        for item, known in delta.touched:
            self.writer.relocate(self._source(item, delta.hashes[item.path], known.reader), known.source_id)
            self.report.unchanged += 1
        for item, known, before in delta.moved:
            self.writer.relocate(self._source(item, delta.hashes[item.path], known.reader), known.source_id)
            self.writer.forget(str(self.listing.root), before)
            self.report.moved += 1
            self.report.lines.append(FileLine(item.path, known.format, "moved", reason=f"from {before}"))
        for item, known in delta.copies:
            self._copy(self._source(item, delta.hashes[item.path], known.reader), known.source_id, known.format)
        for path, known in delta.gone:
            self.writer.forget(str(self.listing.root), path)
            self.report.gone += 1
            self.report.lines.append(FileLine(path, known.format, "gone"))

    def _take_in(self, item: Item, outcome: str, digest: str, reader: Reader, read: Read) -> None:
        suffix = printable(item.parts[0].suffix.lstrip("."))
        file = self._source(item, digest, reader(item, suffix))
        if digest in self.read:
            self._write()
            self._finish()
        if digest in self.sources:
            self._copy(file, self.sources[digest], self.read[digest])
            return
        try:
            if not is_printable(item.parts[0]):
                raise RejectedFile(item.path, "its name is not UTF-8, and can't be stored as it is: rename it")
            loaded, card = read(item)
            bounds.check(item.parts[0], loaded)
        except formats.NotMapped:
            self._leave(file, suffix)
        except (RejectedFile, StudyError) as error:
            reason = error.reason if isinstance(error, RejectedFile) else "; ".join(error.problems)
            if not item.parts[0].exists():  # gone since it was listed: the next ingest says so
                return
            self._reject(file, suffix, reason)
        except Exception as error:  # noqa: BLE001 - whatever one file holds, it keeps no other out
            self._reject(file, suffix, unforeseen(error))
        else:
            self.waiting.append((ReadFile(replace(file, reader=reader(item, loaded.format)), loaded, card), outcome))
            if formats.by_content(loaded.format):
                self.read[digest] = loaded.format
            self.rows += _rows(loaded)
            self.characters += loaded.characters or 0
            if len(self.waiting) >= MOST_FILES or self.rows >= MOST_ROWS or self.characters >= MOST_CHARACTERS:
                self._write()

    @property
    def writer(self) -> Writer:
        """The batch's writer, once it is free."""
        self._finish()
        return self.batch.writer

    def _write(self) -> None:
        """Begin to write what was read and waits."""
        self._finish()
        waiting, self.waiting, self.rows, self.characters = self.waiting, [], 0, 0
        if waiting:
            self.behind.begin(self.batch.writer, waiting)

    def _finish(self) -> None:
        """Wait for what is being written, and report on it."""
        for (read, outcome), source in list(self.behind.finish()):
            if isinstance(source, Exception):
                reason = f"its content can't be stored: {(str(source).splitlines() or [''])[0]}"
                self._reject(read.file, read.loaded.format, reason)
                continue
            if read.file.content_hash in self.read:
                self.sources[read.file.content_hash] = source
            self.report.ingested += 1
            self.report.lines.append(FileLine(read.file.path, read.loaded.format, outcome))
            self.report.notes += [f"{read.file.path}: {note}" for note in read.loaded.notes]

    def _leave(self, file: SourceFile, format: str) -> None:
        self.writer.set_aside(file, "left", format, UNMAPPED)
        self.report.left += 1
        self.report.lines.append(FileLine(file.path, format, "left", reason=UNMAPPED))

    def _reject(self, file: SourceFile, format: str, reason: str) -> None:
        reason = clean(reason)
        self.read.pop(file.content_hash, None)
        self.writer.set_aside(file, "rejected", format, reason)
        self.report.rejected += 1
        self.report.lines.append(FileLine(file.path, format, "rejected", reason=reason))

    def _copy(self, file: SourceFile, source: int, format: str) -> None:
        self.writer.relocate(file, source)
        self.report.copies += 1
        self.report.lines.append(FileLine(file.path, format, "copy", reason="the same log is at another path, too"))

    def _read_card(self, item: Item) -> tuple[LoadedFile, str | None]:
        path = item.parts[0]
        if item.path.rpartition("/")[2] == RUN_CARD:
            return LoadedFile(format="run card"), msgspec.json.encode(read_run_card(path)).decode()
        return LoadedFile(format="study file"), msgspec.json.encode(read_study(path)).decode()

    def _source(self, item: Item, digest: str, reader: str) -> SourceFile:
        return SourceFile(str(self.listing.root), item.path, digest, reader, item.size, item.mtime_ns)


def _rows(loaded: LoadedFile) -> int:
    samples = (sample for one in loaded.evals for sample in one.samples)
    rows = sum(1 + len(one.messages) + sum(map(len, one.views.values())) + len(one.scores) for one in samples)
    rows += len(loaded.scans)
    return rows + sum(len(series.steps) for series in loaded.training)


def _is_card(path: str) -> bool:
    return path.startswith(GIVEN) or path.rpartition("/")[2] in CARD_NAMES


def _above(root: Path) -> list[Item]:
    items: list[Item] = []
    prefix = ""
    for folder in list(root.parents)[:ABOVE]:
        prefix += "../"
        items += _cards_in(folder, prefix)
    return items


def _cards_in(folder: Path, prefix: str) -> list[Item]:
    items: list[Item] = []
    for name in sorted(CARD_NAMES):
        with suppress(OSError):  # not there, gone by now, or not ours to look at
            if (folder / name).is_file():
                items.append(_item(prefix + name, folder / name))
    return items


def _item(path: str, file: Path) -> Item:
    stat = file.stat()
    return Item(path, (file,), stat.st_size, stat.st_mtime_ns)


def _hash(item: Item) -> str:
    try:
        return formats.hash_item(item)
    except OSError:  # reading it says why
        return "unreadable"


def _known(row: Sequence[Any]) -> Known:
    source_id, content_hash, reader, size, mtime_ns, status, format, reason = row
    return Known(source_id, content_hash, reader, size, mtime_ns, status, format, formats.identity(format), reason)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


KNOWN = """
SELECT path, source_id, content_hash, reader, l.size, mtime_ns, status, format, reason
FROM all_open_locations(?) l JOIN sources s USING (source_id)
WHERE root = ?
ORDER BY source_id
"""
"""Where a file is now unreadable, its last good source lies at the same path: the newest row counts."""

KNOWN_ELSEWHERE = """
SELECT DISTINCT ON (content_hash)
       content_hash, source_id, content_hash, reader, l.size, mtime_ns, status, format, reason
FROM all_open_locations(?) l JOIN sources s USING (source_id)
WHERE root <> ? AND status = 'ingested'
"""

BEGUN = "SELECT 1 FROM batches WHERE batch = ?"

UNFINISHED = "SELECT 1 FROM batches WHERE finished_at IS NULL"

CONFLICTS = "SELECT message FROM live_conflicts(?) ORDER BY path, field"
