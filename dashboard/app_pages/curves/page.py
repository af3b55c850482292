"""Curves: rates over training, a line per run or mix; a click on a point opens the samples behind it."""

from __future__ import annotations

import streamlit as st

from dashboard import links
from dashboard.charts.curve_data import PanelsBy, XAxis, curve_data, tell_twins_apart
from dashboard.charts.curves import CurveStyle, curve_chart
from dashboard.charts.dots import dots_chart
from dashboard.charts.palette import Scheme
from dashboard.charts.panels import axes_by_panel, flags_by_text, marks_legend, panel_title, subtitle
from dashboard.charts.points import SeriesBy
from dashboard.exports.tables import numbers_of
from dashboard.kit import caches
from dashboard.kit.charts.chosen import behind_point, chosen_point, clickable
from dashboard.kit.charts.frame import to_look_at
from dashboard.kit.charts.trends import from_which_step
from dashboard.kit.page import nothing, shell
from dashboard.kit.pickers import choices, controls
from dashboard.kit.pickers.choices import pick_definition
from dashboard.kit.pickers.series import (
    MOST_RUNS,
    colours_of,
    default_evals,
    default_runs,
    labels_of,
    lineage_of,
    shown_of,
    with_forebears,
)
from dashboard.kit.tables import numbers_table
from dashboard.kit.text.plain import legend, listed
from dashboard.queries.frame import RateQuery

WHERE_FROM = {
    "tokens": "tokens come from trainers' states and run cards",
    "lineage": "a run's place comes from its card and its parents'",
}

controls.arrive(links.CURVES)
as_of = shell.as_of()
evals, runs = caches.evals(as_of), caches.runs(as_of)
if evals.empty:
    nothing.nothing_ingested(as_of)

# What is shown.
with st.sidebar:
    titles = choices.titles_of(evals)
    picked_evals = choices.pick_evals(evals, default_evals(evals, caches.metrics_for((), as_of)))
    definition = pick_definition(caches.metrics_for(tuple(picked_evals), as_of))
    splits = choices.pick_splits(picked_evals, as_of)

    series: SeriesBy = st.segmented_control(
        "A colour for each", ["run", "mix", "split"], default="run", key="series", bind="query-params", required=True
    )
    here = caches.coverage(as_of)
    names = evals[evals["eval"].isin(picked_evals)].explode("members")
    measured = here[here["eval"].isin([*picked_evals, *names["members"].dropna()])]
    if measured["run"].nunique() > MOST_RUNS:
        # Not all are begun with: those that have numbers go first.
        every = caches.rates(RateQuery(evals=tuple(picked_evals), metrics=definition.metrics), as_of)
        with_numbers = measured[measured["run"].isin(every[every["rate"].notna()]["run"])]
        first_runs = default_runs(runs, with_numbers if len(with_numbers) else measured)
    else:
        first_runs = default_runs(runs, measured)
    if series == "mix":
        mixes = runs["mix"].dropna().unique().tolist()
        first = runs[runs["run"].isin(first_runs)]["mix"].dropna().unique().tolist()
        picked_mixes = controls.pick_many("Mixes", "mix", mixes, default=first, placeholder="Pick mixes")
        picked_runs = runs[runs["mix"].isin(picked_mixes)]["run"].tolist()
    else:
        labels = labels_of(runs)
        picked_runs = controls.pick_many(
            "Runs", "run", runs["run"].tolist(), default=first_runs, titles=labels, placeholder="Pick runs"
        )
    if not picked_runs:
        nothing.nothing_picked(series)
    stages = runs["stage"].dropna().unique().tolist()
    picked_stages = controls.pick_any("Stages", "stage", stages) if len(stages) > 1 else []

    x: XAxis = st.segmented_control(
        "Along", ["step", "tokens", "lineage"], default="step", key="x", bind="query-params", required=True,
        help="Lineage adds up the steps of a run and of those that it was trained from.",
    )  # fmt: skip
    log = st.toggle("Logarithmic", key="log_x", bind="query-params")
    zoom = st.toggle("Zoom in on the values", key="zoom", bind="query-params", help="Otherwise rates begin at 0 %.")
    panels: PanelsBy = st.segmented_control(
        "One plot, or one for each",
        ["one", "eval", "run", "split"],
        default="one",
        key="panels",
        bind="query-params",
        required=True,
    )
    method = choices.pick_interval()
    repeats = choices.pick_repeats(as_of)

# The numbers. Along the lineage a run is shown with those that it was trained from: it begins where they end.
lineage = lineage_of(runs)
stage_of = dict(zip(runs["run"], runs["stage"], strict=True))
along = with_forebears(picked_runs, lineage) if x == "lineage" else picked_runs
shown_runs = [run for run in along if not picked_stages or stage_of.get(run) in picked_stages]
if not shown_runs:
    nothing.no_rates()
query = RateQuery(
    runs=tuple(along),
    evals=tuple(picked_evals),
    metrics=definition.metrics,
    splits=splits,
    method=method,
    repeats=repeats,
)
rates = caches.rates(query, as_of)
data = curve_data(rates, x=x, series=series, panels=panels, lineage=lineage, shown_runs=shown_runs)
rates = rates[rates["run"].isin(shown_runs)]
if data.points.empty:
    st.html(listed(data.undrawn))
    nothing.no_rates()
if data.points["x"].isna().all() and x != "step":
    st.html(f'<div class="dl-note">No checkpoint here has a place along {x}: {WHERE_FROM[x]}.</div>')

# The picture.
scheme: Scheme = shell.scheme()
colours, labels = colours_of(runs, series, data.points)
present = [name for name in colours if name in set(data.points["series"])]
metric_titles = dict(zip(definition.used["metric"], definition.used["title"], strict=True))
plain_styles = data.points["style"].nunique()
shown_colours = {name: colours[name] for name in present}
data, twins = tell_twins_apart(data, shown_colours) if data.points["x"].notna().any() else (data, [])
labels |= {name: f"{labels[name]} (dashed)" for name in twins}
axes = axes_by_panel(data.points, metric_titles, zoom=zoom)
style = CurveStyle(
    x=x,
    log=log,
    scheme=scheme,
    colours=shown_colours,
    labels={name: labels[name] for name in present},
    styles=sorted(data.points["style"].unique()),
    style_legend=plain_styles > 1,
    legend=len(axes) == 1,
    plot_height=300 if len(axes) == 1 else 210,
)
chosen = chosen_point()
keys = [(style.labels[name], style.colours[name]) for name in present] if len(axes) > 1 and len(present) > 1 else []
if keys:
    st.html(legend(keys))
with st.container() if len(axes) == 1 else st.grid(min(3, len(axes)), min_column_width=340):
    for panel, axis in axes.items():
        points = data.points[data.points["panel"] == panel]
        draw = curve_chart if points["x"].notna().any() else dots_chart
        chart = draw(
            data, panel, axis, style,
            title=panel_title(panel, points, titles),
            subtitle=subtitle(points, metric_titles),
            selected=chosen,
        )  # fmt: skip
        title = panel_title(panel, points, titles)
        clickable(chart, f"curve {panel}", f"Curves: {title}", numbers_of(points, rates), keys=keys)
if left_out := shown_of(data.points["run"].tolist(), [*measured["run"], *data.points["run"]]):
    st.caption(left_out)
if marks_legend(data.points):
    st.caption(" · ".join(marks_legend(data.points)))

# What is behind the point that was clicked, and what to look at.
behind_point(data.points, rates, evals, splits, as_of)
from_which_step(rates, splits, as_of)
conflicts = caches.conflicts(as_of)
# A conflict is told once for a log, under its first eval.
disputed = conflicts[
    conflicts["eval_key"].isin(rates["eval_key"].dropna()) | conflicts["path"].isin(rates["path"].dropna())
]
disputes = [f"{message} · {path}" for message, path in zip(disputed["message"], disputed["path"], strict=True)]
looks = flags_by_text(rates) + data.undrawn + disputes
to_look_at(looks)
with st.expander(f"Numbers ({len(rates)} rows)"):
    numbers_table(rates, "driftline-rates")

controls.leave()
