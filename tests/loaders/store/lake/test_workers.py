"""Several processes on one store: no row is lost, none counts twice, and pins are exact."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from dashboard.commands import RateArguments, run_rates
from dashboard.review.threads.changing import begin_thread
from dashboard.review.threads.reading import on_sample
from loaders.errors import DriftlineError
from loaders.ingest import ingest
from loaders.store import Store
from tests import lakes
from tests.loaders.store.lake.conftest import Worker
from tests.log_files import write_log

pytestmark = pytest.mark.lake

Start = Callable[..., Worker]


def logs(folder: Path, count: int, name: str = "log", step: int = 100) -> Path:
    """A folder with so many logs of three samples each."""
    for number in range(count):
        path = folder / f"run-{name}" / f"checkpoint-{step * (number + 1)}" / f"{name}-{number}.eval"
        write_log(path, [1, 0, 1], eval_id=f"{name}-{number}", task=f"task_{number % 3}")
    return folder


def counted(store: Store, batch: int | None = None) -> tuple[int, int, int]:
    """As of a batch: logs, different logs by their keys, and samples."""
    as_of = store.batch() if batch is None else batch
    with store.cursor(()) as cursor:
        logs = cursor.execute("SELECT count(*), count(DISTINCT eval_key) FROM live_evals(?)", [as_of]).fetchall()[0]
        samples = cursor.execute("SELECT count(*) FROM live_samples(?)", [as_of]).fetchall()[0]
    return (*logs, *samples)


def answered(store: Store, batch: int) -> list[Any]:
    return run_rates(store, RateArguments(as_of=batch)).rows


def test_two_workers_of_one_folder_take_in_each_log_once(store: Store, worker: Start, tmp_path: Path) -> None:
    folder = logs(tmp_path, 12)
    first, second = worker(folder, 6), worker(folder, 6)
    first.holds()
    second.holds()
    batches = [first.goes_on()[0], second.goes_on()[0]]
    assert sorted(batches) == [1, 2]
    assert [counted(store, batch) for batch in (0, 1, 2)] == [(0, 0, 0), (12, 12, 36), (12, 12, 36)]
    assert answered(store, 1) == answered(store, 2)
    again = ingest([folder], store)
    assert (again.ingested, again.unchanged, again.batch) == (0, 12, 2)


def test_a_log_that_two_folders_hold_counts_once(store: Store, worker: Start, tmp_path: Path) -> None:
    folder = logs(tmp_path / "a", 4, "same")
    copied = shutil.copytree(folder, tmp_path / "b")
    first, second = worker(folder, 3), worker(logs(copied, 2, "other"), 3)
    first.holds()
    second.holds()
    first.goes_on()
    second.goes_on()
    assert counted(store) == (6, 6, 18)
    with store.cursor() as cursor:
        lies = cursor.execute("SELECT count(*), count(DISTINCT source_id) FROM live_locations(2)").fetchall()
    assert lies == [(10, 6)]


def test_of_a_file_that_changed_the_later_content_counts(store: Store, worker: Start, tmp_path: Path) -> None:
    folder = logs(tmp_path, 3)
    early = worker(folder, 3)
    early.holds()
    write_log(folder / "run-log/checkpoint-100/log-0.eval", [0, 0, 0, 0], eval_id="log-0", task="task_0")
    assert ingest([folder], store).batch == 1
    assert early.goes_on()[0] == 2
    assert [counted(store, batch) for batch in (1, 2)] == [(3, 3, 10), (3, 3, 10)]


def test_a_batch_that_is_not_finished_belongs_to_its_worker(store: Store, worker: Start, tmp_path: Path) -> None:
    slow = worker(logs(tmp_path / "a", 8, "a"), 5)
    slow.holds()
    assert counted(store) == (0, 0, 0)
    other = ingest([logs(tmp_path / "b", 3, "b")], store)
    assert (other.batch, counted(store)) == (1, (3, 3, 9))
    before = answered(store, 1)
    assert slow.goes_on() == (2, 8)
    assert counted(store) == (11, 11, 33)
    assert answered(store, 1) == before
    assert counted(store, 1) == (3, 3, 9)


def test_what_a_killed_worker_took_in_is_nobodys_until_a_next_one_finishes_it(
    store: Store, worker: Start, tmp_path: Path
) -> None:
    folder = logs(tmp_path / "a", 8, "a")
    slow = worker(folder, 5)
    slow.holds()
    slow.is_killed()
    assert counted(store) == (0, 0, 0)
    report = ingest([folder], store)
    assert report.batch == 1
    assert (report.ingested, report.unchanged) in [(4, 4), (3, 5)]  # the fifth may not have been written
    assert counted(store) == (8, 8, 24)
    assert ingest([folder], store).unchanged == 8


def test_workers_and_readers_at_once(store: Store, address: str, worker: Start, tmp_path: Path) -> None:
    folders = [logs(tmp_path / name, 10, name) for name in "abc"]
    workers = [worker(folder) for folder in folders]
    seen: set[tuple[int, tuple[int, int, int]]] = set()

    def look(_: int) -> None:
        dashboard = Store.of_lake(address)
        while any(one.process.poll() is None for one in workers):
            batch = dashboard.batch()
            seen.add((batch, counted(dashboard, batch)))
            if batch:
                answered(dashboard, batch)
        dashboard.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(look, range(2)))
    assert sorted(one.goes_on()[0] for one in workers) == [1, 2, 3]
    assert len({batch for batch, _ in seen}) == len(seen)  # a batch is the same to everybody, always
    assert all(found == (10 * batch, 10 * batch, 30 * batch) for batch, found in seen)
    assert counted(store) == (30, 30, 90)


def test_ids_are_given_once(store: Store, address: str) -> None:
    stores = [store, *(Store.of_lake(address) for _ in range(2))]

    def take(at: int) -> list[int]:
        given = [(stores[at % 3].ids("samples", count), count) for count in (1, 7, 3) for _ in range(20)]
        return [one for first, count in given for one in range(first, first + count)]

    with ThreadPoolExecutor(6) as pool:
        taken = [one for some in pool.map(take, range(6)) for one in some]
    assert len(taken) == len(set(taken)) == 6 * 20 * 11  # 1 + 7 + 3
    for one in stores[1:]:
        one.close()


def test_what_people_write_is_seen_by_every_dashboard(store: Store, address: str, tmp_path: Path) -> None:
    from dashboard.access import Reader

    ingest([logs(tmp_path, 2)], store)
    other = Store.of_lake(address)
    with store.cursor() as cursor:
        key = cursor.execute("SELECT min(eval_key) FROM evals").fetchall()[0][0]
    begin_thread(
        other, Reader("ana", "editor"), on_sample(key, "1", 1), page="transcript", address={}, as_of=1, text="Look here"
    )
    with other.transaction() as cursor:
        cursor.execute("INSERT INTO probe_pieces VALUES (1, 1, 'text', 'a' || chr(0) || 'b')")
    with store.cursor(()) as cursor:
        assert cursor.execute("SELECT text FROM seen_probe_pieces()").fetchall() == [("a\ufffdb",)]
        assert cursor.execute("SELECT text FROM seen_comments()").fetchall() == [("Look here",)]
        assert cursor.execute("SELECT who FROM seen_audit()").fetchall() == [("ana",)]
    other.close()


def test_postgres_may_be_stopped_and_started(tmp_path: Path) -> None:
    server = lakes.Server()
    try:
        address = server.address()
        folder = logs(tmp_path / "a", 6, "a")
        store = Store.of_lake(address)
        ingest([logs(tmp_path / "b", 2, "b")], store)
        before = answered(store, 1)
        worker = Worker(address, folder, 3)
        worker.holds()
        server.stop()
        assert "can't be" in worker.fails()
        with pytest.raises(DriftlineError, match="can't be reached"):
            store.batch()
        server.start()
        assert store.batch() == 1
        assert answered(store, 1) == before
        assert ingest([folder], store).batch == 2
        assert counted(store) == (8, 8, 24)
        store.close()
    finally:
        server.remove()
