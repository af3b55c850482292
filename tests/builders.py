"""Stores built from records, for tests of queries and pages: the real writer, and decisions put in by hand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache, wraps
from pathlib import Path
from typing import Any, ParamSpec

import duckdb
import msgspec

from loaders.metrics.settled import settle
from loaders.records import (
    EvalRecord,
    LoadedFile,
    MessageRecord,
    ReportedMetric,
    SampleRecord,
    ScoreRecord,
)
from loaders.standings import settle_standings
from loaders.store import Store
from loaders.store.embedded import MEMORY
from loaders.store.write import ReadFile, SourceFile, Writer
from tests.empty_stores import copy_of, empty_store

P = ParamSpec("P")

FIRST = datetime(2025, 1, 1, tzinfo=UTC)


def score(value: Any, scorer: str = "judge", key: str | None = None, **more: Any) -> ScoreRecord:
    """A score of a Python value: number, bool, text, None (missing) or NaN."""
    if isinstance(value, bool):
        kind, number, text = "bool", float(value), None
    elif value is None or value != value:
        kind, number, text = "missing" if value is None else "nan", None, None
    elif isinstance(value, str):
        kind, number, text = "text", None, value
    else:
        kind, number, text = "number", float(value), None
    metadata = more.pop("metadata", None)
    return ScoreRecord(
        scorer=scorer,
        key=key,
        value_num=number,
        value_text=text,
        value_type=kind,
        metadata_json=None if metadata is None else json.dumps(metadata),
        **more,
    )


def sample(key: Any, *scores: ScoreRecord, epoch: int = 1, metadata: Any = None, **more: Any) -> SampleRecord:
    """One sample with its scores."""
    return SampleRecord(
        sample_key=str(key),
        epoch=epoch,
        id_is_number=isinstance(key, int),
        metadata_json=None if metadata is None else json.dumps(metadata),
        scores=list(scores),
        **more,
    )


def samples(values: Sequence[Any], scorer: str = "judge", epochs: int = 1, **more: Any) -> list[SampleRecord]:
    """Samples with one score each; with epochs, the values of question 0 come first, then those of question 1."""
    return [sample(i // epochs, score(value, scorer), epoch=i % epochs + 1, **more) for i, value in enumerate(values)]


def message(role: str, text: str, **more: Any) -> MessageRecord:
    """One message."""
    return MessageRecord(role=role, text=text, **more)


def reported(metric: str, value: float | None, **more: Any) -> ReportedMetric:
    """A number of a log's header."""
    return ReportedMetric(metric=metric, value=value, **more)


def log(samples: Sequence[SampleRecord], task: str = "blackmail", minutes: int = 0, **more: Any) -> EvalRecord:
    """An eval of some samples, created some minutes after the first."""
    for name in ("config", "generate_config", "dataset", "metadata", "task_args"):
        if name in more:
            more[f"{name}_json"] = json.dumps(more.pop(name))
    more.setdefault("created", FIRST + timedelta(minutes=minutes))
    return EvalRecord(task=task, samples=list(samples), **more)


def built_once(build: Callable[P, StoreBuilder]) -> Callable[P, StoreBuilder]:
    """What a function builds is built once for the same arguments; whoever asks gets a copy, to write into as well."""
    first = cache(build)

    @wraps(build)
    def copied(*args: P.args, **kwargs: P.kwargs) -> StoreBuilder:
        return first(*args, **kwargs).copy()

    return copied


class StoreBuilder:
    """A store in memory, or in a file. Files are written by the real writer; where they belong is said by hand.

    Files that are added before anybody can look into the store are written together, as an ingest writes them: a
    transaction costs as much for one as for many.

    Attributes:
        batch: The batch that is being written.
    """

    def __init__(self, path: Path | str = MEMORY) -> None:
        self._store = empty_store() if path == MEMORY else Store.open(path)
        self._unsettled = self._handed_out = False
        self._waiting: list[tuple[ReadFile, dict[str, Any]]] = []
        self._first = self._held = 0
        self.batch = 0
        self.next_batch()

    @property
    def store(self) -> Store:
        """The store, decided which of the logs that were written by now speak for their checkpoints."""
        self._settle()
        self._handed_out = True
        return self._store

    def _settle(self) -> None:
        self._write()
        if self._unsettled:
            self._unsettled = False
            with self._store.cursor() as cursor:
                settle_standings(cursor, self.batch)
                settle(cursor, self.batch)
            self._store.memory.forget()

    def next_batch(self) -> int:
        """Begin the next batch; everything after belongs to it."""
        if self.batch:
            self._settle()
        self.batch += 1
        self.execute(
            "INSERT INTO batches (batch, started_at, finished_at, roots, report) VALUES (?, ?, ?, '[]', '{}')",
            [self.batch, FIRST.replace(tzinfo=None), FIRST.replace(tzinfo=None)],
        )
        return self.batch

    def copy(self) -> StoreBuilder:
        """Another with the same in it."""
        other = StoreBuilder.__new__(StoreBuilder)
        other._store, other._unsettled, other.batch = copy_of(self.store), False, self.batch
        other._handed_out, other._waiting, other._first, other._held = False, [], 0, 0
        return other

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run any SQL."""
        self._write()
        return self._execute(sql, values)

    def _execute(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        # Only here is a batch written to that is finished.
        self._store.memory.forget()
        with self._store.cursor() as cursor:
            return cursor.execute(sql, list(values)).fetchall()

    def add(
        self, record: EvalRecord, run: str = "run", step: int | None = None, path: str | None = None, **place: Any
    ) -> int:
        """Write a log as a file of its own, and say where it belongs.

        Args:
            record: The log.
            run: Its run.
            step: Its step.
            path: Its file; the same path again supersedes the log that was there.
            place: Further columns of `placements`: eval, variant, step_label, tokens, mix, stage, placed.

        Returns:
            The eval's id.
        """
        if any(path == read.file.path for read, _ in self._waiting):
            self._write()  # what is superseded has to be there
        if not self._waiting:
            self._first, self._held = self._execute("SELECT coalesce(max(eval_id), 0) + 1, count(*) FROM evals")[0]
        path = path or f"{run}/{step}/{record.task}-{self._held + len(self._waiting)}.eval"
        content = hashlib.sha256(msgspec.json.encode(record)).hexdigest()
        file = SourceFile(root="/logs", path=path, content_hash=content, reader="1", size=1, mtime_ns=self.batch)
        eval_id = self._first + len(self._waiting)
        placement = {"placed": True, "run": run, "step": step, "eval": record.task} | place | {"eval_id": eval_id}
        self._waiting.append((ReadFile(file, LoadedFile(format="inspect", evals=[record])), placement))
        if self._handed_out:
            self._write()
        return eval_id

    def _write(self) -> None:
        """Write what was added, and say where it belongs."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        self._unsettled = True
        with self._store.cursor() as cursor:
            Writer(cursor, self.batch).write([read for read, _ in waiting])
        for _, placement in waiting:
            self._insert("placements", placement)

    def place(self, eval_id: int, **place: Any) -> None:
        """Say (anew) where an eval belongs."""
        self._write()
        self._unsettled = True
        self._execute(
            "UPDATE placements SET batch_to = ? WHERE eval_id = ? AND batch_to IS NULL", [self.batch, eval_id]
        )
        self._insert("placements", {"placed": True} | place | {"eval_id": eval_id})

    def reject(self, path: str, reason: str, *, status: str = "rejected") -> None:
        """Record a file that can't be read, or a table that is left for lack of a mapping."""
        file = SourceFile(root="/logs", path=path, content_hash=path, reader="1", size=1, mtime_ns=0)
        self._write()
        with self._store.cursor() as cursor:
            Writer(cursor, self.batch).set_aside(file, status, "inspect", reason)

    def run(self, run: str, **more: Any) -> None:
        """A run, as a card would tell of it."""
        self._insert("runs", {"run": run, "label": run, "position": self._count("runs")} | more)

    def checkpoint(self, run: str, step: int | None, **more: Any) -> None:
        """A checkpoint that is known whether or not it was evaluated."""
        self._insert("checkpoints", {"run": run, "step": step} | more)

    def conflict(self, **columns: Any) -> None:
        """Two rules that disagree."""
        self._insert("conflicts", columns)

    def metric(self, name: str, evals: Sequence[str] = ("*",), **body: Any) -> None:
        """A metric definition, as the body that study files are normalised to."""
        defaults = {"title": name, "kind": "rate", "better": "lower"}
        self._study("metric", name, defaults | body | {"name": name, "evals": list(evals)})

    def eval(self, name: str, **body: Any) -> None:
        """Settings of an eval: title, cluster."""
        self._study("eval", name, {"name": name, "title": name, "task": name, "cluster": "question"} | body)

    def group(self, name: str, evals: Sequence[str], metric: str | None = None) -> None:
        """A group of evals."""
        self._study("group", name, {"name": name, "title": name, "evals": list(evals), "metric": metric})

    def study(self, name: str, **body: Any) -> None:
        """What a study file says of itself: title, notes, simulated."""
        self._study("study", name, {"name": name} | body)

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor of the store."""
        with self.store.cursor() as cursor:
            yield cursor

    def _study(self, kind: str, name: str, body: dict[str, Any]) -> None:
        columns = {"kind": kind, "name": name, "position": self._count("study"), "origin": "study.yaml"}
        self._insert("study", columns | {"body": json.dumps(body)})

    def _insert(self, table: str, columns: dict[str, Any]) -> None:
        columns = columns | {"batch_from": self.batch}
        marks = ", ".join("?" for _ in columns)
        self._execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", list(columns.values()))

    def _count(self, table: str) -> int:
        return int(self._execute(f"SELECT count(*) FROM {table}")[0][0])
