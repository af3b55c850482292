"""A review as Markdown with its pictures and numbers beside it, in one zip: for a pull request or a draft of a paper.

Texts from logs are text there too, and what people wrote is the Markdown that it is: nothing in either is a link, an
image, a mention or HTML. Links lead to the files beside it, and to the views themselves.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from itertools import zip_longest

import pandas as pd

from dashboard import numerals
from dashboard.exports.columns import shown_columns
from dashboard.exports.facts import file_name
from dashboard.exports.picture import png_files
from dashboard.exports.review import (
    Chart,
    Conversation,
    Note,
    Review,
    View,
    about_view,
    cell,
    review_methods,
    whole_text,
)
from dashboard.exports.statements import latex_table, statements
from dashboard.exports.tables import csv_of
from dashboard.texts.markdown import WORD_JOINER, disarmed
from dashboard.texts.messages import Part

MOST_ROWS = 60
"""Of a table in the text; the file beside it has them all."""

MEANING = re.compile(
    r"[\\`*\[\]<>|~$]"  # wherever it stands
    r"|(?<![^\W_])_|_(?![^\W_])"  # not within a word
    r"|&(?=[#\w])|:(?=//)|:(?=[a-z_][\w+-]*:)|(?<=\b[Ww][Ww][Ww])\."  # entities, links, emoji
    r"|^[#+=:-]|#(?=#*$)"  # headings, lists, rules
)
"""Signs where they mean something in Markdown, or begin a link that GitHub makes by itself."""

LISTED = re.compile(r"^(\d{1,9})([.)])")
"""What begins a numbered list."""

ALT = re.compile(r"[^\w\s]")


def plain(text: str) -> str:
    """A text within a line, so that it is shown as it is, and is no link, image, mention or HTML."""
    line = LISTED.sub(r"\1\\\2", MEANING.sub(r"\\\g<0>", " ".join(str(text).split())))
    # GitHub calls @people and links #1 even where the sign is escaped.
    return re.sub(r"([@#])(?=\w)", rf"\1{WORD_JOINER}", line)


def block(text: str) -> str:
    """A text of several lines as a block of code, whatever is in it."""
    fence = "`" * (1 + max((len(run) for run in re.findall("`{3,}", text)), default=2))
    return f"{fence}text\n{text}\n{fence}"


def quoted(text: str) -> str:
    """What people wrote, as a quotation, line by line."""
    lines = [plain(line) for line in text.strip().splitlines()]
    # A backslash at a line's end breaks it; before an empty line there is nothing to break.
    ends = ["\\" if line and after else "" for line, after in zip_longest(lines, lines[1:])]
    return "\n".join(f"> {line}{end}".rstrip(" ") for line, end in zip(lines, ends, strict=True))


def review_zip(review: Review) -> bytes:
    """The zip: `review.md`, `pictures/*.png` and `numbers/*.csv`, with the same as sentences and as a LaTeX table.

    Raises:
        DriftlineError: A chart that can't be drawn.
    """
    files: dict[str, bytes] = {}
    parts = [f"# {plain(review.title)}", plain(review.made)]
    parts += [f"> **{plain(notice)}**" for notice in review.notices]
    if review.introduction:
        parts.append(disarmed(review.introduction))
    for view in review.views:
        parts += _view(view, files)
    for one in review.conversations:
        parts += [f"## {plain(one.title)}", *_conversation(one)]
    if methods := review_methods(review):
        parts += ["## Methods", *map(plain, methods.split("\n\n"))]
    parts.append(f"---\n\nDriftline {plain(review.driftline)}")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("review.md", "\n\n".join(parts) + "\n")
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def _view(view: View, files: dict[str, bytes]) -> list[str]:
    parts = [disarmed(view.before)] if view.before else []
    parts += [f"## {plain(view.title)}", plain(view.saved)]
    if view.link:
        parts.append(f"[Open in Driftline]({view.link})")
    if view.note:
        parts.append(disarmed(view.note))
    parts.append("\n".join(f"- {plain(line)}" for line in about_view(view)))
    parts += [f"> {plain(why)}" for why in view.missing]
    pictures = png_files([chart.picture for chart in view.charts])
    for chart, picture in zip(view.charts, pictures, strict=True):
        parts += _chart(chart, picture, files)
    if view.table is not None:
        parts.append(_table(view.table))
    for one in view.conversations:
        parts += [f"### {plain(one.title)}", *_conversation(one)]
    parts += map(_note, view.notes)
    return parts


def _chart(chart: Chart, picture: bytes, files: dict[str, bytes]) -> list[str]:
    facts = chart.picture.facts
    number = sum(name.startswith("pictures/") for name in files) + 1
    name = f"{number:02d}-{file_name(facts, '')}".rstrip(".")
    files[f"pictures/{name}.png"] = picture
    files[f"numbers/{name}.csv"] = csv_of(chart.numbers, facts)
    led = [f"[All numbers, with every digit](numbers/{name}.csv)"]
    if said := statements(chart.numbers, facts):
        files[f"numbers/{name}.txt"] = ("\n".join(said) + "\n").encode()
        files[f"numbers/{name}.tex"] = (latex_table(chart.numbers, facts) + "\n").encode()
        led += [f"[as sentences](numbers/{name}.txt)", f"[as a LaTeX table](numbers/{name}.tex)"]
    return [
        f"### {plain(facts.title)}",
        f"![{ALT.sub('', facts.title)}](pictures/{name}.png)",
        " · ".join(led),
        _table(chart.numbers),
    ]


def _table(frame: pd.DataFrame) -> str:
    columns = shown_columns(frame)
    rows = [[plain(cell(value)) for value in row] for row in frame[columns].head(MOST_ROWS).itertuples(index=False)]
    lines = [[plain(name) for name in columns], ["---"] * len(columns), *rows]
    rest = len(frame) - MOST_ROWS
    more = f"\n\n{numerals.count(rest)} more rows are left out." if rest > 0 else ""
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + more


def _conversation(one: Conversation) -> list[str]:
    parts = ["\n".join(f"- {plain(name)}: {plain(value)}" for name, value in one.about)]
    for message in one.messages:
        parts += [f"**{plain(message.title)}**", *(_said(message.parts) or [block("(empty)")])]
    if one.scores:
        parts += ["**Scores**", *_said(one.scores)]
    if one.labels:
        parts += ["**Human labels**", *_said(one.labels)]
    return [*parts, *map(_note, one.notes)]


def _said(parts: Sequence[Part]) -> list[str]:
    told = [[plain(each.title)] * bool(each.title) + [block(whole_text(each))] * bool(each.text) for each in parts]
    return [line for lines in told for line in lines]


def _note(note: Note) -> str:
    said = [f"> {plain(author)}, {plain(when)}:\n>\n{quoted(text)}" for author, when, text in note.comments]
    return f"> Note on {plain(note.on)} · {plain(note.state)}\n>\n" + "\n>\n".join(said)
