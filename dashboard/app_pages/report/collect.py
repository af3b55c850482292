"""Charts for a review: each view's page is opened once, as its link opens it, and what it draws is kept.

Pages are scripts that draw; no second way to draw them could be trusted to show the same. So a review is collected by
visiting them: the Report page opens a view, its page draws, and leads back with its charts at its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import streamlit as st

from dashboard import links
from dashboard.exports.review import Chart
from dashboard.kit.charts.frame import drawn_charts
from dashboard.kit.page import fragments, shell
from dashboard.kit.page.shell import open_view
from dashboard.kit.pickers import controls
from dashboard.pages import page_file
from dashboard.queries.saved_views import SavedView

QUEUE, COLLECTED, ON_WAY = "_report_queue", "_report_collected", "_report_on_way"

WITHOUT_CHARTS = frozenset({links.SAMPLES, links.TRANSCRIPT, links.BESIDE, links.DATA})
"""Pages that a review reads from the store, since nothing on them is drawn."""


@dataclass(frozen=True)
class Collected:
    """What the page of a view showed.

    Attributes:
        charts: From top to bottom.
        as_of: The batch that it was of.
    """

    charts: tuple[Chart, ...]
    as_of: int


def key_of(view: SavedView) -> tuple[str, int]:
    """A view and its version: an edited view is collected again."""
    return view.view_id, view.version


def collected(view: SavedView) -> Collected | None:
    """What was collected of a view in this session; None where nothing was yet."""
    found: Collected | None = st.session_state.get(COLLECTED, {}).get(key_of(view))
    return found


def start(views: list[SavedView]) -> None:
    """Begin to visit the pages of views."""
    st.session_state[QUEUE] = list(views)


def go_on() -> None:
    """Open the next view of those that are to be collected; call it on the Report page."""
    queue: list[SavedView] = st.session_state.get(QUEUE) or []
    if queue:
        view = queue.pop(0)
        st.session_state[ON_WAY] = view
        st.session_state[controls.AT_END] = partial(_keep, view)
        # Switches have the same names on several pages, and keep what they were until a page was drawn without them.
        for name in links.BOUND:
            st.session_state.pop(name, None)
        open_view(view)


def interrupted() -> SavedView | None:
    """The view whose page was not drawn to its end when it was visited, if there is one; the rest is not visited."""
    st.session_state.pop(controls.AT_END, None)
    view: SavedView | None = st.session_state.pop(ON_WAY, None)
    if view is not None:
        st.session_state.pop(QUEUE, None)
    return view


def _keep(view: SavedView) -> None:
    """Keep what the page has drawn, and go back to the Report page."""
    session = st.session_state
    session.pop(ON_WAY, None)
    if session[controls.PAGE] != view.page:
        # The reader went elsewhere meanwhile: nothing is collected behind his back.
        session.pop(QUEUE, None)
        return
    drawn = drawn_charts()
    charts = tuple(Chart(one.picture(), one.data) for one in drawn)
    found = Collected(charts, shell.as_of())
    session[COLLECTED] = {**session.get(COLLECTED, {}), key_of(view): found}
    # Without parameters of its own the page comes back as it was left; with none at all Streamlit would refuse to
    # clear those that its switches keep in the address.
    fragments.switch_page(page_file(links.REPORT), query_params={})
