"""Which logs speak for a checkpoint: the decision by itself, with variants of each kind."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from loaders.study.settings import SettingFacts, settings_of
from loaders.study.standing import LogFacts, SampleFacts, Standing, standings

START = datetime(2026, 5, 1)
PLACE = ("rl", 100, None, "honeypot", None)


def a_log(eval_id: int, minutes: int = 0, **more: Any) -> LogFacts:
    """A whole log of ten graded samples, unless said otherwise."""
    filled: dict[str, Any] = {
        "place": PLACE, "ids": (f"eval {eval_id}",), "path": f"logs/{eval_id}.eval", "n_samples": 10, "n_graded": 10,
        "n_stated": 10, "n_planned": 10, "created": START + timedelta(minutes=minutes), "judge": "j",
    }  # fmt: skip
    return LogFacts(eval_id=eval_id, **(filled | more))


def some(eval_id: int, names: range, graded: bool = True, **more: Any) -> list[SampleFacts]:
    """Samples of a log, one epoch each."""
    facts = {"uuid": None, "invalidated": False} | more
    return [SampleFacts(eval_id * 1000 + at, eval_id, (str(at), 1), graded=graded, **facts) for at in names]


def decided(*logs: LogFacts, samples: list[SampleFacts] | None = None) -> tuple[dict[int, Standing], set[int]]:
    found, over = standings(logs, samples or [])
    return {one.eval_id: one for one in found}, over


def roles(found: dict[int, Standing]) -> dict[int, str]:
    return {eval_id: one.role for eval_id, one in found.items()}


def test_a_log_by_itself_speaks() -> None:
    found, over = decided(a_log(1))
    assert (found[1].role, found[1].partial, found[1].reason, over) == ("speaks", False, None, set())


@pytest.mark.parametrize(
    ("ending", "word"), [("-scored", "scored"), ("-scored-1", "scored"), ("-recovered", "recovered")]
)
def test_what_was_written_out_of_a_log_supersedes_it(ending: str, word: str) -> None:
    before = a_log(1, ids=("task t",), path="logs/x.eval", n_graded=0 if word == "scored" else 4)
    after = a_log(2, ids=("task t",), path=f"logs/x{ending}.eval")
    samples = some(1, range(10), graded=False) + some(2, range(10))
    for logs in ((before, after), (after, before)):
        found, over = decided(*logs, samples=samples)
        assert roles(found) == {1: "superseded", 2: "speaks"}
        assert word in (found[1].reason or "")
        assert over == {sample.sample_id for sample in samples[:10]}


def test_of_attempts_the_newest_graded_sample_of_each_counts() -> None:
    first = a_log(1, ids=("task t",), status="error", n_samples=8, n_graded=8)
    second = a_log(2, 5, ids=("task t",), status="error", n_samples=4, n_graded=2)
    samples = some(1, range(8)) + some(2, range(6, 8)) + some(2, range(8, 10), graded=False)
    found, over = decided(first, second, samples=samples)
    assert roles(found) == {1: "speaks", 2: "joined"}
    assert (found[1].graded, found[1].planned, found[1].partial) == (8, 10, True)
    assert over == {1006, 1007}


def test_a_shorter_later_attempt_takes_no_graded_sample_away() -> None:
    first = a_log(1, ids=("task t",))
    second = a_log(2, 5, ids=("task t",), status="cancelled", n_samples=3, n_graded=0)
    found, over = decided(first, second, samples=some(1, range(10)) + some(2, range(3), graded=False))
    assert roles(found) == {1: "speaks", 2: "superseded"}
    assert over == {2000, 2001, 2002}
    assert found[1].graded == 10


def test_an_invalidated_sample_does_not_come_back_from_an_older_copy() -> None:
    first, second = a_log(1, ids=("eval e",)), a_log(2, 5, ids=("eval e",))
    old, new = some(1, range(1), uuid="u"), some(2, range(1), uuid="u", invalidated=True)
    _, over = decided(first, second, samples=[*old, *new])
    assert over == {1000}


def test_verdicts_of_two_judges_are_two_measurements() -> None:
    logs = [a_log(1, ids=("task t",), judge="a"), a_log(2, 5, ids=("task t",), judge="b", settings='{"judge": "b"}')]
    found, over = decided(*logs, samples=some(1, range(10)) + some(2, range(10)))
    assert roles(found) == {1: "speaks", 2: "speaks"}
    assert over == set()


@pytest.mark.parametrize(
    "part",
    [
        {"n_stated": 5, "n_samples": 5, "n_graded": 5},
        {"status": "cancelled", "n_samples": 7, "n_graded": 7},
        {"status": "error", "n_samples": 9, "n_graded": 9},
        {"complete": False, "status": "started", "n_samples": 2, "n_graded": 2},
        {"n_samples": 0, "n_graded": 0, "n_reported": 3, "n_stated": None},
    ],
)
@pytest.mark.parametrize("minutes", [-5, 5])
def test_a_part_neither_replaces_nor_joins_a_whole(part: dict[str, Any], minutes: int) -> None:
    found, _ = decided(a_log(1), a_log(2, minutes, **part))
    assert roles(found) == {1: "speaks", 2: "left out"}
    assert (found[2].reason or "").endswith("excluded")
    alone, _ = decided(a_log(2, **part))
    assert (alone[2].role, alone[2].partial) == ("speaks", True)


def test_of_parts_alone_the_one_with_most_graded_samples_speaks() -> None:
    found, _ = decided(*(a_log(at, at, status="error", n_samples=n, n_graded=n) for at, n in ((1, 8), (2, 3), (3, 5))))
    assert roles(found) == {1: "speaks", 2: "left out", 3: "left out"}


def test_repeats_and_variants_all_speak() -> None:
    found, _ = decided(a_log(1), a_log(2, 5), a_log(3, 6, settings='{"few-shot": "5"}'))
    assert set(roles(found).values()) == {"speaks"}


def test_one_id_at_two_places_is_two_evaluations() -> None:
    found, _ = decided(
        a_log(1, ids=("task t",)), a_log(2, 5, ids=("task t",), place=("rl", 200, None, "honeypot", None))
    )
    assert roles(found) == {1: "speaks", 2: "speaks"}


@pytest.mark.parametrize(
    "facts",
    [
        {"config": {"num_fewshot": 5}}, {"task_args": {"n_shot": 5}}, {"task_args": {"fewshot": "5"}},
        {"task_args": {"num-shots": 5.0}}, {"config": {"num_fewshot": 5.0}},
    ],
)  # fmt: skip
def test_few_shot_is_one_setting_wherever_it_is_stated(facts: dict[str, Any]) -> None:
    assert settings_of(SettingFacts(**facts))["few-shot"] == "5"


@pytest.mark.parametrize(
    "facts",
    [
        {"task_args": {"base_url": "http://a"}}, {"generate_config": {"max_retries": 3, "timeout": 9, "seed": 4}},
        {"generate_config": {"extra_body": {"lora_path": "x"}}}, {"model_args": {"base_url": "http://b", "port": 1}},
        {"task_args": {"checkpoint": 100, "model_path": "w", "step": 3}}, {"task_args": "text"}, {"config": [1]},
    ],
)  # fmt: skip
def test_servers_patience_and_weights_are_no_settings(facts: dict[str, Any]) -> None:
    assert settings_of(SettingFacts(**facts)) == {}


def test_another_auditor_makes_another_measurement_and_another_target_does_not() -> None:
    roles = {"auditor": {"model": "org/a"}, "target": "org/t", "judge": {"model": "org/j"}, "helper": "org/h"}
    assert settings_of(SettingFacts(model_roles=roles)) == {"task_args.auditor": "org/a"}
    assert settings_of(SettingFacts(task_args={"auditor": "org/a"})) == {"task_args.auditor": "org/a"}


def test_what_makes_another_measurement() -> None:
    facts = SettingFacts(
        judge="j", task_version="2", task_args={"scenario": "a", "nested": {"b": 1, "a": 2}},
        config={"message_limit": 5}, generate_config={"temperature": 0.0}, dataset={"name": "d"},
        solver={"steps": [{"solver": "inspect_ai/system_message", "params": {"template": "Be good."}}]},
    )  # fmt: skip
    assert settings_of(facts) == {
        "judge": "j", "task version": "2", "task_args.scenario": "a", "task_args.nested": json.dumps(
            {"a": 2, "b": 1}, separators=(",", ":")
        ), "message limit": "5", "temperature": "0", "dataset": "d", "system prompt": "Be good.",
    }  # fmt: skip


def test_what_is_done_with_a_question_and_how_it_is_graded_are_settings() -> None:
    def stated(*steps: Any, scorers: Any = None) -> dict[str, str]:
        return settings_of(SettingFacts(solver={"steps": list(steps)}, scorers=scorers))

    generate = {"solver": "generate", "params": {"tool_calls": "loop"}}
    thought = {"solver": "inspect_ai/chain_of_thought", "params": {"template": "think", "model": "a"}}
    system = [{"solver": "system_message", "params": {"template": text}} for text in ("be good", "be kind")]
    assert stated(generate) == stated({"solver": "generate"}) == {"solver": "generate"}
    assert stated(thought, generate) == {"solver": "chain_of_thought(template=think) > generate"}
    assert stated(*system, generate)["system prompt"] == "be good\nbe kind"
    strict = [{"name": "judge", "options": {"template": "strict", "model": "openai/a"}}, {"name": "match"}]
    assert stated(scorers=strict) == {"scorer": "judge(template=strict)"}


def test_an_edited_copy_is_newer_than_what_it_was_copied_from() -> None:
    edited, plain = a_log(1, ids=("task t",), path="a-edited.eval", n_edits=1), a_log(2, ids=("task t",))
    found, over = decided(edited, plain, samples=some(1, range(10)) + some(2, range(10)))
    assert roles(found) == {1: "speaks", 2: "superseded"}
    assert over == {2000 + at for at in range(10)}


def test_a_sample_that_one_copy_invalidates_counts_in_no_other() -> None:
    void = a_log(1, ids=("task t",), path="copy.eval", n_edits=1)
    recovered = a_log(2, ids=("task t",), path="x-recovered.eval")
    samples = [
        SampleFacts(1000, 1, ("0", 1), uuid="u", graded=True, invalidated=True),
        SampleFacts(2000, 2, ("0", 1), uuid="u", graded=True, invalidated=False),
        *some(2, range(1, 10)),
    ]
    found, over = decided(void, recovered, samples=samples)
    assert (found[2].graded, over) == (9, {2000})
