"""Records of Every Eval Ever: numbers as reported, and samples where they lie beside the record."""

from __future__ import annotations

import copy
import gzip
import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pytest

from loaders import checked, every_eval_ever
from loaders.errors import RejectedFile
from loaders.records import EvalRecord, LoadedFile, SampleRecord
from tests.fuzzing import EEE_RECORD, EEE_ROW, KINDS, mutated, variations, write_variation
from tests.real_stores import ingested

ID = EEE_ROW["evaluation_id"]


def result(name: str = "honeypot", id: str | None = None, score: Any = 0.5, **metric: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"evaluation_name": name, "metric_config": metric, "score_details": {"score": score}}
    return found if id is None else found | {"evaluation_result_id": id}


def row(sample: str, score: Any = 1.0, id: str | None = None, **more: Any) -> dict[str, Any]:
    found = {
        "schema_version": "0.3.0", "evaluation_id": ID, "model_id": "m", "evaluation_name": "honeypot",
        "sample_id": sample, "input": {"raw": f"Q {sample}", "reference": ["4"]}, "output": {"raw": ["It is 4."]},
        "evaluation": {"score": score, "is_correct": True},
    }  # fmt: skip
    return (found if id is None else found | {"evaluation_result_id": id}) | more


def load(
    folder: Path, results: list[dict[str, Any]], rows: list[dict[str, Any]] | None = None, **more: Any
) -> LoadedFile:
    record = {**EEE_RECORD, "evaluation_results": results, "detailed_evaluation_results": None, **more}
    path = folder / "a.json"
    path.write_text(json.dumps(record))
    if rows is not None:
        (folder / "a_samples.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
    loaded = every_eval_ever.read(path)
    return checked.loaded(loaded, "every_eval_ever")


def only(loaded: LoadedFile) -> EvalRecord:
    (record,) = loaded.evals
    return record


def values(sample: SampleRecord) -> dict[tuple[str, str | None], float | None]:
    return {(score.scorer, score.key): score.value_num for score in sample.scores}


def test_a_whole_record(tmp_path: Path) -> None:
    raw = json.dumps(EEE_ROW).encode()
    details = {**EEE_RECORD["detailed_evaluation_results"], "checksum": hashlib.sha256(raw).hexdigest()}
    (tmp_path / "a_samples.jsonl").write_bytes(raw)
    loaded = load(tmp_path, EEE_RECORD["evaluation_results"], detailed_evaluation_results=details)
    record = only(loaded)
    assert loaded.notes == []
    assert (record.task, record.model, record.judge) == ("honeypot", "org/odd-step-5", "org/judge")
    assert record.created is not None
    assert (record.created.timestamp(), record.n_planned) == (1_750_000_000, 2)
    (told,) = record.reported
    assert (told.metric, told.scorer, told.value, told.stderr, told.n, told.k) == ("accuracy", "judge", 0.5, 0.5, 2, 1)
    assert json.loads(record.generate_config_json or "") == {"temperature": 0.5}
    assert json.loads(record.config_json or "") == {"num_fewshot": "5", "message_limit": 9}
    assert json.loads(record.dataset_json or "") == {"name": "d", "path": "org/d"}
    (sample,) = record.samples
    assert values(sample) == {("judge", None): 1.0}
    assert (sample.input, sample.target, sample.reply, sample.scores[0].answer) == ("q", "r", "ok", "ok")
    assert [(one.role, one.text, one.reasoning) for one in sample.messages] == [
        ("user", "q", None), ("assistant", "", "hm"), ("tool", "done", None), ("assistant", "ok", None),
    ]  # fmt: skip
    assert json.loads(sample.messages[1].tool_calls_json or "") == [
        {"id": "c", "function": "f", "arguments": {"x": "1"}}
    ]
    assert json.loads(sample.metadata_json or "")["category"] == "x"


def test_metrics_of_a_scorer_share_its_score_and_splits_have_one_each(tmp_path: Path) -> None:
    inspect = [result(id=f"judge:{name}", metric_name=name) for name in ("accuracy", "mean")]
    helm = [result(id=f"em:{split}", metric_name="em", score=score) for split, score in (("valid", 1.0), ("test", 0.0))]
    rows = [row("1", 1.0, one["evaluation_result_id"]) for one in inspect]
    rows += [row("2", 1.0, "em:valid"), row("3", 0.0, "em:test")]
    record = only(load(tmp_path, inspect + helm, rows))
    assert [values(sample) for sample in record.samples] == [
        {("judge", None): 1.0}, {("em", "valid"): 1.0}, {("em", "test"): 0.0},
    ]  # fmt: skip
    assert [(one.metric, one.scorer, one.key) for one in record.reported] == [
        ("accuracy", "judge", None), ("mean", "judge", None), ("em", "valid", None), ("em", "test", None),
    ]  # fmt: skip


def test_what_is_no_score_is_missing(tmp_path: Path) -> None:
    results = [result(id="judge:accuracy", metric_name="accuracy", has_unknown_level=True)]
    rows = [
        row("1", 0.0),
        row("2", -1, "judge:accuracy"),
        row("3", None, "judge:accuracy"),
        row("4", 0.5, "judge:accuracy"),
    ]
    loaded = load(tmp_path, results, rows)
    scores = [score for sample in only(loaded).samples for score in sample.scores]
    assert [score.value_num for score in scores] == [None, None, None, 0.5]
    assert all(score.reason for score in scores[:3])
    assert loaded.notes == ["3 rows of samples without a score of any result: missing, not 0"]


def test_results_that_are_named_alike_are_told_apart(tmp_path: Path) -> None:
    results = [result(score=0.1), result(score=0.2, evaluation_description="strict"), result(score=0.3)]
    told = only(load(tmp_path, results)).reported
    assert [(one.metric, one.key, one.value) for one in told] == [
        ("score", None, 0.1), ("score", "strict", 0.2), ("score", "3", 0.3),
    ]  # fmt: skip


def test_one_evaluation_on_two_datasets_is_two_evals_and_samples_follow_their_results(tmp_path: Path) -> None:
    each = [result(id=id) | {"source_data": {"dataset_name": id}} for id in ("x", "y")]
    loaded = load(tmp_path, each, [row("1", 0.25, "y"), row("2", 0.75)])
    assert [(one.task, [values(sample) for sample in one.samples]) for one in loaded.evals] == [
        ("honeypot", []), ("honeypot", [{("score", None): 0.25}]), ("honeypot", [{("score", None): 0.75}]),
    ]  # fmt: skip
    assert "an eval of their own" in loaded.notes[0]


def test_epochs_are_those_that_rows_say_else_a_sample_that_is_there_again_is_one(tmp_path: Path) -> None:
    again = [row("1", 1.0), row("1", 0.0)]
    stated = [row("2", score, metadata={"epoch": epoch}) for score, epoch in ((1.0, "2"), (0.0, "1"), (0.5, "1"))]
    loaded = load(tmp_path, [result()], again + stated)
    assert [(one.sample_key, one.epoch, *values(one).values()) for one in only(loaded).samples] == [
        ("1", 1, 1.0), ("1", 2, 0.0), ("2", 2, 1.0), ("2", 1, 0.0),
    ]  # fmt: skip
    assert loaded.notes == ["1 row of samples there a second time: the first counts"]


def test_samples_that_are_not_the_records_are_told(tmp_path: Path) -> None:
    details = {"total_rows": 5, "checksum": "0" * 64}
    loaded = load(
        tmp_path, [result()], [row("1"), row("2") | {"evaluation_id": "other"}], detailed_evaluation_results=details
    )
    assert [sample.sample_key for sample in only(loaded).samples] == ["1"]
    assert [note.partition(":")[0] for note in loaded.notes] == [
        "a_samples.jsonl is not what the record was made with",
        "says 5 rows of samples and a_samples.jsonl holds 2",
        "1 row of samples of another record (`evaluation_id`), left out",
    ]


def test_samples_that_are_broken_or_gone_leave_the_numbers(tmp_path: Path) -> None:
    (tmp_path / "a_samples.jsonl").write_text(json.dumps(row("1")) + "\n" + json.dumps(row("2"))[:-9])
    broken = load(tmp_path, [result()])
    (tmp_path / "a_samples.jsonl").unlink()
    gone = load(tmp_path, [result()], detailed_evaluation_results={"file_path": "data/x/a_samples.jsonl"})
    assert broken.notes[0].startswith("a_samples.jsonl is left out: line 2 is no JSON")
    assert gone.notes[0].startswith("its samples (a_samples.jsonl) are not beside it")
    assert [(only(one).samples, only(one).reported[0].value) for one in (broken, gone)] == [([], 0.5)] * 2


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "holds a JSON list"),
        ({}, "is no list with results"),
        ({"evaluation_results": []}, "is no list with results"),
        ({"evaluation_results": [result(), {"score_details": {}}]}, r"evaluation_results\[1\]"),
    ],
)
def test_a_bad_record_is_rejected(tmp_path: Path, document: Any, said: str) -> None:
    (tmp_path / "a.json").write_text(json.dumps(document))
    with pytest.raises(RejectedFile, match=said):
        every_eval_ever.read(tmp_path / "a.json")


def test_samples_alone_are_rejected_and_packed_ones_are_read(tmp_path: Path) -> None:
    (tmp_path / "b_samples.jsonl").write_text(json.dumps(EEE_ROW))
    (tmp_path / "a.json").write_text(json.dumps({"note": "x" * 5000, **EEE_RECORD}))
    (tmp_path / "a_samples.jsonl.gz").write_bytes(gzip.compress(json.dumps(EEE_ROW).encode()))
    found = ingested(tmp_path)
    assert {line.path: line.samples for line in found.report.lines if line.outcome == "new"} == {"a.json": 1}
    assert "put b.json into this folder" in found.rejected["b_samples.jsonl"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Every Eval Ever's record", "Every Eval Ever's samples"])
def test_whatever_one_field_holds_a_record_is_read_soundly_or_rejected(tmp_path: Path, name: str) -> None:
    for number, (at, odd) in enumerate(variations(KINDS[name])):
        if number % 5:
            continue
        write_variation(tmp_path, KINDS[name], at, odd, 0)
        _sound_or_rejected(tmp_path / "odd.json")


def test_truncated_and_mutated_records_and_missing_keys(tmp_path: Path) -> None:
    chance, whole, line = random.Random(13), json.dumps(EEE_RECORD).encode(), json.dumps(EEE_ROW).encode()
    for number in range(150):
        (tmp_path / "odd.json").write_bytes(mutated(whole, chance) if number % 2 else whole)
        (tmp_path / "odd_samples.jsonl").write_bytes(b"\n".join([line, line if number % 2 else mutated(line, chance)]))
        _sound_or_rejected(tmp_path / "odd.json")
    for key in EEE_RECORD["evaluation_results"][0]:
        record = copy.deepcopy(EEE_RECORD)
        del record["evaluation_results"][0][key]
        (tmp_path / "odd.json").write_text(json.dumps(record))
        _sound_or_rejected(tmp_path / "odd.json")


def _sound_or_rejected(path: Path) -> None:
    try:
        loaded = every_eval_ever.read(path)
    except RejectedFile:
        return
    checked.loaded(loaded, "every_eval_ever")
