"""The prompt of a later turn."""

from __future__ import annotations

from dashboard.probe.asked import Prompt, Tool, ToolCall, Turn
from dashboard.probe.conversation import NO_TOOL_RUN, Exchange, prompt_for

MAIL = Tool("send_email", "Send an email")
ASKED = Prompt(turns=(Turn("user", "What now?"),), system="You are Alex.", tools=(MAIL,), prefill="I will")


def test_without_exchanges_a_prompt_stays_as_it_is():
    assert prompt_for(ASKED, []) is ASKED


def test_replies_and_messages_follow_in_order_and_the_prefill_begins_the_first_reply_alone():
    prompt = prompt_for(ASKED, [Exchange(" wait.", (), "Why?"), Exchange("It is right.", (), "Sure?")])
    assert prompt == Prompt(
        turns=(
            Turn("user", "What now?"),
            Turn("assistant", "I will wait."),
            Turn("user", "Why?"),
            Turn("assistant", "It is right."),
            Turn("user", "Sure?"),
        ),
        system="You are Alex.",
        tools=(MAIL,),
    )


def test_every_call_is_answered_before_the_next_message():
    calls = (ToolCall("a", "send_email", "{}"), ToolCall("b", "send_email", "{"))
    prompt = prompt_for(ASKED, [Exchange("", calls, "And then?")])
    assert prompt.turns[1:] == (
        Turn("assistant", "I will", calls),
        Turn("tool", NO_TOOL_RUN, call_id="a"),
        Turn("tool", NO_TOOL_RUN, call_id="b"),
        Turn("user", "And then?"),
    )


def test_calls_that_share_an_id_or_have_none_are_told_apart():
    asked = Prompt(turns=(Turn("user", "?"), Turn("assistant", "", (ToolCall("call_1_2", "x", "{}"),))))
    same = (ToolCall("0", "send_email", "{}"), ToolCall("", "send_email", "{}"))
    turns = prompt_for(asked, [Exchange("", same, "On."), Exchange("", same, "On.")]).turns
    ids = [call.id for turn in turns for call in turn.calls]
    assert ids == ["call_1_2", "0", "call_1_2_1", "call_2_1", "call_2_2"]
    assert [turn.call_id for turn in turns if turn.role == "tool"] == ids[1:]
