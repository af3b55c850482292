"""The other views of the Data mixes page: ablations, scaling, eval vs. eval, composition."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import numerals
from dashboard.app_pages.mixes.beginning import full_pipeline
from dashboard.app_pages.mixes.choices import Shown
from dashboard.app_pages.mixes.layout import (
    behind,
    comparable,
    heading,
    key_to_colours,
    keys_of,
    named_by_panel,
    panel_grid,
    picture_title,
    show_differences,
)
from dashboard.app_pages.mixes.words import ablation_words, difference_table, scaling_words
from dashboard.charts.bars import bars_chart, row_order
from dashboard.charts.composition import Amount, composition, composition_chart
from dashboard.charts.curve_data import CurveData
from dashboard.charts.eval_pairs import eval_pairs, eval_pairs_chart
from dashboard.charts.marks import MarkStyle
from dashboard.charts.panels import DIRECTIONS, axes_by_panel, is_fraction, subtitle
from dashboard.charts.points import marked_points, series_of, without_rate
from dashboard.charts.scatter import ScatterStyle, scatter_chart
from dashboard.exports.tables import numbers_of
from dashboard.kit import caches
from dashboard.kit.charts.chosen import chosen_point, clickable
from dashboard.kit.charts.drawing import drawing
from dashboard.kit.charts.frame import show
from dashboard.kit.charts.switches import Switches, switched
from dashboard.kit.data_table import data_table
from dashboard.kit.page import nothing, shell
from dashboard.kit.pickers import controls
from dashboard.kit.tables import download_csv
from dashboard.kit.text.plain import listed
from dashboard.queries.compare import CompareQuery
from dashboard.statistics import fit_band, slope, variance_of_interval

PLACES = 60
"""Points of a drawn band."""

AMOUNTS: tuple[Amount, ...] = ("tokens", "share")


def ablations(shown: Shown) -> list[str]:
    """Each variant against a chosen one.

    Returns:
        What is not drawn, for people.
    """
    every = named_by_panel(marked_points(shown.rates))
    points = every[every["rate"].notna()].assign(series=lambda frame: series_of(frame, shown.series), style="")
    undrawn = without_rate(every)
    if points.empty:
        st.html(listed(undrawn))
        nothing.no_rates()
    labels = _row_labels(points, by_mix=shown.series == "mix")
    points = points.assign(row_name=points["checkpoint"])
    checkpoints = comparable(points, shown.as_of) or points["checkpoint"].drop_duplicates().tolist()
    parents = dict(zip(shown.runs["run"], shown.runs["parent_run"], strict=True))
    default = full_pipeline(points[points["checkpoint"].isin(checkpoints)], parents)
    baseline = controls.pick_one("Baseline", "baseline", checkpoints, default=default, titles=controls.findable(labels))
    labels = {name: label + (" · baseline" if name == baseline else "") for name, label in labels.items()}
    frame = CurveData(points=points, lines=points.iloc[:0], stages=pd.DataFrame())
    frame, told = shown.styled(frame)
    style = MarkStyle(**told, legend=False)
    rows = row_order(frame.points)
    chosen = chosen_point()

    def draw(switches: Switches) -> None:
        axes = axes_by_panel(frame.points, shown.metric_titles, zoom=switches.fit)
        with panel_grid(len(axes)):
            for panel, axis in axes.items():
                some = frame.points[frame.points["panel"] == panel]
                title = picture_title(some, shown)
                chart = drawing(
                    bars_chart, some, rows, labels, axis.lying(), style,
                    baseline=baseline, bars=is_fraction(some) and axis.low <= 0, title=title,
                    subtitle=subtitle(some, shown.metric_titles), selected=chosen,
                )  # fmt: skip
                clickable(chart, f"ablations {panel}", f"Ablations: {title}", numbers_of(some, shown.rates))

    switched(draw)
    st.caption("Dashed line: the rate of the baseline. Bars begin at 0; the whisker is the interval.")
    behind(shown, frame.points)
    _from_baseline(shown, baseline, checkpoints, labels)
    return undrawn


def _row_labels(points: pd.DataFrame, *, by_mix: bool) -> dict[str, str]:
    """What stands beside each checkpoint's row: its mix or run, and its step where the run has several."""
    rows = points.drop_duplicates("checkpoint").to_dict("records")
    names = {
        row["checkpoint"]: str(row["mix"])
        if by_mix and isinstance(row["mix"], str)
        else str(row["run_label"] or row["run"])
        for row in rows
    }
    shared = [name for name in names.values() if list(names.values()).count(name) > 1]
    return {at: f"{name} ({at})" if name in shared else name for at, name in names.items()}


def _from_baseline(shown: Shown, baseline: str, checkpoints: list[str], labels: dict[str, str]) -> None:
    """The differences from the baseline, as a table."""
    if len(checkpoints) < 2:
        st.caption("Only one checkpoint: nothing to compare it with.")
        return
    of = shown.query
    asked = CompareQuery(
        checkpoints=tuple(checkpoints), baseline=baseline, evals=of.evals, metrics=of.metrics, splits=of.splits,
        method=of.method, level=of.level,
    )  # fmt: skip
    rows = caches.differences(asked, shown.as_of)
    rows = rows.sort_values(["eval", "difference"], ascending=[True, False], kind="stable")
    st.html(listed(ablation_words(rows, labels)))
    table = difference_table(rows, {}, "baseline")
    show_differences(table, "Variants vs the baseline")
    family = int(rows["family"].max()) if rows["family"].notna().any() else 0
    st.caption(
        "The table: each minus the baseline, the lowest first. Intervals are 95%, not corrected; p is corrected by Holm"
        f" over the {numerals.plural(family, 'row')} of the table. Paired where both answered the same questions."
    )


def scaling(shown: Shown, data: CurveData) -> None:
    """Rates against tokens with a fitted line."""
    data, told = shown.styled(data)
    chosen = chosen_point()

    def draw(switches: Switches) -> None:
        axes = axes_by_panel(data.points, shown.metric_titles, zoom=switches.fit)
        style = ScatterStyle(
            **told, legend=False, shared_legend="dl-legend-scaling", plot_height=320 if len(axes) == 1 else 230,
            log=switches.log, lines=False, named=len(axes) <= 2,
        )  # fmt: skip
        key_to_colours(style)
        words = []
        with panel_grid(len(axes)):
            for panel, axis in axes.items():
                some = data.points[data.points["panel"] == panel]
                line, said = _fit(some, log=switches.log)
                title = picture_title(some, shown)
                words.append(f"{heading(some, shown.titles)}: {said}" if len(axes) > 1 else said)
                chart = drawing(
                    scatter_chart, data, panel, axis, style,
                    title=title, subtitle=subtitle(some, shown.metric_titles), fit=line, selected=chosen,
                )  # fmt: skip
                numbers = numbers_of(some, shown.rates)
                clickable(chart, f"scaling {panel}", f"Scaling: {title}", numbers, keys=keys_of(style))
        st.html(listed(words))

    switched(draw, log=True)
    behind(shown, data.points)
    st.caption(
        "Gray: weighted least-squares line with its 95% confidence band (of the line, not a prediction interval). The"
        " fit is linear and not bounded to 0–100%; do not extrapolate. Checkpoints are taken as independent; where they"
        " answered the same questions, the interval of the slope is too wide."
    )


def _fit(points: pd.DataFrame, *, log: bool) -> tuple[pd.DataFrame, str]:
    """The line's frame for the chart, and its slope in words."""
    used = points[(points["mark"] == "point") & points["low"].notna()]
    zero = int((used["x"] <= 0).sum()) if log else 0
    used = used[used["x"] > 0] if log else used
    scaled = np.log10(used["x"].to_numpy()) if log else used["x"].to_numpy()
    variance = variance_of_interval(used["low"], used["high"])
    line = slope(scaled, used["rate"], variance)
    kind = "rate" if len(points) and is_fraction(points) else "value"
    said = scaling_words(line, used["x"].tolist(), log=log, kind=kind)
    if zero:
        said += f"; {zero} with 0 tokens left out (log axis)"
    if np.isnan(line.estimate):
        return pd.DataFrame(), said
    at = np.linspace(scaled.min(), scaled.max(), PLACES)
    band = fit_band(scaled, used["rate"], variance, at)
    frame = pd.DataFrame({"x": 10**at if log else at, "fitted": band.fitted, "low": band.low, "high": band.high})
    return frame, said


def eval_vs_eval(shown: Shown) -> None:
    """Checkpoints on one eval against another."""
    x_eval, y_eval = shown.picked_evals[0], shown.picked_evals[-1]
    if x_eval == y_eval:
        nothing.nothing_picked("another eval")
    pairs, alone = eval_pairs(shown.rates, x_eval, y_eval)
    if pairs.empty:
        st.html(listed(alone))
        st.html('<div class="dl-note">No checkpoint has results on both of these evals.</div>')
        return
    points = marked_points(shown.rates).assign(panel=lambda frame: frame["eval"])
    points = points[points["rate"].notna()]
    labels = {}
    for name, of in (("x", x_eval), ("y", y_eval)):
        directions = [DIRECTIONS.get(str(better), "") for better in points[points["eval"] == of]["better"].unique()]
        said = ", ".join(filter(None, directions)) or "direction not defined"
        labels[name] = f"{shown.titles.get(of, of)} ({said})"
    chosen = chosen_point()
    names = pairs["panel"].unique().tolist()

    def draw(switches: Switches) -> None:
        axes = axes_by_panel(points, shown.metric_titles, zoom=switches.fit)
        across, up = replace(axes[x_eval].lying(), title=labels["x"]), replace(axes[y_eval], title=labels["y"])
        with panel_grid(len(names)):
            for panel in names:
                some = pairs[pairs["panel"] == panel]
                chart = drawing(
                    eval_pairs_chart, some, across, up, shown.scheme, labels=labels, title=panel or "Eval vs. eval",
                    subtitle=subtitle(points, shown.metric_titles), selected=chosen,
                )  # fmt: skip
                clickable(
                    chart, f"eval-vs-eval {panel}", f"{labels['y']} vs. {labels['x']}",
                    some.drop(columns=["point", "row", "panel"]).assign(x_eval=x_eval, y_eval=y_eval),
                )  # fmt: skip

    switched(draw)
    notes = ["Click a point to open its samples of the eval on the y axis."]
    if (pairs["trained"] == "untrained").any():
        notes.append("Hollow square: no training tokens (0).")
    if (pairs["trained"] == "unknown").any():
        notes.append("Hollow cross: tokens unknown.")
    st.caption(" ".join(notes))
    behind(shown, pairs)
    if alone:
        with st.expander(f"Not drawn ({numerals.count(len(alone))})"):
            st.html(listed(alone))


def compositions(runs: pd.DataFrame, picked: list[str]) -> None:
    """What the mixes of some runs are made of."""
    amount: Amount = controls.switch("Unit", "show", AMOUNTS)
    chosen = runs[runs["run"].isin(picked)]
    made = composition(chosen, amount)
    kinds = composition(runs, "tokens").parts["kind"].tolist() + composition(runs, "share").parts["kind"].tolist()
    if made.parts.empty:
        st.html(
            '<div class="dl-note">The composition of these mixes is unknown. Run cards give it: a mix with'
            " components, each with name, kind, tokens or share.</div>"
        )
    else:
        order = list(dict.fromkeys(kinds + made.parts["kind"].tolist()))
        show(
            drawing(composition_chart, made.parts, amount, shell.scheme(), order), f"composition {amount}",
            f"Composition of mixes, {amount}", made.parts.drop(columns=["begin", "end"]), runs=picked,
        )  # fmt: skip
    if made.untold:
        with st.expander(f"Unknown composition ({len(made.untold)})", expanded=len(made.untold) <= 8):
            st.html(listed(made.untold))
    with st.expander(f"Data ({numerals.plural(len(made.parts), 'row')})"):
        table = made.parts.rename(columns={"bar": "mix", "mix": "mix name"}).drop(columns=["begin", "end"])
        data_table(table, alt="Components of the mixes")
        download_csv(table, "driftline-mixes")
