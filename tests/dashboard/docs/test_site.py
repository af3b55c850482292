"""The documentation as a whole: nothing leads nowhere, nothing is left out, nothing comes from elsewhere."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dashboard.cli import parser
from dashboard.docs import contents, site
from dashboard.docs.contents import NAMES, PAGES
from dashboard.docs.markdown import escaped, render
from dashboard.docs.reference import sources
from dashboard.docs.site import Site
from loaders.errors import DriftlineError
from loaders.registry import registered
from tests.driftline import ROOT
from tests.named_code import is_code


@pytest.fixture(scope="module")
def built() -> Site:
    return site.build(parser())


class Links(HTMLParser):
    """What a page leads to and loads, and where it can be led to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.leads: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.anchors.add(found.get("id") or "")
        if tag == "a":
            self.leads.append(found.get("href") or "")
        self.loads += [
            value for name, value in attrs if value and (name == "src" or (tag == "link" and name == "href"))
        ]


def pages(files: Mapping[str, bytes]) -> dict[str, Links]:
    return {name: Links(content.decode()) for name, content in files.items() if name.endswith(".html")}


@pytest.mark.slow
def test_the_builder_finds_nothing_wrong(built: Site) -> None:
    assert built.problems == ()
    assert len(pages(built.files)) == len(NAMES)


def test_every_link_of_the_site_leads_to_what_is_in_it(built: Site) -> None:
    found = pages(built.files)
    for name, page in found.items():
        for link in page.leads:
            place, _, part = link.partition("#")
            assert (place or name) in built.files, f"{name}: {link}"
            assert not part or part in found[place or name].anchors, f"{name}: {link}"


def test_nothing_is_loaded_from_elsewhere(built: Site) -> None:
    for name, page in pages(built.files).items():
        assert page.loads
        assert [source for source in page.loads if source not in built.files] == [], name
    for name in ("docs.css", "docs.js"):
        assert re.findall(rb"https?:|//[a-z]+\.|@import|url\(", built.files[name]) == []


def test_a_wrong_link_section_or_reference_is_told_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        "# One\n\n[a](gone.md) [b](one.md#gone) ![c](pictures/gone.png) [d](one.md#one)\n\n<!-- reference: gone -->\n"
    )
    (tmp_path / "one.md").write_text(text)
    (tmp_path / "two.md").write_text("# Two")
    monkeypatch.setattr(site, "PAGES", tmp_path)
    monkeypatch.setattr(site, "NAMES", ("one",))
    monkeypatch.setattr(site, "SECTIONS", (contents.Section("", ("one",)),))
    found = site.build(parser())
    assert set(found.problems) == {
        "two.md: stands in no section of the contents",
        "one.md: no reference is called gone",
        "one.md: the link gone.md leads nowhere",
        "one.md: the link one.md#gone leads to a section that is not there",
        "one.md: the link pictures/gone.png leads nowhere",
    }
    with pytest.raises(DriftlineError, match="leads nowhere"):
        site.write(found, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_html_in_markdown_and_in_the_code_is_shown_and_not_obeyed() -> None:
    page = render(f"# <b>x</b>\n\n<script>1</script> {escaped('<i>a*b_c|d`e')}\n\n```html\n<u>\n```\n")
    assert not re.search(r"<(b|script|i|u)>", page.html)
    assert "&lt;i&gt;a*b_c|d`e" in page.html


def test_the_search_knows_every_section(built: Site) -> None:
    index = json.loads(built.files["search.js"].decode().partition(" = ")[2].rstrip(";\n"))
    assert {address.partition("#")[0] for address, *_ in index} == {f"{name}.html" for name in NAMES}
    assert [address for address, _, _, text in index if "--clopper" in text or "clopper-pearson" in text]
    assert any(heading == "driftline compare" and "--target" in text for _, _, heading, text in index)


def test_a_new_option_is_documented_by_itself() -> None:
    top = argparse.ArgumentParser(prog="driftline")
    verb = top.add_subparsers().add_parser("sing", description="Sing a song.")
    verb.add_argument("--loud", metavar="DB", help="how loud, 100%% at most")
    text = render(sources(top)["commands"]()).html
    for said in ("driftline sing", "Sing a song.", "--loud DB", "how loud, 100% at most"):
        assert said in text


def test_every_option_of_every_command_is_in_the_reference(built: Site) -> None:
    text = built.files["commands.html"].decode()
    verbs = next(action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    for verb in verbs.choices.values():
        assert f"driftline {verb.prog.split()[-1]}" in text
        for action in verb._actions:
            assert action.help, f"{verb.prog} {action.dest} has no help"
            assert all(option in text for option in action.option_strings if option not in ("-h", "--help"))


def test_code_that_is_named_is_there() -> None:
    """`dashboard.queries.rates` is a module, `loaders.store.write.Writer` a name in one, `tests/plots.py` a file."""
    wrong, checked = [], 0
    for name in NAMES:
        for span in re.findall(r"`([^`\n]+)`", (PAGES / f"{name}.md").read_text(encoding="utf-8")):
            if re.fullmatch(r"(?:loaders|dashboard|tests)(?:\.\w+)+", span):
                checked += 1
                wrong += [] if is_code(span) else [f"{name}.md: {span}"]
            elif re.fullmatch(r"(?:loaders|dashboard|tests|\.ci)/[\w./-]+", span):
                checked += 1
                wrong += [] if (ROOT / span).exists() or "mine" in span else [f"{name}.md: {span}"]
    assert wrong == []
    assert checked > 60


def test_every_format_is_in_the_table_of_formats() -> None:
    table = (PAGES / "logs.md").read_text(encoding="utf-8").partition("## Import them")[0]
    for known in registered().own:
        assert f"| `{known.name}` |" in table


def test_every_variable_of_the_environment_is_documented(built: Site) -> None:
    sources = [*(ROOT / "dashboard").rglob("*.py"), *(ROOT / "loaders").rglob("*.py")]
    named = {name for path in sources for name in re.findall(r"\bDRIFTLINE_[A-Z_]+\b", path.read_text("utf-8"))}
    text = built.files["commands.html"].decode()
    assert named
    assert [name for name in sorted(named) if name not in text] == []


def test_the_readme_leads_to_what_is_there_and_its_commands_are_real() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for link in render(text).links:
        assert (ROOT / link).is_file(), link
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^\$ make (\w+)", text, re.MULTILINE)
    assert targets == ["view", "test"]
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)
