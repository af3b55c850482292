"""One page of Markdown as HTML, with its headings, links and the text of each section."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

MARKER = re.compile(r"^<!-- reference: ([a-z-]+) -->$", re.MULTILINE)
"""Stands in a page where reference is put in that is made of the code."""


@dataclass(frozen=True)
class Heading:
    """A heading, and where a link to it leads."""

    level: int
    anchor: str
    text: str


@dataclass
class Rendered:
    """A page.

    Attributes:
        title: Its first heading.
        html: Its body.
        headings: In order.
        links: What its links and pictures lead to, as written.
        sections: Each heading with the text below it, for the search.
    """

    title: str = ""
    html: str = ""
    headings: list[Heading] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    sections: list[tuple[Heading, str]] = field(default_factory=list)


def render(text: str) -> Rendered:
    """Render Markdown (CommonMark and tables; HTML in it is shown, not obeyed)."""
    page = Rendered()
    tokens = _parser().parse(text)
    used: Counter[str] = Counter()
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            said = _plain(tokens[at + 1].children or ())
            slug = anchor(said)
            used[slug] += 1
            slug = slug if used[slug] == 1 else f"{slug}-{used[slug] - 1}"
            token.attrSet("id", slug)
            page.headings.append(Heading(int(token.tag[1]), slug, said))
            page.sections.append((page.headings[-1], ""))
        elif token.type == "inline":
            _follow(token.children or (), page.links)
            if tokens[at - 1].type != "heading_open":
                _say(page, _plain(token.children or ()))
        elif token.type in ("fence", "code_block"):
            _say(page, token.content)
    page.title = next((heading.text for heading in page.headings if heading.level == 1), "")
    page.html = _parser().renderer.render(tokens, _parser().options, {})
    return page


def anchor(heading: str) -> str:
    """What a link to a heading ends with, as GitHub has it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def escaped(text: str) -> str:
    """A text of the code as Markdown that shows it as it is; what stands in backticks is code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # a backtick too many
        return re.sub(r"([\\`*_\[\]<>|#~])", r"\\\1", text)
    return "`".join(
        part.replace("|", r"\|") if at % 2 else re.sub(r"([\\*_\[\]<>|#~])", r"\\\1", part)
        for at, part in enumerate(parts)
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(' '.join(cell.split()) for cell in line)} |" for line in lines) + "\n"


def code(text: str) -> str:
    """A text as code in a cell or line; empty where there is none."""
    return f"`{text}`".replace("|", r"\|") if text else ""


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.add_render_rule("fence", _fence)
    parser.add_render_rule("heading_close", _heading_close)
    parser.add_render_rule("table_open", lambda *_: '<div class="wide" tabindex="0"><table>\n')
    parser.add_render_rule("table_close", lambda *_: "</table></div>\n")
    parser.add_render_rule("link_open", _link_open)
    return parser


def _fence(_: Any, tokens: Sequence[Token], at: int, *__: Any) -> str:
    language = tokens[at].info.split()[0] if tokens[at].info.strip() else ""
    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        body = escape(tokens[at].content)
    else:
        body = highlight(tokens[at].content, lexer, HtmlFormatter(nowrap=True))
    return f'<pre tabindex="0" data-language="{escape(language)}"><code>{body}</code></pre>\n'


def _heading_close(_: Any, tokens: Sequence[Token], at: int, *__: Any) -> str:
    opened = next(token for token in reversed(tokens[:at]) if token.type == "heading_open")
    slug = opened.attrGet("id")
    return f' <a class="here" href="#{slug}" aria-label="Link to this section">#</a></{tokens[at].tag}>\n'


def _link_open(_: Any, tokens: Sequence[Token], at: int, *__: Any) -> str:
    return f'<a href="{escape(page_link(str(tokens[at].attrGet("href"))))}">'


def page_link(href: str) -> str:
    """A link between Markdown files as one between pages; others as they are."""
    if "://" in href:
        return href
    return re.sub(r"^([^#]+)\.md(#|$)", r"\1.html\2", href)


def _plain(tokens: Sequence[Token]) -> str:
    return "".join(" " if token.type in ("softbreak", "hardbreak") else token.content for token in tokens)


def _follow(tokens: Sequence[Token], links: list[str]) -> None:
    for token in tokens:
        if token.type == "link_open":
            links.append(str(token.attrGet("href")))
        elif token.type == "image":
            links.append(str(token.attrGet("src")))


def _say(page: Rendered, text: str) -> None:
    if page.sections:
        heading, said = page.sections[-1]
        page.sections[-1] = (heading, f"{said} {text}".strip())
