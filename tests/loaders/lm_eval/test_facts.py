"""Of lm-evaluation-harness: what tells whole logs from limited and differently set ones, and what is a metric."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from loaders import lm_eval
from loaders.lm_eval.reported import Odd, notes, reported_metrics
from loaders.lm_eval.settings import chat_template, few_shot, given, leaves, planned, settings, system_prompt
from loaders.records import LoadedFile
from loaders.shares import counted
from tests.real_stores import Ingested, ingested

STAMP = "2025-05-14T17-07-12.477774"
LIMITS = """
SELECT n_planned, n_samples_reported, config_json::JSON->>'limit' AS "limit",
       config_json::JSON->>'num_fewshot' AS shots, task_args_json::JSON->>'num_fewshot' AS argued
FROM live_evals($n) ORDER BY n_samples_reported, shots
"""
REPORTED = """
SELECT step, metric, value, stderr, r.n, k FROM reported r JOIN live_evals($n) USING (eval_id) ORDER BY step, metric
"""


def case(cases: Path, name: str) -> Ingested:
    return ingested(cases / name)


def loaded(tmp_path: Path, text: str) -> LoadedFile:
    path = tmp_path / f"results_{STAMP}.json"
    path.write_text(text)
    return lm_eval.read(path)


# --- partial and variant logs ---------------------------------------------------------------------------


def test_a_limited_run_says_of_how_many(cases: Path) -> None:
    assert case(cases, "limited-run-lm-eval").rows(LIMITS) == [
        {"n_planned": 817, "n_samples_reported": 10, "limit": "10.0", "shots": "0", "argued": "0"},
        {"n_planned": 817, "n_samples_reported": 817, "limit": None, "shots": "0", "argued": "0"},
    ]


def test_few_shot_counts_are_told(cases: Path) -> None:
    rows = case(cases, "n-shot-differs").rows(LIMITS)
    assert [(row["n_planned"], row["n_samples_reported"], row["shots"], row["argued"]) for row in rows] == [
        (817, 817, "0", "0"),
        (817, 817, "5", "5"),
    ]


@pytest.mark.parametrize(
    "document",
    [
        {"n-shot": {"t": 5}, "config": {"num_fewshot": None}},
        {"n-shot": {"t": 5.0}, "config": {"num_fewshot": 0}},
        {"configs": {"t": {"num_fewshot": 5}}, "config": {"num_fewshot": None}},
        {"config": {"num_fewshot": 5}},
        {"n-shot": {"t": "N/A"}, "config": {"num_fewshot": 5}},
    ],
)
def test_few_shot_is_the_same_wherever_it_stands(document: dict[str, Any]) -> None:
    assert few_shot(document, "t") == 5
    assert settings(document, "t")["num_fewshot"] == 5


def grouped(**shots: int) -> dict[str, Any]:
    return {
        "group_subtasks": {"mmlu": ["stem", "other"], "stem": ["a", "b"], "other": ["c"], "a": []},
        "n-shot": {"mmlu": 0, "stem": 0, **shots},
        "n-samples": {name: {"original": 10, "effective": 3} for name in ("a", "b", "c")},
    }


def test_a_group_has_the_shots_and_samples_of_its_tasks() -> None:
    """The harness itself says 0 shots of every group."""
    document = grouped(a=5, b=5, c=5)
    assert leaves(document, "mmlu") == ["c", "a", "b"]
    assert leaves(document, "a") == []
    assert few_shot(document, "mmlu") == 5
    assert few_shot(grouped(a=5, b=5, c=25), "mmlu") == "5, 25"
    assert (planned(document, "mmlu", "original"), planned(document, "stem", "effective")) == (30, 6)
    assert planned({"n-samples": {}}, "a", "original") is None


def test_groups_that_hold_each_other_end() -> None:
    assert leaves({"group_subtasks": {"a": ["b", "a"], "b": ["a", "c"]}}, "a") == ["c"]


@pytest.mark.parametrize("typed", ["temperature=0.7,do_sample=True", {"temperature": 0.7, "do_sample": True}])
def test_generation_settings_are_the_same_however_they_are_typed(typed: object) -> None:
    assert given(typed) == {"temperature": 0.7, "do_sample": True}
    assert settings({"config": {"gen_kwargs": typed}}, "t")["gen_kwargs"] == {"temperature": 0.7, "do_sample": True}


def test_chat_template_and_system_prompt_have_one_name_each() -> None:
    sha = "6d50f40ff1bd4e5e1d84fdb62a27b9ad7ba1d4c5ee7e7a9d6d4e6f1e6b5a2c11"
    hashed = settings({"chat_template_sha": sha, "system_instruction": "Be brief.", "chat_template": "{{x}}"}, "t")
    assert (hashed["chat_template"], hashed["system_prompt"]) == (sha[:12], "Be brief.")
    assert chat_template({"chat_template": "{{x}}"}) == chat_template({"chat_template": {"default": "{{x}}"}})
    assert system_prompt({"system_instruction_sha": sha}) == sha[:12]
    assert len(system_prompt({"system_instruction": "x" * 5000}) or "") == 12
    bare = settings({"chat_template": None, "chat_template_sha": None, "system_instruction": ""}, "t")
    assert "chat_template" not in bare
    assert "system_prompt" not in bare


@pytest.mark.parametrize("config", [{"model_dtype": "torch.bfloat16"}, {"model_args": "pretrained=x,dtype=bfloat16"}])
def test_the_precision_of_the_weights_has_one_name(config: dict[str, Any]) -> None:
    assert settings({"config": config}, "t")["dtype"] == "bfloat16"


# --- what is a metric -----------------------------------------------------------------------------------


def test_small_samples_have_their_k(cases: Path) -> None:
    rows = case(cases, "reported-intervals-small-n").rows(REPORTED)
    assert [(row["step"], row["value"], row["n"], row["k"]) for row in rows] == [
        (500, 0.1, 10, 1),
        (1000, 0.0, 10, 0),
        (1500, 0.9, 10, 9),
    ]


def test_odd_standard_errors_take_no_metric_away_and_add_none(cases: Path) -> None:
    rows = case(cases, "reported-intervals-odd").rows(REPORTED)
    assert [tuple(row.values()) for row in rows] == [
        (500, "acc", 0.4, 0.0, 100, 40),
        (1000, "acc", 0.0, 0.0, 100, 0),
        (1500, "acc", 0.5, None, 100, 50),
        (2000, "acc", None, None, 100, None),
    ]


def test_infinite_values_are_kept_as_such_and_named(cases: Path) -> None:
    store = case(cases, "infinite-perplexity")
    values = {(row["step"], row["metric"]): row["value"] for row in store.rows(REPORTED)}
    assert values[500, "word_perplexity"] == 23.1
    assert [values[1000, name] for name in ("bits_per_byte", "byte_perplexity", "word_perplexity")] == [math.inf] * 3
    (notes_of,) = store.rows("SELECT notes FROM live_sources($n) WHERE notes <> '[]'")
    assert json.loads(notes_of["notes"]) == ["3 values are infinite: bits_per_byte, byte_perplexity, word_perplexity"]


@pytest.mark.parametrize(
    ("number", "value"),
    [("Infinity", math.inf), ("-Infinity", -math.inf), ("1e999", math.inf), ("1" + "0" * 400, math.inf)],
)
def test_whatever_is_too_large_is_infinite(tmp_path: Path, number: str, value: float) -> None:
    file = loaded(tmp_path, f'{{"results": {{"t": {{"ppl,none": {number}, "acc,none": 0.5}}}}}}')
    assert [(m.metric, m.value) for m in file.evals[0].reported] == [("ppl", value), ("acc", 0.5)]
    assert file.notes == ["1 value is infinite: ppl"]


@pytest.mark.parametrize(
    ("stderr", "note"),
    [
        ("[0.1, 0.2]", "1 standard error is no number: acc"),
        ('"about 0.1"', "1 standard error is no number: acc"),
        ("-0.1", "1 standard error is negative: acc"),
        ("NaN", "1 standard error is not finite: acc"),
        ("Infinity", "1 standard error is not finite: acc"),
        ('"N/A"', None),
        ("null", None),
    ],
)
def test_a_standard_error_that_is_none_is_missing(tmp_path: Path, stderr: str, note: str | None) -> None:
    file = loaded(tmp_path, f'{{"results": {{"t": {{"acc,none": 0.5, "acc_stderr,none": {stderr}}}}}}}')
    assert [(m.metric, m.value, m.stderr) for m in file.evals[0].reported] == [("acc", 0.5, None)]
    assert file.notes == ([note] if note else [])


def test_counts_placeholders_lists_and_texts_are_no_metrics() -> None:
    odd: list[Odd] = []
    metrics = {
        "alias": "t", "name": "t", "sample_len": 4, "sample_count": {"acc,none": 4}, " ": " ", " ,none": " ",
        "bypass,none": 999, "bypass_stderr,none": "N/A", "acc_boundary_ci95,none": [0.0, 0.04], "remark": "fine",
        "acc,none": 0.25, "acc_stderr,none": 0.25, "by_topic,none": {"a": 0.5, "b": [1, 2]}, "f1,none": "N/A",
    }  # fmt: skip
    found = [(m.metric, m.key, m.value, m.n, m.k) for m in reported_metrics(metrics, 4, odd)]
    assert found == [("acc", None, 0.25, 4, 1), ("by_topic", "a", 0.5, 4, None), ("f1", None, None, 4, None)]
    assert notes(odd) == []


def test_a_group_is_an_average_and_has_no_k() -> None:
    assert reported_metrics({"acc,none": 0.5}, 4, shares=False)[0].k is None


@pytest.mark.parametrize(
    ("metric", "value", "n", "stderr", "k"),
    [
        ("acc", 335 / 817, 817, None, 335),
        ("acc", 0.41, 817, 0.0172, 335),  # rounded, but the standard error is that of zeros and ones
        ("acc", 0.41, 817, None, None),  # 331 to 339 would all be written so
        ("acc_norm", 0.333, 300, None, 100),
        ("exact_match", 0.0, 5, 0.0, 0),
        ("exact_match", 1.0, 5, None, 5),
        ("acc", 0.47213, 817, 0.0151, None),  # truthfulqa_mc2: a mean of probabilities
        ("acc", 0.5, 4, 0.05, None),
        ("f1", 0.5, 4, None, None),
        ("exact_match", 50.0, 4, None, None),
        ("acc", None, 4, None, None),
        ("acc", 0.5, None, None, None),
        ("acc", 0.5, 0, None, None),
        ("acc", -0.5, 4, None, None),
    ],
)
def test_k_of_a_share(metric: str, value: float | None, n: int | None, stderr: float | None, k: int | None) -> None:
    assert counted(metric, value, n, stderr) == k


def test_k_is_found_for_every_share_of_whole_samples() -> None:
    for n in (1, 7, 100, 817, 14042):
        for k in {0, 1, n // 3, n // 2, n - 1, n}:
            p = k / n
            stderr = math.sqrt(p * (1 - p) / (n - 1)) if n > 1 else None
            assert counted("acc", p, n, stderr) == k
