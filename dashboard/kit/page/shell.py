"""What stands over every page: its title, the batch that its numbers are of, the notice of a simulated study."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from dashboard import links, numerals, runtime
from dashboard.charts.palette import Scheme
from dashboard.kit import caches
from dashboard.kit.page import absent, clock, fragments, news, nothing, share, signing_in, titles
from dashboard.kit.page.print_style import print_style
from dashboard.kit.page.reader import cursor
from dashboard.kit.page.share import save_view_button
from dashboard.kit.pickers import controls
from dashboard.kit.text.plain import STYLE, escaped
from dashboard.pages import ASKING, FILTERED, NAMED, page_file
from dashboard.queries.ingests import batch_mark
from dashboard.queries.saved_views import SavedView
from loaders.errors import DriftlineError

HEAD = "page_head"
"""Key of the row with a page's title and its buttons; `look.css` names it."""
SHOWN, PINNED, ODD_PIN, HELD = "_batch_shown", "_batch_pinned", "_batch_odd_pin", "_batch_held"
AWAITED = "_batch_awaited"
"""Until when (of `time.monotonic`) what comes in is shown at once: this reader has just written what it comes of."""
AWAIT_SECONDS = 60.0
SCHEME = "_scheme"
"""For which the page was drawn."""

SIMULATED = "Simulated data: this study was made up, by a seeded script, to show what Driftline does. No model was run."
"""The notice of a study whose `simulated` is true without a text of its own."""


def frame(page: Any) -> None:
    """Show what stands over a page; stop it where the pages have no store."""
    try:
        runtime.store()
    except DriftlineError as error:
        st.error(str(error), icon=":material/database_off:")
        st.stop()
    fragments.begin()
    titles.begin(page.url_path, page.title)
    _read_pin()
    st.session_state[SCHEME] = scheme()
    st.html(STYLE + print_style(scheme()))
    if page.url_path in ASKING or (page.url_path in FILTERED and as_of()):
        # The sidebar opens with what stands in it first: were that a picker, it would push the page aside.
        heading = "Models" if page.url_path in ASKING else "Filters"
        st.sidebar.html(f'<h2 class="dl-unseen">{heading}</h2>')
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="small", key=HEAD
    ):
        st.subheader(page.title, anchor=False, width="content")
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            fragments.fragment(_batch)()
            save_view_button(as_of())
            share.button(pin(), numerals.data_of(when(as_of()), as_of()), _when(as_of()))
            signing_in.account()
    _no_such_pin()
    if told := [
        f"<b>{escaped(name)}:</b> {escaped(text)}" if name else escaped(text) for name, text in notices(as_of())
    ]:
        # One line of it stands; a click, or print, shows the rest.
        st.html(f'<details class="dl-notice dl-folded" role="note"><summary>{" ".join(told)}</summary></details>')
    absent.begin()
    nothing.begin()


def notices(as_of: int) -> list[tuple[str, str]]:
    """What has to be said of studies wherever their numbers are shown: title, and that the study is simulated."""
    simulated = [study for study in caches.studies(as_of) if study.get("simulated")]
    return [
        (
            str(study.get("title") or study.get("name") or ""),
            study["simulated"] if isinstance(study["simulated"], str) else SIMULATED,
        )
        for study in simulated
    ]


def notice_lines(as_of: int) -> tuple[str, ...]:
    """The same as one line each, for files."""
    return tuple(f"{name}: {text}" if name else text for name, text in notices(as_of))


def run(page: Any) -> None:
    """Run a page; where it fails, say so in words that help, and leave the details to the terminal."""
    try:
        page.run()
    except Exception:
        st.html(
            '<div class="dl-notice dl-trouble" role="alert"><b>Error: this page could not be'
            f" drawn to its end.</b> Nothing was lost. See the terminal of the dashboard for details"
            f" ({clock.clock(datetime.now(UTC))}). Running jobs, such as probes, continue.</div>"
        )
        st.page_link(page_file(links.OVERVIEW), label="Back to Overview", icon=":material/home:")
        # Streamlit writes the details down, and draws a box of its own, which the style hides beside these words.
        raise
    finally:
        if share.shown_page() == page.url_path:
            titles.end(NAMED[page.url_path], as_of())


def scheme() -> Scheme:
    """Whether the page is light or dark."""
    return "dark" if st.context.theme.type == "dark" else "light"


def as_of() -> int:
    """The batch that this session sees: the one that the address pins it to, else the newest when it began."""
    return int(st.session_state[SHOWN])


def _read_pin() -> None:
    """Read which batch the address pins this session to.

    Only where the whole page is drawn: what is drawn anew by a timer has the address that the browser had then, which
    may be older than what was clicked or written since.
    """
    session, newest = st.session_state, runtime.store().batch()
    if SHOWN not in session:
        _show(newest)
    named = st.query_params.get(links.AS_OF, "")
    pinned = links.read_pin(named)
    if pinned is not None and _is_here(*pinned):
        _show(pinned[0])
        session[PINNED] = True
        session.pop(ODD_PIN, None)
    elif session.get(PINNED):
        # A click in the navigation drops every parameter; the pin stays.
        st.query_params[links.AS_OF] = pin()
    elif named:
        session[ODD_PIN] = named
        del st.query_params[links.AS_OF]


def _show(batch: int) -> None:
    """Let this session see a batch, which is not forgotten as long as it does."""
    st.session_state[SHOWN], st.session_state[HELD] = batch, runtime.store().hold(batch)


def _is_here(batch: int, mark: str | None) -> bool:
    """Whether the store has that batch still; not out of the caches, which know of it for longer."""
    if not 0 < batch <= runtime.store().batch():
        return False
    with cursor() as con:
        kept = batch_mark(con, batch)
    return kept is not None and mark in (None, kept)


def pin() -> str:
    """What pins an address to the batch that is shown; "" where nothing was ever ingested."""
    shown = int(st.session_state[SHOWN])
    mark = caches.batch_mark(shown)
    return links.pin(shown, mark) if mark else ""


def when(batch: int) -> str:
    """When a batch came in, in UTC as files have it; "" where nobody knows."""
    at = _came_in(batch)
    return "" if at is None else numerals.time(at)


def _came_in(batch: int) -> datetime | None:
    batches = caches.batches(batch)
    at: datetime | None = batches["finished_at"].iloc[0] if len(batches) else None
    return at if at is not None and at == at else None


def _when(shown: int) -> str:
    """A batch and when it came in, as HTML."""
    at = _came_in(shown)
    return numerals.data_of("" if at is None else clock.time_html(at), shown)


def _no_such_pin() -> None:
    """Say that the address is pinned to a batch that this store never had: its numbers can't be shown."""
    named = st.session_state.get(ODD_PIN)
    if named is None:
        return
    asked = links.read_pin(named)
    what = f"import {asked[0]} of another store" if asked and asked[1] else f"import {named}"
    told = (
        f"This link is frozen at {what}, which is not here. Shown instead: import {st.session_state[SHOWN]};"
        " numbers may differ from those that were shared."
    )
    st.html(f'<div class="dl-notice" role="alert">{escaped(told)}</div>')


def show_newest() -> None:
    """Let this session see the newest batch, pinned to none."""
    _show(runtime.store().batch())
    st.session_state[PINNED] = False
    st.query_params.pop(links.AS_OF, None)


def await_newest() -> None:
    """Show what comes in next at once, if it comes soon; not to a reader who froze the numbers."""
    if not st.session_state.get(PINNED):
        st.session_state[AWAITED] = time.monotonic() + AWAIT_SECONDS


def awaits_newest() -> bool:
    """Whether what comes in next is shown at once."""
    return bool(st.session_state.get(AWAITED, 0) > time.monotonic())


def _batch() -> None:
    """Say which batch is shown, and offer the newest: numbers never change under the reader."""
    if not signing_in.is_known():
        # Signed out meanwhile, in another tab or by time: nothing stays on the screen.
        st.rerun(scope="app")
    if st.session_state[SCHEME] != scheme():
        # Charts are drawn for one of the two.
        st.rerun(scope="app")
    shown, newest = as_of(), runtime.store().batch()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
        if newest > shown and awaits_newest():
            del st.session_state[AWAITED]
            show_newest()
            st.rerun(scope="app")
        if newest > shown:
            label = "Show latest data" if st.session_state.get(PINNED) else "New data: update"
            if st.button(label, icon=":material/refresh:", key="update", type="primary"):
                show_newest()
                st.rerun(scope="app")
        text = _when(shown) if shown else "no data yet"
        if st.session_state.get(PINNED):
            text = text.replace("Data of", "Frozen at", 1)
        st.html(f'<span class="dl-batch">{text}</span>')
    news.listen("batch", "batch", newest, scheme())


def open_view(view: SavedView) -> None:
    """Go to a view's page as it was saved."""
    # The page would else bring back what it was left with where the view says nothing.
    st.session_state[controls.KEPT].pop(view.page, None)
    for name in links.BOUND - set(view.address):
        st.session_state.pop(name, None)
    address = dict(view.address)
    if view.as_of is None:
        show_newest()
    else:
        address[links.AS_OF] = [str(view.as_of)]
    fragments.switch_page(page_file(view.page), query_params=address)
