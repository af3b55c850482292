"""Every page as axe-core sees it, light and dark: nothing that keeps readers with a keyboard or a screen reader out."""

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
RULES: dict[str, tuple[dict[str, Any], dict[str, Any] | None]] = {
    "light": ({"resultTypes": ["violations"]}, None),
    "dark": ({"resultTypes": ["violations"], "runOnly": ["color-contrast"]}, {"exclude": [["svg"]]}),
}
"""Rules by color scheme, and where: nothing but colors differs between the two, and of drawings axe-core reads none."""

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
    reader.page.set_viewport_size({"width": 1280, "height": 1200})
    found = {}
    for scheme, (rules, where) in RULES.items():
        reader.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        if scheme == "light":
            reader.go(f"/{path}")
        # An open page follows the system: it notices that this turned, and is drawn anew.
        reader.page.wait_for_function(DRAWN, arg=scheme)
        at_rest(reader.page)
        for violation in Axe().run(reader.page, where, rules).response["violations"]:
            if violation["impact"] in GRAVE:
                nodes = [(node["target"], node["html"][:200]) for node in violation["nodes"][:5]]
                found[scheme, violation["id"]] = len(violation["nodes"]), nodes
    assert found == {}
