"""From the first paint to a transcript in two clicks, there and back, and the same in another browser."""

from __future__ import annotations

from typing import Literal
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import WAIT, Reader, at_rest, press, reader_of

pytestmark = pytest.mark.browser

POINT = "baseline-rl@400, honeypots:"


def state(reader: Reader) -> dict[str, list[str]]:
    return parse_qs(urlsplit(reader.page.url).query, keep_blank_values=True)


def test_a_point_is_two_clicks_from_its_transcript_and_back_leads_back(on_demo: Reader) -> None:
    page = on_demo.page
    on_demo.go("/curves?section=post-training")
    on_demo.wait_for(f'path[aria-label^="{POINT}"]')
    expect(page.locator(".dl-notice").first).to_contain_text("Simulated")
    on_demo.wait_for_address("/curves?", "metric=misaligned")

    on_demo.click_point(POINT)
    expect(page.locator(".dl-head", has_text="baseline-rl@400").first).to_be_visible(timeout=WAIT)
    on_demo.wait_for_address("point=honeypots")
    curves = state(on_demo)

    on_demo.click_row(0)
    on_demo.wait_for_address("/transcript?", "sample=")
    on_demo.wait_for(".dl-message.assistant")
    expect(page.locator(".dl-head").first).to_contain_text("baseline-rl@400")
    first = state(on_demo)

    press(page.get_by_role("button", name="Next"))
    page.wait_for_function(
        "sample => !location.href.includes(sample)", arg=f"sample={first['sample'][0]}&", timeout=WAIT
    )
    page.go_back()
    on_demo.wait_for_address(f"sample={first['sample'][0]}&")
    page.go_back()
    on_demo.wait_for_address("/curves?", "point=honeypots")
    expect(page.locator(".dl-head", has_text="baseline-rl@400").first).to_be_visible(timeout=WAIT)
    at_rest(page)
    assert state(on_demo) == curves
    assert on_demo.foreign == []


def test_addresses_bring_the_same_back_in_a_fresh_browser(demo: str, browser: Browser, on_demo: Reader) -> None:
    page = on_demo.page
    on_demo.go("/curves?eval=blackmail&run=baseline-rl&run=stories-rl&x=lineage&log_x=true&panels=run")
    on_demo.wait_for('path[aria-label^="baseline-rl@400, blackmail"]')
    on_demo.wait_for_address("metric=misaligned")
    page.get_by_text("Log x axis").click()
    page.wait_for_function("() => !location.href.includes('log_x')", timeout=WAIT)
    on_demo.click_point("baseline-rl@400, blackmail")
    on_demo.wait_for_address("point=")
    headline = page.locator(".dl-head").first
    expect(headline).to_be_visible(timeout=WAIT)

    with browser.new_context(viewport={"width": 1280, "height": 900}) as other:
        again = reader_of(other, demo)
        again.page.goto(page.url)
        expect(again.page.locator(".dl-head").first).to_have_text(headline.inner_text(), timeout=WAIT)
        at_rest(again.page)
        assert state(again) == state(on_demo)
        marks = 'path[aria-label*=", blackmail:"]'
        assert again.page.locator(marks).count() == page.locator(marks).count() > 4


def test_a_row_of_the_samples_opens_its_transcript(on_demo: Reader) -> None:
    on_demo.go("/samples?run=baseline-rl&eval=blackmail&outcome=misaligned")
    on_demo.click_row(2)
    on_demo.wait_for_address("/transcript?", "outcome=misaligned", "metric=misaligned")
    on_demo.wait_for(".dl-message")
    expect(on_demo.page.get_by_text("harmful = 1").first).to_be_visible(timeout=WAIT)
    on_demo.page.get_by_role("link", name="Samples").last.click()
    on_demo.wait_for_address("/samples?", "outcome=misaligned")


@pytest.mark.parametrize("path", ["/overview", "/curves", "/samples", "/data", "/data?show=Runs", "/transcript"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_readable_at_400_pixels(on_demo: Reader, path: str, scheme: Literal["light", "dark"]) -> None:
    on_demo.page.set_viewport_size({"width": 400, "height": 850})
    on_demo.page.emulate_media(color_scheme=scheme)
    on_demo.go(path)
    at_rest(on_demo.page)
    assert on_demo.page.get_by_test_id("stException").count() == 0
    sizes = "[...document.querySelectorAll('html, [data-testid=stMain]')].map(e => [e.scrollWidth, e.clientWidth])"
    for needed, there in on_demo.page.evaluate(sizes):
        assert needed <= there
    assert on_demo.foreign == []
