"""The sections of the Persistence page: snapshots through training, leads, lineages, and all their numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd
import streamlit as st

from dashboard.app_pages.persistence.telling import lead_in_words
from dashboard.charts.curve_data import CurveData, Lineage, with_twins
from dashboard.charts.curves import CurveStyle, curve_chart
from dashboard.charts.dots import dots_chart
from dashboard.charts.lead import LEAD_DRAWING, lead_axis, lead_chart, lead_data
from dashboard.charts.lineages import stage_chart, stage_data
from dashboard.charts.panels import axes_by_panel, marks_legend, panel_title, subtitle
from dashboard.exports.tables import numbers_of
from dashboard.kit.charts.chosen import clickable
from dashboard.kit.charts.trends import FROM_START, trends_table
from dashboard.kit.tables import numbers_table
from dashboard.kit.text.plain import escaped, legend, listed
from dashboard.queries.trends import Trends

TRAINING, LEAD, STAGES = "training", "lead", "stages"
"""What the keys of a section's charts begin with."""

LEADS = (
    "run", "baseline", "eval", "metric", "variant", "split", "split2", "better", "first_step", "last_step", "first",
    "first_low", "first_high", "last", "last_low", "last_high", "mean", "mean_low", "mean_high", "mean_p_corrected",
    "first_shown", "lasting_from", "slope", "slope_low", "slope_high", "slope_p_corrected", "span", "span_low",
    "span_high", "direction", "family", "unit",
)  # fmt: skip

STEPS = (
    "run", "eval", "metric", "variant", "split", "split2", "step", "checkpoint", "rate", "against", "against_rate",
    "difference", "low", "high", "p", "p_corrected", "paired", "questions", "test", "method", "unit",
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
    """Snapshots whose colour another one has: they have a style of their own."""

    def keys(self, without: str | None = None) -> list[tuple[str, str]]:
        """Labels and colours of the legend that the panels of a section share."""
        names = [name for name in self.style.colours if name != without]
        return [(self.style.labels[name], self.style.colours[name]) for name in names]


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
    st.subheader("Through training")
    st.html(legend(scene.keys()))
    axes = axes_by_panel(data.points, scene.metric_titles)
    with st.grid(_columns(len(axes)), min_column_width=340):
        for panel, axis in axes.items():
            points = data.points[data.points["panel"] == panel]
            draw = curve_chart if points["x"].notna().any() else dots_chart
            title = panel_title(panel, points, scene.eval_titles)
            chart = draw(
                data, panel, axis, scene.style,
                title=title, subtitle=subtitle(points, scene.metric_titles),
                selected=scene.chosen,
            )  # fmt: skip
            clickable(
                chart,
                f"{TRAINING} {panel}",
                f"Through training: {title}",
                numbers_of(points, scene.rates),
                keys=scene.keys(),
            )
    if marks_legend(data.points):
        st.caption(" · ".join(marks_legend(data.points)))
    begun = data.points[(data.points["x"] == 0) & (data.points["checkpoint"] != data.points["run"] + "@0")]
    if len(begun):
        named = ", ".join(f"{label} from {parents[run]}" for run, label in scene.style.labels.items() if run in parents)
        _note(f"Step 0 is the checkpoint that a run was trained from, where it was evaluated: {named}.")


def lead_section(scene: Scene, trends: Trends, data: CurveData, baseline: str) -> None:
    """Leads over the baseline with their bands, and what they say in words.

    Args:
        scene: Of the page.
        trends: With leads over the baseline.
        data: What was drawn through training: a click on a lead opens the run's point.
        baseline: The run that leads are over.
    """
    name = scene.style.labels[baseline]
    st.subheader("Lead over the baseline")
    _note(f"The baseline is {name} ({baseline}). Up is better on every eval, whichever way it counts.")
    frame = with_twins(lead_data(trends.leads, data.points), scene.twins)
    if frame.empty:
        _note(f"No picked run was evaluated at a step at which {name} was, on the same eval.")
        return
    colours = {run: colour for run, colour in scene.style.colours.items() if run in set(frame["series"])}
    style = replace(scene.style, colours=colours, styles=sorted(frame["style"].unique()))
    st.html(legend(scene.keys(baseline)))
    panels = {str(panel): some for panel, some in frame.groupby("panel", sort=False)}
    with st.grid(_columns(len(panels)), min_column_width=340):
        for panel, some in panels.items():
            fraction, directed = bool((some["kind"] == "rate").all()), bool(some["better"].notna().all())
            unit = (
                "percentage points"
                if fraction
                else str(some["unit"].dropna().iloc[0])
                if some["unit"].notna().any()
                else "score"
            )
            title = panel_title(panel, some, scene.eval_titles)
            with st.container():
                chart = lead_chart(
                    some, frame["x"].tolist(), lead_axis(some, f"{unit} {'ahead' if directed else 'above'}"), style,
                    baseline=name, directed=directed, title=title, subtitle=_lead_subtitle(some),
                    selected=scene.chosen,
                )  # fmt: skip
                clickable(
                    chart, f"{LEAD} {panel}", f"Lead over {name}: {title}", some.drop(columns=list(LEAD_DRAWING)),
                    keys=scene.keys(baseline), runs=[baseline],
                )  # fmt: skip
    _words(scene, trends)


def _lead_subtitle(frame: pd.DataFrame) -> list[str]:
    """How the differences were made."""
    pairing = (
        "paired on the same questions"
        if frame["paired"].all()
        else "partly not paired"
        if frame["paired"].any()
        else "not paired"
    )
    return [f"95 % band at each step, {pairing}"]


def _words(scene: Scene, trends: Trends) -> None:
    """What the leads say, eval by eval, and of which family they are."""
    lines = trends.lead_lines
    if lines.empty:
        _note("No run has two steps in common with the baseline: nothing can be said about a lead over training.")
        return
    with st.grid(2, min_column_width=380):
        for name, some in lines.groupby("eval", sort=False):
            with st.container():
                st.html(f"<b>{escaped(scene.eval_titles.get(str(name), str(name)))}</b>")
                st.html(listed([_said(row, scene.style.labels) for row in some.to_dict("records")]))
    family = int(lines["family"].max())
    st.caption(
        f"Means and slopes are each corrected by Holm over all {family} lines that can be tested, single steps over the"
        " steps of their line. Intervals are 95 %, not corrected, and tell of the sampling of questions: another"
        " training run could differ by more. The slope is of the line through these very checkpoints. “No change"
        " shown” doesn't mean that there is none: its interval says how much there could be."
        if family > 1
        else "Intervals are 95 % and tell of the sampling of questions: another training run could differ by more."
        " “No change shown” doesn't mean that there is none: its interval says how much there could be."
    )


def _said(row: Mapping[object, object], labels: Mapping[str, str]) -> str:
    split = " · ".join(str(row[name]) for name in ("variant", "split", "split2") if isinstance(row[name], str))
    notes = row["notes"]
    told = lead_in_words(row, labels) + "".join(f" ({note})" for note in notes)  # type: ignore[attr-defined]
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
    st.subheader("Through the stages")
    data = stage_data(rates, runs, lineage)
    data = replace(data, points=with_twins(data.points, scene.twins))
    axes = axes_by_panel(data.points, scene.metric_titles)
    style = replace(scene.style, styles=sorted(data.points["style"].unique()))
    st.html(legend(scene.keys()))
    with st.grid(min(2, len(axes)), min_column_width=380):
        for panel, axis in axes.items():
            points = data.points[data.points["panel"] == panel]
            title = panel_title(panel, points, scene.eval_titles)
            chart = stage_chart(
                data, panel, axis, style,
                title=title, subtitle=subtitle(points, scene.metric_titles),
                selected=scene.chosen,
            )  # fmt: skip
            clickable(
                chart,
                f"{STAGES} {panel}",
                f"Through the stages: {title}",
                numbers_of(points, scene.rates),
                keys=scene.keys(),
            )
    st.caption(
        "A line is a lineage in the colour of its last run: every checkpoint that it came from and that was evaluated."
        " Where lineages share checkpoints they stand side by side."
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
        "Leads, step by step": (trends.leads, STEPS, "leads-by-step"),
        "Change from the start": (trends.lines, FROM_START, "changes"),
        "Changes, step by step": (trends.changes, STEPS, "changes-by-step"),
    }
    tabs = st.tabs([*tables, "Rates"])
    for tab, (frame, columns, name) in zip(tabs, tables.values(), strict=False):
        with tab:
            trends_table(frame, columns, f"driftline-{name}")
    with tabs[-1]:
        numbers_table(rates, "driftline-rates")
