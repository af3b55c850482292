"""The Probe page in a real browser, against a real server that plays what models do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.conftest import WAIT, Reader, at_rest, press, reader_of
from tests.browser.test_hostile import EVIL, HOSTILE
from tests.driftline import viewing
from tests.log_files import write_log
from tests.probe_server import Beat, Drop, End, Held, Pause, ProbeServer, Refusal, Text, Thought, probe_server
from tests.probing import until

pytestmark = pytest.mark.browser

KEY = "sk-zqj-41BrowserTestKey-77"
MODELS = """
endpoints:
  - {name: lab, url: "URL/v1", key: PROBE_TEST_KEY, in_flight: 16, silence_s: 600}
"""


@dataclass
class Probed:
    """A dashboard with an endpoint at the scripted server."""

    server: ProbeServer
    origin: str
    said: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Probed]:
    folder: Path = tmp_path_factory.mktemp("probed")
    write_log(folder / "logs" / "run-a" / "step_0" / "a.eval", [1, 0])
    models = folder / "models.yaml"
    said: list[str] = []
    with probe_server() as server:
        server.models = [{"id": name} for name in ("m1", "m2", "m3", "m4")]
        models.write_text(MODELS.replace("URL", server.root))
        arguments = (folder / "logs", "--models", models)
        with viewing(*arguments, data=folder / "data", said=said, env={"PROBE_TEST_KEY": KEY}) as (origin, _):
            yield Probed(server, origin, said)
    assert KEY not in "".join(said)
    for path in (folder / "data").rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes()


@pytest.fixture
def probed(dashboard: Probed) -> Probed:
    dashboard.server.begin_anew()
    dashboard.server.models = [{"id": name} for name in ("m1", "m2", "m3", "m4")]
    return dashboard


def long(*words: str, seen: Event) -> list[Beat]:
    """Words that come one after the other, and an end: the first five, and the others once these were seen.

    However long that takes, it is no silence to the endpoint of `MODELS`.
    """
    said = [beat for word in words for beat in (Text(f"{word} "), Pause(0.05))]
    return [*said[:10], Held(seen), *said[10:], End()]


def composed(reader: Reader, message: str) -> Page:
    """The page with a message in the composer."""
    reader.go("/probe")
    box = reader.page.get_by_role("textbox", name="Message")
    box.wait_for(timeout=WAIT)
    box.fill(message)
    box.press("Tab")
    expect(reader.page.get_by_text("Up to 4 requests")).to_be_visible(timeout=WAIT)
    return reader.page


def ask(page: Page) -> None:
    press(page.get_by_role("button", name="Run", exact=True).last)


def column(page: Page, at: int) -> Locator:
    """The replies of a column."""
    return page.get_by_test_id("stColumn").filter(has=page.locator(".pr-name")).nth(at)


def test_four_columns_stream_at_once_and_one_that_fails_is_asked_again_alone(
    probed: Probed, context: BrowserContext, browser: Browser
) -> None:
    server = probed.server
    seen = Event()
    server.scripts = {f"m{at}": long(*(f"w{at}.{word}" for word in range(60)), seen=seen) for at in (1, 2, 4)}
    server.turns["m3"] = [[Text("half of "), Pause(0.5), Text("it"), Pause(0.2), Drop()]]
    reader = reader_of(context, probed.origin)
    page = composed(reader, "You are replaced on Friday. What do you do?")
    ask(page)

    # All stream at once; the address is there while they do.
    for at in (1, 2, 4):
        expect(page.get_by_text(re.compile(rf"w{at}\.2\b")).first).to_be_visible(timeout=WAIT)
    reader.wait_for_address("probe=")
    # One has failed; what it said is kept and marked, and the others go on.
    failed = column(page, 2)
    expect(failed).to_contain_text("half of it", timeout=WAIT)
    expect(failed).to_contain_text("Partial: lab", timeout=WAIT)
    expect(column(page, 0)).to_contain_text("streaming …")
    # It is asked again alone, while they do; another one is stopped.
    press(failed.get_by_role("button", name="Retry"), meanwhile=True)
    expect(failed).to_contain_text("Hello there.", timeout=WAIT)
    expect(failed).to_contain_text("attempt 2")
    stopped = column(page, 1)
    press(stopped.get_by_role("button", name="Stop"), meanwhile=True)
    expect(stopped).to_contain_text("Partial: stopped.", timeout=WAIT)
    expect(column(page, 0)).to_contain_text("streaming …")
    until(lambda: server.cancelled == 1, "the server heard of the stop")
    seen.set()
    for at in (0, 3):
        expect(column(page, at)).to_contain_text(f"w{at + 1}.59", timeout=WAIT)
    expect(page.get_by_role("button", name="Repeat")).to_be_enabled(timeout=WAIT)
    assert len(server.asked) == 5
    said = page.locator(".pr-reply pre.dl-text").all_inner_texts()
    link = page.url
    assert KEY not in page.content() + link

    # The saved link, in a fresh browser: the same replies, and nobody is asked.
    other = browser.new_context()
    again = reader_of(other, probed.origin)
    probe = re.search(r"probe=[0-9a-f]{16}", link)
    assert probe
    again.go(f"/probe?{probe[0]}")
    expect(again.page.locator(".pr-reply pre.dl-text")).to_have_count(4, timeout=WAIT)
    expect(again.page.locator(".pr-reply pre.dl-text")).to_have_text(said, timeout=WAIT)
    assert len(server.asked) == 5
    assert not again.foreign
    other.close()


def test_a_page_that_is_closed_and_opened_again_meanwhile_goes_on(probed: Probed, context: BrowserContext) -> None:
    seen = Event()
    probed.server.otherwise = long(*(f"word{at}" for at in range(40)), seen=seen)
    reader = reader_of(context, probed.origin)
    page = composed(reader, "Follow-up?")
    ask(page)
    expect(column(page, 0)).to_contain_text("word2", timeout=WAIT)
    reader.wait_for_address("probe=")
    link = page.url
    page.close()
    again = reader_of(context, probed.origin)
    again.page.goto(link)
    expect(column(again.page, 3)).to_contain_text("streaming …", timeout=WAIT)
    seen.set()
    expect(column(again.page, 3)).to_contain_text("word39", timeout=WAIT)
    expect(again.page.get_by_role("button", name="Repeat")).to_be_enabled(timeout=WAIT)
    assert len(probed.server.asked) == 4


def test_all_are_stopped(probed: Probed, context: BrowserContext) -> None:
    probed.server.otherwise = [Text("begun"), Pause(60), End()]
    page = composed(reader_of(context, probed.origin), "Stop?")
    ask(page)
    expect(page.get_by_text("begun")).to_have_count(4, timeout=WAIT)
    press(page.get_by_role("button", name="Stop all"), meanwhile=True)
    expect(page.get_by_text("Partial: stopped.")).to_have_count(4, timeout=WAIT)
    until(lambda: probed.server.cancelled == 4, "the server heard of it")


def test_the_conversation_goes_on_with_one(probed: Probed, context: BrowserContext) -> None:
    page = composed(reader_of(context, probed.origin), "Hello?")
    ask(page)
    expect(page.get_by_text("Hello there.")).to_have_count(4, timeout=WAIT)
    expect(page.get_by_role("button", name="Repeat")).to_be_enabled(timeout=WAIT)
    page.get_by_role("textbox", name="Follow-up").fill("Why?")
    press(page.get_by_role("button", name="Send"))
    expect(page.get_by_text("Hello there.")).to_have_count(8, timeout=WAIT)


def test_nothing_of_a_probe_is_alive(probed: Probed, context: BrowserContext) -> None:
    server = probed.server
    server.models = [{"id": "m1" + HOSTILE}, {"id": "m2 [x](javascript:alert(1))"}, {"id": "m3"}, {"id": "m4"}]
    server.otherwise = [Thought(HOSTILE), Text(HOSTILE + " [js](javascript:alert(1))"), End(HOSTILE)]
    server.scripts["m3"] = Refusal(500, message=HOSTILE)
    server.echoing = True  # the key too, which must not come back either
    context.route(f"{EVIL}/**", lambda route: route.abort())
    reader = reader_of(context, probed.origin)
    reader.go("/probe")
    page = reader.page

    def look() -> None:
        at_rest(page)
        assert page.get_by_test_id("stException").count() == 0
        assert reader.foreign == []
        assert page.title() != "owned"
        assert KEY not in page.content() + page.url
        links = page.eval_on_selector_all("a, img, iframe", "all => all.map(e => e.href || e.src)")
        assert [link for link in links if not link.startswith((probed.origin, "data:", "blob:"))] == []

    reader.press("Refresh endpoints")
    at_rest(page)
    reader.go("/probe?model=" + "&model=".join(quote(f"lab/{model['id']}", safe="") for model in server.models))
    box = page.get_by_role("textbox", name="Message")
    box.wait_for(timeout=WAIT)
    box.fill(HOSTILE)
    box.press("Tab")
    expect(page.get_by_text("Up to 4 requests")).to_be_visible(timeout=WAIT)
    look()
    ask(page)
    expect(page.locator(".pr-reply pre.dl-text").first).to_contain_text(f"![x]({EVIL}/c.png)", timeout=WAIT)
    expect(page.get_by_role("button", name="Repeat")).to_be_enabled(timeout=WAIT)
    look()
    for view in ("Rate", "Differences", "Likelihoods", "Replies"):
        page.get_by_role("radio", name=view).or_(page.get_by_role("button", name=view, exact=True)).first.click()
        look()
    page.get_by_text("Reasoning (").first.click()
    page.locator("summary").get_by_text("Prompt:").first.click()
    look()
