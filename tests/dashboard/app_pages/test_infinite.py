"""Pages on values that are infinite, or overflow when added: the rest is drawn, and what is left out is named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from loaders.ingest import ingest
from loaders.store import Store
from tests.pages import opened, shown

pytestmark = pytest.mark.slow

CASES = ("infinite-score", "infinite-perplexity", "overflowing-sum", "infinity-in-tables")


@pytest.fixture(scope="module", params=CASES)
def store(request: pytest.FixtureRequest, cases: Path) -> Iterator[Store]:
    store = Store.open(":memory:")
    ingest([cases / request.param], store)
    with shown(store):
        yield store
    store.close()


@pytest.mark.parametrize("page", ["overview", "curves", "assessment", "compare"])
def test_no_page_falls(store: Store, page: str) -> None:
    # `opened` asserts that nothing was raised.
    opened(page)
