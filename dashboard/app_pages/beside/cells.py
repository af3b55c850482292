"""Transcripts beside each other as HTML in which nothing is alive: aligned by turn, compared by word. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dashboard.kit.text.plain import escaped, segments_html
from dashboard.kit.text.transcript_html import FOLDED, LONG, arguments_of, media_of
from dashboard.texts.turns import Stretch, TurnRow
from dashboard.texts.word_differences import Segment, differences

STYLE = """<style>
.bs-scroll { overflow-x: auto; }
.bs-scroll:focus-visible { outline: 2px solid #0072B2; }
.bs-row { display: grid; grid-template-columns: repeat(var(--n), minmax(var(--w), 1fr)); gap: .2rem 1rem; }
.bs-cell { min-width: 0; }
.bs-name { font-size: .78rem; font-weight: 600; overflow-wrap: anywhere; margin: .3rem 0 0 0; }
.bs-wide .bs-name { display: none; }
.bs-head { font-weight: 600; font-size: .9rem; overflow-wrap: anywhere; border-bottom: 1px solid rgba(128,128,128,.4);
  padding: .15rem 0; margin-bottom: .25rem; }
.bs-parting { display: flex; align-items: center; gap: .6rem; font-size: .82rem; font-weight: 600; color: #D55E00;
  margin: .5rem 0 .2rem 0; }
.bs-parting::after { content: ""; flex: 1; border-top: 2px dashed #D55E00; }
.bs-here { display: inline-block; font-size: .76rem; font-weight: 600; color: #D55E00; }
.bs-gap { opacity: .5; font-size: .82rem; padding: .3rem 0 .3rem .8rem; border-left: 3px dotted rgba(128,128,128,.45); }
.bs-same { margin: .3rem 0; padding: .2rem .6rem; background: rgba(128,128,128,.08); border-radius: 4px; }
@media (max-width: 700px) { .bs-row { grid-template-columns: minmax(0, 1fr); } .bs-wide .bs-name { display: block; }
  .bs-head { display: none; } .bs-cell.nothing { display: none; } }
</style>"""

MOST_COMPARED = 20_000
"""Characters of a text beyond which it isn't compared by word."""

MOST_COMPARED_IN_ALL = 400_000
"""The same of all texts that are shown at once, so that a page takes a second or two and no more."""

ROWS_A_PART = 40
"""Rows of messages that are shown at once."""

ROOMY = 3
"""So many columns fit the screen; more are scrolled sideways, none narrower than `NARROWEST` pixels."""
NARROWEST = 300


@dataclass(frozen=True, slots=True)
class Piece:
    """One text of a message.

    Attributes:
        kind: text, reasoning, call, error or media.
        title: Stands over it; empty for the text itself.
        text: In full.
    """

    kind: str
    title: str
    text: str


@dataclass(frozen=True)
class Column:
    """One transcript.

    Attributes:
        name: Of its checkpoint, for people.
        messages: Columns of `messages`, JSON parsed.
        pieces: The texts of each message.
        said: What each message says, as one text: messages that say the same are alike.
        under: HTML beneath it: what the judge said.
    """

    name: str
    messages: Sequence[Mapping[str, Any]]
    pieces: list[list[Piece]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    under: str = ""


@dataclass
class Room:
    """How much may still be compared by word, and how many texts were not."""

    characters: int = MOST_COMPARED_IN_ALL
    left_out: int = 0

    def compare(self, base: str, text: str) -> list[Segment] | None:
        """The differences of two texts; None where they are too long for it."""
        size = len(base) + len(text)
        if max(len(base), len(text)) > MOST_COMPARED or size > self.characters:
            self.left_out += 1
            return None
        self.characters -= size
        return differences(base, text)


def column(name: str, messages: Sequence[Mapping[str, Any]], under: str) -> Column:
    """Make a column of a transcript.

    Args:
        name: Of its checkpoint.
        messages: Columns of `messages`, JSON parsed.
        under: HTML beneath it.
    """
    pieces = [pieces_of(message) for message in messages]
    said = [
        json.dumps([role_of(message), [[each.kind, each.title, each.text] for each in of]])
        for message, of in zip(messages, pieces, strict=True)
    ]
    return Column(name, messages, pieces, said, under)


def role_of(message: Mapping[str, Any]) -> str:
    """The role of a message."""
    return str(message.get("role") or "message")


def pieces_of(message: Mapping[str, Any]) -> list[Piece]:
    """The texts of a message. Ids of tool calls and names of models tell nothing apart, and are left out."""
    found = []
    if message.get("reasoning"):
        found.append(Piece("reasoning", "Reasoning", str(message["reasoning"])))
    if message.get("text"):
        found.append(Piece("text", "", str(message["text"])))
    found += [Piece("media", "", told) for told in media_of(message.get("content"))]
    for call in message.get("tool_calls") or []:
        if isinstance(call, dict):
            lines = [f"{name}: {value}" if name else value for name, value in arguments_of(call)]
            title = f"→ calls {call.get('function') or call.get('type') or 'tool'}"
            found.append(Piece("call", title, "\n".join(lines)))
    error = message.get("error")
    if error:
        told = error.get("message") if isinstance(error, dict) else error
        found.append(Piece("error", "Error", str(told)))
    return found


def grid_html(
    columns: Sequence[Column],
    rows: Sequence[TurnRow],
    stretches: Sequence[Stretch],
    partings: Sequence[int | None],
    reference: int,
    room: Room,
) -> str:
    """Transcripts beside each other; what all have alike is folded.

    Args:
        columns: Two or more; or one by itself.
        rows: Of `dashboard.texts.turns.side_by_side`.
        stretches: Those of them that are shown.
        partings: Where each column parts from the reference, as an index into `rows`.
        reference: Which column the others are held against.
        room: For comparing.
    """
    first = min((at for at in partings if at is not None), default=None)
    parts = []
    for stretch in stretches:
        if stretch.alike and len(columns) > 1:
            parts.append(_alike(stretch, rows, columns[reference], reference))
            continue
        for at in stretch.rows:
            if at == first:
                parts.append(f'<div class="bs-parting" role="note">Here they part, in turn {rows[at].turn + 1}</div>')
            cells = [
                _cell(columns, number, rows[at], reference, room, parts_here=partings[number] == at)
                for number in range(len(columns))
            ]
            parts.append(_row(cells))
    under = [f'<div class="bs-cell">{_name(one.name)}{one.under}</div>' for one in columns]
    head = "".join(f'<div class="bs-head">{escaped(one.name)}</div>' for one in columns)
    wide = "bs-wide" if len(columns) <= ROOMY else ""
    least = "0px" if len(columns) <= ROOMY else f"{NARROWEST}px"
    return (
        f'<div class="bs-scroll {wide}" style="--n:{len(columns)};--w:{least}"><div class="bs-row">{head}</div>'
        f"{''.join(parts)}{_row(under)}</div>"
    )


def _row(cells: Sequence[str]) -> str:
    return f'<div class="bs-row">{"".join(cells)}</div>'


def _name(name: str) -> str:
    return f'<div class="bs-name">{escaped(name)}</div>'


def _alike(stretch: Stretch, rows: Sequence[TurnRow], column: Column, number: int) -> str:
    """Messages that all columns have alike, once for all."""
    shown = [rows[at].places[number] for at in stretch.rows]
    bodies = [_message(at, column, None, Room()) for at in shown if at is not None]
    roles = ", ".join(dict.fromkeys(rows[at].role for at in stretch.rows))
    many = "1 message" if len(bodies) == 1 else f"{len(bodies)} messages"
    told = f"{stretch.turns} turns alike ({many})" if stretch.turns > 1 else f"{many} alike"
    return (
        f'<details class="dl-fold bs-same"><summary>{escaped(told)} <i>{escaped(roles)}</i></summary>'
        f"{''.join(bodies)}</details>"
    )


def _cell(columns: Sequence[Column], number: int, row: TurnRow, reference: int, room: Room, *, parts_here: bool) -> str:
    column, at, base = columns[number], row.places[number], row.places[reference]
    here = f'<span class="bs-here">▸ parts from {escaped(columns[reference].name)} here</span>' if parts_here else ""
    if at is None:
        return f'<div class="bs-cell nothing">{here}<div class="bs-gap">no {escaped(row.role)} message here</div></div>'
    against = None if number == reference or base is None else columns[reference].pieces[base]
    return f'<div class="bs-cell">{_name(column.name)}{here}{_message(at, column, against, room)}</div>'


def _message(at: int, column: Column, against: Sequence[Piece] | None, room: Room) -> str:
    message, pieces = column.messages[at], column.pieces[at]
    role = role_of(message)
    css = role if role in ("system", "user", "assistant", "tool") else ""
    name = message.get("function") if role == "tool" else message.get("model")
    head = f"{at + 1} · {role}" + (f" · {name}" if name else "")
    counts: dict[str, int] = {}
    parts = [f'<div class="dl-role">{escaped(head)}</div>']
    for piece in pieces:
        nth = counts[piece.kind] = counts.get(piece.kind, -1) + 1
        same_kind = [each for each in against or [] if each.kind == piece.kind]
        parts.append(_piece(piece, same_kind[nth].text if nth < len(same_kind) else None, role, room))
    for kind in dict.fromkeys(each.kind for each in against or []):
        if kind not in counts:
            parts.append(f'<div class="dl-note">no {escaped(kind)} here</div>')
    if len(parts) == 1:
        parts.append('<div class="dl-note">(empty)</div>')
    return f'<div class="dl-message {css}">{"".join(parts)}</div>'


def _piece(piece: Piece, base: str | None, role: str, room: Room) -> str:
    """A text, marked against the reference's where there is one of its kind in the same place."""
    segments = None if base is None or base == piece.text else room.compare(base, piece.text)
    shown = escaped(piece.text[:LONG]) if segments is None else segments_html(segments, LONG)
    css = "dl-code" if role == "tool" or piece.kind == "call" else "dl-text"
    if piece.kind == "media":
        return f'<div class="dl-note">{shown}</div>'
    body = f'<pre class="{css}">{shown}</pre>'
    if base is not None and base != piece.text and segments is None:
        body += '<div class="dl-note">Differs; too long to be compared by word.</div>'
    if len(piece.text) > LONG:
        body += f'<div class="dl-note">{len(piece.text) - LONG:,} more characters are not shown.</div>'
    if piece.kind == "reasoning" or (css == "dl-code" and len(piece.text) > FOLDED):
        title = piece.title or "Result"
        differs = "" if base is None or base == piece.text else ", differs"
        summary = f"<summary>{escaped(title)} ({len(piece.text):,} characters{differs})</summary>"
        return f'<details class="dl-fold">{summary}{body}</details>'
    title = f'<div class="dl-role">{escaped(piece.title)}</div>' if piece.title else ""
    return f'<div class="dl-error">{title}{body}</div>' if piece.kind == "error" else title + body
