"""Compare in a browser: from a difference to the questions behind it, and from there to both transcripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import WAIT, Reader, place_of

pytestmark = pytest.mark.browser

LINK = "/compare?checkpoint=sonnet-4-like@0&checkpoint=difficult-advice@300&baseline=sonnet-4-like@0&eval=blackmail"


@pytest.mark.parametrize(("column", "run"), [(1, "sonnet-4-like"), (2, "difficult-advice")])
def test_a_flipped_question_is_a_click_from_either_transcript(on_demo: Reader, column: int, run: str) -> None:
    page = on_demo.page
    on_demo.go(LINK)
    table = page.get_by_test_id("stMain").get_by_test_id("stDataFrame").first
    table.locator("canvas").first.wait_for(timeout=WAIT)
    place_of(table)
    # Columns: the question (120 pixels), then the baseline's and the checkpoint's cell, of 210 pixels each.
    table.click(position={"x": 120 + 210 * (column - 1) + 60, "y": 50})
    page.wait_for_url("**/transcript?**", timeout=WAIT)
    on_demo.wait_for(".dl-message")
    expect(page.locator("body")).to_contain_text(run, timeout=WAIT)
    assert on_demo.foreign == []
