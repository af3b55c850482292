"""The documentation in a real Chromium: wide and narrow, light and dark, searched, and on nothing but itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboard.cli import parser
from dashboard.docs import site
from dashboard.docs.contents import NAMES
from dashboard.docs.serving import server

pytestmark = pytest.mark.browser

NARROW, WIDE = 400, 1280


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """Where the documentation is served."""
    with server(site.build(parser()).files, 0) as serving:
        thread = threading.Thread(target=serving.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_address[1]}/"
        serving.shutdown()
        thread.join(10)


@pytest.fixture
def page(browser: Browser, origin: str) -> Iterator[Page]:
    """A page of a reader who likes it dark; errors in its console and requests to elsewhere fail the test."""
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    odd: list[str] = []
    page.on("console", lambda message: odd.append(message.text))
    page.on("pageerror", lambda error: odd.append(str(error)))
    page.on("request", lambda request: odd.append(request.url) if not request.url.startswith(origin) else None)
    yield page
    context.close()
    assert odd == []


def test_no_page_is_wider_than_a_telephone_or_a_screen(page: Page, origin: str) -> None:
    for width in (NARROW, WIDE):
        page.set_viewport_size({"width": width, "height": 800})
        for name in NAMES:
            page.goto(f"{origin}{name}.html")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
            expect(page.get_by_role("navigation", name="Pages")).to_be_visible(visible=width == WIDE)


def test_the_search_leads_to_a_section_by_keyboard(page: Page, origin: str) -> None:
    page.goto(origin)
    page.keyboard.press("/")
    page.keyboard.type("wilson_interval")
    expect(page.locator("#found a").first).to_contain_text("Statistics › wilson_interval")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/statistics.html#wilson_interval")
    expect(page.locator("#found")).to_be_hidden()
    page.get_by_label("Search", exact=True).fill("nothing of this kind")
    expect(page.locator("#found")).to_have_text("No results")


def test_the_theme_is_the_readers_and_stays_where_one_was_picked(page: Page, origin: str) -> None:
    page.goto(origin)
    ink = "getComputedStyle(document.body).color"
    dark = page.evaluate(ink)
    button = page.get_by_role("button", name="Theme")
    button.click()
    expect(button).to_have_text("Theme: light")
    light = page.evaluate(ink)
    page.goto(f"{origin}commands.html")
    expect(button).to_have_text("Theme: light")
    assert (page.evaluate(ink), light != dark) == (light, True)


def test_pages_work_as_files(browser: Browser, tmp_path: Path) -> None:
    site.write(site.build(parser()), tmp_path)
    context = browser.new_context()
    page = context.new_page()
    page.goto((tmp_path / "index.html").as_uri())
    page.get_by_label("Search", exact=True).fill("pairing")
    page.locator("#found a").first.click()
    expect(page.locator("main h1")).to_be_visible()
    assert page.url.startswith("file://")
    context.close()
