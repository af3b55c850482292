"""The Gallery page: a study's figures with published numbers beside its own, links to the pages, and none at all."""

from __future__ import annotations

import re

import pytest

from loaders.makers.demo.figures import CLAIMS
from loaders.makers.demo.writer import DEMO
from tests.builders import StoreBuilder, log, samples
from tests.pages import headings, html, opened, shown, specs
from tests.plots import PLOTS, links
from tests.real_stores import shared

pytestmark = pytest.mark.slow


def test_the_demos_plots_each_with_its_picture_its_link_and_the_published_numbers() -> None:
    with shown(shared(DEMO).store):
        app = opened("gallery")
    assert len(specs(app)) == len(PLOTS)
    led = [f"/{link.proto.page}?{link.proto.query_string}" for link in app.get("page_link")]
    assert [name.partition("?")[0].rpartition("/")[2] for name in led] == [
        links()[plot.row].partition("?")[0].lstrip("/") for plot in PLOTS
    ]
    rows = re.findall(r"<tr><td>(.*?)</td><td>(.*?)</td><td>(.*?)</td></tr>", html(app))
    assert [said for said, _, _ in rows] == [claim.text.replace(">", "&gt;") for claim in CLAIMS]
    assert {verdict for _, _, verdict in rows} == {"published number inside our interval"}
    assert rows[0][1] == "22.0% [18.0%, 27.2%], n = 300"


def test_a_study_without_figures_says_how_to_add_one() -> None:
    store = StoreBuilder()
    store.add(log(samples([1, 0])), run="a", step=1)
    with shown(store.store):
        app = opened("gallery")
    assert any("No figures in this study" in text for text in headings(app))
    assert "figures:" in app.code[0].value
