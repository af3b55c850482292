"""What is suggested for a name that nothing bears, and that it is never something hidden."""

from __future__ import annotations

import pytest

from dashboard.queries.nearest import gone, near_checkpoints, nearest_steps, similar
from tests.builders import StoreBuilder, log, sample, score

PLACES = [
    {"run": "rl", "step": step, "step_label": None} for step in (0, 100, 400)
] + [
    {"run": "sft-long", "step": None, "step_label": "final"},
    {"run": "alone", "step": None, "step_label": None},
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Blackmial", ["blackmail"]),
        ("frame", ["framing-for-crimes"]),
        ("zzz", []),
        ("", []),
        ("black", ["blackmail", "blackmail/2"]),
        ("x" * 100_000, []),
    ],
)
def test_similar_names(name: str, found: list[str]) -> None:
    names = ["blackmail", "blackmail/2", "framing-for-crimes", "sabotage"]
    if name == "frame":
        assert similar("framing", names) == found
    else:
        assert similar(name, names)[: len(found)] == found
        assert bool(similar(name, names)) == bool(found)


def test_steps_close_by_come_first() -> None:
    assert nearest_steps(390, [0, 100, 400, "final"]) == [400, 100, 0]
    assert nearest_steps(390, [0, "final"]) == [0, "final"]
    assert nearest_steps("finale", [0, 100, "final"]) == ["final", 100, 0]
    assert nearest_steps(7, []) == []


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("rl@90", ["rl@100", "rl@0", "rl@400"]),
        ("rl", ["rl@400", "rl@100", "rl@0"]),
        ("sft-long@last", ["sft-long@final"]),
        ("sft-lang@final", ["sft-long@final"]),
        ("alone@3", ["alone"]),
        ("nothing like it", []),
    ],
)
def test_near_checkpoints(name: str, found: list[str]) -> None:
    assert near_checkpoints(name, PLACES) == found


@pytest.fixture
def store() -> StoreBuilder:
    store = StoreBuilder()
    for run in ("a", "b"):
        store.run(run)
    for run, step in (("a", 1), ("a", 200), ("b", 2)):
        key = f"KEY-{run}-{step}"
        store.add(log([sample("q/1", score(1)), sample("q/2", score(0))], log_eval_id=key), run=run, step=step)
    return store


def look(store: StoreBuilder, key: str, name: str, as_of: int, hidden: tuple[str, ...] = ()):
    with store.store.cursor(hidden=hidden) as cursor:
        return gone(cursor, key, name, as_of)


def test_a_sample_that_is_gone_leads_to_others_of_its_log(store) -> None:
    found = look(store, "KEY-a-1", "q/20", 1)
    assert found.same == []
    assert [row["sample"] for row in found.others] == ["q/2", "q/1"]


def test_a_log_that_is_gone_leads_to_the_same_question_nearby_and_says_when_it_was(store) -> None:
    store.next_batch()
    store.execute(
        "UPDATE sources SET batch_to = 2 WHERE source_id = (SELECT source_id FROM evals WHERE eval_key = 'KEY-a-1')"
    )
    found = look(store, "KEY-a-1", "q/1", 2)
    assert found.was is not None
    assert (found.was["run"], found.was["batch_from"], found.was["batch_to"]) == ("a", 1, 2)
    assert [(row["run"], row["step"]) for row in found.same] == [("a", 200), ("b", 2)]
    assert found.others == []


def test_a_log_that_never_was_leads_to_whoever_holds_the_question(store) -> None:
    found = look(store, "NONE", "q/1", 1)
    assert found.was is None
    assert [row["log"] for row in found.same] == ["KEY-a-1", "KEY-a-200", "KEY-b-2"]


def test_nothing_hidden_is_suggested(store) -> None:
    assert look(store, "KEY-b-2", "q/9", 1, ("b",)).was is None
    assert look(store, "KEY-b-2", "q/9", 1, ("b",)).others == []
    assert {row["run"] for row in look(store, "NONE", "q/1", 1, ("b",)).same} == {"a"}
    assert {row["run"] for row in look(store, "NONE", "q/1", 1, ("*",)).same} == set()
