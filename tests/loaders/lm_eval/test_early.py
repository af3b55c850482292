"""lm-evaluation-harness 0.4.0 to mid-2024: samples as one JSON list, called by the model's arguments or by a date.

The names and layouts are those that `__main__.py` of 0.4.0 to 0.4.2 and the first `EvaluationTracker` give.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from loaders import lm_eval
from loaders.errors import RejectedFile
from loaders.listing import list_root
from tests.real_stores import ingested

ARGUMENTS = "pretrained=/ckpts/sft7/checkpoint-500,dtype=bfloat16"
FOUND = """
SELECT run, step, eval, n_samples, (SELECT sum(value_num) FROM scores s WHERE s.eval_id = e.eval_id) AS ones,
       (SELECT count(*) FROM messages JOIN samples USING (sample_id) WHERE eval_id = e.eval_id) AS messages
FROM live_evals($n) e
"""
DAYS = ("2024-05-14T17-07-12.477774", "2024-05-15T17-07-12.477774")


def row(doc_id: int, acc: float) -> dict[str, Any]:
    prompt = f"Q{doc_id}?"
    return {
        "doc_id": doc_id, "doc": {"q": prompt}, "target": "yes", "arguments": [[prompt, " yes"], [prompt, " no"]],
        "resps": [[[-1.0, True]], [[-2.0, False]]], "filtered_resps": [[-1.0, True], [-2.0, False]], "acc": acc,
    }  # fmt: skip


def answer(doc_id: int, text: str, match: float) -> dict[str, Any]:
    return {
        "doc_id": doc_id, "doc": {"q": "?"}, "target": "4", "arguments": [["2+2?", {"until": ["\n"]}]],
        "resps": [["it is 4"]], "filtered_resps": [text], "exact_match": match,
    }  # fmt: skip


def results(task: str = "truthfulqa_mc1", arguments: str = ARGUMENTS, acc: float = 0.5) -> dict[str, Any]:
    return {
        "results": {task: {"acc,none": acc, "acc_stderr,none": 0.28, "alias": task}},
        "configs": {task: {"task": task}}, "versions": {task: 2.0}, "n-shot": {task: 0},
        "config": {"model": "hf", "model_args": arguments}, "git_hash": "abc",
    }  # fmt: skip


def write(path: Path, document: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2))
    return path


def samples_name(task: str, arguments: str = ARGUMENTS) -> str:
    return "{}_{}.jsonl".format(re.sub("/|=", "__", arguments), task)


def whole(*, ones: int, of: int) -> list[dict[str, Any]]:
    return [row(i, 1.0 if i < ones else 0.0) for i in range(of)]


@pytest.mark.parametrize("case", ["lm-eval-0.4.0-samples", "lm-eval-mid-2024-samples"])
def test_the_cases_have_their_samples(cases: Path, case: str) -> None:
    store = ingested(cases / case)
    assert (store.report.ingested, store.report.rejected) == (1, 0)
    assert store.rows(FOUND) == [
        {"run": "sft7", "step": 500, "eval": "truthfulqa_mc1", "n_samples": 4, "ones": 2.0, "messages": 4}
    ]


@pytest.mark.parametrize("name", ["results.json", "mine.json", "sft7-500.json"])
@pytest.mark.parametrize(
    "arguments",
    [ARGUMENTS, "pretrained=org/model,revision=step-1000,peft=/a_b/c", "model=gpt-4", "path=./x y/z,parallelize=True"],
)
def test_samples_called_by_the_models_arguments_belong_to_results_of_any_name(
    tmp_path: Path, name: str, arguments: str
) -> None:
    path = write(tmp_path / name, results(arguments=arguments))
    samples = write(tmp_path / samples_name("truthfulqa_mc1", arguments), whole(ones=2, of=3))
    assert lm_eval.companions(path) == [samples]
    assert list(list_root(tmp_path, lm_eval.companions).items) == [name]
    loaded = lm_eval.read(path)
    assert loaded.notes == []
    assert [s.scores[0].value_num for s in loaded.evals[0].samples] == [1.0, 1.0, 0.0]


def test_forks_that_keep_the_equals_sign_are_the_same(tmp_path: Path) -> None:
    path = write(tmp_path / "results.json", results())
    write(tmp_path / (ARGUMENTS.replace("/", "__") + "_truthfulqa_mc1.jsonl"), whole(ones=1, of=2))
    assert len(lm_eval.read(path).evals[0].samples) == 2


def test_each_results_file_has_the_samples_of_its_own_model_and_task(tmp_path: Path) -> None:
    """One folder for two checkpoints and a task whose name ends like another's."""
    second = ARGUMENTS.replace("500", "1500")
    for name, arguments, ones in (("a.json", ARGUMENTS, 1), ("b.json", second, 3)):
        document = results("my_task", arguments)
        document["results"]["task"] = document["results"]["my_task"]
        write(tmp_path / name, document)
        write(tmp_path / samples_name("my_task", arguments), whole(ones=ones, of=4))
        write(tmp_path / samples_name("task", arguments), whole(ones=4, of=4))
    for name, ones in (("a.json", 1), ("b.json", 3)):
        sums = {
            record.task: sum(s.scores[0].value_num or 0 for s in record.samples)
            for record in lm_eval.read(tmp_path / name).evals
        }
        assert sums == {"my_task": ones, "task": 4}


def test_a_later_run_that_wrote_over_results_json_does_not_get_the_earlier_ones_samples(tmp_path: Path) -> None:
    path = write(tmp_path / "results.json", results(arguments=ARGUMENTS.replace("500", "1000")))
    orphan = write(tmp_path / samples_name("truthfulqa_mc1"), whole(ones=1, of=2))
    assert lm_eval.companions(path) == []
    assert lm_eval.read(path).evals[0].samples == []
    with pytest.raises(RejectedFile, match="without their results file") as caught:
        lm_eval.read(orphan)
    assert "results.json" in caught.value.reason


@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
def test_of_several_results_in_one_folder_each_has_the_samples_of_its_date(tmp_path: Path, suffix: str) -> None:
    for day, ones in zip(DAYS, (1, 3), strict=True):
        write(tmp_path / f"results_{day}.json", results())
        write(tmp_path / f"samples_truthfulqa_mc1_{day}{suffix}", whole(ones=ones, of=4))
    assert len(list_root(tmp_path, lm_eval.companions).items) == 2
    sums = [
        sum(s.scores[0].value_num or 0 for s in lm_eval.read(tmp_path / f"results_{day}.json").evals[0].samples)
        for day in DAYS
    ]
    assert sums == [1, 3]


def test_samples_of_another_date_stand_alone_and_name_what_is_missing(tmp_path: Path) -> None:
    path = write(tmp_path / f"results_{DAYS[0]}.json", results())
    alone = write(tmp_path / f"samples_truthfulqa_mc1_{DAYS[1]}.json", whole(ones=1, of=2))
    assert lm_eval.companions(path) == []
    assert lm_eval.matches(alone, alone.read_bytes()[:4096])
    loaded = lm_eval.read(alone)
    assert (loaded.evals[0].task, len(loaded.evals[0].samples)) == ("truthfulqa_mc1", 2)
    (note,) = loaded.notes
    assert f"results_{DAYS[1]}.json" in note
    assert "model" in note


@pytest.mark.parametrize("blocks", [True, False])
def test_rows_that_do_not_name_their_filter_are_no_further_epochs(tmp_path: Path, blocks: bool) -> None:
    """gsm8k of 0.4.1 to 0.4.4: two filters, and rows that don't say whose they are."""
    document = results("gsm8k")
    document["results"]["gsm8k"] = {
        "exact_match,strict-match": 0.0, "exact_match_stderr,strict-match": 0.0,
        "exact_match,flexible-extract": 1.0, "exact_match_stderr,flexible-extract": 0.0, "alias": "gsm8k",
    }  # fmt: skip
    strict = [answer(i, "[invalid]", 0.0) for i in range(2)]
    flexible = [answer(i, "4", 1.0) for i in range(2)]
    rows = [*strict, *flexible] if blocks else [r for pair in zip(strict, flexible, strict=True) for r in pair]
    path = write(tmp_path / "results.json", document)
    write(tmp_path / samples_name("gsm8k"), rows)
    loaded = lm_eval.read(path)
    assert loaded.notes == []
    samples = loaded.evals[0].samples
    assert [(s.sample_key, s.epoch) for s in samples] == [("0", 1), ("1", 1)]
    scores = {(s.scorer, s.key): s.value_num for s in samples[0].scores}
    assert scores == {("exact_match", "strict-match"): 0.0, ("exact_match", "flexible-extract"): 1.0}


def test_a_broken_list_of_samples_leaves_the_results_in(tmp_path: Path) -> None:
    path = write(tmp_path / "results.json", results())
    (tmp_path / samples_name("truthfulqa_mc1")).write_text('[{"doc_id": 0, "acc": 1.0}, {"acc": 1.0}]')
    loaded = lm_eval.read(path)
    assert loaded.evals[0].reported[0].value == 0.5
    assert "entry 2" in loaded.notes[0]
