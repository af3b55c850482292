"""A real Chromium, and real dashboards for it to look at: `driftline view` on a free port, with a store of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, FloatRect, Locator, Page, expect, sync_playwright

from dashboard.kit.tables import ROW_HEIGHT
from tests import real_parts
from tests.driftline import viewing
from tests.log_files import write_log
from tests.real_parts import CHROMIUMS

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
WAIT = 120_000
"""Milliseconds that anything may take on a busy machine."""

BRIEFLY = 5_000
"""Milliseconds in which what nobody may see has to be away: longer ones would forgive that it was there for a while."""

MOMENT, STILL = 50, 200
"""Milliseconds between two looks at where something stands, and of standing there to count as still."""

QUIET = 500
"""Milliseconds in which nothing changes on a page that has done all that it had to do."""

AT_REST = """quiet => {
    const now = performance.now();
    const rest = window.dlRest ??= {since: now, loads: 0};
    if (!rest.watched) {
        rest.watched = new MutationObserver(() => { rest.since = performance.now(); });
        rest.watched.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
    }
    const loads = performance.getEntriesByType('resource').length;
    const state = document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState;
    const undrawn = [...document.querySelectorAll('[data-testid="stSkeleton"], [data-testid="stVegaLiteChart"]')]
        .some(e => e.getClientRects().length && !e.querySelector('svg, canvas'));
    if (loads !== rest.loads || state !== 'notRunning' || undrawn) { rest.since = now; }
    rest.loads = loads;
    return now - rest.since >= quiet;
}"""
"""Whether the page has run, its charts are drawn, and neither elements nor loads came for a while."""

# Playwright's own 5 s are too few on a busy machine, and to wait longer lets nothing pass that doesn't appear.
expect.set_options(timeout=WAIT)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium as the system has it.

    It ends with these tests: while it lives, Playwright's event loop runs in this thread, and others could run none.
    """
    path = real_parts.program(*CHROMIUMS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        chromium.new_context = _patient(chromium.new_context)  # type: ignore[method-assign]
        yield chromium
        chromium.close()


def _patient(make: Callable[..., BrowserContext]) -> Callable[..., BrowserContext]:
    """Contexts that wait for as long as anything may take, and not Playwright's own 30 s, where no time is said.

    Nothing moves in them that readers can have still: without a graphics card, a spinner costs a core.
    """

    def new_context(**options: Any) -> BrowserContext:
        made = make(**{"reduced_motion": "reduce"} | options)
        made.set_default_timeout(WAIT)
        return made

    return new_context


def at_rest(page: Page) -> None:
    """Wait until a page has done all that it has to do: what it would do unasked, it has done by then."""
    page.wait_for_function(AT_REST, arg=QUIET, polling=MOMENT, timeout=WAIT)


def still(what: Locator) -> FloatRect:
    """Where something stands once it has stopped moving."""
    place, since = what.bounding_box(timeout=WAIT), 0
    for _ in range(WAIT // MOMENT):
        what.page.wait_for_timeout(MOMENT)
        before, place = place, what.bounding_box(timeout=WAIT)
        since = since + MOMENT if place == before else 0
        if place and since >= STILL:
            return place
    raise AssertionError(f"{what} is not there, or moves")


def place_of(what: Locator) -> FloatRect:
    """Where something stands once its page has run and it has stopped moving: charts and tables above it grow."""
    what.page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=WAIT)
    return still(what)


def press(button: Locator, *, meanwhile: bool = False) -> None:
    """Press a button, once nothing moves it any more: a name that was given, or a list that closes, still may.

    Args:
        button: It.
        meanwhile: While its page runs: one that shows what streams does all the time.
    """
    (still if meanwhile else place_of)(button)
    button.click(timeout=WAIT)


@dataclass
class Reader:
    """Somebody who looks at a dashboard; it is noted where the browser reaches out to.

    Attributes:
        page: The browser's page.
        origin: Of the dashboard.
        foreign: Every address outside the origin that was asked for.
    """

    page: Page
    origin: str
    foreign: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        """Open an address of the dashboard and wait until its page is there."""
        self.page.goto(self.origin + path)
        self.page.get_by_test_id("stHeading").first.wait_for(timeout=WAIT)

    def wait_for(self, selector: str, timeout: int = WAIT) -> None:
        """Wait until something is there."""
        self.page.locator(selector).first.wait_for(state="attached", timeout=timeout)

    def wait_for_address(self, *parts: str) -> None:
        """Wait until the address holds all of some texts."""
        for part in parts:
            self.page.wait_for_function("part => location.href.includes(part)", arg=part, timeout=WAIT)

    def press(self, button: str, *, exact: bool = False) -> None:
        """Press the first button of a name."""
        press(self.page.get_by_role("button", name=button, exact=exact).first)

    def click_point(self, label: str) -> None:
        """Click on the mark whose description begins so."""
        mark = f'path[aria-label^="{label}"]'
        self.wait_for(mark)
        place_of(self.page.locator(mark).first)
        self.page.locator(mark).first.click(force=True)

    def click_row(self, row: int) -> None:
        """Click on a row of the first table of samples, counted from 0."""
        table = self.page.get_by_test_id("stMain").get_by_test_id("stDataFrame").first
        table.locator("canvas").first.wait_for(timeout=WAIT)
        place_of(table)
        offset = 35 + ROW_HEIGHT * row + ROW_HEIGHT // 2
        scroll = "(table, offset) => document.querySelector('[data-testid=stMain]').scrollBy(0, %s)"
        table.evaluate(scroll % "table.getBoundingClientRect().top + offset - innerHeight / 2", offset)
        # A table that has been scrolled takes a click only from a mouse that moved over it, as every mouse does; what
        # scrolls the page meanwhile would have the click hit something else.
        for _ in range(WAIT // STILL):
            box = place_of(table)
            x, y = box["x"] + 250, box["y"] + offset
            self.page.mouse.move(x - 30, y - 5)
            self.page.mouse.move(x, y, steps=5)
            self.page.wait_for_timeout(300)
            if table.bounding_box() == box:
                break
        self.page.mouse.click(x, y)


@pytest.fixture
def context(visited: BrowserContext) -> Iterator[BrowserContext]:
    """A context without cookies, storage or pages; only the dashboards' code is kept."""
    visited.clear_cookies()
    yield visited
    for page in visited.pages:
        if page.url.startswith("http"):
            page.evaluate("localStorage.clear()")
        page.close()


def reader_of(context: BrowserContext, origin: str) -> Reader:
    """Somebody who opens a dashboard in a context."""
    reader = Reader(context.new_page(), origin)
    inside = (origin, origin.replace("http", "ws", 1), "data:", "blob:")
    note = reader.foreign.append
    context.on("request", lambda request: None if request.url.startswith(inside) else note(request.url))
    reader.page.on("websocket", lambda socket: None if socket.url.startswith(inside) else note(socket.url))
    return reader


@pytest.fixture(scope="package")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The demo study, as `driftline view` shows it when it is given nothing."""
    with viewing(data=tmp_path_factory.mktemp("demo")) as (origin, _):
        yield origin


@pytest.fixture(scope="package")
def visited(browser: Browser) -> Iterator[BrowserContext]:
    """A context that has been here before: its cache is kept. To load all code anew costs each test seconds."""
    kept = browser.new_context(viewport={"width": 1280, "height": 900})
    yield kept
    kept.close()


@pytest.fixture
def on_demo(context: BrowserContext, demo: str) -> Reader:
    """A reader of the demo study."""
    return reader_of(context, demo)


@dataclass
class Folder:
    """A folder of logs that is being watched."""

    path: Path
    origin: str


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Folder]:
    """A dashboard on a folder with one run at two steps."""
    folder = tmp_path / "logs"
    for step, values in ((0, [1, 1, 0, 0]), (100, [1, 0, 0, 0])):
        write_log(folder / "run-a" / f"step_{step}" / "a.eval", values)
    with viewing(folder, data=tmp_path / "data") as (origin, _):
        yield Folder(folder, origin)
