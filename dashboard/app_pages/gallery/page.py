"""Gallery: the figures that a study names, each a small picture with published numbers beside the study's own."""

from __future__ import annotations

import streamlit as st

from dashboard import links
from dashboard.app_pages.gallery.cards import figure_card, no_figures
from dashboard.kit import caches
from dashboard.kit.page import nothing, shell
from dashboard.kit.pickers import controls

controls.arrive(links.GALLERY)
as_of = shell.as_of()
if caches.evals(as_of).empty:
    nothing.nothing_ingested(as_of)
figures = caches.figures(as_of)
if not figures:
    no_figures()
st.caption("95% CI of each of this study's numbers. Open a figure to see it in full.")
with st.grid(3, min_column_width=340):
    for number, figure in enumerate(figures):
        figure_card(number, figure, as_of)
controls.leave()
