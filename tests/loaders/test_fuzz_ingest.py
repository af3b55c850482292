"""Whole ingests of odd files with a good log beside: they end, the good log's numbers are there, and each file is told.

`DRIFTLINE_FUZZ=all` takes every variation instead of a part (minutes).
"""

from __future__ import annotations

import io
import json
import os
import random
import zipfile
from pathlib import Path

import pytest

from dashboard.queries import catalogue, overview
from dashboard.queries.frame import RateQuery
from dashboard.queries.rates import rates
from dashboard.queries.sample_filter import SampleFilter
from dashboard.queries.samples import all_samples
from dashboard.queries.transcript import transcript
from loaders import formats
from loaders.ingest import ingest
from loaders.inspect.archive import Archive
from loaders.report import IngestReport
from loaders.store import Store
from tests.empty_stores import empty_store
from tests.fuzzing import KINDS, mutated, mutated_document, variations, write_variation
from tests.log_files import write_log

pytestmark = pytest.mark.slow

PART = 0 if os.environ.get("DRIFTLINE_FUZZ") == "all" else 90
"""So many variations of each kind; 0 for all."""

GOOD = "good/checkpoint-10/log.eval"


def taken_in(root: Path, store: Store) -> IngestReport:
    """Ingest a folder with a good log in it, and check what holds whatever else lies there."""
    write_log(root / GOOD, [1, 1, 1, 0], task="good_task", model="vllm/org/good", eval_id="GOOD")
    report = ingest([root], store)
    assert store.batch() == 1
    with store.cursor() as cursor:
        told = dict(
            cursor.execute(
                "SELECT path, status FROM live_locations(1) JOIN live_sources(1) s USING (source_id)"
            ).fetchall()
        )
        frame = rates(cursor, RateQuery(), 1)
        (good,) = frame[frame.task == "good_task"].to_dict("records")
        assert (good["run"], good["step"], good["n"], good["rate"]) == ("good", 10, 4, 0.75)
    assert told[GOOD] == "ingested"
    assert set(formats.listed(root).items) <= told.keys()
    assert set(told.values()) <= {"ingested", "rejected", "left"}
    rejected = [line for line in report.lines if line.outcome == "rejected"]
    assert report.rejected == len(rejected) == sum(status == "rejected" for status in told.values())
    assert all(line.reason and "\n" not in line.reason for line in rejected)
    assert ingest([root], store).batch == 1  # and it stays at that
    return report


def questions_answered(store: Store) -> None:
    """Ask what pages ask of a store."""
    with store.cursor() as cursor:
        overview.standings(cursor, RateQuery(evals=("honeypot",)), 1)
        overview.logs(cursor, 1)
        overview.unlike_settings(cursor, 1)
        catalogue.runs(cursor, 1)
        catalogue.coverage(cursor, 1)
        evals = catalogue.evals(cursor, 1)
        catalogue.metrics_for(cursor, list(evals["eval"]), 1)
        catalogue.known_checkpoints(cursor, 1)
        rates(cursor, RateQuery(metrics=("all",)), 1)
        all_samples(cursor, SampleFilter(), 1)
        rows = cursor.execute("SELECT eval_key, sample_key, epoch FROM live_samples(1) JOIN evals USING (eval_id)")
        for key, sample, epoch in rows.fetchall():
            transcript(cursor, key, sample, epoch, 1)


@pytest.mark.parametrize("name", list(KINDS))
def test_one_odd_field_ends_no_ingest(tmp_path: Path, name: str) -> None:
    kind = KINDS[name]
    every = list(variations(kind))
    part = random.Random(name).sample(every, min(PART or len(every), len(every)))
    for number, (at, odd) in enumerate(part):
        write_variation(tmp_path / f"odd/{number:05}", kind, at, odd, number)
    if name == "table row":
        (tmp_path / "study.yaml").write_text(
            'tables: [{match: "odd/**/*.jsonl", eval: e, run: {column: run}, step: {column: step}, id: {column: id},'
            " prompt: {column: prompt}, reply: {column: reply}, scores: {judge: {column: score}}}]"
        )
    store = empty_store()
    taken_in(tmp_path, store)
    questions_answered(store)


def changed_logs(shared: Path, root: Path, count: int, seed: int) -> None:
    """Real files, small ones, with some bytes or fields of each changed; an `.eval` also within its members."""
    chance = random.Random(seed)
    suffixes = {".eval", ".json", ".jsonl"}
    real = sorted(
        p for p in shared.rglob("*") if p.suffix in suffixes and p.is_file() and 0 < p.stat().st_size < 60_000
    )
    for number in range(count):
        source = chance.choice(real)
        path = root / f"{number:05}/{source.parent.name}/{source.name}"
        path.parent.mkdir(parents=True)
        data = source.read_bytes()
        if source.suffix == ".eval" and chance.random() < 0.8:
            path.write_bytes(_changed_within(data, chance))
        elif source.suffix == ".json" and chance.random() < 0.6:
            path.write_text(json.dumps(mutated_document(json.loads(data), chance)))
        else:
            path.write_bytes(mutated(data, chance))


def _changed_within(data: bytes, chance: random.Random) -> bytes:
    """A log with one member changed and written soundly again."""
    changed = io.BytesIO()
    archive = Archive(io.BytesIO(data))
    chosen = chance.choice(archive.names)
    with zipfile.ZipFile(changed, "w") as out:
        for name in archive.names:
            member = archive.read(name)
            if name == chosen:
                as_document = name.endswith(".json") and chance.random() < 0.7
                member = (
                    json.dumps(mutated_document(json.loads(member), chance)).encode()
                    if as_document
                    else mutated(member, chance)
                )
            out.writestr(name, member)
    return changed.getvalue()


def test_changed_real_logs_end_no_ingest(shared_data: Path, tmp_path: Path) -> None:
    changed_logs(shared_data, tmp_path / "odd", 60 if PART else 2000, seed=10)
    store = empty_store()
    taken_in(tmp_path, store)
    questions_answered(store)
