"""From the moment that a server sends its first token until a real browser has it on screen."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests import real_parts
from tests.browser.conftest import ARGUMENTS, WAIT
from tests.driftline import viewing
from tests.log_files import write_log
from tests.probe_server import End, Pause, ProbeServer, Text, probe_server
from tests.probing import until
from tests.real_parts import CHROMIUMS

ROUNDS = 9
MOST_S = 0.3
"""What the issue states as a must."""
GOES = 3
"""A machine that does other things at the same time slows a go; the fastest of several is nearer the truth."""

WATCH = """() => {
    window.came = {};
    new MutationObserver(() => {
        for (const word of document.body.innerText.match(/word-\\d+-m\\d/g) || []) window.came[word] ??= Date.now();
    }).observe(document.body, {childList: true, subtree: true, characterData: true});
}"""


def measured(page: Page, server: ProbeServer, models: list[str], pause: float, number: int) -> list[float]:
    """Seconds from sending the first token of each column to its being on screen."""
    words = {model: f"word-{number}-{model}" for model in models}
    server.first_sent.clear()
    server.scripts = {m: [Pause(pause), Text(f"{words[m]} "), Pause(0.4), Text("end"), End()] for m in models}
    page.get_by_role("button", name="Repeat" if number else "Run", exact=True).last.click()
    page.wait_for_function("words => words.every(word => window.came[word])", arg=list(words.values()), timeout=WAIT)
    came = page.evaluate("() => window.came")
    until(lambda: len(server.first_sent) == len(models), "all was sent")
    page.get_by_text("ended: stop").nth(len(models) - 1).wait_for(timeout=WAIT)
    page.wait_for_timeout(1200)
    return [came[words[model]] / 1000 - server.first_sent[model] for model in models]


@pytest.mark.parametrize("pause", [0.6, 0.0])
def test_first_words_are_on_screen(tmp_path: Path, pause: float) -> None:
    """A model that takes its time to begin, as real ones do; and one that begins at once, while the page is drawn."""
    chromium = real_parts.program(*CHROMIUMS)
    write_log(tmp_path / "logs" / "run-a" / "step_0" / "a.eval", [1, 0])
    models = ["m1", "m2", "m3", "m4"]
    with probe_server(models=[{"id": name} for name in models]) as server, sync_playwright() as playwright:
        arguments = (tmp_path / "logs", "--endpoint", f"lab={server.root}/v1")
        with viewing(*arguments, data=tmp_path / "data") as (origin, _):
            page = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS).new_page()
            page.goto(f"{origin}/probe")
            page.get_by_text("Up to 4 requests").wait_for(timeout=WAIT)
            page.evaluate(WATCH)
            took: list[float] = []
            for go in range(GOES):
                rounds = range(go * ROUNDS, (go + 1) * ROUNDS)
                once = sorted(seconds for n in rounds for seconds in measured(page, server, models, pause, n))
                took = min(took or once, once, key=lambda one: one[len(one) // 2])
                if took[len(took) // 2] <= MOST_S:
                    break
    median = took[len(took) // 2]
    print(
        f"\nfirst words of {len(models)} columns, {pause:g} s after they were asked: on screen {1000 * median:.0f} ms "
        f"after they were sent (median of {len(took)}; {1000 * took[0]:.0f} to {1000 * took[-1]:.0f})"
    )
    assert median <= MOST_S, f"first words are on screen after {1000 * median:.0f} ms"
