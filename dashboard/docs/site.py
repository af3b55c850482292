"""The whole site: every page with its navigation, the search index, the pictures; and what is wrong with it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dashboard.docs.contents import FOLDER, HOME, NAMES, PAGES, PICTURES, SECTIONS, THEME
from dashboard.docs.markdown import MARKER, Rendered, page_link, render
from dashboard.docs.reference import sources
from loaders.errors import DriftlineError
from loaders.version import version

ASSETS = (THEME / "docs.css", THEME / "docs.js", FOLDER.parent / "icon.svg")
"""Files that go into the site as they are."""


@dataclass(frozen=True)
class Site:
    """A rendered site.

    Attributes:
        files: Content by the path in the site.
        problems: Links that lead nowhere and the like, for people.
    """

    files: Mapping[str, bytes]
    problems: tuple[str, ...]


def build(commands: argparse.ArgumentParser) -> Site:
    """Render everything.

    Args:
        commands: The parser of all commands, which the reference is made of.
    """
    made = sources(commands)
    problems = _misplaced()
    pages: dict[str, Rendered] = {}
    for name in NAMES:
        text = (PAGES / f"{name}.md").read_text(encoding="utf-8")
        problems += [f"{name}.md: no reference is called {key}" for key in MARKER.findall(text) if key not in made]
        pages[name] = render(MARKER.sub(lambda found: made.get(found[1], lambda: "")(), text))
    pictures = {f"pictures/{path.name}": path.read_bytes() for path in sorted(PICTURES.glob("*.png"))}
    problems += [problem for name, page in pages.items() for problem in _broken(name, page, pages, pictures)]
    files = {f"{name}.html": html.encode() for name, html in _drawn(pages).items()}
    files |= pictures | {path.name: path.read_bytes() for path in ASSETS}
    files["search.js"] = f"window.driftlineDocs = {json.dumps(_index(pages), ensure_ascii=False)};\n".encode()
    return Site(files, tuple(problems))


def write(site: Site, folder: Path) -> None:
    """Write a site as files.

    Raises:
        DriftlineError: Something is wrong with it, or the folder can't be written to. Nothing is written then.
    """
    if site.problems:
        raise DriftlineError("The documentation has problems:\n" + "\n".join(site.problems))
    try:
        for name, content in site.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as error:
        raise DriftlineError(f"{folder}: can't be written to: {error.strerror or error}") from error


def _misplaced() -> list[str]:
    """Pages that no section lists, and pages that are listed twice."""
    there = {path.stem for path in PAGES.glob("*.md")}
    found = [f"{name}.md: stands in no section of the contents" for name in sorted(there - set(NAMES))]
    return found + [f"{name}.md: is listed twice" for name in sorted(set(NAMES)) if NAMES.count(name) > 1]


def _broken(name: str, page: Rendered, pages: Mapping[str, Rendered], pictures: Mapping[str, bytes]) -> list[str]:
    """What is wrong with one page: no title, and links to other pages, sections or pictures that aren't there."""
    found = [] if page.title else [f"{name}.md: has no title"]
    for link in page.links:
        place, _, part = link.partition("#")
        target = place.removesuffix(".md") or name
        if "://" in link or link.startswith("mailto:"):
            continue
        if place in pictures:
            continue
        if target not in pages or (place and not place.endswith(".md")):
            found.append(f"{name}.md: the link {link} leads nowhere")
        elif part and part not in {heading.anchor for heading in pages[target].headings}:
            found.append(f"{name}.md: the link {link} leads to a section that is not there")
    return found


def _drawn(pages: Mapping[str, Rendered]) -> dict[str, str]:
    """Each page as a whole HTML document."""
    template = Environment(
        loader=FileSystemLoader(THEME), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).get_template("page.html.jinja")
    titles = {name: page.title for name, page in pages.items()}
    around = dict(zip(NAMES, zip((None, *NAMES[:-1]), (*NAMES[1:], None), strict=True), strict=True))
    return {
        name: template.render(
            name=name,
            home=HOME,
            page=page,
            body=Markup(page.html),  # noqa: S704  rendered here, with HTML in the Markdown escaped
            titles=titles,
            sections=SECTIONS,
            before=around[name][0],
            after=around[name][1],
            version=version(),
        )
        for name, page in pages.items()
    }


def _index(pages: Mapping[str, Rendered]) -> list[list[str]]:
    """What the search looks through: address, page, heading and text of each section."""
    return [
        [page_link(f"{name}.md") + ("" if heading.level == 1 else f"#{heading.anchor}"), page.title, heading.text, text]
        for name, page in pages.items()
        for heading, text in page.sections
    ]
