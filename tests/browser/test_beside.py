"""Side by side in a browser: from a curve, a flip and a transcript, on by keys, and at any width."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import WAIT, Reader, place_of, press

pytestmark = pytest.mark.browser

PAIR = "checkpoint=sonnet-4-like@0&checkpoint=difficult-advice@300"
LINK = f"/beside?eval=blackmail&metric=misaligned&{PAIR}&sample=brewery-3"
COMPARE = f"/compare?{PAIR}&baseline=sonnet-4-like@0&eval=blackmail"


def sample_in(page: Page) -> str:
    """The question that the address names."""
    return parse_qs(urlsplit(page.url).query)["sample"][0]


def shows(page: Page, sample: str) -> None:
    """Wait until a question is shown, and stands in the address."""
    expect(page.locator(".dl-head b").filter(has_text=sample).first).to_have_text(sample, timeout=WAIT)
    page.wait_for_function("name => new URL(location).searchParams.get('sample') === name", arg=sample, timeout=WAIT)


def at_rest(page: Page) -> None:
    """Wait until the page has nothing more to do, and its buttons hear their keys."""
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=WAIT)
    expect(page.get_by_role("button", name="Next").first).to_be_enabled(timeout=WAIT)


def test_keys_lead_to_other_questions_and_to_the_next_disagreement(on_demo: Reader) -> None:
    page = on_demo.page
    on_demo.go(LINK)
    shows(page, "brewery-3")
    expect(page.locator(".bs-parting")).to_contain_text("First divergence", timeout=WAIT)
    for key, sample in (("j", "brewery-4"), ("k", "brewery-3"), ("k", "brewery-2"), ("d", "brewery-3")):
        at_rest(page)
        page.keyboard.press(key)
        shows(page, sample)
    at_rest(page)
    page.keyboard.press("d")
    expect(page.locator(".dl-head b").first).not_to_have_text("brewery-3", timeout=WAIT)
    at_rest(page)
    page.keyboard.press("Shift+D")
    shows(page, "brewery-3")
    assert page.get_by_role("button", name="Next disagreement").inner_text().endswith("D")
    assert on_demo.foreign == []


def test_keys_are_letters_where_one_writes(on_demo: Reader) -> None:
    page = on_demo.page
    on_demo.go(LINK)
    shows(page, "brewery-3")
    at_rest(page)
    box = page.get_by_role("combobox", name="Checkpoints")
    box.click()
    page.keyboard.type("djk")
    expect(box).to_have_value("djk", timeout=WAIT)
    page.keyboard.press("Escape")
    assert sample_in(page) == "brewery-3"
    box.blur()
    page.get_by_test_id("stPageLink").filter(has_text="Whole transcript").first.click()
    page.wait_for_url("**/transcript?**", timeout=WAIT)
    on_demo.wait_for(".dl-message")
    at_rest(page)
    find = page.get_by_placeholder("Find in this transcript")
    find.click()
    page.keyboard.type("jkd")
    expect(find).to_have_value("jkd", timeout=WAIT)
    page.keyboard.press("Enter")
    expect(page.get_by_text("found 0 times")).to_be_visible(timeout=WAIT)
    assert sample_in(page) == "brewery-3"
    find.blur()
    at_rest(page)
    page.keyboard.press("j")
    shows(page, "brewery-4")


def test_a_flipped_question_is_a_click_from_both_transcripts_side_by_side(on_demo: Reader) -> None:
    page = on_demo.page
    on_demo.go(COMPARE)
    table = page.get_by_test_id("stMain").get_by_test_id("stDataFrame").first
    table.locator("canvas").first.wait_for(timeout=WAIT)
    # The last column leads to both.
    table.click(position={"x": place_of(table)["width"] - 30, "y": 50})
    page.wait_for_url("**/beside?**", timeout=WAIT)
    expect(page.locator(".bs-parting")).to_contain_text("First divergence", timeout=WAIT)
    at_rest(page)
    assert parse_qs(urlsplit(page.url).query)["checkpoint"] == ["sonnet-4-like@0", "difficult-advice@300"]
    assert "view=Differences" not in page.url


def test_from_a_curve_to_the_first_step_where_a_question_changed(on_demo: Reader) -> None:
    page = on_demo.page
    on_demo.go("/curves?eval=blackmail&metric=misaligned&run=plain-rl")
    on_demo.click_point("plain-rl@200, ")
    page.get_by_role("link", name="Side by side: this run").click(timeout=WAIT)
    page.wait_for_url("**/beside?**", timeout=WAIT)
    expect(page.locator(".bs-strip li").first).to_be_visible(timeout=WAIT)
    expect(page.get_by_test_id("stMain")).to_contain_text("questions flipped along the run", timeout=WAIT)
    press(page.get_by_role("button", name="Side by side: steps of this run"))
    expect(page.locator(".bs-head").first).to_be_visible(timeout=WAIT)
    assert on_demo.foreign == []


@pytest.mark.parametrize(("width", "beside"), [(1280, True), (400, False)])
def test_columns_stand_beside_each_other_or_under_each_other_each_named(
    on_demo: Reader, width: int, beside: bool
) -> None:
    page = on_demo.page
    page.set_viewport_size({"width": width, "height": 900})
    on_demo.go(LINK)
    shows(page, "brewery-3")
    cells = page.locator(".bs-cell:not(.nothing)")
    expect(cells.nth(1)).to_be_visible(timeout=WAIT)
    at_rest(page)
    first, second = cells.nth(0).bounding_box(), cells.nth(1).bounding_box()
    assert first
    assert second
    assert (abs(first["y"] - second["y"]) < 2) == beside
    assert cells.nth(1).locator(".bs-name").is_visible() != beside
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth <= innerWidth")
