"""`driftline map`: from a table that nothing maps to its rates, and into the study file."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.cli import main

ROWS = "step,id,question,harmful\n10,a,why?,1\n10,b,how?,0\n20,a,why?,0\n20,b,how?,0\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "my-run" / "judged.csv"
    path.parent.mkdir()
    path.write_text(ROWS)
    return path


def test_the_proposal_is_printed_with_its_rates(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["map", str(table)]) == 0
    said = capsys.readouterr().out
    assert "  - match: judged.csv\n" in said
    assert "    run: my-run\n" in said
    assert [line.split()[:5] for line in said.splitlines() if line.startswith("my-run") and " mean_" not in line] == [
        ["my-run", "10", "judged", "harmful", "50.0%"],
        ["my-run", "20", "judged", "harmful", "0.0%"],
    ]
    assert not (table.parent / "study.yaml").exists()


def test_options_go_before_what_is_proposed_and_it_is_written(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = table.parents[1] / "study.yaml"
    study.write_text("# mine\ntitle: T\n")
    assert main(["map", str(table), "--run", "sft", "--eval", "advice", "--stage", "sft", "--write"]) == 0
    assert study.read_text().startswith("# mine\ntitle: T\ntables:\n  - match: my-run/judged.csv\n    eval: advice\n")
    assert "evals: [advice]" in study.read_text()
    assert f"Written to {study}. Next: driftline view {study.parent}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--stage", "later"], "stage"),
        (["--study", "/elsewhere/study.yaml"], "lies outside of"),
    ],
)
def test_what_makes_no_sense_is_said_and_not_written(
    table: Path, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["map", str(table), *options, "--write"]) == 1
    assert said in capsys.readouterr().err
    assert not (table.parent / "study.yaml").exists()


def test_a_table_without_scores_gives_none(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table.write_text("id,question,response\na,why?,so\n")
    assert main(["map", str(table), "--write"]) == 1
    assert "no column is read as a score" in capsys.readouterr().err
    assert not (table.parent / "study.yaml").exists()


@pytest.mark.parametrize("name", ["gone.csv", "text.txt"])
def test_what_is_no_table_is_refused(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.txt").write_text("x")
    assert main(["map", str(tmp_path / name)]) == 1
    assert name in capsys.readouterr().err
