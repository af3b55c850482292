"""Transcripts beside each other: aligned by turn, compared by word. What is drawn is settled here. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import Struct
from msgspec.structs import replace as changed

from dashboard import numerals
from dashboard.texts.messages import Message, Part
from dashboard.texts.rendering import (
    CODE,
    FOLDED,
    LONG,
    DrawnMessage,
    DrawnPart,
    Judgement,
    Limit,
    css_of,
    cut,
    draw_judgement,
    draw_part,
    render,
    text_of,
)
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
.bs-parting { display: flex; align-items: center; gap: .6rem; font-size: .82rem; font-weight: 600;
  color: var(--dl-worse);
  margin: .5rem 0 .2rem 0; }
.bs-parting::after { content: ""; flex: 1; border-top: 2px dashed #D55E00; }
.bs-here { display: inline-block; font-size: .76rem; font-weight: 600; color: var(--dl-worse); }
.bs-gap { opacity: .5; font-size: .82rem; padding: .3rem 0 .3rem .8rem; border-left: 3px dotted rgba(128,128,128,.45); }
.bs-same { margin: .3rem 0; padding: .2rem .6rem; background: rgba(128,128,128,.08); border-radius: 4px; }
@media (max-width: 700px) { .bs-row { grid-template-columns: minmax(0, 1fr); } .bs-wide .bs-name { display: block; }
  .bs-head { display: none; } .bs-cell.nothing { display: none; } }
</style>"""

LIMIT = Limit(LONG.most)

MOST_COMPARED = 20_000
"""Characters of a text beyond which it isn't compared by word."""

MOST_COMPARED_IN_ALL = 400_000
"""The same of all texts that are shown at once, so that a page takes a second or two and no more."""

ROWS_A_PART = 40
"""Rows of messages that are shown at once."""

ROOMY = 3
"""So many columns fit the screen; more are scrolled sideways, none narrower than `NARROWEST` pixels."""
NARROWEST = 300


@dataclass(frozen=True)
class Column:
    """One transcript.

    Attributes:
        name: Of its checkpoint, for people.
        messages: In order.
        said: What each message says, as one text: messages that say the same are alike.
        judged: What was said of it, beneath it.
        notices: What has to be known besides.
    """

    name: str
    messages: Sequence[Message]
    said: Sequence[str]
    judged: Sequence[Judgement]
    notices: Sequence[str]


class Cell(Struct, frozen=True):
    """What a column has in a row.

    Attributes:
        name: Of the column.
        message: None where it has none there.
        role: Of the row.
        parts_from: Name of the column that it parts from in this row; "" where it doesn't.
    """

    name: str
    message: DrawnMessage | None
    role: str
    parts_from: str = ""


class Row(Struct, frozen=True):
    """Cells beside each other; with the number of their turn where the first of them part there."""

    cells: Sequence[Cell]
    parting: int | None = None


class Alike(Struct, frozen=True):
    """Messages that all columns have alike, once for all."""

    told: str
    roles: str
    messages: Sequence[DrawnMessage]


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


def column(
    name: str, messages: Sequence[Message], judged: Sequence[Judgement] = (), notices: Sequence[str] = ()
) -> Column:
    """Make a column of a transcript; the arguments are the column's attributes."""
    said = [
        json.dumps([message.role, [[part.kind, part.title, part.text] for part in message.parts]])
        for message in messages
    ]
    return Column(name, messages, said, judged, notices)


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
    drawn: list[Row | Alike] = []
    for stretch in stretches:
        if stretch.alike and len(columns) > 1:
            drawn.append(_alike(stretch, rows, columns[reference], reference))
            continue
        for at in stretch.rows:
            cells = [
                _cell(columns, number, rows[at], reference, room, parts_here=partings[number] == at)
                for number in range(len(columns))
            ]
            drawn.append(Row(cells, rows[at].turn + 1 if at == first else None))
    return render(
        "grid",
        columns=columns,
        rows=drawn,
        fits=len(columns) <= ROOMY,
        least="0px" if len(columns) <= ROOMY else f"{NARROWEST}px",
        under=[(one.name, one.notices, [draw_judgement(each) for each in one.judged]) for one in columns],
    )


def _alike(stretch: Stretch, rows: Sequence[TurnRow], column: Column, number: int) -> Alike:
    shown = [rows[at].places[number] for at in stretch.rows]
    drawn = [_message(column.messages[at], None, Room()) for at in shown if at is not None]
    told = numerals.plural(len(drawn), "identical message")
    told += f" ({numerals.plural(stretch.turns, 'turn')})" if stretch.turns > 1 else ""
    return Alike(told, ", ".join(dict.fromkeys(rows[at].role for at in stretch.rows)), drawn)


def _cell(
    columns: Sequence[Column], number: int, row: TurnRow, reference: int, room: Room, *, parts_here: bool
) -> Cell:
    column, at, base = columns[number], row.places[number], row.places[reference]
    parts_from = columns[reference].name if parts_here else ""
    if at is None:
        return Cell(column.name, None, row.role, parts_from)
    against = None if number == reference or base is None else columns[reference].messages[base].parts
    return Cell(column.name, _message(column.messages[at], against, room), row.role, parts_from)


def _message(message: Message, against: Sequence[Part] | None, room: Room) -> DrawnMessage:
    """A message, its parts marked against those of another that are of their kind and in their place."""
    counts: dict[str, int] = {}
    parts = []
    for part in message.parts:
        nth = counts[part.kind] = counts.get(part.kind, -1) + 1
        same_kind = [each.text for each in against or [] if each.kind == part.kind]
        parts.append(_part(part, same_kind[nth] if nth < len(same_kind) else None, message.role, room))
    missing = [kind for kind in dict.fromkeys(each.kind for each in against or []) if kind not in counts]
    return DrawnMessage(css_of(message.role), message.title, parts, missing=missing)


def _part(part: Part, base: str | None, role: str, room: Room) -> DrawnPart:
    drawn = draw_part(part, role, limit=LIMIT)
    if base is None or base == part.text or part.kind == "media":
        return drawn
    segments = room.compare(base, part.text)
    if part.kind == "call":
        # Compared as a whole: another may have other arguments.
        fold = "Arguments" if len(part.text) > FOLDED else ""
        drawn = changed(drawn, texts=[((), text_of(part.text, CODE, limit=LIMIT, fold=fold))])
    [(label, text)] = drawn.texts
    if segments is None:
        return changed(drawn, texts=[(label, changed(text, differs=True, too_long=True))])
    return changed(drawn, texts=[(label, changed(text, differs=True, runs=cut(segments, LIMIT.most)))])
