"""Rows of metrics become one series a metric, with what can't be read told and nothing invented."""

from __future__ import annotations

import math
from typing import Any

from loaders.training_series import series_of, tokens_at


def told(rows: list[tuple[Any, dict[str, Any]]]) -> tuple[dict[str, dict[int, float | None]], list[str]]:
    notes: list[str] = []
    found = series_of(rows, notes)
    return {one.metric: dict(zip(one.steps, one.readings, strict=True)) for one in found}, notes


def test_the_last_row_of_a_step_counts_and_steps_are_in_order() -> None:
    rows = [(20, {"loss": 2}), (10, {"loss": 3.0}), (20, {"loss": 1.5, "lr": 1e-5})]
    assert told(rows) == ({"loss": {10: 3.0, 20: 1.5}, "lr": {20: 1e-5}}, [])


def test_what_is_not_finite_is_missing_and_what_is_no_number_is_no_metric() -> None:
    odd = {"a": math.nan, "b": "Infinity", "c": 10**400, "d": True, "e": "text", "f": {"x": 1}, "g": None, "_t": 1}
    found, notes = told([(1, {**odd, "loss": 0.0}), (2, {"a": 1.0})])
    assert found == {"a": {1: None, 2: 1.0}, "b": {1: None}, "c": {1: None}, "loss": {1: 0.0}}
    assert notes[0].startswith("NaN or infinite, and missing: 3 values of ")


def test_rows_without_a_step_are_left_out_and_told() -> None:
    rows = [(each, {"loss": 1.0}) for each in (None, -1, 1.5, "3", True, math.nan)]
    assert told(rows) == ({}, ["left out: 6 rows without a step"])


def test_a_metric_that_tells_the_training_step_is_the_axis() -> None:
    """W&B's `_step` counts calls of `log`; open-instruct's GRPO logs by episode."""
    rows = [(512, {"training_step": 1, "reward": 0.1}), (1024, {"training_step": 2.0, "reward": 0.2}), (1030, {"x": 1})]
    found, notes = told(rows)
    assert found == {"reward": {1: 0.1, 2: 0.2}}
    assert notes == ["left out: 1 row without `training_step`, which tells the step here"]


def test_tokens_are_what_rises_and_a_count_of_one_batch_is_none() -> None:
    rows = [(1, {"train/num_tokens": 10, "num_tokens": 7}), (2, {"train/num_tokens": 30, "num_tokens": 7})]
    found, _ = told(rows)
    assert found == {"tokens": {1: 10.0, 2: 30.0}, "num_tokens": {1: 7.0, 2: 7.0}}
    assert tokens_at(series_of(rows, [])) == {1: 10, 2: 30}
    found, notes = told([(1, {"train/num_tokens": 30}), (2, {"train/num_tokens": 30})])
    assert found == {"train/num_tokens": {1: 30.0, 2: 30.0}}
    assert "does not rise" in notes[0]
