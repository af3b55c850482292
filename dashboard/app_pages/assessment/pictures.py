"""The pictures of the Assessment page: directions one under the other, panels of each side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import wrap

import pandas as pd
import streamlit as st

from dashboard.charts.axes import ValueAxis
from dashboard.charts.categories import CategoryStyle, categories_chart, label_lines, shapes_of
from dashboard.charts.categories_data import Dimension, Titles, crosses, panel_heading
from dashboard.charts.heat_scale import heat_scale
from dashboard.charts.heatmap import CHARACTER, WORDS_WIDTH, blocks, flattened, heatmap_chart
from dashboard.charts.keys import Key
from dashboard.charts.palette import SIGNS, Scheme
from dashboard.charts.panels import axes_by_panel, definitions, marks_legend, subtitle
from dashboard.exports.tables import numbers_of
from dashboard.kit.charts.chosen import clickable
from dashboard.kit.charts.drawing import drawing
from dashboard.kit.charts.switches import Switches
from dashboard.kit.text.plain import legend

HEADINGS = {"lower": "Lower is better", "higher": "Higher is better", "": "Direction not defined"}

SIDE_BY_SIDE = 3
MOST_WIDTH, MARGIN, PLOT_COLUMNS = 900, 20, 2
"""Pixels that a panel is given at most before it goes under the others, and around it; dots want as much as 2 cells."""
TITLE_WIDTH = (48, 30)
"""Characters of a line of a title: what fits a narrow screen, and one of three panels side by side."""


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """How points become pictures."""

    rates: pd.DataFrame
    """`RATE_COLUMNS`: what the rows of points refer to."""
    view: str
    """dots or heatmap."""
    scheme: Scheme
    titles: Titles
    category: Dimension
    colour: Dimension
    colours: Mapping[str, str]
    """Series to colour, in the legend's order."""
    selected: str

    def draw(self, points: pd.DataFrame, switches: Switches) -> None:
        """Draw every panel.

        Args:
            points: Rows of `category_points`.
            switches: How.
        """
        axes = axes_by_panel(points, self.titles["metric"], zoom=switches.fit)
        shaped = self.view == "dots" and self.category != self.colour and len(self.colours) > 1
        if shaped and len(axes) > 1:
            signs = [SIGNS[shape] for shape in shapes_of(self.colours.values())]
            st.html(legend(self._keys(), signs=signs))
        width = self._least_width(points)
        name_metric = bool((points.groupby("eval")["metric"].nunique() > 1).any())
        direction = {panel: _direction(some) for panel, some in points.groupby("panel", sort=False)}
        for name, heading in HEADINGS.items():
            panels = [panel for panel in axes if direction[panel] == name]
            if not panels:
                continue
            if len(set(direction.values())) > 1:
                st.markdown(f"##### {heading}")
            alone, many = len(panels) == 1, len(panels) >= SIDE_BY_SIDE
            with st.container() if alone else st.grid(min(SIDE_BY_SIDE, len(panels)), min_column_width=width):
                for panel in panels:
                    with st.container():
                        some = points[points["panel"] == panel]
                        self._panel(panel, some, axes[panel], name_metric, shaped and len(axes) == 1, many)

    def _keys(self) -> list[Key]:
        return [Key(*item) for item in self.colours.items()]

    def _least_width(self, points: pd.DataFrame) -> int:
        """Pixels that the panels need at least, to stand side by side."""
        pieces = [piece for _, some in points.groupby("panel") for piece in self._pieces(some)]
        columns = max(piece["column"].nunique() for piece in pieces) if self.view == "heatmap" else PLOT_COLUMNS
        names = (name for piece in pieces for name in piece["category"].unique())
        labels = CHARACTER * max(len(line) for name in names for line in label_lines(name))
        return min(MOST_WIDTH, round(labels) + MARGIN + WORDS_WIDTH * columns)

    def _pieces(self, points: pd.DataFrame) -> list[pd.DataFrame]:
        return list(blocks(points if crosses(self.category, self.colour) else flattened(points)))

    def _panel(
        self, panel: str, points: pd.DataFrame, axis: ValueAxis, name_metric: bool, with_legend: bool, many: bool
    ) -> None:
        heading = panel_heading(points, self.titles, (self.category, self.colour), name_metric=name_metric)
        under = subtitle(points[points["rate"].notna()], self.titles["metric"])
        title_width = TITLE_WIDTH[many]
        if self.view == "dots":
            style = CategoryStyle(
                scheme=self.scheme, colours=self.colours, labels={name: name for name in self.colours}, styles=[],
                shapes=self.category != self.colour, legend=with_legend,
            )  # fmt: skip
            bars = axis.number.endswith("%") and axis.low <= 0
            chart = drawing(
                categories_chart, points, axis, style, crossed=crosses(self.category, self.colour), bars=bars,
                title=wrap(heading, title_width), subtitle=under, selected=self.selected,
            )  # fmt: skip
            clickable(
                chart, f"dots {panel}", f"Dots with intervals: {heading}", numbers_of(points, self.rates),
                keys=() if with_legend or self.category == self.colour else self._keys(),
            )  # fmt: skip
            return
        scale = heat_scale(points, axis, self.scheme)
        pieces = self._pieces(points)
        for number, piece in enumerate(pieces, start=1):
            part = f" ({number} of {len(pieces)})" if len(pieces) > 1 else ""
            chart = drawing(
                heatmap_chart,
                piece,
                axis,
                scale,
                scheme=self.scheme,
                title=wrap(heading + part, title_width),
                subtitle=under,
                selected=self.selected,
            )
            clickable(chart, f"heatmap {panel} {number}", f"Heatmap: {heading}{part}", numbers_of(piece, self.rates))

    def marks_legend(self, points: pd.DataFrame) -> list[str]:
        """The definitions in use, and what the marks that occur mean.

        Args:
            points: Rows of `category_points`.
        """
        legend = definitions(points, self.titles["metric"])
        if self.view == "dots":
            return [*legend, *marks_legend(points)]
        if (points["flags"] != "").any():
            legend.append("Red ring in a corner: warning, see Warnings below")
        if (points["repeat"] > 0).any():
            legend.append("of several logs of a checkpoint, a cell shows the one that lines go through")
        return legend


def _direction(points: pd.DataFrame) -> str:
    direction = str(points["better"].iloc[0])
    return direction if direction in HEADINGS else ""
