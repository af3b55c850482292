"""Transcripts of Petri: those of one folder are one log, a sample each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loaders import formats
from loaders.audits import petri
from loaders.errors import RejectedFile
from loaders.ingest import ingest
from loaders.records import SampleRecord
from tests.audit_files import TALK, add, edit, transcript, write
from tests.real_stores import ingested


def read(path: Path, **more: object) -> SampleRecord:
    (record,) = petri.read(write(path / "transcript_1.json", transcript(**more))).evals  # type: ignore[arg-type]
    (sample,) = record.samples
    return sample


def test_a_transcript_value_by_value(tmp_path: Path) -> None:
    sample = read(tmp_path)
    assert [(s.scorer, s.key, s.value_num, s.explanation) for s in sample.scores] == [
        ("alignment_judge", "concerning", 6, "because"), ("alignment_judge", "admirable", 2, "because"),
    ]  # fmt: skip
    assert (sample.input, sample.reply, sample.uuid) == ("Probe for blackmail.", "Hi.", "t1")
    assert (sample.started_at, sample.completed_at) == (
        "2026-01-18T20:19:09.343915+00:00", "2026-01-18T20:20:00+00:00",
    )  # fmt: skip
    assert json.loads(sample.metadata_json or "") == {
        "transcript_id": "t1", "description": "d", "tags": ["a"], "version": "v3.0", "file": "transcript_1.json",
    }  # fmt: skip


def test_what_was_taken_back_is_not_in_the_transcript_and_is_counted(tmp_path: Path) -> None:
    retried = [*TALK, edit("rollback", count=1), add("Ho.", "assistant")]
    sample = read(tmp_path, events=retried)
    assert ([m.text for m in sample.messages], sample.reply) == (["Hello.", "Ho."], "Ho.")
    assert json.loads(sample.metadata_json or "")["edits"] == {"rollback": 1}


def test_the_auditor_and_people_who_read_both_see_it_their_way(tmp_path: Path) -> None:
    patch = edit("json_patch", "auditor", patch=[{"op": "remove", "path": "/1"}])
    sample = read(tmp_path, events=[*TALK, edit("rollback", "target", count=1), patch])
    assert [message.text for message in sample.messages] == ["Hello."]
    seen = {view: [(message.role, message.text) for message in messages] for view, messages in sample.views.items()}
    assert seen == {
        "auditor": [("system", "You audit."), ("assistant", "I begin.")],
        "combined": [("system", "You audit."), ("assistant", "I begin."), ("assistant", "Hi.")],
    }


def test_a_view_that_can_not_be_told_takes_no_other_with_it(tmp_path: Path) -> None:
    sample = read(tmp_path, events=[*TALK, edit("rollback", "auditor")])
    assert ([message.text for message in sample.messages], [*sample.views]) == (["Hello.", "Hi."], ["combined"])
    sample = read(tmp_path, events=[*TALK, edit("rollback", "target")])
    assert (sample.messages, [*sample.views]) == ([], ["auditor", "combined"])


def test_parts_of_messages_are_read_as_inspect_writes_them(tmp_path: Path) -> None:
    parts = [{"type": "reasoning", "reasoning": "Hm."}, {"type": "text", "text": "Yes."}]
    call = {"id": "c", "function": "f", "arguments": {"x": 1}, "type": "function"}
    said = {"role": "assistant", "content": parts, "tool_calls": [call]}
    (message,) = read(tmp_path, events=[edit("add", message=said)]).messages
    assert (message.text, message.reasoning, json.loads(message.tool_calls_json or "")) == ("Yes.", "Hm.", [call])


def test_transcripts_without_events_are_their_messages(tmp_path: Path) -> None:
    document = transcript()
    del document["events"]
    told = [{"type": "user", "content": "Hello."}, {"type": "assistant", "content": "Hi."}]
    document |= {"messages": [{"role": "user", "content": "Audit."}], "target_messages": told}
    (record,) = petri.read(write(tmp_path / "old.json", document)).evals
    assert [(m.role, m.text) for m in record.samples[0].messages] == [("user", "Hello."), ("assistant", "Hi.")]


@pytest.mark.slow
@pytest.mark.parametrize("scores", [None, {}, {"concerning": None}, {"concerning": "high"}])
def test_what_was_not_rated_is_missing(tmp_path: Path, scores: dict[str, object] | None) -> None:
    assert all(score.value_type == "missing" for score in read(tmp_path, scores=scores).scores)
    (row,) = ingested(tmp_path).rows("SELECT count(*) AS samples FROM live_samples($n)")
    assert row == {"samples": 1}


def test_a_folder_is_one_log_with_an_eval_for_each_target(tmp_path: Path) -> None:
    brief = [add("Another seed.", "user", "auditor"), *TALK[2:]]
    write(tmp_path / "transcript_1.json", transcript("a"))
    write(tmp_path / "transcript_2.json", transcript("b", scores={"concerning": 2}))
    write(tmp_path / "transcript_3.json", transcript("c", brief, {"concerning": 9}))
    write(tmp_path / "transcript_4.json", transcript("d", target="org/target-step_200"))
    (tmp_path / "transcript_5.json").write_text('{"metadata": {"transcript_id": "e", ')
    write(tmp_path / "deeper/transcript_1.json", transcript("f", target="org/other-step_5"))
    found = ingested(tmp_path)
    assert {line.path for line in found.report.lines} == {"deeper/transcript_1.json", "transcript_1.json"}
    (note,) = found.report.notes
    assert "transcript_5.json is left out: can't be read as JSON" in note
    rates = found.rates(metrics=("concerning",))
    assert [(row.run, row.step, row.n, row.k) for row in rates.itertuples()] == [
        ("other", 5, 1, 1), ("target", 100, 3, 2), ("target", 200, 1, 1),
    ]  # fmt: skip
    questions = found.rows("SELECT DISTINCT sample_key, epoch FROM live_samples($n) ORDER BY ALL")
    assert len({row["sample_key"] for row in questions}) == 2
    assert {row["epoch"] for row in questions} == {1, 2}


def test_a_transcript_that_comes_in_later_is_read_with_the_others(tmp_path: Path) -> None:
    from loaders.ingest import ingest

    write(tmp_path / "transcript_1.json", transcript("a"))
    found = ingested(tmp_path)
    write(tmp_path / "transcript_2.json", transcript("b"))
    ingest([tmp_path], found.store)
    assert found.rates(metrics=("concerning",))["n"].tolist() == [2]


def test_files_of_such_a_name_that_are_no_transcripts_stay_by_themselves(tmp_path: Path) -> None:
    write(tmp_path / "transcript_1.json", transcript("a"))
    write(tmp_path / "transcript_0.json", {"text": "meeting"})
    found = ingested(tmp_path)
    assert [(line.path, line.outcome) for line in found.report.lines] == [
        ("transcript_0.json", "rejected"), ("transcript_1.json", "new"),
    ]  # fmt: skip


def test_a_broken_transcript_alone_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "transcript_1.json"
    path.write_text('{"metadata": {"transcript_id": "a"}, "events": [')
    with pytest.raises(RejectedFile, match="can't be read as JSON"):
        petri.read(path)


def test_one_transcript_as_the_root_brings_those_of_its_folder(tmp_path: Path) -> None:
    """Alone it would be a log of one sample, which counts for its checkpoint as the whole audit does."""
    for number in range(3):
        write(tmp_path / f"transcript_{number}.json", transcript(transcript_id=f"t{number}"))
    (tmp_path / "other.json").write_text('{"neither": 1}')
    listing = formats.listed(tmp_path / "transcript_1.json")
    assert [(item.path, len(item.parts)) for item in listing.items.values()] == [("transcript_0.json", 3)]
    assert listing.items == {
        path: item for path, item in formats.listed(tmp_path).items.items() if path != "other.json"
    }


@pytest.mark.slow
def test_a_folder_that_was_ingested_by_itself_is_not_counted_again_with_the_one_around_it(tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path / f"run/step_10/transcript_{number}.json", transcript(transcript_id=f"t{number}"))
    store = ingested(tmp_path / "run/step_10")
    again = ingest([tmp_path], store.store)
    assert (again.ingested, again.copies, again.unchanged) == (0, 0, 1)
