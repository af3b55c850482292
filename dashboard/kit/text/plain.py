"""Untrusted text made harmless. Names, replies and judges' words come from logs: they are never Markdown or HTML.

Every text from a store that is not handed to a widget which shows it plainly (`st.text`, `st.code`, cells of a
table, options of a picker) passes `escaped` on its way into `st.html`. Labels, tooltips and captions are Markdown, in
which even an escaped address becomes a link: nothing from a store goes there.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from itertools import zip_longest

STYLE = """<style>
.dl-notice { border-left: 3px solid #E69F00; background: rgba(230,159,0,.10); padding: .35rem .75rem; font-size: .9rem;
  border-radius: 3px; overflow-wrap: anywhere; }
.dl-notice a, .dl-note a { color: inherit; text-decoration: underline; }
.dl-batch { font-size: .82rem; opacity: .65; white-space: nowrap; }
body:has(.dl-trouble) [data-testid="stException"] { display: none; }
/* Files are taken by our own buttons: those say what they are of, are harmless to spreadsheets, and are noted. */
[data-testid="stElementToolbar"] button[aria-label^="Download as "],
[data-testid="stElementToolbar"] button[aria-label^="Copy Vega-Lite"] { display: none; }
/* The tools of a chart lie within it: above it they would cover what stands there. */
[data-testid="stFullScreenFrame"]:has([data-testid="stVegaLiteChart"]) [data-testid="stElementToolbar"] { top: .25rem; }
@media (max-width: 640px) { .dl-batch { white-space: normal; } }
.dl-note { font-size: .85rem; opacity: .75; overflow-wrap: anywhere; }
.dl-list { font-size: .88rem; margin: 0; padding-left: 1.1rem; overflow-wrap: anywhere; }
.dl-list li { margin: .1rem 0; }
.dl-head { font-size: .95rem; overflow-wrap: anywhere; }
.dl-title { font-size: 1.25rem; font-weight: 600; margin: 0; padding: 0; overflow-wrap: anywhere; }
.dl-head b { font-weight: 600; }
.dl-tag { display: inline-block; border: 1px solid rgba(128,128,128,.4); border-radius: 3px; padding: 0 .4rem;
  font-size: .8rem; margin-right: .3rem; overflow-wrap: anywhere; }
.dl-bad { border-color: #D55E00; color: #D55E00; }
.dl-key { display: inline-block; margin-right: 1rem; font-size: .85rem; overflow-wrap: anywhere; }
.dl-key i { display: inline-block; width: .7rem; height: .7rem; border-radius: 50%; margin-right: .35rem; }
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
.dl-fold { margin: .2rem 0; } .dl-fold summary { cursor: pointer; font-size: .84rem; opacity: .75; }
.dl-fold summary i { opacity: .7; overflow-wrap: anywhere; } .dl-fold[open] summary i { display: none; }
.dl-error { border-left: 3px solid #D55E00; padding-left: .6rem; }
.dl-added { background: rgba(0,158,115,.22); } .dl-removed { background: rgba(213,94,0,.20);
  text-decoration: line-through; }
mark.dl-hit { background: #F0E442; color: #1F2430; border-radius: 2px; padding: 0 1px; }
</style>"""
"""Classes for the few places where Streamlit has no element of its own. Colours work on light and dark."""

KEY = (
    '<div class="dl-note"><span class="dl-added">added</span> <span class="dl-removed">missing</span>,'
    " by word, against the chosen column.</div>"
)
"""What the marks mean."""


def escaped(text: object) -> str:
    """Any value as text that HTML shows as it is."""
    return html.escape(str(text), quote=True)


def listed(items: list[str]) -> str:
    """A list of texts as HTML."""
    return '<ul class="dl-list">' + "".join(f"<li>{escaped(item)}</li>" for item in items) + "</ul>"


def legend(entries: list[tuple[str, str]], signs: Sequence[str] = ()) -> str:
    """Labels with their colours ("#RRGGBB"; cards are checked for that), for several pictures that share them.

    Args:
        entries: Label and colour each.
        signs: A character for each, where shapes tell more than the colours; else all have a disc.
    """
    marks = [
        f'<b style="color:{escaped(colour)}">{escaped(sign)}</b> '
        if sign
        else f'<i style="background:{escaped(colour)}"></i>'
        for (_, colour), sign in zip_longest(entries, signs)
    ]
    keys = [
        f'<span class="dl-key">{mark}{escaped(label)}</span>' for mark, (label, _) in zip(marks, entries, strict=True)
    ]
    return "<div>" + "".join(keys) + "</div>"


def facts(rows: list[tuple[str, object]]) -> str:
    """Names and values as a two-column table in HTML; rows without a value are left out."""
    shown = [
        (name, value) for name, value in rows if value is not None and str(value) not in ("", "nan", "<NA>", "NaT")
    ]
    cells = "".join(f"<tr><td>{escaped(name)}</td><td>{escaped(value)}</td></tr>" for name, value in shown)
    return f'<table class="dl-facts">{cells}</table>'
