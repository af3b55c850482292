"""Assessment: a dot, and a cell of the heatmap, are one click from their samples."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import WAIT, Reader

pytestmark = pytest.mark.browser

LINK = "/assessment?eval=blackmail&checkpoint=opus-4@final&checkpoint=haiku-4.5@final&checkpoint=documents@750"


@pytest.mark.parametrize("view", ["dots", "heatmap"])
def test_a_mark_opens_its_samples_and_a_row_its_transcript(on_demo: Reader, view: str) -> None:
    page = on_demo.page
    on_demo.go(f"{LINK}&view={view}")
    on_demo.wait_for_address("metric=misaligned")
    on_demo.click_point("haiku-4.5@final, blackmail: 0.0%, 0 of 100")
    expect(page.locator(".dl-head", has_text="0 of 100").first).to_be_visible(timeout=WAIT)
    expect(page.locator(".dl-head").first).to_contain_text("3.7%")
    on_demo.wait_for_address("point=blackmail")
    on_demo.click_row(0)
    on_demo.wait_for_address("/transcript?", "sample=")
    assert on_demo.foreign == []
