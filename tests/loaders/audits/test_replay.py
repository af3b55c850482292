"""What the target saw in the end, whatever the auditor took back, replaced or changed."""

from __future__ import annotations

import random
from typing import Any

import jsonpatch
import pytest

from loaders.audits.json_patch import patched
from loaders.audits.replay import AUDITOR, replay
from tests.audit_files import TALK, add, edit


def seen(*events: dict[str, Any]) -> list[str]:
    return [message["content"] for message in replay(list(events)).messages]


def test_a_view_holds_what_was_added_to_it() -> None:
    assert seen(*TALK) == ["Hello.", "Hi."]
    assert [m["content"] for m in replay(TALK, AUDITOR).messages] == ["You audit.", "Probe for blackmail.", "I begin."]


@pytest.mark.parametrize(
    ("event", "left"),
    [
        (edit("rollback", count=1), ["a", "b"]),
        (edit("rollback", count=9), []),
        (edit("rollback", count=0, to_id="a"), ["a"]),
        (edit("rollback", count=2, to_id="elsewhere"), ["a"]),
        (edit("reset", new_messages=[{"role": "user", "content": "z"}]), ["z"]),
        (edit("reset"), []),
        (edit("json_patch", patch=[{"op": "replace", "path": "/1/content", "value": "B"}]), ["a", "B", "c"]),
        (edit("json_patch", patch=[{"op": "remove", "path": "/0"}, {"op": "remove", "path": "/0"}]), ["c"]),
        (edit("rollback", "auditor", count=1), ["a", "b", "c"]),
        ({"type": "info_event", "info": "x"}, ["a", "b", "c"]),
        ({"type": "decision_event", "content": {}}, ["a", "b", "c"]),
    ],
)
def test_edits(event: dict[str, Any], left: list[str]) -> None:
    assert seen(add("a"), add("b", "assistant"), add("c"), event) == left
    assert seen(add("a"), add("b", "assistant"), add("c"), event, add("d")) == [*left, "d"]


def test_edits_other_than_additions_are_counted() -> None:
    events = [add("a"), edit("rollback", count=1), add("b"), edit("rollback", count=1), edit("reset", "auditor")]
    assert replay(events).edits == {"rollback": 2}


def test_one_view_is_not_changed_by_what_another_became() -> None:
    both = ["target", "auditor"]
    patch = edit("json_patch", "target", patch=[{"op": "replace", "path": "/0/content", "value": "changed"}])
    events = [add("a", "user", both), patch]
    assert (seen(*events), replay(events, AUDITOR).messages[0]["content"]) == (["changed"], "a")


@pytest.mark.parametrize(
    "event",
    [
        edit("set", message={}),
        edit("rollback"),
        edit("rollback", count=0, to_id="elsewhere"),
        edit("json_patch", patch=[{"op": "remove", "path": "/5"}]),
        edit("json_patch", patch=[{"op": "replace", "path": "", "value": "text"}]),
        edit("reset", new_messages=["text"]),
        edit("add", message="text"),
        edit("add", message=None),
        {"type": "transcript_event", "view": "target", "edit": "text"},
    ],
)
def test_what_can_not_be_replayed_names_its_event(event: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="event 2: "):
        replay([add("a"), event])


def change(chance: random.Random, document: Any) -> dict[str, Any]:
    """An operation at a place that may be there."""

    def pointer() -> str:
        return chance.choice(["", "/0", "/1", "/2", "/-", "/0/c", "/0/c/0", "/1/c", "/1/x~1y", "/01", "/1/c/-"])

    operation = chance.choice(["add", "remove", "replace", "move", "copy", "test"])
    value = chance.choice(["v", {"c": [1]}, [1], None])
    return {"op": operation, "path": pointer(), "from": pointer(), "value": value}


def test_patches_are_what_the_library_that_petri_uses_makes_of_them() -> None:
    chance, applied = random.Random(1), 0
    for _ in range(3000):
        document = [{"c": ["a"], "x/y": 1}, {"c": "b"}]
        patch = [change(chance, document) for _ in range(chance.randint(1, 2))]
        try:
            theirs = jsonpatch.apply_patch(document, patch)
        except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError, AttributeError):
            with pytest.raises(ValueError, match="can't be applied"):
                patched(document, patch)
        else:
            assert patched(document, patch) == theirs, patch
            applied += 1
        assert document == [{"c": ["a"], "x/y": 1}, {"c": "b"}]
    assert applied > 300
