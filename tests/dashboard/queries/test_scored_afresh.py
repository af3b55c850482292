"""A log that was scored afresh by another scorer: what only the older file holds is no metric of the eval any more."""

from __future__ import annotations

from dashboard.queries.frame import ALL_METRICS, RateQuery
from dashboard.queries.rates import rates
from tests.builders import StoreBuilder, log, samples


def test_the_metric_is_that_of_the_scorer_that_counts() -> None:
    store = StoreBuilder()
    store.add(log(samples([1, 0, 0, 0]), task_id="t"), step=1, path="a.eval")
    store.add(log(samples([1, 1, 1, 0], scorer="afresh"), task_id="t"), step=1, path="a-scored.eval")
    for metrics in ((), (ALL_METRICS,)):
        with store.store.cursor() as cursor:
            rows = rates(cursor, RateQuery(metrics=metrics), store.batch).to_dict("records")
        assert [(row["metric"], row["k"], row["n"], row["pooled"]) for row in rows] == [("mean_afresh", 3, 4, 1)]
        assert "replaced: scored as a-scored.eval" in rows[0]["flags"][0]


def test_a_part_that_is_left_out_offers_no_metric() -> None:
    store = StoreBuilder()
    store.add(log(samples([1, 0, 0, 0])), step=1)
    part = samples([1, 1], scorer="other")
    store.add(log(part, status="cancelled", minutes=5, n_planned=4), step=1)
    with store.store.cursor() as cursor:
        rows = rates(cursor, RateQuery(metrics=(ALL_METRICS,)), store.batch).to_dict("records")
    assert [(row["metric"], row["k"], row["n"]) for row in rows] == [("mean_judge", 1, 4)]
