"""Whatever ids, runs and evals are called, a link that was reached by clicks opens the same thing for somebody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from dashboard import links
from tests.browser.conftest import WAIT, Reader, press, reader_of
from tests.driftline import viewing
from tests.log_files import write_log

pytestmark = pytest.mark.browser

ODD = [
    "a/b/c",
    "%2F and %252F",
    "../../etc/passwd",
    "what? & #why + = ;",
    "\"double\" 'single' `tick` <b>",
    "日本 é ü 🙂 \u202eright to left",
    "  spaces  inside ",
    "long " + "x" * 295,
    "javascript:alert(1)//[l](http://evil.example)",
]
TOGETHER = "  ".join(["", *ODD])
"""Every character of them: what an address does to one, it does wherever the character stands."""
RUN, OTHER = "run/%2F? & #1 + 'é'", '../other "run" 日本@7'
EVAL = "100% & more? #2F"
BESIDE = "Side by side: this run"
NOWHERE = "nowhere=http://127.0.0.1:9/v1"
"""An endpoint that doesn't answer: with one declared, the Probe page shows its composer."""


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Two runs at two steps, each with all of the odd ids; outcomes differ at the second step."""
    folder = tmp_path_factory.mktemp("odd")
    ids = [*ODD, TOGETHER]
    none, all_, one = [0] * len(ids), [1] * len(ids), [1, *[0] * (len(ids) - 1)]
    for number, (run, later) in enumerate(((RUN, all_), (OTHER, one))):
        for step, values in ((0, none), (100, later)):
            write_log(
                folder / f"{number}-{step}.eval", values, task=EVAL, ids=ids, reply=f"Reply at {step}",
                metadata={"run": run, "step": step},
            )  # fmt: skip
    with viewing(folder, "--endpoint", NOWHERE, data=tmp_path_factory.mktemp("data")) as (origin, _):
        yield origin


@pytest.fixture
def fresh(browser: Browser, odd: str) -> Iterator[Callable[[str], Reader]]:
    """Opens an address as somebody who was never here."""
    contexts: list[BrowserContext] = []

    def open_fresh(url: str) -> Reader:
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 900}))
        reader = reader_of(contexts[-1], odd)
        assert url.startswith(odd)
        reader.go(url.removeprefix(odd))
        return reader

    yield open_fresh
    for context in contexts:
        context.close()


def settled(page: Page) -> None:
    """Wait until the page is drawn and its address written."""
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=WAIT)


def says(page: Page, name: str, *texts: str) -> None:
    """Wait until the page's heading names a question, and it says some texts."""
    expect(page.locator(".dl-head b").filter(has_text=name.strip()).first).to_be_visible(timeout=WAIT)
    for text in texts:
        expect(page.get_by_test_id("stMain")).to_contain_text(text, timeout=WAIT)
    assert page.get_by_test_id("stException").count() == 0


def test_every_odd_id_is_itself_again_once_the_browser_has_read_an_address_with_it(
    odd: str, context: BrowserContext
) -> None:
    page = context.new_page()
    page.goto(f"{odd}/news")
    read = "query => new URL('/transcript?' + query, location.href).searchParams.getAll('sample')"
    for name in [*ODD, TOGETHER]:
        assert page.evaluate(read, links.query({"sample": [name]})) == [name]


@pytest.mark.parametrize("number", [len(ODD), len(ODD) + 1], ids=["a scheme first", "all characters"])
def test_a_sample_with_an_odd_id_opens_for_somebody_else_on_every_page(
    odd: str, context: BrowserContext, fresh: Callable[[str], Reader], number: int
) -> None:
    name, told = [*ODD, TOGETHER][number - 1], f"Dilemma {number}"
    me = reader_of(context, odd)
    page = me.page
    me.go("/samples?" + links.query(links.parameters(run=[RUN], step=[100], eval=[EVAL], text=told)))
    expect(page.get_by_test_id("stMain")).to_contain_text("1 sample", timeout=WAIT)
    me.click_row(0)
    page.wait_for_url("**/transcript?**", timeout=WAIT)
    says(page, name, told, "Reply at 100")
    settled(page)
    other = fresh(page.url)
    says(other.page, name, told, "Reply at 100")
    beside, probe = (
        str(page.get_by_role("link", name=label).evaluate("link => link.href"))
        for label in (BESIDE, "Prompt other models")
    )
    other.go(beside.removeprefix(odd))
    says(other.page, name, "First divergence", "1 identical message")
    settled(other.page)
    assert links.query({"sample": [name]}) in other.page.url
    other.go(probe.removeprefix(odd))
    expect(other.page.get_by_test_id("stMain")).to_contain_text("Prompt from", timeout=WAIT)
    expect(other.page.get_by_role("textbox", name="Message")).to_have_value(told, timeout=WAIT)
    assert other.page.get_by_test_id("stException").count() == 0
    assert me.foreign == other.foreign == []


def test_a_pair_of_odd_runs_opens_for_somebody_else_on_compare(
    odd: str, context: BrowserContext, fresh: Callable[[str], Reader]
) -> None:
    names = [f"{RUN}@0", f"{RUN}@100", f"{OTHER}@100"]
    me = reader_of(context, odd)
    page = me.page
    me.go("/compare?" + links.query(links.parameters(checkpoint=names, baseline=names[0], eval=[EVAL])))
    pair = page.get_by_role("combobox", name="Flipped questions")
    press(pair)
    page.get_by_role("option").nth(1).click()
    expect(page.get_by_test_id("stMain")).to_contain_text(", 1 negative → positive", timeout=WAIT)
    me.wait_for_address("pair=")
    settled(page)
    other = fresh(page.url)
    expect(other.page.get_by_test_id("stMain")).to_contain_text(", 1 negative → positive", timeout=WAIT)
    shown = other.page.get_by_role("combobox", name="Flipped questions")
    expect(shown).to_be_visible(timeout=WAIT)
    assert page.get_by_test_id("stException").count() == 0
    assert me.foreign == other.foreign == []


def test_a_link_to_a_transcript_still_works_after_the_log_was_moved_and_renamed(
    tmp_path: Path, context: BrowserContext
) -> None:
    folder = tmp_path / "logs"
    log = write_log(folder / "run-a" / "step_5" / "a.eval", [1, 0], ids=["q/1", "q/2"])
    with viewing(folder, data=tmp_path / "data") as (origin, _):
        me = reader_of(context, origin)
        me.go("/samples")
        me.click_row(0)
        me.page.wait_for_url("**/transcript?**", timeout=WAIT)
        says(me.page, "q/1", "run-a@5")
        settled(me.page)
        link = me.page.url.removeprefix(origin)
        (folder / "else where").mkdir()
        log.rename(folder / "else where" / "renamed & moved.eval")
        # The move is noticed by the watcher; the page offers the update.
        me.page.get_by_role("button", name="New data: update").wait_for(timeout=WAIT)
        me.go(link)
        says(me.page, "q/1", "Dilemma 1", "renamed & moved.eval")
