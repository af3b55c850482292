"""A log that grows while it is looked at: its passing states are forgotten, and nothing that somebody may still see."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.commands import RateArguments, run_rates
from loaders.errors import DriftlineError
from loaders.ingest import ingest
from loaders.store import Store
from tests.growing_log import Growing
from tests.log_files import write_log

pytestmark = pytest.mark.slow

LOOKS = 80
"""So often is the growing log looked at."""


def kept(store: Store) -> list[int]:
    with store.cursor() as cursor:
        return [row[0] for row in cursor.execute("SELECT batch FROM batches ORDER BY batch").fetchall()]


def scores(store: Store, batch: int) -> int:
    with store.cursor() as cursor:
        return int(cursor.execute("SELECT count(*) FROM live_scores(?)", [batch]).fetchall()[0][0])


def look(folder: Path, store: Store) -> None:
    ingest([folder], store, forget_seconds=0)


def test_a_growing_log_that_is_looked_at_again_and_again_takes_no_more_than_its_end(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    growing = Growing(folder, LOOKS)
    store = Store.open(tmp_path / "looked.duckdb")
    for samples in range(1, LOOKS + 1):
        growing.write(samples)
        look(folder, store)
        assert scores(store, store.batch()) == samples
    growing.finish()
    look(folder, store)
    assert kept(store)[-1] == LOOKS + 1
    assert len(kept(store)) <= 2
    store.close()
    once = Store.open(tmp_path / "once.duckdb")
    ingest([folder], once)
    once.close()
    looked, end = ((tmp_path / name).stat().st_size for name in ("looked.duckdb", "once.duckdb"))
    assert looked <= 4 * end, f"{looked / end:.1f} times the store of one ingest"


def test_what_is_held_or_pinned_stays_readable_and_the_rest_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    growing = Growing(folder, 7)
    store = Store.open(":memory:")
    holds = []
    for samples in range(1, 8):
        growing.write(samples)
        look(folder, store)
        if samples == 2:
            holds.append(store.hold(store.batch()))
        with store.cursor() as cursor:
            if samples == 3:
                cursor.execute("INSERT INTO audit (action, address) VALUES ('share', 'h/curves?as_of=3-abc123&eval=e')")
            if samples == 4:
                cursor.execute("INSERT INTO saved_views (view_id, as_of) VALUES ('v', 4)")
            if samples == 5:
                cursor.execute("INSERT INTO audit (action, details_json) VALUES ('export', '{\"as_of\": 5}')")
    assert kept(store) == [2, 3, 4, 5, 7]
    assert [scores(store, batch) for batch in kept(store)] == [2, 3, 4, 5, 7]
    assert [row["n"] for row in run_rates(store, RateArguments(as_of=2)).rows] == [2]
    with pytest.raises(DriftlineError, match=r"--as-of 6: not an import of this store \(allowed: 2, 3, 4, 5, 7\)"):
        run_rates(store, RateArguments(as_of=6))
    holds.clear()
    growing.finish()
    look(folder, store)
    assert kept(store) == [3, 4, 5, 8]


def test_a_batch_in_which_anything_else_came_or_went_stays(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    growing = Growing(folder, 8)
    store = Store.open(":memory:")
    other = folder / "tiny/checkpoint-200/log.eval"
    for samples in range(1, 7):
        growing.write(samples)
        if samples == 2:
            write_log(other, [1, 1], eval_id="other")
        if samples == 4:
            other.unlink()
        look(folder, store)
    assert kept(store) == [2, 4, 6]
    assert [scores(store, batch) for batch in kept(store)] == [4, 4, 6]
    growing.path.unlink()  # its last state has no successor: what was seen of it stays in the past
    look(folder, store)
    assert kept(store) == [2, 4, 6, 7]
    assert [scores(store, batch) for batch in kept(store)] == [4, 4, 6, 0]


def test_young_batches_stay_and_so_do_all_without_a_watcher(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    growing = Growing(folder, 3)
    store = Store.open(":memory:")
    for samples in range(1, 4):
        growing.write(samples)
        ingest([folder], store, forget_seconds=60)
    assert kept(store) == [1, 2, 3]
    growing.finish()
    ingest([folder], store)
    assert kept(store) == [1, 2, 3, 4]


def test_nothing_is_left_of_what_is_forgotten(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    growing = Growing(folder, 4)
    store = Store.open(":memory:")
    for samples in range(1, 5):
        growing.write(samples)
        look(folder, store)
    with store.cursor() as cursor:
        for table in ("sources", "locations", "evals", "placements", "standings"):
            assert cursor.execute(f"SELECT count(*) FROM {table}").fetchall() == [(1,)], table
        for table in ("samples", "scores"):
            assert cursor.execute(f"SELECT count(*) FROM {table}").fetchall() == [(4,)], table


def test_no_id_is_given_twice(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    growing = Growing(folder, 3)
    store = Store.open(":memory:")
    seen: set[int] = set()
    for samples in (3, 0, 2, 0, 1):  # a log that begins anew
        growing.write(samples)
        look(folder, store)
        with store.cursor() as cursor:
            live = cursor.execute("SELECT sample_id FROM live_samples(?)", [store.batch()]).fetchall()
        assert not seen.intersection(sample for (sample,) in live)
        seen.update(sample for (sample,) in live)
    assert len(seen) == 6


def test_states_that_counted_in_another_run_stay_so_that_private_runs_stay_hidden(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    growing = Growing(folder, 3)
    store = Store.open(":memory:")
    card = folder / "tiny/run.yaml"
    for samples, run in ((1, "secret"), (2, "secret"), (3, "open")):
        card.write_text(f"name: {run}\n", encoding="utf-8")
        growing.write(samples)
        look(folder, store)
    with store.cursor() as cursor:
        runs = cursor.execute("SELECT DISTINCT run FROM placements ORDER BY run").fetchall()
    assert runs == [("open",), ("secret",)]
