"""Markdown that judges and people write: read as such, and nothing in it alive."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from dashboard.texts.finding import sought
from dashboard.texts.markdown import disarmed, markdown_html
from dashboard.texts.rendering import Judgement, judgement_html

HOSTILE = (
    "<script>alert(1)</script> <img src=http://evil.example/a onerror=alert(1)> ![x](http://evil.example/b)"
    " [c](javascript:alert(1)) <http://evil.example/d> http://evil.example/e www.evil.example [f][g] @somebody #1\n\n"
    '[g]: http://evil.example/g\n\n<div onclick=alert(1)>\n\n``` x" onload=alert(1)\n<b>\n```\n'
)
HARMLESS = {
    "p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "strong", "em", "s", "code", "pre", "blockquote", "hr",
    "br", "table", "thead", "tbody", "tr", "th", "td", "mark",
}  # fmt: skip


class Made(HTMLParser):
    """What a browser would make of some HTML."""

    def __init__(self, made: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(made)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("find", ["", "evil", "somebody"])
def test_nothing_is_alive_whatever_is_written(find: str) -> None:
    made = Made(str(markdown_html(HOSTILE, sought(find))))
    assert made.tags <= HARMLESS
    assert made.attributes <= {"class"}
    for text in ("<script>alert(1)</script>", "![x](http://evil.example/b)", "[c](javascript:alert(1))", "<div on"):
        assert text in made.text


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("## Analysis\n\n**No** harm.", {"h2", "p", "strong"}),
        ("- a\n- b", {"ul", "li"}),
        ("| a | b |\n| - | - |\n| 1 | 2 |", {"table", "thead", "tbody", "tr", "th", "td"}),
        ("one\ntwo", {"p", "br"}),
        ("```python\nx < 1\n```", {"pre"}),
    ],
)
def test_what_is_written_is_read_as_markdown(text: str, tags: set[str]) -> None:
    assert Made(str(markdown_html(text))).tags == tags


def test_what_is_searched_is_marked_wherever_it_stands_or_the_text_is_shown_to_the_letter() -> None:
    assert str(markdown_html("a **needle** and `needle`", sought("needle"))).count("<mark") == 2
    across = "a ne**edle**"
    assert markdown_html(across, sought("ne**edle")) is None
    shown = judgement_html(Judgement("judge", [], texts=[("explanation", across)]), sought("ne**edle"))
    assert shown.count("<mark") == 1
    assert "<strong>" not in shown


def test_an_answer_is_shown_to_the_letter() -> None:
    assert "**a**" in judgement_html(Judgement("judge", [], texts=[("answer", "**a**")]))


def test_markdown_for_a_file_keeps_its_structure_and_nothing_in_it_is_alive() -> None:
    made = Made(MarkdownIt("commonmark", {"html": True}).enable("table").render(disarmed(HOSTILE)))
    assert made.tags <= HARMLESS
    kept = "# Title\n\nOne, two: *three* - 10 % (p = 0.02).\n\n- a\n- b\n"
    assert disarmed(kept) == kept
