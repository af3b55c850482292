"""The Overview in a browser: a row leads to its curves and those of its parents, and checked rows to other pages."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import WAIT, Reader, place_of

pytestmark = pytest.mark.browser


def test_a_row_leads_to_the_curves_of_its_lineage(on_demo: Reader) -> None:
    on_demo.go("/overview?view=chart")
    row = 'path[aria-label^="Stories (RL): 15.0%"]'
    on_demo.wait_for(row)
    on_demo.wait_for_address("/overview?", "eval=honeypots", "metric=misaligned")
    place_of(on_demo.page.locator(row).first)
    on_demo.page.locator(row).first.click()
    on_demo.wait_for_address("/curves?", "run=stories-rl&run=stories-sft&run=stories-sdf", "x=lineage")
    on_demo.wait_for('path[aria-label^="stories-sdf@800, honeypots:"]')
    assert on_demo.foreign == []


def test_what_is_checked_in_the_table_opens_elsewhere(on_demo: Reader) -> None:
    on_demo.go("/overview?run=stories-rl")
    expect(on_demo.page.get_by_role("link", name="Curves of 1 run")).to_be_visible(timeout=WAIT)
    table = on_demo.page.get_by_test_id("stMain").get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    # The checkbox of the first row, below the header.
    table.click(position={"x": 20, "y": 55})
    link = on_demo.page.get_by_role("link", name="Curves of 2 runs")
    link.click(timeout=WAIT)
    on_demo.wait_for_address("/curves?", "run=stories-rl&run=")
    on_demo.wait_for('path[aria-label^="stories-rl@"]')
