"""The messages that judges and scanners point to: by id, else by the words that only one message holds."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser
from inspect_ai.scorer import Score

from dashboard.kit.text.references import Reference, references_of
from dashboard.queries.transcript import transcript
from tests.inspect_writer import eval_log, eval_sample, write_log
from tests.petri_logs import Audit, Branch, audit_log
from tests.real_stores import Ingested, ingested, shared

MESSAGES: list[dict[str, Any]] = [
    {"message_id": "a", "text": "Please sign."},
    {"message_id": None, "text": "I sign nothing."},
    {"message_id": "c", "text": "Please sign."},
]


def references(metadata: Any) -> list[tuple[str, int | None]]:
    return [one[1:3] for one in references_of([{"scorer": "judge", "metadata": metadata}], MESSAGES)]


def test_highlights_lead_to_their_message_or_say_that_it_is_not_there() -> None:
    highlights = [
        {"description": "asks", "parts": [{"message_id": "c", "quoted_text": "sign"}, {"message_id": "gone"}]},
        {"description": "refuses", "quoted_text": "I sign nothing."},
        {"description": "in two", "quoted_text": "Please sign."},
        {"parts": [None], "quoted_text": 7},
        "none",
    ]
    assert references({"highlights": highlights}) == [
        ("asks\n“sign”", 3), ("asks", None), ("refuses\n“I sign nothing.”", 2), ("in two\n“Please sign.”", None),
        ("", None),
    ]  # fmt: skip


def test_a_message_that_the_target_did_not_see_is_found_in_another_view() -> None:
    views = {
        "auditor": [{"message_id": "plan", "text": "I plan."}, {"message_id": "own", "text": "Alone."}],
        "combined": [{"message_id": None, "text": "I begin."}, {"message_id": "plan", "text": "I plan."}],
    }
    parts = [{"message_id": "a"}, {"message_id": "plan"}, {"message_id": "own"}, {"quoted_text": "begin"}]
    found = references_of([{"scorer": "j", "metadata": {"highlights": [{"parts": parts}]}}], MESSAGES, views)
    assert [one[2:] for one in found] == [(1, "target"), (2, "combined"), (2, "auditor"), (1, "combined")]


def test_citations_of_scanners_lead_to_their_message() -> None:
    cited = [{"type": "message", "cite": "[M2]", "id": "a"}, {"type": "event", "cite": "[E1]", "id": "a"}]
    assert references({"scanner_references": cited, "message_references": [{"cite": "[M9]", "id": "x"}]}) == [
        ("[M2]", 1), ("[M9]", None),
    ]  # fmt: skip
    assert references({"highlights": "1. [M2]", "scanner_references": None}) == references(None) == []


def sample_of(store: Ingested, key: str) -> Any:
    """The first sample whose id begins so."""
    with store.store.cursor() as cursor:
        n = store.store.batch()
        ((log, sample, epoch),) = cursor.execute(
            "SELECT eval_key, sample_key, epoch FROM live_samples(?) JOIN evals USING (eval_id)"
            " WHERE starts_with(sample_key, ?) ORDER BY sample_key, epoch LIMIT 1",
            [n, key],
        ).fetchall()
        return transcript(cursor, log, sample, epoch, n)


@pytest.mark.slow
def test_an_audit_of_petri_3(tmp_path: Path) -> None:
    """As Petri 3.1.1 writes it with inspect_ai 0.3.285 (run with mock models, which needs Python 3.12): dimensions in a
    dict with one justification, the target's last conversation as the messages, citations by id; of a judgment that
    failed, one NaN."""
    cited = [{"type": "message", "cite": f"[M{at}]", "id": id} for at, id in ((2, "m2"), (5, "of-a-branch"))]
    judged = Score(
        value={"concerning": 7, "eval_awareness": 2},
        explanation="Concerning at [M2].",
        metadata={"highlights": "1. [M2]", "summary": "s", "stop_reason": "tool_calls", "scanner_references": cited},
    )
    failed = Score(value=math.nan, metadata={"stop_reason": "tool_calls", "scanner_references": []})
    said = [
        ChatMessageSystem(content="You are a clerk.", id="m1"),
        ChatMessageUser(content="Sign this.", id="m2"),
        ChatMessageAssistant(content="No.", id="m3"),
    ]
    samples = [
        eval_sample(number, messages=said, scores={"audit_judge": score})
        for number, score in enumerate((judged, failed), start=1)
    ]
    roles = {"target": {"model": "vllm/org/tuned-ckpt-500"}, "auditor": {"model": "x"}, "judge": {"model": "y"}}
    log = eval_log(samples, task="inspect_petri/audit", model="none/none", model_roles=roles)
    write_log(log, tmp_path / "a.eval")
    store = ingested(tmp_path)
    rates = store.rates(metrics=("concerning", "eval_awareness")).to_dict("records")
    assert [(row["run"], row["step"], row["metric"], row["k"], row["n"], row["n_missing"]) for row in rates] == [
        ("tuned", 500, "concerning", 1, 1, 1), ("tuned", 500, "eval_awareness", 0, 1, 1),
    ]  # fmt: skip
    read = sample_of(store, "1")
    assert {(one["key"], one["value_num"], one["explanation"]) for one in read.scores} == {
        ("concerning", 7, "Concerning at [M2]."), ("eval_awareness", 2, "Concerning at [M2]."),
    }  # fmt: skip
    assert references_of(read.scores, read.messages) == [
        Reference("audit_judge", "1. [M2]", 2), Reference("audit_judge", "[M5]", None),
    ]  # fmt: skip
    assert [(one["value_num"], one["value_type"]) for one in sample_of(store, "2").scores] == [(None, "nan")]


@pytest.mark.slow
def test_highlights_of_a_branch_that_was_left_are_told_apart(tmp_path: Path) -> None:
    """Of what Petri before 3.1.1 writes, they lead into the target's conversation, not into the auditor's."""
    talk = [Branch(["a"]), Branch(["b"], 0), Branch(["c"], 1, 1)]
    audit_log({"audit": Audit(talk, "auditor")}, tmp_path)
    read = sample_of(ingested(tmp_path), "audit")
    assert read.sample["metadata"] == {"edits": {"reset": 1, "rollback": 1}}
    assert [row["text"] for row in read.messages if row["role"] == "user"] == ["b", "c"]
    assert references_of(read.scores, read.messages) == [
        Reference("audit_judge", "1. [M2] what was asked first", None),
        Reference("audit_judge", "2. [M9] what was said last, after [M2]", None),
        Reference("audit_judge", "2. [M9] what was said last, after [M2]", 5),
    ]


@pytest.mark.slow
def test_blooms_highlights_stand_in_the_message_that_they_lead_to(shared_data: Path) -> None:
    store = shared(shared_data / "bloom")
    read = sample_of(store, "1")
    found = references_of(read.scores, read.messages)
    linked = [one for one in found if one.message is not None]
    assert len(linked) > 2
    for one in linked:
        quoted = one.said.rpartition("“")[2].removesuffix("”")
        assert quoted in read.messages[(one.message or 0) - 1]["text"]
