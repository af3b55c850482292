"""Views: pages that were saved under a name; a link with a view in it leads on to its page."""

from __future__ import annotations

import streamlit as st

from dashboard import links, numerals
from dashboard.app_pages.views.cards import NOTICE, view_card
from dashboard.kit.notes.thread_html import STYLE
from dashboard.kit.page import nothing, shell
from dashboard.kit.page.reader import ALLOWED, cursor, notice, reader
from dashboard.kit.page.shell import open_view
from dashboard.kit.pickers import controls
from dashboard.kit.text.plain import escaped
from dashboard.queries.saved_views import NoSuchView, saved_view, saved_views

# Views that are listed at once.
MOST = 50

controls.arrive(links.VIEWS)
shell.as_of()
st.html(STYLE)
named = controls.restored("view")
st.query_params.pop("view", None)
if named:
    try:
        with cursor() as found:
            view = saved_view(found, named[0])
    except NoSuchView as error:
        st.html(f'<div class="dl-notice" role="alert">{escaped(error)} It may be among these.</div>')
    else:
        open_view(view)

notice(NOTICE)
if not reader().may("editor"):
    st.caption(ALLOWED["editor"])
text = controls.write("Find", "find", placeholder="title, note or author")
with cursor() as found:
    views = saved_views(found, text)
if not views and not text:
    nothing.no_views(reader().may("editor"))
current = [view for view in views if not view.archived]
archived = [view for view in views if view.archived]
if not current:
    st.html('<div class="dl-note">No view matches.</div>' if text else "All views are archived.")
for view in current[:MOST]:
    view_card(view)
if len(current) > MOST:
    older = numerals.count(len(current) - MOST)
    st.html(f'<div class="dl-note">{older} older views are not listed: search for them.</div>')
if archived:
    with st.expander(f"Archived ({len(archived)})", icon=":material/archive:"):
        for view in archived[:MOST]:
            view_card(view)
controls.leave()
