"""The browser's history: an entry for each action of the reader, and Back to what was there."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import WAIT, Reader

pytestmark = pytest.mark.browser

PAGES = ("curves", "mixes", "compare", "beside")
"""Pages that write what they begin with into their address."""

TOP = "document.querySelector('[data-testid=stMain]').scrollTop"


def _drawn(page: Page, part: str) -> None:
    """Wait until a page has run to its end, with its parameters in the address."""
    page.wait_for_url(lambda url: part in url, timeout=WAIT)
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=WAIT)


def _entries(page: Page) -> int:
    return int(page.evaluate("history.length"))


def test_back_leaves_a_page_in_one_press(on_demo: Reader) -> None:
    on_demo.go("/views")
    page = on_demo.page
    for name in PAGES:
        link = page.locator(f'a[href$="/{name}"]').first
        if not link.is_visible():
            page.get_by_test_id("stTopNavSection").filter(has_text="Samples").first.click()
        before, came_from = _entries(page), page.url
        link.click()
        _drawn(page, f"/{name}?")
        assert _entries(page) == before + 1
        there = page.url
        page.go_back()
        _drawn(page, came_from)
        page.go_forward()
        _drawn(page, there)


def test_the_start_is_no_entry_of_its_own(on_demo: Reader) -> None:
    on_demo.page.goto("about:blank")
    on_demo.page.goto(on_demo.origin)
    _drawn(on_demo.page, "/overview?")
    on_demo.page.go_back()
    assert on_demo.page.url == "about:blank"


def test_a_choice_is_an_entry_and_back_takes_it_back(on_demo: Reader) -> None:
    on_demo.go("/curves")
    page = on_demo.page
    _drawn(page, "metric=")
    switch = page.get_by_test_id("stSidebar").get_by_role("radio", name="mix")
    before, there = _entries(page), page.url
    switch.click()
    _drawn(page, "mix=")
    assert _entries(page) == before + 1
    page.go_back()
    _drawn(page, there)
    expect(switch).not_to_be_checked(timeout=WAIT)


def test_back_restores_where_a_page_was_scrolled_to(on_demo: Reader) -> None:
    on_demo.go("/persistence")
    page = on_demo.page
    _drawn(page, "metric=")
    page.locator('[data-testid="stVegaLiteChart"] svg').nth(3).wait_for(timeout=WAIT)
    page.mouse.move(700, 500)
    page.mouse.wheel(0, 900)
    page.wait_for_function(f"{TOP} > 800")
    page.wait_for_function("history.state?.top > 800")
    page.locator('a[href$="/compare"]').first.click()
    _drawn(page, "/compare?")
    page.go_back()
    page.wait_for_function(f"{TOP} > 800", timeout=WAIT)
