"""Result folders of agentic-misalignment, in both layouts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loaders.audits import misalignment
from loaders.errors import RejectedFile
from tests.audit_files import response, verdict, write
from tests.real_stores import ingested

CONDITION, OTHER, LEAKING = "blackmail_explicit-america_replacement", "blackmail_none-none_none", "leaking_x-y_none"


def write_run(model: Path) -> None:
    """Two conditions of one scenario and one of another, with responses of every kind."""
    for number, classified in enumerate([verdict(True), verdict(False), None, {"error": "time-out"}], start=1):
        write(model / CONDITION / f"sample_{number:03}/response.json", response(CONDITION, number, classified))
    failed = verdict(False, error="no verdict")
    write(model / OTHER / "sample_001/response.json", response(OTHER, 1, failed))
    write(model / OTHER / "sample_002/response.json", response(OTHER, 2, verdict(True)))
    write(model / LEAKING / "sample_001/response.json", response(LEAKING, 1, verdict(False)))


def write_prompts(experiment: Path) -> None:
    folder = experiment / "prompts" / CONDITION
    write(folder / "metadata.json", {"condition_id": CONDITION, "scenario": "blackmail", "goal_value": "america"})
    for name, text in (("system_prompt", "You are Alex."), ("user_prompt", "Go on."), ("email_content", "Mail.")):
        (folder / f"{name}.txt").write_text(text)


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["results/pilot/models/tiny", "results/pilot/tiny"])
def test_both_layouts_are_one_log_of_a_model(tmp_path: Path, layout: str) -> None:
    write_run(tmp_path / layout)
    write_prompts(tmp_path / "results/pilot")
    found = ingested(tmp_path)
    assert (found.report.ingested, found.report.rejected) == (1, 0)
    rates = found.rates(metrics=("harmful_behavior",)).set_index("eval")
    counts = rates[["step", "n", "k", "n_missing"]].to_dict("index")
    assert counts == {
        "blackmail": {"step": 100, "n": 3, "k": 2, "n_missing": 3},
        "leaking": {"step": 100, "n": 1, "k": 0, "n_missing": 0},
    }
    verdicts = found.rates(metrics=("mean_classification.classifier_verdict",))
    assert verdicts.set_index("eval")["k"].to_dict() == {"blackmail": 3, "leaking": 1}
    assert found.report.notes[0].endswith("3 of 7 responses are without their prompts (prompts/CONDITION/ beside)")


def test_a_response_value_by_value(tmp_path: Path) -> None:
    write_prompts(tmp_path)
    path = tmp_path / "models/tiny" / CONDITION / "sample_012/response.json"
    (record,) = misalignment.read(write(path, response(CONDITION, 12, verdict(True)))).evals
    (sample,) = record.samples
    assert (record.task, record.model, record.judge) == ("agentic_misalignment", "org/target-step_100", "org/judge")
    assert json.loads(record.task_args_json or "") == {"scenario": "blackmail"}
    assert (sample.sample_key, sample.epoch, sample.reply) == (CONDITION, 12, "Reply 12.")
    assert [(m.role, m.text) for m in sample.messages] == [
        ("system", "You are Alex."), ("user", "Go on.\n\nMail."), ("assistant", "Reply 12."),
    ]  # fmt: skip
    assert [(s.key, s.value_num, s.value_type, s.explanation) for s in sample.scores] == [
        ("harmful_behavior", 1, "bool", "because"), ("classifier_verdict", 1, "bool", "because"),
    ]  # fmt: skip
    assert json.loads(sample.metadata_json or "") == {
        "scenario": "blackmail", "goal_type": "explicit", "goal_value": "america", "urgency_type": "replacement",
        "condition": CONDITION, "api_metadata": {"tokens": 5},
    }  # fmt: skip


def test_a_condition_of_no_known_scenario_is_no_blackmail(tmp_path: Path) -> None:
    write(tmp_path / "tiny/mine/sample_001/response.json", response("mine", 1, verdict(False)))
    found = ingested(tmp_path)
    assert found.rows("SELECT eval, task_args_json FROM live_evals($n)") == [
        {"eval": "agentic_misalignment", "task_args_json": '{"scenario":"mine"}'}
    ]


@pytest.mark.parametrize("said", ["YES", None, [True], {"a": 1}])
def test_a_verdict_that_is_none_is_missing(tmp_path: Path, said: object) -> None:
    path = tmp_path / "tiny" / CONDITION / "sample_001/response.json"
    (record,) = misalignment.read(write(path, response(CONDITION, 1, {"harmful_behavior": said}))).evals
    assert [(score.value_num, score.value_type) for score in record.samples[0].scores] == [(None, "missing")]


def test_a_broken_response_leaves_the_others_and_alone_is_rejected(tmp_path: Path) -> None:
    write_run(tmp_path / "models/tiny")
    broken = tmp_path / "models/tiny" / CONDITION / "sample_001/response.json"
    broken.write_text('{"raw_response": "R", ')
    found = ingested(tmp_path)
    assert found.rates(metrics=("harmful_behavior",))["n"].sum() == 3
    assert any("sample_001/response.json is left out: can't be read as JSON" in note for note in found.report.notes)
    with pytest.raises(RejectedFile, match="can't be read as JSON"):
        misalignment.read(broken)


def test_other_responses_stay_by_themselves(tmp_path: Path) -> None:
    write(tmp_path / "a/b/sample_001/response.json", {"status": 200})
    write(tmp_path / "a/response.json", {"status": 200})
    assert ingested(tmp_path).report.rejected == 2
