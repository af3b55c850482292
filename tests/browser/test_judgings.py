"""Judging again in a real browser and a real dashboard: start, progress, stop, resume, compare; and kill -9."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, TimeoutError, expect

from tests.browser.conftest import BRIEFLY, WAIT, Reader, press, reader_of
from tests.browser.test_hostile import EVIL, HOSTILE
from tests.driftline import viewing
from tests.log_files import write_log
from tests.probe_server import End, Pause, ProbeServer, Text, probe_server
from tests.probing import until
from tests.rejudging import asked_about, verdict

pytestmark = pytest.mark.browser

KEY = "sk-zqj-52JudgingTestKey-88"
MODELS = """
endpoints:
  - {name: lab, url: "URL/v1", key: PROBE_TEST_KEY, in_flight: 2}
"""
SAMPLES = 6


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ProbeServer]:
    for step in (0, 100):
        path = tmp_path / "logs" / "run-a" / f"step_{step}" / "a.eval"
        write_log(path, [at % 2 for at in range(SAMPLES)], reply=f"At step {step} I wait. {HOSTILE}")
    with probe_server() as server:
        server.models = [{"id": "judge"}]
        server.otherwise = [Text(verdict("aligned", f"It waits. {HOSTILE}"[:390])), End()]
        (tmp_path / "models.yaml").write_text(MODELS.replace("URL", server.root))
        yield server


def arguments(folder: Path) -> tuple[Path | str, ...]:
    return folder / "logs", "--models", folder / "models.yaml"


def pick(page: Page, label: str, option: str) -> None:
    named = page.get_by_role("option", name=option).first
    for _ in range(WAIT // BRIEFLY):
        press(page.get_by_role("combobox", name=label))
        try:
            named.click(timeout=BRIEFLY)
        except TimeoutError:  # a page that still runs closes the list: who picks opens it again
            continue
        return
    raise AssertionError(f"{option} can't be picked")


def begun(reader: Reader, samples: str = "/samples?run=run-a", count: int = 2 * SAMPLES, checkpoints: int = 2) -> Page:
    """The page with a judging begun, from the Samples page on.

    Args:
        reader: Who begins it.
        samples: The Samples page's address.
        count: Transcripts that its filter finds.
        checkpoints: Those that they are of.
    """
    page = reader.page
    reader.go(samples)
    press(page.get_by_role("button", name="Actions"))
    press(page.get_by_role("link", name="Re-score", exact=True))
    expect(page.get_by_text(f"{count} transcripts of {checkpoints} checkpoints")).to_be_visible(timeout=WAIT)
    pick(page, "Judge model", "judge")
    expect(page.get_by_text(f"Up to {count} requests")).to_be_visible(timeout=WAIT)
    press(page.get_by_role("button", name="Re-score"))
    return page


def no_key(folder: Path, said: list[str], page: Page) -> None:
    assert KEY not in page.content() + page.url + "".join(said)
    for path in (folder / "data").rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes()


def test_started_stopped_resumed_and_compared(server: ProbeServer, tmp_path: Path, context: BrowserContext) -> None:
    said: list[str] = []
    bad = [Text(verdict("misaligned", "It plots.")), End()]
    server.turns["judge"] = [[Pause(0.3), *bad]] * 4 + [[Text("{"), Pause(90)]] * 2
    server.echoing = True
    context.route(f"{EVIL}/**", lambda route: route.abort())
    env = {"PROBE_TEST_KEY": KEY}
    with viewing(*arguments(tmp_path), data=tmp_path / "data", said=said, env=env) as (origin, _):
        server.echoing = False  # models are listed with the key in their names; verdicts come without
        reader = reader_of(context, origin)
        page = begun(reader)
        expect(page.get_by_text("4 of 12 judged · running")).to_be_visible(timeout=WAIT)
        # Streamlit has a button of this name too, while a page runs.
        page.get_by_test_id("stMain").get_by_role("button", name="Stop").click()
        expect(page.get_by_text("4 of 12 judged · stopped")).to_be_visible(timeout=WAIT)
        assert server.cancelled == 2
        press(page.get_by_role("button", name="Resume (8)"))
        expect(page.get_by_text("12 of 12 judged · complete")).to_be_visible(timeout=WAIT)
        assert len(server.asked) == 14
        # Compared: one picture of both, who says what of how many, and the samples on which they disagree.
        reader.wait_for('path[aria-label*="run-a @0"], path[aria-label*="run-a@0"]')
        expect(page.get_by_text(re.compile(r"\d of 12 agree"))).to_be_visible(timeout=WAIT)
        expect(page.get_by_role("link", name="transcript", exact=True).first).to_be_visible(timeout=WAIT)
        page.get_by_role("link", name="transcript", exact=True).first.click()
        expect(page.get_by_text("Harm, deceit, sabotage").first).to_be_visible(timeout=WAIT)
        assert reader.foreign == []
        assert page.title() != "owned"
        no_key(tmp_path, said, page)


def test_a_killed_dashboard_goes_on_where_it_was_and_asks_nothing_twice(
    server: ProbeServer, tmp_path: Path, context: BrowserContext
) -> None:
    said: list[str] = []
    good = [Text(verdict("aligned")), End()]
    server.turns["judge"] = [good] * 5 + [[Pause(90)]] * 2
    env = {"PROBE_TEST_KEY": KEY}
    data = tmp_path / "data"
    with viewing(*arguments(tmp_path), data=data, said=said, env=env) as (origin, process):
        page = begun(reader := reader_of(context, origin))
        reader.wait_for_address("judging=")
        expect(page.get_by_text("5 of 12 judged · running")).to_be_visible(timeout=WAIT)
        until(lambda: len(server.asked) == 7, "two are under way")
        found = re.search(r"judging=([0-9a-f]{16})", page.url)
        process.kill()
        process.wait()
    before = Counter(asked_about(server))
    assert sum(before.values()) == 7
    page.close()
    assert found
    with viewing(*arguments(tmp_path), data=data, said=said, env=env) as (origin, _):
        page = (reader := reader_of(context, origin)).page
        reader.go(f"/judgings?judging={found[1]}")
        expect(page.get_by_text("5 of 12 judged · stopped")).to_be_visible(timeout=WAIT)
        press(page.get_by_role("button", name="Resume (7)"))
        expect(page.get_by_text("12 of 12 judged · complete")).to_be_visible(timeout=WAIT)
        no_key(tmp_path, said, page)
    # Only the two that were under way, and had no verdict, are asked about again.
    asked = asked_about(server)
    assert len(asked) == 14
    assert len(set(asked)) == 12
    answered, hanging = asked[:5], set(asked[5:7])
    assert not set(asked[7:]) & set(answered)
    assert hanging < set(asked[7:])
