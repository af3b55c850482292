"""Data mixes: rates against training tokens, ablations, scaling of a corpus, two evals, what mixes are made of."""

from __future__ import annotations

import streamlit as st

from dashboard import caches, controls, links, mixing_efficiency, mixing_views, nothing, shell
from dashboard.charts.panels import flags_by_text, marks_legend
from dashboard.charts.points import marked_points
from dashboard.charts.scatter import scatter_data
from dashboard.chosen import behind_point
from dashboard.mixing_choices import pick, pick_composition, pick_view
from dashboard.panels import numbers_table
from dashboard.plain import listed

controls.arrive(links.MIXES)
as_of = shell.as_of()
evals, runs = caches.evals(as_of), caches.runs(as_of)
if evals.empty:
    nothing.nothing_ingested()

view = pick_view()
if view == "composition":
    with st.sidebar:
        picked = pick_composition(evals, runs, as_of)
    mixing_views.compositions(runs, picked)
    controls.stop()

with st.sidebar:
    shown = pick(view, evals, runs, as_of)
if shown.rates.empty:
    nothing.no_rates()

# The picture, and what it says in words.
drawn = marked_points(shown.rates)
undrawn = []
if view in ("efficiency", "scaling"):
    data = scatter_data(shown.rates, shown.series)
    drawn, undrawn = data.points, data.undrawn
    if drawn.empty:
        st.html(listed(undrawn))
        nothing.no_tokens()
    if view == "efficiency":
        mixing_efficiency.show(shown, data)
    else:
        mixing_views.scaling(shown, data)
elif view == "ablations":
    drawn = mixing_views.ablations(shown)
else:
    drawn = mixing_views.two_evals(shown)
if "mark" in drawn and marks_legend(drawn):
    st.caption(" · ".join(marks_legend(drawn)))

# What is behind the point that was clicked, and what to look at.
behind_point(drawn, shown.rates, evals, shown.query.splits, as_of)
looks = flags_by_text(shown.rates) + undrawn
if looks:
    with st.expander(f"To look at ({len(looks)})", expanded=len(looks) <= 5):
        st.html(listed(looks))
with st.expander(f"Numbers ({len(shown.rates)} rows)"):
    numbers_table(shown.rates, "driftline-mixes")

controls.leave()
