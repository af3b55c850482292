"""An empty store is as a new one, whatever was in the one that it is made of."""

from __future__ import annotations

from tests.builders import StoreBuilder, log, samples
from tests.empty_stores import empty_store


def filled() -> StoreBuilder:
    builder = StoreBuilder()
    builder.run("a")
    builder.add(log(samples([1, 0])), run="a", step=1)
    return builder


def test_nothing_is_left_in_it() -> None:
    builder = filled()
    held = builder.store._connection
    assert builder.execute("SELECT max(eval_id), count(*) FROM samples") == [(1, 2)]
    del builder
    again = empty_store()
    assert again._connection is held
    assert again.batch() == 0
    with again.cursor() as cursor:
        for (name,) in cursor.execute("SELECT table_name FROM duckdb_tables()").fetchall():
            rows = cursor.execute(f"SELECT count(*) FROM {name}").fetchone()
            assert rows is not None
            assert (rows[0] > 0) == (name == "schema_version"), name


def test_one_that_is_held_is_nobody_elses() -> None:
    one, other = filled(), filled()
    assert one.store._connection is not other.store._connection
    assert one.execute("SELECT count(*) FROM samples") == other.execute("SELECT count(*) FROM samples") == [(2,)]


def test_one_with_other_tables_is_not_used_again() -> None:
    builder = filled()
    held = builder.store._connection
    builder.execute("ALTER TABLE samples DROP COLUMN target")
    del builder
    assert empty_store()._connection is not held


def test_one_that_was_closed_is_not_used_again() -> None:
    builder = filled()
    builder.store.close()
    del builder
    assert empty_store().batch() == 0
