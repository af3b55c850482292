"""What is settled at ingest is what would be computed when it is asked for: rates, samples and differences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dashboard.queries.frame import ALL_METRICS, RateQuery
from dashboard.queries.rates import rates
from dashboard.queries.sample_filter import SampleFilter
from dashboard.queries.samples import all_samples
from loaders.ingest import ingest
from loaders.makers.demo.writer import DEMO
from loaders.metrics.settled import is_settled, settle
from loaders.store import Store
from loaders.study.conditions import SampleTest, ScoreTest
from tests.builders import StoreBuilder, log, sample, samples, score
from tests.empty_stores import copy_of
from tests.log_files import write_log
from tests.real_stores import shared

SETTLED = ("measured", "outcomes", "sums", "score_facts")


def unsettle(store: Store) -> None:
    """Forget what was settled: all is computed when it is asked for."""
    with store.cursor() as cursor:
        for table in SETTLED:
            cursor.execute(f"DELETE FROM {table}")


def count(store: Store, table: str) -> int:
    with store.cursor() as cursor:
        return int(cursor.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])


@pytest.fixture(scope="module")
def demo() -> tuple[Store, Store]:
    """The demo study twice: settled, and not."""
    made = shared(DEMO)
    assert made.report.rejected == 0
    bare = copy_of(made.store)
    unsettle(bare)
    assert count(made.store, "outcomes") > 1000
    return made.store, bare


def answers(store: Store, query: RateQuery | SampleFilter) -> pd.DataFrame:
    with store.cursor() as cursor:
        if isinstance(query, RateQuery):
            return rates(cursor, query, store.batch())
        return all_samples(cursor, query, store.batch())


@pytest.mark.slow
@pytest.mark.parametrize(
    "query",
    [
        RateQuery(),
        RateQuery(metrics=(ALL_METRICS,)),
        RateQuery(metrics=(ALL_METRICS,), repeats="each", method="clopper-pearson"),
        RateQuery(splits=("metadata.ai_name",)),
        SampleFilter(),
        SampleFilter(outcomes=("misaligned",)),
        SampleFilter(where=(("metadata.ai_name", "Claude"),), outcomes=("aligned", "missing")),
        SampleFilter(condition=ScoreTest(score="*", key=None, field="explanation", op="!=", value="")),
        SampleFilter(condition=SampleTest(sample="error", op="=", value="")),
    ],
)
def test_settled_equals_computed(demo: tuple[Store, Store], query: RateQuery | SampleFilter) -> None:
    settled, computed = (answers(store, query) for store in demo)
    assert len(settled) > 10
    pd.testing.assert_frame_equal(settled, computed, rtol=1e-12)


def rows(store: StoreBuilder, **query: Any) -> list[tuple[Any, ...]]:
    with store.store.cursor() as cursor:
        table = rates(cursor, RateQuery(**query), store.batch)
    return [tuple(None if value is pd.NA else value for value in row) for row in
            table[["eval", "metric", "k", "n", "n_missing"]].itertuples(index=False)]  # fmt: skip


def misaligned(value: float) -> dict[str, Any]:
    return {"score": "judge", "op": "<", "value": value}


def test_another_definition_has_other_outcomes_and_the_old_batch_keeps_its_own() -> None:
    store = StoreBuilder()
    store.metric("bad", misaligned=misaligned(50))
    store.add(log(samples([10, 40, 60, 90])), step=1)
    assert rows(store) == [("blackmail", "bad", 2, 4, 0)]
    first = count(store.store, "outcomes")
    store.next_batch()
    store.execute("UPDATE study SET batch_to = 2")
    store.metric("bad", misaligned=misaligned(20))
    assert rows(store) == [("blackmail", "bad", 1, 4, 0)]
    with store.store.cursor() as cursor:
        settle(cursor, 2)
        assert list(rates(cursor, RateQuery(), 1)["k"]) == [2]
        assert list(rates(cursor, RateQuery(), 2)["k"]) == [1]
    assert count(store.store, "outcomes") == first + 4  # of the new definition alone


def test_what_is_settled_is_not_settled_again() -> None:
    store = StoreBuilder()
    store.add(log(samples([1, 0, 1])), step=1)
    settled = [count(store.store, table) for table in SETTLED]
    with store.store.cursor() as cursor:
        settle(cursor, store.batch)
    assert [count(store.store, table) for table in SETTLED] == settled
    store.add(log(samples([0, 0]), minutes=1), step=2)
    assert count(store.store, "outcomes") == 5


def test_the_same_rule_for_another_cluster_is_another_measure() -> None:
    store = StoreBuilder()
    store.eval("clustered", cluster="metadata.scenario")
    asked = [sample(at, score(at % 2), metadata={"scenario": at // 2}) for at in range(4)]
    store.add(log(asked, task="clustered"), step=1)
    store.add(log(asked, task="alone"), step=1)
    with store.store.cursor() as cursor:
        table = rates(cursor, RateQuery(), store.batch).set_index("eval")
    assert dict(table["clusters"]) == {"clustered": 2, "alone": 4}


def test_a_store_that_knows_half_of_it_computes_the_rest() -> None:
    store = StoreBuilder()
    for step in range(3):
        store.add(log(samples([1, 0, step]), minutes=step), step=step)
    before = rows(store)
    for table in SETTLED:
        store.execute(f"DELETE FROM {table} WHERE eval_id = 2")
    assert rows(store) == before
    with store.store.cursor() as cursor:
        settle(cursor, store.batch)
    assert count(store.store, "outcomes") == 9
    assert rows(store) == before


@pytest.mark.slow
def test_an_ingest_of_nothing_new_settles_what_an_older_driftline_left(tmp_path: Path) -> None:
    store = Store.open(":memory:")
    write_log(tmp_path / "tiny/checkpoint-100/log.eval", [1, 0, 0])
    ingest([tmp_path], store)
    settled = [count(store, table) for table in SETTLED]
    assert settled[1] == 3
    unsettle(store)
    assert ingest([tmp_path], store).batch == 1
    assert [count(store, table) for table in SETTLED] == settled
    ingest([tmp_path], store)
    assert [count(store, table) for table in SETTLED] == settled
    store.close()


@pytest.mark.slow
def test_an_ingest_of_nothing_new_settles_what_an_older_driftline_settled_otherwise(tmp_path: Path) -> None:
    store = Store.open(":memory:")
    write_log(tmp_path / "tiny/checkpoint-100/log.eval", [1, 0, 0])
    ingest([tmp_path], store)
    with store.cursor() as cursor:
        keys = cursor.execute("SELECT key FROM measures ORDER BY key").fetchall()
        assert is_settled(cursor, 1)
        cursor.execute("UPDATE measures SET key = 'older ' || key WHERE metric <> 'score facts'")
        assert not is_settled(cursor, 1)
        ingest([tmp_path], store)
        assert is_settled(cursor, 1)
        assert cursor.execute("SELECT key FROM measures WHERE key NOT LIKE 'older%' ORDER BY key").fetchall() == keys
    store.close()
