"""Print: dark ink on white paper also from a dark screen, without navigation, and nothing wider than the sheet."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from dashboard.charts.palette import INKS
from tests.browser.conftest import at_rest, reader_of
from tests.dashboard.charts.test_palette import LEAST_CONTRAST, contrast

pytestmark = pytest.mark.browser

CHART = '[data-testid="stVegaLiteChart"] svg'

COLOURS = """selector => [...document.querySelectorAll(selector)]
    .filter(e => e.textContent.trim() && e.getClientRects().length)
    .map(e => getComputedStyle(e)[e.namespaceURI.endsWith('svg') ? 'fill' : 'color'].match(/[0-9.]+/g).slice(0, 3))
    .map(rgb => '#' + rgb.map(n => Math.round(n).toString(16).padStart(2, '0')).join(''))"""
"""The colours of all words that are to be seen, without their opacity."""

A4_AT_96_DPI = 794


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/overview?view=chart", "/curves"])
def test_a_page_is_printed_dark_on_white(demo: str, browser: Browser, path: str, scheme: str) -> None:
    screen = {"width": 1280, "height": 900}
    with browser.new_context(viewport=screen, color_scheme=scheme) as context:  # type: ignore[arg-type]
        reader = reader_of(context, demo)
        reader.go(path)
        reader.wait_for(CHART)
        at_rest(reader.page)
        reader.page.emulate_media(media="print")
        for selector in (f"{CHART} text", ".dl-note", "h3", "[data-testid=stExpander] summary"):
            for colour in set(reader.page.evaluate(COLOURS, selector)):
                assert contrast(colour, INKS["light"].paper) >= LEAST_CONTRAST, (selector, colour)
        paper = "selector => getComputedStyle(document.querySelector(selector)).backgroundColor"
        for selector in (".stApp", CHART):
            assert reader.page.evaluate(paper, selector) in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")
        assert not reader.page.get_by_test_id("stSidebar").is_visible()
        assert not reader.page.get_by_test_id("stHeader").is_visible()

        reader.page.set_viewport_size({"width": A4_AT_96_DPI, "height": 1123})
        at_rest(reader.page)
        for right in reader.page.evaluate(
            f"[...document.querySelectorAll('{CHART}')].map(e => e.getBoundingClientRect().right)"
        ):
            assert right <= A4_AT_96_DPI
