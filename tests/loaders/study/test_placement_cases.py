"""Which checkpoint a log is of, in small inputs that went wrong (../shared/cases) and their variants."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loaders.study.alone import by_epoch
from loaders.study.evidence import EvalEvidence, Placement
from loaders.study.placement import place
from loaders.study.together import brought_together, identity
from tests.real_stores import shared
from tests.study_trees import tree

OLMO = "hf/allenai/OLMo-2-1124-7B"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "points"),
    [
        ("seed-after-step", [(f"em-medical-seed{seed}", step) for seed in (0, 1) for step in (100, 200)]),
        ("generic-folder-names", [("run1", 100), ("run2", 100)]),
        ("run-is-a-number", [("7", 100), ("8", 100)]),
        ("step-words", [("qwen-dpo", 1000), ("qwen-dpo", 10000)]),
    ],
)
def test_right_checkpoints_of_cases(cases: Path, case: str, points: list[tuple[str, int]]) -> None:
    store = shared(cases / case)
    rows = store.rows("SELECT run, step FROM live_evals($n) ORDER BY run, step")
    assert [(row["run"], row["step"]) for row in rows] == points


def test_two_files_of_one_evaluation_share_a_run_where_nothing_places_them(cases: Path) -> None:
    store = shared(cases / "scored-twin-unplaced")
    assert store.rows("SELECT count(*) AS logs, count(DISTINCT run) AS runs FROM live_evals($n)") == [
        {"logs": 2, "runs": 1}
    ]


@pytest.mark.parametrize(
    ("facts", "run", "step"),
    [
        ({"model": OLMO, "model_args": {"revision": "stage1-step1000-tokens4B"}}, "OLMo-2-1124-7B-stage1", 1000),
        (
            {"model": OLMO, "model_args": {"revision": "stage2-ingredient1-step1000-tokens5B"}},
            "OLMo-2-1124-7B-stage2-ingredient1",
            1000,
        ),
        ({"model": "vllm/org/base", "model_roles": {"target": {"model": "vllm/me/sdf-step-400"}}}, "sdf", 400),
        ({"model": "vllm/org/base", "used_models": ["openai/gpt-4o", "vllm/base:sdf-step-400"]}, "sdf", 400),
        ({"model": "vllm/org/base", "model_args": {"lora_modules": ["a=/w/sdf/checkpoint-400"]}}, "sdf", 400),
        ({"model": "vllm/org/base", "model_args": {"base_url": "http://localhost:8000/sdf-step-400/v1"}}, "sdf", 400),
        ({"model": "vllm/org/base", "metadata": {"model_path": "/w/sdf/checkpoint-400"}}, "sdf", 400),
        ({"model": "vllm/m/x", "metadata": {"run": 7.0, "step": "step 400"}}, "7", 400),
        ({"model": "vllm/m/x", "metadata": {"run": "7", "step": 400.0}}, "7", 400),
        ({"model": "vllm/m/x", "metadata": {"run": "r", "step": "400", "training_seed": 3}}, "r-seed3", 400),
    ],
)
def test_all_that_names_weights(facts: dict[str, Any], run: str, step: int) -> None:
    placement = place(EvalEvidence(eval_id=1, path="x.eval", task="t", **facts), tree())
    assert (placement.run, placement.step, placement.conflicts) == (run, step, [])


def test_the_same_tinker_path_is_the_same_checkpoint() -> None:
    path = "tinker://0b1c2d3e-4f50/sampler_weights/before-rl"
    for facts in ({"model": "none/none", "model_args": {"model_path": path}}, {"model": path}):
        placement = place(EvalEvidence(eval_id=1, path="x.eval", task="t", **facts), tree())
        assert (placement.run, placement.step_label, placement.placed) == ("0b1c2d3e-4f50", "before-rl", True)


def together(*logs: tuple[str, str, str | None]) -> list[Placement]:
    """Unplaced logs, each given as task, model and id."""
    told = [
        EvalEvidence(eval_id=i, path=f"{i}.eval", task=task, model=model) for i, (task, model, _) in enumerate(logs)
    ]
    placements = {each.eval_id: place(each, tree()) for each in told}
    files = {each.eval_id: ("/", each.path) for each in told}
    identities = {each.eval_id: identity(each, (None, logs[each.eval_id][2])) for each in told}
    return list(brought_together(placements, files, identities)[0].values())


def test_one_models_tasks_are_one_run_and_two_logs_of_a_task_are_not() -> None:
    assert [each.run for each in together(("a", "hf/org/m", None), ("b", "hf/org/m", None))] == ["m", "m"]
    assert [each.run for each in together(("a", "hf/x/m", None), ("a", "hf/x/m", None))] == ["m 0", "m 1"]
    both = together(("a", "hf/x/m", None), ("b", "hf/x/m", None), ("a", "hf/y/m", None), ("b", "hf/y/m", None))
    assert [each.run for each in both] == ["x/m", "x/m", "y/m", "y/m"]
    assert not any(each.placed for each in together(("a", "none/none", None), ("b", "none/none", None)))
    # A retry of one task is one evaluation with it.
    retried = together(("a", "hf/x/m", "t"), ("a", "hf/x/m", "t"), ("b", "hf/x/m", None))
    assert {each.run for each in retried} == {"m"}


def test_a_log_elsewhere_of_the_same_evaluation_is_of_its_checkpoint() -> None:
    def placed(*logs: tuple[str, str, str]) -> list[tuple[str, int | None, bool]]:
        """Run, step and whether it is placed, of logs given as path, model and id."""
        told = [EvalEvidence(eval_id=i, path=p, task="t", model=model) for i, (p, model, _) in enumerate(logs)]
        placements = {each.eval_id: place(each, tree()) for each in told}
        files = {each.eval_id: ("/", each.path) for each in told}
        identities = {each.eval_id: identity(each, (logs[each.eval_id][2], None)) for each in told}
        found = brought_together(placements, files, identities)[0]
        return [(found[i].run, found[i].step, found[i].placed) for i in range(len(logs))]

    first = ("run-a/step_100/a.eval", "mockllm/model", "E")
    assert placed(first, ("converted/a.json", "mockllm/model", "E"))[1] == ("run-a", 100, True)
    assert placed(first, ("a-scored.eval", "mockllm/model", "E"))[1] == ("run-a", 100, True)
    assert not placed(first, ("converted/a.json", "mockllm/model", "F"))[1][2]
    assert not placed(first, ("converted/a.json", "hf/other", "E"))[1][2]
    # Two checkpoints claim that evaluation: nothing tells which one it is of.
    assert not placed(first, ("run-a/step_200/a.eval", "mockllm/model", "E"), ("a.json", "mockllm/model", "E"))[2][2]


def test_epochs_are_an_axis_where_a_run_has_no_steps() -> None:
    def steps(*labels: tuple[int | None, str | None]) -> list[int | None]:
        those = {i: Placement(run="r", eval="e", step=s, step_label=text) for i, (s, text) in enumerate(labels)}
        return [each.step for each in by_epoch(those).values()]

    assert steps((None, "epoch 0"), (None, "epoch 1")) == [0, 1]
    assert steps((0, "base"), (None, "epoch 0"), (None, "epoch 1")) == [0, 1, 2]
    assert steps((100, None), (None, "epoch 1")) == [100, None]
