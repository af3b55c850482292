"""What a browser asks for before it has learned where the server went: it must never cost a page what it shows."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.driftline import viewing
from tests.late_browser import LateBrowser, late_browser
from tests.log_files import write_log

pytestmark = pytest.mark.slow

FIRST_CELL = json.dumps({"selection": {"rows": [], "columns": [], "cells": [[0, "outcome"]]}})


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A dashboard on one log."""
    folder = tmp_path_factory.mktemp("late")
    write_log(folder / "logs" / "run-a" / "step_0" / "a.eval", [1, 1, 0, 0])
    with viewing(folder / "logs", data=folder / "data") as (served, _):
        yield served


@pytest.fixture
def browser(origin: str) -> Iterator[LateBrowser]:
    """A fresh session."""
    with late_browser(origin) as found:
        yield found


def _is_end(message: ForwardMsg) -> bool:
    """Whether it says that a whole page was drawn to its end."""
    ended = message.WhichOneof("type") == "script_finished"
    return ended and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY


def _ask_until_drawn(browser: LateBrowser, page: str, parts: list[str]) -> None:
    """Ask for parts of a page at every message, as timers do that run on, until a whole page is drawn; hear all out."""
    while not _is_end(browser.read()):
        for part in parts:
            browser.ask(page=page, part=part)
    browser.read_to_silence()


def test_timers_of_a_page_that_was_left_clear_no_other_page(browser: LateBrowser) -> None:
    browser.ask(name="samples")
    browser.read_to_end()
    samples, parts = browser.page(), browser.parts()
    assert parts
    browser.ask(page=samples, widgets={browser.widget("samples_table"): FIRST_CELL})
    _ask_until_drawn(browser, samples, parts)
    transcript = browser.page()
    assert transcript != samples
    assert browser.widget("transcript_find")
    arrived = browser.drawn().index((transcript, []))
    assert [page for page, _ in browser.drawn()[arrived:] if page != transcript] == []


def test_timers_of_the_page_that_is_shown_go_on(browser: LateBrowser) -> None:
    browser.ask(name="samples")
    browser.read_to_end()
    browser.ask(page=browser.page())
    browser.read_to_end()
    parts = set(browser.parts())
    assert parts
    for part in parts:
        browser.ask(page=browser.page(), part=part)
        browser.read_to_end()
        assert browser.drawn()[-1] == (browser.page(), [part])


def test_a_timer_with_an_older_address_writes_none(browser: LateBrowser) -> None:
    browser.ask("as_of=1&text=a", name="samples")
    browser.read_to_end()
    browser.told = [one for one in browser.told if one.WhichOneof("type") != "page_info_changed"]
    browser.ask("text=a", page=browser.page(), part=browser.parts()[0])
    browser.read_to_end()
    assert [one for one in browser.told if one.WhichOneof("type") == "page_info_changed"] == []


def test_a_timer_with_an_older_address_pins_to_no_batch(browser: LateBrowser) -> None:
    browser.ask("", name="samples")
    browser.read_to_end()
    browser.ask("as_of=1", page=browser.page(), part=browser.parts()[0])
    browser.read_to_end()
    assert browser.told
    assert all(b"pinned: as of" not in one.SerializeToString() for one in browser.told)


def test_the_browser_of_a_page_may_ask_for_news_and_nobody_else(browser: LateBrowser, origin: str) -> None:
    browser.ask(name="samples")
    browser.read_to_end()
    drawn = b"".join(one.SerializeToString() for one in browser.told)
    (code,) = set(re.findall(rb'"code": ?"([\w-]{20,})"', drawn))
    assert _news(origin, code.decode()) == (200, {"batch": 1, "changes": 0})
    status, told = _news(origin, code.decode(), "endpoints")
    assert status == 200
    assert told.keys() == {"endpoints"}
    assert _news(origin, code.decode(), "secrets") == (200, {})
    assert _news(origin, "another")[0] == 403
    assert _news(origin, None)[0] == 403


def _news(origin: str, ticket: str | None, *of: str) -> tuple[int, Any]:
    kinds = urlencode({"of": of or ("batch", "changes")}, doseq=True)
    asked = urllib.request.Request(
        f"{origin}/news?{kinds}", headers={} if ticket is None else {"X-Driftline-Ticket": ticket}
    )
    try:
        with urllib.request.urlopen(asked) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, None
