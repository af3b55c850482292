"""What stands over every page: its title, the batch that its numbers are of, the notice of a simulated study."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import links, runtime
from dashboard.charts.palette import Scheme
from dashboard.parts import caches
from dashboard.parts.plain import STYLE, escaped
from dashboard.parts.print_style import print_style
from dashboard.parts.review.save_view import save_view_button
from loaders.errors import DriftlineError

POLL_SECONDS = 2
SHOWN, PINNED = "_batch_shown", "_batch_pinned"

SIMULATED = "Simulated data: this study was made up, by a seeded script, to show what Driftline does. No model was run."
"""The notice of a study whose `simulated` is true without a text of its own."""


def frame(page: Any) -> None:
    """Show what stands over a page; stop it where the pages have no store."""
    try:
        runtime.store()
    except DriftlineError as error:
        st.error(str(error), icon=":material/database_off:")
        st.stop()
    st.html(STYLE + print_style(scheme()))
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="small"):
        st.subheader(page.title, anchor=False, width="content")
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            save_view_button(as_of())
            _batch()
    for name, text in notices(as_of()):
        told = f"<b>{escaped(name)}:</b> " if name else ""
        st.html(f'<div class="dl-notice" role="note">{told}{escaped(text)}</div>')


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


def scheme() -> Scheme:
    """Whether the page is light or dark."""
    return "dark" if st.context.theme.type == "dark" else "light"


def as_of() -> int:
    """The batch that this session sees: the one that the address pins it to, else the newest when it began."""
    session, newest = st.session_state, runtime.store().batch()
    session.setdefault(SHOWN, newest)
    named = st.query_params.get(links.AS_OF, "")
    pinned = links.whole_number(named)
    if pinned is not None and 0 < pinned <= newest:
        session[SHOWN], session[PINNED] = pinned, True
    elif session.get(PINNED):
        # A click in the navigation drops every parameter; the pin stays.
        st.query_params[links.AS_OF] = str(session[SHOWN])
    elif named:
        st.html(f'<div class="dl-note">There is no batch {escaped(named)}; shown is batch {session[SHOWN]}.</div>')
        del st.query_params[links.AS_OF]
    return int(session[SHOWN])


def show_newest() -> None:
    """Let this session see the newest batch, pinned to none."""
    st.session_state[SHOWN], st.session_state[PINNED] = runtime.store().batch(), False
    st.query_params.pop(links.AS_OF, None)


@st.fragment(run_every=POLL_SECONDS)
def _batch() -> None:
    """Say which batch is shown, and offer the newest: numbers never change under the reader."""
    shown, newest = as_of(), runtime.store().batch()
    batches = caches.batches(shown)
    when = batches["finished_at"].iloc[0] if len(batches) else None
    with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
        if newest > shown:
            label = f"Show batch {newest}" if st.session_state.get(PINNED) else "New data: update"
            if st.button(label, icon=":material/refresh:", key="update", type="primary"):
                show_newest()
                st.rerun(scope="app")
        text = f"as of batch {shown}" if shown else "nothing ingested yet"
        if when is not None and when == when:
            text += f" · {when:%d %b %Y, %H:%M} UTC"
        st.html(f'<span class="dl-batch">{text}</span>')
