"""Queries name views and no table, so that what is hidden from a reader can't be forgotten.

What pages really send is looked at too: by the fixture of `tests.dashboard.test_private_runs`, which opens them all.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from loaders.store import Store
from loaders.store.schema import COLUMNS
from tests.sent_queries import TREE, naming_no_table, strings_of, tables_in, tables_of

WRITERS = (
    "loaders/store", "loaders/ingest.py", "loaders/dry_run.py", "loaders/derive.py", "loaders/placings.py",
    "loaders/standings.py", "loaders/describe.py", "loaders/metrics/settled.py",
)  # fmt: skip
"""What makes the tables, and decides what is in them: it sees everything, and runs for the owner of the store alone.
The demo's makers, which are no part of the application, ask nothing."""

READERS = [
    path
    for path in sorted([*TREE.glob("dashboard/**/*.py"), *TREE.glob("loaders/**/*.py")])
    if not path.relative_to(TREE).as_posix().startswith(WRITERS)
]

EVERYTHING = {"dashboard/review/threads/reading.py"}
"""Who asks views named all_*, which hide nothing: for a number that tells only that something was written."""


def name(path: Path) -> str:
    return path.relative_to(TREE).as_posix()


def test_no_query_outside_the_store_names_a_table() -> None:
    asked = {name(path) for path in READERS for _, text in strings_of(path) if "seen_" in text or "live_" in text}
    assert len(asked) > 25
    assert [
        (name(path), line, sorted(tables_in(text)))
        for path in READERS
        for line, text in strings_of(path)
        if " " in text and tables_in(text)
    ] == []


def test_views_that_hide_nothing_are_asked_where_it_is_said() -> None:
    found = {name(path) for path in READERS for _, text in strings_of(path) if "FROM all_" in text}
    assert found == EVERYTHING


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM evals WHERE eval_id = 1",
        "from runs",
        "SELECT * FROM live_samples($as_of) s JOIN {} JOIN main.placements p USING (eval_id)",
        "SELECT * FROM live_evals(1) e, samples s",
        "INSERT INTO comments VALUES (1)",
        "UPDATE sources SET batch_to = 1",
        "DELETE FROM audit",
        'SELECT 1 WHERE 1 IN (SELECT 1 FROM "threads")',
        "WITH a AS (SELECT * FROM scores) SELECT * FROM a",
    ],
)
def test_a_table_that_is_named_is_found(text: str) -> None:
    assert len(tables_in(text)) == 1


@pytest.mark.parametrize("text", ["SELECT * FROM live_evals(1) JOIN seen_samples() USING (eval_id)", "rates from runs"])
def test_views_and_prose_are_no_tables(text: str) -> None:
    assert tables_in(text) == set()


def test_a_query_that_was_sent_is_looked_at_however_it_was_made() -> None:
    store = Store.open(":memory:")
    with naming_no_table(store), store.cursor() as cursor:
        cursor.execute("SELECT * FROM seen_evals() WHERE eval_id = $id", {"id": 1})
    with pytest.raises(AssertionError, match="placements"), naming_no_table(store), store.cursor() as cursor:
        cursor.execute("SELECT * FROM " + "place" + "ments WHERE eval_id = $id", {"id": 1})
    store.close()


def test_a_view_is_no_table() -> None:
    assert tables_of("WITH evals AS (SELECT 1) SELECT * FROM evals") == set()
    assert tables_of("SELECT * FROM evals") == {"evals"}
    assert "evals" in COLUMNS
