"""A store copied from a file into PostgreSQL and back: every row, every rate, every pin."""

from __future__ import annotations

from pathlib import Path

import pytest

from loaders.ingest import ingest
from loaders.store import Store
from loaders.store.embedded import Embedded
from tests.driftline import driftline
from tests.log_files import write_log
from tests.saved_probes import eventful_probe

pytestmark = pytest.mark.lake


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A file with two imports, a probe, and a note of which PostgreSQL can't keep a character."""
    path = tmp_path / "store.duckdb"
    store = Store(Embedded.open(path))
    folder = tmp_path / "logs"
    for step in (100, 200):
        write_log(folder / f"run-a/checkpoint-{step}/log.eval", [1, 0, 1], eval_id=f"log-{step}")
        ingest([folder], store)
    eventful_probe(store)
    with store.transaction() as cursor:
        cursor.execute("INSERT INTO comments VALUES ('c', 't', 'ana', 'with ' || chr(0) || 'a NUL', now()::TIMESTAMP)")
    store.close()
    return path


def test_there_and_back(filled: Path, address: str, tmp_path: Path) -> None:
    there = driftline("migrate", filled, address, data=tmp_path)
    assert there.returncode == 0, there.stderr
    assert "Copied and verified:" in there.stdout
    store = Store.of_lake(address)
    assert store.batch() == 2
    ingest([tmp_path / "logs"], store)
    assert store.batch() == 2
    write_log(tmp_path / "logs/run-a/checkpoint-300/log.eval", [1], eval_id="log-300")
    assert ingest([tmp_path / "logs"], store).ingested == 1
    with store.cursor() as cursor:
        ids = cursor.execute("SELECT count(*), count(DISTINCT sample_id) FROM samples").fetchall()
    assert ids == [(7, 7)]
    store.close()
    back = driftline("migrate", address, tmp_path / "back.duckdb", data=tmp_path)
    assert back.returncode == 0, back.stderr
    rates = [
        driftline("rates", "--store", place, "--format", "csv", data=tmp_path).stdout
        for place in (address, tmp_path / "back.duckdb")
    ]
    assert rates[0] == rates[1]
    assert rates[0].count("\n") == 4


def test_a_store_with_something_in_it_is_no_target(filled: Path, address: str, tmp_path: Path) -> None:
    assert driftline("migrate", filled, address, data=tmp_path).returncode == 0
    again = driftline("migrate", filled, address, data=tmp_path)
    assert again.returncode == 1
    assert "There is something in ducklake:postgres:" in again.stderr
    assert driftline("migrate", tmp_path / "none.duckdb", address, data=tmp_path).returncode == 1
