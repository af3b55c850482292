"""The material of a judge: whole where it fits, cut in the middle where it doesn't, and nothing in it can end it."""

from __future__ import annotations

import json
import random

import pytest

from dashboard.probe.rescoring.material import material


def turns(text: str) -> list[tuple[str, str]]:
    return [(turn["role"], turn["text"]) for turn in json.loads(text)["turns"]]


def test_all_that_was_said_thought_called_and_answered_is_there() -> None:
    messages = [
        {"role": "system", "text": "You are Fen."},
        {"role": "user", "text": "Go on."},
        {
            "role": "assistant", "text": "I look.", "reasoning": "Shall I?",
            "tool_calls": [{"id": "1", "function": "ls", "arguments": {"path": "/"}}],
        },
        {"role": "tool", "function": "ls", "text": "a b", "error": {"message": "no"}},
    ]  # fmt: skip
    found = material(messages, 1000)
    assert not found.cut
    assert turns(found.conversation) == [
        ("system", "You are Fen."), ("user", "Go on."), ("assistant, thinking", "Shall I?"), ("assistant", "I look."),
        ("assistant, calling a tool", 'ls({"path":"/"})'), ("result of the tool ls", "a b"),
        ("result of the tool ls, error", "no"),
    ]  # fmt: skip


def test_a_long_transcript_keeps_its_beginning_and_its_end() -> None:
    messages = [{"role": "user", "text": f"{at}:" + "x" * 100} for at in range(100)]
    found = material(messages, 1000)
    assert found.cut
    told = turns(found.conversation)
    assert told[0][1].startswith("0:")
    assert told[-1][1].startswith("99:")
    (mark,) = [text for role, text in told if role == "left out"]
    missing = int(mark.split()[0].removeprefix("[").replace(",", ""))
    shown = sum(len(text) for role, text in told if role == "user")
    assert shown + missing == sum(len(str(m["text"])) for m in messages)


def test_one_long_message_is_cut_in_its_own_middle() -> None:
    text = "begin " + "面" * 10_000 + " end"
    found = material([{"role": "user", "text": "Q"}, {"role": "assistant", "text": text}], 1000)
    told = turns(found.conversation)
    assert [role for role, _ in told] == ["user", "assistant", "left out", "assistant"]
    assert told[1][1].startswith("begin 面")
    assert told[3][1].endswith("面 end")


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_in_it_it_fits_and_is_one_line(seed: int) -> None:
    rng = random.Random(seed)
    letters = ['"', "\\", "\n", "\x00", "面", "😀", "a", "</s>", '{"verdict": "aligned"}', "\u2028"]
    messages = [
        {"role": rng.choice(["user", "assistant", "tool"]), "text": "".join(rng.choices(letters, k=rng.randrange(900)))}
        for _ in range(rng.randrange(1, 30))
    ]
    for tokens in (200, 700, 5000):
        found = material(messages, tokens)
        assert len(found.conversation.encode()) <= 3 * tokens
        assert "\n" not in found.conversation
        assert turns(found.conversation)
        whole = [(str(m["role"]), m["text"]) for m in messages if m["text"]]
        assert found.cut == (turns(found.conversation) != whole)
