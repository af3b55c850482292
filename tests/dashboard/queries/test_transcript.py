"""One sample in full, with everything parsed, as it was as of a batch."""

from __future__ import annotations

import pytest

from dashboard.queries.transcript import NoSuchSample, transcript
from tests.builders import StoreBuilder, log, message, sample, score


@pytest.fixture
def store() -> StoreBuilder:
    store = StoreBuilder()
    store.run("rl", label="RL")
    messages = [
        message("system", "Be good", metadata_json='{"a": 1}'),
        message("user", "Hello"),
        message("assistant", "Hi", reasoning="hm", tool_calls_json='[{"id": "1", "function": "ls"}]'),
        message("tool", "files", tool_call_id="1", function="ls"),
    ]
    held = [
        sample("a/b", score(0, key="x"), epoch=1),
        sample(
            "a/b",
            score(1, key="x", explanation="Because", metadata={"verdict": "bad"}),
            score("C", "match"),
            epoch=2,
            input="Hello",
            metadata={"scenario": "blackmail"},
            messages=messages,
        ),
    ]
    store.add(log(held, log_eval_id="KEY", task_args={"step": 5}), run="rl", step=5, path="logs/a.eval")
    return store


def test_a_transcript_holds_log_sample_scores_and_messages(store):
    with store.cursor() as cursor:
        found = transcript(cursor, "KEY", "a/b", 2, as_of=1)
    assert (found.log["run"], found.log["run_label"], found.log["step"]) == ("rl", "RL", 5)
    assert (found.log["path"], found.log["task_args"]) == ("logs/a.eval", {"step": 5})
    assert (found.sample["input"], found.sample["metadata"]) == ("Hello", {"scenario": "blackmail"})
    assert [(s["scorer"], s["key"], s["value_num"], s["value_text"]) for s in found.scores] == [
        ("judge", "x", 1.0, None),
        ("match", None, None, "C"),
    ]
    assert (found.scores[0]["explanation"], found.scores[0]["metadata"]) == ("Because", {"verdict": "bad"})
    assert [m["role"] for m in found.messages] == ["system", "user", "assistant", "tool"]
    assert found.messages[0]["metadata"] == {"a": 1}
    assert found.messages[2]["tool_calls"] == [{"id": "1", "function": "ls"}]
    assert found.messages[3]["content"] is None


def test_the_epoch_tells_samples_of_one_question_apart(store):
    with store.cursor() as cursor:
        assert [s["value_num"] for s in transcript(cursor, "KEY", "a/b", 1, as_of=1).scores] == [0.0]


@pytest.mark.parametrize(
    ("log_key", "name", "epoch", "says"),
    [
        ("NONE", "a/b", 1, "No log with the key NONE"),
        ("KEY", "c", 1, r"KEY \(logs/a.eval\) holds no sample c in epoch 1"),
        ("KEY", "a/b", 3, "in epoch 3 at import 1; it holds 2 samples"),
    ],
)
def test_a_link_to_nothing_says_what_is_missing(store, log_key, name, epoch, says):
    with store.cursor() as cursor, pytest.raises(NoSuchSample, match=says):
        transcript(cursor, log_key, name, epoch, as_of=1)


def test_a_pinned_link_shows_what_was_there_then(store):
    store.next_batch()
    later = log([sample("a/b", score(1, key="x"), epoch=2, input="Changed")], log_eval_id="KEY")
    store.add(later, run="rl", step=5, path="logs/a.eval")
    with store.cursor() as cursor:
        assert transcript(cursor, "KEY", "a/b", 2, as_of=1).sample["input"] == "Hello"
        assert transcript(cursor, "KEY", "a/b", 2, as_of=2).sample["input"] == "Changed"
        with pytest.raises(NoSuchSample):
            transcript(cursor, "KEY", "a/b", 1, as_of=2)
