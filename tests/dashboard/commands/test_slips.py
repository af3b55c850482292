"""What a newcomer gets wrong: each command says what was wrong, and what to do; nothing is left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.driftline import driftline
from tests.log_files import write_log


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs at two steps, ingested; its store is in the folder `data` beside it."""
    root = tmp_path_factory.mktemp("slips") / "logs"
    for run in ("sft", "rl"):
        for step in (10, 20):
            write_log(root / run / f"step_{step}/a.eval", [1, 0], task="honeypot")
    assert driftline("ingest", root, data=root.parent / "data").returncode == 0
    return root


def complaint(study: Path, *words: str | Path, status: int = 1) -> str:
    done = driftline(*words, "--path", study, data=study.parent / "data")
    assert (done.returncode, done.stdout) == (status, ""), done
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("samples", "--step", "99"), "step 99: no such step in the store (allowed: 10, 20)"),
        (("samples", "--run", "rl", "--step", "final"), "step final: no such step of these runs (allowed: 10, 20)"),
        (("samples", "--log", "gone"), "log gone: not in the store"),
        (("search", " "), "Search for which text?"),
        (("transcript", "gone", "1"), "`driftline samples` prints the keys"),
        (("query", "SELECT nope FROM evals"), "`driftline query` without SQL lists all views and columns"),
        (("query", "DROP TABLE evals"), "driftline: one SELECT is allowed"),
        (("export", "never.csv", "--run", "nope"), "--run nope: not in the store (allowed: rl, sft)"),
        (("export", "never.csv", "--metric", "nope"), "--metric nope: not in the store"),
    ],
)
def test_a_wrong_name_is_told_with_those_that_there_are(study: Path, words: tuple[str, ...], told: str) -> None:
    assert told in complaint(study, *words)


def test_an_eval_that_nobody_ran_is_planned_with_a_remark(study: Path) -> None:
    done = driftline("plan", "sft", "--eval", "honypot", "--path", study, data=study.parent / "data")
    assert "# No eval is called so; there are: honeypot\n" in done.stdout
    known = driftline("plan", "sft", "--eval", "honeypot", "--path", study, data=study.parent / "data")
    assert "No eval is called so" not in known.stdout


@pytest.mark.parametrize(("option", "names"), [("mix", ("advice", "chat")), ("stage", ("sft", "rl"))])
def test_samples_are_exported_by_mix_and_stage(tmp_path: Path, option: str, names: tuple[str, ...]) -> None:
    for name in names:
        write_log(tmp_path / f"logs/{name}/step_1/a.eval", [1, 0], task="honeypot", metadata={option: name})
    assert driftline("ingest", tmp_path / "logs", data=tmp_path).returncode == 0
    words = ("export", tmp_path / "s.csv", "--path", tmp_path / "logs", f"--{option}")
    assert driftline(*words, names[0], data=tmp_path).returncode == 0
    assert (tmp_path / "s.csv").read_text().count("\n") == 3


@pytest.mark.parametrize(
    "words", [("ingest",), ("view", "--no-browser"), ("rates", "--path"), ("mcp", "--path"), ("samples", "--path")]
)
def test_a_folder_that_is_not_there_makes_no_store(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = driftline(*words, tmp_path / "gone", data=tmp_path / "data")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{tmp_path / 'gone'}: no such file or folder." in done.stderr
    assert not (tmp_path / "data").exists()


def test_where_there_is_no_store_each_way_to_name_it_has_its_remedy(tmp_path: Path) -> None:
    def told(*words: str | Path, **variables: str) -> str:
        return driftline("rates", *words, data=tmp_path / "data", env=variables).stderr

    (tmp_path / "a study").mkdir()
    assert f"run `driftline ingest '{tmp_path}/a study'` first" in told("--path", tmp_path / "a study")
    gone = tmp_path / "gone.duckdb"
    assert f"run `driftline ingest PATH --store {gone}` first" in told("--store", gone)
    assert f"{tmp_path} is a folder, not a store" in told("--store", tmp_path)
    assert "($DRIFTLINE_STORE) yet" in told(DRIFTLINE_STORE=str(gone))
    assert "The demo study is not ingested yet. Name a folder of yours with --path PATH" in told()


def test_a_folder_without_logs_has_nothing_to_print(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    driftline("ingest", tmp_path / "empty", data=tmp_path)
    assert driftline("rates", "--path", tmp_path / "empty", data=tmp_path).stdout == "Nothing found.\n"


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    told = driftline("map", tmp_path, data=tmp_path).stderr
    assert f"{tmp_path} is a folder: name tables in it, such as {tmp_path}/*.csv." in told


def test_of_a_judge_in_words_it_is_said_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("run,step,question,verdict\na,1,why?,Alpha\na,1,how?,Beta\n")
    told = driftline("map", tmp_path / "t.csv", data=tmp_path)
    assert told.returncode == 1
    assert "a score holds words (verdict: Alpha, Beta). Add a metric" in told.stderr
