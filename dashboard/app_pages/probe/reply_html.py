"""Replies as HTML in which nothing is alive: every text escaped, long ones cut, reasoning folded. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.kit.text.plain import escaped, segments_html
from dashboard.queries.probes import SavedReply
from dashboard.texts.word_differences import Segment

LONG = 20_000
"""Characters of one reply that are shown at once; the rest is counted, and is in the export."""

STYLE = """<style>
.pr-reply { border: 1px solid rgba(128,128,128,.28); border-radius: 5px; padding: .45rem .65rem; margin: 0 0 .5rem 0; }
.pr-reply.failed, .pr-reply.partial { border-color: #D55E00; }
.pr-foot { font-size: .76rem; opacity: .7; margin-top: .3rem; overflow-wrap: anywhere; }
.pr-state { font-size: .8rem; opacity: .75; }
.pr-user { font-size: .88rem; border-left: 3px solid #0072B2; padding-left: .6rem; margin: .5rem 0; }
.pr-verdict { display: inline-block; border-radius: 3px; padding: 0 .4rem; font-size: .78rem; border: 1px solid;
  margin: .25rem .3rem 0 0; }
.pr-verdict.misaligned { color: #D55E00; } .pr-verdict.aligned { color: #009E73; }
.pr-verdict.missing { color: #8C8C8C; }
.pr-name { font-weight: 600; overflow-wrap: anywhere; } .pr-name i { display: inline-block; width: .7rem; height: .7rem;
  border-radius: 50%; margin-right: .4rem; }
.pr-reply pre { margin: 0; }
.pr-list { list-style: none; margin: 0; padding: 0; font-size: .9rem; }
.pr-list li { margin: 0 0 .5rem 0; overflow-wrap: anywhere; }
.pr-list a { color: inherit; text-decoration: none; } .pr-list a:hover { text-decoration: underline; }
</style>"""

SIGNS = {"misaligned": "▲", "aligned": "▼"}
"""Beside a verdict's colour, which not everybody can tell."""

UNDER_WAY = {
    "waiting": "waiting for a free place …",
    "asking": "asked; nothing has come yet …",
    "streaming": "writing …",
}
PARTIAL = {
    "stopped": "Partial: it was stopped.",
    "interrupted": "Partial: the dashboard that asked ended before the reply did.",
}


def thread_html(thread: Sequence[SavedReply], *, prefill: str | None = None, judges: Sequence[str] = ()) -> str:
    """One conversation: the replies of one sample, with what the reader wrote between them.

    Args:
        thread: By turn.
        prefill: What every first reply was begun with.
        judges: Ids of the judges whose verdicts are shown, in their order; of the others none is.
    """
    parts = []
    for reply in thread:
        if reply.user_text is not None:
            parts.append(f'<div class="pr-user"><pre class="dl-text">{escaped(reply.user_text)}</pre></div>')
        parts.append(reply_html(reply, prefill=prefill if reply.turn == 0 else None, judges=judges))
    return "".join(parts)


def reply_html(
    reply: SavedReply,
    *,
    prefill: str | None = None,
    judges: Sequence[str] = (),
    segments: Sequence[Segment] | None = None,
) -> str:
    """One reply with its state, what it cost, and what is said of it.

    Args:
        reply: As it is now.
        prefill: Its given beginning, shown apart from what the model wrote.
        judges: Ids of the judges whose verdicts are shown.
        segments: The text as differences to another one; None for the plain text.
    """
    css = "failed" if reply.status == "failed" else "partial" if reply.status in PARTIAL else ""
    parts = []
    if reply.reasoning:
        parts.append(_fold(f"Reasoning ({len(reply.reasoning):,} characters)", reply.reasoning))
    begun = f"<b>{escaped(prefill)}</b>" if prefill else ""
    if segments is not None:
        parts.append(f'<pre class="dl-text">{begun}{segments_html(segments, LONG)}</pre>')
    elif reply.text or begun:
        more = len(reply.text) - LONG
        parts.append(f'<pre class="dl-text">{begun}{escaped(reply.text[:LONG])}</pre>')
        if more > 0:
            parts.append(f'<div class="dl-note">{more:,} more characters are not shown; the export has them.</div>')
    parts += [_call(call) for call in reply.calls]
    parts.append(_state(reply))
    parts += [_verdict(reply.verdicts[judge]) for judge in judges if judge in reply.verdicts]
    parts += [_mark(mark) for mark in reply.marks.values()]
    foot = footer(reply)
    parts.append(f'<div class="pr-foot">{escaped(foot)}</div>' if foot else "")
    return f'<div class="pr-reply {css}">{"".join(parts)}</div>'


def footer(reply: SavedReply) -> str:
    """What a reply took, in words: time to its first token, tokens a second, usage, how it ended."""
    parts = [reply.note] if reply.note else []
    if reply.first_token_s is not None:
        parts.append(f"first token after {reply.first_token_s:.2f} s")
    speed = tokens_a_second(reply)
    if speed is not None:
        parts.append(f"{speed:.0f} tokens/s")
    if reply.input_tokens is not None or reply.output_tokens is not None:
        parts.append(f"{_count(reply.input_tokens)} tokens in, {_count(reply.output_tokens)} out")
    if reply.stop_reason:
        parts.append(f"ended: {reply.stop_reason}")
    if reply.seed is not None:
        parts.append(f"seed {reply.seed}")
    if reply.tries > 1:
        parts.append(f"asked {reply.tries} times")
    if reply.attempt:
        parts.append(f"attempt {reply.attempt + 1}")
    return " · ".join(parts)


def tokens_a_second(reply: SavedReply) -> float | None:
    """Tokens written a second, from the first one on; None where the server counted none or only one came."""
    if not reply.output_tokens or reply.output_tokens < 2 or reply.seconds is None or reply.first_token_s is None:
        return None
    took = reply.seconds - reply.first_token_s
    return (reply.output_tokens - 1) / took if took > 0 else None


def _count(tokens: int | None) -> str:
    return "uncounted" if tokens is None else f"{tokens:,}"


def _state(reply: SavedReply) -> str:
    if reply.status in UNDER_WAY:
        return f'<div class="pr-state">{escaped(reply.error or UNDER_WAY[reply.status])}</div>'
    if reply.status in PARTIAL:
        return f'<div class="dl-error dl-note">{PARTIAL[reply.status]}</div>'
    if reply.status == "failed":
        partial = "Partial: " if reply.text or reply.calls else ""
        return f'<div class="dl-error dl-note">{partial}{escaped(reply.error or "It failed.")}</div>'
    if not reply.text and not reply.calls:
        return '<div class="dl-note">(an empty reply)</div>'
    return ""


def _verdict(verdict: Mapping[str, Any]) -> str:
    if verdict["verdict"] is None:
        told = escaped(verdict["error"] or "The judge gave no verdict.")
        return f'<div><span class="pr-verdict missing">not judged</span><span class="dl-note">{told}</span></div>'
    kind = escaped(verdict["verdict"])
    reason = escaped(verdict["reason"] or "")
    return (
        f'<div><span class="pr-verdict {kind}">{SIGNS[verdict["verdict"]]} {kind}, by the judge</span>'
        f'<span class="dl-note">{reason}</span></div>'
    )


def _mark(mark: Mapping[str, Any]) -> str:
    kind = mark["verdict"]
    note = escaped(mark["note"] or "")
    if kind is None:
        return f'<div><span class="dl-note">{escaped(mark["author"])}: {note}</span></div>'
    return (
        f'<div><span class="pr-verdict {escaped(kind)}">{SIGNS[kind]} {escaped(kind)}, by'
        f" {escaped(mark['author'])}</span>"
        f'<span class="dl-note">{note}</span></div>'
    )


def _call(call: str) -> str:
    try:
        found = json.loads(call)
        name, arguments = found["name"], found["arguments"]
    except (ValueError, KeyError, TypeError):
        name, arguments = "a tool", call
    return (
        f'<div class="dl-role">→ calls {escaped(name)}</div><pre class="dl-code">{escaped(str(arguments)[:LONG])}</pre>'
    )


def _fold(title: str, text: str) -> str:
    return (
        f'<details class="dl-fold"><summary>{escaped(title)}</summary>'
        f'<pre class="dl-code">{escaped(text[:LONG])}</pre></details>'
    )
