"""New logs in a watched folder: the page offers them, and shows them when the reader says so."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import WAIT, Folder, at_rest, reader_of
from tests.log_files import write_log

pytestmark = pytest.mark.browser


def test_a_log_that_lands_is_offered_and_shown_when_the_reader_takes_it(
    watched: Folder, context: BrowserContext
) -> None:
    reader = reader_of(context, watched.origin)
    page = reader.page
    reader.go("/curves")
    reader.wait_for('path[aria-label^="run-a@100, honeypot"]')
    expect(page.get_by_text("(import 1)")).to_be_visible()

    write_log(watched.path / "run-a" / "step_200" / "a.eval", [0, 0, 0, 0])
    offer = page.get_by_role("button", name="New data")
    expect(offer).to_be_visible(timeout=WAIT)
    at_rest(page)
    assert page.locator('path[aria-label^="run-a@200, honeypot"]').count() == 0

    reader.press("New data")
    reader.wait_for('path[aria-label^="run-a@200, honeypot"]')
    expect(page.get_by_text("(import 2)")).to_be_visible(timeout=WAIT)
    expect(offer).to_be_hidden(timeout=WAIT)
    zero = page.locator('path[aria-label^="run-a@200, honeypot: 0.0%, 0 of 4"]').first
    box, plot = zero.bounding_box(), page.get_by_test_id("stVegaLiteChart").first.bounding_box()
    assert box is not None
    assert plot is not None
    assert plot["y"] < box["y"] < box["y"] + box["height"] < plot["y"] + plot["height"]


def test_a_folder_without_logs_says_what_to_do_and_shows_the_first_that_lands(
    tmp_path_factory: pytest.TempPathFactory, context: BrowserContext
) -> None:
    from tests.driftline import viewing

    folder = tmp_path_factory.mktemp("empty")
    with viewing(folder, data=tmp_path_factory.mktemp("data")) as (origin, _):
        reader = reader_of(context, origin)
        reader.go("/")
        expect(reader.page.get_by_text("driftline ingest PATH")).to_be_visible(timeout=WAIT)
        write_log(folder / "run-a" / "step_1" / "a.eval", [1, 0])
        reader.page.get_by_role("button", name="New data").click(timeout=WAIT)
        expect(reader.page.get_by_test_id("stMain").get_by_test_id("stDataFrame").first).to_contain_text(
            "run=run-a", timeout=WAIT
        )
