"""Replies on screen as they come: a loop that sends what has changed, until nothing is under way."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from dashboard import runtime
from dashboard.parts.plain import escaped
from dashboard.parts.probe.attempts import attempt
from dashboard.parts.probe.columns import Head, head_html, rows_of
from dashboard.parts.probe.reply_html import thread_html
from dashboard.probe import plans
from dashboard.queries.probe_rates import probe_rates
from dashboard.queries.probes import SavedProbe, SavedReply, read_probe

LONGEST_LOOK = 1.0
"""Seconds between two looks where nothing happens: a page that has been closed is noticed by then."""
SHORTEST_LOOK = 0.05
"""Seconds between two looks where much happens: faster than anybody reads."""

AGAIN = frozenset(plans.AGAIN)


def read(probe_id: str) -> SavedProbe:
    """A probe with what has come up to now.

    Raises:
        NoSuchProbe: There is none.
    """
    with runtime.store().cursor() as cursor:
        probe = read_probe(cursor, probe_id)
    return replace(probe, replies=runtime.probes().engine.replies(probe))


def columns(probe_id: str, heads: Sequence[Head], judges: Sequence[str], by: str | None) -> None:
    """Draw every reply of a probe in columns, and go on until all have come.

    Args:
        probe_id: Of the probe.
        heads: In the order of the page.
        judges: Ids of the judges whose verdicts are shown.
        by: Whose verdicts make the rate over each column; None for no rate.
    """
    engine = runtime.probes().engine
    seen = engine.changes.count(probe_id)
    probe = read(probe_id)
    framings = plans.framings_of(probe)
    places: dict[tuple[str, int, str], Any] = {}
    for framing in framings:
        if len(framings) > 1:
            st.html(f'<div class="dl-head"><b>{escaped(framing.name)}</b></div>')
        for row in rows_of(heads):
            for head, column in zip(row, st.columns(len(row), gap="small"), strict=True):
                with column:
                    places[framing.name, head.position, "head"] = st.empty()
                    places[framing.name, head.position, "buttons"] = st.container(horizontal=True, gap="small")
                    places[framing.name, head.position, "body"] = st.empty()
    prefills = {framing.name: framing.prompt.prefill for framing in framings}
    drawn: dict[tuple[str, int, str], str] = {}

    def draw(now: SavedProbe) -> None:
        rates = {(rate.framing, rate.position): rate for rate in probe_rates(now.replies, by)} if by else {}
        for framing in framings:
            for head in heads:
                of = [r for r in now.replies if r.framing == framing.name and r.position == head.position]
                html = _threads_html(of, prefills[framing.name], judges)
                for part, text in (("head", head_html(head, rates.get((framing.name, head.position)))), ("body", html)):
                    key = (framing.name, head.position, part)
                    if drawn.get(key) != text:
                        drawn[key] = text
                        places[key].html(text)

    draw(probe)
    _buttons(probe, framings[0].name, heads, places)
    was_active = engine.active(probe_id)
    clock = st.empty()
    started, last_read = time.monotonic(), time.monotonic()
    while engine.active(probe_id):
        changes = engine.changes.wait(probe_id, seen, LONGEST_LOOK)
        if changes != seen:
            seen = changes
            # Verdicts and ends are read from the store; the text of what is under way is at hand.
            if time.monotonic() - last_read > 5 * SHORTEST_LOOK:
                probe, last_read = read(probe_id), time.monotonic()
            else:
                probe = replace(probe, replies=engine.replies(probe))
            draw(probe)
        clock.caption(f"Under way for {time.monotonic() - started:.0f} s. {engine.trouble}")
        time.sleep(SHORTEST_LOOK)
    if was_active:
        st.rerun()


def _threads_html(replies: Sequence[SavedReply], prefill: str | None, judges: Sequence[str]) -> str:
    threads: dict[int, list[SavedReply]] = {}
    for reply in sorted(replies, key=lambda reply: (reply.sample, reply.turn)):
        threads.setdefault(reply.sample, []).append(reply)
    return "".join(thread_html(thread, prefill=prefill, judges=judges) for thread in threads.values())


def _buttons(probe: SavedProbe, framing: str, heads: Sequence[Head], places: dict[tuple[str, int, str], Any]) -> None:
    """Stop or ask again, for one column alone; under its first framing."""
    engine = runtime.probes().engine
    for head in heads:
        of = [thread[-1] for thread in plans.threads(probe) if thread[-1].position == head.position]
        with places[framing, head.position, "buttons"]:
            if any(reply.status in ("waiting", "asking", "streaming") for reply in of):
                _button("Stop", "stop", head, partial(engine.stop, probe.probe_id, [head.position]))
            elif any(reply.status in AGAIN for reply in of):
                _button("Retry", "refresh", head, partial(engine.retry, probe.probe_id, [head.position]))


def _button(label: str, icon: str, head: Head, act: Callable[[], Any]) -> None:
    st.button(
        label, icon=f":material/{icon}:", key=f"probe_{label}_{head.position}", on_click=attempt, args=(act,),
        type="tertiary",
    )  # fmt: skip
