"""Every page as axe-core sees it, light and dark, wide and narrow: keyboards and screen readers are let in."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext

from dashboard import links
from dashboard.pages import PAGES
from tests.browser.conftest import at_rest, reader_of

pytestmark = pytest.mark.browser

GRAVE = {"serious", "critical"}
Rules = dict[str, Any]
LOOKS: list[tuple[int, str, Rules, Rules | None]] = [
    (1280, "light", {}, None),
    (1280, "dark", {"runOnly": ["color-contrast"]}, {"exclude": [["svg"]]}),
    (400, "dark", {"rules": {"color-contrast": {"enabled": False}}}, {"exclude": [["svg"]]}),
]
"""Width, color scheme, rules and where: nothing but colors differs between the schemes, colors are the same in a narrow
window, where the menu and the pickers lie elsewhere; and of drawings axe-core reads none."""

DRAWN = """scheme => [...document.querySelectorAll('style')]
    .some(style => style.textContent.includes('.stApp :not(svg')) === (scheme === 'dark')"""
"""Whether the page is drawn for a color scheme: what is dark has rules to be printed."""

PATHS = [
    *(page.name for page in PAGES if not page.for_admins), f"{links.CURVES}?panels=eval",
    f"{links.ASSESSMENT}?view=heatmap",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_a_page_keeps_nobody_out(demo: str, context: BrowserContext, path: str) -> None:
    reader = reader_of(context, demo)
    found = {}
    for at, (width, scheme, rules, where) in enumerate(LOOKS):
        reader.page.set_viewport_size({"width": width, "height": 1200})
        reader.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        if at == 0:
            reader.go(f"/{path}")
        # An open page follows the system: it notices that this turned, and is drawn anew.
        reader.page.wait_for_function(DRAWN, arg=scheme)
        at_rest(reader.page)
        for violation in Axe().run(reader.page, where, {"resultTypes": ["violations"]} | rules).response["violations"]:
            if violation["impact"] in GRAVE:
                nodes = [(node["target"], node["html"][:200]) for node in violation["nodes"][:5]]
                found[width, scheme, violation["id"]] = len(violation["nodes"]), nodes
    assert found == {}
