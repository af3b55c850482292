"""The pages of the dashboard, from the list that navigation and addresses read."""

from __future__ import annotations

import yaml

from dashboard.docs.contents import FOLDER
from dashboard.docs.markdown import code, escaped
from dashboard.docs.reference.undocumented import Undocumented
from dashboard.links import BOUND
from dashboard.pages import PAGES, Page

NOTES = FOLDER / "reference" / "pages.yaml"


def pages_text() -> str:
    """A section for each page: what it shows, and its address with the query parameters.

    Raises:
        Undocumented: A page has no entry in `pages.yaml`, or an entry no page.
    """
    notes: dict[str, str] = yaml.safe_load(NOTES.read_text(encoding="utf-8"))
    if odd := set(notes) ^ {page.name for page in PAGES}:
        raise Undocumented(f"{NOTES.name}: these are only here or only among the pages: {', '.join(sorted(odd))}")
    return "\n\n".join(_page(page, notes[page.name]) for page in PAGES)


def _page(page: Page, note: str) -> str:
    """One page. Parameters that every page has, for switches that Streamlit itself keeps, are left out."""
    own = ", ".join(map(code, sorted(page.parameters - BOUND)))
    who = " Only admins see it." if page.for_admins else ""
    return (
        f"## {escaped(page.title)}\n\n{escaped(page.help)}{who}\n\n{note}\n\n"
        f"Address: {code(f'/{page.name}')}{f', query parameters {own}' if own else ''}"
    )
