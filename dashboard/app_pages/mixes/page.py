"""Data mixes: rates against training tokens, ablations, scaling of a corpus, eval vs. eval, what mixes are made of."""

from __future__ import annotations

import streamlit as st

from dashboard import links, numerals
from dashboard.app_pages.mixes import efficiency, views
from dashboard.app_pages.mixes.choices import pick, pick_composition, pick_view
from dashboard.charts.panels import flags_by_text
from dashboard.charts.scatter import scatter_data
from dashboard.kit import caches
from dashboard.kit.charts.frame import to_look_at
from dashboard.kit.page import nothing, shell
from dashboard.kit.pickers import controls
from dashboard.kit.tables import numbers_table
from dashboard.kit.text.plain import listed

controls.arrive(links.MIXES)
as_of = shell.as_of()
evals, runs = caches.evals(as_of), caches.runs(as_of)
if evals.empty:
    nothing.nothing_ingested(as_of)

view = pick_view()
if view == "composition":
    with st.sidebar:
        picked = pick_composition(evals, runs, as_of)
    views.compositions(runs, picked)
    controls.stop()

with st.sidebar:
    shown = pick(view, evals, runs, as_of)
if shown.rates.empty:
    nothing.no_rates()

# The picture, what is behind the point that was clicked, and what the picture says in words.
undrawn: list[str] = []
if view in ("efficiency", "scaling"):
    data = scatter_data(shown.rates, shown.series)
    undrawn = data.undrawn
    if data.points.empty:
        st.html(listed(undrawn))
        nothing.no_tokens()
    draw = efficiency.show if view == "efficiency" else views.scaling
    draw(shown, data)
elif view == "ablations":
    undrawn = views.ablations(shown)
else:
    views.eval_vs_eval(shown)

# Warnings.
looks = flags_by_text(shown.rates) + undrawn
to_look_at(looks)
with st.expander(f"Data ({numerals.plural(len(shown.rates), 'row')})"):
    numbers_table(shown.rates, "driftline-mixes")

controls.leave()
