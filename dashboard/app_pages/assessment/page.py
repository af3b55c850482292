"""Assessment: categories by checkpoints, as dots with intervals and as a heatmap; any field can be the category."""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard import links, numerals
from dashboard.app_pages.assessment import offers
from dashboard.app_pages.assessment.pictures import Pictures
from dashboard.charts.categories_data import PanelsBy, category_points, crosses, gaps
from dashboard.charts.panels import flags_by_text
from dashboard.charts.points import marked_points, without_rate
from dashboard.charts.shrunk import shrunk_points, shrunk_words
from dashboard.kit import caches
from dashboard.kit.charts.chosen import behind_point, chosen_point
from dashboard.kit.charts.frame import to_look_at
from dashboard.kit.charts.switches import switched
from dashboard.kit.page import nothing, shell
from dashboard.kit.pickers import choices, controls, kept, runs_panel
from dashboard.kit.pickers.checkpoints import runs_of
from dashboard.kit.pickers.openings import evals_for
from dashboard.kit.pickers.sections import pick_section
from dashboard.kit.pickers.series import checkpoint_titles
from dashboard.kit.tables import numbers_table
from dashboard.kit.text.plain import escaped, listed, small_print
from dashboard.queries.frame import RateQuery
from dashboard.queries.rows import checkpoint_name
from dashboard.queries.sections import in_order, within
from dashboard.queries.shrinkage import with_shrunk

PANELS: dict[PanelsBy, str] = {"one": "None", "eval": "Eval", "metric": "Metric", "run": "Run"}

CELLS = {"measured": "Measured", "shrunk": "Shrunk"}
CELLS_HELP = (
    "Shrunk: each rate is pulled towards those of the other checkpoints on the same eval, the more the fewer samples it"
    " has (a hierarchical model, with its 95% posterior interval). See Many cells in the documentation."
)

controls.arrive(links.ASSESSMENT)
as_of = shell.as_of()
evals, runs, coverage = caches.evals(as_of), caches.runs(as_of), caches.coverage(as_of)
if evals.empty:
    nothing.nothing_ingested(as_of)

# What is shown.
with st.sidebar:
    every = caches.metrics_for((), as_of)
    meant = controls.restored("eval") or offers.default_evals(evals, every)
    section = pick_section(runs, lambda: offers.section_measured(runs, coverage, offers.measuring(evals, meant)))
    shown_elsewhere = kept.runs(runs["run"])
    names = checkpoint_titles(in_order(coverage, runs, section.name), runs)
    runs_place = runs_panel.room(len(names))
    picked_evals = choices.pick_evals(
        evals, offers.default_evals(evals_for(evals, coverage, runs, section.default, shown_elsewhere), every)
    )
    metrics = caches.metrics_for(tuple(picked_evals), as_of)
    picked_metrics = offers.pick_metrics(metrics, picked_evals)
    if not picked_metrics:
        nothing.nothing_picked("metric")
    used = metrics[metrics["metric"].isin(picked_metrics)]
    splits = choices.pick_splits(picked_evals, as_of)

    among = coverage[coverage["run"].isin(shown_elsewhere or within(runs, section.default)["run"])]
    first = offers.default_checkpoints(among, offers.measuring(evals, picked_evals))
    picked = offers.pick_checkpoints(runs_place, runs, names, first)
    if not picked:
        nothing.nothing_picked("checkpoint")

    view = controls.switch("Chart type", "view", {"dots": "Dot plot", "heatmap": "Heatmap"})
    shape = offers.shape_of(used, picked_evals, splits)
    category = offers.pick_dimension("Rows", "category", shape, shape.category)
    of_columns = "Color by" if view == "dots" else "Columns"
    colour = offers.pick_dimension(of_columns, "colour", shape, shape.colour)
    panels: PanelsBy = controls.switch(
        "Facet by", "panels", PANELS, help="Metrics of different direction or unit always have charts of their own."
    )
    cells = controls.switch("Cells", "cells", CELLS, help=CELLS_HELP) if view == "heatmap" else "measured"
    method = choices.pick_interval()
    repeats = choices.pick_repeats(as_of)

# The numbers.
query = RateQuery(
    runs=runs_of(coverage, picked), evals=tuple(picked_evals), metrics=tuple(picked_metrics), splits=splits,
    method=method, repeats=repeats,
)  # fmt: skip
rates = caches.rates(query, as_of)
rates = rates[[checkpoint_name(row) in picked for row in rates.to_dict("records")] or slice(0)]
titles = offers.titles_of(evals, metrics, runs, offers.in_order(names, picked))
points = category_points(rates, category=category, colour=colour, panels=panels, titles=titles)
undrawn = without_rate(marked_points(rates))
if cells == "shrunk":
    rates = with_shrunk(rates)
    points = shrunk_points(points, rates)
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
    selected=chosen_point(),
)
switched(partial(pictures.draw, points), fit=view == "dots")
st.html(small_print([*(shrunk_words(points) if cells == "shrunk" else []), *pictures.marks_legend(points)]))
framings = offers.framing_words(caches.framings(query, as_of), picked, titles) if len(splits) == 1 else []
if framings:
    st.html(f'<div class="dl-note">{escaped(splits[0])}, at the same checkpoint:</div>{listed(framings)}')

# What is behind the point that was clicked, and what to look at.
behind_point(points[points["rate"].notna()], rates, evals, splits, as_of)
absent = [names.get(name, name) for name in picked if name not in set(points["checkpoint"])]
looks = flags_by_text(rates) + undrawn + (gaps(points) if crosses(category, colour) else [])
looks += [f"No results on any of these evals: {', '.join(absent)}"] if absent else []
to_look_at(looks)
with st.expander(f"Data ({numerals.plural(len(rates), 'row')})"):
    numbers_table(rates, "driftline-assessment")

controls.leave()
