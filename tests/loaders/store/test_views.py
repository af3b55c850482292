"""The views of a store: never old, and all that people wrote is hidden with the runs that it tells of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loaders.store import Store
from loaders.store.columns import add

HIDDEN = ["secret*"]


def seen(store: Store, sql: str, hidden: list[str] | None = None) -> list[tuple[Any, ...]]:
    with store.cursor(hidden=HIDDEN if hidden is None else hidden) as cursor:
        found: list[tuple[Any, ...]] = cursor.execute(sql).fetchall()
    return found


@pytest.fixture
def store() -> Store:
    """Two logs with a sample each: one of a run that some may not see."""
    made = Store.open(":memory:")
    with made.cursor() as cursor:
        for eval_id, run in ((1, "open"), (2, "secret-run")):
            add(cursor, "evals", {"eval_id": eval_id, "source_id": eval_id, "eval_key": f"log-{eval_id}"})
            add(cursor, "placements", {"eval_id": eval_id, "run": run, "batch_from": 1})
            add(cursor, "samples", {"sample_id": eval_id, "eval_id": eval_id, "source_id": eval_id, "input": run})
            add(cursor, "scores", {"sample_id": eval_id, "eval_id": eval_id, "source_id": eval_id})
            add(cursor, "messages", {"sample_id": eval_id, "source_id": eval_id, "text": run})
            add(cursor, "standings", {"eval_id": eval_id, "reason": run, "batch_from": 1})
            add(cursor, "passed_over", {"sample_id": eval_id, "eval_id": eval_id, "batch_from": 1})
            add(cursor, "measured", {"measure_id": 1, "eval_id": eval_id})
            add(cursor, "sources", {"source_id": eval_id, "status": "ingested", "batch_from": 1})
            add(cursor, "locations", {"root": f"/{run}", "path": "a", "source_id": eval_id, "batch_from": 1})
        roots = '["/open", "/secret-run"]'
        add(cursor, "batches", {"batch": 1, "roots": roots, "report": '{"files": 2}'})
    return made


@pytest.mark.slow
@pytest.mark.parametrize(
    "view",
    [
        "seen_evals()", "seen_samples()", "seen_scores()", "seen_messages()", "seen_placements()", "seen_sources()",
        "seen_locations()", "seen_measured()", "live_standings(1)", "live_passed_over(1)", "live_placements(1)",
    ],
)  # fmt: skip
def test_of_what_came_in_the_half_is_seen(store: Store, view: str) -> None:
    assert len(seen(store, f"FROM {view}", [])) == 2
    assert len(seen(store, f"FROM {view}")) == 1


def test_a_batch_tells_of_no_folder_that_holds_only_what_is_hidden_and_has_no_report(store: Store) -> None:
    told = "SELECT roots, report FROM seen_batch_reports()"
    assert seen(store, told) == [('["/open"]', None)]
    assert seen(store, told, []) == [('["/open", "/secret-run"]', '{"files": 2}')]


def test_everything_of_a_probe_is_hidden_with_it(store: Store) -> None:
    with store.transaction() as cursor:
        for number, run in ((1, "open"), (2, "secret-run")):
            probe, reply = {"probe_id": f"p{number}"}, {"reply_id": number}
            add(cursor, "probes", probe)
            add(cursor, "probe_columns", probe | {"position": 0, "run": run, "model": "m"})
            add(cursor, "probe_replies", probe | reply)
            add(cursor, "probe_judges", probe | {"judge_id": f"j{number}", "model": "judge"})
            add(cursor, "probe_likelihoods", probe | {"position": 0})
            add(cursor, "probe_pieces", reply | {"text": run})
            add(cursor, "probe_ends", reply | {"status": "complete"})
            add(cursor, "probe_verdicts", reply | {"judge_id": f"j{number}"})
            add(cursor, "probe_marks", reply | {"author": "ann", "note": "not like secret-run"})
    of_probe = ("probes", "probe_columns", "probe_replies", "probe_judges", "probe_likelihoods")
    of_reply = ("probe_pieces", "probe_ends", "probe_verdicts", "probe_marks")
    for table in of_probe + of_reply:
        assert len(seen(store, f"FROM seen_{table}()", [])) == 2, table
        key = "probe_id" if table in of_probe else "reply_id"
        assert seen(store, f"SELECT {key} FROM seen_{table}()") == [("p1",) if table in of_probe else (1,)], table
    # The note names the run, which its probe has nothing to do with.
    assert seen(store, "SELECT author, note FROM seen_probe_marks()") == [("ann", None)]


def test_a_verdict_stands_without_a_note_that_names_a_hidden_run_and_not_on_a_log_that_is_hidden(store: Store) -> None:
    with store.transaction() as cursor:
        for log, run, note in (
            ("log-1", "open", "as in secret-run"),
            ("log-1", "open", "plain"),
            # Given when the log was in a run that all may see.
            ("log-2", "before", "plain"),
        ):
            add(cursor, "sample_verdicts", {"eval_key": log, "run": run, "note": note, "author": "ann"})
    assert len(seen(store, "FROM seen_sample_verdicts()", [])) == 3
    told = seen(store, "SELECT eval_key, note FROM seen_sample_verdicts() ORDER BY ALL")
    assert told == [("log-1", "plain"), ("log-1", None)]


def test_a_rescoring_is_hidden_by_what_it_is_called_and_its_items_by_their_samples(store: Store) -> None:
    with store.transaction() as cursor:
        for number, title in ((1, "All of it"), (2, "secret-run once more")):
            of = {"judging_id": f"r{number}"}
            add(cursor, "judgings", of | {"title": title, "model": "judge", "runs": ["open"]})
            for sample in (1, 2):
                add(cursor, "judging_items", of | {"position": sample, "sample_id": sample})
                add(cursor, "judging_verdicts", of | {"position": sample, "attempt": 0})
    assert seen(store, "SELECT judging_id FROM seen_judgings()") == [("r1",)]
    for table in ("judging_items", "judging_verdicts"):
        assert len(seen(store, f"FROM seen_{table}()", [])) == 4
        assert seen(store, f"SELECT judging_id, position FROM seen_{table}()") == [("r1", 1)]


def test_a_thread_is_hidden_with_its_comments_and_marks(store: Store) -> None:
    with store.transaction() as cursor:
        for thread, log in (("t1", "log-1"), ("t2", "log-2")):
            of = {"thread_id": thread}
            add(cursor, "threads", of | {"kind": "sample", "anchor_json": f'{{"log": "{log}"}}', "runs": []})
            add(cursor, "comments", of | {"text": "look"})
            add(cursor, "comments", of | {"text": "like secret-run"})
            add(cursor, "thread_marks", of | {"mark": "tagged", "subject": "secret-run"})
            add(cursor, "thread_marks", of | {"mark": "resolved", "subject": None})
    assert seen(store, "SELECT thread_id FROM seen_threads()") == [("t1",)]
    assert seen(store, "SELECT thread_id, text FROM seen_comments()") == [("t1", "look")]
    assert seen(store, "SELECT thread_id, mark FROM seen_thread_marks()") == [("t1", "resolved")]
    assert seen(store, "FROM all_changes()") == [(8,)]


def test_views_of_another_driftline_are_made_new(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    store = Store.open(path)
    with store.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE MACRO live_runs(n) AS TABLE SELECT 'old' AS run")
        cursor.execute("UPDATE views_version SET fingerprint = 'of another text'")
    store.close()
    again = Store.open(path)
    assert seen(again, "FROM live_runs(1)", []) == []
    again.close()


@pytest.mark.slow
def test_views_come_with_a_store_that_was_written_anew(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store.duckdb")
    with store.transaction() as cursor:
        for run in ("open", "secret-run"):
            add(cursor, "runs", {"run": run, "batch_from": 1})
    for _ in range(2):
        assert seen(store, "SELECT run FROM live_runs(1)") == [("open",)]
        assert len(seen(store, "SELECT run FROM live_runs(1)", [])) == 2
        assert store.compact() is not None
    store.close()
