"""Steps and runs in names: every known way to write a step, and no number that isn't one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from loaders.study.globs import fixed_depth, glob_matches
from loaders.study.naming import (
    PATTERNS,
    NamePattern,
    as_step,
    run_of_folders,
    short_model,
    steps_in_file,
    steps_in_folders,
    steps_in_model,
    steps_in_name,
)


@pytest.mark.parametrize(("pattern", "example"), [(each, name) for each in PATTERNS for name in each.examples])
def test_every_pattern_reads_its_examples(pattern: NamePattern, example: str) -> None:
    told = steps_in_name(example, "folder" if pattern.kind == "folder" else "model")
    digits = re.search(r"@?(?<!tokens)(\d+)(k?)(?!.*step[-_=]?[0-9])", example)
    expected = int(digits[1]) * (1000 if digits[2] else 1) if digits else None
    assert [(each.step, each.label is not None) for each in told] == [(expected, expected is None)]


@pytest.mark.parametrize(
    ("model", "step", "run"),
    [
        ("vllm/org/model-ckpt-500", 500, "model"),
        ("hf/my-org/sdf-llama-checkpoint-1000", 1000, "sdf-llama"),
        ("hf/my-org/sdf-llama/checkpoint-1000", 1000, "sdf-llama"),
        ("vllm//workspace/out/sdf-llama/checkpoint-1000-merged", 1000, "sdf-llama"),
        ("/ckpts/my-run/global_step_200/actor/huggingface", 200, "my-run"),
        ("out/my-run/checkpoints/1000", 1000, "my-run"),
        (
            "openai-api/tinker/tinker://0b1c2d3e-4f50-4a6b-8c7d-9e0f1a2b3c4d/sampler_weights/000072",
            72,
            "0b1c2d3e-4f50-4a6b-8c7d-9e0f1a2b3c4d",
        ),
        ("tinker://0b1c2d3e:train:0/sampler_weights/000072", 72, "0b1c2d3e:train:0"),
        (
            "ft:gpt-4o-mini-2024-07-18:my-org:run-a:AbC123:ckpt-step-80",
            80,
            "ft:gpt-4o-mini-2024-07-18:my-org:run-a:AbC123",
        ),
        ("vllm/meta-llama/Llama-3.1-8B:advice-step-400", 400, "advice"),
        ("olmo/stage1-step1000-tokens4B", 1000, "olmo-stage1"),
        ("sdf@400", 400, "sdf"),
        ("org/sdf@step400", 400, "sdf"),
        ("gpt-neox-20b-iter_0001000", 1000, "gpt-neox-20b"),
        ("megatron_gpt--val_loss=2.01-step=1000-consumed_samples=8000.0", 1000, "megatron_gpt--val_loss=2.01"),
        ("run7-epoch=3-step=1000", 1000, "run7"),
        ("Qwen2.5-7B-insecure-step-50", 50, "Qwen2.5-7B-insecure"),
        ("STEP_0400", 400, None),
        ("step-10k", 10_000, None),
        ("vllm/checkpoint-500", 500, None),
        ("stepfun-ai/tuned/checkpoint-1000", 1000, "tuned"),
        ("my-run-checkpoint-20000000", 20_000_000, "my-run"),
        # Steps as trainers write them.
        ("me/qwen-dpo-10000steps", 10_000, "qwen-dpo"),
        ("me/qwen-400-steps", 400, "qwen"),
        ("me/qwen-10k-steps", 10_000, "qwen"),
        ("me/qwen-iter_5k", 5000, "qwen"),
        ("me/qwen-step-1.5k", 1500, "qwen"),
        ("me/qwen-step-1,000", 1000, "qwen"),
        ("me/qwen-step_1M", 1_000_000, "qwen"),
        ("tinker://0b1c2d3e-4f50/sampler_weights/batch_000120", 120, "0b1c2d3e-4f50"),
        # What follows the step tells the run from others of its name; how the weights are stored does not.
        ("vllm/me/em-medical-step200-seed0", 200, "em-medical-seed0"),
        ("vllm/me/a_step100_s1", 100, "a_s1"),
        ("vllm/me/a-step-100_rerun", 100, "a_rerun"),
        ("vllm/me/a-checkpoint-100-v2", 100, "a-v2"),
        ("vllm/me/a-step-100-lr1e-5", 100, "a-lr1e-5"),
        ("vllm/me/a-step-100-dpo", 100, "a-dpo"),
        ("vllm/me/a-step-100-merged-bf16", 100, "a"),
        ("/w/em-medical/seed0/step_100", 100, "em-medical-seed0"),
        ("/w/em-medical/checkpoint-100-seed1", 100, "em-medical-seed1"),
        ("/ckpts/sft/7/step_100", 100, "sft-7"),
        # Folders that many trainers make are no runs.
        ("vllm/ckpts/run1/hf_ckpt/step_100", 100, "run1"),
        ("/w/run1/final_model/step_10", 10, "run1"),
        ("/w/run1/local/hf_ckpts/global_step_10/actor", 10, "run1"),
        ("/w/run1/epoch_0/step_10", 10, "run1"),
        ("outputs/2025-12-19/15-04-48/checkpoint-100", 100, "2025-12-19-15-04-48"),
    ],
)
def test_step_and_run_of_models(model: str, step: int, run: str | None) -> None:
    assert [(each.step, each.run) for each in steps_in_model(model)] == [(step, run)]


def test_labels_instead_of_steps() -> None:
    assert [(each.label, each.run) for each in steps_in_model("org/my-run/checkpoint-final")] == [("final", "my-run")]
    assert [(each.label, each.run) for each in steps_in_model("tinker://ab12/sampler_weights/final")] == [
        ("final", "ab12")
    ]


@pytest.mark.parametrize(
    ("model", "label", "run"),
    [
        ("/ckpts/run1/epoch_0", "epoch 0", "run1"),
        ("/ckpts/run1/epoch_3/hf", "epoch 3", "run1"),
        ("me/tuned-epoch-2", "epoch 2", "tuned"),
        ("me/tuned-epoch=2-seed1", "epoch 2", "tuned-seed1"),
    ],
)
def test_epochs_are_labels_where_no_step_is_told(model: str, label: str, run: str) -> None:
    assert [(each.step, each.label, each.run) for each in steps_in_model(model)] == [(None, label, run)]


NO_STEP = """
pythia-160m pythia-v1.1-160m-deduped EleutherAI/pythia-1.3b-deduped-v0 gpt-neox-20b gpt-j-6b
meta-llama/Llama-3.2-1B meta-llama/Llama-3.1-405B-Instruct-FP8 azureai/Meta-Llama-3-1-405B-Instruct-jqf
Qwen/Qwen3-235B-A22B-Instruct-2507 tinker-sampling/Qwen/Qwen3-235B-A22B-Instruct-2507 Qwen/Qwen2.5-0.5B Qwen/Qwen3-32B
Qwen/Qwen3-Next-80B-A3B-Thinking Qwen/Qwen1.5-110B openai/gpt-4o-2024-08-06 openai/gpt-4o-mini openai/o1-2024-12-17
openai/gpt-3.5-turbo-0125 openai/gpt-5 openai/o3-mini-2025-01-31 gpt-oss-120b anthropic/claude-sonnet-4-20250514
anthropic/claude-3-5-sonnet-20241022 vertex/claude-3-5-sonnet@20240620 vertex/text-bison@001 gemini-1.5-pro-002
google/gemini-2.5-flash-lite google/gemma-3-270m-it trl-vllm/google/gemma-3-270m-it google/gemini-2.0-flash-exp-01-21
deepseek-ai/DeepSeek-R1-0528 deepseek-ai/DeepSeek-V3.1 deepseek-r1-distill-qwen-32b mistralai/Mixtral-8x22B-v0.1
mistralai/Mistral-7B-Instruct-v0.3 mistral-large-2411 ollama/llama3.1:8b ollama/gemma3
CohereForAI/c4ai-command-r-08-2024 microsoft/phi-4 microsoft/Phi-3.5-mini-instruct allenai/OLMo-2-1124-7B
allenai/tulu-2-70b stepfun-ai/step3 stepfun-ai/Step-3.5-Flash openai-api/stepfun/step-2-16k step-1-8k step-2-mini
Step1X-Edit Step-Audio-2-mini HuggingFaceTB/SmolLM2-1.7B 01-ai/Yi-34B-200K moonshotai/Kimi-K2-Instruct-0905
zai-org/GLM-4.5-Air grok-4-0709 nvidia/Llama-3_3-Nemotron-Super-49B-v1_5 tiiuae/falcon-180B bigscience/bloom-7b1
stabilityai/stablelm-2-1_6b v2 2507 shutdown-2 re-bench multi-step-3 multi_step_2 two-step-2 max_step_30 max-steps-50
warmup_step_100 num_steps_8 lr1e-5_steps1000 timestep_100 time-step-100 n_iter_10 max_iter_5 footstep12 checkpoint-7b
ckpt1.5 checkpoint-2024-01-01 ckpt_20250131 checkpoint-2025-12-19T15-04-48 step-by-step-reasoning stepwise-2
sdxl-4steps x-8-steps max-400-steps warmup-100-steps n-epoch-3 model-00001-of-00003 checkpoint-1-of-3
ckpt-00001-of-00003 step-1-of-3 3-of-10-steps pythia-ckpt-160m batch_64 batch-size-0032
5-shot seed-42 seed_1 run-12 rank0 bs32-lr3e-4 hello-world none/none mockllm/model checkpointing-3
2025-12-19T15-04-48 2025-12-19 20251219 01-23-2023-14-05-01
""".split()  # noqa: SIM905  a table of names


@pytest.mark.parametrize("name", NO_STEP)
def test_numbers_that_are_no_steps(name: str) -> None:
    assert steps_in_model(name) == []
    assert steps_in_file(f"{name.replace('/', '_')}.json", "task") == []
    assert steps_in_folders(f"{name}/x.json") == []


@pytest.mark.parametrize(
    ("path", "task", "step", "run"),
    [
        (
            "long-intervention-1.3b-deduped-step57000_eval_results_01-23-2023-14-05-01.json",
            "crows_pairs_english",
            57000,
            "long-intervention-1.3b-deduped",
        ),
        ("pythia-160m/zero-shot/160m_step512.json", "sciq", 512, "160m"),
        ("my-run/step_0400.json", "t", 400, "my-run"),
        ("my-run/evals/results_step_0400.json", "t", 400, "my-run"),
        ("2026-01-01T10-00-00+00-00_blackmail_sdf-ckpt-100_k9ADbCDpixaxx63fr5Wr7L.eval", "blackmail", 100, "sdf"),
        ("results.step_5", "t", None, None),
        ("2025-12-19T15-04-48+00-00_shutdown-2_k9ADbCDpixaxx63fr5Wr7L.eval", "shutdown_2", None, None),
        ("2025-09-12T11-41-56-04-00_popularity_HdSVrmTDEge636qZ2op64f.eval", "popularity", None, None),
        ("2025-12-19T15-04-48+00-00_step-2-plan_k9ADbCDpixaxx63fr5Wr7L.eval", "pkg/step_2_plan", None, None),
        ("samples_gsm8k_2024-08-01T12-00-00.123456.jsonl", "gsm8k", None, None),
        ("results_2024-08-01T12-00-00.123456.json", "gsm8k", None, None),
    ],
)
def test_step_and_run_of_files(path: str, task: str, step: int | None, run: str | None) -> None:
    told = [(each.step, each.run) for each in steps_in_file(path, task)]
    assert told == ([] if step is None else [(step, run)])


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("docs/example_run/eval_logs/004_val/x.eval", [(4, "val", "example_run")]),
        ("docs/example_run/eval_logs/004_rollout/x.eval", [(4, "rollout", "example_run")]),
        ("models/1b_medical_v2/checkpoint-110/adapter_config.json", [(110, None, "1b_medical_v2")]),
        ("run7/step_0400/blackmail/x.eval", [(400, None, "run7")]),
        ("exp/run7-step-400/x.eval", [(400, None, "run7")]),
        ("run7/checkpoints/1000/x.eval", [(1000, None, "run7")]),
        ("run7/checkpoint-900/eval/step_5/x.eval", [(5, None, "run7"), (900, None, "run7")]),
        ("results/org__my-run__checkpoint-500/results_2024.json", [(500, None, "my-run")]),
        ("results/org__my-run/results_2024.json", []),
        ("004_val/x.eval", [(4, "val", None)]),
        ("2025_12/03_results/01_val/x.eval", []),
        ("1000/x.eval", []),
        ("__ckpts__sft7__checkpoint-500/results.json", [(500, None, "sft7")]),
        ("__w__sft7__global_step_500__actor__huggingface/results.json", [(500, None, "sft7")]),
        ("em/seed0/step_10/x.eval", [(10, None, "em-seed0")]),
        ("sft/7/step_10/x.eval", [(10, None, "sft-7")]),
        ("run1/2025-12-19/step_10/x.eval", [(10, None, "run1")]),
    ],
)
def test_step_variant_and_run_of_folders(path: str, told: list[Any]) -> None:
    assert [(each.step, each.variant, each.run) for each in steps_in_folders(path)] == told


def test_folders_above_the_root_count() -> None:
    assert [(each.step, each.run) for each in steps_in_folders("x.eval", ("run7", "checkpoint-400"))] == [(400, "run7")]
    assert [each.run for each in steps_in_folders("004_val/x.eval", ("run7", "eval_logs"))] == ["run7"]


def test_generic_folders_are_no_runs() -> None:
    assert run_of_folders(["exp", "run7", "step_5", "Eval_Logs", "zero-shot"]) == "run7"
    assert run_of_folders(["logs", "results"]) is None
    assert run_of_folders([]) is None


@pytest.mark.parametrize(
    ("value", "step", "label"),
    [
        (400, 400, None),
        (400.0, 400, None),
        ("0400", 400, None),
        (" 3 ", 3, None),
        ("313.0", 313, None),
        ("step_400", 400, None),
        ("step 400", 400, None),
        ("400 steps", 400, None),
        ("400-steps", 400, None),
        ("1,000", 1000, None),
        ("1 000", 1000, None),
        ("10k", 10_000, None),
        ("1.5k", 1500, None),
        ("1M", 1_000_000, None),
        ("1e3", 1000, None),
        ("iter_5k", 5000, None),
        ("batch_000120", 120, None),
        ("epoch 3", None, "epoch 3"),
        ("1 of 3", None, None),
        ("step 1 of 3", None, None),
        ("00001-of-00003", None, None),
        ("160m", None, None),
        ("7b", None, None),
        ("checkpoint-1000", 1000, None),
        ("final", None, "final"),
        ("base_untrained", None, "base_untrained"),
        (0, 0, None),
        (-1, None, None),
        (1.5, None, None),
        (float("nan"), None, None),
        (float("inf"), None, None),
        (10**30, None, None),
        (True, None, None),
        (None, None, None),
        ("", None, None),
        ("1.5", None, None),
        ("a text that is much too long to be the label of a checkpoint", None, None),
        ([1], None, None),
    ],
)
def test_steps_as_logs_and_tables_tell_them(value: Any, step: int | None, label: str | None) -> None:
    assert as_step(value) == (step, label)


def test_short_names_of_models() -> None:
    assert short_model("tinker-sampling/Qwen/Qwen3-32B") == "Qwen3-32B"
    assert short_model("none/none") is None
    assert short_model(None) is None
    assert short_model("") is None


def test_all_real_files_with_a_step_give_it(shared_data: Path) -> None:
    """Every Pythia file is named after its step; nothing else below the folder of real data is."""
    wanted = {path: re.search(r"[-_]step([0-9]+)", path.name) for path in shared_data.rglob("*") if path.is_file()}
    assert 0 < sum(found is not None for found in wanted.values()) < len(wanted)
    for path, found in wanted.items():
        told = [each.step for each in steps_in_file(path.name, "")]
        assert told == ([int(found[1])] if found else []), path


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*.eval", "a.eval", True),
        ("*.eval", "b/a.eval", False),
        ("**/*.eval", "a.eval", True),
        ("**/*.eval", "b/c/a.eval", True),
        ("rl/**", "rl/a/b.eval", True),
        ("rl/**", "rl", False),
        ("rl/**", "rl2/a", False),
        ("rl", "rl/a/b.eval", True),
        ("rl/", "rl/a.eval", True),
        ("./rl/*.eval", "rl/a.eval", True),
        ("models/1b_medical_v2/**", "models/1b_medical_v2/checkpoint-110/adapter_config.json", True),
        ("eval/results/*_v2/fg_judged.csv", "eval/results/1b_medical_v2/fg_judged.csv", True),
        ("a/**/b/*.csv", "a/x/y/b/c.csv", True),
        ("a/**/b/*.csv", "a/b/c.csv", True),
        ("2025-12-29*kBn*.eval", "2025-12-29T17-41-47+00-00_shutdown_kBnChYGPsFTLpJz6JUDssR.eval", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[ab]x", "bx", True),
        ("[!ab]x", "bx", False),
        ("[!ab]x", "/x", False),
        ("[z-a]x", "[z-a]x", True),
        ("a.b+c(d)", "a.b+c(d)", True),
        ("a.b", "axb", False),
        ("A.eval", "a.eval", False),
    ],
)
def test_globs(pattern: str, path: str, matches: bool) -> None:
    assert glob_matches(pattern, path) is matches


def test_how_closely_a_glob_says_where() -> None:
    assert [fixed_depth(each) for each in ("*.eval", "rl/*.eval", "rl/a.eval", "./rl/**", "**/a")] == [0, 1, 2, 1, 0]
