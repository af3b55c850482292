"""What is hidden stays so in every view, while the store changes between queries and while a cursor is open."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from loaders.store import Store
from loaders.store.columns import add
from loaders.store.schema import COLUMNS
from loaders.store.views import look_there_first

pytestmark = pytest.mark.slow

HIDDEN = ["secret*"]

OF_NO_LOG = {
    "schema_version", "views_version", "batches", "study", "measures", "runs", "checkpoints", "saved_views", "judgings",
}  # fmt: skip
"""Tables whose rows are not hidden with a log: by the names in them, or not at all."""

OF_RUNS = ("live_runs", "live_run_places", "live_checkpoints", "seen_run_names", "seen_saved_views", "seen_judgings")

VIEWS = """
SELECT DISTINCT function_name, len(parameters) FROM duckdb_functions()
WHERE function_type = 'table_macro' AND regexp_matches(function_name, '^(seen|live)_') ORDER BY ALL
"""


def put(store: Store, number: int, run: str, batch: int = 1) -> None:
    """A row in every table that tells of one log: each text and id in it holds the number, but for the run's name."""
    text = f"tell-{number}"
    json = f'{{"log": "{text}", "probe": "{text}"}}'
    given = {"run": run, "batch_from": batch, "batch_to": None, "measure_id": 1, "address": f"?log={text}"}
    values: dict[str, Any] = {"VARCHAR": text, "BIGINT": number, "VARCHAR[]": [], "JSON": json}
    values |= {"BIGINT[]": [number], "DOUBLE[]": [0.5]}
    with store.transaction() as cursor:
        for table in COLUMNS.keys() - OF_NO_LOG:
            row = {
                name: json if name.endswith("_json") else values[kind]
                for name, kind in COLUMNS[table].items()
                if kind in values
            }
            if table == "passed_over":  # another sample, or the log's own would have no outcome
                row["sample_id"] = 10 * number
            add(cursor, table, row | {name: value for name, value in given.items() if name in row})


def place(store: Store, number: int, run: str, batch: int) -> None:
    with store.transaction() as cursor:
        add(cursor, "placements", {"eval_id": number, "eval": f"tell-{number}", "run": run, "batch_from": batch})


def telling(cursor: duckdb.DuckDBPyConnection, number: int, as_of: int = 9) -> set[str]:
    """The views in which anything of a log stands."""
    views = cursor.execute(VIEWS).fetchall()
    return {
        view
        for view, parameters in views
        if str(number) in str(cursor.execute(f"FROM {view}({as_of if parameters else ''})").fetchall())
    }


@pytest.fixture
def store() -> Store:
    made = Store.open(":memory:")
    put(made, 1111, "open")
    put(made, 2222, "was-open")
    return made


def every_view_of_logs(store: Store) -> set[str]:
    with store.cursor() as cursor:
        views = {view for view, _ in cursor.execute(VIEWS).fetchall()}
    return views - {*OF_RUNS, "live_study", "seen_any_scan", "seen_measures", "seen_batches", "seen_batch_reports"}


def test_a_log_that_comes_into_a_private_run_goes_out_of_every_view(store: Store) -> None:
    with store.cursor(hidden=HIDDEN) as cursor:
        assert telling(cursor, 2222) == telling(cursor, 1111) == every_view_of_logs(store)
    place(store, 2222, "secret-run", 2)
    for as_of in (1, 2):
        with store.cursor(hidden=HIDDEN) as cursor:
            assert telling(cursor, 2222, as_of) == set()
            assert telling(cursor, 1111, as_of) == every_view_of_logs(store)
    with store.cursor(hidden=["another*"]) as cursor:
        assert telling(cursor, 2222) == every_view_of_logs(store)


def test_a_cursor_that_is_open_sees_nothing_of_what_comes_in_meanwhile(store: Store) -> None:
    with store.cursor(hidden=HIDDEN) as opened:
        put(store, 3333, "secret-run", 2)
        place(store, 2222, "secret-run", 2)
        assert telling(opened, 3333) == set()
        with store.cursor(hidden=HIDDEN) as later:
            assert telling(later, 3333) == telling(later, 2222) == set()
        # As it was when the cursor was opened, whole.
        assert telling(opened, 2222) == every_view_of_logs(store)
    with store.cursor() as cursor:
        assert telling(cursor, 3333) == every_view_of_logs(store)


def test_a_log_that_is_still_being_written_is_hidden_as_soon_as_it_is_placed(store: Store) -> None:
    for number in range(4001, 4006):
        put(store, number, "secret-run", 2)
        with store.cursor(hidden=HIDDEN) as cursor:
            assert telling(cursor, number) == set()
            assert telling(cursor, 1111) == every_view_of_logs(store)


def test_a_note_that_names_a_private_run_is_hidden_by_the_next_query(store: Store) -> None:
    for told, seen in (("like open", 1), ("like secret-run, at 5555", 0), ("at secret-run/5555.eval", 0)):
        with store.transaction() as cursor:
            cursor.execute("DELETE FROM comments")
            add(cursor, "comments", {"comment_id": "5555", "thread_id": "tell-1111", "text": told})
        with store.cursor(hidden=HIDDEN) as cursor:
            assert len(cursor.execute("FROM seen_comments()").fetchall()) == seen, told


def test_a_text_that_holds_a_runs_label_is_hidden_once_the_run_has_it(store: Store) -> None:
    with store.transaction() as cursor:
        add(cursor, "comments", {"comment_id": "c", "thread_id": "tell-1111", "text": "as with Fox (v1.5+) then"})
    texts = "FROM seen_comments() WHERE comment_id = 'c'"
    with store.cursor(hidden=HIDDEN) as cursor:
        assert len(cursor.execute(texts).fetchall()) == 1
    with store.transaction() as cursor:
        add(cursor, "runs", {"run": "secret-run", "label": "Fox (v1.5+)", "batch_from": 2})
        add(cursor, "runs", {"run": "open", "label": "fox", "batch_from": 2})
    with store.cursor(hidden=HIDDEN) as cursor:
        assert cursor.execute(texts).fetchall() == []
        assert cursor.execute("FROM hidden_names()").fetchall() == [("Fox (v1.5+)",), ("secret-run",)]


def test_what_is_reckoned_from_a_private_run_is_hidden_for_as_long_as_a_run_comes_after_it(store: Store) -> None:
    with store.transaction() as cursor:
        for run, parent, since, until in (
            ("child", "secret-run", 1, 3), ("child", "open", 3, None),
            ("grandchild", "child", 2, 5), ("grandchild", None, 5, None), ("apart", "open", 1, None),
        ):  # fmt: skip
            row = {"run": run, "parent_run": parent, "lineage_offset": 100, "batch_from": since, "batch_to": until}
            add(cursor, "runs", row)
    shown: dict[int, list[str]] = {}
    with store.cursor(hidden=HIDDEN) as cursor:
        for as_of in range(1, 6):
            asked = "SELECT run FROM {}($n) WHERE lineage_offset = 100 ORDER BY run"
            rows = [cursor.execute(asked.format(view), {"n": as_of}).fetchall() for view in OF_RUNS[:2]]
            assert rows[0] == rows[1]
            shown[as_of] = [run for (run,) in rows[0]]
    assert shown == {1: ["apart"], 2: ["apart"], 3: (all_ := ["apart", "child", "grandchild"]), 4: all_, 5: all_}


def test_where_it_was_not_found_out_what_is_hidden_nothing_is_shown(store: Store) -> None:
    with store.cursor(hidden=HIDDEN):
        pass
    with store.cursor() as cursor:
        look_there_first(cursor)
        assert telling(cursor, 1111) == set()


def test_who_may_not_see_all_writes_nothing_by_the_cursor_that_reads(store: Store) -> None:
    with store.cursor(hidden=HIDDEN) as cursor, pytest.raises(duckdb.Error, match="read-only"):
        cursor.execute("INSERT INTO main.comments (text) VALUES ('x')")
