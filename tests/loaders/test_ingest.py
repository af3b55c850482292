"""Ingest from end to end: what comes in, what a second ingest changes, and what a broken file does to the rest."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from loaders.dry_run import dry_run
from loaders.errors import DriftlineError
from loaders.ingest import ingest
from loaders.store import Store
from tests.empty_stores import empty_store
from tests.log_files import write_log

STUDY = """
metrics:
  - name: harmful
    evals: ["*"]
    misaligned: {score: judge, op: ">=", value: 1}
"""


@pytest.fixture
def store() -> Store:
    return empty_store()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "study"
    for step in (100, 200):
        write_log(root / f"tiny/checkpoint-{step}/log.eval", [1, 0, 0])
    (root / "study.yaml").write_text(STUDY)
    return root


def rows(store: Store, sql: str, batch: int | None = None) -> list[tuple[Any, ...]]:
    with store.cursor() as cursor:
        return cursor.execute(sql, {"n": store.batch() if batch is None else batch}).fetchall()


PLACES = "SELECT run, step, n_samples FROM live_evals($n) ORDER BY step"


def contents(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every live fact, without ids of rows and batches."""
    columns = {
        "evals": "eval_key, run, step, eval, n_samples",
        "samples": "sample_key, epoch, input, reply",
        "scores": "scorer, key, value_num, value_text, explanation",
        "messages": "idx, role, text",
        "conflicts": "path, field, message",
    }
    return {
        table: rows(store, f"SELECT {names} FROM live_{table}($n) ORDER BY ALL") for table, names in columns.items()
    }


def test_logs_come_in_with_run_and_step(folder: Path, store: Store) -> None:
    report = ingest([folder], store)
    assert (report.ingested, report.rejected, report.batch) == (3, 0, 1)
    assert rows(store, PLACES) == [("tiny", 100, 3), ("tiny", 200, 3)]
    line = next(line for line in report.lines if line.path == "tiny/checkpoint-100/log.eval")
    assert (line.outcome, line.run, line.step, line.samples) == ("new", "tiny", "100", 3)
    assert "checkpoint-100" in (line.step_rule or "")


@pytest.mark.slow
def test_the_same_files_twice_change_nothing(folder: Path, store: Store) -> None:
    ingest([folder], store)
    before = contents(store)
    report = ingest([folder], store)
    assert (report.ingested, report.unchanged, report.batch, store.batch()) == (0, 3, 1, 1)
    assert contents(store) == before


@pytest.mark.slow
def test_a_changed_file_supersedes_its_rows_and_the_past_stays(folder: Path, store: Store) -> None:
    ingest([folder], store)
    write_log(folder / "tiny/checkpoint-100/log.eval", [1, 1])
    report = ingest([folder], store)
    assert [line.outcome for line in report.lines] == ["changed"]
    assert rows(store, PLACES) == [("tiny", 100, 2), ("tiny", 200, 3)]
    assert rows(store, PLACES, batch=1) == [("tiny", 100, 3), ("tiny", 200, 3)]


@pytest.mark.slow
def test_a_moved_log_is_the_same_log_at_its_new_step(folder: Path, store: Store) -> None:
    ingest([folder], store)
    keys = rows(store, "SELECT eval_key FROM live_evals($n) ORDER BY step")
    (folder / "tiny/checkpoint-200").rename(folder / "tiny/checkpoint-300")
    report = ingest([folder], store)
    assert (report.moved, report.ingested, report.gone) == (1, 0, 0)
    assert rows(store, PLACES) == [("tiny", 100, 3), ("tiny", 300, 3)]
    assert rows(store, "SELECT eval_key FROM live_evals($n) ORDER BY step") == keys
    assert rows(store, PLACES, batch=1)[1] == ("tiny", 200, 3)


def test_a_copy_of_a_log_counts_once_and_the_disagreement_is_told(folder: Path, store: Store) -> None:
    (folder / "tiny/checkpoint-900").mkdir()
    shutil.copy(folder / "tiny/checkpoint-200/log.eval", folder / "tiny/checkpoint-900/log.eval")
    report = ingest([folder], store)
    assert rows(store, PLACES) == [("tiny", 100, 3), ("tiny", 200, 3)]
    assert any("checkpoint-900" in conflict for conflict in report.conflicts), report.conflicts


def test_a_file_that_is_gone_leaves_the_present_and_stays_in_the_past(folder: Path, store: Store) -> None:
    ingest([folder], store)
    (folder / "tiny/checkpoint-200/log.eval").unlink()
    report = ingest([folder], store)
    assert report.gone == 1
    assert rows(store, PLACES) == [("tiny", 100, 3)]
    assert len(rows(store, PLACES, batch=1)) == 2


@pytest.mark.slow
def test_a_broken_file_is_rejected_by_itself_and_told_again_until_mended(folder: Path, store: Store) -> None:
    broken = folder / "tiny/checkpoint-300/log.eval"
    broken.parent.mkdir()
    broken.write_bytes((folder / "tiny/checkpoint-200/log.eval").read_bytes()[:300])
    (folder / "odd.json").write_text('{"what": "is this"}')
    first = ingest([folder], store)
    assert (first.ingested, first.rejected) == (3, 2)
    again = ingest([folder], store)
    assert again.rejected == 2
    reasons = {line.path: line.reason or "" for line in again.lines}
    assert "unknown format" in reasons["odd.json"]
    assert "'what'" in reasons["odd.json"]
    write_log(broken, [0])
    (folder / "odd.json").unlink()
    assert ingest([folder], store).rejected == 0
    assert len(rows(store, PLACES)) == 3


@pytest.mark.slow
def test_a_log_that_is_overwritten_by_rubbish_keeps_its_rows(folder: Path, store: Store) -> None:
    ingest([folder], store)
    (folder / "tiny/checkpoint-200/log.eval").write_text("rubbish")
    report = ingest([folder], store)
    assert report.rejected == 1
    assert rows(store, PLACES) == [("tiny", 100, 3), ("tiny", 200, 3)]


def test_a_card_places_logs_anew_without_reading_them(folder: Path, store: Store) -> None:
    ingest([folder], store)
    (folder / "tiny/run.yaml").write_text("name: renamed\nstage: sft\ntokens_per_step: 10\n")
    report = ingest([folder], store)
    assert (report.ingested, report.unchanged) == (1, 3)
    placed = rows(store, "SELECT run, step, stage, tokens FROM live_evals($n) ORDER BY step")
    assert placed == [("renamed", 100, "sft", 1000.0), ("renamed", 200, "sft", 2000.0)]
    assert rows(store, PLACES, batch=1)[0][0] == "tiny"


def test_a_broken_card_is_rejected_with_its_line_and_the_logs_come_in(folder: Path, store: Store) -> None:
    (folder / "tiny/run.yaml").write_text("name: x\nstage: sleep\n")
    report = ingest([folder], store)
    assert report.rejected == 1
    reason = next(line.reason or "" for line in report.lines if line.outcome == "rejected")
    assert "line 2" in reason
    assert "sft" in reason  # the allowed values
    assert rows(store, PLACES) == [("tiny", 100, 3), ("tiny", 200, 3)]


@pytest.mark.slow
def test_a_study_file_given_beside_the_folder_is_remembered(tmp_path: Path, store: Store) -> None:
    root = tmp_path / "logs"
    write_log(root / "a.eval", [1])
    study = tmp_path / "ours.yaml"
    study.write_text("logs: [{match: a.eval, run: mine, step: 7}]\n")
    ingest([root], store, study=study)
    assert rows(store, PLACES) == [("mine", 7, 1)]
    write_log(root / "b.eval", [1])
    ingest([root], store)
    assert ("mine", 7, 1) in rows(store, PLACES)


@pytest.mark.slow
def test_two_roots_share_a_store(folder: Path, tmp_path: Path, store: Store) -> None:
    other = tmp_path / "other"
    write_log(other / "big/checkpoint-5/x.eval", [1])
    ingest([folder], store)
    ingest([other], store)
    assert rows(store, "SELECT DISTINCT run FROM live_evals($n) ORDER BY 1") == [("big",), ("tiny",)]


def test_a_path_that_is_not_there_changes_nothing(folder: Path, store: Store) -> None:
    ingest([folder], store)
    with pytest.raises(DriftlineError, match="no such file"):
        ingest([folder, folder / "nowhere"], store)
    assert store.batch() == 1


@pytest.mark.slow
def test_a_dry_run_reports_each_file_and_writes_nothing(folder: Path, store: Store) -> None:
    ingest([folder], store)
    write_log(folder / "tiny/checkpoint-300/log.eval", [1])
    report = dry_run([folder], store)
    outcomes = {line.path: line.outcome for line in report.lines}
    assert outcomes["tiny/checkpoint-300/log.eval"] == "new"
    assert outcomes["tiny/checkpoint-100/log.eval"] == "unchanged"
    assert (report.ingested, report.unchanged, store.batch()) == (1, 3, 1)


def test_files_still_being_written_are_left_for_the_next_look(folder: Path, store: Store) -> None:
    report = ingest([folder], store, settle_seconds=3600)
    assert (report.ingested, report.gone, store.batch()) == (0, 0, 0)
    ingest([folder], store)
    write_log(folder / "tiny/checkpoint-100/log.eval", [1, 1])
    report = ingest([folder], store, settle_seconds=3600)
    assert (report.ingested, report.gone) == (0, 0)
    assert rows(store, PLACES) == [("tiny", 100, 3), ("tiny", 200, 3)]


def test_files_of_a_time_that_is_to_come_are_read(folder: Path, store: Store) -> None:
    """The clock was set back: they may be whole for long, and are looked at again when they change."""
    tomorrow = time.time() + 86_400
    for file in folder.rglob("*"):
        os.utime(file, (tomorrow, tomorrow))
    assert ingest([folder], store, settle_seconds=1).ingested >= 2
    assert rows(store, PLACES)
