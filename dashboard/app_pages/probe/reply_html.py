"""Replies as HTML: what became of them, what is said of them, what they took. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from dashboard import numerals
from dashboard.kit.text.replies import message_of_reply
from dashboard.queries.probes import SavedReply
from dashboard.texts.rendering import CODE, DrawnPart, Limit, cut, draw_part, render, text_of
from dashboard.texts.word_differences import Segment

LIMIT = Limit(20_000, "; see the export")
"""Of one reply."""

STYLE = """<style>
.pr-reply { border: 1px solid rgba(128,128,128,.28); border-radius: 5px; padding: .45rem .65rem; margin: 0 0 .5rem 0; }
.pr-reply.failed, .pr-reply.partial { border-color: #D55E00; }
.pr-foot { font-size: .76rem; opacity: .7; margin-top: .3rem; overflow-wrap: anywhere; }
.pr-state { font-size: .8rem; opacity: .75; }
.pr-user { font-size: .88rem; border-left: 3px solid #0072B2; padding-left: .6rem; margin: .5rem 0; }
.pr-verdict { display: inline-block; border-radius: 3px; padding: 0 .4rem; font-size: .78rem; border: 1px solid;
  margin: .25rem .3rem 0 0; }
.pr-verdict.misaligned { color: var(--dl-worse); } .pr-verdict.aligned { color: var(--dl-better); }
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
    "waiting": "queued …",
    "asking": "sent; waiting for the first token …",
    "streaming": "streaming …",
}
PARTIAL = {
    "stopped": "Partial: stopped.",
    "interrupted": "Partial: the dashboard ended before the reply.",
}


class Reply(Struct, frozen=True):
    """A reply as it is drawn.

    Attributes:
        css: Of its frame.
        user_text: What the reader wrote before it; None for nothing.
        parts: What the model said.
        state: Class and words of what became of it; None where it is there.
        judged: What judges and people say: class, words and reason of each.
        foot: What it took.
    """

    css: str
    user_text: str | None
    parts: Sequence[DrawnPart]
    state: tuple[str, str] | None
    judged: Sequence[tuple[str, str, str]]
    foot: str


def thread_html(thread: Sequence[SavedReply], *, prefill: str | None = None, judges: Sequence[str] = ()) -> str:
    """One conversation: the replies of one sample, with what the reader wrote between them.

    Args:
        thread: By turn.
        prefill: What every first reply was begun with.
        judges: Ids of the judges whose verdicts are shown, in their order; of the others none is.
    """
    drawn = [_reply(reply, reply.user_text, prefill if reply.turn == 0 else None, judges, None) for reply in thread]
    return render("replies", replies=drawn)


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
    return render("replies", replies=[_reply(reply, None, prefill, judges, segments)])


def _reply(
    reply: SavedReply,
    user_text: str | None,
    prefill: str | None,
    judges: Sequence[str],
    segments: Sequence[Segment] | None,
) -> Reply:
    message = message_of_reply(reply)
    begun = [Segment("begun", prefill)] if prefill else []
    parts = [draw_part(part, message.role, limit=LIMIT, thought=CODE) for part in message.parts if part.kind != "text"]
    if reply.text or begun or segments is not None:
        text = text_of(reply.text, limit=LIMIT, before=begun)
        if segments is not None:
            text = replace(text, runs=[*begun, *cut(segments, LIMIT.most)])
        parts.insert(1 if reply.reasoning else 0, DrawnPart("text", (), [((), text)]))
    return Reply(
        css="failed" if reply.status == "failed" else "partial" if reply.status in PARTIAL else "",
        user_text=user_text,
        parts=parts,
        state=_state(reply),
        judged=[
            *(_verdict(reply.verdicts[judge]) for judge in judges if judge in reply.verdicts),
            *map(_mark, reply.marks.values()),
        ],
        foot=footer(reply),
    )


def footer(reply: SavedReply) -> str:
    """What a reply took, in words: time to its first token, tokens a second, usage, how it ended."""
    parts = [reply.note] if reply.note else []
    if reply.first_token_s is not None:
        parts.append(f"first token after {numerals.seconds(reply.first_token_s, 2)}")
    speed = tokens_a_second(reply)
    if speed is not None:
        parts.append(f"{numerals.count(speed)} tokens/s")
    if reply.input_tokens is not None or reply.output_tokens is not None:
        parts.append(f"{_count(reply.input_tokens)} tokens in, {_count(reply.output_tokens)} out")
    if reply.stop_reason:
        parts.append(f"ended: {reply.stop_reason}")
    if reply.seed is not None:
        parts.append(f"seed {reply.seed}")
    if reply.tries > 1:
        parts.append(f"{reply.tries} attempts")
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
    return "uncounted" if tokens is None else numerals.count(tokens)


def _state(reply: SavedReply) -> tuple[str, str] | None:
    if reply.status in UNDER_WAY:
        return "pr-state", reply.error or UNDER_WAY[reply.status]
    if reply.status in PARTIAL:
        return "dl-error dl-note", PARTIAL[reply.status]
    if reply.status == "failed":
        partial = "Partial: " if reply.text or reply.calls else ""
        return "dl-error dl-note", partial + (reply.error or "Failed.")
    if not reply.text and not reply.calls:
        return "dl-note", "(empty reply)"
    return None


def _verdict(verdict: Mapping[str, Any]) -> tuple[str, str, str]:
    kind = verdict["verdict"]
    if kind is None:
        return "missing", "unscored", verdict["error"] or "No verdict from the judge."
    return kind, f"{SIGNS[kind]} {kind}, by the judge", verdict["reason"] or ""


def _mark(mark: Mapping[str, Any]) -> tuple[str, str, str]:
    kind, author, note = mark["verdict"], mark["author"], mark["note"] or ""
    return ("", "", f"{author}: {note}") if kind is None else (kind, f"{SIGNS[kind]} {kind}, by {author}", note)
