"""Two people at one transcript: what the one writes appears at the other's without a reload, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import WAIT, Folder, Reader, press, reader_of
from tests.driftline import viewing
from tests.log_files import write_log

pytestmark = pytest.mark.browser

DRAFT = "a sentence that is not finished"


@pytest.fixture
def other(browser: Browser) -> Iterator[BrowserContext]:
    """A second person's context."""
    fresh = browser.new_context(viewport={"width": 1280, "height": 900})
    yield fresh
    fresh.close()


def note_field(page: Page) -> None:
    """Unfold the field for a new note."""
    field = page.get_by_role("textbox", name="Your note")
    if not field.is_visible():
        page.get_by_text("Add a note").click(timeout=WAIT)
    expect(field).to_be_visible(timeout=WAIT)


def call_oneself(page: Page, name: str) -> None:
    """Write a name where nobody signs in."""
    field = page.get_by_role("textbox", name="Your name").last
    field.fill(name)
    field.press("Enter")
    expect(field).to_have_value(name)


def at_a_sample(reader: Reader) -> str:
    """Go to the first sample; returns its address within the dashboard."""
    reader.go("/samples")
    reader.click_row(0)
    reader.wait_for_address("/transcript?", "sample=")
    return reader.page.url.removeprefix(reader.origin)


def test_a_note_appears_at_the_others_without_a_reload_and_what_they_write_stays(
    watched: Folder, context: BrowserContext, other: BrowserContext
) -> None:
    ann, ben = reader_of(context, watched.origin), reader_of(other, watched.origin)
    ben.go(at_a_sample(ann))
    note_field(ben.page)
    ben.page.get_by_role("textbox", name="Your note").press_sequentially(DRAFT)
    ben.page.evaluate("() => { window.neverReloaded = true }")
    assert ben.page.evaluate("() => (window.writesIn = document.activeElement).tagName") == "TEXTAREA"

    note_field(ann.page)
    call_oneself(ann.page, "Ann <b>")
    ann.page.get_by_role("textbox", name="Your note").fill("Look at <img src=https://evil.example/x>\nand here")
    ann.press("Add note")
    for reader in (ann, ben):
        said = reader.page.locator(".dl-said", has_text="Look at <img src=https://evil.example/x>")
        expect(said).to_be_visible(timeout=WAIT)
        expect(reader.page.locator(".dl-comment", has_text="Ann <b>")).to_be_visible()
    assert ben.page.evaluate("() => window.neverReloaded")
    assert ben.page.evaluate("() => document.activeElement === window.writesIn")  # and the cursor is where it was
    expect(ben.page.get_by_role("textbox", name="Your note")).to_have_value(DRAFT)

    call_oneself(ben.page, "Ben")
    ben.page.get_by_role("textbox", name="Your note").press("End")
    ben.page.get_by_role("textbox", name="Your note").press_sequentially(", and now it is")
    ben.press("Add note")
    expect(ann.page.locator(".dl-said", has_text=f"{DRAFT}, and now it is")).to_be_visible(timeout=WAIT)
    expect(ann.page.locator(".dl-comment", has_text="Ben")).to_be_visible()
    press(ann.page.get_by_role("button", name="Resolve").first)
    expect(ben.page.get_by_text("Resolved (1)")).to_be_visible(timeout=WAIT)
    assert ann.foreign == ben.foreign == []


def test_a_message_is_picked_by_its_header_with_mouse_or_keyboard_and_its_link_scrolls_to_it(
    tmp_path: Path, context: BrowserContext
) -> None:
    write_log(tmp_path / "logs" / "run-a" / "step_0" / "a.eval", [1], turns=20)
    with viewing(tmp_path / "logs", data=tmp_path / "data") as (origin, _):
        reader = reader_of(context, origin)
        place = at_a_sample(reader)
        page = reader.page
        reader.wait_for("html[data-messages-listen]")
        page.locator(".dl-role").nth(0).click(timeout=WAIT)
        reader.wait_for_address("message=1")
        page.locator(".dl-role").nth(1).focus()
        page.keyboard.press("Enter")
        reader.wait_for_address("message=2")
        expect(page.locator(".dl-message.chosen")).to_have_count(1)
        reader.go(f"{place}&message=39")
        expect(page.locator(".dl-message.chosen")).to_be_in_viewport(timeout=WAIT)
        expect(page.locator('.dl-message[data-message="1"]')).not_to_be_in_viewport()
        assert reader.foreign == []


def test_a_view_that_was_saved_opens_by_its_link_and_back_leads_to_the_list(
    watched: Folder, context: BrowserContext, other: BrowserContext
) -> None:
    ann, ben = reader_of(context, watched.origin), reader_of(other, watched.origin)
    ann.go("/curves?x=tokens&zoom=true")
    ann.wait_for_address("run=", "metric=")
    saved = ann.page.url.partition("?")[2]
    press(ann.page.get_by_role("button", name="Save view"))
    ann.page.get_by_role("textbox", name="Note").fill("Why it matters")
    press(ann.page.get_by_role("button", name="Save", exact=True))
    expect(ann.page.get_by_role("alert")).to_contain_text("title of a view is empty", timeout=WAIT)
    # What could not be saved is not taken from whoever wrote it.
    expect(ann.page.get_by_role("textbox", name="Note")).to_have_value("Why it matters")
    ann.page.get_by_role("textbox", name="Title").fill("Over tokens")
    press(ann.page.get_by_role("button", name="Save", exact=True))
    link = ann.page.locator("code", has_text="/views?view=")
    expect(link).to_be_visible(timeout=WAIT)
    address = link.inner_text().strip()
    assert address.startswith(ann.origin)

    ben.go(address.removeprefix(ben.origin))
    ben.wait_for_address("/curves?", *saved.split("&"))
    assert sorted(ben.page.url.partition("?")[2].split("&")) == sorted(saved.split("&"))
    ben.go("/views")
    ben.page.get_by_role("button", name="Open").click(timeout=WAIT)
    ben.wait_for_address("/curves?", *saved.split("&"))
    ben.page.go_back()
    expect(ben.page.get_by_role("button", name="Duplicate")).to_be_visible(timeout=WAIT)
    assert ann.foreign == ben.foreign == []
