"""Take the README's pictures from the demo study: `make pictures`."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import ARGUMENTS, NAMES
from tests.driftline import viewing

FOLDER = Path(__file__).with_name("pictures")
RUNS = ("plain-rl", "documents-rl", "stories-rl", "advice-rl")
CURVES = "/curves?eval=honeypots&metric=misaligned&" + "&".join(f"run={run}" for run in RUNS)


def settled(page: Page) -> None:
    """Wait until the page has nothing more to draw."""
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    page.wait_for_timeout(1500)


def main() -> None:
    """Write the pictures; the transcript's is cut above its provenance, which names folders of this machine."""
    FOLDER.mkdir(exist_ok=True)
    path = next(filter(None, map(shutil.which, NAMES)))
    with (
        tempfile.TemporaryDirectory() as data,
        viewing(data=Path(data)) as (origin, _process),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 760}, color_scheme="light")
        addresses = {"overview": "/overview", "curves": CURVES, "mixes": "/mixes", "compare": "/compare"}
        for name, address in addresses.items():
            page.goto(origin + address)
            page.wait_for_selector('[data-testid="stVegaLiteChart"] svg')
            settled(page)
            page.screenshot(path=FOLDER / f"{name}.png")
        page.goto(origin + "/samples?run=plain-rl&step=400&eval=blackmail&metric=misaligned&outcome=misaligned")
        settled(page)
        page.screenshot(path=FOLDER / "samples.png", clip={"x": 0, "y": 0, "width": 1280, "height": 560})
        browser.close()


if __name__ == "__main__":
    main()
