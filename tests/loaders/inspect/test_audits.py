"""Audits by Petri 3, and by Bloom and Dish, which are built on it: whose conversation is shown, and what was left."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from inspect_ai.event import Timeline
from inspect_ai.log import read_eval_log
from inspect_ai.log._recorders.chunked import convert_eval_logs_to_chunked

from loaders.errors import RejectedFile
from loaders.inspect.log import read
from loaders.inspect.offered import offered_tools
from loaders.records import EvalRecord, SampleRecord
from tests.inspect_writer import write_log
from tests.petri_logs import SHELF, TARGET, Audit, Branch, audit_log

PLAIN = [Branch(["a", "b"])]
ROLLED_BACK = [Branch(["a", "b"]), Branch(["c", "d"], 0, 1)]
RESTARTED = [Branch(["a"]), Branch(["b"], 0)]
NESTED = [Branch(["a", "b"]), Branch(["c", "d"], 0, 1), Branch(["e"], 1, 2), Branch(["f"], 0, 2), Branch(["g"], 3)]
ENDED_BACK = [Branch(["a", "b"]), Branch([], 0, 1)]
ENDED_ANEW = [Branch(["a"]), Branch([], 0)]
EDITS = {
    "plain": None,
    "rolled back": {"rollback": 1},
    "restarted": {"reset": 1},
    "nested": {"rollback": 3, "reset": 1},
    "ended back": {"rollback": 1},
    "ended anew": {"reset": 1},
}
TALKS = dict(zip(EDITS, (PLAIN, ROLLED_BACK, RESTARTED, NESTED, ENDED_BACK, ENDED_ANEW), strict=True))


def audits(messages: str) -> dict[str, Audit]:
    """An audit of every kind."""
    return {name: Audit([replace(branch, messages=[]) for branch in talk], messages) for name, talk in TALKS.items()}


def loaded(folder: Path) -> EvalRecord:
    """The only log of a folder."""
    (path,) = folder.iterdir()
    return read(path).evals[0]


def said(sample: SampleRecord) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in sample.messages]


@pytest.mark.parametrize("suffix", ["eval", "json"])
@pytest.mark.parametrize("messages", ["target", "auditor", "brief"])
def test_the_conversation_is_the_targets_last_one(tmp_path: Path, messages: str, suffix: str) -> None:
    """Whatever the log has for messages: the target's since Petri 3.1.1, the auditor's or its brief before."""
    given = audits(messages)
    audit_log(given, tmp_path, suffix=suffix)
    record = loaded(tmp_path)
    assert (record.model, record.target_model, record.judge) == ("none/none", TARGET, "mockllm/judge")
    assert {sample.sample_key for sample in record.samples} == set(given)
    for sample in record.samples:
        last = given[sample.sample_key].branches[-1].messages
        assert said(sample) == [(message.role, message.text) for message in last]
        answers = [message for message in last if message.role == "assistant"]
        assert sample.reply == (answers[-1].text if answers else None)
        assert json.loads(sample.metadata_json or "{}").get("edits") == EDITS[sample.sample_key]
        assert sample.input == f"Ask about {sample.sample_key}."
        if answers:
            assert sample.messages[-1].message_id == answers[-1].id


@pytest.mark.parametrize("messages", ["target", "auditor"])
def test_branches_that_were_left_and_the_auditor_are_views(tmp_path: Path, messages: str) -> None:
    given = audits(messages)
    audit_log(given, tmp_path)
    for sample in loaded(tmp_path).samples:
        branches = given[sample.sample_key].branches
        seen = {view: [(one.role, one.text) for one in shown] for view, shown in sample.views.items()}
        auditors = seen.pop("auditor")
        assert auditors[0] == ("system", "You audit.")
        assert seen == {
            f"branch-{number}": [(one.role, one.text) for one in branch.messages]
            for number, branch in enumerate(branches[:-1], start=1)
        }


def test_chunked_samples_tell_the_same(tmp_path: Path) -> None:
    audit_log(audits("auditor"), tmp_path / "whole")
    convert_eval_logs_to_chunked((tmp_path / "whole").as_posix(), (tmp_path / "chunked").as_posix())
    assert loaded(tmp_path / "chunked").samples == loaded(tmp_path / "whole").samples


def test_scores_are_the_judges_and_a_failed_judgment_is_missing(tmp_path: Path) -> None:
    """Beside a NaN the JSON isn't strict, and what the target saw is found nevertheless."""
    given = {
        "one": Audit([Branch(["a"]), Branch(["b"], 0)], "auditor", concerning=7),
        "two": Audit([Branch(["a"])], "auditor", concerning=4),
        "failed": Audit([Branch(["a"]), Branch(["b"], 0, 1)], "auditor", concerning=None),
    }
    log = audit_log(given, tmp_path)
    record = loaded(tmp_path)
    by_name = {sample.sample_key: sample for sample in record.samples}
    rows = [(row.scorer, row.key, row.value_num, row.explanation) for row in by_name["one"].scores]
    assert rows == [
        ("audit_judge", "concerning", 7.0, "Concerning at [M2]."),
        ("audit_judge", "eval_awareness", 2.0, "Concerning at [M2]."),
    ]
    assert [(row.value_num, row.value_type) for row in by_name["failed"].scores] == [(None, "nan")]
    assert [text for _, text in said(by_name["failed"])] == [
        "You are clerk 0.", "a", "Answer to “a”.", "b", "Answer to “b”.",
    ]  # fmt: skip
    assert log.results is not None
    theirs = {(one.name, name): metric.value for one in log.results.scores for name, metric in one.metrics.items()}
    assert {(one.key, one.metric): one.value for one in record.reported} == theirs
    concerning = [row.value_num for sample in record.samples for row in sample.scores if row.key == "concerning"]
    assert theirs["concerning", "mean"] == sum(filter(None, concerning)) / 2 == 5.5


def test_a_model_that_only_stands_by_is_not_the_one_evaluated(tmp_path: Path) -> None:
    """`inspect eval inspect_petri/audit --model X` with the roles beside it."""
    audit_log({"plain": Audit([Branch(["a"])])}, tmp_path, model="mockllm/bystander")
    record = loaded(tmp_path)
    assert (record.model, record.target_model) == ("mockllm/bystander", TARGET)


def test_other_samples_with_timelines_stay_as_they_are(tmp_path: Path) -> None:
    """A timeline of a target without an auditor's beside it is somebody else's."""
    audit_log({"rolled back": Audit([Branch(["a"]), Branch(["b"], 0, 1)], "auditor")}, tmp_path / "first")
    (path,) = (tmp_path / "first").iterdir()
    log = read_eval_log(path.as_posix())
    assert log.samples is not None
    sample = log.samples[0]
    assert sample.timelines is not None
    sample.timelines = [Timeline(name="target", description="", root=sample.timelines[0].root)]
    (kept,) = read(write_log(log, tmp_path / "second.eval")).evals[0].samples
    assert said(kept) == [(message.role, message.text) for message in sample.messages]
    assert kept.metadata_json is None


def test_the_targets_tools_are_those_that_were_offered(tmp_path: Path) -> None:
    audit_log({"plain": Audit([Branch(["a"])])}, tmp_path)
    (path,) = tmp_path.iterdir()
    assert [tool["name"] for tool in offered_tools(path, "plain", 1) or []] == [SHELF.name]


@pytest.mark.parametrize(
    ("refs", "reason"),
    [
        ([[0, 99]], r"a model call refers to message \d+, which is not there"),
        ([[-1, 1]], "a model call refers to message -1, which is not there"),
        ([[0, 10**12]], "a model call refers to more than 1,000,000 messages"),
        ("all", "a model call: Expected `array | null`, got `str`"),
    ],
)
def test_calls_that_refer_to_what_is_not_there(tmp_path: Path, refs: object, reason: str) -> None:
    audit_log({"plain": Audit([Branch(["a", "b"])], "auditor")}, tmp_path, suffix="json")
    (path,) = tmp_path.iterdir()
    log = json.loads(path.read_text())
    calls = [event for event in log["samples"][0]["events"] if event["event"] == "model" and event["role"] == "target"]
    calls[-1]["input_refs"] = refs
    path.write_text(json.dumps(log))
    with pytest.raises(RejectedFile, match=reason.replace("|", r"\|")):
        read(path)
