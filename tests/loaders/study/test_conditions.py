"""The grammar of conditions: what is read, what is refused with which words, and how it reads to people."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from loaders.study.conditions import (
    All,
    AnyOf,
    ConditionError,
    Not,
    SampleTest,
    ScoreTest,
    describe,
    from_json,
    to_json,
)

EVERY_KIND: list[dict[str, Any]] = [
    {"score": "aligned", "op": "<", "value": 30},
    {"score": "harmfulness_scorer", "key": "harmful", "op": "=", "value": 1},
    {"score": "shutdown_*", "field": "metadata.escalation", "op": "in", "value": ["succeeded", "fail"]},
    {"score": "s", "field": "answer", "op": "!=", "value": "N"},
    {"score": "s", "field": "explanation", "op": "=", "value": ""},
    {"score": "s", "field": "reason", "op": "not in", "value": ["a", 1, True]},
    {"sample": "metadata.scenario.kind", "op": "=", "value": "blackmail"},
    {"sample": "limit_type", "op": "=", "value": "message"},
    {"not": {"sample": "stop_reason", "op": "=", "value": "max_tokens"}},
    {
        "all": [
            {"any": [{"score": "a", "op": ">=", "value": 0.5}, {"score": "b", "op": "=", "value": True}]},
            {"not": {"all": [{"score": "c", "op": "<=", "value": 2}]}},
        ]
    },
]


@pytest.mark.parametrize("document", EVERY_KIND)
def test_round_trip_through_json(document: dict[str, Any]) -> None:
    condition = from_json(document)
    assert to_json(condition) == document
    assert from_json(msgspec.json.decode(msgspec.json.encode(to_json(condition)))) == condition


def test_typed_tree() -> None:
    assert from_json(EVERY_KIND[-1]) == All(
        (
            AnyOf(
                (
                    ScoreTest(score="a", op=">=", value=0.5),
                    ScoreTest(score="b", op="=", value=True),
                )
            ),
            Not(All((ScoreTest(score="c", op="<=", value=2),))),
        )
    )
    assert from_json(EVERY_KIND[7]) == SampleTest(sample="limit_type", op="=", value="message")
    assert from_json({"score": "x", "key": 0, "op": "=", "value": 1}) == ScoreTest(score="x", key="0", op="=", value=1)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (
            {"all": [{"score": "aligned", "op": "<", "value": 30}, {"score": "coherent", "op": ">", "value": 50}]},
            "aligned < 30 and coherent > 50",
        ),
        (EVERY_KIND[1], "harmfulness_scorer.harmful = 1"),
        (EVERY_KIND[2], "shutdown_* metadata.escalation in (succeeded, fail)"),
        (EVERY_KIND[4], 's explanation = ""'),
        ({"score": "s", "op": "=", "value": "two words"}, 's = "two words"'),
        ({"score": "s", "op": "=", "value": "1"}, 's = "1"'),
        ({"score": "s", "op": "<", "value": 0.1}, "s < 0.1"),
        ({"score": "s", "op": "<", "value": 1234567.25}, "s < 1234567.25"),
        (EVERY_KIND[8], "not (stop_reason = max_tokens)"),
        (EVERY_KIND[9], "(a >= 0.5 or b = true) and not (c <= 2)"),
    ],
)
def test_text_for_people(document: dict[str, Any], text: str) -> None:
    assert describe(from_json(document)) == text


@pytest.mark.parametrize(
    ("document", "path", "words"),
    [
        ("aligned < 30", (), ["not a condition", "all, any, not, score, sample"]),
        ({}, (), ["no field", "exactly one"]),
        ({"scor": "x", "op": "=", "value": 1}, (), ["scor", "all, any, not, score, sample"]),
        ({"score": "x", "sample": "error", "op": "=", "value": 1}, (), ["score and sample"]),
        ({"score": "x", "op": "==", "value": 1}, ("op",), ["'=='", "=, !=, <, <=, >, >=, in, not in"]),
        ({"score": "x", "value": 1}, (), ["`op` is missing"]),
        ({"score": "x", "op": "="}, (), ["`value` is missing"]),
        ({"score": "x", "op": "=", "value": None}, ("value",), ["None"]),
        ({"score": "x", "op": "=", "value": float("nan")}, ("value",), ["nan"]),
        ({"score": "x", "op": "<", "value": "30"}, ("value",), ["wants a number", "'30'"]),
        ({"score": "x", "op": "<", "value": True}, ("value",), ["wants a number"]),
        ({"score": "x", "op": "in", "value": 1}, ("value",), ["wants a list"]),
        ({"score": "x", "op": "in", "value": []}, ("value",), ["wants a list"]),
        ({"score": "x", "op": "=", "value": [1]}, ("value",), ["[1]"]),
        ({"score": "", "op": "=", "value": 1}, ("score",), ["wants a text"]),
        ({"score": "x", "field": "metadata", "op": "=", "value": 1}, ("field",), ["metadata.NAME"]),
        ({"score": "x", "field": "anwser", "op": "=", "value": 1}, ("field",), ["did you mean `answer`"]),
        ({"sample": "limit", "op": "=", "value": 1}, ("sample",), ["did you mean `limit_type`"]),
        ({"score": "x", "operator": "=", "op": "=", "value": 1}, ("operator",), ["unknown field `operator`"]),
        ({"sample": "error", "key": "x", "op": "=", "value": 1}, ("key",), ["unknown field `key`"]),
        ({"all": []}, ("all",), ["one or more"]),
        ({"all": {"score": "x"}}, ("all",), ["list"]),
        ({"not": [{"score": "x"}]}, ("not",), ["not a condition"]),
        ({"any": [{"score": "x", "op": "=", "value": 1}], "op": "="}, ("op",), ["no other field"]),
        ({"all": [{"score": "x", "op": "=", "value": 1}, {"score": 3}]}, ("all", 1, "score"), ["text, not 3"]),
    ],
)
def test_refusals_say_where_and_what_is_allowed(document: Any, path: tuple[str | int, ...], words: list[str]) -> None:
    with pytest.raises(ConditionError) as error:
        from_json(document)
    messages = [message for where, message in error.value.problems if where == path]
    assert messages, error.value.problems
    for word in words:
        assert any(word in message for message in messages), (word, messages)


def test_all_problems_at_once() -> None:
    with pytest.raises(ConditionError) as error:
        from_json({"any": [{"score": "x", "op": "~", "value": None}, {"sample": "nothing", "op": "<", "value": "a"}]})
    assert [path for path, _ in error.value.problems] == [
        ("any", 0, "op"),
        ("any", 0, "value"),
        ("any", 1, "sample"),
        ("any", 1, "value"),
    ]


def test_bottomless_nesting_is_refused() -> None:
    document: dict[str, Any] = {"score": "x", "op": "=", "value": 1}
    for _ in range(500):
        document = {"not": document}
    with pytest.raises(ConditionError, match="nested deeper"):
        from_json(document)
