"""lighteval's results files, in the layouts of 2024 to today."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from loaders import formats, lighteval
from loaders.errors import RejectedFile
from loaders.lighteval import TaskName, task_name
from loaders.listing import Item
from loaders.records import EvalRecord, LoadedFile
from tests.real_stores import ingested

STAMP = "2025-02-26T15-36-31.681219"
PLACED = """
SELECT run, step, eval, metric, value, r.stderr, r.n, task_args_json::JSON->>'num_fewshot' AS shots
FROM live_evals($n) e JOIN reported r USING (eval_id) ORDER BY step, eval, metric
"""


def document(**more: Any) -> dict[str, Any]:
    """As lighteval 0.6 to 0.10 writes it, shortened."""
    return {
        "config_general": {
            "lighteval_sha": "203045a8", "num_fewshot_seeds": 1, "max_samples": 10, "job_id": "",
            "start_time": 620979.8, "total_evaluation_time_secondes": "24.7", "model_name": "org/model",
            "model_sha": "607a", "model_dtype": "torch.bfloat16", "model_size": "476.2 MB",
            "generation_parameters": {"temperature": 0.6, "top_p": None},
            "model_config": {
                "model_name": "org/model", "revision": "step-1000", "dtype": "bfloat16", "system_prompt": "Be brief.",
                "generation_parameters": {"temperature": 0.6, "top_p": None},
            },
        },
        "results": {
            "lighteval|gsm8k|5|0": {"em": 0.3, "em_stderr": 0.1527525231651947, "maj@8": 0.4, "maj@8_stderr": 0.1},
            "all": {"em": 0.3, "em_stderr": 0.15},
        },
        "versions": {"lighteval|gsm8k|5|0": 0},
        "config_tasks": {
            "lighteval|gsm8k": {
                "name": "gsm8k", "hf_repo": "gsm8k", "hf_subset": "main", "evaluation_splits": ["test"],
                "original_num_docs": 1319, "effective_num_docs": 10, "version": 0,
            }
        },
        "summary_tasks": {}, "summary_general": {},
    } | more  # fmt: skip


def load(tmp_path: Path, content: dict[str, Any]) -> LoadedFile:
    path = tmp_path / f"results_{STAMP}.json"
    path.write_text(json.dumps(content))
    head = path.read_bytes()[:4096]
    assert lighteval.matches(path, head)
    loaded = formats.read(Item(path.name, (path,), path.stat().st_size, 0), None)
    assert loaded.format == "lighteval"
    return loaded


def only(loaded: LoadedFile) -> EvalRecord:
    (record,) = loaded.evals
    return record


def test_the_case_is_placed_and_the_mean_of_all_tasks_is_no_eval(cases: Path) -> None:
    store = ingested(cases / "lighteval-results")
    assert store.rejected == {}
    common = {"run": "org/model", "eval": "truthfulqa:mc", "n": None, "shots": "0"}
    assert store.rows(PLACED) == [
        common | {"step": 1000, "metric": "mc1", "value": 0.31, "stderr": 0.016},
        common | {"step": 1000, "metric": "mc2", "value": 0.47, "stderr": 0.015},
        common | {"step": 2000, "metric": "mc1", "value": 0.35, "stderr": 0.016},
        common | {"step": 2000, "metric": "mc2", "value": 0.47, "stderr": 0.015},
    ]


def test_a_whole_document(tmp_path: Path) -> None:
    loaded = load(tmp_path, document())
    record = only(loaded)
    assert loaded.notes == []
    assert (record.task, record.model, record.task_version) == ("gsm8k", "org/model", "0")
    assert record.created == datetime(2025, 2, 26, 15, 36, 31, 681219, tzinfo=UTC)
    assert (record.n_samples_reported, record.n_planned) == (10, 1319)
    assert [(m.metric, m.value, m.n, m.k) for m in record.reported] == [("em", 0.3, 10, 3), ("maj@8", 0.4, 10, None)]
    assert json.loads(record.task_args_json or "") == {"num_fewshot": 5, "suite": "lighteval"}
    assert json.loads(record.dataset_json or "") == {"path": "gsm8k", "name": "main", "split": "test"}
    assert json.loads(record.generate_config_json or "") == {"temperature": 0.6}
    arguments = json.loads(record.model_args_json or "")
    assert (arguments["revision"], arguments["dtype"], arguments["sha"]) == ("step-1000", "bfloat16", "607a")
    config = json.loads(record.config_json or "")
    assert config.pop("task_config")["hf_repo"] == "gsm8k"
    assert config == {
        "num_fewshot": 5, "limit": 10, "system_prompt": "Be brief.", "gen_kwargs": {"temperature": 0.6},
        "dtype": "bfloat16", "num_fewshot_seeds": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("leaderboard|truthfulqa:mc|0|0", ("truthfulqa:mc", "leaderboard", 0)),
        ("leaderboard|truthfulqa:mc|0", ("truthfulqa:mc", "leaderboard", 0)),
        ("harness|arc:challenge|25", ("arc:challenge", "harness", 25)),
        ("lighteval|gsm8k|5|1", ("gsm8k", "lighteval", 5)),
        ("gsm8k|8", ("gsm8k", None, 8)),
        ("mlmm_mmlu_ita_mcf:anatomy|5", ("mlmm_mmlu_ita_mcf:anatomy", None, 5)),
        ("lighteval|gsm8k", ("gsm8k", "lighteval", None)),
        ("ifeval", ("ifeval", None, None)),
        ("2024|1|0", ("1", "2024", 0)),
    ],
)
def test_names_of_tasks(key: str, parts: tuple[str, str | None, int | None]) -> None:
    assert task_name(key) == TaskName(*parts)


def test_todays_layout_keys_tasks_without_their_suite(tmp_path: Path) -> None:
    content = document(
        results={"gsm8k|0": {"extractive_match": 0.5, "extractive_match_stderr": 0.5}, "all": {}},
        config_tasks={"gsm8k|0": {"original_num_docs": 1319, "effective_num_docs": 2}},
        versions={},
    )
    record = only(load(tmp_path, content))
    assert (record.task, record.n_planned, record.n_samples_reported) == ("gsm8k", 1319, 2)
    assert json.loads(record.task_args_json or "") == {"num_fewshot": 0}
    assert [(m.metric, m.k) for m in record.reported] == [("extractive_match", 1)]


def test_counts_that_were_never_filled_in_are_missing(tmp_path: Path) -> None:
    content = document(config_tasks={"lighteval|gsm8k": {"original_num_docs": -1, "effective_num_docs": -1}})
    record = only(load(tmp_path, content))
    assert (record.n_planned, record.n_samples_reported, record.reported[0].n) == (None, None, None)


def test_results_that_come_first_are_known_by_their_keys(tmp_path: Path) -> None:
    content = document()
    padded = {"results": content.pop("results"), "versions": {f"x{i}": 0 for i in range(1000)}, **content}
    assert only(load(tmp_path, padded)).model == "org/model"


def test_metrics_with_commas_and_parameters_keep_their_names(tmp_path: Path) -> None:
    results = {"aime24|0": {"pass@k:k=1,n=4": 0.25, "pass@k:k=1,n=4_stderr": 0.1, "broken": float("inf")}}
    loaded = load(tmp_path, document(results=results))
    assert [(m.metric, m.value, m.stderr) for m in only(loaded).reported] == [
        ("pass@k:k=1,n=4", 0.25, 0.1),
        ("broken", float("inf"), None),
    ]
    assert loaded.notes == ["1 value is infinite: broken"]


def test_averages_over_subsets_name_their_members(tmp_path: Path) -> None:
    keys = ("leaderboard|mmlu:law|5", "leaderboard|mmlu:math|5")
    results = {
        **{key: {"acc": 0.5, "acc_stderr": 0.1} for key in keys},
        "leaderboard|mmlu:_average|5": {"acc": 0.5, "acc_stderr": 0.1},
        "leaderboard|mmlu:law|0": {"acc": 0.25},
    }
    configs = {
        f"leaderboard|mmlu:{name}": {"original_num_docs": 100, "effective_num_docs": 10} for name in ("law", "math")
    }
    evals = load(tmp_path, document(results=results, config_tasks=configs)).evals
    average = next(record for record in evals if record.task == "mmlu:_average")
    assert json.loads(average.metadata_json or "") == {"group_subtasks": list(keys)}
    assert (average.n_planned, average.n_samples_reported, average.reported[0].k) == (200, 20, None)
    assert [json.loads(e.task_args_json or "")["num_fewshot"] for e in evals if e.task == "mmlu:law"] == [5, 0]


def test_the_model_is_found_wherever_it_stands(tmp_path: Path) -> None:
    for config, model in (
        ({"model_name": "org/a"}, "org/a"),
        ({"model_name": "", "model_config": {"model_name": "org/b"}}, "org/b"),
        ({"model_config": {"pretrained": "/ckpts/c/checkpoint-5"}}, "/ckpts/c/checkpoint-5"),
        ({"model_config": "pretrained=x"}, None),
    ):
        assert only(load(tmp_path, document(config_general=config))).model == model
    nanotron = {"model_name": "n", "config": {"general": {"run": "smol", "step": 2000}}}
    arguments = only(load(tmp_path, document(config_general=nanotron))).model_args_json
    assert json.loads(arguments or "") == {"run": "smol", "step": 2000}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('{"config_general": {"model_name": "m"}', "JSON"),
        ('{"config_general": {}, "results": {}}', "results"),
        ('{"config_general": {}, "results": [1]}', "results"),
        ('{"config_general": {}, "results": {"all": {"acc": 1}}}', "mean of tasks"),
        ('{"config_general": {}, "results": {"a|0": 1}}', "results.a|0"),
    ],
)
def test_broken_results_are_rejected_with_a_reason(tmp_path: Path, text: str, wanted: str) -> None:
    path = tmp_path / f"results_{STAMP}.json"
    path.write_text(text)
    with pytest.raises(RejectedFile, match=wanted.replace("|", r"\|")):
        lighteval.read(path)


def test_other_files_are_not_lightevals() -> None:
    assert not lighteval.matches(Path("results_1.json"), b'{"results": {"arc": {"acc,none": 0.5}}}')
    assert not lighteval.matches(Path("a.jsonl"), b'{"config_general": {}}')
    assert not lighteval.matches(Path("a.json"), b'{"config_general": "x"}')
