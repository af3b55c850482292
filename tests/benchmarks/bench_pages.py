"""What the queries of each page take, on studies of 10^4 and 10^5 samples and on one of many totals and no samples.

As a multiple of DuckDB's own grouped sum over all scores of the same store, in the same run. DRIFTLINE_BENCH_PAGES=10^6
takes the large study besides (some minutes to make, 1 GB); or it names a store that was made before by
`python -m tests.benchmarks.studies`.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from dashboard.queries import catalogue, ingests, overview
from dashboard.queries.compare import CompareQuery, compare
from dashboard.queries.frame import RateQuery
from dashboard.queries.rates import rates
from dashboard.queries.sample_filter import SampleFilter
from dashboard.queries.samples import outcome_counts, samples_page
from dashboard.queries.transcript import transcript
from dashboard.queries.trends import TrendQuery, trends
from loaders.store import Store
from tests.benchmarks.studies import SHAPES, study, totals, write

Query = Callable[[duckdb.DuckDBPyConnection, int], object]

BARE = "SELECT eval_id, count(*), sum(value_num) FROM main.scores GROUP BY eval_id"
BARE_TOTALS = "SELECT eval_id, count(*), sum(value) FROM main.reported GROUP BY eval_id"
ROUNDS = 7

LARGEST = os.environ.get("DRIFTLINE_BENCH_PAGES", "")


def pages(evals: list[str]) -> dict[str, dict[str, Query]]:
    """The queries of each page as it opens, by page and query."""
    first = RateQuery(evals=(evals[0],))
    return {
        "Overview": {
            "runs": catalogue.runs, "evals": catalogue.evals, "logs": overview.logs, "conflicts": ingests.conflicts,
            "standings": lambda con, batch: overview.standings(con, first, batch),
            "unlike settings": overview.unlike_settings,
        },
        "Curves": {
            "one eval": lambda con, batch: rates(con, first, batch),
            "metrics": lambda con, batch: catalogue.metrics_for(con, [evals[0]], batch),
            "trends": lambda con, batch: trends(con, TrendQuery(runs=("run-0", "run-1"), evals=(evals[0],)), batch),
        },
        "Data": {"files": ingests.files, "coverage": catalogue.coverage},
        "all rates": {"all": lambda con, batch: rates(con, RateQuery(), batch)},
    }  # fmt: skip


def pages_of_samples(evals: list[str], log: str, sample: str, runs: list[str]) -> dict[str, dict[str, Query]]:
    """Those that need samples."""
    every, odd = SampleFilter(), SampleFilter(evals=(evals[0],), outcomes=("misaligned",))
    words = SampleFilter(text="no such words")
    return {
        "Samples": {
            "a page": lambda con, batch: samples_page(con, every, as_of=batch),
            "counts": lambda con, batch: outcome_counts(con, every, batch),
            "a page of one outcome": lambda con, batch: samples_page(con, odd, as_of=batch),
        },
        "Search": {
            "a page": lambda con, batch: samples_page(con, words, as_of=batch),
            "counts": lambda con, batch: outcome_counts(con, words, batch),
        },
        "Transcript": {"one": lambda con, batch: transcript(con, log, sample, 1, batch)},
        "Compare": {"two": lambda con, batch: compare(con, CompareQuery(checkpoints=tuple(runs)), batch)},
    }


def timed(work: Callable[[], object]) -> list[float]:
    """Milliseconds of each round, after one that is not counted."""
    found = []
    for _ in range(ROUNDS + 1):
        begun = time.perf_counter()
        work()
        found.append(1000 * (time.perf_counter() - begun))
    return sorted(found[1:])


def table(
    title: str, store: Store, bare: str, asked: dict[str, dict[str, Query]], hidden: tuple[str, ...] = ()
) -> dict[str, float]:
    """Print each query's times; the median of each as a multiple of the bare sum."""
    batch = store.batch()
    with store.cursor(hidden=hidden) as con:
        unit = statistics.median(timed(lambda: con.execute(bare).fetchall()))
        print(f"\n{title}: the bare sum takes {unit:.1f} ms" + (f"; without {', '.join(hidden)}" if hidden else ""))
        ratios = {}
        for page, queries in asked.items():
            total = 0.0
            for name, query in queries.items():
                took = timed(lambda query=query: query(con, batch))  # type: ignore[misc]
                median = statistics.median(took)
                total += median
                ratios[f"{page}: {name}"] = median / unit
                print(f"  {page:12} {name:24} {median:8.1f} ms  95% {took[-1]:8.1f} ms  {median / unit:7.1f} bare sums")
            print(f"  {page:12} {'together':24} {total:8.1f} ms")
    return ratios


def places(store: Store) -> tuple[list[str], str, str, list[str]]:
    """Names of evals, a log with its sample, and two checkpoints that hold one eval."""
    with store.cursor() as con:
        evals = [row[0] for row in con.execute("SELECT DISTINCT task FROM evals ORDER BY task").fetchall()]
        log, sample = con.execute(
            "SELECT eval_key, sample_key FROM evals JOIN samples USING (eval_id) LIMIT 1"
        ).fetchall()[0]
    return evals, log, sample, ["run-0", "run-1"]


@pytest.fixture(scope="module", params=["10^4", "10^5", *([LARGEST] if LARGEST else [])])
def large(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Store]]:
    """A study with samples."""
    made = Path(request.param)
    store = (
        Store.open(made) if made.is_file() else study(tmp_path_factory.mktemp("s") / "s.duckdb", SHAPES[request.param])
    )
    yield request.param, store
    store.close()


def test_pages(large: tuple[str, Store]) -> None:
    title, store = large
    evals, log, sample, runs = places(store)
    asked = pages(evals) | pages_of_samples(evals, log, sample, runs)
    found = table(title, store, BARE, asked)
    less = table(title, store, BARE, asked, hidden=("run-3",))
    slower = [less[name] / found[name] for name in found]
    print(
        f"  readers from whom a run is hidden: {statistics.median(slower):.2f} times as long (most {max(slower):.2f})"
    )
    assert all(ratio > 0 for ratio in found.values())


def test_growth_of_rates(tmp_path: Path) -> None:
    """Ten times the samples in as many logs: rates are read from sums, not made anew."""
    took = {}
    for samples in (10, 100):
        shape = SHAPES["10^4"]
        store = study(tmp_path / f"{samples}.duckdb", type(shape)(shape.runs, shape.steps, shape.evals, samples))
        with store.cursor() as con:
            batch = store.batch()
            took[samples] = statistics.median(timed(lambda con=con, batch=batch: rates(con, RateQuery(), batch)))  # type: ignore[misc]
        store.close()
    print(f"\nall rates of 500 logs: {took[10]:.0f} ms with 10 samples each, {took[100]:.0f} ms with 100")
    assert took[100] < 2 * took[10]


def test_pages_of_totals(tmp_path: Path) -> None:
    """Shaped like Pythia's results: 80 evals a file, no samples."""
    store = Store.open(tmp_path / "totals.duckdb")
    write(store, totals(400, 80))
    table("400 files of 80 evals", store, BARE_TOTALS, pages(["task_0"]))
    store.close()
