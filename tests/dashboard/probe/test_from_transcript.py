"""The prompt of a transcript, up to a turn: of real logs, and of what is odd."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboard.probe.asked import Prompt, Tool, ToolCall, Turn
from dashboard.probe.conversation import NO_TOOL_RUN
from dashboard.probe.from_transcript import NothingToAsk, prompt_of
from dashboard.probe.tools_of import offered_in_file
from dashboard.queries.transcript import Transcript, parsed, transcript
from loaders.inspect.log import read
from loaders.records import SampleRecord
from tests.builders import StoreBuilder, log, message, sample
from tests.real_logs import LOGS, WITHOUT_SAMPLES


def told(*messages: dict[str, Any], of_log: dict[str, Any] | None = None, **of_sample: Any) -> Transcript:
    """A transcript of these messages."""
    rows = [{"idx": at, "text": "", **row} for at, row in enumerate(messages)]
    return Transcript(log=of_log or {}, sample=of_sample, scores=[], messages=rows)


SYSTEM = {"role": "system", "text": "You are Fen."}
HELLO = {"role": "user", "text": "Hello"}
ANSWER = {"role": "assistant", "text": "Hi."}


def test_the_reply_at_a_turn_is_asked_for_again():
    rows = told(SYSTEM, HELLO, ANSWER, {"role": "user", "text": "And?"}, {"role": "assistant", "text": "Well."})
    first = Prompt(turns=(Turn("user", "Hello"),), system="You are Fen.")
    assert prompt_of(rows, 1).prompt == first
    assert prompt_of(rows, 2).prompt == first
    whole = Prompt(turns=(Turn("user", "Hello"), Turn("assistant", "Hi."), Turn("user", "And?")), system="You are Fen.")
    assert prompt_of(rows, 3).prompt == prompt_of(rows, 4).prompt == prompt_of(rows).prompt == whole
    assert prompt_of(rows).remarks == ()


@pytest.mark.parametrize("upto", [-1, 0])
def test_where_nothing_was_said_yet_there_is_nothing_to_ask(upto):
    with pytest.raises(NothingToAsk, match="pick a later one"):
        prompt_of(told(SYSTEM, HELLO), upto)


def test_without_messages_the_input_is_the_prompt():
    carried = prompt_of(told(input="Is it right?"))
    assert carried.prompt == Prompt(turns=(Turn("user", "Is it right?"),))
    assert carried.remarks == ("The log keeps no messages: the sample's input is the prompt.",)
    with pytest.raises(NothingToAsk):
        prompt_of(told(input=None))


CALL = {"id": "1", "function": "ls", "arguments": {"path": "."}, "type": "function"}
SHAPES = {
    "inspect": [CALL],
    "openai": [{"id": "1", "type": "function", "function": {"name": "ls", "arguments": '{"path":"."}'}}],
}


@pytest.mark.parametrize("calls", SHAPES.values(), ids=SHAPES)
def test_calls_of_either_shape_go_with_their_results(calls):
    rows = told(
        HELLO,
        {"role": "assistant", "text": "", "tool_calls": calls},
        {"role": "tool", "text": "a.txt", "tool_call_id": "1", "function": "ls"},
    )
    carried = prompt_of(rows)
    assert carried.prompt == Prompt(
        turns=(
            Turn("user", "Hello"),
            Turn("assistant", "", (ToolCall("1", "ls", '{"path":"."}'),)),
            Turn("tool", "a.txt", call_id="1"),
        ),
        tools=(Tool("ls", "", {"type": "object", "properties": {"path": {"type": "string"}}}),),
    )
    assert "How its tools were described is not known: ls" in carried.remarks[0]


def test_parts_as_anthropic_writes_them():
    rows = told(
        HELLO,
        {
            "role": "assistant",
            "text": "I look.",
            "content": [
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "t", "name": "ls", "input": {"all": True}},
            ],
        },
        {
            "role": "user",
            "text": "So?",
            "content": [
                {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "a.txt"}]},
                {"type": "text", "text": "So?"},
            ],
        },
    )
    assert prompt_of(rows).prompt.turns[1:] == (
        Turn("assistant", "I look.", (ToolCall("t", "ls", '{"all":true}'),)),
        Turn("tool", "a.txt", call_id="t"),
        Turn("user", "So?"),
    )


def test_results_of_one_reply_come_along_together():
    rows = told(
        HELLO,
        {"role": "assistant", "tool_calls": [CALL, CALL | {"id": "2"}]},
        {"role": "tool", "text": "one", "tool_call_id": "1"},
        {"role": "tool", "text": "two", "tool_call_id": "2", "error": {"type": "timeout", "message": "too slow"}},
        ANSWER,
    )
    turns = prompt_of(rows, 2).prompt.turns
    assert turns[2:] == (Turn("tool", "one", call_id="1"), Turn("tool", "Error: too slow", call_id="2"))
    # The reply that called is asked for again without its results.
    assert prompt_of(rows, 1).prompt.turns == (Turn("user", "Hello"),)


def test_calls_and_results_that_do_not_match_are_put_right_and_said():
    rows = told(
        HELLO,
        {"role": "assistant", "tool_calls": [CALL]},
        {"role": "user", "text": "Wait"},
        {"role": "tool", "text": "late", "tool_call_id": "1", "function": "ls"},
        {"role": "assistant", "tool_calls": [CALL]},
        {"role": "tool", "text": "no id"},
        {"role": "critic", "text": "Hm."},
    )
    carried = prompt_of(rows, offered=())
    assert carried.prompt.tools == ()
    assert carried.prompt.turns == (
        Turn("user", "Hello"),
        Turn("assistant", "", (ToolCall("1", "ls", '{"path":"."}'),)),
        Turn("tool", NO_TOOL_RUN, call_id="1"),
        Turn("user", "Wait"),
        Turn("user", "[Result of ls] late"),
        Turn("assistant", "", (ToolCall("call_2_1", "ls", '{"path":"."}'),)),
        Turn("tool", "no id", call_id="call_2_1"),
        Turn("user", "Hm."),
    )
    assert carried.remarks == (
        f"A call without a result in the log is answered by: {NO_TOOL_RUN}",
        "A tool result without a call became a user message.",
        'A message of the role "critic" is taken for the user\'s.',
    )


def test_what_cannot_be_carried_over_is_told_and_counted():
    image = {"type": "image", "image": "[image/png, 25 kB]"}
    rows = told(
        HELLO,
        {"role": "assistant", "text": "", "reasoning": "hm", "content": [{"type": "reasoning", "reasoning": "hm"}]},
        {"role": "user", "text": "Look\n[image/png, 25 kB]", "content": [{"type": "text", "text": "Look"}, image]},
        {"role": "system", "text": "Be brief."},
        {"role": "user", "text": "[image/png, 25 kB]", "content": [image, {"type": "data", "data": {}}]},
        {"role": "assistant", "text": "Not taken.", "reasoning": "hm"},
    )
    carried = prompt_of(rows)
    assert carried.prompt.system == "Be brief."
    assert [turn.text for turn in carried.prompt.turns] == ["Hello", "Look\n[image/png, 25 kB]", "[image/png, 25 kB]"]
    assert carried.remarks == (
        "Reasoning of an earlier reply is left out: servers take back none but their own.",
        "An empty message of the assistant is left out.",
        "Images, audio and files are described in words. (2 times)",
        "A system message within the conversation was moved to its beginning.",
        'A part of a message, "data", is left out.',
    )


def test_tools_come_from_metadata_before_calls():
    listed = [
        {"type": "function", "function": {"name": "a", "description": "A", "parameters": {"type": "object"}}},
        {"name": "b", "input_schema": {"type": "object", "required": []}},
        {"name": 3},
        "c",
    ]
    found = prompt_of(told(HELLO, metadata={"tools": listed}))
    assert found.prompt.tools == (
        Tool("a", "A", {"type": "object"}),
        Tool("b", "", {"type": "object", "required": []}),
    )
    assert found.remarks == ()
    assert prompt_of(told(HELLO, of_log={"metadata": {"tools": listed}})).prompt.tools == found.prompt.tools


def test_tools_that_a_solver_names_are_offered_though_never_called():
    named = {
        "steps": [{"solver": "use_tools", "params": {"tools": [[{"type": "tool", "name": "bash", "params": {}}]]}}]
    }
    carried = prompt_of(told(HELLO, of_log={"solver": named}))
    assert carried.prompt.tools == (Tool("bash"),)
    assert carried.remarks == ("Offered and never called, their parameters unknown: bash.",)


def test_of_a_stored_transcript():
    store = StoreBuilder()
    rows = [message("system", "Be good"), message("user", "Hello"), message("assistant", "Hi")]
    store.add(log([sample("a", messages=rows)], log_eval_id="KEY"), path="logs/a.eval")
    with store.cursor() as cursor:
        found = transcript(cursor, "KEY", "a", 1, as_of=1)
    assert prompt_of(found).prompt == Prompt(turns=(Turn("user", "Hello"),), system="Be good")


def rows_of(record: SampleRecord) -> Iterator[dict[str, Any]]:
    """Messages as the store gives them back."""
    for at, one in enumerate(record.messages):
        yield parsed({"idx": at} | {name: getattr(one, name) for name in one.__struct_fields__})


def test_tools_are_taken_from_the_log_file_while_it_is_there(shared_data: Path):
    folder = shared_data / "inspect/tests/log/test_eval_log"
    file = folder / "log_message_deduplication.eval"
    record = read(file).evals[0].samples[0]
    at = {"root": folder.as_posix(), "path": file.name, "format": "inspect"}
    whole = Transcript({**at}, {"sample_key": record.sample_key, "epoch": record.epoch}, [], list(rows_of(record)))
    carried = prompt_of(whole, offered=offered_in_file(whole))
    assert [tool.name for tool in carried.prompt.tools] == ["bash", "python"]
    assert all(tool.description and tool.parameters["properties"] for tool in carried.prompt.tools)
    assert carried.remarks == ()
    for other in ({"path": "gone.eval"}, {"format": "lm_eval"}, {"root": None}):
        assert offered_in_file(Transcript(at | other, whole.sample, [], [])) is None


RESULTS_ALONE = "log_tool_call_error.json"
"""A log of inspect_ai's own tests: results of tools, and no calls."""


@pytest.mark.slow
@pytest.mark.parametrize("name", LOGS)
def test_every_real_transcript_has_a_prompt_at_each_reply(shared_data: Path, name: str):
    record = read(shared_data / name).evals[0]
    of_log = parsed({"metadata_json": record.metadata_json, "solver_json": record.solver_json})
    assert bool(record.samples) != name.endswith(WITHOUT_SAMPLES)
    for one in record.samples:
        of_sample = parsed({"input": one.input, "metadata_json": one.metadata_json})
        whole = Transcript(log=of_log, sample=of_sample, scores=[], messages=list(rows_of(one)))
        if not one.messages and not one.input:
            continue
        for reply in [m["idx"] for m in whole.messages if m["role"] == "assistant"] or [None]:
            before = whole.messages[:reply]
            prompt = prompt_of(whole, reply).prompt
            assert prompt.turns[-1].role != "assistant"
            assert_answered(prompt)
            if whole.messages and not name.endswith(RESULTS_ALONE):
                # Nothing that was said is lost: not a text, not a call.
                for role in ("user", "assistant"):
                    assert [turn.text for turn in prompt.turns if turn.role == role] == said(before, role)
                assert (prompt.system or "") == "\n\n".join(m["text"] for m in before if m["role"] == "system")
                calls = [call.name for turn in prompt.turns for call in turn.calls]
                assert calls == [c["function"] for m in before for c in m["tool_calls"] or ()]
                assert {tool.name for tool in prompt.tools} >= set(calls)


def said(messages: list[dict[str, Any]], role: str) -> list[str]:
    """What one side said, replies that come last left out."""
    while messages and messages[-1]["role"] == "assistant":
        messages = messages[:-1]
    return [m["text"] for m in messages if m["role"] == role and (m["text"] or m["tool_calls"])]


def assert_answered(prompt: Prompt) -> None:
    """Each call has an id of its own, and exactly one result before anybody says more."""
    waiting: list[str] = []
    seen: set[str] = set()
    for turn in prompt.turns:
        if turn.role == "tool":
            assert turn.call_id is not None
            waiting.remove(turn.call_id)
            continue
        assert not waiting
        waiting = [call.id for call in turn.calls]
        assert not seen & set(waiting)
        seen |= set(waiting)
    assert not waiting
