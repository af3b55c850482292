"""Roots within roots, links between them and copies in one: each file counts once, and that is told."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from loaders.dry_run import dry_run
from loaders.errors import DriftlineError
from loaders.ingest import ingest
from loaders.report import IngestReport
from loaders.store import Store
from tests.audit_files import response, verdict, write
from tests.empty_stores import empty_store

STUDY = """
tables:
  - {match: "**/*.csv", eval: mine, run: run, step: step, id: id, prompt: prompt, reply: reply, scores: {judge: score}}
"""
TABLE = "id,prompt,reply,step,run,score\n1,a,b,100,r1,1\n2,c,d,100,r1,0\n1,a,b,200,r1,1\n"
WHOLE = {("blackmail", 100, 2), ("mine", 100, 2), ("mine", 200, 1)}
COUNTED = """
SELECT eval, step, n_samples FROM live_evals($n) JOIN live_standings($n) s USING (eval_id)
WHERE s.role = 'speaks' ORDER BY ALL
"""


@pytest.fixture
def store() -> Store:
    return empty_store()


@pytest.fixture
def study(tmp_path: Path) -> Path:
    root = tmp_path / "A"
    (root / "sub/deep").mkdir(parents=True)
    (root / "study.yaml").write_text(STUDY)
    (root / "sub/x.csv").write_text(TABLE)
    for number in (1, 2):
        write(
            root / f"sub/deep/results/e/models/m/blackmail_none-none_none/sample_00{number}/response.json",
            response("blackmail_none-none_none", number, verdict(number == 1)),
        )
    return root


def counted(store: Store) -> list[tuple[Any, ...]]:
    with store.cursor() as cursor:
        return cursor.execute(COUNTED, {"n": store.batch()}).fetchall()


def places(store: Store) -> set[tuple[str, str]]:
    with store.cursor() as cursor:
        return set(cursor.execute("SELECT root, path FROM live_locations(?)", [store.batch()]).fetchall())


def told(report: IngestReport) -> str:
    return "\n".join(report.notes)


@pytest.mark.slow
@pytest.mark.parametrize(
    "calls",
    [
        [["A", "A/sub"]], [["A/sub", "A"]], [["A", "A/sub/deep", "A/sub", "A"]], [["A"], ["A/sub"]], [["A/sub"], ["A"]],
        [["A/sub/deep"], ["A/sub"], ["A"], ["A/sub"]], [["A"], ["A/sub/x.csv"]], [["A/sub/x.csv"], ["A"]],
        [["A", "A/sub/x.csv", "A/sub/x.csv"]], [["A/sub"], ["A/sub/x.csv", "A"]],
        [["A", "link"]], [["link"], ["A"]], [["A"], ["link"]],
    ],
)  # fmt: skip
def test_roots_within_roots_count_once(study: Path, store: Store, calls: Sequence[Sequence[str]]) -> None:
    (study.parent / "link").symlink_to(study / "sub", target_is_directory=True)
    notes = ""
    for paths in calls:
        report = ingest([study.parent / path for path in paths], store)
        assert (report.rejected, report.gone) == (0, 0)
        notes += told(report)
    assert len(counted(store)) == 3
    assert set(counted(store)) == WHOLE
    assert {root for root, _ in places(store)} == {str(study)}
    assert str(study / "sub") in notes or calls[0] == ["A/sub/x.csv"]


@pytest.mark.slow
def test_a_folder_that_comes_in_with_one_around_it_keeps_its_logs_and_what_is_changed_or_gone_is_seen(
    study: Path, store: Store
) -> None:
    ingest([study / "sub"], store)
    keys = "SELECT eval_key FROM live_evals($n) WHERE eval = 'blackmail'"
    with store.cursor() as cursor:
        before = cursor.execute(keys, {"n": 1}).fetchall()
    report = ingest([study], store)
    assert "which was in this store by itself" in told(report)
    with store.cursor() as cursor:
        assert cursor.execute(keys, {"n": 2}).fetchall() == before
        assert len(cursor.execute("SELECT * FROM live_locations(1)").fetchall()) == 3  # the past stays as it was
    (study / "sub/x.csv").write_text(TABLE.replace("200", "300"))
    shutil.rmtree(study / "sub/deep")
    report = ingest([study / "sub"], store)
    assert (report.ingested, report.gone) == (1, 1)
    assert counted(store) == [("mine", 100, 2), ("mine", 300, 1)]


def test_links_into_another_root_are_not_entered(study: Path, store: Store) -> None:
    other = study.parent / "C"
    other.mkdir()
    (other / "study.yaml").write_text(STUDY)
    (other / "linked").symlink_to(study / "sub", target_is_directory=True)
    report = ingest([other], store)
    assert len(counted(store)) == 3
    ingest([study], store)  # both are roots of their own: what is one checkpoint's and the same counts once
    assert set(counted(store)) == WHOLE
    assert len(counted(store)) == 3
    report = ingest([other, study], store)
    assert f"{other / 'linked'} leads into {study}, and is read there" in report.notes
    assert set(counted(store)) == WHOLE
    assert {path for root, path in places(store) if root == str(other)} == {"study.yaml"}


def test_files_named_by_themselves_leave_their_neighbours_alone(study: Path, store: Store) -> None:
    (study / "sub/study.yaml").write_text(STUDY)
    (study / "sub/y.csv").write_text(TABLE.replace("r1", "r2"))
    for name in ("x.csv", "y.csv", "x.csv"):
        assert ingest([study / "sub" / name], store).gone == 0
    assert counted(store) == [("mine", 100, 2), ("mine", 100, 2), ("mine", 200, 1), ("mine", 200, 1)]


@pytest.mark.slow
def test_the_same_content_at_one_checkpoint_counts_once_and_at_another_is_another(study: Path, store: Store) -> None:
    shutil.copy(study / "sub/x.csv", study / "copy of x.csv")
    shutil.copytree(study / "sub/deep/results", study / "backup")
    report = ingest([study], store)
    assert set(counted(store)) == WHOLE
    assert len(counted(store)) == 3
    assert report.copies == 1  # the folder of responses; of a table, its path may say what it is
    (study / "copy of x.csv").unlink()
    (study / "study.yaml").write_text(STUDY.replace("run: run,", "run: {path: '([^/]*)/[^/]*$'},"))
    shutil.copytree(study / "sub", study / "other", ignore=shutil.ignore_patterns("deep"))
    ingest([study], store)
    assert len([row for row in counted(store) if row[0] == "mine"]) == 4


@pytest.mark.slow
def test_a_study_file_that_was_given_for_one_folder_never_speaks_of_another(study: Path, store: Store) -> None:
    given = study.parent / "given.yaml"
    given.write_text(STUDY)
    ingest([study / "sub"], store, study=given)
    with pytest.raises(DriftlineError, match=r"A holds .*sub, which is in this store with a study file"):
        ingest([study], store)
    ingest([study], store, study=given)
    with pytest.raises(DriftlineError, match=r"--study would speak of all of it"):
        ingest([study / "sub"], store, study=given)
    assert set(counted(store)) == WHOLE


@pytest.mark.slow
def test_a_dry_run_says_the_same(study: Path, store: Store) -> None:
    ingest([study], store)
    report = dry_run([study / "sub"], store)
    assert "that is brought up to date" in told(report)
    assert (report.ingested, report.gone) == (0, 0)
