"""Assessment: categories by checkpoints, as dots with intervals and as a heatmap; any field can be the category."""

from __future__ import annotations

import streamlit as st

from dashboard import links
from dashboard.app_pages.assessment import offers
from dashboard.app_pages.assessment.pictures import Pictures
from dashboard.charts.categories_data import PanelsBy, category_points, crosses, gaps
from dashboard.charts.panels import flags_by_text
from dashboard.charts.points import marked_points, without_rate
from dashboard.kit import caches
from dashboard.kit.charts.chosen import behind_point, chosen_point
from dashboard.kit.charts.frame import to_look_at
from dashboard.kit.page import nothing, shell
from dashboard.kit.pickers import choices, controls
from dashboard.kit.pickers.series import checkpoint_titles
from dashboard.kit.tables import numbers_table
from dashboard.kit.text.plain import escaped, listed
from dashboard.queries.frame import RateQuery
from dashboard.queries.rows import checkpoint_name

controls.arrive(links.ASSESSMENT)
as_of = shell.as_of()
evals, runs, coverage = caches.evals(as_of), caches.runs(as_of), caches.coverage(as_of)
if evals.empty:
    nothing.nothing_ingested(as_of)

# What is shown.
with st.sidebar:
    picked_evals = choices.pick_evals(evals, offers.default_evals(evals, caches.metrics_for((), as_of)))
    metrics = caches.metrics_for(tuple(picked_evals), as_of)
    picked_metrics = offers.pick_metrics(metrics, picked_evals)
    if not picked_metrics:
        nothing.nothing_picked("definition")
    used = metrics[metrics["metric"].isin(picked_metrics)]
    splits = choices.pick_splits(picked_evals, as_of)

    names = checkpoint_titles(coverage, runs)
    members = evals[evals["eval"].isin(picked_evals)]
    measuring = [list(of) or [name] for name, of in zip(members["eval"], members["members"], strict=True)]
    picked = offers.pick_checkpoints(names, offers.default_checkpoints(coverage, measuring))
    if not picked:
        nothing.nothing_picked("checkpoint")

    view = st.segmented_control(
        "As", ["dots", "heatmap"], default="dots", key="view", bind="query-params", required=True
    )
    shape = offers.shape_of(used, picked_evals, splits)
    category = offers.pick_dimension("A row for each", "category", shape, shape.category)
    of_columns = "A colour for each" if view == "dots" else "A column for each"
    colour = offers.pick_dimension(of_columns, "colour", shape, shape.colour)
    panels: PanelsBy = st.segmented_control(
        "One plot, or one for each", ["one", "eval", "metric", "run"], default="one", key="panels",
        bind="query-params", required=True, help="Directions and units are kept apart in any case.",
    )  # fmt: skip
    zoom = view == "dots" and st.toggle(
        "Zoom in on the values", key="zoom", bind="query-params", help="Otherwise rates begin at 0 %."
    )
    method = choices.pick_interval()
    repeats = choices.pick_repeats(as_of)

# The numbers.
query = RateQuery(
    runs=offers.runs_of(coverage, picked), evals=tuple(picked_evals), metrics=tuple(picked_metrics), splits=splits,
    method=method, repeats=repeats,
)  # fmt: skip
rates = caches.rates(query, as_of)
rates = rates[[checkpoint_name(row) in picked for row in rates.to_dict("records")] or slice(0)]
titles = offers.titles_of(evals, metrics, runs, offers.in_order(names, picked))
points = category_points(rates, category=category, colour=colour, panels=panels, titles=titles)
undrawn = without_rate(marked_points(rates))
if points["rate"].isna().all():
    st.html(listed(undrawn))
    nothing.no_rates()

# The picture: directions apart, and what has different units.
pictures = Pictures(
    rates=rates,
    view=view,
    scheme=shell.scheme(),
    titles=titles,
    category=category,
    colour=colour,
    colours=offers.colours_for(points, colour, runs, titles),
    zoom=bool(zoom),
    selected=chosen_point(),
)
pictures.draw(points)
if marks := pictures.marks_legend(points):
    st.caption(" · ".join(marks))
framings = offers.framing_words(caches.framings(query, as_of), picked, titles) if len(splits) == 1 else []
if framings:
    st.html(f'<div class="dl-note">{escaped(splits[0])}, at the same checkpoint:</div>{listed(framings)}')

# What is behind the point that was clicked, and what to look at.
behind_point(points[points["rate"].notna()], rates, evals, splits, as_of)
absent = [names.get(name, name) for name in picked if name not in set(points["checkpoint"])]
looks = flags_by_text(rates) + undrawn + (gaps(points) if crosses(category, colour) else [])
looks += [f"Not measured on any of these: {', '.join(absent)}"] if absent else []
to_look_at(looks)
with st.expander(f"Numbers ({len(rates)} rows)"):
    numbers_table(rates, "driftline-assessment")

controls.leave()
