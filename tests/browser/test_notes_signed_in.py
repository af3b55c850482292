"""People who have signed in: an editor's note and verdict reach a viewer without a reload, who has nothing to write
with; and nothing that is said of a private run reaches anybody outside."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import BRIEFLY, WAIT, press
from tests.browser.test_notes import at_a_sample, note_field
from tests.log_files import write_log
from tests.signed_in import ADA, EVE, VIC, team

pytestmark = pytest.mark.browser


def test_a_note_reaches_a_viewer_and_one_on_a_private_run_does_not(browser: Browser, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    write_log(folder / "open-run" / "step_0" / "a.eval", [1, 0, 0, 0])
    write_log(folder / "secret-run" / "step_0" / "a.eval", [1, 1, 0, 0])
    with team(folder, data=tmp_path / "data") as dashboard:
        eve, vic, ada = (dashboard.signed_in(browser, who) for who in (EVE, VIC, ADA))
        place = at_a_sample(eve)
        vic.go(place)
        vic.page.evaluate("() => { window.neverReloaded = true }")

        note_field(eve.page)
        expect(eve.page.get_by_role("textbox", name="Your name")).to_have_count(0, timeout=BRIEFLY)
        eve.page.get_by_role("textbox", name="Your note").fill("Read this one")
        eve.press("Add note")
        expect(vic.page.locator(".dl-comment", has_text=EVE)).to_be_visible(timeout=WAIT)
        expect(vic.page.locator(".dl-said", has_text="Read this one")).to_be_visible()
        eve.page.get_by_text("○ negative", exact=True).click()
        press(eve.page.get_by_role("button", name="Submit"))
        expect(vic.page.locator(".dl-who", has_text=f"{EVE}: ○ negative")).to_be_visible(timeout=WAIT)
        assert vic.page.evaluate("() => window.neverReloaded")
        for label in ("Add a note", "Resolve", "Submit", "Save view"):
            expect(vic.page.get_by_text(label, exact=True)).to_have_count(0, timeout=BRIEFLY)

        ada.go("/samples?run=secret-run")
        ada.click_row(0)
        ada.wait_for_address("/transcript?", "sample=")
        note_field(ada.page)
        ada.page.get_by_role("textbox", name="Your note").fill("For insiders")
        ada.press("Add note")
        expect(ada.page.locator(".dl-said", has_text="For insiders")).to_be_visible(timeout=WAIT)
        ada.go("/notes")
        expect(ada.page.locator(".dl-said")).to_have_count(2, timeout=WAIT)
        for reader in (eve, vic):
            reader.go("/notes")
            expect(reader.page.locator(".dl-said")).to_have_text(["Read this one"], timeout=WAIT)
        assert eve.foreign == vic.foreign == ada.foreign == []
