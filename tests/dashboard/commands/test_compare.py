"""`driftline compare`, run as a user runs it: by itself and through a running dashboard, with the page's numbers."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from pathlib import Path

import pytest

from dashboard import numerals
from dashboard.queries.compare import DIFFERENCE_COLUMNS, CompareQuery, compare
from loaders.store import Store
from tests.driftline import driftline, viewing
from tests.log_files import write_log

pytestmark = pytest.mark.slow

STUDY = """
metrics:
  - {name: harmful, evals: ["*"], misaligned: {score: judge, op: ">=", value: 1}}
"""

GROUP = """
groups:
  honeypots: {evals: [honeypot, sabotage]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "study"
    for run, values in (("tiny", [1] * 8 + [0] * 4), ("safe", [1] + [0] * 10)):
        write_log(root / f"{run}/checkpoint-100/log.eval", values)
    (root / "study.yaml").write_text(STUDY)
    return root


@pytest.fixture
def store(folder: Path, tmp_path: Path) -> Path:
    path = tmp_path / "s.duckdb"
    assert driftline("ingest", folder, "--store", path, data=tmp_path).returncode == 0
    return path


def command(*arguments: str, store: Path) -> subprocess.CompletedProcess[str]:
    return driftline("compare", *arguments, "--store", store, data=store.parent)


def test_every_format_has_the_numbers_of_the_query(store: Path) -> None:
    done = command("tiny@100", "safe@100", "--format", "json", store=store)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    opened = Store.open(store)
    with opened.cursor() as cursor:
        expected = compare(cursor, CompareQuery(("tiny@100", "safe@100")), opened.batch())
    opened.close()
    (row,) = answer["differences"]
    ours = expected.differences.iloc[0]
    for name in ("difference", "low", "high", "p", "p_corrected", "effect", "rate", "baseline_rate", "questions"):
        assert row[name] == pytest.approx(ours[name])
    assert (answer["baseline"], answer["correction"], row["definition"]) == ("tiny@100", "Holm", "judge >= 1")
    assert len(answer["flips"]) == len(expected.flips) == 7
    assert answer["incomparable"][0]["what"] == "questions"
    table = list(csv.DictReader(io.StringIO(command("tiny", "safe", "--format", "csv", store=store).stdout)))
    assert list(table[0]) == list(DIFFERENCE_COLUMNS)
    assert float(table[0]["low"]) == row["low"]
    shown = command("tiny", "safe", store=store)
    assert numerals.figures(row["low"]) in shown.stdout
    assert "Holm over 1 comparisons" in shown.stdout
    assert "answered questions differ" in shown.stderr


def test_the_table_says_what_its_averages_lack_and_what_was_not_paired(folder: Path, tmp_path: Path) -> None:
    """What only columns of CSV and JSON hold would never be seen by who reads the table."""
    (folder / "study.yaml").write_text(STUDY + GROUP)
    path = tmp_path / "group.duckdb"
    assert driftline("ingest", folder, "--store", path, data=tmp_path).returncode == 0
    shown = command("tiny", "safe", store=path)
    assert shown.returncode == 0, shown.stderr
    said = " ".join(shown.stderr.split())
    assert "honeypots safe@100: Missing from the mean of differences: sabotage" in said
    flags = json.loads(command("tiny", "safe", "--format", "json", store=path).stdout)["differences"]
    assert all(flag in said for row in flags for flag in row["flags"])


def test_baseline_and_correction_are_choices(store: Path) -> None:
    choices = ("--baseline", "safe", "--correction", "bh", "--metric", "harmful", "--format", "json")
    answer = json.loads(command("tiny", "safe", *choices, store=store).stdout)
    assert (answer["baseline"], answer["correction"]) == ("safe@100", "Benjamini-Hochberg")
    assert answer["differences"][0]["difference"] > 0


def test_what_is_not_there_is_told_with_what_is(store: Path) -> None:
    for arguments, said in (
        (("tiny@300", "safe"), 'run "tiny" was not evaluated at "300" (it was at: 100)'),
        (("tinny", "safe"), 'no run "tinny" in the store (allowed: '),
        (("tiny", "safe", "--eval", "nothing"), "--eval nothing: not in the store (allowed: "),
        (("tiny",), "it takes 2 to 8"),
    ):
        done = command(*arguments, store=store)
        assert done.returncode == 1
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_a_running_dashboard_answers_the_same(folder: Path, tmp_path: Path) -> None:
    with viewing(folder, data=tmp_path):
        during = driftline("compare", "tiny", "safe", "--path", folder, "--format", "json", data=tmp_path)
        wrong = driftline("compare", "tiny@3", "safe", "--path", folder, data=tmp_path)
    after = driftline("compare", "tiny", "safe", "--path", folder, "--format", "json", data=tmp_path)
    assert during.returncode == 0, during.stderr
    assert json.loads(during.stdout) == json.loads(after.stdout)
    assert (wrong.returncode, "it was at: 100" in wrong.stderr) == (1, True)


def test_the_command_explains_itself(tmp_path: Path) -> None:
    done = driftline("compare", "--help", data=tmp_path)
    assert done.returncode == 0
    assert "--baseline" in done.stdout
