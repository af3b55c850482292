"""What was said as HTML in which nothing is alive: markup stands in templates, which escape every text they are given.

What is drawn is settled here, in plain objects: how much of a text is shown, what of it is marked, what is folded. The
templates only write it down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from msgspec import Struct

from dashboard import numerals
from dashboard.texts.finding import Sought, marked
from dashboard.texts.markdown import markdown_html
from dashboard.texts.messages import ROLES, Message, Part
from dashboard.texts.word_differences import Segment

FOLDED = 1_500
"""Arguments of calls longer than this are folded: they are what a model does."""

RESULT_FOLDED = 300
"""Results of tools longer than this are folded."""

IN_MARKDOWN = ("explanation", "reason", "")
"""Labels of a judge's words that are read as Markdown. An answer is what a model wrote, to the letter."""

PREVIEW = 90
"""Characters of a folded text that are shown beside its title."""

AROUND = 400
"""Characters shown around a place where a searched text was found beyond the cut."""

PROSE, CODE = "dl-text", "dl-code"


MARKS: Mapping[str, tuple[str, str]] = {
    "same": ("", ""),
    "hit": ('<mark class="dl-hit">', "</mark>"),
    "begun": ("<b>", "</b>"),
    "added": ('<span class="dl-added">', "</span>"),
    "removed": ('<span class="dl-removed">', "</span>"),
}
"""Markup of a segment, by kind."""

CHANGED = {"removed", "added"}


class Limit(Struct, frozen=True):
    """How much of a text is shown in some place, and where the rest is to be had, in words."""

    most: int
    whole: str = ""


LONG = Limit(12_000, "; the download has them")


class Text(Struct, frozen=True):
    """A text as it is drawn.

    Attributes:
        css: Of its block.
        runs: What is shown of it.
        size: Of the whole.
        more: Characters that are not shown.
        whole: Where they are to be had.
        beyond: Where the first hit behind the cut stands.
        around: What stands around that.
        fold: Title of the fold that it lies in; "" for none.
        begins: What stands beside that title.
        is_open: Whether the fold is open.
        differs: Whether it is another text than the one it is compared with.
        too_long: Whether it is too long for that to be shown word by word.
        formatted: All of it as HTML, in place of its runs; None where it is shown to the letter.
    """

    css: str
    runs: Sequence[Segment]
    size: int = 0
    more: int = 0
    whole: str = ""
    beyond: int = 0
    around: Sequence[Segment] = ()
    fold: str = ""
    begins: str = ""
    is_open: bool = False
    differs: bool = False
    too_long: bool = False
    formatted: Markup | None = None


class DrawnPart(Struct, frozen=True):
    """A part of a message as it is drawn: its texts, each with a label."""

    kind: str
    title: Sequence[Segment]
    texts: Sequence[tuple[Sequence[Segment], Text]]


class DrawnMessage(Struct, frozen=True):
    """A message as it is drawn.

    Attributes:
        css: Of its role, and whether it is chosen.
        title: Who speaks.
        parts: In order.
        number: Its place, from 1; None where it has none.
        can_be_picked: Whether a click on its title picks it.
        notes: Threads on it.
        missing: Kinds of parts that others have in its place.
    """

    css: str
    title: str
    parts: Sequence[DrawnPart]
    number: int | None = None
    can_be_picked: bool = False
    notes: int = 0
    missing: Sequence[str] = ()


class Judgement(Struct, frozen=True):
    """What a scorer, a judge or a person says of a sample.

    Attributes:
        by: Who; "" where that goes without saying.
        link: Where that leads; "" for nowhere.
        values: What they say, each with its key; "" for none.
        warning: Why it may not count; "" for none.
        note: How it came about.
        texts: Their words, each with a label or none.
        folded: What is looked up now and then, by title.
    """

    by: str
    values: Sequence[tuple[str, str]]
    link: str = ""
    warning: str = ""
    note: str = ""
    texts: Sequence[tuple[str, str]] = ()
    folded: Sequence[tuple[str, str]] = ()


class DrawnJudgement(Struct, frozen=True):
    """What somebody says of a sample, with their words as they are drawn."""

    said: Judgement
    parts: Sequence[DrawnPart]


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("dashboard.texts"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["thousands"] = numerals.count
    made.filters["runs"] = _runs
    made.filters["markdown"] = markdown_html
    return made


def _runs(segments: Sequence[Segment]) -> Markup:
    """Segments of a text, marked. They are most of what is drawn, and no template writes them as fast."""
    if len(segments) == 1 and segments[0].kind == "same":
        return escape(segments[0].text)
    parts: list[str] = []
    for before, each in zip([None, *segments], segments, strict=False):
        begin, end = MARKS[each.kind]
        # One word in the place of another: without a space between them they read as one.
        if (
            before
            and {before.kind, each.kind} == CHANGED
            and not (before.text[-1:].isspace() or each.text[:1].isspace())
        ):
            parts.append(" ")
        parts += (begin, escape(each.text), end)
    return Markup("".join(parts))  # noqa: S704 - what is not escaped is from MARKS


def render(template: str, **context: Any) -> str:
    """What a template makes of some objects.

    Args:
        template: Its name, without `.html.jinja`.
        context: What it names.
    """
    return _environment().get_template(f"{template}.html.jinja").render(context)


def text_of(
    text: str,
    css: str = PROSE,
    *,
    limit: Limit = LONG,
    wanted: Sought | None = None,
    fold: str = "",
    preview: bool = True,
    before: Sequence[Segment] = (),
    in_markdown: bool = False,
) -> Text:
    """A text as it is drawn; what is searched beyond the cut is shown with what stands around it.

    Args:
        text: In full.
        css: Of its block.
        limit: How much of it is shown.
        wanted: What is marked in it.
        fold: Title of the fold that it lies in; "" for none.
        preview: Whether its size and beginning stand beside that title.
        before: What it begins with, and is no part of it.
        in_markdown: Whether it is Markdown. It is read as such where it is shown whole.
    """
    size, beyond, around = len(text), 0, list[Segment]()
    if wanted and size > limit.most:
        beyond, end = next(wanted.spans(text, limit.most), (0, 0))
        around = marked(text, wanted, max(limit.most, beyond - AROUND), end + AROUND) if beyond else []
    return Text(
        css,
        [*before, *marked(text, wanted, 0, limit.most)],
        size=size,
        more=max(0, size - limit.most),
        whole=limit.whole,
        beyond=beyond,
        around=around,
        fold=fold,
        begins=" ".join(text[:PREVIEW].split()) if fold and preview else "",
        is_open=bool(fold and wanted and wanted.count([text])),
        formatted=markdown_html(text, wanted) if in_markdown and size <= limit.most else None,
    )


def draw_part(
    part: Part, role: str, *, limit: Limit = LONG, wanted: Sought | None = None, thought: str = PROSE
) -> DrawnPart:
    """A part as it is drawn in a message of a role.

    Args:
        part: What is said, thought or called.
        role: Of who speaks.
        limit: How much of each text is shown.
        wanted: A text to be marked.
        thought: Class of the reasoning's block.
    """
    if part.kind == "media":
        return DrawnPart(part.kind, [Segment("same", part.text)], ())
    if part.kind == "error":
        before = _plain(part.title and f"{part.title}: ")
        return DrawnPart(part.kind, (), [((), text_of(part.text, CODE, limit=limit, wanted=wanted, before=before))])
    if part.kind == "call":
        texts = [
            (
                marked(name, wanted),
                text_of(value, CODE, limit=limit, wanted=wanted, fold="Argument" if len(value) > FOLDED else ""),
            )
            for name, value in part.arguments
        ]
        return DrawnPart(part.kind, marked(part.title, wanted), texts)
    if part.kind == "reasoning":
        return DrawnPart(
            part.kind, (), [((), text_of(part.text, thought, limit=limit, wanted=wanted, fold=part.title))]
        )
    css = CODE if role == "tool" else PROSE
    fold = "Result" if css == CODE and len(part.text) > RESULT_FOLDED else ""
    return DrawnPart(part.kind, (), [((), text_of(part.text, css, limit=limit, wanted=wanted, fold=fold))])


def css_of(role: str) -> str:
    """The class of a role: untrusted as it is, one of few."""
    return role if role in ROLES else ""


def draw(
    messages: Sequence[Message],
    wanted: Sought | None = None,
    *,
    notes: Mapping[int, int] | None = None,
    chosen: int | None = None,
    can_be_picked: bool = False,
) -> list[DrawnMessage]:
    """Messages as they are drawn.

    Args:
        messages: Of one conversation.
        wanted: A text to be marked.
        notes: How many threads are on each, by its number.
        chosen: The number of the one that is marked.
        can_be_picked: Whether a click on a message's title picks it.
    """
    notes = notes or {}
    return [
        DrawnMessage(
            css_of(message.role) + (" chosen" if chosen is not None and message.number == chosen else ""),
            message.title + (f" · {message.source}" if message.source else ""),
            [draw_part(part, message.role, wanted=wanted) for part in message.parts],
            message.number,
            can_be_picked,
            notes.get(message.number or 0, 0),
        )
        for message in messages
    ]


def messages_html(messages: Sequence[DrawnMessage], place: str = "") -> str:
    """Messages below each other.

    Args:
        messages: From `draw`; of none, nothing is made.
        place: A class by which a script finds them; "" for none.
    """
    return render("messages", several=messages, place=place) if messages else ""


def draw_judgement(judgement: Judgement, wanted: Sought | None = None, limit: Limit = LONG) -> DrawnJudgement:
    """What somebody says of a sample, as it is drawn.

    Args:
        judgement: Who, what and why.
        wanted: A text to be marked in their words.
        limit: How much of these is shown.
    """
    said = [
        (_plain(label), text_of(text, limit=limit, wanted=wanted, in_markdown=label in IN_MARKDOWN))
        for label, text in judgement.texts
    ]
    return DrawnJudgement(judgement, [DrawnPart("verdict", (), said), *_folded(judgement.folded)])


def judgement_html(judgement: Judgement, wanted: Sought | None = None, limit: Limit = LONG) -> str:
    """What somebody says of a sample: see `draw_judgement`."""
    return render("judgement", one=draw_judgement(judgement, wanted, limit))


def folded_html(titled: Sequence[tuple[str, str]]) -> str:
    """Texts that are looked up now and then, each in a fold with its title; empty ones are left out."""
    return render("folded", folded=_folded(titled))


def _folded(titled: Sequence[tuple[str, str]]) -> list[DrawnPart]:
    texts = [text_of(text, CODE, fold=title, preview=False) for title, text in titled if text]
    return [DrawnPart("verdict", (), [((), text)]) for text in texts]


def _plain(text: str) -> list[Segment]:
    return [Segment("same", text)] if text else []


def cut(segments: Sequence[Segment], most: int) -> list[Segment]:
    """The first characters of a text in segments, with an ellipsis where there are more."""
    shown, room = [], most
    for segment in segments:
        shown.append(Segment(segment.kind, segment.text[:room]))
        room -= len(segment.text)
        if room <= 0:
            return [*shown, Segment("same", " …")]
    return shown
