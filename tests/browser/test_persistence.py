"""A lead leads to its samples, and the address to the same lead."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import WAIT, Reader

pytestmark = pytest.mark.browser


def test_a_click_on_a_lead_opens_the_runs_samples(on_demo: Reader) -> None:
    page = on_demo.page
    on_demo.go("/persistence?eval=blackmail&run=plain-rl&run=documents-rl&baseline=plain-rl")
    on_demo.click_point("documents-rl@400 over plain-rl@400, blackmail: +25.0 pp")
    head = page.locator(".dl-head", has_text="documents-rl@400")
    expect(head).to_be_visible(timeout=WAIT)
    on_demo.wait_for_address("point=blackmail", "metric=misaligned", "baseline=plain-rl")
    # Below the leads, not above them.
    chart = page.get_by_test_id("stVegaLiteChart").last.bounding_box()
    panel = head.bounding_box()
    assert chart is not None
    assert panel is not None
    assert panel["y"] > chart["y"]
    page.reload()
    expect(head).to_be_visible(timeout=WAIT)
    assert on_demo.foreign == []
