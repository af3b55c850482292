"""The panel of runs in a browser: checked by a click and by keys; what is chosen holds on the next page."""

from __future__ import annotations

import pytest

from tests.browser.conftest import WAIT, Reader

pytestmark = pytest.mark.browser

ROW, TOP = 27, 36
"""Pixels of a row and of the header."""


def test_a_run_is_hidden_by_its_checkbox_and_another_by_keys(on_demo: Reader) -> None:
    on_demo.go("/curves?section=snapshots")
    on_demo.wait_for_address("/curves?", "run=advice-rl&run=documents-rl&run=plain-rl&run=stories-rl")
    table = on_demo.page.locator(".st-key-curves_run_rows").get_by_test_id("stDataFrame")
    table.locator("canvas").first.wait_for(timeout=WAIT)
    table.click(position={"x": 17, "y": TOP + ROW // 2})
    on_demo.wait_for_address("/curves?", "metric=misaligned&run=documents-rl&run=plain-rl&run=stories-rl")
    table.click(position={"x": 120, "y": TOP + 2 * ROW + ROW // 2})
    on_demo.page.keyboard.press("Shift+Space")
    on_demo.wait_for_address("/curves?", "metric=misaligned&run=plain-rl&run=stories-rl")
    on_demo.page.get_by_role("link", name="Persistence").first.click(timeout=WAIT)
    on_demo.wait_for_address("/persistence?", "run=plain-rl&run=stories-rl")
