"""Where a log belongs: the order of the rules, and every disagreement between them reported with all candidates."""

from __future__ import annotations

from typing import Any

import pytest

from loaders.study.evidence import Conflict, EvalEvidence, Placement
from loaders.study.placement import place, place_checkpoint
from loaders.study.tree import CardTree
from tests.study_trees import tree


def placed(path: str, cards: CardTree | None = None, **facts: Any) -> Placement:
    return place(EvalEvidence(eval_id=1, path=path, **{"task": "blackmail", **facts}), cards or tree())


def spot(placement: Placement) -> tuple[str, int | None, bool]:
    return placement.run, placement.step, placement.placed


def only_conflict(placement: Placement) -> Conflict:
    (conflict,) = placement.conflicts
    return conflict


# The order of the rules, each time with everything that comes after it.
EVERYTHING: dict[str, Any] = {
    "metadata": {"run": "stated", "step": 1},
    "model": "vllm/org/modelled-ckpt-3",
}
PATH = "foldered/step_5/filed-step4.json"
CARD = {"foldered/run.yaml": "name: carded\nstep: 2\n"}


@pytest.mark.parametrize(
    ("facts", "cards", "path", "run", "step", "run_rule", "step_rule"),
    [
        (EVERYTHING, CARD, PATH, "stated", 1, "metadata.run", "metadata.step"),
        (
            {"model": EVERYTHING["model"]},
            CARD,
            PATH,
            "carded",
            2,
            "run card foldered/run.yaml",
            "run card foldered/run.yaml",
        ),
        (
            {"model": EVERYTHING["model"]},
            {},
            PATH,
            "modelled",
            3,
            "model name vllm/org/modelled-ckpt-3",
            "model name vllm/org/modelled-ckpt-3",
        ),
        ({}, {}, PATH, "filed", 4, "file name filed-step4", "file name filed-step4"),
        ({}, {}, "foldered/step_5/x.json", "foldered", 5, "folder name step_5", "folder name step_5"),
    ],
)
def test_rules_in_their_order(
    facts: dict[str, Any], cards: dict[str, str], path: str, run: str, step: int, run_rule: str, step_rule: str
) -> None:
    placement = placed(path, tree(cards), **facts)
    assert spot(placement) == (run, step, True)
    assert (placement.run_rule, placement.step_rule) == (run_rule, step_rule)


def test_all_candidates_of_a_disagreement_are_told() -> None:
    run, step = placed(PATH, tree(CARD), **EVERYTHING).conflicts[::-1]
    assert (run.field, step.field) == ("run", "step")
    assert step.candidates == [
        ("metadata.step", "1"),
        ("run card foldered/run.yaml", "2"),
        ("model name vllm/org/modelled-ckpt-3", "3"),
        ("file name filed-step4", "4"),
        ("folder name step_5", "5"),
    ]
    assert [value for _, value in run.candidates] == ["stated", "carded", "modelled", "filed", "foldered"]
    assert step.message == (
        "step: metadata.step says 1, but run card foldered/run.yaml says 2; model name vllm/org/modelled-ckpt-3 says 3;"
        " file name filed-step4 says 4; folder name step_5 says 5. 1 counts."
    )


@pytest.mark.parametrize(
    "facts",
    [
        {"metadata": {"step": 100}},
        {"metadata": {"global_step": "100"}},
        {"metadata": {"Checkpoint-Step": 100.0}},
        {"metadata": {"checkpoint": {"run": "r", "step": 100}}},
        {"metadata": {"checkpoint": "checkpoint-100"}},
        {"metadata": {"checkpoint_path": "/ckpts/r/global_step_100/actor"}},
        {"tags": ["x", "step=100"]},
        {"tags": ["step:100"]},
        {"tags": ["Step: 100"]},
        {"tags": ["checkpoint-100"]},
        {"tags": ["ckpt:100"]},
        {"task_args": {"step": 100}},
        {"task_args": {"checkpoint": 100}},
        {"model_args": {"revision": "step100"}},
        {"model_args": {"iteration": 100}},
        {"stated_step": "100", "stated_rule": "study.yaml, tables[0]: column step"},
    ],
)
def test_steps_that_logs_state(facts: dict[str, Any]) -> None:
    placement = placed("x.eval", model="hf/org/r", **facts)
    assert spot(placement) == ("r", 100, True)
    assert placement.conflicts == []
    assert placement.step_rule
    assert placement.step_rule.startswith((*facts, "tag ", "study.yaml"))


@pytest.mark.parametrize(
    "facts",
    [
        {"metadata": {"step": None, "steps": 100, "max_step": 5, "iteration": 7, "epoch": 3, "run": True}},
        {"task_args": {"epochs": 8, "num_steps": 30, "checkpoint": "llama-3", "step": True, "step_limit": 9}},
        {"model_args": {"revision": "3f1c5e0d9a", "batch_size": 4, "max_steps": 10}},
        {"tags": ["multi-step", "v2", "2025-12-19", "step", 400, "stage:warmup"]},
        {"generate_config": {"seed": 100, "max_tokens": 512, "extra_body": {"step": 4}}},
    ],
)
def test_statements_that_are_none_of_training(facts: dict[str, Any]) -> None:
    placement = placed("x.eval", model="openai/gpt-4o-2024-08-06", **facts)
    assert spot(placement) == ("gpt-4o-2024-08-06 x", None, False)
    assert (placement.run_rule, placement.step_rule, placement.stage) == (None, None, None)


def test_runs_mixes_stages_and_variants_that_logs_state() -> None:
    placement = placed("x.eval", tags=["run:sdf", "mix=advice", "stage:rl", "variant: no-tools"])
    assert (placement.run, placement.mix, placement.stage, placement.variant) == ("sdf", "advice", "rl", "no-tools")
    assert spot(placement) == ("sdf", None, True)


def test_a_table_mapping_states_first() -> None:
    placement = placed(
        "results/1b_medical_v2/fg_judged.csv",
        stated_run="1b_medical_v2",
        stated_step="0",
        stated_mix="medical",
        stated_stage="sft",
        stated_variant="v",
        stated_rule="study.yaml, tables[0]",
        metadata={"step": 0},
    )
    assert spot(placement) == ("1b_medical_v2", 0, True)
    assert (placement.mix, placement.stage, placement.variant) == ("medical", "sft", "v")
    assert (placement.run_rule, placement.step_rule) == ("study.yaml, tables[0]", "study.yaml, tables[0]")


def test_what_a_table_calls_step_or_stage_and_is_none_is_reported() -> None:
    placement = placed("x.csv", stated_run="r", stated_step="-1", stated_stage="warmup", stated_rule="tables[0]")
    assert (placement.run, placement.step, placement.step_label, placement.stage) == ("r", None, None, None)
    assert [(each.field, each.candidates) for each in placement.conflicts] == [
        ("step", [("tables[0]", "-1")]),
        ("stage", [("tables[0]", "warmup")]),
    ]
    assert "(allowed: one of sdf, sft, rl," in placement.conflicts[1].message


def test_two_statements_of_one_log_that_disagree() -> None:
    conflict = only_conflict(placed("x.eval", metadata={"step": 1}, task_args={"step": 2}))
    assert conflict.candidates == [("metadata.step", "1"), ("task_args.step", "2")]


@pytest.mark.parametrize(
    ("name", "step"),
    [("final", None), ("base", 0), ("base_untrained", 0), ("Untrained", 0), ("pretrained", 0), ("init", 0)],
)
def test_steps_that_are_labels(name: str, step: int | None) -> None:
    """Of a model before its training the step is known, too: its run begins there."""
    placement = placed("x.eval", metadata={"run": "r", "step": name})
    assert (placement.step, placement.step_label, placement.placed) == (step, name, True)
    assert placement.step_rule == "metadata.step"


def test_label_and_number_go_together() -> None:
    placement = placed("r/checkpoint-1000/x.eval", metadata={"step": "final"})
    assert (placement.step, placement.step_label, placement.conflicts) == (1000, "final", [])
    assert placed("r/checkpoint-0/x.eval", metadata={"step": "base"}).conflicts == []
    conflict = only_conflict(placed("r/checkpoint-1000/x.eval", metadata={"step": "base"}))
    assert conflict.candidates == [("metadata.step", "base"), ("folder name checkpoint-1000", "1000")]


def test_main_branch_of_a_model_is_a_label() -> None:
    placement = placed("x.json", model="hf/EleutherAI/pythia-160m", model_args={"revision": "main"})
    assert (placement.run, placement.step, placement.step_label) == ("pythia-160m", None, "main")


def test_weights_in_model_args_name_run_and_step() -> None:
    placement = placed(
        "x.json", model="vllm/meta-llama/Llama-3.2-1B", model_args={"lora_path": "/w/sdf/checkpoint-400"}
    )
    assert spot(placement) == ("sdf", 400, True)
    assert placement.step_rule == "model_args.lora_path /w/sdf/checkpoint-400"
    placement = placed("x.json", model="none/none", target_model="vllm/org/sdf-ckpt-5")
    assert spot(placement) == ("sdf", 5, True)


def test_a_path_in_metadata_names_the_run_no_louder_than_a_model() -> None:
    cards = tree({"run.yaml": "name: sdf"})
    placement = placed("x.eval", cards, metadata={"checkpoint": "/w/exp12-sdf/checkpoint-400"})
    assert spot(placement) == ("sdf", 400, True)
    assert placement.conflicts == []
    assert placed("x.eval", metadata={"checkpoint": "/w/exp12/checkpoint-400"}).run == "exp12"


def test_a_step_without_any_name_takes_the_model_then_the_folder() -> None:
    assert spot(placed("a/x.eval", metadata={"step": 4}, model="vllm/org/tuned")) == ("tuned", 4, True)
    assert spot(placed("sdf/logs/x.eval", metadata={"step": 4})) == ("sdf", 4, True)
    assert spot(placed("logs/x.eval", metadata={"step": 4})) == ("logs/x", 4, False)


def test_names_that_are_part_of_one_another_agree() -> None:
    placement = placed(
        "pythia-160m/160m_step512.json", model="EleutherAI/pythia-v1.1-160m", model_args={"revision": "step512"}
    )
    assert (*spot(placement), placement.conflicts) == ("pythia-v1.1-160m", 512, True, [])
    conflict = only_conflict(placed("other_step512.json", model="org/run-a-step512"))
    assert conflict.candidates == [("model name org/run-a-step512", "run-a"), ("file name other_step512", "other")]


def test_a_log_of_which_nothing_is_known_stands_alone_under_a_name_of_its_own() -> None:
    paths = ["a/results.json", "b/results.json", "a/2025-12-19T15-04-48+00-00_blackmail_k9ADbCDpixaxx63fr5Wr7L.eval"]
    runs = [spot(placed(path, model="hf/org/model")) for path in paths]
    assert runs == [
        ("model a/results", None, False),
        ("model b/results", None, False),
        ("model 2025-12-19T15-04-48+00-00_blackmail_k9ADbCDpixaxx63fr5Wr7L", None, False),
    ]
    assert placed("a.json", model="none/none").run == "a"


def test_the_ingest_root_and_what_is_above_it_have_names_too() -> None:
    assert spot(placed("004_val/x.eval", tree(root="/home/me/example_run/eval_logs"))) == ("example_run", 4, True)
    assert spot(placed("x.eval", tree(root="/home/me/run7/checkpoint-400"))) == ("run7", 400, True)


def test_names_of_evals_first_match_wins_and_studies_come_before_the_built_in() -> None:
    study = {
        "study.yaml": "evals: {stories: {task: 'story_*', where: {task_args.n: 3, metadata.kind: 'b*', tag: x}},"
        " rest: {task: 'story_*'}, special: {task: agentic_misalignment, where: {task_args.prod: true}}}"
    }

    def name(task: str, **facts: Any) -> str:
        return placed("sub/x.eval", tree(studies=study), task=task, **facts).eval

    assert name("pkg/story_1", task_args={"n": 3}, metadata={"kind": "bc"}, tags=["y", "x"]) == "stories"
    assert name("story_1", task_args={"n": 3}, metadata={"kind": "bc"}) == "rest"
    assert name("inspect_evals/agentic_misalignment", task_args={"scenario": "murder", "prod": True}) == "special"
    assert name("inspect_evals/agentic_misalignment", task_args={"scenario": "murder", "prod": 1}) == "murder"
    assert name("agentic_misalignment", task_args={"scenario": "leaking"}) == "leaking"
    assert name("agentic_misalignment") == "blackmail"
    assert name("agentic_misalignment", task_args={"scenario": "sandbagging"}) == "agentic_misalignment"
    assert name("inspect_evals/gpqa_diamond") == "gpqa_diamond"
    assert name("inspect_evals/gpqa_diamond", task_display="GPQA") == "GPQA"


def test_studies_only_speak_of_their_own_folders() -> None:
    cards = tree(
        studies={"study.yaml": "evals: {outer: {task: t}}", "in/study.yaml": "evals: {inner: {task: t}}"},
    )
    assert [placed(path, cards, task="t").eval for path in ("x.eval", "in/x.eval", "inn/x.eval")] == [
        "outer",
        "inner",
        "outer",
    ]


def test_what_trainers_leave_belongs_to_its_folder() -> None:
    assert spot(place_checkpoint("models/sdf/checkpoint-110/adapter_config.json", tree())) == ("sdf", 110, True)
    assert spot(place_checkpoint("models/sdf/adapter_config.json", tree())) == ("sdf", None, True)
    assert spot(place_checkpoint("sdf/manifest.json", tree({"sdf/run.yaml": "name: x"}))) == ("x", None, True)
    assert place_checkpoint("adapter_config.json", tree(root="/home/me/sdf")).run == "sdf"
    assert place_checkpoint("adapter_config.json", tree()).placed is False
