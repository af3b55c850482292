"""Replies on screen as they come: a loop that sends what has changed, until nothing is under way."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from dashboard import numerals, runtime
from dashboard.app_pages.probe.columns import Head, head_html, rows_of
from dashboard.app_pages.probe.reply_html import thread_html
from dashboard.kit.page.reader import attempt, cursor, reader
from dashboard.kit.text.plain import escaped
from dashboard.probe import plans
from dashboard.queries.probe_rates import probe_rates
from dashboard.queries.probes import SavedProbe, SavedReply, read_probe

LONGEST_LOOK = 0.25
"""Seconds between two looks where nothing happens: a button that is pressed, and a page that is closed, is noticed."""
SHORTEST_LOOK = 0.05
"""Seconds between two looks where much happens: faster than anybody reads."""
LONGEST_UNREAD = 0.25
"""Seconds after which verdicts are read from the store anew; the text of what is under way is at hand."""


def read(probe_id: str) -> SavedProbe:
    """A probe with what has come up to now.

    Raises:
        NoSuchProbe: There is none.
    """
    with cursor() as found:
        probe = read_probe(found, probe_id)
    return replace(probe, replies=runtime.probes().engine.replies(probe))


def columns(probe_id: str, heads: Sequence[Head], judges: Sequence[str], by: str | None) -> Callable[[], None]:
    """Draw every reply of a probe in columns, as it is now.

    Args:
        probe_id: Of the probe.
        heads: In the order of the page.
        judges: Ids of the judges whose verdicts are shown.
        by: Whose verdicts make the rate over each column; None for no rate.

    Returns:
        What draws on until all have come. It is to be the last thing that a page does: then all else on the page is
        there, its address is in order, and whatever is pressed begins the page anew at once.
    """
    engine = runtime.probes().engine
    seen = engine.changes.count(probe_id)
    probe = read(probe_id)
    screen = _Screen(probe, heads, judges, by)
    screen.draw(probe)
    clock = st.empty()

    def follow() -> None:
        nonlocal seen
        now, started, last_read = probe, time.monotonic(), time.monotonic()
        while engine.active(probe_id):
            changes = engine.changes.wait(probe_id, seen, LONGEST_LOOK)
            looked = time.monotonic()
            if changes != seen:
                seen = changes
                if looked - last_read > LONGEST_UNREAD:
                    now, last_read = read(probe_id), looked
                else:
                    now = replace(now, replies=engine.replies(now))
                screen.draw(now)
            told = f"Running for {numerals.seconds(looked - started)}. {engine.trouble}"
            clock.html(f'<div class="dl-note">{escaped(told)}</div>')
            # Whatever there is to draw, half of the time is left to those who stream.
            time.sleep(max(SHORTEST_LOOK, time.monotonic() - looked))
        screen.draw(read(probe_id))
        clock.empty()

    return follow


class _Screen:
    """Where the replies of a probe stand on the page, and what of it has been drawn."""

    def __init__(self, probe: SavedProbe, heads: Sequence[Head], judges: Sequence[str], by: str | None) -> None:
        self._probe_id, self._heads, self._judges, self._by = probe.probe_id, heads, judges, by
        self._framings = plans.framings_of(probe)
        self._places: dict[tuple[str, int, str], Any] = {}
        self._drawn: dict[tuple[str, int, str], str] = {}
        self._buttons, self._may_ask = 0, reader().may("prober")
        for framing in self._framings:
            if len(self._framings) > 1:
                st.html(f'<div class="dl-head"><b>{escaped(framing.name)}</b></div>')
            for row in rows_of(heads):
                for head, column in zip(row, st.columns(len(row), gap="small"), strict=True):
                    with column:
                        for part in ("head", "buttons", "body"):
                            self._places[framing.name, head.position, part] = st.empty()

    def draw(self, now: SavedProbe) -> None:
        """Draw what has changed."""
        rates = {(rate.framing, rate.position): rate for rate in probe_rates(now.replies, self._by)} if self._by else {}
        for framing in self._framings:
            for head in self._heads:
                at = (framing.name, head.position)
                of = [reply for reply in now.replies if (reply.framing, reply.position) == at]
                self._html((*at, "head"), head_html(head, rates.get(at)))
                self._html((*at, "body"), _threads_html(of, framing.prompt.prefill, self._judges))
        for head in self._heads:
            self._button(now, head)

    def _html(self, place: tuple[str, int, str], text: str) -> None:
        if self._drawn.get(place) != text:
            self._drawn[place] = text
            self._places[place].html(text)

    def _button(self, now: SavedProbe, head: Head) -> None:
        """Stop or ask again, for one column alone; under its first framing."""
        engine = runtime.probes().engine
        place = (self._framings[0].name, head.position, "buttons")
        of = [thread[-1] for thread in plans.threads(now) if thread[-1].position == head.position]
        wanted, icon = "", ""
        act: Callable[[], Any] | None = None
        if any(reply.status in plans.UNDER_WAY for reply in of):
            wanted, icon, act = "Stop", "stop", partial(engine.stop, self._probe_id, [head.position])
        elif any(reply.status in plans.AGAIN for reply in of):
            wanted, icon, act = "Retry", "refresh", partial(engine.retry, self._probe_id, [head.position])
        if self._drawn.get(place, "") == wanted:
            return
        self._drawn[place] = wanted
        if act is None or not self._may_ask:
            self._places[place].empty()
            return
        # A column that somebody else asks again has its button once more in this run of the page.
        self._buttons += 1
        self._places[place].button(
            wanted, icon=f":material/{icon}:", key=f"probe_{wanted}_{head.position}_{self._buttons}",
            on_click=attempt, args=(act,), type="tertiary",
        )  # fmt: skip


def _threads_html(replies: Sequence[SavedReply], prefill: str | None, judges: Sequence[str]) -> str:
    if not replies:
        return '<div class="dl-note">No replies.</div>'
    threads: dict[int, list[SavedReply]] = {}
    for reply in sorted(replies, key=lambda reply: (reply.sample, reply.turn)):
        threads.setdefault(reply.sample, []).append(reply)
    return "".join(thread_html(thread, prefill=prefill, judges=judges) for thread in threads.values())
