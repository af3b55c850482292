"""The outcomes of every question at several checkpoints, and along a run, against what was written and by hand."""

from __future__ import annotations

import itertools
import random

import pandas as pd
import pytest

from dashboard.queries.beside import AnswerQuery, along, answers, changes_of, questions_of, worth_seeing
from dashboard.statistics.changes import first_change
from tests.builders import StoreBuilder, log, sample, samples, score


@pytest.fixture
def store() -> StoreBuilder:
    store = StoreBuilder()
    for run in ("a", "b"):
        store.run(run)
    store.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    return store


def ask(store: StoreBuilder, *, as_of: int | None = None, hidden: tuple[str, ...] = (), **query) -> pd.DataFrame:
    with store.store.cursor(hidden=hidden) as cursor:
        return answers(cursor, AnswerQuery(**({"eval": "blackmail", "metric": None} | query)), as_of or store.batch)


def test_a_row_for_each_question_and_checkpoint_with_its_epochs(store) -> None:
    store.add(log(samples([1, 0, 0, 0, None, None], epochs=2)), run="a", step=5)
    store.add(log([sample(1, score(1), epoch=3), sample("x/y", score(0))]), run="b", step=7)
    store.add(log(samples([1])), run="b", step=8)
    frame = ask(store, checkpoints=("a@5", "b@7"))
    rows = [(r["checkpoint"], r["sample"], r["n"], r["epochs"], r["values"]) for r in frame.to_dict("records")]
    assert rows == [
        ("a@5", "0", 2, [1, 2], [1.0, 0.0]),
        ("a@5", "1", 2, [1, 2], [0.0, 0.0]),
        ("a@5", "2", 0, [1, 2], [None, None]),
        ("b@7", "1", 1, [3], [1.0]),
        ("b@7", "x/y", 1, [1], [0.0]),
    ]
    assert frame["value"].tolist()[:2] == [0.5, 0.0]
    assert frame["value"].isna().tolist() == [False, False, True, False, False]
    table = questions_of(frame, ["b@7", "a@5"])
    assert table.to_dict("records") == [
        {"sample": "0", "answered": 1, "disagree": False, "values": [None, 0.5]},
        {"sample": "1", "answered": 2, "disagree": True, "values": [1.0, 0.0]},
        {"sample": "2", "answered": 1, "disagree": False, "values": [None, None]},
        {"sample": "x/y", "answered": 1, "disagree": False, "values": [0.0, None]},
    ]


def test_means_disagree_where_they_differ(store) -> None:
    store.metric("level", kind="mean", score={"score": "judge"}, evals=["scored"])
    for step, values in ((1, [3.0, 7.5]), (2, [3.0, 7.25])):
        store.add(log(samples(values), task="scored"), run="a", step=step)
    table = questions_of(ask(store, eval="scored", metric="level", runs=("a",)), ["a@1", "a@2"])
    assert table["values"].tolist() == [[3.0, 3.0], [7.5, 7.25]]
    assert table["disagree"].tolist() == [False, True]


def test_of_several_logs_the_one_counts_that_curves_go_through_and_the_others_fill_its_gaps(store) -> None:
    store.add(log(samples([1, 1, 1]), minutes=1), run="a", step=1)
    store.add(log(samples([0, 0]), minutes=2), run="a", step=1)
    store.add(log(samples([1, 0]), minutes=3, status="error", complete=False), run="a", step=1)
    frame = ask(store, checkpoints=("a@1",))
    assert frame[["sample", "value", "logs"]].to_dict("records") == [
        # The errored log is left out beside whole ones.
        {"sample": "0", "value": 0.0, "logs": 2},
        {"sample": "1", "value": 0.0, "logs": 2},
        {"sample": "2", "value": 1.0, "logs": 1},
    ]


def test_variants_are_kept_apart(store) -> None:
    store.add(log(samples([1])), run="a", step=1, variant="told")
    store.add(log(samples([0])), run="a", step=1, variant="untold")
    assert ask(store, checkpoints=("a@1",), variant="told")["value"].tolist() == [1.0]
    assert ask(store, checkpoints=("a@1",), variant="untold")["value"].tolist() == [0.0]


@pytest.mark.slow
def test_nothing_of_a_hidden_run_and_nothing_before_its_batch(store) -> None:
    store.add(log(samples([1])), run="a", step=1)
    store.next_batch()
    store.add(log(samples([1])), run="b", step=1)
    both = {"checkpoints": ("a@1", "b@1"), "runs": ("a", "b")}
    assert ask(store, **both)["run"].tolist() == ["a", "b"]
    assert ask(store, hidden=("b",), **both)["run"].tolist() == ["a"]
    assert ask(store, as_of=1, **both)["run"].tolist() == ["a"]
    assert ask(store, checkpoints=("c@1",)).empty
    assert ask(store, eval="gone", **both).empty


def test_only_reported_numbers_are_no_outcomes(store) -> None:
    store.add(log([sample(1, input="q", reply="r")], task="bare"), run="a", step=1)
    frame = ask(store, eval="bare", runs=("a",))
    assert (frame["n"].tolist(), frame["value"].isna().tolist()) == ([0], [True])


def test_changes_along_a_run_are_those_found_by_hand(store) -> None:
    draw = random.Random(3)
    steps = [0, 50, 100, 400, 1000]
    written: dict[str, list[float | None]] = {str(question): [] for question in range(12)}
    for step in reversed(steps):
        held = []
        for question, values in written.items():
            epochs = [draw.choice([0, 1, 1, None]) for _ in range(3)]
            known = [value for value in epochs if value is not None]
            mean = sum(known) / len(known) if known else None
            values.insert(0, None if mean is None else 0.5 if mean == 0.5 else float(mean > 0.5))
            held += [sample(question, score(value), epoch=at) for at, value in enumerate(epochs, 1)]
        store.add(log(held), run="a", step=step)
    found = along(ask(store, runs=("a",)), "rate")
    assert (found.steps, found.checkpoints) == (steps, [f"a@{step}" for step in steps])
    assert found.values == written
    table = changes_of(found).set_index("sample")
    for question, values in written.items():
        change = first_change(values)
        assert (question in table.index) == (change is not None)
        if change is not None:
            row = table.loc[question]
            assert (row["first"], row["stays"], row["first_value"]) == (
                change.first,
                change.stays,
                values[change.first],
            )
    assert table["first"].is_monotonic_increasing


def test_means_along_a_run_are_not_made_to_majorities(store) -> None:
    store.add(log(samples([1, 0, 0], epochs=3)), run="a", step=1)
    frame = ask(store, runs=("a",))
    assert along(frame, "mean").values["0"] == [pytest.approx(1 / 3)]
    assert along(frame, "rate").values["0"] == [0.0]


def test_steps_worth_seeing_hold_the_ends_and_both_sides_of_the_change() -> None:
    draw = random.Random(1)
    for _ in range(300):
        values = [draw.choice([0.0, 1.0, None]) for _ in range(draw.randrange(2, 40))]
        known = [at for at, value in enumerate(values) if value is not None]
        change = first_change(values)
        for most in (2, 6):
            chosen = worth_seeing(values, change, most)
            assert chosen == sorted(set(chosen))
            assert set(chosen) <= set(known)
            assert len(chosen) == min(most, len(known))
        if change is not None:
            assert {change.before, change.first, known[0], known[-1]} <= set(worth_seeing(values, change))


def test_questions_are_in_the_order_of_their_numbers() -> None:
    names = ["10", "9", "b", "²", "9" * 40, "a/1"]
    rows = [{"checkpoint": "a", "sample": name, "value": 1.0} for name in itertools.chain(names, ["1"])]
    ordered = questions_of(pd.DataFrame(rows), ["a"])["sample"].tolist()
    assert ordered[-3:] == ["a/1", "b", "²"]
    assert [name for name in ordered if len(name) < 3][:3] == ["1", "9", "10"]
