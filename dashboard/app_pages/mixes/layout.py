"""What the views of the Data mixes page have in common: headings, legends, grids of panels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.app_pages.mixes.choices import Shown
from dashboard.charts.marks import MarkStyle
from dashboard.charts.panels import marks_legend
from dashboard.charts.points import joined
from dashboard.kit import caches
from dashboard.kit.charts.chosen import behind_point
from dashboard.kit.numbers import Write, written
from dashboard.kit.text.plain import legend
from dashboard.numerals import p_value, percent, points, size_in_points

HELP = {
    "difference": "Its rate less the other's; of rates in percentage points.",
    "low": "95 % interval of the difference, by itself.",
    "p, corrected": "Holm, over all rows of the table.",
    "detectable": "The smallest difference that such a comparison finds about four times in five.",
}

WRITTEN: dict[str, Write] = {
    **dict.fromkeys(("rate", "reference's rate", "baseline's rate"), percent),
    **dict.fromkeys(("difference", "low", "high"), points),
    **dict.fromkeys(("p", "p, corrected"), p_value),
    "detectable": size_in_points,
}
"""How the columns of `difference_table` are written."""


def comparable(points: pd.DataFrame, as_of: int) -> list[str]:
    """The checkpoints that can be named to be compared, in the order of the points.

    A checkpoint without a step bears its run's name; where the run has others, that name means the latest of those.

    Args:
        points: Columns checkpoint and run.
        as_of: Batch.
    """
    here = caches.coverage(as_of)
    stepped = set(here[here["eval"].notna() & (here["step"].notna() | here["step_label"].notna())]["run"])
    names = points[(points["checkpoint"] != points["run"]) | ~points["run"].isin(stepped)]["checkpoint"]
    return [str(name) for name in names.drop_duplicates()]


def show_differences(table: pd.DataFrame, alt: str) -> None:
    """Show a table of differences.

    Args:
        table: From `difference_table`.
        alt: What it is.
    """
    config: dict[str, Any] = {name: st.column_config.Column(help=text) for name, text in HELP.items()}
    config["tokens"] = st.column_config.NumberColumn(format="compact")
    shown = written(table.drop(columns="kind"), WRITTEN, (table["kind"] == "rate").tolist())
    st.dataframe(shown, hide_index=True, column_config=config, alt=alt)


def behind(shown: Shown, points: pd.DataFrame) -> None:
    """Under the picture: what its kinds of marks mean, and what is behind the point that was clicked.

    Args:
        shown: What was chosen.
        points: What is drawn, with columns point and row.
    """
    said = marks_legend(points) if "mark" in points else []
    if said:
        st.caption(" · ".join(said))
    behind_point(points, shown.rates, shown.evals, shown.query.splits, shown.as_of)


def heading(points: pd.DataFrame, titles: Mapping[str, str]) -> str:
    """Name a panel: its eval, and what else tells it from the others.

    Args:
        points: Of one panel.
        titles: Name of each eval to its title.
    """
    name = str(points["eval"].iloc[0])
    panel = str(points["panel"].iloc[0])
    return titles.get(name, name) + panel.removeprefix(name)


def panel_grid(panels: int) -> Any:
    """Where panels are drawn: one over the whole width, several side by side."""
    return st.container() if panels == 1 else st.grid(min(3, panels), min_column_width=340)


def key_to_colours(style: MarkStyle) -> None:
    """One legend for several panels."""
    if len(style.colours) > 1:
        st.html(legend(_keys(style)))


def keys_of(style: MarkStyle) -> list[tuple[str, str]]:
    """Labels and colours that a chart of this style doesn't explain by itself."""
    return [] if style.legend or len(style.colours) < 2 else _keys(style)


def _keys(style: MarkStyle) -> list[tuple[str, str]]:
    return [(style.labels[name], style.colours[name]) for name in style.colours]


def named_by_panel(points: pd.DataFrame) -> pd.DataFrame:
    """Points with a panel for each eval, variant and combination of split values that differ.

    Args:
        points: From `marked_points`.
    """
    telling = [name for name in ("variant", "split", "split2") if points[name].nunique(dropna=False) > 1]
    return points.assign(panel=joined(points, ["eval", *telling]))
