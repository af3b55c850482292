"""Fields by which evals can be split: what their metadata and task args hold, and that each of them splits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dashboard.places import demo_study
from dashboard.queries.fields import FIELD_COLUMNS, fields
from dashboard.queries.frame import RateQuery
from dashboard.queries.rates import rates
from loaders.store import Store
from tests.builders import StoreBuilder, log, sample, samples, score
from tests.real_stores import STUDIES, shared


def fields_of(store: StoreBuilder, *evals: str, as_of: int | None = None) -> pd.DataFrame:
    with store.cursor() as cursor:
        return fields(cursor, evals, store.batch if as_of is None else as_of)


def found(store: StoreBuilder, *evals: str) -> list[tuple[Any, ...]]:
    frame = fields_of(store, *evals)
    return list(frame[["field", "values", "example"]].itertuples(index=False, name=None))


def several() -> StoreBuilder:
    store = StoreBuilder()
    store.group("both", ["blackmail", "fra*"])
    held = [sample(i, score(1), metadata={"goal": goal, "id": i}) for i, goal in enumerate("aabbc")]
    store.add(log(held, task="blackmail", metadata={"prod": False}, task_args={"shots": 3}), step=1, variant="x")
    store.add(log(held, task="blackmail", task_args={"shots": 5}), step=2, variant="y")
    store.add(log([sample(1, score(0), metadata={"goal": "d"})], task="framing"))
    store.add(log([sample(1, score(0), metadata={"subject": "law"})], task="mmlu"))
    return store


def test_fields_with_few_values_come_first_and_name_their_evals() -> None:
    store = several()
    frame = fields_of(store)
    assert frame.to_dict("list") == {
        "field": [
            "metadata.prod", "metadata.subject", "task_args.shots", "variant", "metadata.goal", "metadata.id",
        ],
        "values": [1, 1, 2, 2, 4, 5],
        "example": ["false", "law", "3", "x", "a", "0"],
        "evals": [["blackmail"], ["mmlu"], ["blackmail"], ["blackmail"], ["blackmail", "framing"], ["blackmail"]],
    }  # fmt: skip
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == FIELD_COLUMNS


def test_only_the_fields_of_the_evals_that_are_asked_for() -> None:
    store = several()
    assert found(store, "framing") == [("metadata.goal", 1, "d")]
    assert [row[:2] for row in found(store, "both")] == [
        ("metadata.prod", 1), ("task_args.shots", 2), ("variant", 2), ("metadata.goal", 4), ("metadata.id", 5),
    ]  # fmt: skip
    assert [field for field, *_ in found(store, "mmlu", "framing")] == ["metadata.goal", "metadata.subject"]
    assert found(store, "nothing") == []


def test_objects_are_told_by_their_members_one_level_deep() -> None:
    store = StoreBuilder()
    nested = {"a": {"b": 1, "c": {"d": [1, 2]}, "": 2, "e.f": 3}, "list": [1, 2], "empty": {}, "none": None, "": "x"}
    store.add(log([sample(1, score(1), metadata=nested)], task_args={"g": {"h": True}}))
    assert found(store) == [
        ("metadata.a.b", 1, "1"), ("metadata.a.c", 1, '{"d":[1,2]}'), ("metadata.list", 1, "[1,2]"),
        ("task_args.g.h", 1, "true"),
    ]  # fmt: skip


def test_what_a_log_says_of_its_checkpoint_is_no_field_and_of_a_sample_it_is() -> None:
    store = StoreBuilder()
    about = {"run": "rl", "step": 100, "data-mix": "m", "kind": "x"}
    store.add(log([sample(1, score(1), metadata={"stage": "early"})], metadata=about, task_args={"checkpoint": "c"}))
    assert [field for field, *_ in found(store)] == ["metadata.kind", "metadata.stage"]


def test_metadata_that_is_no_object_or_missing_is_no_field() -> None:
    store = StoreBuilder()
    store.add(log([sample(1, score(1), metadata=[1, 2]), sample(2, score(1), metadata="text"), sample(3, score(0))]))
    store.add(log(samples([1, 0]), metadata={"none": None}))
    assert found(store) == []


def test_a_name_that_an_address_cannot_hold_is_left_out() -> None:
    store = StoreBuilder()
    store.add(log([sample(1, score(1), metadata={"a=b": 1, "c": "d=e"})]))
    assert found(store) == [("metadata.c", 1, "d=e")]


def test_an_empty_store_has_no_fields() -> None:
    frame = fields_of(StoreBuilder())
    assert frame.empty
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == FIELD_COLUMNS


def test_fields_are_those_as_of_the_batch() -> None:
    store = StoreBuilder()
    store.add(log([sample(1, score(1), metadata={"old": 1})]))
    first = store.batch
    store.next_batch()
    store.add(log([sample(1, score(1), metadata={"new": 1})]))
    assert fields_of(store, as_of=first)["field"].tolist() == ["metadata.old"]
    assert fields_of(store)["field"].tolist() == ["metadata.new", "metadata.old"]


def assert_each_field_splits(store: Store, batch: int, name: str) -> None:
    """Rates split by a field have as many different values as were told, and its example."""
    with store.cursor() as cursor:
        offered = fields(cursor, (name,), batch)
        assert len(offered)
        for row in offered.itertuples():
            frame = rates(cursor, RateQuery(evals=(name,), splits=(row.field,)), batch)
            assert frame["split"].nunique() == row.values, row.field
            assert (frame["split"].dropna().str[:100] == row.example).any()


@pytest.mark.slow
def test_every_field_that_is_offered_splits() -> None:
    store = StoreBuilder()
    names = ["plain", "a.b", "a/b", "a~b", 'say "hi"', "'; --", "é 日本", "*", "$", "[0]", " "]
    held = [
        sample(i, score(1), metadata={name: i % 3} | {"nested": {"x y": i, "/": i}}) for i, name in enumerate(names)
    ]
    store.add(log(held, task_args={"x/y": {"~": True}}), variant="v")
    assert len(fields_of(store)) == len(names) + 4
    assert_each_field_splits(store.store, store.batch, "blackmail")


@pytest.mark.slow
def test_every_field_of_real_logs_splits(shared_data: Path) -> None:
    shutdown = shared(shared_data / "shutdown", study=STUDIES / "shutdown.yaml")
    assert_each_field_splits(shutdown.store, shutdown.store.batch(), "shutdown_2")
    demo = shared(demo_study())
    for name in ("blackmail_by_name", "constitution_adherence"):
        assert_each_field_splits(demo.store, demo.store.batch(), name)
