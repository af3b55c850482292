"""What is known of a batch's logs is found out once, kept for those who see alike, and never given to others."""

from __future__ import annotations

import copy

import pytest

from dashboard.queries.catalogue import evals, metrics_for, run_rows
from dashboard.queries.compare import CompareQuery, compare
from dashboard.queries.frame import ALL_METRICS, RateQuery
from dashboard.queries.known_logs import known_logs
from dashboard.queries.overview import logs, standings, unlike_settings
from dashboard.queries.rates import rates
from dashboard.queries.sample_filter import SampleFilter
from dashboard.queries.samples import outcome_counts, samples_page
from dashboard.queries.scope import scope_of
from dashboard.queries.trends import TrendQuery, trends
from loaders.store import Store
from loaders.store.memory import Memory
from tests.builders import StoreBuilder, log, samples


@pytest.fixture
def built() -> StoreBuilder:
    """A public run and a secret one, on one eval and, the secret one, on another."""
    built = StoreBuilder()
    built.run("open")
    built.run("secret", parent_run="open", lineage_offset=10)
    built.run("child", parent_run="secret", lineage_offset=20)
    for run in ("open", "secret", "child"):
        for step in (1, 2):
            built.add(log(samples([1, 0, step % 2])), run=run, step=step)
    built.add(log(samples([1, 0]), task="hushed"), run="secret", step=1)
    return built


def runs_of(store: Store, hidden: tuple[str, ...] = (), batch: int = 1) -> set[str]:
    with store.cursor(hidden=hidden) as cursor:
        return {row["run"] for row in scope_of(cursor, (), batch).logs}


@pytest.mark.slow
@pytest.mark.parametrize("first", [(), ("secret",)])
def test_whoever_asks_first_readers_get_only_what_they_may_see(built: StoreBuilder, first: tuple[str, ...]) -> None:
    runs_of(built.store, first)
    for _ in range(2):
        assert runs_of(built.store, ("secret",)) == {"open", "child"}
        assert runs_of(built.store, ("o*",)) == {"secret", "child"}
        assert runs_of(built.store) == {"open", "secret", "child"}
    with built.store.cursor(hidden=("secret",)) as cursor:
        assert scope_of(cursor, ("hushed",), 1).logs == []
        assert "hushed" not in scope_of(cursor, (), 1).applicable


def test_rules_that_hide_the_same_evals_and_other_runs_are_told_apart(built: StoreBuilder) -> None:
    """A run without evals is hidden too: what was trained from it doesn't tell of how far along it is."""
    built.run("unevaluated")
    built.run("grown", parent_run="unevaluated", lineage_offset=100)
    built.add(log(samples([1])), run="grown", step=5)
    steps = {}
    for hidden in ((), ("unevaluated",), ("nothing",)):
        with built.store.cursor(hidden=hidden) as cursor:
            rows = scope_of(cursor, (), 1).logs
        steps[hidden] = [row["lineage_step"] for row in rows if row["run"] == "grown"]
    assert steps == {(): [105], ("unevaluated",): [None], ("nothing",): [105]}


@pytest.mark.slow
def test_an_eval_that_is_placed_in_a_private_run_later_is_hidden_at_once(built: StoreBuilder) -> None:
    """Also as of the batch before, and while the batch in which it is placed is still being written."""
    store = built.store
    assert runs_of(store, ("vault",)) == {"open", "secret", "child"}
    with store.cursor() as cursor:
        cursor.execute(
            "INSERT INTO placements (eval_id, eval, run, step, placed, batch_from)"
            " SELECT eval_id, eval, 'vault', step, true, 2 FROM placements WHERE run = 'child'"
        )
    assert runs_of(store, ("vault",)) == {"open", "secret"}
    assert runs_of(store) == {"open", "secret", "child"}


def test_readers_who_see_alike_share_what_is_known(built: StoreBuilder) -> None:
    known = []
    for hidden in ((), (), ("secret",), ("secret",)):
        with built.store.cursor(hidden=hidden) as cursor:
            known.append(known_logs(cursor, 1))
    assert known[0] is known[1]
    assert known[2] is known[3]
    assert known[0] is not known[2]


def test_what_runs_tell_is_hidden_as_soon_as_a_hidden_run_is_called_so(built: StoreBuilder) -> None:
    """Also as of the batch before, and though the same evals are hidden as ever."""
    built.run("talkative", notes="better than Casper")

    def notes(hidden: tuple[str, ...]) -> str | None:
        with built.store.cursor(hidden=hidden) as cursor:
            return next(row["notes"] for row in run_rows(cursor, 1) if row["run"] == "talkative")

    assert [notes(("ghost",)), notes(())] == ["better than Casper"] * 2
    built.execute("INSERT INTO runs (run, label, batch_from) VALUES ('ghost', 'Casper', 2)")
    assert [notes(("ghost",)), notes(())] == [None, "better than Casper"]


def test_a_batch_that_is_being_written_is_not_remembered(built: StoreBuilder) -> None:
    built.execute("UPDATE batches SET finished_at = NULL")
    with built.store.cursor() as cursor:
        assert known_logs(cursor, 1) is not known_logs(cursor, 1)


def test_a_forgotten_batch_is_not_remembered(built: StoreBuilder) -> None:
    with built.store.cursor() as cursor:
        known = known_logs(cursor, 1)
        assert known_logs(cursor, 1) is known
        cursor.execute("DELETE FROM batches")  # as loaders.store.forget does
        assert known_logs(cursor, 1) is not known


def test_each_batch_has_its_own_logs(built: StoreBuilder) -> None:
    assert runs_of(built.store) == {"open", "secret", "child"}
    built.next_batch()
    built.add(log(samples([1]), minutes=3), run="late", step=1)
    assert runs_of(built.store, batch=2) == {"open", "secret", "child", "late"}
    assert runs_of(built.store, batch=1) == {"open", "secret", "child"}


@pytest.mark.slow
def test_no_query_changes_what_all_of_them_share(built: StoreBuilder) -> None:
    built.add(log(samples([0, 0, 1]), minutes=9), run="open", step=2)
    built.add(log(samples([0]), minutes=9, task_args_json='{"style": "terse"}'), run="open", step=2)
    every = RateQuery(metrics=(ALL_METRICS,))
    with built.cursor() as cursor:
        known = known_logs(cursor, 1)
        before = copy.deepcopy([known.logs(cursor), known.with_variants(cursor)])
        for query in (every, RateQuery(repeats="each"), RateQuery(splits=("variant",))):
            rates(cursor, query, 1)
        for query in (evals, logs, unlike_settings):
            query(cursor, 1)
        metrics_for(cursor, (), 1)
        standings(cursor, RateQuery(evals=("blackmail",)), 1)
        trends(cursor, TrendQuery(runs=("open", "child"), baseline="secret"), 1)
        compare(cursor, CompareQuery(checkpoints=("open@2", "child@2")), 1)
        samples_page(cursor, SampleFilter(), as_of=1)
        outcome_counts(cursor, SampleFilter(), 1)
        assert known_logs(cursor, 1) is known
        assert [known.logs(cursor), known.with_variants(cursor)] == before


def test_some_evals_have_the_order_that_all_have(built: StoreBuilder) -> None:
    with built.cursor() as cursor:
        every = scope_of(cursor, (), 1).logs
        both = scope_of(cursor, ("hushed", "blackmail"), 1).logs
        assert [row["eval_id"] for row in both] == [row["eval_id"] for row in every]
        assert {row["eval"] for row in scope_of(cursor, ("hushed",), 1).logs} == {"hushed"}


def test_a_memory_keeps_the_newest_that_there_is_room_for() -> None:
    memory = Memory(entries=3, rows=10)
    small, large = [1, 2, 3], list(range(20))
    assert memory.keep("a", lambda: small) is small
    assert memory.keep("a", lambda: [4]) is small
    for key in "bcd":
        memory.keep(key, lambda: [5])
    assert memory.keep("a", lambda: [6]) == [6]  # the fourth before
    assert memory.keep("large", lambda: large) is large
    assert memory.keep("large", lambda: [7]) is large
    assert memory.keep("a", lambda: [8]) == [8]
    memory.forget()
    assert memory.keep("a", lambda: [9]) == [9]


def test_stores_share_nothing() -> None:
    first, second = StoreBuilder(), StoreBuilder()
    first.add(log(samples([1])), run="one", step=1)
    second.add(log(samples([1])), run="two", step=1)
    assert (runs_of(first.store), runs_of(second.store)) == ({"one"}, {"two"})
