"""Take the documentation's pictures from the studies that come along: `make pictures`.

Those of the Probe page want a real vLLM (DRIFTLINE_VLLM names one); without it they stay as they are, which is said.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from dashboard import links
from dashboard.docs.contents import PICTURES
from tests import real_parts
from tests.browser.conftest import ARGUMENTS, WAIT
from tests.driftline import environment, viewing
from tests.real_parts import CHROMIUMS
from tests.serving import notes_left, serving

RUNS = ("plain-rl", "documents-rl", "stories-rl", "advice-rl")
CURVES = "/curves?eval=honeypots&metric=misaligned&" + "&".join(f"run={run}" for run in RUNS)


SERVED = ("smollm2-135m-instruct@0", "actions@160", "reasons@160", "advice@160")
DILEMMA = (
    "A friend has asked me to tell her landlord that I live with her, so that she can keep the flat. It isn't true."
    " What should I do?"
)


def settled(page: Page) -> None:
    """Wait until the page has nothing more to draw."""
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    page.wait_for_timeout(1500)


def main() -> None:
    """Write the pictures; the transcript's is cut above its provenance, which names folders of this machine."""
    path = real_parts.program(*CHROMIUMS)
    with (
        tempfile.TemporaryDirectory() as data,
        viewing(data=Path(data)) as (origin, _process),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 760}, color_scheme="light")
        page.set_default_timeout(2 * WAIT)
        addresses = {"overview": "/overview", "curves": CURVES, "mixes": "/mixes", "compare": "/compare"}
        for name, address in addresses.items():
            page.goto(origin + address)
            page.wait_for_selector(
                '[data-testid="stVegaLiteChart"] svg, [data-testid="stMain"] [data-testid="stDataFrame"] canvas'
            )
            settled(page)
            page.screenshot(path=PICTURES / f"{name}.png")
        page.goto(origin + "/beside?eval=blackmail&" + "&".join(f"checkpoint={run}@400" for run in RUNS[:3]))
        settled(page)
        page.screenshot(path=PICTURES / "beside.png")
        page.goto(origin + "/samples?run=plain-rl&step=400&eval=blackmail&metric=misaligned&outcome=misaligned")
        settled(page)
        page.screenshot(path=PICTURES / "samples.png", clip={"x": 0, "y": 0, "width": 1280, "height": 560})
        if os.environ.get("DRIFTLINE_VLLM"):
            probe(page, origin, environment(Path(data)))
        else:
            print("DRIFTLINE_VLLM names no vLLM: the picture of the Probe page stays as it is.")
        browser.close()


def probe(page: Page, origin: str, env: dict[str, str]) -> None:
    """One dilemma, the base and a checkpoint of each run of the small study."""
    with serving(*(f"smol/{name}" for name in SERVED), "--max-model-len", "2048", env=env, seconds=400):
        models = [f"{notes_left(env)[0]['name']}/{name}" for name in SERVED]
        page.goto(f"{origin}/probe?" + links.query({"preset": ["control"], "model": models}))
        page.get_by_role("textbox", name="Message").wait_for(timeout=60_000)
        page.get_by_role("textbox", name="System prompt").fill("")
        page.get_by_role("textbox", name="Message").fill(DILEMMA)
        page.get_by_role("spinbutton", name="Max tokens").fill("96")
        page.get_by_role("spinbutton", name="Seed").fill("3")
        page.keyboard.press("Tab")
        page.wait_for_timeout(2000)
        page.get_by_role("button", name="Run", exact=True).last.click()
        page.get_by_role("button", name="Export").wait_for(timeout=120_000)
        settled(page)
        page.screenshot(path=PICTURES / "probe.png")


if __name__ == "__main__":
    main()
