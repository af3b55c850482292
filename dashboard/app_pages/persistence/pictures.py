"""The sections of the Persistence page: snapshots through training, leads, lineages, and all their numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd
import streamlit as st

from dashboard import numerals
from dashboard.app_pages.persistence.telling import lasted_in_words, lead_in_words
from dashboard.charts.curve_data import CurveData, Lineage, with_twins
from dashboard.charts.curves import CurveStyle, curve_chart
from dashboard.charts.dots import dots_chart
from dashboard.charts.lead import LEAD_DRAWING, lead_axis, lead_chart, lead_data
from dashboard.charts.lineages import stage_chart, stage_data
from dashboard.charts.panels import axes_by_panel, definitions, marks_legend, panel_title, subtitle
from dashboard.charts.shared_legend import keys_of
from dashboard.exports.tables import numbers_of
from dashboard.kit.charts.chosen import clickable
from dashboard.kit.charts.drawing import drawing
from dashboard.kit.charts.trends import FROM_START, trends_table
from dashboard.kit.tables import numbers_table
from dashboard.kit.text.plain import escaped, legend, listed, small_print
from dashboard.queries.trends import Trends

TRAINING, LEAD, STAGES = "training", "lead", "stages"
"""What the keys of a section's charts begin with."""

LEADS = (
    "run", "baseline", "eval", "metric", "variant", "split", "split2", "better", "first_step", "last_step", "first",
    "first_low", "first_high", "last", "last_low", "last_high", "mean", "mean_low", "mean_high", "mean_p_corrected",
    "side", "first_shown", "lasting_from", "slope", "slope_low", "slope_high", "slope_p_corrected", "span", "span_low",
    "span_high", "direction", "family", "unit",
)  # fmt: skip

OF_INTERVALS = (
    "Intervals are 95%, not corrected, and cover the sampling of questions alone: another training run could differ by"
    " more. Slopes are of the line through these checkpoints. n.s. (not significant) does not mean zero: see the"
    " interval."
)

STEPS = (
    "run", "eval", "metric", "variant", "split", "split2", "step", "checkpoint", "rate", "against", "against_rate",
    "difference", "low", "high", "band_low", "band_high", "p", "p_corrected", "paired", "questions", "test", "method",
    "unit",
)  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """What all sections share.

    Attributes:
        rates: `RATE_COLUMNS`: what the rows of points refer to.
        style: Colours of the snapshots, and looks.
        eval_titles: Title of each eval.
        metric_titles: Title of each definition.
        chosen: The point to be ringed.
    """

    rates: pd.DataFrame
    style: CurveStyle
    eval_titles: Mapping[str, str]
    metric_titles: Mapping[str, str]
    chosen: str
    twins: Sequence[str]
    """Snapshots that have a style of their own: their colour is another's, and dash and shape tell evals apart."""

    def style_of(self, section: str, points: pd.DataFrame) -> CurveStyle:
        """Looks of a section, whose panels share a legend."""
        return replace(self.style, styles=sorted(points["style"].unique()), shared_legend=f"dl-legend-{section}")


def _columns(panels: int) -> int:
    """At most three, and no lone panel in a second row of four."""
    return 2 if panels == 4 else min(3, panels)


def _note(text: str) -> None:
    st.html(f'<div class="dl-note">{escaped(text)}</div>')


def training_section(scene: Scene, data: CurveData, parents: Mapping[str, str]) -> None:
    """Small multiples over training steps, a line for each snapshot.

    Args:
        scene: Of the page.
        data: From `through_training`.
        parents: Label of each run to the checkpoint that it begins from.
    """
    st.subheader("Rate by step")
    style = scene.style_of(TRAINING, data.points)
    keys = keys_of(style)
    st.html(legend(keys, element=style.shared_legend))
    axes = axes_by_panel(data.points, scene.metric_titles)
    with st.grid(_columns(len(axes)), min_column_width=340):
        for panel, axis in axes.items():
            points = data.points[data.points["panel"] == panel]
            draw = curve_chart if points["x"].notna().any() else dots_chart
            title = panel_title(panel, points, scene.eval_titles, scene.metric_titles)
            chart = drawing(
                draw, data, panel, axis, style,
                title=title, subtitle=subtitle(points, scene.metric_titles),
                selected=scene.chosen,
            )  # fmt: skip
            clickable(
                chart,
                f"{TRAINING} {panel}",
                f"Rate by step: {title}",
                numbers_of(points, scene.rates),
                keys=keys,
            )
    st.html(small_print([*definitions(data.points, scene.metric_titles), *marks_legend(data.points)]))
    begun = data.points[(data.points["x"] == 0) & (data.points["checkpoint"] != data.points["run"] + "@0")]
    if len(begun):
        named = ", ".join(f"{label} from {parents[run]}" for run, label in scene.style.labels.items() if run in parents)
        _note(f"Step 0 is the parent checkpoint, where it has results: {named}.")


def lasting_section(scene: Scene, trends: Trends) -> None:
    """Whether each run's last step is as good as its first, eval by eval; nothing where no margin is set.

    Args:
        scene: Of the page.
        trends: With a margin.
    """
    lines = trends.lines[trends.lines["margin"].notna()]
    if lines.empty:
        return
    st.subheader("Did it last?")
    with st.grid(2, min_column_width=380):
        for name, some in lines.groupby("eval", sort=False):
            with st.container():
                st.html(f"<b>{escaped(scene.eval_titles.get(str(name), str(name)))}</b>")
                told = [(row, lasted_in_words(row, scene.style.labels)) for row in some.to_dict("records")]
                st.html(listed([_with_split(row, words) for row, words in told]))
    st.caption(
        f"Last step against the first, non-inferior by the equivalence margin: a one-sided test at 5%, p corrected by"
        f" Holm over {numerals.plural(int(lines['p_equivalence'].notna().sum()), 'run and eval', 'runs and evals')}."
        " Bounds are not corrected. Questions needed: 80% power if nothing changes."
    )


def lead_section(scene: Scene, trends: Trends, data: CurveData, baseline: str) -> None:
    """Leads over the baseline with their bands, and what they say in words.

    Args:
        scene: Of the page.
        trends: With leads over the baseline.
        data: What was drawn through training: a click on a lead opens the run's point.
        baseline: The run that leads are over.
    """
    name = scene.style.labels[baseline]
    st.subheader("Difference from baseline")
    _note(f"Baseline: {name} ({baseline}). Up is better on every eval.")
    frame = with_twins(lead_data(trends.leads, data.points), scene.twins)
    if frame.empty:
        _note(f"No selected run has results at the same step and eval as {name}.")
        return
    style = scene.style_of(LEAD, frame)
    keys = keys_of(style, without=baseline)
    st.html(legend(keys, element=style.shared_legend))
    panels = {str(panel): some for panel, some in frame.groupby("panel", sort=False)}
    with st.grid(_columns(len(panels)), min_column_width=340):
        for panel, some in panels.items():
            fraction, directed = bool((some["kind"] == "rate").all()), bool(some["better"].notna().all())
            unit = "pp" if fraction else str(some["unit"].dropna().iloc[0]) if some["unit"].notna().any() else "score"
            what = "Lead over" if directed else "Difference from"
            title = f"{scene.eval_titles.get(some['eval'].iloc[0], some['eval'].iloc[0])}: {what.lower()} {name}"
            with st.container():
                chart = drawing(
                    lead_chart, some, frame["x"].tolist(), lead_axis(some, f"{what} baseline ({unit})"), style,
                    baseline=name, directed=directed, title=title, subtitle=_lead_subtitle(some),
                    selected=scene.chosen,
                )  # fmt: skip
                clickable(
                    chart, f"{LEAD} {panel}", f"Lead over {name}: {title}", some.drop(columns=list(LEAD_DRAWING)),
                    keys=keys, runs=[baseline],
                )  # fmt: skip
    _words(scene, trends)


def _lead_subtitle(frame: pd.DataFrame) -> list[str]:
    """How the differences were made."""
    pairing = (
        "paired by question" if frame["paired"].all() else "partly paired" if frame["paired"].any() else "not paired"
    )
    return [f"95% CI at each step, {pairing}"]


def _words(scene: Scene, trends: Trends) -> None:
    """What the leads say, eval by eval, and of which family they are."""
    lines = trends.lead_lines
    if lines.empty:
        _note("No run has two steps in common with the baseline: there is no trend of a lead.")
        return
    with st.grid(2, min_column_width=380):
        for name, some in lines.groupby("eval", sort=False):
            with st.container():
                st.html(f"<b>{escaped(scene.eval_titles.get(str(name), str(name)))}</b>")
                st.html(listed([_said(row, scene.style.labels) for row in some.to_dict("records")]))
    family = int(lines["family"].max())
    st.caption(
        f"p values of means and slopes are corrected by Holm over all {family} runs and evals, those of single steps"
        f" over the steps of a run. {OF_INTERVALS}"
        if family > 1
        else OF_INTERVALS
    )


def _said(row: Mapping[object, object], labels: Mapping[str, str]) -> str:
    notes = row["notes"]
    return _with_split(row, lead_in_words(row, labels) + "".join(f" ({note})" for note in notes))  # type: ignore[attr-defined]


def _with_split(row: Mapping[object, object], told: str) -> str:
    split = " · ".join(str(row[name]) for name in ("variant", "split", "split2") if isinstance(row[name], str))
    return f"{split}: {told}" if split else told


def lineage_section(
    scene: Scene, rates: pd.DataFrame, runs: Sequence[str], lineage: Mapping[str, Lineage]
) -> pd.DataFrame:
    """The ancestry of each snapshot, stage by stage; gives the points that were drawn.

    Args:
        scene: Of the page.
        rates: `RATE_COLUMNS` of the runs and all that they were trained from.
        runs: The last run of each lineage.
        lineage: By run.
    """
    st.subheader("Rate by stage")
    data = stage_data(rates, runs, lineage)
    data = replace(data, points=with_twins(data.points, scene.twins))
    axes = axes_by_panel(data.points, scene.metric_titles)
    style = scene.style_of(STAGES, data.points)
    keys = keys_of(style)
    st.html(legend(keys, element=style.shared_legend))
    with st.grid(min(2, len(axes)), min_column_width=380):
        for panel, axis in axes.items():
            points = data.points[data.points["panel"] == panel]
            title = panel_title(panel, points, scene.eval_titles, scene.metric_titles)
            chart = drawing(
                stage_chart, data, panel, axis, style,
                title=title, subtitle=subtitle(points, scene.metric_titles),
                selected=scene.chosen,
            )  # fmt: skip
            clickable(
                chart,
                f"{STAGES} {panel}",
                f"Rate by stage: {title}",
                numbers_of(points, scene.rates),
                keys=keys,
            )
    st.caption(
        "A line is a run with all its parent runs, in the color of the last run."
        " Shared checkpoints are drawn side by side."
    )
    return data.points


def all_numbers(trends: Trends, rates: pd.DataFrame) -> None:
    """Every number of the Persistence page, a table and a file each.

    Args:
        trends: With leads over a baseline.
        rates: `RATE_COLUMNS`.
    """
    tables = {
        "Leads": (trends.lead_lines, LEADS, "leads"),
        "Leads by step": (trends.leads, STEPS, "leads-by-step"),
        "Change from first step": (trends.lines, FROM_START, "changes"),
        "Changes by step": (trends.changes, STEPS, "changes-by-step"),
    }
    tabs = st.tabs([*tables, "Rates"])
    for tab, (frame, columns, name) in zip(tabs, tables.values(), strict=False):
        with tab:
            trends_table(frame, columns, f"driftline-{name}")
    with tabs[-1]:
        numbers_table(rates, "driftline-rates")
