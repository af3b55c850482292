"""The efficiency view of the Data mixes page: the frontier, what is on it, and what a rate costs."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import numerals
from dashboard.app_pages.mixes.choices import Shown
from dashboard.app_pages.mixes.layout import (
    behind,
    comparable,
    heading,
    key_to_colours,
    keys_of,
    panel_grid,
    picture_title,
    show_differences,
)
from dashboard.app_pages.mixes.words import (
    frontier_words,
    iso_table,
    iso_words,
    needed_table,
    of_panel,
    tokens_text,
    verdict,
)
from dashboard.charts.curve_data import CurveData
from dashboard.charts.panels import axes_by_panel, subtitle
from dashboard.charts.scatter import ScatterStyle, frontier_points, scatter_chart, scatter_data
from dashboard.exports.tables import numbers_of
from dashboard.kit import caches
from dashboard.kit.charts.chosen import chosen_point, clickable
from dashboard.kit.charts.drawing import drawing
from dashboard.kit.charts.switches import Switches, switched
from dashboard.kit.pickers import controls
from dashboard.kit.text.plain import escaped, listed
from dashboard.queries.compare import CompareQuery
from dashboard.queries.mixes import as_family
from dashboard.statistics.efficiency import Better

HONEST = (
    "The frontier is one of estimates: a point can be on it by chance. Each is compared with the cheaper one before it,"
    " p corrected by Holm."
)

MOST_COMPARED = 28
"""Checkpoints that are all compared with the reference; of more, a part."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One panel: its points, those on the frontier, and which direction is better."""

    name: str
    points: pd.DataFrame
    better: Better | None
    on_frontier: pd.DataFrame

    @property
    def first(self) -> dict[Hashable, Any]:
        """A row that tells what is measured here."""
        row: dict[Hashable, Any] = self.points.iloc[0].to_dict()
        return row

    @property
    def kind(self) -> str:
        """What its values are."""
        return str(self.points["kind"].iloc[0])


def show(shown: Shown, data: CurveData) -> None:
    """Draw the view and say in words what it shows.

    Args:
        shown: What was chosen.
        data: From `scatter_data` of `shown.rates`; at least one point.
    """
    data, told = shown.styled(data)
    panels = [_panel(str(name), some) for name, some in data.points.groupby("panel", sort=False)]
    several = len(panels) > 1
    style = ScatterStyle(
        **told, legend=not several, shared_legend="dl-legend-efficiency" if several else "",
        plot_height=320 if not several else 230, named=len(panels) <= 2,
    )  # fmt: skip
    chosen = chosen_point()

    def draw(switches: Switches) -> None:
        axes = axes_by_panel(data.points, shown.metric_titles, zoom=switches.fit)
        if several:
            key_to_colours(style)
        with panel_grid(len(panels)):
            for panel in panels:
                title = picture_title(panel.points, shown)
                chart = drawing(
                    scatter_chart, data, panel.name, axes[panel.name], style,
                    title=title, subtitle=subtitle(panel.points, shown.metric_titles),
                    on_frontier=panel.on_frontier, selected=chosen,
                )  # fmt: skip
                numbers = numbers_of(panel.points, shown.rates)
                clickable(chart, f"efficiency {panel.name}", f"Efficiency: {title}", numbers, keys=keys_of(style))

    switched(draw)
    st.caption("Dashed gray line: the Pareto frontier, the lowest rate at or below that token budget.")
    behind(shown, data.points)
    _frontiers(shown, panels)
    _iso(shown, panels)


def _panel(name: str, points: pd.DataFrame) -> Panel:
    directions = points["better"].dropna().unique()
    better: Better | None = directions[0] if len(directions) == 1 else None
    on = points.iloc[:0] if better is None else frontier_points(points, better)
    return Panel(name=name, points=points, better=better, on_frontier=on)


def _asked(shown: Shown, checkpoints: list[str], panel: Panel | None = None) -> CompareQuery:
    of = shown.query
    evals = of.evals if panel is None else (str(panel.first["eval"]),)
    return CompareQuery(
        checkpoints=tuple(dict.fromkeys(checkpoints)), evals=evals, metrics=of.metrics, splits=of.splits,
        method=of.method, level=of.level,
    )  # fmt: skip


def _of(differences: pd.DataFrame, panel: Panel, shown: Shown) -> pd.DataFrame:
    """Differences of one panel, corrected as a family of their own."""
    row = shown.rates.loc[panel.first["row"]].to_dict()
    return as_family(of_panel(differences, row), "holm")


def _frontiers(shown: Shown, panels: list[Panel]) -> None:
    st.markdown("##### On the frontier")
    for panel in panels:
        if len(panels) > 1:
            st.html(f'<div class="dl-head"><b>{escaped(heading(panel.points, shown.titles))}</b></div>')
        if panel.better is None:
            st.caption(
                "Direction not defined, so there is no frontier: a metric in study.yaml can define it (`better:`)."
            )
            continue
        names = comparable(panel.on_frontier, shown.as_of)
        steps = _of(caches.successive(_asked(shown, names, panel), shown.as_of), panel, shown)
        st.html(listed(frontier_words(panel.on_frontier, steps, panel.kind)))
    st.caption(HONEST)


def _default_reference(shown: Shown, panel: Panel) -> str:
    """The cheapest point of the frontier that is not significantly worse than the best."""
    names = comparable(panel.on_frontier, shown.as_of)
    if not names:
        return str(panel.points["checkpoint"].iloc[0])
    best = names[-1]
    asked = replace(_asked(shown, names, panel), baseline=best)
    from_best = _of(caches.differences(asked, shown.as_of), panel, shown)
    worse = {row["checkpoint"] for row in from_best.to_dict("records") if verdict(row) == "significantly worse"}
    return str(next(name for name in names if name not in worse))


def _iso(shown: Shown, panels: list[Panel]) -> None:
    """What other checkpoints spend for a rate like the reference's."""
    st.markdown("##### Token efficiency")
    points = pd.concat([panel.points for panel in panels])
    points = points[points["mark"] != "repeat"]
    points = points[points["checkpoint"].isin(comparable(points, shown.as_of))]
    tokens = dict(zip(points["checkpoint"], points["tokens"], strict=True))
    if len(tokens) < 2:
        st.caption("Only one checkpoint: nothing to compare it with.")
        return
    with_frontier = [panel for panel in panels if len(panel.on_frontier)]
    default = _default_reference(shown, with_frontier[0]) if with_frontier else str(points["checkpoint"].iloc[0])
    titles = {name: f"{name} · {tokens_text(spent)} tokens" for name, spent in tokens.items()}
    against = controls.pick_one(
        "Reference", "against", list(tokens), default=default, titles=titles,
        help="Default: the cheapest point of the frontier that is not significantly worse than the best one.",
    )  # fmt: skip
    names = _worth_comparing(points, panels) if len(tokens) > MOST_COMPARED else list(tokens)
    asked = replace(_asked(shown, [against, *names]), baseline=against)
    rows = caches.differences(asked, shown.as_of)
    for panel in panels:
        mine = panel.points[(panel.points["checkpoint"] == against) & (panel.points["mark"] != "repeat")]
        if mine.empty or panel.better is None:
            continue
        if len(panels) > 1:
            st.html(f'<div class="dl-head"><b>{escaped(heading(panel.points, shown.titles))}</b></div>')
        reference = mine.iloc[0].to_dict()
        words = iso_words(reference, of_panel(rows, shown.rates.loc[reference["row"]].to_dict()), tokens, panel.kind)
        if words:
            st.html(listed(words))
        elif reference["tokens"] == 0:
            st.caption("The reference has no training tokens: token ratios are undefined.")
        else:
            st.caption("Every checkpoint with more tokens is significantly better than the reference.")
        _needed(shown, panel, float(reference["rate"]))
    table = iso_table({"tokens": tokens[against]}, rows, tokens)
    show_differences(table, "Checkpoints vs the reference")
    family = int(rows["family"].max()) if rows["family"].notna().any() else 0
    told = (
        f"Each checkpoint minus {against}. Intervals are 95%, not corrected; p is corrected by Holm over the"
        f" {numerals.plural(family, 'row')} of the table. No significant difference does not mean equal: see the"
        " interval. Paired where both answered the same questions."
        + " Compared: the last checkpoint of each run and those on the frontier."
        * (names != [*tokens])
    )
    st.html(f'<div class="dl-note">{escaped(told)}</div>')


def _worth_comparing(points: pd.DataFrame, panels: list[Panel]) -> list[str]:
    """Of many checkpoints the last of each run, and those on a frontier."""
    last = points.sort_values("x").groupby("run", sort=False).tail(1)["checkpoint"].tolist()
    return list(dict.fromkeys(last + [name for panel in panels for name in panel.on_frontier["checkpoint"]]))


def _needed(shown: Shown, panel: Panel, target: float) -> None:
    every = scatter_data(shown.every, shown.series).points
    table = needed_table(every[every["panel"] == panel.name], target, panel.better or "lower")
    if table.empty:
        return
    st.caption(
        f"Tokens to {numerals.value_of(target, panel.kind)}, the reference's value, by each run with two checkpoints or"
        " more (log-linear interpolation between checkpoints; without an interval):"
    )
    st.html(listed([f"{row['run']}: {row['estimate']}" for row in table.to_dict("records")]))
