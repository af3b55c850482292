"""A pinned link shows the same numbers, to the last digit, after an ingest that changes them; and says what it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import links
from dashboard.queries.ingests import batch_mark
from loaders.ingest import ingest
from loaders.store import Store
from tests.growing_log import Growing
from tests.log_files import write_log
from tests.pages import address, datasets, html, opened, shown, specs

pytestmark = pytest.mark.slow

PAGES: dict[str, dict[str, Any]] = {
    "overview": {},
    "curves": {"point": ""},
    "mixes": {"view": "efficiency"},
    "persistence": {"run": ["run-b"]},
    "assessment": {"checkpoint": ["run-a@100", "run-b@100"]},
    "compare": {"checkpoint": ["run-a@100", "run-b@100"], "baseline": "run-a@100"},
    "samples": {},
    "data": {},
}


def write(folder: Path, values: list[int], more: int = 0) -> None:
    for run in ("run-a", "run-b"):
        if run == "run-b":
            (folder / run).mkdir(parents=True, exist_ok=True)
            (folder / run / "run.yaml").write_text("parent: {run: run-a, step: 100}\nstage: rl\n", encoding="utf-8")
        for step in (100, 200):
            given = values if run == "run-a" else [1, *values[1:]]
            write_log(folder / run / f"step_{step}" / "a.eval", given, eval_id=f"{run}-{step}")
    for number in range(more):
        write_log(folder / "run-c" / f"step_{number}" / "a.eval", [0, 1, 1], eval_id=f"c-{number}")


def pin_of(store: Store) -> str:
    with store.cursor() as cursor:
        batch = store.batch()
        mark = batch_mark(cursor, batch)
    assert mark
    return links.pin(batch, mark)


def seen(app: AppTest) -> tuple[Any, ...]:
    """Everything with a number in it: charts with their data, tables, and the page's own HTML without its heading."""
    drawn = [(number, frame.to_csv()) for number, frame in datasets(app)]
    tables = [frame.value.to_csv() for frame in app.dataframe]
    return drawn, tables, [element.proto.body for element in app.get("html") if "dl-batch" not in element.proto.body]


@pytest.mark.parametrize("page", PAGES)
def test_a_pinned_page_is_the_same_before_and_after_an_ingest_that_changes_it(page: str, tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store.duckdb")
    folder = tmp_path / "logs"
    write(folder, [0, 0, 1])
    ingest([folder], store)
    pin = pin_of(store)
    with shown(store):
        before = opened(page, **PAGES[page], as_of=pin)
        first, charts = seen(before), len(specs(before))
        free = seen(opened(page, **PAGES[page]))
        write(folder, [1, 1, 1, 0], more=3)
        ingest([folder], store)
        after = opened(page, **PAGES[page], as_of=pin)
        assert seen(after) == first
        assert len(specs(after)) == charts
        assert f"(import {pin.partition('-')[0]})" in html(after).partition("Frozen at")[2]
        assert after.button(key="update").label == "Show latest data"
        assert address(after)["as_of"] == [pin]
        # The ingest did change what an address without a pin shows.
        assert seen(opened(page, **PAGES[page])) != free
    store.close()


def test_a_pin_of_another_store_is_told_and_not_taken_for_ones_own(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    write(folder, [0, 0, 1])
    stores = [Store.open(tmp_path / name) for name in ("a.duckdb", "b.duckdb")]
    for store in stores:
        ingest([folder], store)
    pins = [pin_of(store) for store in stores]
    assert pins[0] != pins[1]
    with shown(stores[1]):
        app = opened("curves", as_of=pins[0])
        assert "frozen at import 1 of another store, which is not here" in html(app)
        assert "as_of" not in address(app)
        assert "Frozen at" not in html(app)
        assert "not here" not in html(opened("curves", as_of=pins[1]))
    for store in stores:
        store.close()


@pytest.mark.parametrize("text", ["1-xyz", "1-3fa2c", "1-3fa2c1a", "-3fa2c1", "1-3FA2C1", "'; DROP TABLE runs; --"])
def test_what_is_no_pin_is_none(text: str) -> None:
    assert links.read_pin(text) is None


def test_a_page_that_is_open_keeps_its_batch_and_a_link_to_a_forgotten_one_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    growing = Growing(folder, 5)
    store = Store.open(tmp_path / "store.duckdb")
    growing.write(1)
    ingest([folder], store, forget_seconds=0)
    with shown(store):
        app = opened("data")
        for samples in range(2, 6):
            growing.write(samples)
            ingest([folder], store, forget_seconds=0)
        with store.cursor() as cursor:
            assert cursor.execute("SELECT batch FROM batches ORDER BY batch").fetchall() == [(1,), (5,)]
        before = seen(app)
        assert seen(app.run()) == before
        assert "(import 1)" in html(app)
        assert "frozen at import 3, which is not here" in html(opened("data", as_of="3"))
    store.close()
