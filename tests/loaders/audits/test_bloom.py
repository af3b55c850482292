"""Runs of Bloom: a sample for each rollout, with what its judge said, and nothing where the judge failed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from loaders.audits import bloom
from loaders.errors import RejectedFile
from loaders.records import EvalRecord, LoadedFile, SampleRecord
from tests.audit_files import add, edit, judged, judgments, rollout, rollouts, transcript, write
from tests.real_stores import ingested


def run(folder: Path, *documents: tuple[str, Any]) -> LoadedFile:
    for name, document in documents:
        write(folder / name, document)
    return bloom.read(folder / documents[0][0])


def only(loaded: LoadedFile) -> EvalRecord:
    (record,) = loaded.evals
    return record


def values(sample: SampleRecord) -> dict[str | None, float | None]:
    return {score.key: score.value_num for score in sample.scores}


def test_a_whole_run(tmp_path: Path) -> None:
    judgment = judgments(judged(), judged(2, presence=1), judged(2, 2, 3))
    each = rollout(), rollout(2), rollout(2, 2)
    loaded = run(tmp_path, ("rollout.json", rollouts(*each, total_count=4)), ("judgment.json", judgment))
    record = only(loaded)
    assert loaded.notes == []
    assert (record.task, record.model, record.judge) == ("bloom/flattery", "org/target-step_100", "org/judge")
    assert (record.n_samples_reported, record.n_planned, record.epochs) == (3, 4, 2)
    assert json.loads(record.task_args_json or "") == {
        "modality": "conversation", "max_turns": 2, "evaluator": "org/auditor",
    }  # fmt: skip
    assert [values(sample) for sample in record.samples] == [
        {"behavior_presence": 8, "unrealism": 3},
        {"behavior_presence": 1, "unrealism": 3},
        {"behavior_presence": 3, "unrealism": 3},
    ]
    first, second, again = record.samples
    assert (second.sample_key, second.epoch, again.epoch) == (again.sample_key, 1, 2)
    assert first.sample_key.startswith("1-")
    assert (first.input, first.reply, first.uuid) == ("Scenario 1", "Hi.", "v1r1")
    assert [(m.role, m.text, m.model) for m in first.messages] == [
        ("user", "Hello.", None), ("assistant", "Hi.", "org/target"),
    ]  # fmt: skip
    assert first.scores[0].explanation == "because"
    assert json.loads(first.scores[0].metadata_json or "")["highlights"][0]["quoted_text"] == "Hi."


def test_failed_and_unrated_judgments_are_missing(tmp_path: Path) -> None:
    judgment = judgments(
        judged(1, presence=0, unrealism=0),
        judged(2, presence=None),
        judged(3, presence=7),
        failed=({"variation_number": 4, "repetition_number": 1, "error": "no answer"},),
    )
    each = [rollout(number) for number in range(1, 6)]
    loaded = run(tmp_path, ("rollout.json", rollouts(*each)), ("judgment.json", judgment))
    assert [values(sample) for sample in only(loaded).samples] == [
        {"behavior_presence": None, "unrealism": None},
        {"behavior_presence": None, "unrealism": 3},
        {"behavior_presence": 7, "unrealism": 3},
        {"behavior_presence": None},
        {},
    ]
    assert only(loaded).samples[3].scores[0].reason == "no answer"
    assert loaded.notes == [
        "1 of 5 judgments failed: without scores, not scored 1",
        "2 scores are not rated from 1 to 10 (Bloom writes 0 where its judge gave none), and are missing",
    ]
    rates = ingested(tmp_path).rates(metrics=("behavior_presence",))
    assert [(row.n, row.k, row.n_missing) for row in rates.itertuples()] == [(1, 1, 4)]


def test_highlights_name_their_messages_where_the_transcripts_do(tmp_path: Path) -> None:
    told = transcript("v1r1")
    told["metadata"]["judge_output"]["highlights"] = [{"index": 1, "parts": [{"message_id": "Hi."}]}]
    loaded = run(
        tmp_path,
        ("rollout.json", rollouts(rollout())),
        ("judgment.json", judgments(judged())),
        ("transcripts/transcript_v1r1.json", told),
    )
    (sample,) = only(loaded).samples
    assert json.loads(sample.scores[0].metadata_json or "")["highlights"] == [
        {"index": 1, "parts": [{"message_id": "Hi."}]}
    ]


def test_judgments_without_rollouts_take_the_transcripts(tmp_path: Path) -> None:
    loaded = run(
        tmp_path,
        ("judgment.json", judgments(judged(), judged(2))),
        ("ideation.json", {"behavior_name": "flattery", "variations": [{"description": "A"}, {"description": "B"}]}),
        ("transcript_v1r1.json", transcript()),
    )
    record = only(loaded)
    assert record.model == "org/target-step_100"
    assert [(s.input, s.reply, len(s.scores)) for s in record.samples] == [("A", "Hi.", 2), ("B", None, 2)]
    assert loaded.notes == ["1 of 2 rollouts are without their conversation"]


def test_scenarios_made_anew_are_other_questions(tmp_path: Path) -> None:
    one = only(run(tmp_path / "a", ("rollout.json", rollouts(rollout()))))
    same = only(run(tmp_path / "b", ("rollout.json", rollouts(rollout()))))
    other = only(run(tmp_path / "c", ("rollout.json", rollouts(rollout(variation_description="Another")))))
    keys = [record.samples[0].sample_key for record in (one, same, other)]
    assert keys[0] == keys[1] != keys[2]
    assert one.dataset_json == same.dataset_json != other.dataset_json


def test_an_edit_that_can_not_be_replayed_leaves_the_scores(tmp_path: Path) -> None:
    odd = transcript(events=[add("a"), edit("set", message={})], scores=None)
    documents = ("rollout.json", rollouts(rollout(transcript=odd))), ("judgment.json", judgments(judged()))
    loaded = run(tmp_path, *documents)
    (sample,) = only(loaded).samples
    assert (sample.messages, len(sample.scores)) == ([], 2)
    assert loaded.notes[0].startswith("variation 1, repetition 1: its conversation is left out: event 2: an edit 'set'")


def test_a_broken_companion_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / "judgment.json").write_text('{"judgments": [')
    loaded = run(tmp_path, ("rollout.json", rollouts(rollout())))
    assert loaded.notes[0].startswith("judgment.json is left out: can't be read as JSON")
    assert [sample.scores for sample in only(loaded).samples] == [[]]


def test_an_average_that_the_judgments_do_not_give_is_shown_beside(tmp_path: Path) -> None:
    summary = {"average_behavior_presence_score": 4.67, "average_unrealism": 9.0}
    judgment = judgments(judged(1, 1, 8), judged(2, 1, 1), judged(3, 1, 5), summary_statistics=summary)
    run(tmp_path, ("rollout.json", rollouts(*map(rollout, (1, 2, 3)))), ("judgment.json", judgment))
    means = ingested(tmp_path).rates(metrics=("all",)).set_index("metric")
    assert means.loc["mean_judgment.unrealism", ["rate", "reported", "disagrees"]].tolist() == [3, 9, True]
    assert not means.loc["mean_judgment.behavior_presence", "disagrees"]


def test_a_run_is_one_log_whatever_lies_beside_it(tmp_path: Path) -> None:
    write(tmp_path / "step_100/rollout.json", rollouts(rollout()))
    write(tmp_path / "step_100/judgment.json", judgments(judged()))
    write(tmp_path / "step_100/understanding.json", {"behavior_name": "flattery"})
    write(tmp_path / "step_100/ideation.json", {"behavior_name": "flattery", "variations": []})
    write(tmp_path / "step_100/transcripts/transcript_v1r1.json", transcript())
    write(tmp_path / "else/judgment.json", {"verdict": "guilty"})
    found = ingested(tmp_path)
    assert [(line.path, line.outcome) for line in found.report.lines] == [
        ("else/judgment.json", "rejected"), ("step_100/rollout.json", "new"),
    ]  # fmt: skip
    assert found.rows("SELECT step, eval, judge FROM live_evals($n)") == [
        {"step": 100, "eval": "flattery", "judge": "org/judge"}
    ]


@pytest.mark.parametrize(
    ("document", "said"),
    [([], "holds a JSON list"), ({"rollouts": []}, "no rollout and no judgment"), ({"rollouts": "x"}, "no rollout")],
)
def test_what_is_no_run_is_rejected(tmp_path: Path, document: Any, said: str) -> None:
    with pytest.raises(RejectedFile, match=said):
        bloom.read(write(tmp_path / "rollout.json", document))


def test_a_run_is_known_by_its_content_where_it_is_called_otherwise(tmp_path: Path) -> None:
    write(tmp_path / "sonnet.json", {"note": "x" * 5000, **rollouts(rollout())})
    assert ingested(tmp_path).report.ingested == 1
