"""The store: written a transaction a file, asked as of any batch, owned by one process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from loaders.errors import DriftlineError, StoreBusy
from loaders.records import EvalRecord, LoadedFile, MessageRecord, ReportedMetric, SampleRecord, ScoreRecord
from loaders.store import Store
from loaders.store.schema import VERSION
from loaders.store.write import ReadFile, SourceFile, Writer


def file(path: str = "a.eval", content: str = "A") -> SourceFile:
    return SourceFile("/root", path, content, "1", 10, 20)


def one_eval(value: float = 1.0, log_id: str | None = "log-1") -> LoadedFile:
    sample = SampleRecord(
        "1", 1, scores=[ScoreRecord("s", value_num=value, value_type="number")], messages=[MessageRecord("user", "hi")]
    )
    return LoadedFile(
        "inspect", [EvalRecord("t", log_eval_id=log_id, samples=[sample], reported=[ReportedMetric("accuracy", value)])]
    )


def values(store: Store, batch: int) -> list[float]:
    with store.cursor() as cursor:
        return [row[0] for row in cursor.execute("SELECT value_num FROM live_scores(?) ORDER BY 1", [batch]).fetchall()]


def test_a_changed_file_supersedes_its_rows_and_the_old_ones_stay_as_of_before() -> None:
    store = Store.open(":memory:")
    with store.cursor() as cursor:
        Writer(cursor, 1).write([ReadFile(file(), one_eval(1.0))])
        Writer(cursor, 2).write([ReadFile(file(content="B"), one_eval(2.0))])
    assert values(store, 0) == []
    assert values(store, 1) == [1.0]
    assert values(store, 2) == [2.0]


def test_a_file_that_became_unreadable_keeps_the_rows_it_had() -> None:
    store = Store.open(":memory:")
    with store.cursor() as cursor:
        Writer(cursor, 1).write([ReadFile(file(), one_eval(1.0))])
        Writer(cursor, 2).set_aside(file(content="B"), "rejected", "eval", "truncated")
        assert values(store, 2) == [1.0]
        Writer(cursor, 3).write([ReadFile(file(content="C"), one_eval(3.0))])
        assert values(store, 3) == [3.0]
        live = cursor.execute("SELECT status, content_hash FROM live_sources(3)").fetchall()
    assert live == [("ingested", "C")]


def test_a_source_at_two_places_ends_with_the_last_of_them() -> None:
    store = Store.open(":memory:")
    with store.cursor() as cursor:
        (source,) = Writer(cursor, 1).write([ReadFile(file("a.eval"), one_eval())])
        Writer(cursor, 1).relocate(file("b.eval"), source)
        Writer(cursor, 2).forget("/root", "a.eval")
        assert values(store, 2) == [1.0]
        Writer(cursor, 3).forget("/root", "b.eval")
        assert values(store, 3) == []


def test_a_failure_half_way_leaves_nothing_of_the_file() -> None:
    store = Store.open(":memory:")
    broken = one_eval()
    broken.evals[0].samples[0].scores[0].value_num = "much"  # type: ignore[assignment]
    with store.cursor() as cursor:
        with pytest.raises(Exception, match="much"):
            Writer(cursor, 1).write([ReadFile(file("b.eval"), one_eval()), ReadFile(file(), broken)])
        for table in ("sources", "locations", "evals", "samples", "scores", "messages", "reported"):
            assert cursor.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table


def test_two_logs_with_one_id_can_both_be_linked_to() -> None:
    store = Store.open(":memory:")
    with store.cursor() as cursor:
        writer = Writer(cursor, 1)
        writer.write([ReadFile(file("a.eval", "A"), one_eval(log_id="same"))])
        writer.write([ReadFile(file("a.json", "BBBBBBBB"), one_eval(log_id="same"))])
        keys = [row[0] for row in cursor.execute("SELECT eval_key FROM evals ORDER BY eval_id").fetchall()]
        assert keys == ["same", "same-BBBBBB"]
        # A newer content of the first keeps the link.
        writer = Writer(cursor, 2)
        writer.write([ReadFile(file("a.eval", "C"), one_eval(log_id="same"))])
        row = cursor.execute("SELECT eval_key FROM evals ORDER BY eval_id DESC LIMIT 1").fetchone()
    assert row == ("same",)


def test_a_store_held_by_another_process_says_by_whom_and_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    script = f"import duckdb, sys; c = duckdb.connect({str(path)!r}); print('open', flush=True); sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout
    assert holder.stdout.readline() == "open\n"
    try:
        with pytest.raises(StoreBusy, match=rf"process {holder.pid} .*--store FILE"):
            Store.open(path)
    finally:
        holder.communicate()
    Store.open(path).close()


def test_a_file_that_is_no_store_is_named(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    path.write_text("this is not a database, it is a text that is long enough to have a header" * 100)
    with pytest.raises(DriftlineError, match=r"s\.duckdb"):
        Store.open(path)


def test_a_store_of_a_newer_driftline_is_refused_untouched(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "s.duckdb")
    with store.cursor() as cursor:
        cursor.execute("INSERT INTO schema_version VALUES (?, NULL)", [VERSION + 1])
    store.close()
    with pytest.raises(DriftlineError, match=r"another version of Driftline"):
        Store.open(tmp_path / "s.duckdb")


def test_sql_can_open_no_file() -> None:
    store = Store.open(":memory:")
    with store.cursor() as cursor, pytest.raises(Exception, match="disabled by configuration"):
        cursor.execute("SELECT * FROM read_text('pyproject.toml')")


def test_rules_of_private_runs_are_those_of_this_driftline_whatever_a_store_was_left_with(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    store = Store.open(path)
    with store.cursor() as cursor:
        cursor.execute("INSERT INTO runs (run, batch_from) VALUES ('secret-1', 1), ('open', 1)")
        cursor.execute("CREATE OR REPLACE MACRO is_hidden(run) AS false")
        cursor.execute("CREATE OR REPLACE MACRO live_runs(n) AS TABLE SELECT * FROM runs")
    store.close()
    again = Store.open(path)
    with again.cursor(hidden=["secret*"]) as cursor:
        assert cursor.execute("SELECT run FROM live_runs(1)").fetchall() == [("open",)]
    again.close()


def test_a_store_in_postgresql_without_what_it_needs_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("loaders.store.lake")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(DriftlineError, match=r"needs psycopg, which isn't installed: pip install 'driftline\[lake\]'"):
        Store.open("ducklake:postgres:dbname=lab")
