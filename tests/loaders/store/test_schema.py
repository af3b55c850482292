"""The tables of a store: what `schema.sql` states, in new stores and in those of an older Driftline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from dashboard.probe.saving import TABLES as OF_PROBES
from loaders.store import Store
from loaders.store.schema import COLUMNS, VERSION
from loaders.store.sql import identifier

LATER = {
    "evals": {"n_planned"},
    "reported": {"k"},
    "runs": {"weights", "section"},
    "checkpoints": {"weights", "adapter", "folder"},
    "probe_likelihoods": {"reserved"},
    "sample_verdicts": {"drawn"},
    "audit": {"place"},
}
"""Columns that stores of the first versions lack."""


def of_store(store: Store) -> dict[str, dict[str, str]]:
    """Of each table the columns in their order, with their types, as DuckDB has them."""
    sql = """
    SELECT table_name, column_name, data_type FROM duckdb_columns()
    WHERE schema_name = 'main' AND table_name IN (SELECT table_name FROM duckdb_tables())
    ORDER BY table_name, column_index
    """
    found: dict[str, dict[str, str]] = {}
    with store.cursor() as cursor:
        for table, column, kind in cursor.execute(sql).fetchall():
            found.setdefault(table, {})[column] = kind
    return found


def ordered(tables: dict[str, dict[str, str]]) -> dict[str, list[Any]]:
    return {table: list(columns.items()) for table, columns in tables.items()}


def older(path: Path, version: int, without: set[str]) -> None:
    """A store of an older Driftline, with a run and an eval in it.

    Args:
        without: Tables that it lacks, besides the columns that came later.
    """
    with duckdb.connect(str(path)) as connection:
        for table, columns in COLUMNS.items():
            if table not in without:
                kept = [f"{name} {kind}" for name, kind in columns.items() if name not in LATER.get(table, set())]
                connection.execute(f"CREATE TABLE {table} ({', '.join(kept)})")
        connection.execute("INSERT INTO schema_version VALUES (?, TIMESTAMP '2026-01-01')", [version])
        connection.execute("INSERT INTO runs (run, label, batch_from) VALUES ('advice', 'Advice', 1)")
        connection.execute("INSERT INTO evals (eval_id, eval_key) VALUES (7, 'key')")


def test_a_new_store_has_what_is_stated() -> None:
    assert len(COLUMNS) > 40
    assert sum(map(len, COLUMNS.values())) > 350
    store = Store.open(":memory:")
    assert ordered(of_store(store)) == ordered(dict(sorted(COLUMNS.items())))
    store.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("version", "without"),
    [
        (
            1,
            {name for name in COLUMNS if name.startswith("probe")}
            | {"measures", "audit", "views_version", "standings"},
        ),
        (8, {"views_version"}),
    ],
)
def test_a_store_of_an_older_driftline_is_given_what_it_lacks(tmp_path: Path, version: int, without: set[str]) -> None:
    path = tmp_path / "store.duckdb"
    older(path, version, without)
    for _ in range(2):
        store = Store.open(path)
        assert ordered(of_store(store)) == ordered(dict(sorted(COLUMNS.items())))
        with store.cursor() as cursor:
            assert cursor.execute("SELECT run, label, weights FROM live_runs(1)").fetchall() == [
                ("advice", "Advice", None)
            ]
            assert cursor.execute("SELECT eval_key, n_planned FROM seen_evals()").fetchall() == [("key", None)]
            versions = cursor.execute("SELECT version FROM schema_version ORDER BY ALL").fetchall()
        assert versions == [(version,), (VERSION,)]
        store.close()


def test_rows_of_probes_are_the_columns_of_their_tables() -> None:
    assert {table: set(row.__struct_fields__) for row, table in OF_PROBES.items()} == {
        table: set(COLUMNS[table]) for table in OF_PROBES.values()
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", ["private", "main", "a name, with 'quotes\""])
def test_a_store_may_be_called_like_a_schema(tmp_path: Path, name: str) -> None:
    store = Store.open(tmp_path / f"{name}.duckdb")
    with store.transaction() as cursor:
        cursor.execute("INSERT INTO runs (run, batch_from) VALUES ('secret-1', 1), ('open', 1)")
    with store.cursor(hidden=["secret*"]) as cursor:
        assert cursor.execute("SELECT run FROM live_runs(1)").fetchall() == [("open",)]
    store.close()


@pytest.mark.slow
@pytest.mark.parametrize("table", COLUMNS)
def test_who_may_not_see_all_reads_no_table(table: str, refusing: Store) -> None:
    with refusing.cursor(hidden=["secret*"]) as cursor, pytest.raises(duckdb.Error, match=f"{table} is a table"):
        cursor.execute(f"SELECT * FROM {identifier(table)}")


@pytest.fixture(scope="module")
def refusing() -> Store:
    return Store.open(":memory:")
