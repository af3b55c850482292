"""What is asked for, in which order, with which prompt: decided without asking anybody."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from dashboard.probe import plans
from dashboard.probe.asked import MOST_COLUMNS, Column, Framing, Prompt, Sampling, ToolCall, Turn
from dashboard.probe.budget import most_tokens
from dashboard.probe.endpoints import Allowance
from dashboard.probe.judge import Judge
from dashboard.queries.probes import SavedProbe, SavedReply
from loaders.errors import DriftlineError

NOW = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
BARE = Framing("bare", Prompt((Turn("user", "What now?"),), "You are Fen."))
FIRST = Framing("first", Prompt((Turn("user", "I"),), prefill="I will"))
COLUMNS = [Column("lab", "openai", name) for name in "abc"]


def saved(replies: list[SavedReply], sampling: Sampling | None = None) -> SavedProbe:
    return SavedProbe(
        "p", "probe", "x", None, NOW, "0", msgspec.json.encode([BARE, FIRST]).decode(),
        msgspec.json.encode(sampling or Sampling(seed=5)).decode(), None, None,
        [{"position": at, **msgspec.structs.asdict(column)} for at, column in enumerate(COLUMNS)], replies, [], [],
    )  # fmt: skip


def reply(position: int = 0, **more: Any) -> SavedReply:
    values: dict[str, Any] = {
        "reply_id": 1, "framing": "bare", "sample": 0, "turn": 0, "attempt": 0, "follows": None, "user_text": None,
        "seed": None, "reserved": 0, "status": "complete", "text": "Yes.",
    }  # fmt: skip
    return SavedReply(position=position, **(values | more))


def test_first_samples_of_all_columns_come_before_second_ones() -> None:
    planned = plans.first_turns("p", COLUMNS, [BARE, FIRST], Sampling(2, 0.5, 99, 7), 10, NOW)
    assert [(p.row.reply_id, p.row.sample, p.row.framing, p.row.position) for p in planned[:7]] == [
        (10, 0, "bare", 0), (11, 0, "bare", 1), (12, 0, "bare", 2),
        (13, 0, "first", 0), (14, 0, "first", 1), (15, 0, "first", 2), (16, 1, "bare", 0),
    ]  # fmt: skip
    assert len(planned) == 12
    last = planned[-1]
    assert last.request == msgspec.structs.replace(planned[3].request, model="c", seed=8)
    assert (last.request.prompt, last.request.temperature, last.request.max_tokens) == (FIRST.prompt, 0.5, 99)
    assert last.row.reserved == most_tokens(FIRST.prompt, 99)
    assert last.saved.status == "waiting"
    assert last.row.asked_at == datetime(2026, 3, 4, 5, 6)


def test_without_a_seed_none_is_sent() -> None:
    (planned,) = plans.first_turns("p", COLUMNS[:1], [BARE], Sampling(), 1, NOW)
    assert planned.request.seed is None
    assert planned.row.seed is None


@pytest.mark.parametrize(
    ("columns", "framings", "sampling", "told"),
    [
        ([], [BARE], Sampling(), "0 models are picked"),
        (COLUMNS * 3, [BARE], Sampling(), f"9 models are picked .allowed: 1 to {MOST_COLUMNS}"),
        (COLUMNS, [], Sampling(), "No framing"),
        (COLUMNS, [BARE, BARE], Sampling(), "same name"),
        (COLUMNS, [BARE], Sampling(0), "0 samples"),
        (COLUMNS, [BARE], Sampling(33), "33 samples"),
        (COLUMNS, [BARE], Sampling(max_tokens=0), "0 tokens"),
        (COLUMNS, [Framing("x", Prompt(()))], Sampling(), "prompt is empty"),
        (COLUMNS, [Framing("x", Prompt((Turn("user", " \n"),)))], Sampling(), "prompt is empty"),
        (COLUMNS, [Framing("x", Prompt((Turn("user", "x" * (plans.LONGEST_PROMPT + 1)),)))], Sampling(), "too long"),
        (COLUMNS, [Framing("x", Prompt(BARE.prompt.turns, "x" * (plans.LONGEST_PROMPT + 1)))], Sampling(), "too long"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    columns: list[Column], framings: list[Framing], sampling: Sampling, told: str
) -> None:
    with pytest.raises(DriftlineError, match=told):
        plans.check(columns, framings, sampling, "probe")


def test_a_sweep_may_ask_more() -> None:
    plans.check(COLUMNS * 60, [BARE], Sampling(), "sweep")
    with pytest.raises(DriftlineError, match="allowed: 1 to 200"):
        plans.check(COLUMNS * 67, [BARE], Sampling(), "sweep")


def test_the_next_message_goes_to_every_conversation_that_has_a_last_word() -> None:
    probe = saved(
        [
            reply(0, reply_id=1),
            reply(0, reply_id=2, turn=1, user_text="Why?", follows=1, text="So."),
            reply(1, reply_id=3, status="failed", text="half"),
            reply(2, reply_id=4, status="stopped", text="cut off", framing="first"),
            reply(1, reply_id=5, framing="first", text=""),
            reply(0, reply_id=6, framing="first", text="", calls=('{"id":"","name":"send","arguments":"{}"}',)),
        ]
    )
    planned = plans.next_turns(probe, "Really?", None, 100, NOW)
    assert {(p.row.follows, p.row.turn, p.row.user_text) for p in planned} == {
        (4, 1, "Really?"), (6, 1, "Really?"), (2, 2, "Really?"),
    }  # fmt: skip
    assert [p.row.reply_id for p in planned] == [100, 101, 102]
    by = {p.row.follows: p for p in planned}
    assert [turn.text for turn in by[2].prompt.turns] == ["What now?", "Yes.", "Why?", "So.", "Really?"]
    assert by[4].prompt.turns[1].text == "I willcut off"
    assert by[4].prompt.prefill is None
    assert [(turn.role, turn.call_id) for turn in by[6].prompt.turns[1:]] == [
        ("assistant", None), ("tool", "call_1_1"), ("user", None),
    ]  # fmt: skip
    assert [p.row.follows for p in plans.next_turns(probe, "Really?", [2], 1, NOW)] == [4]
    with pytest.raises(DriftlineError, match="No conversation"):
        plans.next_turns(probe, "Really?", [1], 1, NOW)


def test_what_failed_is_asked_again_as_it_was() -> None:
    probe = saved(
        [
            reply(0, reply_id=1),
            reply(0, reply_id=2, turn=1, user_text="Why?", follows=1, status="failed", attempt=2, sample=0),
            reply(1, reply_id=3, status="interrupted", sample=1, seed=6),
            reply(2, reply_id=4, status="streaming"),
        ],
    )
    planned = plans.again(probe, None, 50, NOW)
    found = {p.row.position: p for p in planned}
    assert set(found) == {0, 1}
    first = found[0].row
    assert (first.turn, first.follows, first.user_text, first.attempt) == (1, 1, "Why?", 3)
    assert [turn.text for turn in found[0].prompt.turns] == ["What now?", "Yes.", "Why?"]
    assert (found[1].row.sample, found[1].request.seed) == (1, 6)
    assert {p.row.position for p in plans.again(probe, [1], 50, NOW)} == {1}
    with pytest.raises(DriftlineError, match="Nothing to ask again"):
        plans.again(probe, [2], 50, NOW)


def test_the_prompt_of_a_reply_is_what_stood_before_it() -> None:
    replies = [reply(0), reply(0, reply_id=2, turn=1, user_text="Why?"), reply(0, reply_id=3, turn=2, user_text="And?")]
    probe = saved(replies)
    assert plans.prompt_of(probe, replies[0]) == BARE.prompt
    assert [turn.text for turn in plans.prompt_of(probe, replies[1]).turns] == ["What now?", "Yes.", "Why?"]
    assert len(plans.prompt_of(probe, replies[2]).turns) == 5


def test_a_prefill_is_part_of_the_reply() -> None:
    called = reply(0, text=" wait.", calls=(msgspec.json.encode(ToolCall("c", "send", "no json")).decode(),))
    assert plans.assistant_turn(FIRST.prompt, called) == Turn(
        "assistant", "I will wait.", (ToolCall("c", "send", "no json"),)
    )


def test_costs_are_the_sum_of_asking_and_judging() -> None:
    planned = plans.first_turns("p", COLUMNS, [BARE], Sampling(2, max_tokens=100), 1, NOW)
    alone = plans.cost(planned, None)
    assert alone == Allowance(6, 6 * most_tokens(BARE.prompt, 100))
    both = plans.cost(planned, Judge(COLUMNS[0]))
    assert both.requests == 12
    done = reply(0, text="word " * 100)
    assert both.tokens - alone.tokens >= 6 * (plans.judge_reserve(Judge(COLUMNS[0]), BARE.prompt, reply(0)))
    assert plans.judging(Judge(COLUMNS[0]), BARE.prompt, done, 100).tokens == plans.judge_reserve(
        Judge(COLUMNS[0]), BARE.prompt, done
    )
    coming = replace(done, status="streaming", text="")
    assert plans.judging(Judge(COLUMNS[0]), BARE.prompt, coming, 100) == plans.judging(
        Judge(COLUMNS[0]), BARE.prompt, None, 100
    )


def test_titles_are_one_short_line() -> None:
    row = plans.probe_row("p", "probe", " a\n\nb\t" + "x" * 500, None, NOW, [BARE], Sampling(), None, None)
    assert row.title.startswith("a b x")
    assert len(row.title) == plans.LONGEST_TITLE
    assert plans.probe_row("p", "probe", " \n", None, NOW, [BARE], Sampling(), None, None).title == "Untitled"
