"""Real logs, placed by what they say and how they are called."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from loaders.lm_eval import read
from loaders.study.evidence import EvalEvidence, Placement
from loaders.study.lineage import runs_of
from loaders.study.placement import place, place_checkpoint
from loaders.study.reading import parse_study
from loaders.study.tree import CardTree


def headers(folder: Path) -> dict[str, dict[str, Any]]:
    """The eval spec of each log in a folder, finished or not, by file name; read with the standard library alone."""
    found = {}
    for path in sorted(folder.glob("*.eval")):
        with zipfile.ZipFile(path) as archive:
            name = "header.json" if "header.json" in archive.namelist() else "_journal/start.json"
            found[path.name] = json.loads(archive.read(name))["eval"]
    return found


def shutdown(shared_data: Path, study: str | None = None) -> list[Placement]:
    root = shared_data / "shutdown"
    cards = CardTree([], [("study.yaml", parse_study(study, "study.yaml"))] if study else [], str(root))
    return [
        place(
            EvalEvidence(
                eval_id=i,
                path=name,
                task=spec["task"],
                model=spec["model"],
                metadata=spec.get("metadata") or {},
                tags=spec.get("tags") or [],
                task_args=spec.get("task_args") or {},
                model_args=spec.get("model_args") or {},
                generate_config=spec.get("model_generate_config") or {},
            ),
            cards,
        )
        for i, (name, spec) in enumerate(headers(root).items())
    ]


def test_logs_that_do_not_tell_their_checkpoint_stand_alone(shared_data: Path) -> None:
    placements = shutdown(shared_data)
    assert len(placements) == 24
    assert len({placement.run for placement in placements}) == 24
    assert all(
        (each.placed, each.step, each.step_label, each.mix, each.stage) == (False, None, None, None, None)
        for each in placements
    )
    assert not any(each.conflicts for each in placements)
    assert {each.eval for each in placements} == {"shutdown", "shutdown_2", "re_bench"}
    rows, conflicts = runs_of([CardTree([], [])], placements)
    assert (len(rows), conflicts) == (24, [])


def test_a_mapping_places_a_few_of_them(shared_data: Path) -> None:
    placements = shutdown(
        shared_data,
        "logs:\n"
        "  - {match: '2025-12-29*kBn*.eval', run: big-run, step: 10, stage: rl}\n"
        "  - {match: '2025-12-29*2ZA*.eval', run: big-run, step: 20, stage: rl}\n"
        "  - {match: '*no such log*', run: nothing, step: 1}\n",
    )
    told = {(each.run, each.step, each.stage, each.step_rule) for each in placements if each.placed}
    assert told == {
        ("big-run", 10, "rl", "run card study.yaml, logs[0]"),
        ("big-run", 20, "rl", "run card study.yaml, logs[1]"),
    }
    assert len({each.run for each in placements if not each.placed}) == 22


@pytest.mark.slow
def test_every_pythia_file_is_a_step_of_its_run(shared_data: Path) -> None:
    root = shared_data / "pythia"
    cards = CardTree([], [], str(root))
    found: dict[str, set[int | None]] = {}
    counts: Counter[str] = Counter()
    for path in sorted(root.rglob("*.json")):
        record = read(path).evals[0]
        placement = place(
            EvalEvidence(
                eval_id=1,
                path=path.relative_to(root).as_posix(),
                task=record.task,
                model=record.model,
                model_args=json.loads(record.model_args_json or "{}"),
            ),
            cards,
        )
        assert placement.conflicts == []
        assert f"step{placement.step}" in path.name
        found.setdefault(placement.run, set()).add(placement.step)
        counts[placement.run] += 1
    assert counts == {
        "intervention-1.3b-deduped": 9,
        "intervention-350m-deduped": 10,
        "long-intervention-1.3b-deduped": 30,
        "pythia-1.3b-deduped": 24,
        "pythia-350m-deduped": 24,
        "pythia-v1.1-160m": 27,
        "pythia-v1.1-160m-deduped": 27,
    }
    assert found["pythia-v1.1-160m"] >= {0, 1, 512, 143000}


def test_rollouts_and_validation_of_an_rl_run_stay_apart(shared_data: Path) -> None:
    root = shared_data / "inspect_rl"
    cards = CardTree([], [], str(root))
    logs = [path.relative_to(root).as_posix() for path in sorted(root.rglob("*.eval"))]
    placements = [
        place(EvalEvidence(eval_id=1, path=log, task="task", model="trl-vllm/google/gemma-3-270m-it"), cards)
        for log in logs
    ]
    assert {each.run for each in placements} == {"example_run"}
    assert sorted((each.variant, each.step) for each in placements) == [
        *(("rollout", step) for step in (1, 2, 3, 4, 5)),
        *(("val", step) for step in (0, 2, 4, 5)),
    ]
    assert place_checkpoint("docs/example_run/manifest.json", cards).run == "example_run"


def test_checkpoints_of_the_emergent_models(shared_data: Path) -> None:
    root = shared_data / "emergent"
    cards = CardTree([], [], str(root))
    found: dict[str, list[int]] = {}
    for path in root.rglob("adapter_config.json"):
        placement = place_checkpoint(path.relative_to(root).as_posix(), cards)
        assert placement.placed
        found.setdefault(placement.run, [])
        if placement.step is not None:
            found[placement.run].append(placement.step)
    medical, risky = [110, 220, 330, 440, 880, 1320], [93, 187, 281, 375, 750, 1125]
    assert {run: sorted(steps) for run, steps in found.items()} == {
        "1b_medical_v2": medical, "1b_risky_v2": risky, "3b_medical_v2": medical, "3b_risky_v2": risky,
    }  # fmt: skip


def test_no_other_real_log_is_given_a_step(shared_data: Path) -> None:
    for folder in ("inspect", "inspect_flow", "shutdown", "bloom", "trainer_state"):
        cards = CardTree([], [], str(shared_data / folder))
        paths = list((shared_data / folder).rglob("*"))
        assert paths, folder
        for path in paths:
            relative = path.relative_to(shared_data / folder).as_posix()
            placement = place(EvalEvidence(eval_id=1, path=relative, task="popularity", model="openai/gpt-5"), cards)
            assert (placement.step, placement.step_label, placement.placed) == (None, None, False), relative
