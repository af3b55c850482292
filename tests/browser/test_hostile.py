"""Logs are untrusted: whatever stands in them, the browser shows it as text and asks nobody for anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import WAIT, at_rest, reader_of
from tests.browser.test_notes import call_oneself, note_field
from tests.driftline import viewing
from tests.log_files import write_log

pytestmark = pytest.mark.browser

EVIL = "http://evil.example"
HOSTILE = (
    f"<img src={EVIL}/a.png onerror=\"document.title='owned'\"> <script>document.title='owned'</script>"
    f" <a href={EVIL}/b>click</a> ![x]({EVIL}/c.png) [link]({EVIL}/d) <iframe src={EVIL}/e></iframe>"
    f" <style>body{{background:url({EVIL}/f.png)}}</style> </pre></div> <svg onload=\"document.title='owned'\">"
    f" {EVIL}/g.png :material/home: $x^2$ `code` **bold**"
)
HUGE = 10_000_000 // len(HOSTILE)
"""So many of them are 10 MB."""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("hostile")
    for step in (0, 100):
        write_log(
            folder / "run-a" / f"step_{step}" / "a.eval", [1, 0, 1], task="honey" + HOSTILE, model="m/" + HOSTILE,
            reply=HOSTILE, scorer="judge" + HOSTILE, metadata={"note": HOSTILE}, tags=[HOSTILE],
        )  # fmt: skip
    write_log(folder / "run-b" / "step_0" / "huge.eval", [1, 0], task="huge", reply=(HOSTILE + " ") * HUGE)
    (folder / "broken <img src=x onerror=alert(1)>.eval").write_bytes(b"PK\x03\x04" + HOSTILE.encode())
    with viewing(folder, data=tmp_path_factory.mktemp("data")) as (origin, _):
        yield origin


class Watcher:
    """Looks at pages of a dashboard; every link that is tried goes nowhere, and is noted."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self.reader, self.origin = reader_of(context, origin), origin
        context.route(f"{EVIL}/**", lambda route: route.abort())

    def look(self) -> None:
        """Nothing has failed, nothing runs, nobody was asked and nothing leads away."""
        page = self.reader.page
        at_rest(page)
        assert page.get_by_test_id("stException").count() == 0
        assert self.reader.foreign == []
        assert page.title() != "owned"
        links = page.eval_on_selector_all("a, img, iframe", "all => all.map(e => e.href || e.src)")
        assert [link for link in links if not link.startswith((self.origin, "data:", "blob:"))] == []
        assert not [link for link in links if "javascript:" in link.split("?")[0]]


def test_no_page_asks_anybody_and_nothing_is_alive(hostile: str, context: BrowserContext) -> None:
    watcher = Watcher(context, hostile)
    reader, page, look = watcher.reader, watcher.reader.page, watcher.look
    reader.go("/curves")
    point = "run-a@100, "
    reader.wait_for(f'path[aria-label^="{point}"]')
    page.locator(f'path[aria-label^="{point}"]').first.hover(force=True)
    look()
    for tooltip in page.get_by_test_id("stTooltipIcon").all():
        tooltip.hover()
        look()
    reader.click_point(point)
    expect(page.locator(".dl-head").first).to_be_visible(timeout=WAIT)
    page.get_by_text("Details").click()
    page.get_by_text("Data (").click()
    look()
    reader.click_row(0)
    reader.wait_for(".dl-message.assistant")
    expect(page.locator(".dl-message.assistant")).to_contain_text(f"![x]({EVIL}/c.png)")
    expect(page.locator(".dl-message.assistant")).to_contain_text("<script>document.title='owned'</script>")
    page.get_by_placeholder("Find in this transcript").fill("<img")
    page.keyboard.press("Enter")
    expect(page.locator("mark.dl-hit").first).to_have_text("<img", timeout=WAIT)
    look()
    for path in (
        "/samples",
        "/data",
        "/data?show=Files",
        "/data?show=Not+read",
        "/data?show=Runs",
        "/data?show=Conflicts",
    ):
        reader.go(path)
        look()


def test_what_people_write_is_text_to_everybody(hostile: str, context: BrowserContext) -> None:
    watcher = Watcher(context, hostile)
    reader, page = watcher.reader, watcher.reader.page
    reader.go("/samples?run=run-a")
    reader.click_row(0)
    reader.wait_for(".dl-message.assistant")
    note_field(page)
    call_oneself(page, HOSTILE[:80])
    page.get_by_role("textbox", name="Your note").fill(f"{HOSTILE} javascript:alert(1)")
    tags = page.get_by_role("combobox", name="Tags").last
    tags.fill("<img src=x onerror=alert(1)>")
    tags.press("Enter")
    tags.press("Escape")  # an open list of tags covers the button
    tags.blur()  # and a field that is left while a button goes down takes the button from under the mouse
    reader.press("Add note")
    expect(page.locator(".dl-said", has_text=f"![x]({EVIL}/c.png)").first).to_be_visible(timeout=WAIT)
    watcher.look()
    page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 0)")
    reader.press("Save view")
    page.get_by_label("Title", exact=True).fill(HOSTILE[:150])
    page.get_by_label("Note", exact=True).fill(HOSTILE)
    reader.press("Save", exact=True)
    page.locator("code", has_text="view=").first.wait_for(timeout=WAIT)
    watcher.look()
    for path in ("/notes", "/views", "/agreement", "/report", "/judgings", "/beside", "/audit", "/probe", "/overview"):
        reader.go(path)
        watcher.look()
    reader.go("/notes")
    expect(page.locator(".dl-said").first).to_contain_text("<script>document.title='owned'</script>", timeout=WAIT)


@pytest.mark.parametrize(
    "address",
    [
        "/curves?run=%3Cscript%3Edocument.title%3D'owned'%3C/script%3E&eval=../../etc/passwd&metric='%20OR%201=1--",
        "/transcript?log=../../../etc/passwd&sample=%2e%2e%2f&epoch=1",
        "/samples?text=')%3B%20DROP%20TABLE%20samples%3B%20--&score=x%20%3D%20'%3B--",
        "/beside?eval=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E&sample=javascript:alert(1)&checkpoint=a@b@c",
        f"/compare?checkpoint={EVIL}/x&baseline=javascript:alert(1)&pair=..%2F..",
        "/views?view=../../x&find=%3Csvg%20onload%3Dalert(1)%3E",
        "/notes?thread=';--&tag=%3Cimg%20src%3Dx%3E",
        "/probe?probe=../../x&model=javascript:alert(1)",
        f"/report?saved={EVIL}&title=%3Cscript%3Edocument.title%3D'owned'%3C/script%3E",
        "/judgings?judging=..%2F..%2Fx&run=%3Cimg%20src%3Dx%3E",
        "/overview?as_of=1-';DROP%20TABLE%20batches;--",
    ],
    ids=lambda address: address.partition("?")[0][1:],
)
def test_what_stands_in_a_link_is_text_too(hostile: str, context: BrowserContext, address: str) -> None:
    watcher = Watcher(context, hostile)
    watcher.reader.go(address)
    watcher.look()


def test_a_transcript_of_ten_megabytes_is_shown_in_part_and_hangs_nothing(
    hostile: str, context: BrowserContext
) -> None:
    watcher = Watcher(context, hostile)
    reader = watcher.reader
    reader.go("/samples?run=run-b")
    reader.click_row(0)
    reader.wait_for(".dl-message.assistant")
    assert reader.page.evaluate("document.documentElement.outerHTML.length") < 3_000_000
    watcher.look()
    reader.go("/beside?eval=huge&sample=1&checkpoint=run-b@0&checkpoint=run-a@0")
    watcher.look()
    reader.go("/samples?text=onerror&run=run-b")
    watcher.look()
