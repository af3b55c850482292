"""An empty store is as a new one, whatever was in the one that it is made of."""

from __future__ import annotations

import pytest

from tests.builders import StoreBuilder, built_once, log, samples
from tests.empty_stores import empty_store


def filled() -> StoreBuilder:
    builder = StoreBuilder()
    builder.run("a")
    builder.add(log(samples([1, 0])), run="a", step=1)
    return builder


def test_nothing_is_left_in_it() -> None:
    builder = filled()
    held = builder.store.backend.connection
    assert builder.execute("SELECT max(eval_id), count(*) FROM samples") == [(1, 2)]
    del builder
    again = empty_store()
    assert again.backend.connection is held
    assert again.batch() == 0
    with again.cursor() as cursor:
        for (name,) in cursor.execute("SELECT table_name FROM duckdb_tables()").fetchall():
            rows = cursor.execute(f"SELECT count(*) FROM {name}").fetchone()
            assert rows is not None
            assert (rows[0] > 0) == (name in ("schema_version", "views_version")), name


def test_one_that_is_held_is_nobody_elses() -> None:
    one, other = filled(), filled()
    assert one.store.backend.connection is not other.store.backend.connection
    assert one.execute("SELECT count(*) FROM samples") == other.execute("SELECT count(*) FROM samples") == [(2,)]


def test_one_with_other_tables_is_not_used_again() -> None:
    builder = filled()
    held = builder.store.backend.connection
    builder.execute("ALTER TABLE samples DROP COLUMN target")
    del builder
    assert empty_store().backend.connection is not held


def test_one_that_was_closed_is_not_used_again() -> None:
    builder = filled()
    builder.store.close()
    del builder
    assert empty_store().batch() == 0


@pytest.mark.slow
def test_a_copy_holds_the_same_and_is_written_into_alone() -> None:
    one = filled()
    other = one.copy()
    for (name,) in one.execute("SELECT table_name FROM duckdb_tables() WHERE table_name <> 'schema_version'"):
        of_each = [sorted(map(repr, builder.execute(f"FROM {name}"))) for builder in (one, other)]
        assert of_each[0] == of_each[1], name
    assert other.add(log(samples([1])), run="a", step=2) == one.add(log(samples([0, 0])), run="a", step=3) == 2
    count = "SELECT count(*) FROM samples"
    assert (one.execute(count), other.execute(count)) == ([(4,)], [(3,)])
    assert one.store.batch() == other.store.batch() == 1


def test_what_is_built_once_is_a_copy_for_each() -> None:
    first = built_once(filled)
    one, other = first(), first()
    assert one.store is not other.store
    one.add(log(samples([1])), run="a", step=2)
    assert other.execute("SELECT step FROM placements") == [(1,)]
