"""Inspect logs (`.eval`, `.json`) of every version: recognized, read, and held against what they say of themselves."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from loaders.bounds import characters
from loaders.errors import RejectedFile
from loaders.inspect import limits
from loaders.inspect.archive import Archive, shown
from loaders.inspect.chunked import SAMPLE, ChunkedSample, sample_members
from loaders.inspect.decode import decode
from loaders.inspect.documents import LogDoc, SampleDoc, VersionDoc
from loaders.inspect.errors import Unreadable
from loaders.inspect.header import eval_record, number, odd_fields, reported_metrics, results
from loaders.inspect.recorded import Recorded
from loaders.inspect.resolve import Budget, Lookup
from loaders.inspect.samples import sample_record
from loaders.inspect.scores import LEGACY_SCORER
from loaders.packed import is_packed, read_plain
from loaders.records import EvalRecord, LoadedFile, SampleRecord, standard_error

IDENTITY = "content"

KNOWN_VERSION = 2
"""The log version that today's Inspect writes. It refuses newer `.json` logs, and reads newer `.eval` logs."""

ZIP_SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06")
LFS_SIGNATURE = b"version https://git-lfs.github.com/spec/"
LFS_SIZE = re.compile(rb"^size (\d{1,18})$", re.MULTILINE)
JSON_LOG = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"(version|status|eval)"\s*:')
JSON_SPEC = re.compile(rb'"eval"\s*:\s*\{')
ID_WIDTH = 20
AHEAD = 2**18
"""Bytes read at once: the members of a zip, of some kB each, lie one behind the other."""

DOCUMENT = "the log"
HEADER = "header.json"
START = "_journal/start.json"

LOG = msgspec.json.Decoder(LogDoc)
VERSION = msgspec.json.Decoder(VersionDoc)


def matches(path: Path, head: bytes) -> bool:
    """Whether a file is an Inspect log: an `.eval` by its name, a JSON log by how it begins.

    Args:
        path: The file.
        head: Its first 4096 bytes.
    """
    if path.suffix == ".eval":
        return True
    return JSON_LOG.match(head) is not None and JSON_SPEC.search(head) is not None


def is_document(document: Any) -> bool:
    """Whether a JSON document is an Inspect log, in whatever order its keys stand."""
    spec = document.get("eval") if isinstance(document, dict) else None
    return isinstance(spec, dict) and "task" in spec and bool(document.keys() & {"version", "status", "plan", "stats"})


def read(path: Path) -> LoadedFile:
    """All that an Inspect log holds.

    Raises:
        RejectedFile: Not an Inspect log, damaged, over a limit (`limits`), or written by a newer Inspect in a way
            that can't be read.
    """
    try:
        with _opened(path) as file, _without_garbage_collection():
            head = file.read(len(LFS_SIGNATURE) + 1000)
            if is_lfs_pointer(head):
                raise Unreadable(lfs_reason(head))
            if not head.strip():
                raise Unreadable("is empty (expected an Inspect log)")
            if head.startswith(ZIP_SIGNATURES):
                return _load_zip(file)
            if path.suffix == ".eval" and not head.lstrip().startswith(b"{"):
                raise Unreadable("is not a zip (an .eval log is one; its first bytes are PK)")
            return _load_json(file)
    except Unreadable as e:
        raise RejectedFile(path, str(e)) from e
    except UnicodeDecodeError as e:
        raise RejectedFile(path, f"is not UTF-8: {e}") from e
    except OSError as e:
        raise RejectedFile(path, f"can't be read: {e.strerror or e}") from e


def _opened(path: Path) -> BinaryIO:
    """The file, or what a packed one holds."""
    return BytesIO(read_plain(path, limits.MAX_MEMBER_BYTES + 1)) if is_packed(path.name) else path.open("rb", AHEAD)


def _load_zip(file: BinaryIO) -> LoadedFile:
    archive = Archive(file)
    member = HEADER if HEADER in archive else START
    if member not in archive:
        raise Unreadable(f"is a zip with neither {HEADER} nor {START}: not an Inspect log")
    data = archive.read(member)
    try:
        log = decode(LOG, data, member)
        budget = Budget()
        return _loaded(log, member, list(_zip_samples(archive, budget)), budget)
    except Unreadable as e:
        raise _explained(e, data) from e


def _zip_samples(archive: Archive, budget: Budget) -> Iterator[SampleRecord]:
    whole, chunked = sample_members(archive.names)
    for name in whole:
        where = shown(name)
        yield _record(decode(SAMPLE, archive.read(name), where), where, budget)
    for folder, members in chunked.items():
        sample = ChunkedSample(archive, folder, members)
        yield _record(sample.read(), shown(folder), budget, sample.attachment, sample.recorded)


def _load_json(file: BinaryIO) -> LoadedFile:
    size = file.seek(0, 2)
    if size > limits.MAX_MEMBER_BYTES:
        raise Unreadable(f"is JSON of {size:,} bytes (allowed: {limits.MAX_MEMBER_BYTES:,}; .eval logs may be larger)")
    file.seek(0)
    data = file.read(limits.MAX_MEMBER_BYTES + 1)
    try:
        log = decode(LOG, data, DOCUMENT)
        budget = Budget()
        samples = [_record(sample, f"samples[{i}]", budget) for i, sample in enumerate(log.samples or [])]
        loaded = _loaded(log, DOCUMENT, samples, budget)
    except Unreadable as e:
        raise _explained(e, data) from e
    if log.version is not None and log.version > KNOWN_VERSION:
        raise Unreadable(_newer(log.version))
    return loaded


def _record(
    sample: SampleDoc, where: str, budget: Budget, lookup: Lookup | None = None, recorded: Recorded | None = None
) -> SampleRecord:
    try:
        record = sample_record(sample, budget, lookup, recorded)
        seen = sum(map(len, record.views.values()))
        budget.hold(characters(record), 1 + len(record.messages) + seen + len(record.scores))
        return record
    except Unreadable as e:
        raise Unreadable(f"{where}: {e}") from e
    except UnicodeDecodeError as e:
        raise Unreadable(f"{where} is not UTF-8: {e}") from e


def _loaded(log: LogDoc, where: str, samples: list[SampleRecord], budget: Budget) -> LoadedFile:
    """The eval with its samples in Inspect's order, and remarks on what doesn't fit together."""
    record = eval_record(log, where)
    samples.sort(key=lambda s: (s.epoch, s.sample_key.zfill(ID_WIDTH) if s.id_is_number else s.sample_key))
    record.samples = samples
    scored = [score for sample in samples for score in sample.scores]
    if (reported := results(log)) and any(score.scorer == LEGACY_SCORER for score in scored):
        for score in scored:
            score.scorer = reported[0].name if score.scorer == LEGACY_SCORER else score.scorer
    record.reported = reported_metrics(log, {score.scorer for score in scored})
    notes = list(_notes(log, record))
    return LoadedFile(format="inspect", evals=[record], notes=notes, characters=budget.held)


def _notes(log: LogDoc, record: EvalRecord) -> Iterator[str]:
    """What stays visible of this log: what it says of itself and isn't so, and what was passed over."""
    said, held = record.n_samples_reported, len(record.samples)
    if not record.complete:
        of = "" if said is None else f" of {said:,}"
        yield f"still being written, or its run died: {held:,}{of} samples so far"
    elif said is not None and said != held:
        yield f"says {_count(said)} and holds {held:,}" if held else f"says {_count(said)} and holds none"
    if log.version is not None and log.version > KNOWN_VERSION:
        yield f"log version {log.version}, newer than the known {KNOWN_VERSION}: read as that one"
    yield from odd_fields(log)
    for result in results(log):
        told = number(result.metrics.get("stderr"))
        if told is not None and standard_error(told) is None:
            yield f"{result.name}: a standard error of {told:g} can't be, and is left out"
    if log.config_updates:
        yield f"its configuration was changed {_times(len(log.config_updates))} while it ran"
    if log.log_updates:
        yield f"its tags or metadata were edited {_times(len(log.log_updates))} afterwards"


def _count(samples: int) -> str:
    return "1 sample" if samples == 1 else f"{samples:,} samples"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"


def _newer(version: int) -> str:
    return f"written by a newer Inspect: log version {version}, known up to {KNOWN_VERSION}"


def _explained(error: Unreadable, header: bytes) -> Unreadable:
    """The error, with the log's version before it where that explains it."""
    try:
        version = decode(VERSION, header, DOCUMENT).version
    except Unreadable:
        return error
    return Unreadable(f"{_newer(version)}: {error}") if version is not None and version > KNOWN_VERSION else error


def is_lfs_pointer(head: bytes) -> bool:
    """Whether a file begins like what Git LFS leaves in the place of one that was not fetched."""
    return head.startswith(LFS_SIGNATURE)


def lfs_reason(head: bytes) -> str:
    """What is wrong with such a file, and what to do."""
    size = LFS_SIZE.search(head)
    shown_size = f" (size {int(size[1]) / 1e6:,.1f} MB)" if size else ""
    return f"is a Git LFS pointer{shown_size}, not the log itself: run `git lfs pull`"


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Building hundreds of thousands of records makes the collector walk them all again and again, for nothing."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
