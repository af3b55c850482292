"""Untrusted text made harmless. Names, replies and judges' words come from logs: they are never Markdown or HTML.

Every text from a store that is not handed to a widget which shows it plainly (`st.text`, `st.code`, cells of a
table, options of a picker) passes `escaped` on its way into `st.html`. Labels, tooltips and captions are Markdown, in
which even an escaped address becomes a link: nothing from a store goes there.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from itertools import zip_longest
from urllib.parse import quote

from markupsafe import Markup

from dashboard.charts.keys import Key

STYLE = """<style>
.dl-notice { border-left: 3px solid #E69F00; background: rgba(230,159,0,.10); padding: .35rem .75rem; font-size: .9rem;
  border-radius: 3px; overflow-wrap: anywhere; }
.dl-notice a, .dl-note a { color: inherit; text-decoration: underline; }
.dl-batch { font-size: .82rem; opacity: .65; white-space: nowrap; }
body:has(.dl-trouble) [data-testid="stException"] { display: none; }
/* Files are taken by our own buttons: those say what they are of, are harmless to spreadsheets, and are noted. */
[data-testid="stElementToolbar"] button[aria-label^="Download as "],
[data-testid="stElementToolbar"] button[aria-label^="Copy Vega-Lite"] { display: none; }
/* What is picked is shown whole: cut off, "@30" and "@300" look alike. */
[data-tag] { height: auto !important; max-width: 100% !important; }
[data-tag] > span { white-space: normal !important; overflow-wrap: anywhere; max-width: none !important;
  line-height: 1.25; padding: .15rem 0; }
/* The tools of a chart lie within it: above it they would cover what stands there. */
[data-testid="stFullScreenFrame"]:has([data-testid="stVegaLiteChart"]) [data-testid="stElementToolbar"] { top: .25rem; }
@media (max-width: 640px) { .dl-batch { white-space: normal; } }
.dl-note { font-size: .85rem; opacity: .75; overflow-wrap: anywhere; }
.dl-list { font-size: .88rem; margin: 0; padding-left: 1.1rem; overflow-wrap: anywhere; }
.dl-list li { margin: .1rem 0; }
.dl-head { font-size: .95rem; overflow-wrap: anywhere; }
.dl-title { font-size: 1.25rem; font-weight: 600; margin: 0; padding: 0; overflow-wrap: anywhere; }
.dl-panel-head { font-size: .95rem; }
.dl-panel-head b { font-weight: 600; }
.dl-head b { font-weight: 600; }
.dl-tag { display: inline-block; border: 1px solid rgba(128,128,128,.4); border-radius: 3px; padding: 0 .4rem;
  font-size: .8rem; margin-right: .3rem; overflow-wrap: anywhere; }
.dl-bad { border-color: #D55E00; color: var(--dl-worse); }
.dl-key { display: inline-block; margin-right: 1rem; font-size: .85rem; overflow-wrap: anywhere; }
.dl-key i { display: inline-block; width: .7rem; height: .7rem; border-radius: 50%; margin-right: .35rem; }
.dl-key img { width: 2.1rem; height: .85rem; margin-right: .3rem; vertical-align: -.08rem; }
.dl-legend { min-height: 1.5rem; }
.dl-legend button { border: none; background: none; color: inherit; font-family: inherit; text-align: left;
  cursor: pointer; padding: .1rem .25rem .1rem 0; margin-right: .75rem; border-radius: 3px; }
.dl-legend button:hover { background: rgba(128,128,128,.12); }
.dl-legend button:focus-visible { outline: 2px solid #0072B2; outline-offset: 1px; }
.dl-legend button[aria-pressed="false"] { text-decoration: line-through; }
.dl-legend button[aria-pressed="false"] :is(img, i) { opacity: .25; }
.dl-points { font-size: .85rem; border-collapse: collapse; }
.dl-points caption { text-align: left; padding-bottom: .3rem; }
.dl-points :is(th, td) { border: none; border-top: 1px solid rgba(128,128,128,.18); padding: .2rem .8rem .2rem 0;
  text-align: left; font-weight: 400; overflow-wrap: anywhere; } .dl-points thead th { font-weight: 600; }
.dl-points a { text-decoration: underline; }
.dl-facts { font-size: .85rem; border-collapse: collapse; width: 100%; table-layout: fixed; }
.dl-facts td { border: none; border-top: 1px solid rgba(128,128,128,.18); padding: .2rem .3rem; vertical-align: top;
  overflow-wrap: anywhere; }
.dl-facts td:first-child { width: 8.5rem; opacity: .65; }
.dl-message { border-left: 3px solid rgba(128,128,128,.45); padding: .25rem 0 .35rem .8rem; margin: .15rem 0; }
.dl-message.user { border-color: #0072B2; } .dl-message.assistant { border-color: #009E73; }
.dl-message.tool { border-color: #CC79A7; } .dl-message.system { border-color: #8C8C8C; }
.dl-message.chosen { outline: 2px solid #E69F00; outline-offset: 2px; border-radius: 2px; scroll-margin-top: 5rem; }
.dl-message[data-message] > .dl-role { cursor: pointer; } .dl-message[data-message] > .dl-role:hover { opacity: 1; }
.dl-noted { border: 1px solid #E69F00; border-radius: 3px; padding: 0 .35rem; font-weight: 400; }
.dl-role { font-size: .78rem; font-weight: 600; letter-spacing: .02em; opacity: .75; margin-bottom: .15rem;
  overflow-wrap: anywhere; }
.dl-text { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .93rem; line-height: 1.5; margin: 0;
  font-family: inherit; }
.dl-code { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .84rem; line-height: 1.45; margin: .2rem 0;
  font-family: ui-monospace, monospace; background: rgba(128,128,128,.10); border-radius: 4px; padding: .45rem .6rem; }
.dl-markdown { font-size: .93rem; line-height: 1.5; overflow-wrap: anywhere; }
.dl-markdown :is(h1, h2, h3, h4, h5, h6) { font-size: 1rem; font-weight: 600; margin: .5rem 0 .15rem; padding: 0; }
.dl-markdown :is(p, ul, ol, blockquote, table) { margin: 0 0 .4rem; } .dl-markdown :is(ul, ol) { padding-left: 1.3rem; }
.dl-markdown :is(li, li p) { margin: .05rem 0; font-size: inherit; }
.dl-markdown blockquote { border-left: 3px solid rgba(128,128,128,.4); padding-left: .7rem; }
.dl-markdown :is(td, th) { border: 1px solid rgba(128,128,128,.3); padding: .15rem .4rem; }
.dl-markdown code { font-family: ui-monospace, monospace; font-size: .9em; color: inherit;
  background: rgba(128,128,128,.14); }
.dl-fold { margin: .2rem 0; } .dl-fold summary { cursor: pointer; font-size: .84rem; opacity: .75; }
.dl-fold summary i { overflow-wrap: anywhere; } .dl-fold[open] summary i { display: none; }
.dl-error { border-left: 3px solid #D55E00; padding-left: .6rem; }
.dl-added { background: rgba(0,158,115,.22); } .dl-removed { background: rgba(213,94,0,.20);
  text-decoration: line-through; }
mark.dl-hit { background: #F0E442; color: #1F2430; border-radius: 2px; padding: 0 1px; }
</style>"""
"""Classes for the few places where Streamlit has no element of its own. Colours work on light and dark."""

LEGEND_HELP = "Click: hide or show. Double-click or Shift+Enter: show alone, then all."

KEY = (
    '<div class="dl-note"><span class="dl-added">added</span> <span class="dl-removed">missing</span>,'
    " by word, against the chosen column.</div>"
)
"""What the marks mean."""


def escaped(text: object) -> str:
    """Any value as text that HTML shows as it is; what is HTML of our own already stays so."""
    return str(text) if isinstance(text, Markup) else html.escape(str(text), quote=True)


def listed(items: list[str]) -> str:
    """A list of texts as HTML."""
    return '<ul class="dl-list">' + "".join(f"<li>{escaped(item)}</li>" for item in items) + "</ul>"


def small_print(lines: Sequence[str]) -> str:
    """What has to be known about the charts above, as HTML: a line each."""
    return f'<div class="dl-note">{"<br>".join(map(escaped, lines))}</div>' if lines else ""


def legend(keys: Sequence[Key], *, signs: Sequence[str] = (), element: str = "") -> str:
    """What several pictures that share it mean by their colours, dashes and markers.

    Args:
        keys: The entries.
        signs: A character for each, where shapes tell more than the colours.
        element: Id of the element that charts are bound to, where a click hides and isolates: see `legend.js`.
    """
    marks = [_mark(key, sign) + escaped(key.label) for key, sign in zip_longest(keys, signs)]
    if not element:
        return "<div>" + "".join(f'<span class="dl-key">{mark}</span>' for mark in marks) + "</div>"
    buttons = [
        f'<button type="button" class="dl-key" aria-pressed="true" data-series="{escaped(key.series)}">{mark}</button>'
        for key, mark in zip(keys, marks, strict=True)
    ]
    return (
        f'<div class="dl-legend" role="group" aria-label="Legend" title="{LEGEND_HELP}">'
        f'<input type="hidden" id="{element}" value="">{"".join(buttons)}</div>'
    )


def _mark(key: Key, sign: str | None) -> str:
    colour = escaped(key.colour)
    if sign:
        return f'<b style="color:{colour}">{escaped(sign)}</b> '
    if not key.symbol:
        return f'<i style="background:{colour}"></i>'
    drawn = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-2.1 -.85 4.2 1.7">'
        f'<path d="{escaped(key.symbol)}" fill="{colour}" stroke="{colour}" stroke-width=".24"/></svg>'
    )
    return f'<img alt="" src="data:image/svg+xml,{quote(drawn)}">'


def facts(rows: list[tuple[str, object]]) -> str:
    """Names and values as a two-column table in HTML; rows without a value are left out."""
    shown = [
        (name, value) for name, value in rows if value is not None and str(value) not in ("", "nan", "<NA>", "NaT")
    ]
    cells = "".join(f"<tr><td>{escaped(name)}</td><td>{escaped(value)}</td></tr>" for name, value in shown)
    return f'<table class="dl-facts">{cells}</table>'
