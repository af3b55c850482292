"""What scripts ask: the pages' own numbers, the same in every encoding and by whoever owns the store."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pyarrow.parquet as pq
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from dashboard import answers, commands, notebook
from dashboard.answers import Answer, answer
from dashboard.console import finding
from dashboard.exports.csv import as_written
from dashboard.handover import PREFIX, Owner
from dashboard.queries.excerpts import excerpts
from dashboard.queries.samples import SampleFilter, SampleName, samples_page
from dashboard.queries.transcript import transcript
from dashboard.server_routes import routes
from loaders.errors import DriftlineError
from loaders.store import Store
from tests.driftline import driftline
from tests.private_runs import MARKER, write_study

HIDDEN = (f"{MARKER}-*",)
LOG = "plain-100-honeypot"

QUESTIONS: list[answers.Asked] = [
    answers.Runs(),
    answers.Evals(),
    answers.Views(),
    answers.Rates(),
    answers.Rates(rates=commands.RateArguments(metric=["all"], eval=["honeypot"])),
    answers.Compare(compare=commands.CompareArguments(["plain@100", "other@200"], target=0.1)),
    answers.Samples(),
    answers.Samples(step=(100,), outcome=("misaligned",), sort="value", full=True, limit=5, offset=1),
    answers.Samples(text="dilemma", excerpts=True),
    answers.Transcript(log=LOG, sample="1"),
    answers.Query(
        sql="SELECT run, step, count(*) AS n FROM evals JOIN samples USING (eval_id) GROUP BY ALL ORDER BY ALL"
    ),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder with an ingested study in `study`."""
    root = tmp_path_factory.mktemp("answers")
    write_study(root / "study")
    assert driftline("ingest", root / "study", "--store", root / "s.duckdb", data=root).returncode in (0, 1)
    return root


@pytest.fixture(scope="module")
def store(data: Path) -> Iterator[Store]:
    made = Store.open(data / "copy.duckdb")
    commands.run_ingest(made, commands.IngestArguments([str(data / "study")]), None)
    yield made
    made.close()


def encoded(store: Store, asked: answers.Asked, encoding: str) -> bytes:
    return answer(store, msgspec.structs.replace(asked, encoding=encoding)).data


def rows(store: Store, asked: answers.Asked) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(encoded(store, asked, "json"))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("asked", QUESTIONS, ids=lambda asked: type(asked).__name__)
def test_json_csv_and_parquet_hold_the_same(store: Store, asked: answers.Asked) -> None:
    told: Any = json.loads(encoded(store, asked, "json"))
    told = told if isinstance(told, list) else told.get("differences", told.get("messages"))
    table = pq.read_table(io.BytesIO(encoded(store, asked, "parquet"))).to_pylist()
    lines = list(csv.DictReader(io.StringIO(encoded(store, asked, "csv").decode())))
    assert told
    assert len(told) == len(table) == len(lines) == answer(store, asked).rows
    for one, two, line in zip(told, table, lines, strict=True):
        for name in one.keys() & two.keys():
            value = one[name]
            if value is None or isinstance(value, str):
                assert as_written(line[name]) == (value or "")
            elif isinstance(value, int | float):
                assert two[name] == value
                assert line[name] == str(two[name])


def test_samples_and_excerpts_are_those_of_the_page(store: Store) -> None:
    with store.cursor() as con:
        page = samples_page(con, SampleFilter(steps=(100,), text="Dilemma 3"), as_of=1)
        names = [SampleName(*each) for each in zip(page["log"], page["sample"], map(int, page["epoch"]), strict=True)]
        there = excerpts(con, "Dilemma 3", names, 1)
    asked = answers.Samples(step=(100,), text="Dilemma 3")
    found = rows(store, asked)
    assert [(row["log"], row["sample"], row["outcome"], row["prompt"]) for row in found] == list(
        zip(page["log"], page["sample"], page["outcome"], page["prompt"], strict=True)
    )
    asked.excerpts = True
    assert [(row["place"], row["excerpt"]) for row in rows(store, asked)] == [
        (there[name].place, there[name].text) for name in names
    ]


def test_rates_are_those_of_the_command(store: Store) -> None:
    told = commands.run_rates(store, commands.RateArguments()).rows
    found = rows(store, answers.Rates())
    for name in ("run", "step", "eval", "metric", "n", "k", "rate", "low", "high", "n_missing"):
        assert [row[name] for row in found] == [row[name] for row in told]  # type: ignore[literal-required]


def test_the_gaps_of_a_run_are_its_checkpoints_without_a_finished_log(store: Store) -> None:
    told = json.loads(answer(store, answers.Gaps(run=f"{MARKER}-run", eval="honeypot")).data)
    assert [one["step"] for one in told["checkpoints"]] == [300]
    assert (told["evaluated"], told["example"]["task"]) == (3, "honeypot")
    other = json.loads(answer(store, answers.Gaps(run="plain", eval="never run")).data)
    assert ([one["step"] for one in other["checkpoints"]], other["example"]) == ([0, 100, 200], None)


def test_a_limit_says_that_there_is_more(store: Store) -> None:
    assert answer(store, answers.Samples(limit=3)).more
    assert not answer(store, answers.Samples(run=("plain",), step=(0,), limit=6)).more
    skipped = rows(store, answers.Samples(limit=2, offset=2))
    assert [row["sample"] for row in skipped] == [row["sample"] for row in rows(store, answers.Samples(limit=4))[2:]]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (answers.Samples(run=("gone",)), "run gone: not in the store (allowed: other, plain, zebra-run)."),
        (answers.Samples(eval=("gone",)), "eval gone: not in the store"),
        (answers.Samples(metric="gone"), "metric gone: unknown (allowed: "),
        (answers.Samples(outcome=("bad",)), "outcome bad: unknown (allowed: misaligned, aligned"),
        (answers.Samples(sort="bad"), "sort bad: unknown (allowed: run, step"),
        (answers.Samples(limit=0), "A limit from 1 to 100,000"),
        (answers.Transcript(log="gone", sample="1"), "No log with the key gone"),
        (answers.Transcript(log=LOG, sample="gone"), "holds no sample gone"),
        (answers.Runs(as_of=9), "not an import of this store"),
    ],
)
def test_what_is_not_there_is_told(store: Store, asked: answers.Asked, told: str) -> None:
    with pytest.raises(DriftlineError) as error:
        answer(store, asked)
    assert told in str(error.value)


@pytest.mark.slow
@pytest.mark.parametrize("asked", QUESTIONS, ids=lambda asked: type(asked).__name__)
def test_nothing_of_hidden_runs_is_in_any_answer(store: Store, asked: answers.Asked) -> None:
    for encoding in ("json", "csv", "parquet"):
        data = encoded(store, msgspec.structs.replace(asked, hidden=HIDDEN), encoding)
        assert data
        assert MARKER not in (
            str(pq.read_table(io.BytesIO(data)).to_pylist()) if encoding == "parquet" else data.decode()
        )


@pytest.mark.slow
@pytest.mark.parametrize(
    "asked",
    [
        answers.Samples(run=(f"{MARKER}-run",)),
        answers.Samples(log=(f"{MARKER}-run-0-honeypot",)),
        answers.Samples(text=MARKER, excerpts=True),
        answers.Transcript(log=f"{MARKER}-run-0-honeypot", sample=f"{MARKER} question 1"),
        answers.Rates(rates=commands.RateArguments(run=[f"{MARKER}-run"])),
        answers.Compare(compare=commands.CompareArguments([f"{MARKER}-run@100", "plain@100"])),
        answers.Query(sql=f"FROM evals WHERE run = '{MARKER}-run'"),
        answers.Gaps(run=f"{MARKER}-run", eval="honeypot"),
    ],
    ids=lambda asked: type(asked).__name__,
)
def test_a_hidden_run_that_is_named_is_as_one_that_is_not_there(store: Store, asked: answers.Asked) -> None:
    assert said(store, asked) == ""
    told = said(store, msgspec.structs.replace(asked, hidden=HIDDEN))
    assert told == "nothing" or re.search(
        "No log with the key|not in the store|no run .* in the store|no checkpoint of such", told
    )
    assert MARKER not in told.partition("allowed")[2]


def said(store: Store, asked: answers.Asked) -> str:
    """What is said in place of an answer; empty where there is one."""
    try:
        return "" if json.loads(answer(store, asked).data) else "nothing"
    except DriftlineError as error:
        return str(error)


@pytest.mark.slow
def test_a_running_dashboard_answers_the_same(store: Store) -> None:
    owner = Owner(1, "127.0.0.1", 1, "", "token")
    client = TestClient(Starlette(routes=routes(store, owner)))
    headers = {"Authorization": "Bearer token"}
    for asked in QUESTIONS:
        told = client.post(f"{PREFIX}/ask", json=msgspec.to_builtins(asked), headers=headers)
        assert msgspec.json.decode(told.content, type=Answer) == answer(store, asked)
    wrong = client.post(f"{PREFIX}/ask", json={"type": "query", "sql": "DROP TABLE evals"}, headers=headers)
    assert (wrong.status_code, "one SELECT is allowed" in wrong.text) == (422, True)
    assert client.post(f"{PREFIX}/ask", json={"type": "runs"}).status_code == 403


@pytest.mark.slow
def test_the_commands_print_tables_json_csv_and_files(data: Path, store: Store) -> None:
    def run(*words: str | Path) -> str:
        done = driftline(*words, "--store", data / "s.duckdb", data=data)
        assert (done.returncode, done.stderr.startswith("driftline:")) == (0, False), done.stderr
        return done.stdout

    words = ("samples", "--run", "plain", "--step", "100", "--outcome", "misaligned")
    asked = answers.Samples(run=("plain",), step=(100,), outcome=("misaligned",))
    assert json.loads(run(*words, "--format", "json")) == rows(store, asked)
    assert run(*words).count("misaligned") == len(rows(store, asked)) > 0
    file = data / "out.parquet"
    assert "Wrote" in run(*words, "--format", "parquet", "--out", file)
    assert pd.read_parquet(file)["sample"].tolist() == [row["sample"] for row in rows(store, asked)]
    assert "prompt  Dilemma 1" in run("search", "dilemma 1", "--run", "plain")
    assert "n\r\n72" in run("query", "SELECT count(*) AS n FROM samples WHERE input <> ''", "--format", "csv")
    assert "eval_id" in run("query")
    text = run("transcript", LOG, "1")
    with store.cursor() as con:
        held = transcript(con, LOG, "1", 1, 1)
    assert all(message["text"] in text for message in held.messages)
    assert "judge: " in text
    assert json.loads(run("transcript", LOG, "1", "--format", "json"))["sample"]["sample_key"] == "1"
    wrong = driftline("query", "DROP TABLE evals", "--store", data / "s.duckdb", data=data)
    assert (wrong.returncode, wrong.stderr[:11]) == (1, "driftline: ")


@pytest.mark.slow
def test_a_notebook_has_frames_with_whole_numbers_that_may_be_missing(data: Path, store: Store) -> None:
    study = notebook.open(store=data / "s.duckdb")
    rates = study.rates(eval="honeypot", run=["plain", "other"])
    told = commands.run_rates(store, commands.RateArguments(run=["plain", "other"], eval=["honeypot"])).rows
    assert [*zip(rates["run"], rates["step"], rates["k"], rates["n"], rates["rate"], strict=True)] == [
        (row["run"], row["step"], row["k"], row["n"], row["rate"]) for row in told
    ]
    assert str(rates["step"].dtype) == "Int64"
    assert set(study.runs()["run"]) == {"plain", "other", f"{MARKER}-run"}
    assert study.evals().set_index("eval").loc["honeypot", "default_metric"] == "mean_judge"
    assert len(study.samples(run="plain", step=100)) == 6
    assert study.samples(limit=2).attrs["more"]
    assert study.search("dilemma 1", run="plain")["place"].tolist() == ["prompt"] * 3
    assert study.transcript(LOG, 1)["log"]["run"] == "plain"
    assert study.compare("plain@100", "other@100", eval="honeypot")["difference"].tolist() == [0.0]
    frame = study.query("SELECT step, NULL::INT AS missing FROM evals WHERE run = 'plain' ORDER BY step")
    assert (frame["step"].tolist(), frame["missing"].isna().all()) == ([0, 100, 200], True)
    assert set(study.views()["view"]) >= {"evals", "samples"}


def test_there_is_an_answer_to_each_question_and_a_command_for_it() -> None:
    assert {*map(type, QUESTIONS), answers.Gaps} == set(answers.ANSWERS)
    assert finding.SHOWN.keys() == {"samples", "search"}
