"""A page that fails says so in words that help, and nothing of the error itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import links
from dashboard.kit import caches
from tests.builders import StoreBuilder, log, samples
from tests.pages import APP, begin_at, html, shown


@pytest.fixture
def store() -> Iterator[StoreBuilder]:
    builder = StoreBuilder()
    builder.add(log(samples([1, 0])), run="a", step=0)
    with shown(builder.store):
        yield builder


def test_the_reader_is_told_and_finds_the_way_back(store: StoreBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret inner words")

    monkeypatch.setattr(caches, "coverage", fail)
    app = AppTest.from_file(str(APP), default_timeout=300)
    begin_at(app, links.DATA)
    app.query_params["show"] = "Runs"
    app.run()
    assert app.exception, "Streamlit still writes the details down"
    assert "Error: this page" in html(app)
    assert "secret inner words" not in html(app)
    assert [link.proto.label for link in app.get("page_link")][-1] == "Back to Overview"
