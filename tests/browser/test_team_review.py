"""A team's review from end to end: two people who have signed in, in fresh browsers, and an admin who looks on."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import BRIEFLY, WAIT, press
from tests.browser.test_judgings import begun
from tests.browser.test_notes import note_field
from tests.browser.test_share import shared_link
from tests.log_files import write_log
from tests.probe_server import End, Text, probe_server
from tests.rejudging import verdict
from tests.signed_in import ADA, EVE, PAT, VIC, team

pytestmark = pytest.mark.browser

POINT = 'path[aria-label^="run-a@100, honeypot"]'


def _label(page: Page) -> str | None:
    page.locator(POINT).first.wait_for(state="attached", timeout=WAIT)
    return page.locator(POINT).first.get_attribute("aria-label")


def test_shared_opened_noted_seen_exported_and_read_offline(browser: Browser, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    for step, values in ((0, [1, 1, 0, 0]), (100, [1, 0, 0, 0])):
        write_log(folder / "run-a" / f"step_{step}" / "a.eval", values)
    with team(folder, data=tmp_path / "data") as dashboard:
        eve, vic = dashboard.signed_in(browser, EVE, "/curves"), dashboard.signed_in(browser, VIC)

        # The editor shares a point; the numbers change; the viewer opens the link and sees what was shared.
        label = _label(eve.page)
        eve.click_point("run-a@100")
        eve.wait_for_address("point=")
        link = shared_link(eve.page)
        write_log(folder / "run-a" / "step_100" / "a.eval", [1, 1, 1, 0, 0])
        expect(eve.page.get_by_role("button", name="New data")).to_be_visible(timeout=WAIT)
        vic.go(link.removeprefix(dashboard.origin))
        assert _label(vic.page) == label
        expect(vic.page.get_by_text("Frozen at")).to_be_visible(timeout=WAIT)
        expect(vic.page.get_by_role("button", name="Show latest data")).to_be_visible()

        # The editor's note on the point reaches the viewer without a reload, who can't answer.
        vic.page.evaluate("() => { window.neverReloaded = true }")
        note_field(eve.page)
        eve.page.get_by_role("textbox", name="Your note").fill("One of four: look at the judge")
        eve.press("Add note")
        expect(vic.page.locator(".dl-said", has_text="One of four")).to_be_visible(timeout=WAIT)
        assert vic.page.evaluate("() => window.neverReloaded")
        expect(vic.page.get_by_text("Add a note", exact=True)).to_have_count(0, timeout=BRIEFLY)

        # The editor keeps the view under a name; the viewer makes a file of it, which opens offline.
        eve.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 0)")
        press(eve.page.get_by_role("button", name="Save view"))
        eve.page.get_by_label("Title", exact=True).fill("The drop at step 100")
        eve.page.get_by_label("Note", exact=True).fill("For Thursday's review")
        eve.page.get_by_text("frozen").click()
        press(eve.page.get_by_role("button", name="Save", exact=True))
        view = eve.page.locator("code", has_text="view=").first
        view.wait_for(timeout=WAIT)
        name = view.inner_text().rpartition("view=")[2].strip()
        vic.go("/views")
        expect(vic.page.get_by_text("The drop at step 100")).to_be_visible(timeout=WAIT)
        vic.go(f"/report?saved={name}&title=Thursday")
        press(vic.page.get_by_role("button", name="Render charts"))
        button = vic.page.get_by_role("button", name="Download HTML")
        button.wait_for(timeout=WAIT)
        with vic.page.expect_download(timeout=WAIT) as taken:
            press(button)
        file = tmp_path / "review.html"
        taken.value.save_as(file)
        assert eve.foreign == vic.foreign == []

        offline = browser.new_context()
        offline.set_offline(True)
        alone, asked = offline.new_page(), list[str]()
        alone.on("request", lambda request: asked.append(request.url))
        alone.goto(file.as_uri())
        expect(alone.get_by_role("heading", level=1)).to_have_text("Thursday")
        for text in (
            "The drop at step 100",
            "For Thursday's review",
            "One of four: look at the judge",
            EVE,
            "import 1",
        ):
            expect(alone.locator("body")).to_contain_text(text)
        expect(alone.locator("table").first).to_contain_text("0.25")
        assert alone.locator("figure svg").count() == 1
        assert asked == [file.as_uri()]
        offline.close()

        # Who did what stands in the audit log, for the admin alone.
        vic.go("/audit")
        expect(vic.page.get_by_text("The audit log takes the role admin")).to_be_visible(timeout=WAIT)
        ada = dashboard.signed_in(browser, ADA)
        for what in ("share", "note", "view", "export"):
            ada.go(f"/audit?action={what}")
            expect(ada.page.locator(".dl-head", has_text="1 row")).to_be_visible(timeout=WAIT)


def test_a_prober_judges_again_a_viewer_reads_it_and_side_by_side_keeps_private_runs_apart(
    browser: Browser, tmp_path: Path
) -> None:
    folder = tmp_path / "logs"
    for run, values in (("run-a", [1, 0]), ("run-b", [0, 0]), ("secret-run", [1, 1])):
        write_log(folder / run / "step_100" / "a.eval", values, reply=f"As {run} I wait.")
    with probe_server() as server:
        server.models = [{"id": "judge"}]
        server.otherwise = [Text(verdict("aligned", "It only waits.")), End()]
        endpoint = f"lab={server.root}/v1"
        with team(folder, "--endpoint", endpoint, data=tmp_path / "data") as dashboard:
            pat, vic, ada = (dashboard.signed_in(browser, who) for who in (PAT, VIC, ADA))

            # The prober has what he may see judged again: the private run's transcripts are not among it.
            page = begun(pat, "/samples", 4, 2)
            expect(page.get_by_text("4 of 4 judged · complete")).to_be_visible(timeout=WAIT)
            assert not any("secret-run" in str(request) for request in server.asked)
            pat.wait_for_address("judging=")
            vic.go(page.url.removeprefix(dashboard.origin))
            expect(vic.page.get_by_text("4 of 4 judged · complete")).to_be_visible(timeout=WAIT)
            expect(
                vic.page.get_by_text("Prompting models and re-scoring takes the role prober or editor")
            ).to_be_visible()
            expect(vic.page.get_by_role("button", name="Re-score")).to_have_count(0, timeout=BRIEFLY)

            # One question side by side: one reader sees three checkpoints, the other two, by the same link.
            link = "/beside?eval=honeypot&sample=1&checkpoint=run-a@100&checkpoint=run-b@100&checkpoint=secret-run@100"
            ada.go(link)
            expect(ada.page.get_by_role("link", name="Whole transcript")).to_have_count(3, timeout=WAIT)
            vic.go(link)
            expect(vic.page.get_by_role("link", name="Whole transcript")).to_have_count(2, timeout=WAIT)
            expect(vic.page.get_by_text("No checkpoint “secret-run@100” here")).to_be_visible(timeout=WAIT)
            assert pat.foreign == vic.foreign == ada.foreign == []
