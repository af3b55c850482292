"""The Overview in a browser: a row leads to the curves of its run and all that it was trained from, readable at 400."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Reader

pytestmark = pytest.mark.browser


def test_a_row_leads_to_the_curves_of_its_lineage(on_demo: Reader) -> None:
    on_demo.go("/")
    row = 'path[aria-label^="Stories (RL): 15.0%"]'
    on_demo.wait_for(row)
    on_demo.wait_for_address("/overview?", "eval=honeypots", "metric=misaligned")
    on_demo.place_of(on_demo.page.locator(row).first)
    on_demo.page.locator(row).first.click()
    on_demo.wait_for_address("/curves?", "run=stories-rl&run=stories-sft&run=stories-sdf", "x=lineage")
    on_demo.wait_for('path[aria-label^="stories-sdf@800, honeypots:"]')
    assert on_demo.foreign == []
