"""Share: the link that a reader copies shows somebody else the same numbers, also when new logs have changed them."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import WAIT, Folder, press, reader_of
from tests.log_files import write_log

pytestmark = pytest.mark.browser

POINT = 'path[aria-label^="run-a@100, honeypot"]'


def _to_the_top(page: Page) -> None:
    """The heading lies under the navigation where the page was scrolled."""
    page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 0)")


def shared_link(page: Page) -> str:
    _to_the_top(page)
    press(page.get_by_role("button", name="Share"))
    link = page.get_by_role("dialog").locator("code").first
    expect(link).to_contain_text("as_of=", timeout=WAIT)
    text = link.inner_text().strip()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden(timeout=WAIT)
    return text


def _label(page: Page) -> str:
    page.locator(POINT).first.wait_for(state="attached", timeout=WAIT)
    return page.locator(POINT).first.get_attribute("aria-label") or ""


def test_a_shared_link_keeps_its_numbers_and_offers_the_newest(
    watched: Folder, browser: Browser, context: BrowserContext
) -> None:
    reader = reader_of(context, watched.origin)
    reader.go("/curves")
    label = _label(reader.page)
    assert "25.0%, 1 of 4" in label
    reader.click_point("run-a@100")
    reader.wait_for_address("point=")
    link = shared_link(reader.page)
    assert link.startswith(f"{watched.origin}/curves?")
    assert "point=" in link

    write_log(Path(watched.path) / "run-a" / "step_100" / "a.eval", [1, 1, 1, 0, 0])
    expect(reader.page.get_by_role("button", name="New data")).to_be_visible(timeout=WAIT)

    other = browser.new_context(viewport={"width": 1280, "height": 900})
    colleague = reader_of(other, watched.origin)
    colleague.go(link.removeprefix(watched.origin))
    assert _label(colleague.page) == label
    expect(colleague.page.get_by_text("Frozen at")).to_be_visible()
    # What is behind the point that was chosen is there too, and its samples lead to a transcript of that batch.
    expect(colleague.page.get_by_text("1 of 4").first).to_be_visible(timeout=WAIT)
    colleague.click_row(0)
    colleague.wait_for_address("/transcript", "as_of=1-")
    colleague.page.go_back()
    colleague.page.locator(POINT).first.wait_for(state="attached", timeout=WAIT)

    _to_the_top(colleague.page)
    press(colleague.page.get_by_role("button", name="Show latest data"))
    colleague.wait_for('path[aria-label^="run-a@100, honeypot: 60.0%, 3 of 5"]')
    assert "as_of" not in colleague.page.url
    assert not colleague.foreign
    other.close()
