"""From a search in Samples to the place in a transcript: the same words are marked, and the first is in sight."""

from __future__ import annotations

from pathlib import Path

import pytest
from inspect_ai.log import read_eval_log, write_eval_log
from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import WAIT, reader_of
from tests.driftline import viewing
from tests.log_files import write_log

pytestmark = pytest.mark.browser


def test_a_hit_opens_with_its_words_marked_and_scrolled_to_and_so_does_the_next(
    tmp_path: Path, context: BrowserContext
) -> None:
    path = write_log(tmp_path / "logs" / "run-a" / "step_0" / "a.eval", [1, 0, 1], turns=20)
    log = read_eval_log(str(path))
    for sample, at in zip(log.samples or [], (37, 5, 35), strict=True):
        sample.messages[at].content = f"{sample.messages[at].text} Then the\n  needle <b>."
    del (log.samples or [])[1].messages[5:]  # the second holds it no more
    write_eval_log(log, str(path))
    with viewing(tmp_path / "logs", data=tmp_path / "data") as (origin, _):
        reader = reader_of(context, origin)
        page = reader.page
        reader.go("/samples?text=the+needle+%3Cb")
        reader.click_row(0)
        reader.wait_for_address("/transcript?", "sample=1", "text=the")
        for message in (38, 36):
            place = page.locator(f'.dl-message[data-message="{message}"]')
            marked = place.locator("mark.dl-hit")
            expect(marked).to_have_text("the\n  needle <b", timeout=WAIT)
            expect(marked).to_be_in_viewport(timeout=WAIT)
            expect(page.locator('.dl-message[data-message="1"]')).not_to_be_in_viewport()
            page.keyboard.press("j")
        reader.wait_for_address("sample=3")
        assert reader.foreign == []
