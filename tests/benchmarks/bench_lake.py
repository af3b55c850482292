"""A store in PostgreSQL beside a file: what pages take on both, and what several workers take in at once.

DRIFTLINE_BENCH_PAGES=10^6 takes the large study (some minutes to make, 1 GB, twice). DRIFTLINE_BENCH_LOGS=10000 says
how many logs the workers read.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loaders.store import Store
from loaders.store.embedded import Embedded
from loaders.store.migrating import migrate
from tests import lakes
from tests.benchmarks.bench_pages import pages, pages_of_samples
from tests.benchmarks.studies import SHAPES, study
from tests.log_files import write_log

pytestmark = pytest.mark.lake

ROUNDS = 5
MOST = 2.0
"""A page may take so many times what it takes on a file."""
SAMPLES = 20
LOGS = int(os.environ.get("DRIFTLINE_BENCH_LOGS", "400"))
SIZE = os.environ.get("DRIFTLINE_BENCH_PAGES", "10^5")


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Store]]:
    path = tmp_path_factory.mktemp("lake") / "store.duckdb"
    made = study(path, SHAPES[SIZE])
    lake = Store.of_lake(lakes.server().address())
    began = time.monotonic()
    migrate(made, lake)
    print(f"\n{SIZE}: migrated in {time.monotonic() - began:.1f} s")
    yield made, lake
    made.close()
    lake.close()


def taken(store: Store, work: Any) -> float:
    """Seconds, the middle of some rounds, each with a cursor of its own as a page has."""
    found = []
    for _ in range(ROUNDS):
        began = time.monotonic()
        with store.cursor(()) as cursor:
            work(cursor, store.batch())
        found.append(time.monotonic() - began)
    return statistics.median(found)


def test_pages_take_at_most_twice_as_long(stores: tuple[Store, Store]) -> None:
    file, lake = stores
    began = time.monotonic()
    with lake.cursor(()):
        pass
    print(f"\nfirst look: {time.monotonic() - began:.2f} s")
    with file.cursor() as cursor:
        evals = [row[0] for row in cursor.execute("SELECT DISTINCT eval FROM placements ORDER BY 1 LIMIT 3").fetchall()]
        log, sample = cursor.execute(
            "SELECT eval_key, sample_key FROM evals JOIN samples USING (eval_id) ORDER BY sample_id LIMIT 1"
        ).fetchall()[0]
    of_pages = pages(evals) | pages_of_samples(evals, log, sample, ["run-0@100", "run-1@100"])
    beyond = {}
    for page, queries in of_pages.items():
        sums = [0.0, 0.0]
        for name, query in queries.items():
            both = [taken(store, query) for store in (file, lake)]
            sums = [a + b for a, b in zip(sums, both, strict=True)]
            print(f"{page:12} {name:24} {both[0] * 1000:8.1f} ms {both[1] * 1000:8.1f} ms {both[1] / both[0]:6.2f}")
        print(f"{page:12} {'':24} {sums[0] * 1000:8.1f} ms {sums[1] * 1000:8.1f} ms {sums[1] / sums[0]:6.2f}")
        if sums[1] > MOST * sums[0] + 0.05:
            beyond[page] = round(sums[1] / sums[0], 2)
    print("beyond:", beyond or "none")


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """So many logs in four folders."""
    root = tmp_path_factory.mktemp("logs")
    folders = [root / name for name in "abcd"]
    for at, folder in enumerate(folders):
        first = write_log(folder / "run-0/checkpoint-0/0.eval", [1, 0] * (SAMPLES // 2), eval_id=f"{at}-0")
        for number in range(1, LOGS // 4):
            path = folder / f"run-{at}{number % 5}/checkpoint-{number}/{number}.eval"
            path.parent.mkdir(parents=True, exist_ok=True)
            if number % 50 == 0:
                first = write_log(path, [1, 0] * (SAMPLES // 2), eval_id=f"{at}-{number}")
            else:
                _renamed(first, path, f"{at}-{number}")
    return folders


def _renamed(log: Path, path: Path, name: str) -> None:
    """A copy of a log with another id: to write one anew takes longer than to read it."""
    import zipfile

    with zipfile.ZipFile(log) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as new:
        before = next(one for one in (b'"eval_id":"', b'"eval_id": "') if one in old.read("header.json"))
        for member in old.namelist():
            content = old.read(member)
            at = content.find(before)
            if at >= 0:
                at += len(before)
                content = content[:at] + name.encode() + content[content.index(b'"', at) :]
            new.writestr(member, content)


INGEST = """
import sys
from pathlib import Path
from loaders.ingest import ingest
from loaders.store import Store

store = Store.open(sys.argv[1])
report = ingest([Path(path) for path in sys.argv[2:]], store)
print(report.rejected, report.ingested)
store.close()
"""

SAMPLED = "SELECT count(*), count(DISTINCT sample_id) FROM live_samples(?)"


@pytest.mark.parametrize("workers", [0, 1, 2, 4])
def test_workers(workers: int, logs: list[Path], tmp_path: Path) -> None:
    """0: a file, with one process."""
    address = lakes.server().address() if workers else str(tmp_path / "store.duckdb")
    shares = [logs[at :: max(1, workers)] for at in range(max(1, workers))]
    began = time.monotonic()
    started = [
        subprocess.Popen([sys.executable, "-c", INGEST, address, *map(str, share)], stdout=subprocess.PIPE, text=True)
        for share in shares
    ]
    said = [one.communicate()[0].split() for one in started]
    seconds = time.monotonic() - began
    assert [one.returncode for one in started] == [0] * len(started)
    assert sum(int(rejected) for rejected, _ in said) == 0
    store = Store.of_lake(address) if workers else Store(Embedded.open(address))
    with store.cursor() as cursor:
        count = cursor.execute(
            "SELECT count(*), count(DISTINCT eval_key) FROM live_evals(?)", [store.batch()]
        ).fetchall()
        samples = cursor.execute("SELECT count(*) FROM live_samples(?)", [store.batch()]).fetchall()[0][0]
    store.close()
    there = sum(1 for folder in logs for _ in folder.rglob("*.eval"))
    assert count == [(there, there)]
    assert samples == there * SAMPLES
    print(f"\n{workers or 'file, 1'} workers: {there / seconds:.0f} logs/s, {there} logs in {seconds:.1f} s")


def test_two_workers_and_three_dashboards(logs: list[Path]) -> None:
    """Nothing is lost, nothing counts twice, nothing fails, and an import is the same to all."""
    from dashboard.commands import RateArguments, run_rates
    from dashboard.queries.sample_filter import SampleFilter
    from dashboard.queries.samples import samples_page

    address = lakes.server().address()
    halves = [logs[:2], logs[2:]]
    started = [
        subprocess.Popen([sys.executable, "-c", INGEST, address, *map(str, half)], stdout=subprocess.PIPE, text=True)
        for half in halves
    ]
    seen: dict[int, set[Any]] = {}
    errors: list[Exception] = []
    clicks = [0]

    def dashboard() -> None:
        store = Store.of_lake(address)
        while any(one.poll() is None for one in started):
            try:
                batch = store.batch()
                with store.cursor(()) as cursor:
                    found = cursor.execute("SELECT count(*) FROM live_samples(?)", [batch]).fetchall()[0][0]
                    samples_page(cursor, SampleFilter(), as_of=batch)
                rates = str(run_rates(store, RateArguments(as_of=batch)).rows) if batch else ""
                seen.setdefault(batch, set()).add((found, hash(rates)))
                clicks[0] += 1
            except Exception as error:  # noqa: BLE001 - none is expected
                errors.append(error)
        store.close()

    threads = [threading.Thread(target=dashboard) for _ in range(3)]
    for thread in threads:
        thread.start()
    for one in started:
        one.communicate()
    for thread in threads:
        thread.join()
    assert errors == []
    assert all(len(states) == 1 for states in seen.values()), seen
    store = Store.of_lake(address)
    with store.cursor() as cursor:
        samples = cursor.execute(
            "SELECT count(*), count(DISTINCT sample_id) FROM live_samples(?)", [store.batch()]
        ).fetchall()
    there = sum(1 for folder in logs for _ in folder.rglob("*.eval"))
    print(f"\n{there} logs, {clicks[0]} clicks, {len(seen)} states seen; samples {samples}, wanted {there * SAMPLES}")
    assert samples == [(there * SAMPLES, there * SAMPLES)]
    store.close()
