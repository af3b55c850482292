"""Samples behind a point: every filter, order and page, with exact counts, and neighbours for a transcript."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from dashboard.queries.frame import RateQuery
from dashboard.queries.rates import rates
from dashboard.queries.samples import (
    PREVIEW,
    SAMPLE_COLUMNS,
    SORTS,
    SampleFilter,
    SampleName,
    all_samples,
    neighbours,
    outcome_counts,
    sample_count,
    samples_page,
)
from loaders.store import sql
from loaders.study.conditions import from_json
from tests.builders import StoreBuilder, log, message, sample, samples, score


def page_of(store: StoreBuilder, sort: Any = (), page: int = 0, size: int = 50, **wanted: Any) -> pd.DataFrame:
    with store.cursor() as cursor:
        return samples_page(cursor, SampleFilter(**wanted), sort, page, size, as_of=store.batch)


def names(frame: pd.DataFrame) -> list[str]:
    return frame["sample"].tolist()


def build() -> StoreBuilder:
    store = StoreBuilder()
    store.metric("harmful", ["blackmail", "framing"], misaligned={"score": "judge", "op": "=", "value": 1})
    store.metric("severe", ["blackmail"], misaligned={"score": "judge", "op": ">", "value": 1}, among=None)
    store.group("honeypots", ["blackmail", "framing"])
    store.run("a", mix="m1", stage="sft")
    store.run("b", mix="m2", stage="rl")
    held = [
        sample(1, score(1, explanation="It threatens", answer="yes"), input="Write 100%", reply="ok", total_time=3.0),
        sample(2, score(0, explanation="It refuses"), input="under_score", reply="I REFUSE", total_time=1.0),
        sample(10, score(None), input="x", error="Timeout", total_time=2.0),
        sample(
            "a/b",
            score(0),
            input="y",
            limit_type="message",
            messages=[
                message("user", "Hidden Wörd"),
                message("assistant", "", reasoning="secret plan", tool_calls_json='[{"function": "rm_rf"}]'),
            ],
        ),
    ]
    store.add(log(held, log_eval_id="A1"), run="a", step=1, variant="val")
    store.add(log(samples([1, 1, 0]), log_eval_id="B2"), run="b", step=2)
    store.add(log(samples([1, 0], epochs=2), task="framing", log_eval_id="BF"), run="b", step_label="final")
    store.add(log(samples(["free text"], "note"), task="notes", log_eval_id="N"), run="b", step=2)
    return store


@pytest.fixture(scope="module")
def store() -> StoreBuilder:
    """To be read only."""
    return build()


def test_a_row_holds_the_outcome_and_what_the_judge_says(store):
    row = page_of(store, logs=("A1",)).iloc[0]
    told = {
        "run": "a", "step": 1, "eval": "blackmail", "sample": "1", "epoch": 1, "outcome": "misaligned", "value": 1.0,
        "metric": "harmful", "scores": "judge 1", "explanation": "It threatens", "answer": "yes",
        "prompt": "Write 100%", "reply": "ok", "time": 3.0, "messages": 0, "mix": "m1", "stage": "sft",
        "variant": "val", "log": "A1", "invalidated": False,
    }  # fmt: skip
    assert {name: row[name] for name in told} == told


def test_columns_and_types_are_the_same_with_and_without_rows(store):
    full, empty = page_of(store), page_of(store, runs=("nobody",))
    assert empty.empty
    assert {name: str(dtype) for name, dtype in empty.dtypes.items()} == SAMPLE_COLUMNS
    assert (full.dtypes == empty.dtypes).all()


@pytest.mark.slow
def test_all_four_outcomes():
    store = build()
    frame = page_of(store, logs=("A1",))
    assert dict(zip(frame["sample"], frame["outcome"], strict=True)) == {
        "1": "misaligned", "2": "aligned", "10": "missing", "a/b": "aligned",
    }  # fmt: skip
    store.metric(
        "of_high",
        ["blackmail"],
        misaligned={"score": "judge", "op": "=", "value": 1},
        among={"sample": "metadata.group", "op": "=", "value": "high"},
    )
    store.add(
        log([sample(1, score(1), metadata={"group": "low"}), sample(2, score(1), metadata={"group": "high"})]),
        run="c",
    )
    assert page_of(store, runs=("c",), metric="of_high")["outcome"].tolist() == ["outside", "misaligned"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"runs": ("a",)}, ["1", "2", "10", "a/b"]),
        ({"mixes": ("m2",), "evals": ("blackmail",)}, ["0", "1", "2"]),
        ({"stages": ("rl",), "steps": (2,)}, ["0", "1", "2", "0"]),
        ({"steps": ("final",)}, ["0", "0"]),
        ({"steps": (1, "final")}, ["1", "2", "10", "a/b", "0", "0"]),
        ({"variants": ("val",)}, ["1", "2", "10", "a/b"]),
        ({"logs": ("B2", "BF")}, ["0", "1", "2", "0", "0"]),
        ({"evals": ("framing",)}, ["0", "0"]),
        ({"evals": ("honeypots",)}, ["1", "2", "10", "a/b", "0", "1", "2", "0", "0"]),
        ({"outcomes": ("misaligned",)}, ["1", "0", "1", "0"]),
        ({"outcomes": ("missing",)}, ["10"]),
        ({"outcomes": ("aligned", "missing"), "runs": ("a",)}, ["2", "10", "a/b"]),
        ({"errors": True}, ["10"]),
        ({"errors": False, "runs": ("a",)}, ["1", "2", "a/b"]),
        ({"limits": True}, ["a/b"]),
        ({"metric": "severe"}, ["1", "2", "10", "a/b", "0", "1", "2"]),
        ({"metric": "severe", "outcomes": ("misaligned",)}, []),
        ({"condition": from_json({"score": "judge", "op": ">=", "value": 1})}, ["1", "0", "1", "0"]),
        ({"condition": from_json({"sample": "error", "op": "=", "value": "Timeout"})}, ["10"]),
        ({"runs": ("nobody",)}, []),
        ({"evals": ("nothing",)}, []),
    ],
)
def test_filters_and_their_exact_counts(store, wanted, expected):
    assert names(page_of(store, **wanted)) == expected
    with store.cursor() as cursor:
        assert sample_count(cursor, SampleFilter(**wanted), store.batch) == len(expected)
        assert names(all_samples(cursor, SampleFilter(**wanted), store.batch)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write 100%", ["1"]),  # prompt; % is no wildcard
        ("%", ["1"]),
        ("_", ["2", "a/b"]),  # a literal underscore: a prompt, a tool's name
        ("i refuse", ["2"]),  # reply
        ("IT THREATENS", ["1"]),  # explanation
        ("hidden wörd", ["a/b"]),  # message
        ("HIDDEN WÖRD", ["a/b"]),
        ("Secret", ["a/b"]),  # reasoning
        ("rm_rf", ["a/b"]),  # tool call
        ("'; DROP TABLE samples; --", []),
    ],
)
def test_text_is_found_literally_in_either_case(store, text, expected):
    assert names(page_of(store, runs=("a",), text=text)) == expected


def test_samples_agree_with_the_rate_above_them(store):
    with store.cursor() as cursor:
        frame = rates(cursor, RateQuery(metrics=("all",)), store.batch)
        frame = frame[~frame["group"]]
        assert set(frame["eval_key"]) == {"A1", "B2", "BF"}
        for row in frame.itertuples():
            wanted = SampleFilter(logs=(row.eval_key,), metric=row.metric)
            counts = outcome_counts(cursor, wanted, store.batch)
            assert sum(counts.values()) == row.n_all
            assert counts.get("misaligned", 0) == row.k
            assert counts.get("missing", 0) == row.n_missing


def test_counts_of_outcomes_ignore_which_outcomes_are_shown(store):
    with store.cursor() as cursor:
        wanted = SampleFilter(runs=("a",), outcomes=("misaligned",))
        assert outcome_counts(cursor, wanted, store.batch) == {"misaligned": 1, "aligned": 2, "missing": 1}
        assert outcome_counts(cursor, SampleFilter(runs=("nobody",)), store.batch) == {}


def test_samples_without_any_metric_are_there_without_an_outcome(store):
    frame = page_of(store, evals=("notes",))
    assert frame["metric"].tolist() == ["none"]
    assert frame["outcome"].isna().all()


def test_means_have_values_instead_of_outcomes():
    store = StoreBuilder()
    store.add(log(samples([3, 7.5, None], "quality")), step=1)
    frame = page_of(store)
    assert frame["outcome"].tolist() == ["scored", "scored", "missing"]
    assert frame["value"].tolist()[:2] == [3.0, 7.5]


def test_ids_sort_as_numbers_and_pages_do_not_overlap():
    store = build()
    store.add(log(samples([0] * 120), log_eval_id="BIG"), run="big", step=1)
    pages = [page_of(store, runs=("big",), page=page, size=50) for page in range(4)]
    assert [len(page) for page in pages] == [50, 50, 20, 0]
    assert [name for page in pages for name in names(page)] == [str(i) for i in range(120)]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ((("time", False),), ["2", "10", "1", "a/b"]),
        ((("time", True),), ["1", "10", "2", "a/b"]),  # missing values last either way
        ((("sample", True),), ["10", "2", "1", "a/b"]),
        ((("outcome", False), ("sample", True)), ["2", "a/b", "1", "10"]),
        ((("messages", True),), ["a/b", "1", "2", "10"]),
        ((("error", False),), ["10", "1", "2", "a/b"]),
    ],
)
def test_sorting(store, sort, expected):
    assert names(page_of(store, sort=sort, runs=("a",))) == expected


@pytest.mark.slow
def test_every_column_can_be_sorted_by_and_no_other(store):
    for column in SORTS:
        for descending in (False, True):
            assert len(page_of(store, sort=((column, descending),))) == 10
    with pytest.raises(ValueError, match="allowed: run, step"):
        page_of(store, sort=(("1; DROP TABLE samples", False),))
    with pytest.raises(ValueError, match="allowed: misaligned"):
        SampleFilter(outcomes=("harmless",))
    with pytest.raises(ValueError, match="negative"):
        page_of(store, page=-1)


def test_long_texts_are_cut_in_pages_and_whole_in_exports():
    store = StoreBuilder()
    store.add(log([sample(1, score(1, explanation="e" * 9999), input="p" * 9999, reply="r" * 9999)]), step=1)
    assert page_of(store)[["prompt", "reply", "explanation"]].map(len).values.tolist() == [[PREVIEW] * 3]
    with store.cursor() as cursor:
        frame = all_samples(cursor, SampleFilter(), 1)
    assert frame[["prompt", "reply", "explanation"]].map(len).values.tolist() == [[9999] * 3]


def test_previous_and_next_follow_filter_and_order(store):
    def around(here: SampleName, sort: Any = (), **wanted: Any) -> Any:
        with store.cursor() as cursor:
            return neighbours(cursor, SampleFilter(**wanted), sort, here, store.batch)

    middle = around(SampleName("A1", "10", 1), runs=("a",))
    assert (middle.previous, middle.next) == (SampleName("A1", "2", 1), SampleName("A1", "a/b", 1))
    assert (middle.position, middle.total) == (3, 4)
    first = around(SampleName("A1", "1", 1), runs=("a",))
    assert (first.previous, first.position) == (None, 1)
    by_time = around(SampleName("A1", "10", 1), sort=(("time", False),), runs=("a",))
    assert (by_time.previous, by_time.next) == (SampleName("A1", "2", 1), SampleName("A1", "1", 1))
    epochs = around(SampleName("BF", "0", 2), logs=("BF",))
    assert (epochs.previous, epochs.next) == (SampleName("BF", "0", 1), None)
    assert around(SampleName("A1", "10", 1), outcomes=("misaligned",)) is None
    assert around(SampleName("A1", "10", 1), runs=("nobody",)) is None


def test_samples_as_of_an_earlier_batch():
    store = StoreBuilder()
    store.add(log(samples([1, 1])), step=1, path="a.eval")
    store.next_batch()
    store.add(log(samples([0])), step=1, path="a.eval")
    with store.cursor() as cursor:
        assert sample_count(cursor, SampleFilter(), 1) == 2
        assert sample_count(cursor, SampleFilter(), 2) == 1


def test_ids_that_are_numbers_come_in_their_order_and_before_all_others():
    keys = [
        "b",
        "10",
        "-2",
        "+3",
        " 4",
        ".5",
        "1e3",
        "inf",
        "Infinity",
        "nan",
        "n",
        "i9",
        "\t7",
        "9\n",
        "2_0",
        "0x10",
        "١",
    ]
    store = StoreBuilder()
    store.add(log([sample(key, score(0)) for key in keys]), step=1)
    with store.cursor() as cursor:
        rows = cursor.execute(
            "SELECT k FROM (SELECT unnest(?::VARCHAR[]) AS k) ORDER BY try_cast(k AS DOUBLE) NULLS LAST, k", [keys]
        ).fetchall()
    assert names(page_of(store)) == [row[0] for row in rows]


@pytest.mark.slow
def test_many_logs_are_read_as_few_are(store, monkeypatch):
    sorts = [(), [("value", True)], [("created", False)]]
    filters = [{}, {"outcomes": ("misaligned",)}, {"text": "refuse"}, {"evals": ("honeypots",)}]
    few = [page_of(store, sort, **wanted) for sort in sorts for wanted in filters]
    assert all(len(page) for page in few)
    monkeypatch.setattr(sql, "FEW", 0)
    many = [page_of(store, sort, **wanted) for sort in sorts for wanted in filters]
    for one, other in zip(few, many, strict=True):
        pd.testing.assert_frame_equal(one, other)
