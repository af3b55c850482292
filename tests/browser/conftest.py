"""A real Chromium, and real dashboards for it to look at: `driftline view` on a free port, with a store of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, FloatRect, Locator, Page, expect, sync_playwright

from tests import real_parts
from tests.driftline import viewing
from tests.log_files import write_log
from tests.real_parts import CHROMIUMS

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
WAIT = 60_000
"""Milliseconds that anything may take on a busy machine."""

BRIEFLY = 5_000
"""Milliseconds in which what nobody may see has to be away: longer ones would forgive that it was there for a while."""

MOMENT, STILL = 50, 200
"""Milliseconds between two looks at where something stands, and of standing there to count as still."""

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
        yield chromium
        chromium.close()


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

    def place_of(self, what: Locator) -> FloatRect:
        """Where something stands once its page has run and it has stopped moving: charts and tables above it grow."""
        self.wait_for('[data-testid="stApp"][data-test-script-state="notRunning"]')
        place, since = what.bounding_box(), 0
        for _ in range(WAIT // MOMENT):
            self.page.wait_for_timeout(MOMENT)
            before, place = place, what.bounding_box()
            since = since + MOMENT if place == before else 0
            if place and since >= STILL:
                return place
        raise AssertionError(f"{what} is not there, or moves")

    def press(self, button: str) -> None:
        """Press a button, once nothing moves it any more: a name that was given, or a list that closes, still may."""
        what = self.page.get_by_role("button", name=button)
        what.scroll_into_view_if_needed(timeout=WAIT)
        self.place_of(what)
        what.click()

    def click_point(self, label: str) -> None:
        """Click on the mark whose description begins so."""
        mark = f'path[aria-label^="{label}"]'
        self.wait_for(mark)
        self.place_of(self.page.locator(mark).first)
        self.page.locator(mark).first.click(force=True)

    def click_row(self, row: int) -> None:
        """Click on a row of the first table of samples, counted from 0."""
        table = self.page.get_by_test_id("stDataFrame").first
        table.locator("canvas").first.wait_for(timeout=WAIT)
        self.place_of(table)
        offset = 35 + 68 * row + 30
        scroll = "(table, offset) => document.querySelector('[data-testid=stMain]').scrollBy(0, %s)"
        table.evaluate(scroll % "table.getBoundingClientRect().top + offset - innerHeight / 2", offset)
        box = self.place_of(table)
        x, y = box["x"] + 250, box["y"] + offset
        # A table that has been scrolled takes a click only from a mouse that moved over it, as every mouse does.
        self.page.mouse.move(x - 30, y - 5)
        self.page.mouse.move(x, y, steps=5)
        self.page.wait_for_timeout(300)
        self.page.mouse.click(x, y)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh context: no cookies, no history, no cache."""
    fresh = browser.new_context(viewport={"width": 1280, "height": 900})
    yield fresh
    fresh.close()


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
