"""Curves: rates over training, a line per run or mix; a click on a point opens the samples behind it."""

from __future__ import annotations

import streamlit as st

from dashboard import links, numerals
from dashboard.app_pages.curves.training import draw_training, pick_training, trained_of
from dashboard.charts.curve_data import PanelsBy, XAxis, curve_data, reaching_bands, tell_twins_apart, with_bands
from dashboard.charts.curves import CurveStyle, curve_chart
from dashboard.charts.dots import dots_chart
from dashboard.charts.palette import Scheme
from dashboard.charts.panels import axes_by_panel, definitions, flags_by_text, marks_legend, panel_title, subtitle
from dashboard.charts.points import SeriesBy
from dashboard.charts.shared_legend import keys_of
from dashboard.exports.tables import numbers_of
from dashboard.kit import caches
from dashboard.kit.charts.chosen import behind_point, chosen_point, clickable
from dashboard.kit.charts.drawing import drawing
from dashboard.kit.charts.frame import to_look_at
from dashboard.kit.charts.replicates import another_seed
from dashboard.kit.charts.switches import Switches, switched
from dashboard.kit.charts.trends import from_which_step
from dashboard.kit.page import nothing, shell
from dashboard.kit.pickers import choices, controls, kept, runs_panel
from dashboard.kit.pickers.checkpoints import measured_by
from dashboard.kit.pickers.choices import pick_definition
from dashboard.kit.pickers.openings import evals_for, runs_with_lines, section_of_lines
from dashboard.kit.pickers.sections import pick_section
from dashboard.kit.pickers.series import (
    MOST_RUNS,
    colours_of,
    default_evals,
    default_runs,
    lineage_of,
    shown_of,
    with_forebears,
)
from dashboard.kit.tables import numbers_table
from dashboard.kit.text.plain import legend, listed, small_print
from dashboard.queries.frame import RateQuery
from dashboard.queries.sections import ALL, within
from dashboard.queries.trends import TrendQuery

WHERE_FROM = {
    "tokens": "tokens come from trainers' states and run cards",
    "lineage": "total steps come from a run's card and its parents'",
}

X_AXES: dict[XAxis, str] = {"step": "Step", "tokens": "Tokens", "lineage": "Total steps incl. parents"}
PANELS: dict[PanelsBy, str] = {"one": "None", "eval": "Eval", "run": "Run", "split": "Group"}

BANDS = {"pointwise": "Pointwise", "simultaneous": "Simultaneous"}
BANDS_HELP = (
    "Pointwise: the interval of each step by itself. Simultaneous: outside it, a band that holds all steps of a line at"
    " once with 95% (sup-t), for statements about the whole curve."
)
BANDS_DRAWN = "Outer, paler band: simultaneous 95% band over the steps of a line. Inside it: 95% CI of each step."

controls.arrive(links.CURVES)
as_of = shell.as_of()
evals, runs = caches.evals(as_of), caches.runs(as_of)
if evals.empty:
    nothing.nothing_ingested(as_of)

# What is shown.
with st.sidebar:
    titles = choices.titles_of(evals)
    here, metrics = caches.coverage(as_of), caches.metrics_for((), as_of)
    meant = controls.restored("eval") or default_evals(evals, metrics)
    section = pick_section(runs, lambda: section_of_lines(runs, measured_by(here, evals, meant)))
    shown_elsewhere = kept.runs(runs["run"])
    runs_place = runs_panel.room(len(runs))
    begun_with = default_evals(evals_for(evals, here, runs, section.default, shown_elsewhere), metrics)
    picked_evals = choices.pick_evals(evals, begun_with)
    definition = pick_definition(caches.metrics_for(tuple(picked_evals), as_of))
    splits = choices.pick_splits(picked_evals, as_of)

    series: SeriesBy = controls.switch("Color by", "series", choices.SERIES)
    among = within(runs, section.default)
    measured = measured_by(here, evals, picked_evals)
    measured = measured[measured["run"].isin(among["run"])]
    first_of = default_runs if section.default == ALL else runs_with_lines
    if shown_elsewhere:
        first_runs = shown_elsewhere
    elif measured["run"].nunique() > MOST_RUNS:
        # Not all are begun with: those that have numbers go first.
        every = caches.rates(RateQuery(evals=tuple(picked_evals), metrics=definition.metrics), as_of)
        with_numbers = measured[measured["run"].isin(every[every["rate"].notna()]["run"])]
        first_runs = first_of(among, with_numbers if len(with_numbers) else measured)
    else:
        first_runs = first_of(among, measured)
    if series == "mix":
        picked_runs = runs_panel.choose_mixes(runs_place, runs, first_runs)
    else:
        picked_runs = runs_panel.choose_runs(runs_place, runs, runs["run"].tolist(), section.name, first_runs)
    if not picked_runs:
        nothing.nothing_picked(series)
    stages = runs["stage"].dropna().unique().tolist()
    picked_stages = controls.pick_any("Stages", "stage", stages) if len(stages) > 1 else []

    x: XAxis = controls.switch("X axis", "x", X_AXES, help="Total steps: those of a run and of all its parents.")
    panels: PanelsBy = controls.switch("Facet by", "panels", PANELS)
    logged = pick_training(picked_runs, as_of)
    method = choices.pick_interval()
    repeats = choices.pick_repeats(as_of)
    # A band is of lines; of repeats that aren't pooled it would be of other numbers.
    banded = repeats == "pooled" and controls.switch("Bands", "band", BANDS, help=BANDS_HELP) == "simultaneous"

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
if banded:
    lines = TrendQuery(runs=tuple(along), evals=tuple(picked_evals), metrics=definition.metrics, splits=splits)
    rates = with_bands(rates, caches.line_bands(lines, as_of, method))
data = curve_data(rates, x=x, series=series, panels=panels, lineage=lineage, shown_runs=shown_runs)
rates = rates[rates["run"].isin(shown_runs)]
if data.points.empty:
    st.html(listed(data.undrawn))
    nothing.no_rates()
if data.points["x"].isna().all() and x != "step":
    st.html(f'<div class="dl-note">No checkpoint here has a value on this axis: {WHERE_FROM[x]}.</div>')

# The picture.
scheme: Scheme = shell.scheme()
colours, labels = colours_of(runs, series, data.points)
present = [name for name in colours if name in set(data.points["series"])]
metric_titles = dict(zip(definition.used["metric"], definition.used["title"], strict=True))
plain_styles = data.points["style"].nunique()
shown_colours = {name: colours[name] for name in present}
data, _ = tell_twins_apart(data, shown_colours)
trained = trained_of(logged, shown_runs, runs, x, series, as_of)
chosen = chosen_point()


def draw(switches: Switches) -> None:
    """Draw every panel."""
    axes = axes_by_panel(reaching_bands(data.points, rates), metric_titles, zoom=switches.fit)
    style = CurveStyle(
        x=x,
        log=switches.log,
        scheme=scheme,
        colours=shown_colours,
        labels={name: labels[name] for name in present},
        styles=sorted(data.points["style"].unique()),
        style_legend=plain_styles > 1,
        legend=len(axes) == 1,
        shared_legend="dl-legend-curves" if len(axes) > 1 else "",
        plot_height=300 if len(axes) == 1 else 210,
    )
    style = trained.room_in(style) if trained else style
    keys = keys_of(style) if len(axes) > 1 and len(present) > 1 else []
    if keys:
        st.html(legend(keys, element=style.shared_legend))
    with st.container() if len(axes) == 1 else st.grid(min(3, len(axes)), min_column_width=340):
        for panel, axis in axes.items():
            points = data.points[data.points["panel"] == panel]
            title = panel_title(panel, points, titles, metric_titles)
            chart = drawing(
                curve_chart if points["x"].notna().any() else dots_chart,
                data, panel, axis, style, title=title, subtitle=subtitle(points, metric_titles), selected=chosen,
            )  # fmt: skip
            clickable(chart, f"curve {panel}", f"Curves: {title}", numbers_of(points, rates), keys=keys)
    if trained:
        draw_training(trained, data, next(iter(axes)) if len(axes) == 1 else "", style, fit=switches.fit)


switched(draw, log=True)
if left_out := shown_of(data.points["run"].tolist(), [*measured["run"], *data.points["run"]]):
    st.caption(left_out)
told = [*definitions(data.points, metric_titles), *marks_legend(data.points), *([BANDS_DRAWN] if banded else [])]
st.html(small_print(told))

# What is behind the point that was clicked, and what to look at.
behind_point(data.points, rates, evals, splits, as_of)
from_which_step(rates, splits, as_of)
another_seed(rates, query, as_of)
conflicts = caches.conflicts(as_of)
# A conflict is told once for a log, under its first eval.
disputed = conflicts[
    conflicts["eval_key"].isin(rates["eval_key"].dropna()) | conflicts["path"].isin(rates["path"].dropna())
]
disputes = [f"{message} · {path}" for message, path in zip(disputed["message"], disputed["path"], strict=True)]
looks = flags_by_text(rates) + data.undrawn + [*(trained.told if trained else ())] + disputes
to_look_at(looks)
with st.expander(f"Data ({numerals.plural(len(rates), 'row')})"):
    numbers_table(rates, "driftline-rates")

controls.leave()
