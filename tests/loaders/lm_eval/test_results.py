"""lm-evaluation-harness: the published Pythia results of 2023, and today's layout with samples.

The documents of today's layout here are trimmed from what lm_eval 0.4.13 wrote for tasks of our own (its
"dummy" model, so the replies and likelihoods mean nothing).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from loaders import lm_eval
from loaders.errors import RejectedFile
from loaders.records import EvalRecord, LoadedFile, SampleRecord

STAMP = "2026-01-05T13-06-33.631272"


def by_task(loaded: LoadedFile) -> dict[str, EvalRecord]:
    assert len({record.task for record in loaded.evals}) == len(loaded.evals)
    return {record.task: record for record in loaded.evals}


def pythia(shared_data: Path, part: str) -> list[Path]:
    return sorted((shared_data / "pythia/evals" / part).rglob("*.json"))


# --- 2023 -----------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("part", "files"), [("bias-evals", 97), ("pythia-v1", 54)])
def test_every_published_number_comes_in_to_the_last_digit(shared_data: Path, part: str, files: int) -> None:
    paths = pythia(shared_data, part)
    assert len(paths) == files
    for path in paths:
        assert lm_eval.matches(path, path.read_bytes()[:4096])
        assert lm_eval.companions(path) == []
        document = json.loads(path.read_text())
        loaded = lm_eval.read(path)
        assert loaded.notes == []
        assert [record.task for record in loaded.evals] == list(document["results"])
        for record in loaded.evals:
            expected = document["results"][record.task]
            assert {m.metric for m in record.reported} == {k for k in expected if not k.endswith("_stderr")}
            for metric in record.reported:
                assert repr(metric.value) == repr(expected[metric.metric])
                assert repr(metric.stderr) == repr(expected[f"{metric.metric}_stderr"])
                assert metric.n is None, "a 2023 file does not say how many documents it was"
                assert metric.scorer is None
            assert record.n_samples_reported is None
            assert record.samples == []
            assert record.task_version == str(document["versions"][record.task])


def test_time_comes_from_the_name_where_it_stands_only_there(shared_data: Path) -> None:
    folder = shared_data / "pythia/evals"
    dated = folder / "bias-evals/intervention-1.3b-deduped-step67000_eval_results_01-21-2023-20-16-29.json"
    assert {e.created for e in lm_eval.read(dated).evals} == {datetime(2023, 1, 21, 20, 16, 29, tzinfo=UTC)}
    undated = folder / "pythia-v1/pythia-160m/zero-shot/160m_step512.json"
    assert {e.created for e in lm_eval.read(undated).evals} == {None}


def test_model_and_arguments_of_2023(shared_data: Path) -> None:
    folder = shared_data / "pythia/evals"
    hf = lm_eval.read(folder / "pythia-v1/pythia-160m/zero-shot/160m_step512.json").evals[0]
    assert hf.model == "EleutherAI/pythia-v1.1-160m"
    assert json.loads(hf.model_args_json or "") == {
        "use_accelerate": "True", "pretrained": "EleutherAI/pythia-v1.1-160m", "revision": "step512"
    }  # fmt: skip
    assert json.loads(hf.config_json or "")["batch_size"] == 32
    assert json.loads(hf.task_args_json or "") == {"num_fewshot": 0}
    neox = lm_eval.read(
        folder / "bias-evals/long-intervention-1.3b-deduped-step57000_eval_results_01-23-2023-14-05-01.json"
    ).evals[0]
    assert neox.model is None, "`neox` names the program, not the model"
    assert json.loads(neox.config_json or "")["model"] == "neox"
    assert json.loads(neox.model_args_json or "")["iteration"] == 57000


def test_a_step_evaluated_twice_is_two_files_that_both_come_in(shared_data: Path, tmp_path: Path) -> None:
    source = pythia(shared_data, "bias-evals")[0]
    names = [f"m-step500_eval_results_01-2{day}-2023-20-16-29.json" for day in (1, 2)]
    for name in names:
        (tmp_path / name).write_bytes(source.read_bytes())
    first, second = (lm_eval.read(tmp_path / name) for name in names)
    assert len(first.evals) == len(second.evals) == 29
    assert first.evals[0].created != second.evals[0].created


# --- today ----------------------------------------------------------------------------------------------


def results_document() -> dict[str, Any]:
    group = {
        "alias": "parity", "name": "parity", "sample_len": 4, "acc,none": 0.75,
        "acc_stderr,none": 0.17320508075688776, "sample_count": {"acc,none": 4},
    }  # fmt: skip
    metadata = {"version": 1.0, "pretrained": "org/tiny", "revision": "step500", "step": 500, "run": "tiny"}
    return {
        "results": {
            "choice": {
                "name": "choice", "alias": " - choice", "sample_len": 2,
                "acc,none": 0.5, "acc_stderr,none": 0.5, "acc_norm,none": 1.0, "acc_norm_stderr,none": "N/A",
            },
            "written": {
                "name": "written", "alias": " - written", "sample_len": 2,
                "exact_match,strict-match": 0.0, "exact_match_stderr,strict-match": 0.0,
                "exact_match,flexible-extract": 0.5, "exact_match_stderr,flexible-extract": 0.5,
            },
            "perplexed": {
                "name": "perplexed", "alias": "perplexed", "sample_len": 2,
                "word_perplexity,none": 1.2030483388642028, "word_perplexity_stderr,none": "N/A",
            },
            "parity": group,
            "list_only": {"alias": "list_only", "name": "list_only", " ": " "},
        },
        "groups": {"parity": group},
        "group_subtasks": {"parity": ["choice", "written"], "list_only": ["perplexed"]},
        "configs": {
            "choice": {
                "task": "choice", "dataset_path": "json", "test_split": "test", "output_type": "multiple_choice",
                "num_fewshot": 0, "metadata": {**metadata, "config_source": "choice.yaml"},
            },
            "written": {
                "task": "written", "dataset_path": "json", "dataset_name": "parity", "test_split": "test",
                "generation_kwargs": {"until": ["\n"], "do_sample": False}, "num_fewshot": 2,
                "metadata": {**metadata, "version": 2.0, "config_source": "written.yaml"},
            },
            "perplexed": {"task": "perplexed", "metadata": {**metadata, "config_source": "perplexed.yaml"}},
        },
        "versions": {"choice": 1.0, "written": 2.0, "perplexed": 1.0, "parity": "2.0", "list_only": "N/A"},
        "n-shot": {"choice": 0, "written": 2, "perplexed": 0, "parity": 0},
        "higher_is_better": {"choice": {"acc": True, "acc_norm": True}, "perplexed": {"word_perplexity": False}},
        "n-samples": {
            "choice": {"original": 10, "effective": 2},
            "written": {"original": 2, "effective": 2},
            "perplexed": {"original": 2, "effective": 2},
        },
        "config": {
            "model": "hf", "model_args": {"pretrained": "org/tiny", "revision": "step500"}, "batch_size": 1,
            "limit": 2.0, "gen_kwargs": {"temperature": 0.7},
        },
        "git_hash": "abc1234",
        "date": 1767618393.2994645,
        "lm_eval_version": "0.4.13",
        "transformers_version": "N/A",
        "task_hashes": {"choice": "a8c0"},
        "model_source": "hf",
        "model_name": "org/tiny",
        "model_name_sanitized": "org__tiny",
        "system_instruction": None,
        "chat_template": None,
        "total_evaluation_time_seconds": "13.353269529999807",
    }  # fmt: skip


def choice_row(doc_id: int, acc: float) -> dict[str, Any]:
    prompt = f"Q: Is {doc_id} even?\nA:"
    return {
        "doc_id": doc_id,
        "doc": {"question": f"Is {doc_id} even?", "topic": "parity"},
        "target": str(doc_id % 2),
        "arguments": {
            "gen_args_0": {"arg_0": prompt, "arg_1": " yes"},
            "gen_args_1": {"arg_0": prompt, "arg_1": " no"},
        },
        "resps": [[["-0.47162541509628797", "False"]], [["-0.40990539565755457", "False"]]],
        "filtered_resps": [["-0.47162541509628797", "False"], ["-0.40990539565755457", "False"]],
        "filter": "none",
        "metrics": ["acc", "acc_norm"],
        "doc_hash": "620a", "prompt_hash": "58d8", "target_hash": "8a79",
        "acc": acc, "acc_norm": 1.0,
    }  # fmt: skip


def written_row(doc_id: int, filter_name: str, filtered: str, match: float, reply: str) -> dict[str, Any]:
    return {
        "doc_id": doc_id,
        "doc": {"question": f"Is {doc_id} even?"},
        "target": "yes",
        "arguments": {"gen_args_0": {"arg_0": f"Q: Is {doc_id} even?\nA:", "arg_1": {"until": ["\n"]}}},
        "resps": [[reply]],
        "filtered_resps": [filtered],
        "filter": filter_name,
        "metrics": ["exact_match"],
        "doc_hash": "620a", "prompt_hash": "58d8", "target_hash": "8a79",
        "exact_match": match,
    }  # fmt: skip


def perplexed_row(doc_id: int) -> dict[str, Any]:
    return {
        "doc_id": doc_id, "doc": {"text": "one two three"}, "target": "one two three",
        "arguments": {"gen_args_0": {"arg_0": "one two three"}}, "resps": [["-0.63"]],
        "filtered_resps": ["-0.63"], "filter": "none", "metrics": ["word_perplexity"],
        "word_perplexity": [-0.63, 3],
    }  # fmt: skip


ROWS = {
    "choice": [choice_row(0, 0.0), choice_row(1, 1.0)],
    "written": [
        written_row(0, "strict-match", "[invalid]", 0.0, "I think yes"),
        written_row(1, "strict-match", "[invalid]", 0.0, "42"),
        written_row(0, "flexible-extract", "yes", 1.0, "I think yes"),
        written_row(1, "flexible-extract", "42", 0.0, "42"),
    ],
    "perplexed": [perplexed_row(0), perplexed_row(1)],
}


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def today(tmp_path: Path) -> Path:
    """A folder as the harness leaves it; the path of its results."""
    folder = tmp_path / "org__tiny"
    folder.mkdir()
    for task, rows in ROWS.items():
        write_rows(folder / f"samples_{task}_{STAMP}.jsonl", rows)
    path = folder / f"results_{STAMP}.json"
    path.write_text(json.dumps(results_document(), indent=2))
    return path


def scores(sample: SampleRecord) -> dict[tuple[str, str | None], float | None]:
    return {(s.scorer, s.key): s.value_num for s in sample.scores}


def test_todays_files_are_known_by_name_and_by_content(today: Path) -> None:
    for path in today.parent.iterdir():
        assert lm_eval.matches(path, path.read_bytes()[:4096])
    renamed = Path("anything.json")
    assert lm_eval.matches(renamed, today.read_bytes()[:4096])
    assert not lm_eval.matches(renamed, b'{"results": {"rows": 3}}')
    assert not lm_eval.matches(renamed, b'{"version": 2, "status": "success", "eval": {}, "results": {}}')
    assert not lm_eval.matches(Path("answers.jsonl"), b'{"doc_id": 1, "answer": "x"}')


def test_companions_are_the_samples_of_the_same_date(today: Path) -> None:
    other = today.parent / "samples_choice_2026-01-06T13-06-33.631272.jsonl"
    write_rows(other, ROWS["choice"])
    write_rows(today.parent / "samples_choice.jsonl", ROWS["choice"])
    own = lm_eval.companions(today)
    assert [path.name for path in own] == [
        f"samples_{task}_{STAMP}.jsonl" for task in ("choice", "perplexed", "written")
    ]
    assert lm_eval.companions(own[0]) == []


def test_results_without_a_date_own_the_samples_without_one(today: Path) -> None:
    bare = today.with_name("results.json")
    today.rename(bare)
    write_rows(bare.with_name("samples_choice.jsonl"), ROWS["choice"])
    assert [path.name for path in lm_eval.companions(bare)] == ["samples_choice.jsonl"]
    # `--output_path mine.json` is written as mine_DATE.json.
    mine = bare.rename(bare.with_name(f"mine_{STAMP}.json"))
    assert len(lm_eval.companions(mine)) == 3


def test_reported_metrics_of_today(today: Path) -> None:
    loaded = lm_eval.read(today)
    assert loaded.notes == []
    evals = by_task(loaded)
    assert list(evals) == ["choice", "written", "perplexed", "parity"], "a group without numbers is no eval"
    found = {
        task: [(m.metric, m.scorer, m.value, m.stderr, m.n) for m in record.reported] for task, record in evals.items()
    }
    assert found["choice"] == [("acc", None, 0.5, 0.5, 2), ("acc_norm", None, 1.0, None, 2)]
    assert found["written"] == [
        ("exact_match", "strict-match", 0.0, 0.0, 2),
        ("exact_match", "flexible-extract", 0.5, 0.5, 2),
    ]
    assert found["perplexed"] == [("word_perplexity", None, 1.2030483388642028, None, 2)]
    assert found["parity"] == [("acc", None, 0.75, 0.17320508075688776, 4)]


def test_header_of_today(today: Path) -> None:
    evals = by_task(lm_eval.read(today))
    choice, written, parity = evals["choice"], evals["written"], evals["parity"]
    assert {e.model for e in evals.values()} == {"org/tiny"}
    assert choice.created == datetime.fromtimestamp(1767618393.2994645, UTC)
    assert (choice.task_version, written.task_version, parity.task_version) == ("1.0", "2.0", "2.0")
    assert json.loads(choice.model_args_json or "") == {"pretrained": "org/tiny", "revision": "step500"}
    assert json.loads(choice.revision_json or "") == {"type": "git", "commit": "abc1234"}
    assert json.loads(choice.packages_json or "") == {"lm_eval": "0.4.13"}
    assert json.loads(written.task_args_json or "") == {"num_fewshot": 2}
    assert json.loads(written.dataset_json or "") == {"path": "json", "name": "parity", "split": "test"}
    assert json.loads(written.generate_config_json or "") == {
        "until": ["\n"], "do_sample": False, "temperature": 0.7
    }  # fmt: skip
    assert json.loads(choice.config_json or "")["limit"] == 2.0
    assert (choice.n_samples_reported, parity.n_samples_reported) == (2, 4)


def test_metadata_given_on_the_command_line_reaches_tasks_and_groups(today: Path) -> None:
    evals = by_task(lm_eval.read(today))
    for task in ("choice", "written", "parity"):
        metadata = json.loads(evals[task].metadata_json or "")
        assert (metadata["run"], metadata["step"]) == ("tiny", 500)
    group = json.loads(evals["parity"].metadata_json or "")
    assert group["group_subtasks"] == ["choice", "written"]
    assert "config_source" not in group


def test_samples_of_a_multiple_choice(today: Path) -> None:
    first, second = by_task(lm_eval.read(today))["choice"].samples
    assert (first.sample_key, first.epoch, first.id_is_number, first.target) == ("0", 1, True, "0")
    assert first.input == "Q: Is 0 even?\nA:"
    assert json.loads(first.choices_json or "") == [" yes", " no"]
    assert first.reply is None
    assert [m.role for m in first.messages] == ["user"]
    assert scores(first) == {("acc", None): 0.0, ("acc_norm", None): 1.0}
    assert scores(second) == {("acc", None): 1.0, ("acc_norm", None): 1.0}
    metadata = json.loads(first.metadata_json or "")
    assert metadata["doc"] == {"question": "Is 0 even?", "topic": "parity"}
    assert metadata["filtered_resps"][0] == ["-0.47162541509628797", "False"]


def test_several_filters_are_several_scores_of_one_sample(today: Path) -> None:
    first, second = by_task(lm_eval.read(today))["written"].samples
    assert (first.sample_key, first.reply) == ("0", "I think yes")
    assert [(m.role, m.text) for m in first.messages] == [
        ("user", "Q: Is 0 even?\nA:"), ("assistant", "I think yes")
    ]  # fmt: skip
    assert scores(first) == {("exact_match", "strict-match"): 0.0, ("exact_match", "flexible-extract"): 1.0}
    assert [s.answer for s in first.scores] == ["[invalid]", "yes"]
    assert second.reply == "42", "a reply that is a number is a reply"


def test_parts_of_a_corpus_metric_are_no_scores(today: Path) -> None:
    first = by_task(lm_eval.read(today))["perplexed"].samples[0]
    assert first.scores == []
    assert first.reply is None
    assert json.loads(first.metadata_json or "")["metric_parts"] == {"word_perplexity": [-0.63, 3]}


def test_scores_that_are_no_numbers(tmp_path: Path) -> None:
    row = choice_row(0, 0.0) | {
        "metrics": ["solved", "verdict", "by", "broken", "absent"],
        "solved": True, "verdict": "C", "by": {"a": 1, "b": None}, "broken": float("nan"),
    }  # fmt: skip
    (record,) = lm_eval.read(write_rows(tmp_path / f"samples_odd_{STAMP}.jsonl", [row])).evals
    found = [(s.scorer, s.key, s.value_num, s.value_text, s.value_type) for s in record.samples[0].scores]
    assert found == [
        ("solved", None, 1.0, None, "bool"),
        ("verdict", None, None, "C", "text"),
        ("by", "a", 1.0, None, "number"),
        ("by", "b", None, None, "missing"),
        ("broken", None, None, None, "nan"),
        ("absent", None, None, None, "missing"),
    ]


def test_samples_without_results_come_in_by_themselves(tmp_path: Path) -> None:
    loaded = lm_eval.read(write_rows(tmp_path / f"samples_my_task_{STAMP}.jsonl", ROWS["choice"]))
    (record,) = loaded.evals
    assert (record.task, record.reported, len(record.samples)) == ("my_task", [], 2)
    assert record.created == datetime(2026, 1, 5, 13, 6, 33, 631272, tzinfo=UTC)
    assert "without their results" in loaded.notes[0]


def test_a_broken_samples_file_leaves_the_results_in_and_is_named(today: Path) -> None:
    path = today.with_name(f"samples_choice_{STAMP}.jsonl")
    path.write_bytes(path.read_bytes()[:-40])
    loaded = lm_eval.read(today)
    evals = by_task(loaded)
    assert evals["choice"].samples == []
    assert evals["choice"].reported[0].value == 0.5
    assert len(evals["written"].samples) == 2
    (note,) = loaded.notes
    assert path.name in note
    assert "line 2" in note
    with pytest.raises(RejectedFile, match="line 2"):
        lm_eval.read(path)


def test_fewer_samples_than_the_results_say_is_noted(today: Path) -> None:
    write_rows(today.with_name(f"samples_choice_{STAMP}.jsonl"), ROWS["choice"][:1])
    assert lm_eval.read(today).notes == ["choice: says 2 samples and holds 1"]


def test_a_document_that_stands_twice_is_kept_and_noted(tmp_path: Path) -> None:
    rows = [choice_row(0, 0.0), choice_row(0, 1.0)]
    loaded = lm_eval.read(write_rows(tmp_path / f"samples_t_{STAMP}.jsonl", rows))
    assert [(s.sample_key, s.epoch) for s in loaded.evals[0].samples] == [("0", 1), ("0", 2)]
    assert any("further epochs" in note for note in loaded.notes)


def test_contexts_that_differ_make_the_choices(tmp_path: Path) -> None:
    row = choice_row(0, 1.0)
    row["arguments"] = {
        "gen_args_0": {"arg_0": "The cup", "arg_1": " was full."},
        "gen_args_1": {"arg_0": "The jug", "arg_1": " was full."},
    }
    sample = lm_eval.read(write_rows(tmp_path / f"samples_t_{STAMP}.jsonl", [row])).evals[0].samples[0]
    assert json.loads(sample.choices_json or "") == ["The cup was full.", "The jug was full."]


def test_chats_keep_their_turns_and_early_2024_rows_are_lists(tmp_path: Path) -> None:
    chat = json.dumps([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}])
    new = written_row(0, "none", "Hi", 1.0, "Hi")
    new["arguments"] = {"gen_args_0": {"arg_0": [chat], "arg_1": {"until": []}}}
    old = written_row(1, "none", "Hi", 1.0, "Hi")
    old["arguments"] = [["Hello", {"until": []}]]
    path = write_rows(tmp_path / f"samples_t_{STAMP}.jsonl", [new, old])
    first, second = lm_eval.read(path).evals[0].samples
    assert [(m.role, m.text) for m in first.messages] == [
        ("system", "Be brief."), ("user", "Hello"), ("assistant", "Hi")
    ]  # fmt: skip
    assert [(m.role, m.text) for m in second.messages] == [("user", "Hello"), ("assistant", "Hi")]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('{"results": {"a": {"acc,none": 0.5', "JSON"),
        ("[]", "results"),
        ('{"results": null}', "results"),
        ('{"results": {}}', "no task"),
        ('{"results": {"a": 0.5}}', "results.a"),
    ],
)
def test_broken_results_are_rejected_with_a_reason(tmp_path: Path, text: str, wanted: str) -> None:
    path = tmp_path / f"results_{STAMP}.json"
    path.write_text(text)
    with pytest.raises(RejectedFile, match=wanted):
        lm_eval.read(path)


def test_nan_and_infinity_in_results(tmp_path: Path) -> None:
    path = tmp_path / f"results_{STAMP}.json"
    path.write_text('{"results": {"a": {"acc,none": NaN, "acc_stderr,none": NaN, "ppl,none": Infinity}}}')
    first, second = lm_eval.read(path).evals[0].reported
    assert (first.metric, str(first.value), first.stderr) == ("acc", "nan", None)
    assert (second.metric, second.value, second.stderr) == ("ppl", float("inf"), None)
