"""Variants have names of their own, however long the settings that tell them apart: what shares one is pooled."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.queries.frame import RateQuery
from dashboard.queries.rates import rates
from dashboard.queries.standing import LONGEST, shortened
from tests.builders import StoreBuilder, log, samples

LONG = "You are a helpful assistant who works for a large company and has access to its mail."


def drawn(store: StoreBuilder, **query: Any) -> list[dict[Any, Any]]:
    with store.store.cursor() as cursor:
        return rates(cursor, RateQuery(**query), store.batch).to_dict("records")


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {f"{LONG} Be honest.": 3, f"{LONG} Reach your goal.": 8},
        {f"{LONG}\nBe honest.": 3, f"{LONG} Be honest.": 8},
        {f"A{LONG}": 3, LONG: 8},
    ],
)
def test_settings_that_begin_alike_are_never_one_variant(settings: dict[str, int]) -> None:
    store = StoreBuilder()
    for text, harmful in settings.items():
        store.add(log(samples([1] * harmful + [0] * (10 - harmful)), task_args={"system_prompt": text}), step=1)
    rows = drawn(store)
    assert sorted((row["k"], row["n"]) for row in rows) == [(3, 10), (8, 10)]
    assert len({row["variant"] for row in rows}) == 2
    assert all(len(row["variant"]) <= len("system prompt=") + LONGEST + len(" (2)") for row in rows)


def test_a_task_arg_called_like_another_setting_is_told_from_it() -> None:
    store = StoreBuilder()
    store.add(log(samples([1, 0]), task_args={"temperature": 1}), step=1)
    store.add(log(samples([1, 1]), generate_config={"temperature": 1}), step=1)
    assert {row["variant"] for row in drawn(store)} == {"task_args.temperature=1", "temperature=1"}


def test_what_a_task_arg_chooses_is_named_by_the_task_arg() -> None:
    store = StoreBuilder()
    for framing in ("a", "b"):
        steps = f'{{"steps": [{{"solver": "framed", "params": {{"template": "{framing}"}}}}]}}'
        store.add(log(samples([1, 0]), task_args={"framing": framing}, solver_json=steps), step=1)
    assert [row["variant"] for row in drawn(store)] == ["framing=a", "framing=b"]
    rows = drawn(store, splits=("task_args.framing",))
    assert [(row["split"], row["n"]) for row in rows] == [("a", 2), ("b", 2)]
    assert not any(isinstance(row["variant"], str) for row in rows)


def test_a_split_by_shots_takes_the_place_of_their_variants() -> None:
    store = StoreBuilder()
    for shots in (0, 5):
        store.add(log(samples([1, 0]), task_args={"num_fewshot": shots}), step=1)
    assert {row["variant"] for row in drawn(store)} == {"few-shot=0", "few-shot=5"}
    rows = drawn(store, splits=("task_args.num_fewshot",))
    assert [row["split"] for row in rows] == ["0", "5"]
    assert not any(isinstance(row["variant"], str) for row in rows)
    assert not any(row["flags"] for row in rows)


def test_another_task_arg_or_prompt_along_a_line_is_told() -> None:
    store = StoreBuilder()
    for step, mode in ((1, "x"), (2, "x"), (3, "y")):
        store.add(log(samples([1, 0]), task_args={"mode": mode}), step=step)
    store.add(log(samples([1, 0]), task_args={"mode": "x", "num_fewshot": 5}), run="other", step=1)
    flags = {(row["run"], row["step"]): " ".join(row["flags"]) for row in drawn(store)}
    assert "task_args.mode differs: y here, x at the other steps" in flags["run", 3]
    assert "task_args.mode differs" not in flags["run", 1] + flags["run", 2]
    assert "Few-shot differs" in flags["run", 1]


def test_short_texts_part_where_the_values_do() -> None:
    found = shortened([LONG + " one", LONG + " two", "short"])
    assert found["short"] == "short"
    assert found[LONG + " one"].endswith("one")
    assert found[LONG + " two"].endswith("two")
