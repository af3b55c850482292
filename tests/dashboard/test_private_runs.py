"""Private runs: for whoever may not see one, it is as if it had never come in; in every query and on every page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from dashboard import links
from dashboard.app_pages.data import tables as data_tables
from dashboard.app_pages.mixes import choices as mix_choices
from dashboard.queries import catalogue, ingests, overview, samples
from dashboard.queries.fields import fields
from dashboard.queries.frame import ALL_METRICS, RateQuery
from dashboard.queries.framings import framings
from dashboard.queries.rates import rates
from dashboard.queries.transcript import NoSuchSample, transcript
from loaders.store import Store
from tests.pages import everything, html, opened_by, shown
from tests.private_runs import INSIDER, MARKER, OUTSIDER, POLICY, ingested, write_study
from tests.sent_queries import naming_no_table

HIDDEN = (f"{MARKER}-*",)
EVERY = RateQuery(metrics=(ALL_METRICS,))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = ingested(write_study(tmp_path_factory.mktemp("whole") / "logs"))
    with naming_no_table(store):
        yield store
    store.close()


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = ingested(write_study(tmp_path_factory.mktemp("without") / "logs", private=False))
    yield store
    store.close()


Query = Callable[[duckdb.DuckDBPyConnection], Any]
QUERIES: dict[str, Query] = {
    "runs": lambda con: catalogue.runs(con, 1),
    "coverage": lambda con: catalogue.coverage(con, 1),
    "evals": lambda con: catalogue.evals(con, 1),
    "metrics": lambda con: catalogue.metrics_for(con, (), 1),
    "checkpoints": lambda con: pd.DataFrame(catalogue.known_checkpoints(con, 1)),
    "files": lambda con: ingests.files(con, 1),
    "conflicts": lambda con: ingests.conflicts(con, 1),
    "batches": lambda con: data_tables.batch_table(ingests.batches(con)),
    "rates": lambda con: rates(con, EVERY, 1),
    "fields": lambda con: fields(con, (), 1),
    "framings": lambda con: framings(con, RateQuery(splits=("metadata.kind",)), 1),
    "standings": lambda con: overview.standings(con, RateQuery(evals=("honeypot",)), 1).runs,
    "logs": lambda con: overview.logs(con, 1),
    "samples": lambda con: samples.samples_page(con, samples.SampleFilter(), size=100, as_of=1),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", QUERIES)
def test_answers_are_those_of_a_store_without_it(name: str, whole: Store, without: Store) -> None:
    with whole.cursor(hidden=HIDDEN) as seen, without.cursor() as less, whole.cursor() as all_:
        told, wanted, complete = (QUERIES[name](cursor) for cursor in (seen, less, all_))
    assert MARKER not in _text(told)
    assert _text(told) == _text(wanted)
    if name not in ("metrics", "conflicts", "framings"):
        assert _text(complete) != _text(wanted)


def _text(frame: Any) -> str:
    """A frame as text, without what differs between any two ingests."""
    frame = frame[0] if isinstance(frame, tuple) else frame
    volatile = [
        "content_hash",
        "size",
        "finished_at",
        "root",
        "roots",
        "position",
        "eval_id",
        "sample_id",
        "score",
        "eval_key",
    ]
    return str(pd.DataFrame(frame).drop(columns=volatile, errors="ignore").to_csv())


def test_a_link_to_its_transcript_leads_nowhere(whole: Store) -> None:
    key, sample = f"{MARKER}-run-100-honeypot", f"{MARKER} question 1"
    with whole.cursor() as cursor:
        assert transcript(cursor, key, sample, 1, 1).sample["input"] == sample
    with whole.cursor(hidden=HIDDEN) as cursor, pytest.raises(NoSuchSample, match="No log with the key"):
        transcript(cursor, key, sample, 1, 1)


@pytest.mark.slow
def test_a_run_that_was_trained_from_it_tells_nothing_of_it(tmp_path: Path) -> None:
    store = ingested(write_study(tmp_path / "logs", child=True))
    with store.cursor() as cursor:
        row = catalogue.runs(cursor, 1).set_index("run").loc["other"]
        assert (row["parent_run"], row["parent_step"], row["lineage_offset"]) == (f"{MARKER}-run", 100, 100)
    with store.cursor(hidden=HIDDEN) as cursor:
        runs = catalogue.runs(cursor, 1).set_index("run")
        assert runs.loc["other"][["parent_run", "parent_step", "lineage_offset", "notes"]].isna().all()
        assert runs.loc["plain", "lineage_offset"] == 0
    with shown(store, access=POLICY):
        for page in ("overview", "persistence", "data", "curves"):
            assert MARKER.encode() not in everything(opened_by(OUTSIDER, page))
    store.close()


VIEWS: list[tuple[str, dict[str, Any]]] = [
    ("overview", {}),
    ("overview", {"view": "chart", "all_rows": "true"}),
    *(("curves", {"panels": panels, "series": series}) for panels, series in product(("one", "run"), ("run", "mix"))),
    ("curves", {"x": "lineage"}),
    ("curves", {"split": "variant", "panels": "split", "series": "split"}),
    *(("mixes", {"view": view}) for view in mix_choices.VIEWS),
    ("mixes", {"series": "mix"}),
    ("persistence", {}),
    ("persistence", {"view": "Through further stages"}),
    *(("assessment", {"view": view, "panels": "run"}) for view in ("dots", "heatmap")),
    *(("compare", {"view": view}) for view in ("Differences", "Configs")),
    ("beside", {}),
    ("beside", {"view": links.BY_STEP}),
    ("probe", {}),
    ("probe", {"ask": "Sweep"}),
    *((page, {}) for page in ("judgings", "views", "notes", "agreement", "report", "audit")),
    ("samples", {"text": "question"}),
    ("samples", {}),
    ("transcript", {"log": "plain-0-honeypot", "sample": "1", "epoch": "1"}),
    *(
        ("data", {"show": section})
        for section in ("Coverage", "Runs", "Files", "Not read", "Conflicts", "Headers", "Batches")
    ),
]


NAMING: list[tuple[str, dict[str, Any]]] = [
    ("curves", {"run": [f"{MARKER}-run"], "mix": [f"{MARKER}-mix"]}),
    ("samples", {"run": [f"{MARKER}-run"], "text": MARKER}),
    ("compare", {"checkpoint": [f"{MARKER}-run@100", f"{MARKER}-run@200"]}),
    ("transcript", {"log": f"{MARKER}-run-100-honeypot", "sample": f"{MARKER} question 1", "epoch": "1"}),
    ("probe", {"log": f"{MARKER}-run-100-honeypot", "sample": f"{MARKER} question 1", "epoch": "1"}),
    ("beside", {"checkpoint": [f"{MARKER}-run@100", "plain@100"], "sample": f"{MARKER} question 1"}),
]
"""Addresses that name the private run."""


def _told(page: str, address: dict[str, Any]) -> list[str]:
    """What a page tells who may not see it."""
    app = opened_by(OUTSIDER, page, **address)
    counts = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", html(app))
    return [*map(": ".join, counts), *(element.value for element in [*app.caption, *app.markdown])] + [
        _text(frame.value) for frame in app.dataframe
    ]


@pytest.fixture(scope="module")
def told_without(without: Store) -> list[list[str]]:
    """What pages tell at these addresses where the private run never came in."""
    with shown(without, access=POLICY):
        return [_told(page, address) for page, address in NAMING]


@pytest.fixture(scope="module")
def dashboard(whole: Store, told_without: list[list[str]]) -> Iterator[None]:
    """The store with it, on pages whose answers are kept from test to test: whoever asks after whom learns nothing.

    One store is shown at a time: what the other one's pages tell is there before.
    """
    with shown(whole, access=POLICY):
        yield


@pytest.mark.slow
@pytest.mark.parametrize(("page", "address"), VIEWS, ids=lambda value: str(value)[:40])
def test_no_page_holds_a_word_of_it(page: str, address: dict[str, Any], dashboard: None) -> None:
    assert MARKER.encode() not in everything(opened_by(OUTSIDER, page, **address))


@pytest.mark.slow
@pytest.mark.parametrize("page", ["overview", "curves", "mixes", "assessment", "compare", "beside", "samples", "data"])
def test_who_may_see_it_does(page: str, dashboard: None) -> None:
    assert MARKER.encode() in everything(opened_by(INSIDER, page))


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(NAMING)), ids=lambda number: NAMING[number][0])
def test_an_address_that_names_it_is_answered_as_if_it_were_not_there(
    number: int, told_without: list[list[str]], dashboard: None
) -> None:
    assert _told(*NAMING[number]) == told_without[number]


@pytest.mark.slow
def test_answers_that_are_kept_are_not_shared_between_readers(dashboard: None) -> None:
    for _ in range(2):
        assert MARKER.encode() in everything(opened_by(INSIDER, "curves"))
        assert MARKER.encode() not in everything(opened_by(OUTSIDER, "curves"))
