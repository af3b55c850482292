"""How many samples an Inspect log's whole dataset gives, whatever a limit or chosen ids left of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import EvalConfig, EvalDataset

from loaders.inspect import log as inspect
from tests.inspect_writer import eval_log, eval_sample, write_log
from tests.real_stores import ingested


def planned(path: Path, dataset: EvalDataset, **config: Any) -> int | None:
    log = eval_log([eval_sample()], dataset=dataset, config=EvalConfig(**config))
    return inspect.read(write_log(log, path)).evals[0].n_planned


@pytest.mark.parametrize("suffix", [".eval", ".json"])
@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, 100),
        ({"epochs": 1, "limit": 5}, 100),
        ({"epochs": 4, "limit": 5}, 400),
        ({"epochs": 4, "limit": (10, 20)}, 400),
        ({"epochs": 1, "sample_id": ["a", "b"]}, 100),
    ],
)
def test_the_whole_dataset_counts(tmp_path: Path, suffix: str, config: dict[str, Any], expected: int) -> None:
    dataset = EvalDataset(name="d", samples=100, sample_ids=[1, 2, 3, 4, 5])
    assert planned(tmp_path / f"log{suffix}", dataset, **config) == expected


@pytest.mark.parametrize(("config", "expected"), [({"epochs": 2}, 6), ({"limit": 3}, None), ({"sample_id": "a"}, None)])
def test_a_dataset_of_unknown_size_is_what_was_to_be_run_unless_that_was_limited(
    tmp_path: Path, config: dict[str, Any], expected: int | None
) -> None:
    assert planned(tmp_path / "log.eval", EvalDataset(name="d", sample_ids=[1, 2, 3]), **config) == expected


def test_a_limited_run_beside_the_whole_one(cases: Path) -> None:
    store = ingested(cases / "limited-run-later")
    rows = store.rows(
        "SELECT n_planned, n_samples, config_json::JSON->>'limit' AS \"limit\" FROM live_evals($n) ORDER BY n_samples"
    )
    assert rows == [
        {"n_planned": 100, "n_samples": 5, "limit": "5"},
        {"n_planned": 100, "n_samples": 100, "limit": None},
    ]


@pytest.mark.parametrize(("name", "whole"), [("two-failed-attempts", 50), ("failed-then-retried", 10)])
def test_a_run_that_died_says_of_how_many(cases: Path, name: str, whole: int) -> None:
    rows = ingested(cases / name).rows("SELECT DISTINCT n_planned FROM live_evals($n)")
    assert rows == [{"n_planned": whole}]


def test_every_real_log_holds_no_more_than_was_planned(shared_data: Path) -> None:
    checked = 0
    for path in sorted((shared_data / "inspect").rglob("*.eval")):
        try:
            (record,) = inspect.read(path).evals
        except Exception:  # noqa: BLE001 - broken ones have tests of their own
            continue
        assert record.n_planned is not None
        assert record.n_planned >= len(record.samples)
        checked += 1
    assert checked > 20
