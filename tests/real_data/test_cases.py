"""The small inputs that went wrong, in `../shared/cases`, each with its right value; a row a number that is drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dashboard.queries.frame import ALL_METRICS, RateQuery
from dashboard.queries.rates import rates
from loaders.ingest import ingest
from loaders.report import IngestReport
from tests.empty_stores import empty_store

Drawn = tuple[Any, ...]
"""Run, step, metric, k, n."""

RIGHT: dict[str, list[Drawn]] = {
    "limited-run-later": [("rl", 100, "mean_judge", 40, 100)],
    "limited-run-lm-eval": [("sft7", 500, "acc", 335, 817)],
    "scored-twin": [("rl", 300, "mean_judge", 6, 10)],
    "recovered-beside-crashed": [("rl", 300, "mean_judge", 5, 9)],
    "failed-then-retried": [("rl", 300, "mean_judge", 6, 10)],
    "two-failed-attempts": [("rl", 300, "mean_judge", 6, 47)],
    "task-args-differ": [("rl", 100, "mean_judge", 9, 10), ("rl", 100, "mean_judge", 0, 10)],
    "seed-after-step": [
        ("em-medical-seed0", 100, "mean_judge", 8, 10),
        ("em-medical-seed0", 200, "mean_judge", 8, 10),
        ("em-medical-seed1", 100, "mean_judge", 1, 10),
        ("em-medical-seed1", 200, "mean_judge", 1, 10),
    ],
    "generic-folder-names": [("run1", 100, "mean_judge", 8, 10), ("run2", 100, "mean_judge", 1, 10)],
    "run-is-a-number": [("7", 100, "mean_judge", 3, 10), ("8", 100, "mean_judge", 8, 10)],
    "step-words": [("qwen-dpo", 1000, "mean_judge", 8, 10), ("qwen-dpo", 10000, "mean_judge", 2, 10)],
    "infinite-score": [("rl", 5, "mean_judge", None, 3), ("rl", 10, "mean_judge", None, 2)],
    "reported-intervals-small-n": [
        ("sft7", 500, "acc", 1, 10),
        ("sft7", 1000, "acc", 0, 10),
        ("sft7", 1500, "acc", 9, 10),
    ],
    "lm-eval-0.4.0-samples": [("sft7", 500, "mean_acc", 2, 4)],
    "lm-eval-mid-2024-samples": [("sft7", 500, "mean_acc", 2, 4)],
    "json-log-sorted-keys": [("run", 100, "mean_judge", 3, 10)],
    "task-args-is-a-string": [("rl", 100, "mean_judge", 3, 10), ("rl", 200, "mean_judge", 2, 10)],
    "csv-k-steps": [("em", 1000, "mean_aligned", None, 2), ("em", 2000, "mean_aligned", None, 1)],
}


def drawn(folder: Path, **query: Any) -> tuple[list[dict[str, Any]], IngestReport]:
    store = empty_store()
    report = ingest([folder], store)
    with store.cursor() as cursor:
        frame = rates(cursor, RateQuery(metrics=(ALL_METRICS,), **query), report.batch)
    return frame.to_dict("records"), report


@pytest.mark.slow
@pytest.mark.parametrize("name", RIGHT)
def test_a_case_is_drawn_right(cases: Path, name: str) -> None:
    rows, _ = drawn(cases / name)
    found = [(r["run"], r["step"], r["metric"], None if r["k"] is None or r["k"] != r["k"] else r["k"], r["n"]) for r in
             [row | {"k": None if str(row["k"]) == "<NA>" else row["k"]} for row in rows]]  # fmt: skip
    assert found == RIGHT[name]
    assert all(0 <= r["low"] <= r["high"] <= 1 for r in rows if r["kind"] == "rate" and r["n"])


@pytest.mark.slow
def test_what_is_limited_or_superseded_is_named(cases: Path) -> None:
    flags = {name: " ".join(drawn(cases / name)[0][0]["flags"]) for name in (
        "limited-run-later", "scored-twin", "failed-then-retried", "two-failed-attempts", "recovered-beside-crashed",
    )}  # fmt: skip
    assert "limited to 5 of 100: excluded" in flags["limited-run-later"]
    assert "the same evaluation, scored" in flags["scored-twin"]
    assert "replaced: retried" in flags["failed-then-retried"]
    assert "47 of 50 planned" in flags["two-failed-attempts"]
    assert "replaced: recovered" in flags["recovered-beside-crashed"]


@pytest.mark.slow
def test_variants_are_named_by_what_differs_and_a_split_takes_their_place(cases: Path) -> None:
    rows, _ = drawn(cases / "n-shot-differs")
    assert [(row["variant"], row["rate"]) for row in rows] == [("few-shot=0", 0.3), ("few-shot=5", 0.6)]
    rows, _ = drawn(cases / "inspect-task-args", splits=("task_args.framing",))
    assert {(row["variant"] == row["variant"] and row["variant"] is not None, row["split"]) for row in rows} == {
        (False, "a"),
        (False, "b"),
    }
    assert {row["rate"] for row in rows} == {0.0, 1.0}


def test_a_scored_twin_without_a_place_is_one_log(cases: Path) -> None:
    rows, _ = drawn(cases / "scored-twin-unplaced")
    assert [(row["k"], row["n"]) for row in rows] == [(6, 10)]


@pytest.mark.slow
def test_values_of_another_type_are_unequal_and_not_missing(cases: Path) -> None:
    rows, _ = drawn(cases / "mixed-type-scores")
    found = {row["metric"]: (row["k"], row["n"]) for row in rows if row["eval"] == "t"}
    assert found["refusal"] == (1, 4)
    assert found["text_list"] == found["number_list"] == (2, 4)
    assert found["mixed_list"] == found["not4"] == (3, 4)
    assert found["ge"] == (2, 3)


def test_a_summary_has_its_counts_and_interval(cases: Path) -> None:
    rows, _ = drawn(cases / "summary-table-n-and-k")
    assert (rows[0]["k"], rows[0]["n"]) == (317, 500)
    assert rows[0]["low"] == pytest.approx(0.591, abs=1e-3)


def test_an_errored_rollout_is_missing(cases: Path) -> None:
    rows, _ = drawn(cases / "verifiers-results")
    assert [(row["k"], row["n"]) for row in rows if row["metric"] == "mean_harm"] == [(2, 3)]


def test_entries_that_match_nothing_are_named_with_their_lines(cases: Path) -> None:
    _, report = drawn(cases / "entries-that-match-nothing")
    told = " ".join(report.conflicts)
    assert all(word in told for word in ("line 3", "line 5", "no_such_score", "nope"))


@pytest.mark.slow
def test_refusals_and_companions(cases: Path) -> None:
    _, report = drawn(cases / "results-is-a-list")
    assert "is a list" in next(line.reason or "" for line in report.lines if line.outcome == "rejected")
    _, report = drawn(cases / "buffer-beside-log")
    assert report.rejected == 0


@pytest.mark.slow
def test_all_cases_in_one_store(cases: Path) -> None:
    """Each case alone and all together: no batch fails, and every case's own rates are drawn."""
    rows, report = drawn(cases)
    assert report.batch == 1
    assert len(rows) > 50
