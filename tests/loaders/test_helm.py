"""HELM's run folders: splits, perturbations and trials apart, and what is missing stays missing."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from loaders import checked, helm
from loaders.errors import RejectedFile
from loaders.records import EvalRecord, LoadedFile
from tests.fuzzing import HELM_RUN, KINDS, mutated
from tests.real_stores import ingested

TYPOS = {"name": "typos", "robustness": True, "fairness": False, "computed_on": "perturbed", "prob": 0.1}


def stat(name: str, value: float | None, split: str = "test", **more: Any) -> dict[str, Any]:
    counted = {"count": 0, "sum": 0} if value is None else {"count": 1, "sum": value, "mean": value}
    return {"name": {"name": name, "split": split, **more}, **counted}


def asked(id: str, *, split: str = "test", trial: int = 0, perturbation: Any = None, **more: Any) -> dict[str, Any]:
    instance = {
        "id": id, "split": split, "input": {"text": f"Q {id}"},
        "references": [{"output": {"text": "yes"}, "tags": ["correct"]}, {"output": {"text": "no"}, "tags": []}],
    }  # fmt: skip
    if perturbation:
        instance["perturbation"] = perturbation
    return {
        "instance": instance, "train_trial_index": trial, "output_mapping": {"A": "yes", "B": "no"},
        "request": {"model": "org/m", "prompt": f"P {id}"},
        "result": {"success": True, "completions": [{"text": " A"}], "request_datetime": 1_750_000_000},
    } | more  # fmt: skip


def came_to(id: str, stats: list[dict[str, Any]], *, trial: int = 0, perturbation: Any = None) -> dict[str, Any]:
    found = {"instance_id": id, "train_trial_index": trial, "stats": stats}
    return found | ({"perturbation": perturbation} if perturbation else {})


def load(
    folder: Path,
    requests: list[dict[str, Any]] | None,
    per_instance: list[dict[str, Any]] | None,
    stats: list[dict[str, Any]] | None = None,
    **adapter: Any,
) -> LoadedFile:
    run = {**HELM_RUN, "adapter_spec": {**HELM_RUN["adapter_spec"], **adapter}}
    (folder / "run_spec.json").write_text(json.dumps(run))
    state = None if requests is None else {"request_states": requests}
    for name, document in (("scenario_state", state), ("per_instance_stats", per_instance), ("stats", stats)):
        if document is not None:
            (folder / f"{name}.json").write_text(json.dumps(document))
    return checked.loaded(helm.read(folder / "run_spec.json"), "helm")


def scores(record: EvalRecord) -> dict[tuple[str, int], dict[str, float | None]]:
    return {(one.sample_key, one.epoch): {s.scorer: s.value_num for s in one.scores} for one in record.samples}


def test_perturbed_instances_and_splits_are_evals_of_their_own(tmp_path: Path) -> None:
    worst = {**TYPOS, "computed_on": "worst"}
    loaded = load(
        tmp_path,
        [asked("1"), asked("1", perturbation=TYPOS), asked("2", split="valid")],
        [
            came_to("1", [stat("em", 1.0)]),
            came_to("1", [stat("em", 0.0, perturbation=TYPOS)], perturbation=TYPOS),
            came_to("2", [stat("em", 0.5, "valid")]),
        ],
        [
            stat("em", 1.0), stat("em", 0.0, perturbation=TYPOS), stat("em", 0.0, perturbation=worst),
            stat("em", 0.5, "valid"), stat("num_instances", 1.0),
        ],
    )  # fmt: skip
    assert loaded.notes == []
    assert {one.task: scores(one) for one in loaded.evals} == {
        "bench:subject=x,split=test": {("1", 1): {"em": 1.0}},
        "bench:subject=x,split=test,perturbation=typos(prob=0.1)": {("1", 1): {"em": 0.0}},
        "bench:subject=x,split=valid": {("2", 1): {"em": 0.5}},
    }
    assert {one.task.partition("split=")[2]: [(r.metric, r.key, r.value, r.n) for r in one.reported]
            for one in loaded.evals} == {
        "test": [("em", None, 1.0, 1), ("em", "worst: typos(prob=0.1)", 0.0, None), ("num_instances", None, 1.0, None)],
        "test,perturbation=typos(prob=0.1)": [("em", None, 0.0, 1)],
        "valid": [("em", None, 0.5, 1)],
    }  # fmt: skip


def test_a_trial_is_an_epoch_and_a_mean_over_trials_has_no_n(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        [asked("1", trial=trial) for trial in (0, 1)],
        [came_to("1", [stat("em", value)], trial=trial) for trial, value in enumerate((1.0, 0.0))],
        [stat("em", 0.5), stat("num_instances", 1.0)],
        num_train_trials=2,
    )
    (record,) = loaded.evals
    assert scores(record) == {("1", 1): {"em": 1.0}, ("1", 2): {"em": 0.0}}
    assert (record.epochs, record.n_samples_reported) == (2, 2)
    assert [(one.value, one.n, one.k) for one in record.reported] == [(0.5, None, None), (1.0, None, None)]


def test_what_was_not_counted_is_missing(tmp_path: Path) -> None:
    failed = {"success": False, "error": "out of memory", "completions": []}
    loaded = load(
        tmp_path,
        [asked("1"), asked("2", result=failed), asked("3", result=None)],
        [
            came_to("1", [stat("em", 0.0), stat("training_co2_cost", None), stat("never", None)]),
            came_to("2", [stat("em", None)]),
        ],
        [stat("em", 0.0)],
    )
    (record,) = loaded.evals
    assert scores(record) == {("1", 1): {"em": 0.0}, ("2", 1): {"em": None}, ("3", 1): {"em": None}}
    assert [one.error for one in record.samples] == [None, "out of memory", None]
    assert [one.reply for one in record.samples] == [" A", None, None]
    (reported,) = record.reported
    assert (reported.n, record.n_samples_reported) == (1, None)


def test_references_that_are_requests_of_their_own_are_no_replies(tmp_path: Path) -> None:
    requests = [asked("1", output_mapping=None, reference_index=at, request_mode="original") for at in (0, 1)]
    (record,) = load(tmp_path, requests, [came_to("1", [stat("exact_match", 1.0), stat("predicted_index", 1)])]).evals
    (sample,) = record.samples
    assert sample.reply is None
    assert json.loads(sample.choices_json or "") == ["yes", "no"]
    assert [one.role for one in sample.messages] == ["user"]
    assert scores(record) == {("1", 1): {"exact_match": 1.0}}
    assert json.loads(sample.metadata_json or "") == {"statistics": {"predicted_index": 1}, "requests": 2}


def test_statistics_alone_are_reported_without_n(tmp_path: Path) -> None:
    loaded = load(tmp_path, None, None, [stat("exact_match", 0.25), stat("num_instances", 8.0)])
    (record,) = loaded.evals
    assert (record.samples, record.n_samples_reported) == ([], 8)
    assert [(one.metric, one.value, one.n, one.stderr) for one in record.reported] == [
        ("exact_match", 0.25, None, None), ("num_instances", 8.0, None, None),
    ]  # fmt: skip
    assert loaded.notes == ["per_instance_stats.json is not beside it", "scenario_state.json is not beside it"]


def test_a_run_without_results_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RejectedFile, match=r"without results.*Let the run end"):
        load(tmp_path, None, None)


def test_a_broken_file_leaves_the_rest_in(tmp_path: Path) -> None:
    load(tmp_path, [asked("1")], None, [stat("em", 1.0)])
    (tmp_path / "scenario_state.json").write_text('{"request_states": [')
    loaded = helm.read(tmp_path / "run_spec.json")
    assert [one.value for one in loaded.evals[0].reported] == [1.0]
    assert any(note.startswith("scenario_state.json is left out: can't be read as JSON") for note in loaded.notes)


def test_a_runs_files_are_one_item_and_without_their_specification_they_say_so(tmp_path: Path) -> None:
    load(tmp_path, [asked("1")], [came_to("1", [stat("em", 1.0)])], [stat("em", 1.0)])
    store = ingested(tmp_path)
    assert store.rejected == {}
    (row,) = store.rows("SELECT eval, model, n_samples FROM live_evals($n)")
    assert row == {"eval": "bench:subject=x,split=test", "model": "org/odd-step-5", "n_samples": 1}
    (tmp_path / "run_spec.json").unlink()
    reasons = ingested(tmp_path).rejected
    assert len(reasons) == 3
    assert all("without its run_spec.json: put that into this folder" in reason for reason in reasons.values())


def test_changed_bytes_reject_a_run_or_leave_sound_records(tmp_path: Path) -> None:
    kind = KINDS["HELM's run"]
    files = [(kind.name, kind.sound), *kind.beside]
    chance = random.Random(13)
    for _ in range(150):
        at = chance.randrange(len(files))
        for number, (name, document) in enumerate(files):
            raw = json.dumps(document).encode()
            (tmp_path / name).write_bytes(mutated(raw, chance) if number == at else raw)
        with suppress(RejectedFile):
            checked.loaded(helm.read(tmp_path / "run_spec.json"), "helm")
