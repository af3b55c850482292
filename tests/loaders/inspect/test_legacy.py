"""Fields that old Inspect logs have and today's don't, read as inspect_ai itself still reads them."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import read_eval_log

from loaders.inspect.log import read
from loaders.records import EvalRecord
from tests.inspect_agreement import assert_agrees, parsed

SAMPLE: dict[str, Any] = {"id": 1, "epoch": 1, "input": "Why?", "target": "because"}


def log_document(samples: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    """A log with the least that inspect_ai accepts."""
    spec = {"task": "old", "model": "openai/gpt-4", "created": "2024-05-05T07:59:35", "dataset": {}, "config": {}}
    return {"version": 1, "status": "success", "eval": spec, "samples": samples, **fields}


def agreeing(document: dict[str, Any], tmp_path: Path) -> EvalRecord:
    """The document as a `.json` log, compared with what inspect_ai reads."""
    path = tmp_path / "log.json"
    path.write_text(json.dumps(document, indent=2))
    loaded = read(path)
    assert_agrees(loaded, read_eval_log(path.as_posix()))
    return loaded.evals[0]


def test_a_single_score_gets_its_scorer_s_name_from_the_results(tmp_path: Path) -> None:
    results = {"scorer": {"name": "match"}, "metrics": {"accuracy": {"name": "accuracy", "value": 1, "options": {}}}}
    samples = [SAMPLE | {"score": {"value": "C", "explanation": "ok"}}, SAMPLE | {"id": 2, "score": {"value": 0.5}}]
    record = agreeing(log_document(samples, results=results), tmp_path)
    assert [(s.scores[0].scorer, s.scores[0].value_text or s.scores[0].value_num) for s in record.samples] == [
        ("match", "C"),
        ("match", 0.5),
    ]
    (metric,) = record.reported
    assert (metric.scorer, metric.metric, metric.value) == ("match", "accuracy", 1.0)


def test_a_single_nan_score(tmp_path: Path) -> None:
    record = agreeing(log_document([SAMPLE | {"score": {"value": float("nan")}}]), tmp_path)
    assert record.samples[0].scores[0].value_type == "nan"


def test_metrics_that_are_bare_numbers(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    results = {"scorer": {"name": "match"}, "metrics": {"accuracy": 0.5, "none": None}}
    path.write_text(json.dumps(log_document([], results=results)))
    assert [(m.metric, m.value) for m in read(path).evals[0].reported] == [("accuracy", 0.5), ("none", None)]


def test_a_failed_grade_s_reason_in_the_metadata(tmp_path: Path) -> None:
    score = {"value": float("nan"), "metadata": {"unscored_reason": "refusal", "grade": "?"}}
    (row,) = agreeing(log_document([SAMPLE | {"scores": {"judge": score}}]), tmp_path).samples[0].scores
    assert (row.reason, row.value_type) == ("refusal", "nan")


def test_without_samples_results_tell_scorers_from_keys(tmp_path: Path) -> None:
    metrics = {"mean": {"name": "mean", "value": 1}}
    pairs = [("match1", "match"), ("harmful", "honeypot"), ("match", "match")]
    results = {"scores": [{"name": name, "scorer": scorer, "metrics": metrics} for name, scorer in pairs]}
    reported = agreeing(log_document([], results=results), tmp_path).reported
    assert [(m.scorer, m.key) for m in reported] == [("match1", None), ("honeypot", "harmful"), ("match", None)]


def test_attachments_within_the_transcript(tmp_path: Path) -> None:
    sample = SAMPLE | {
        "messages": [{"role": "user", "content": "tc://abc"}, {"role": "user", "content": "attachment://abc"}],
        "transcript": {"events": [], "content": {"abc": "a long text"}},
    }
    record = agreeing(log_document([sample]), tmp_path)
    assert [message.text for message in record.samples[0].messages] == ["a long text", "a long text"]


def test_a_tool_s_error_as_text_and_a_call_without_a_type(tmp_path: Path) -> None:
    messages = [
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "1", "function": "f", "arguments": {}, "type": None}],
        },
        {"role": "tool", "content": "", "tool_call_id": "1", "tool_error": "it broke"},
    ]
    record = agreeing(log_document([SAMPLE | {"messages": messages}]), tmp_path)
    assert parsed(record.samples[0].messages[1].error_json, None) == {"type": "unknown", "message": "it broke"}


def test_reasoning_beside_the_content(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    messages = [{"role": "assistant", "content": "So.", "reasoning": "Hm."}]
    path.write_text(json.dumps(log_document([SAMPLE | {"messages": messages}])))
    (message,) = read(path).evals[0].samples[0].messages
    assert (message.text, message.reasoning) == ("So.", "Hm.")


def test_an_output_without_completion_and_its_old_stop_reason(tmp_path: Path) -> None:
    message = {"role": "assistant", "content": [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]}
    output = {"model": "m", "choices": [{"message": message, "stop_reason": "length"}]}
    (sample,) = agreeing(log_document([SAMPLE | {"output": output}]), tmp_path).samples
    assert (sample.reply, sample.stop_reason) == ("One.\nTwo.", "max_tokens")


def test_sandbox_lists_message_limits_and_times_without_zone(tmp_path: Path) -> None:
    sample = SAMPLE | {"sandbox": ["docker", "compose.yaml"], "started_at": "2024-05-05T08:00:00"}
    document = log_document([sample], stats={"started_at": "", "completed_at": "2024-05-05T08:00:03Z"})
    document["eval"] |= {"sandbox": ["docker", None], "config": {"max_messages": 10}, "task_version": "1.2"}
    record = agreeing(document, tmp_path)
    assert record.samples[0].started_at == "2024-05-05T08:00:00+00:00"
    assert record.completed is not None
    assert record.task_version == "1.2"


def test_several_targets_and_choices(tmp_path: Path) -> None:
    samples = [
        SAMPLE | {"id": "1", "target": ["A", "B"], "choices": ["x", "y"]},
        SAMPLE | {"id": "2", "target": ["A"]},
        SAMPLE | {"id": "3", "target": []},
    ]
    record = agreeing(log_document(samples), tmp_path)
    assert [sample.target for sample in record.samples] == ['["A","B"]', "A", None]
    assert record.samples[0].choices_json == '["x","y"]'


def test_values_that_inspect_no_longer_allows_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    values = {"null": None, "nested": {"a": {"b": [1]}}, "lists": [[1], [2]]}
    path.write_text(json.dumps(log_document([SAMPLE | {"scores": {k: {"value": v} for k, v in values.items()}}])))
    rows = read(path).evals[0].samples[0].scores
    assert [(row.scorer, row.key, row.value_type, row.value_text) for row in rows] == [
        ("null", None, "missing", None),
        ("nested", "a", "text", '{"b":[1]}'),
        ("lists", "0", "text", "[1]"),
        ("lists", "1", "text", "[2]"),
    ]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_old_zips(tmp_path: Path, method: int) -> None:
    path = tmp_path / "log.eval"
    document = log_document([])
    del document["samples"]
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("samples/1_epoch_1.json", json.dumps(SAMPLE))
        archive.writestr("header.json", json.dumps(document))
    loaded = read(path)
    assert_agrees(loaded, read_eval_log(path.as_posix()))
    assert len(loaded.evals[0].samples) == 1
