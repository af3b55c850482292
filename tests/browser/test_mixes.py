"""Data mixes in a browser: from a point of the frontier to its samples, and a view that a click changes."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import WAIT, Reader

pytestmark = pytest.mark.browser


def test_a_point_opens_its_samples_and_a_view_begins_with_runs_of_its_own(on_demo: Reader) -> None:
    page = on_demo.page
    on_demo.go("/mixes")
    on_demo.click_point("difficult-advice@300, honeypots: 3.0%, 300")
    expect(page.locator(".dl-head", has_text="difficult-advice@300").first).to_be_visible(timeout=WAIT)
    on_demo.wait_for_address("point=honeypots", "against=difficult-advice%40300")

    page.get_by_role("radio", name="scaling").or_(page.get_by_role("button", name="scaling")).first.click()
    on_demo.wait_for_address("view=scaling", "run=corpus-390m", "eval=blackmail")
    on_demo.wait_for('path[aria-label^="corpus-390m@780, blackmail: 25.0%, 10 of 40"]')
    assert on_demo.foreign == []
