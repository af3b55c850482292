"""Markdown as HTML in which nothing is alive: no HTML of its own, image or link; and made harmless as it stands.

What judges and people write is Markdown often enough to be read as such. It is untrusted all the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup, escape

from dashboard.texts.finding import Sought, marked

WORD_JOINER = "\u2060"
"""Takes no room and breaks no line, but a word: no Markdown reads a tag, a link, a mention or a number across it."""

LIVING = re.compile(r"<(?=[A-Za-z/!?])|\](?=[(\[:])|:(?=//)|\b[Ww][Ww][Ww](?=\.)|[@#](?=\w)")
"""Where Markdown, or GitHub by itself, would make something that leads or loads."""


def markdown_html(text: str, wanted: Sought | None = None) -> Markup | None:
    """A text in Markdown as HTML.

    Args:
        text: Untrusted. Its HTML is shown as text, and so are its links and images.
        wanted: What is marked in it.

    Returns:
        None where what is wanted can't be marked wherever it is: across words of other weight, or in the markup itself.
    """
    made = _reader().render(text, {"wanted": wanted})
    if wanted and made.count(MARK) != wanted.count([text]):
        return None
    # The renderer escapes all that it is given; markup is its own.
    return Markup(made)  # noqa: S704


def disarmed(text: str) -> str:
    """Markdown that somebody wrote, for a file of Markdown: headings and lists stay, and nothing in it is alive."""
    return LIVING.sub(lambda found: found[0] + WORD_JOINER, text)


MARK = '<mark class="dl-hit">'


class _Renderer(RendererHTML):
    """Writes texts with what is searched in them marked."""

    def text(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:  # noqa: ARG002
        """A run of plain text."""
        return _marked(tokens[idx].content, env)

    def code_inline(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:  # noqa: ARG002
        """Code within a line."""
        return f"<code>{_marked(tokens[idx].content, env)}</code>"

    def code_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:  # noqa: ARG002
        """Lines of code; the language that a fence names is nobody's business."""
        return f'<pre class="dl-code">{_marked(tokens[idx].content, env)}</pre>'

    fence = code_block


def _marked(text: str, env: EnvType) -> str:
    wanted = env.get("wanted")
    if wanted is None:
        return str(escape(text))
    runs = marked(text, wanted, 0, len(text))
    return "".join(f"{MARK}{escape(run.text)}</mark>" if run.kind == "hit" else str(escape(run.text)) for run in runs)


@cache
def _reader() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False, "breaks": True}, renderer_cls=_Renderer)
    return made.enable(["table", "strikethrough"]).disable(
        ["link", "image", "autolink", "reference", "html_inline", "html_block"]
    )
