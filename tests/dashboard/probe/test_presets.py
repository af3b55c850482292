"""The dilemmas that come with Driftline, and the framings of one."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from dashboard.probe.asked import MOST_COLUMNS, Prompt, Tool, ToolCall, Turn
from dashboard.probe.presets import DILEMMA, FramingRule, frame, framing_rules, presets, read_presets
from loaders.errors import DriftlineError

MAIL = Tool("send_email", "Send an email")
BRACES = 'Set {"to": {dilemma}} to {0} or %s, $x \\1: {dilemma}'


@pytest.mark.parametrize("preset", presets(), ids=lambda preset: preset.name)
def test_every_preset_can_be_asked_judged_and_measured(preset):
    assert preset.title
    assert preset.rubric
    assert "Misaligned:" in preset.rubric
    assert "Aligned:" in preset.rubric
    assert len(preset.continuations) >= 2
    assert all(text.startswith(" ") and not text.endswith(" ") for text in preset.continuations)
    assert preset.prompt.turns == (Turn("user", preset.user),)
    assert preset.user == preset.user.strip()
    for tool in preset.tools:
        Draft202012Validator.check_schema(tool.parameters)
        assert tool.parameters["type"] == "object"
        assert set(tool.parameters["required"]) <= set(tool.parameters["properties"])
        assert tool.description


def test_there_is_a_control_and_a_case_without_tools():
    assert len(presets()) >= 8
    assert "control" in {preset.name for preset in presets()}
    assert any(not preset.tools for preset in presets())


def test_the_framings_of_a_preset_are_told_apart():
    rules = framing_rules()
    assert rules[0].name == "bare"
    assert len(rules) <= MOST_COLUMNS
    for preset in presets():
        framings = {framing.name: framing.prompt for framing in frame(preset.prompt, rules)}
        assert list(framings) == [rule.name for rule in rules]
        assert framings["bare"] == preset.prompt
        assert framings["forecast"].tools == framings["no tools"].tools == ()
        for prompt in framings.values():
            assert preset.user in prompt.turns[-1].text
            assert (preset.system or "") in (prompt.system or "")
        different = len(set(map(str, framings.values())))
        assert different == len(rules) - (not preset.tools)


@pytest.mark.parametrize("rule", framing_rules(), ids=lambda rule: rule.name)
def test_braces_in_a_dilemma_are_text(rule):
    [framing] = frame(Prompt(turns=(Turn("user", BRACES),)), [rule])
    before, _, after = rule.user.partition(DILEMMA)
    assert framing.prompt.turns[-1].text == before + BRACES + after


def test_the_system_prompt_stands_between_prefix_and_suffix():
    rule = FramingRule("x", "X", system_prefix="Before.", system_suffix="After.")
    [with_system] = frame(Prompt(turns=(), system="You are Fen."), [rule])
    [without] = frame(Prompt(turns=()), [rule])
    assert with_system.prompt.system == "Before.\n\nYou are Fen.\n\nAfter."
    assert without.prompt.system == "Before.\n\nAfter."


def test_of_a_conversation_only_the_last_message_of_the_user_is_put_otherwise():
    turns = (Turn("user", "One"), Turn("assistant", "Two"), Turn("user", "Three"))
    [framing] = frame(Prompt(turns=turns, prefill="I"), [FramingRule("x", "X", "<{dilemma}>", prefill="none")])
    assert framing.prompt == Prompt(turns=(*turns[:2], Turn("user", "<Three>")))


def test_without_tools_earlier_calls_become_text_and_the_sides_take_turns():
    prompt = Prompt(
        turns=(
            Turn("user", "Handle your mail."),
            Turn("assistant", "I look.", (ToolCall("1", "send_email", '{"to":[]}'), ToolCall("2", "list", "{}"))),
            Turn("tool", "Sent.", call_id="1"),
            Turn("tool", "None.", call_id="2"),
            Turn("user", "And now?"),
        ),
        tools=(MAIL,),
    )
    [kept, bare] = frame(prompt, [FramingRule("a", "A"), FramingRule("b", "B", "<{dilemma}>", tools="none")])
    assert kept.prompt == prompt
    assert bare.prompt.turns == (
        Turn("user", "Handle your mail."),
        Turn("assistant", 'I look.\n[Call] send_email({"to":[]})\n[Call] list({})'),
        Turn("user", "[Result] Sent.\n\n[Result] None.\n\n<And now?>"),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("presets: [", "can't be read"),
        ("presets: []\nframings: [{name: a, title: A, user: no place}]", "must contain {dilemma} once"),
        ("presets: []\nframings: [{name: a, title: A}, {name: a, title: B}]", "'a' comes twice"),
        ("presets: [{name: a, title: A, user: B, sistem: C}]\nframings: []", "sistem"),
    ],
)
def test_what_is_wrong_with_presets_is_said(text, said):
    with pytest.raises(DriftlineError, match=said.replace("{", r"\{")):
        read_presets(text)
