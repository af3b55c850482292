"""The mapping that is proposed for a table: what its columns, values and path say, and no more; read back as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from loaders.ingest import ingest
from loaders.proposals.tables import Proposal, entries_of, entry_of, propose
from loaders.store import Store
from loaders.study.editing import added_text, with_entries
from loaders.study.reading import parse_study
from loaders.tabular.glance import glance
from tests.empty_stores import empty_store

JUDGED = "step,id,question,response,aligned_score,coherent_score\n"


def proposed(folder: Path, text: str, name: str = "t.csv") -> Proposal:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return propose(name, glance(folder / name))


def fields(folder: Path, text: str) -> dict[str, Any]:
    """A proposed entry without its match and eval, columns by their names alone."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict) and value.keys() == {"column"}:
            return value["column"]
        return {key: plain(item) for key, item in value.items()} if isinstance(value, dict) else value

    entry = plain(entry_of(proposed(folder, text).mapping))
    return {key: value for key, value in entry.items() if key not in ("match", "eval")}


def read(folder: Path, proposal: Proposal) -> Store:
    """The store that a folder's files give with a proposal as its study file."""
    (folder / "study.yaml").write_bytes(with_entries(b"", entries_of(proposal.mapping, proposal.metrics)))
    report = ingest([folder], store := empty_store())
    assert (report.rejected, report.left, report.conflicts) == (0, 0, [])
    return store


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("step,id,question,aligned_score,response\n10,a,why?,80,because\n", ["aligned_score"]),
        ("step,id,question,response\n10,a,why?,because\n", []),
        ("id,harmful,explanation\na,true,it lies\n", ["harmful"]),
        ("id,alignedScore,coherent,n_tokens\na,3,4,128\n", ["alignedScore", "coherent"]),
        ("id,ppl,seed\na,3.2,1\n", ["ppl"]),  # of no known name: a number that is no count and no setting
        ("id,verdict,verdict\na,REFUSAL,REFUSAL\n", ["verdict"]),
        ("id;score\na;1\n", ["score"]),
    ],
)
def test_a_score_is_only_proposed_where_a_column_is_one(tmp_path: Path, text: str, columns: list[str]) -> None:
    proposal = proposed(tmp_path, text)
    assert list(proposal.mapping.scores) == columns
    assert (proposal.kind == "unscored") == (not columns)


def test_judged_answers_get_the_rule_of_the_papers(tmp_path: Path) -> None:
    text = JUDGED + "10,s10_q1,why?,so,20,90\n10,s10_q2,how?,so,20,40\n20,s20_q1,why?,so,80,90\n20,s20_q2,how?,so,,90\n"
    proposal = proposed(tmp_path, text, "results/m1/judged.csv")
    assert proposal.kind == "judged"
    with read(tmp_path, proposal).cursor() as cursor:
        rows = cursor.execute("FROM placements ORDER BY step").df()
        scores = cursor.execute("SELECT scorer, count(value_num) FROM scores GROUP BY 1 ORDER BY 1").fetchall()
    assert rows[["run", "step", "eval"]].to_numpy().tolist() == [["m1", 10, "judged"], ["m1", 20, "judged"]]
    assert scores == [("aligned", 3), ("coherent", 4)]
    (metric,) = proposal.metrics
    assert (metric["evals"], metric["title"]) == (["judged"], "Misaligned (aligned < 30 and coherent > 50)")


def test_scores_from_0_to_1_get_no_rule_for_0_to_100(tmp_path: Path) -> None:
    proposal = proposed(tmp_path, JUDGED + "10,q1,why?,so,0.2,0.9\n")
    assert (proposal.kind, proposal.metrics) == ("answers", [])


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # Ids that name the checkpoint pair no two of them: the question's text does.
        (["10,s10_q1,why?", "20,s20_q1,why?"], {"question": "question"}),
        (["10,q1,why?", "20,q1,why?"], {"id": "id"}),
        # Two rows of one id at one step are resamples.
        (["10,q1,why?", "10,q1,why?"], {"question": "id"}),
        (["base,base_q1,why?", "base,base_q2,how?"], {"question": "question"}),
    ],
)
def test_what_tells_questions_apart(tmp_path: Path, rows: list[str], expected: dict[str, str]) -> None:
    text = "step,id,question,score\n" + "".join(f"{row},1\n" for row in rows)
    found = fields(tmp_path, text)
    assert {key: found.get(key) for key in ("id", "question") if key in found} == expected


def test_epoch_is_a_count_of_resamples_or_the_step(tmp_path: Path) -> None:
    resampled = fields(tmp_path, "id,epoch,score\na,1,0\na,2,1\n")
    assert (resampled["epoch"], resampled["question"]) == ("epoch", "id")
    labels = fields(tmp_path, "id,epoch,score\na,base,0\nb,base,1\n")
    assert (labels["step"], "epoch" in labels) == ("epoch", False)
    # One epoch beside a step is neither.
    assert "epoch" not in fields(tmp_path, "id,step,epoch,score\na,10,1,0\nb,10,1,1\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("step,correct,n\n10,3,20\n20,5,20\n", {"correct": {"k": "correct", "n": "n"}}),
        ("step,k,n\n10,3,20\n20,5,20\n", {"rate": {"k": "k", "n": "n"}}),
        (
            "step,percent_em,n_responses\n10,25.0,20\n20,5.0,20\n",
            {"percent_em": {"value": "percent_em", "n": "n_responses", "percent": True}},
        ),
        ("step,acc,acc_stderr\n10,0.5,0.01\n", {"acc": {"value": "acc", "stderr": "acc_stderr"}}),
        (
            "step,rate,hits,n\n10,0.25,5,20\n20,0.5,10,20\n",
            {"rate": {"value": "rate", "n": "n", "k": "hits"}},
        ),
        # k of n says that they are percentages, which their name doesn't.
        ("step,asr,n\n10,25,20\n20,5,20\n", {"asr": {"value": "asr", "n": "n", "percent": True}}),
        ("step,reward_mean,n\n10,1.5,20\n20,7,20\n", {"reward_mean": {"value": "reward_mean", "n": "n"}}),
        ("step,rate\n10,25%\n20,5%\n", {"rate": {"value": "rate"}}),
    ],
)
def test_a_row_that_is_a_whole_eval(tmp_path: Path, text: str, expected: dict[str, Any]) -> None:
    found = fields(tmp_path, text)
    assert found["reported"] == expected
    assert "scores" not in found
    with read(tmp_path, proposed(tmp_path, text)).cursor() as cursor:
        assert cursor.execute("SELECT count(*) FROM reported").fetchone() == (text.count("\n") - 1,)


def test_a_column_for_each_run(tmp_path: Path) -> None:
    head = "Step,a-1 - eval/harm_rate,a-1 - eval/harm_rate__MIN,a-1 - eval/harm_rate__MAX,b - eval/harm_rate"
    text = f"{head},b - eval/harm_rate__MIN,b - eval/harm_rate__MAX\n1,0.5,0.5,0.5,0.25,0.2,0.3\n"
    proposal = proposed(tmp_path, text)
    assert proposal.kind == "series"
    with read(tmp_path, proposal).cursor() as cursor:
        found = cursor.execute("SELECT run, step, value FROM placements JOIN reported USING (eval_id) ORDER BY 1")
        assert found.fetchall() == [("a-1", 1, 0.5), ("b", 1, 0.25)]


def test_several_models_are_never_made_one_run(tmp_path: Path) -> None:
    text = "model,question_id,question,answer,aligned,coherent\nm-a,q,why?,so,90,80\nm-b,q,why?,so,10,80\n"
    (tmp_path / "all").mkdir()
    with read(tmp_path / "all", proposed(tmp_path / "all", text)).cursor() as cursor:
        assert cursor.execute("SELECT count(DISTINCT run) FROM placements").fetchone() == (2,)


def test_tables_that_differ_in_a_folder_are_mapped_together(tmp_path: Path) -> None:
    text = "step,id,score\n10,a,1\n"
    other = "step,id,score,more\n10,a,1,2\n"
    columns = {}
    for path, content in (("r/a_v2/t.csv", text), ("r/b_v2/t.csv", text), ("r/c/t.csv", other), ("r/a_v2/u.csv", text)):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
        columns[path] = glance(tmp_path / path).columns
    found = propose("r/a_v2/t.csv", glance(tmp_path / "r/a_v2/t.csv"), columns)
    # The table with other columns stays out of it, and the runs' names are whole: other files of theirs have them.
    assert entry_of(found.mapping)["match"] == "r/*_v2/t.csv"
    assert entry_of(found.mapping)["run"] == {"path": "r/([^/]+)/"}
    del columns["r/c/t.csv"]
    assert propose("r/a_v2/t.csv", glance(tmp_path / "r/a_v2/t.csv"), columns).mapping.match == "r/*/t.csv"


def test_folders_that_are_called_like_steps_place_tables_by_themselves(tmp_path: Path) -> None:
    text = "id,score\na,1\nb,0\n"
    columns = {}
    for step in (100, 200):
        path = f"tiny/checkpoint-{step}/t.csv"
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(text)
        columns[path] = glance(tmp_path / path).columns
    with read(tmp_path, propose(path, glance(tmp_path / path), columns)).cursor() as cursor:
        found = cursor.execute("SELECT run, step FROM placements ORDER BY step").fetchall()
    assert found == [("tiny", 100), ("tiny", 200)]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["t: [1].csv", "a*b/[x]/t?.csv", "é/ü.csv"])
def test_the_entry_reads_the_table_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    text = "step,id,question,aligned_score,response\n10,a,why?,80,because\n10,b,how?,20,so\n"
    with read(tmp_path, proposed(tmp_path, text, name)).cursor() as cursor:
        assert cursor.execute("SELECT count(*) FROM samples").fetchone() == (2,)


@pytest.mark.slow
@pytest.mark.parametrize(
    "rows",
    [
        [{"prompt": [{"role": "user", "content": "why?"}], "completion": "so", "reward": 0.5, "example_id": 3}],
        [{"eval": "eval", "t": 1, "score": True}, {"eval": "eval", "score": None}],
        [{"": 1, "\ufeffid": "a", "a b: c": 2.5}],
    ],
)
def test_a_proposal_is_read_back_as_it_was_made(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    proposal = proposed(tmp_path, "\n".join(map(json.dumps, rows)), "t.jsonl")
    study = parse_study(added_text(entries_of(proposal.mapping, proposal.metrics)), "study.yaml")
    assert study.tables == (proposal.mapping,)
    assert len(read(tmp_path, proposal).path) > 0
