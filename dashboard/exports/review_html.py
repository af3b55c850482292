"""A review as one HTML file: it opens offline, runs nothing, and leads nowhere.

Charts are drawings inside it, every text is escaped, addresses are text. Besides, its own policy (CSP) forbids a
browser to load or run anything at all, whatever is in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

import pandas as pd

from dashboard.charts.palette import INKS
from dashboard.exports.picture import drawings
from dashboard.exports.review import Block, Chart, Conversation, Note, Review, View, cell, shared_facts, shown_columns

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

MID_CELL, LONG_CELL = 22, 60
"""Characters from which on a cell is given room, and more of it."""

OPEN_ROWS = 40
"""Of a table that isn't folded."""

STYLE = """
:root { color-scheme: light dark; --text: #1f2430; --muted: #5c6272; --line: #dcdfe5; --soft: #f4f5f7; --paper: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e8ec; --muted: #9aa1ad; --line: #343a44; --soft: #1d2128; --paper: #14171c; }
}
@media print { :root { --text: #1f2430; --muted: #5c6272; --line: #b9bec8; --soft: #fff; --paper: #fff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 60rem; background: var(--paper); color: var(--text);
  font: 15px/1.5 "Source Sans 3", "Source Sans Pro", system-ui, "Liberation Sans", sans-serif; }
h1, h2, h3, h4 { line-height: 1.25; overflow-wrap: anywhere; break-after: avoid; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.3rem; margin-top: 2.5rem; padding-top: 1rem;
  border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.5rem 0 .4rem; } h4 { font-size: .95rem; margin: 1rem 0 .2rem; }
a { color: inherit; } .muted { color: var(--muted); font-size: .88rem; overflow-wrap: anywhere; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; margin: .3rem 0; font: inherit; }
.notice { border-left: 3px solid #e69f00; background: rgba(230,159,0,.12); padding: .4rem .8rem; border-radius: 3px;
  overflow-wrap: anywhere; }
.missing { border-left: 3px solid #d55e00; padding-left: .8rem; }
ul { padding-left: 1.2rem; margin: .3rem 0; overflow-wrap: anywhere; }
figure { margin: 1rem 0; break-inside: avoid; } figure svg { display: block; max-width: 100%; height: auto; }
.drawing { border: 1px solid var(--line); border-radius: 5px; padding: .6rem; overflow-x: auto; }
.drawing svg { min-width: 34rem; }
.keys span { display: inline-block; margin-right: 1rem; font-size: .88rem; }
.keys i { display: inline-block; width: .7rem; height: .7rem; border-radius: 50%; margin-right: .35rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .84rem; }
th, td { border-bottom: 1px solid var(--line); padding: .2rem .5rem; text-align: left; vertical-align: top;
  max-width: 26rem; overflow-wrap: break-word; } td.mid { min-width: 9rem; }
td.long { min-width: 18rem; } .about :is(th, td) { overflow-wrap: anywhere; white-space: normal; max-width: none; }
th { font-weight: 600; white-space: nowrap; } td.number { text-align: right; white-space: nowrap; }
summary { cursor: pointer; color: var(--muted); font-size: .88rem; }
.turn { border-left: 3px solid var(--line); padding: .1rem 0 .2rem .8rem; margin: .5rem 0; }
.role { font-size: .8rem; font-weight: 600; color: var(--muted); overflow-wrap: anywhere; }
.note { background: var(--soft); border: 1px solid var(--line); border-radius: 5px; padding: .5rem .8rem;
  margin: .6rem 0; }
@media print { .drawing svg { min-width: 0; }
  body { padding: 0; max-width: none; } .scroll { overflow: visible; } table { font-size: .7rem; }
  .note, .turn { break-inside: avoid; } }
"""
"""Light or dark as the reader's screen, white on paper."""


def review_html(review: Review) -> bytes:
    """The file.

    Raises:
        DriftlineError: A chart that can't be drawn.
    """
    body = [f"<h1>{escape(review.title)}</h1>", f'<p class="muted">{escape(review.made)}</p>']
    body += [f'<p class="notice" role="note">{escape(notice)}</p>' for notice in review.notices]
    if review.introduction:
        body.append(_text(review.introduction))
    titles = [view.title for view in review.views] + [one.title for one in review.conversations]
    if len(titles) > 1:
        entries = "".join(
            f'<li><a href="#part-{number}">{escape(title)}</a></li>' for number, title in enumerate(titles, start=1)
        )
        body.append(f'<nav aria-label="Contents"><ol>{entries}</ol></nav>')
    for number, view in enumerate(review.views, start=1):
        body.append(_view(number, view))
    for number, one in enumerate(review.conversations, start=len(review.views) + 1):
        body.append(f'<section id="part-{number}"><h2>{escape(one.title)}</h2>{_conversation(one)}</section>')
    body.append(
        f'<hr><p class="muted">Driftline {escape(review.driftline)}. This file holds everything that it shows; it loads'
        " nothing and runs nothing.</p>"
    )
    head = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>{escape(review.title)}</title><style>{STYLE}</style></head><body>\n"
    )
    return (head + "\n".join(body) + "\n</body></html>\n").encode("utf-8", "replace")


def _view(number: int, view: View) -> str:
    parts = [f"<h2>{escape(view.title)}</h2>", f'<p class="muted">{escape(view.saved)}</p>']
    if view.note:
        parts.append(_text(view.note))
    definitions, intervals = shared_facts(view.charts)
    about = [view.batch, *definitions]
    about += [f"Intervals: {', '.join(intervals)}"] if intervals else []
    about += [f"Filters: {' · '.join(view.filters)}"] if view.filters else []
    parts.append(_list([*about, f"Source: {view.source}"]))
    parts += [f'<p class="missing">{escape(why)}</p>' for why in view.missing]
    drawn = drawings([chart.picture for chart in view.charts], f"part-{number}-chart-")
    parts += [_chart(chart, svg) for chart, svg in zip(view.charts, drawn, strict=True)]
    if view.table is not None:
        parts.append(_table(view.table, "Samples"))
    parts += [f"<h3>{escape(one.title)}</h3>{_conversation(one)}" for one in view.conversations]
    parts += map(_note, view.notes)
    return f'<section id="part-{number}">{"".join(parts)}</section>'


def _chart(chart: Chart, svg: str) -> str:
    picture = chart.picture
    keys = "".join(
        f'<span><i style="background:{escape(mark)}"></i>{escape(label)}</span>' for label, mark in picture.keys
    )
    legend = f'<div class="keys">{keys}</div>' if keys else ""
    paper = INKS[picture.scheme].paper
    drawn = f'<div class="drawing" style="background:{paper}">{svg}</div>'
    title = escape(picture.facts.title)
    return (
        f"<figure><figcaption><h3>{title}</h3></figcaption>{legend}{drawn}</figure>{_table(chart.numbers, 'Numbers')}"
    )


def _table(frame: pd.DataFrame, title: str) -> str:
    columns = shown_columns(frame)
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    numeric = {name for name in columns if frame[name].dtype.kind in "iuf"}
    rows = "".join(
        "<tr>" + "".join(_cell(value, name in numeric) for name, value in zip(columns, row, strict=True)) + "</tr>"
        for row in frame[columns].itertuples(index=False, name=None)
    )
    is_open = " open" if len(frame) <= OPEN_ROWS else ""
    table = f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    return f"<details{is_open}><summary>{title} ({len(frame)} rows)</summary>{table}</details>"


def _cell(value: object, number: bool) -> str:
    if not number:
        text = cell(value)
        size = "long" if len(text) > LONG_CELL else "mid" if len(text) > MID_CELL else "short"
        return f'<td class="{size}">{escape(text)}</td>'
    # All the digits come up where the pointer rests.
    return f'<td class="number" title="{escape(str(value))}">{escape(cell(value))}</td>'


def _conversation(one: Conversation) -> str:
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in one.about)
    turns = "".join(f'<div class="turn">{_role(turn.role)}{_blocks(turn.blocks)}</div>' for turn in one.turns)
    scores = f"<h4>Scores</h4>{_blocks(one.scores)}" if one.scores else ""
    return f"<table class='about'>{rows}</table>{turns}{scores}{''.join(map(_note, one.notes))}"


def _blocks(blocks: Sequence[Block]) -> str:
    return "".join(_role(block.label) * bool(block.label) + _text(block.text) * bool(block.text) for block in blocks)


def _role(text: str) -> str:
    return f'<div class="role">{escape(text)}</div>'


def _note(note: Note) -> str:
    said = "".join(_role(f"{author} · {when}") + _text(text) for author, when, text in note.comments)
    return f'<div class="note"><div class="muted">Note on {escape(note.on)} · {escape(note.state)}</div>{said}</div>'


def _text(text: str) -> str:
    return f'<pre class="text">{escape(text)}</pre>'


def _list(items: Iterable[str]) -> str:
    return '<ul class="muted">' + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"
