"""What the views of the Data mixes page have in common: headings, legends, grids of panels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.app_pages.mixes.choices import Shown
from dashboard.charts import shared_legend
from dashboard.charts.keys import Key
from dashboard.charts.marks import MarkStyle
from dashboard.charts.panels import definitions, marks_legend, titled
from dashboard.charts.points import joined
from dashboard.kit import caches
from dashboard.kit.charts.chosen import behind_point
from dashboard.kit.data_table import data_table
from dashboard.kit.numbers import Write, written
from dashboard.kit.text.plain import legend, small_print
from dashboard.numerals import p_value, percent, points, size_in_points

HELP = {
    "difference": "Checkpoint minus the other; rates in pp.",
    "low": "95% interval of the difference, not corrected.",
    "p (Holm)": "Holm, over all rows of the table.",
    "detectable": "With 80% power.",
}

HEADS = {"p": "p", "p (Holm)": "p (Holm)", "k": "k", "n": "n", "detectable": "Minimum detectable effect"}
"""Headings that are not the column's name with a capital."""

WRITTEN: dict[str, Write] = {
    **dict.fromkeys(("rate", "reference's rate", "baseline's rate"), percent),
    **dict.fromkeys(("difference", "low", "high"), points),
    **dict.fromkeys(("p", "p (Holm)"), p_value),
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
    config: dict[str, Any] = {
        name: st.column_config.Column(HEADS.get(name, name[:1].upper() + name[1:]), help=HELP.get(name))
        for name in table.columns
    }
    config["tokens"] = st.column_config.NumberColumn("Tokens", format="compact")
    shown = written(table.drop(columns="kind"), WRITTEN, (table["kind"] == "rate").tolist())
    data_table(shown, column_config=config, alt=alt)


def behind(shown: Shown, points: pd.DataFrame) -> None:
    """Under the picture: what its kinds of marks mean, and what is behind the point that was clicked.

    Args:
        shown: What was chosen.
        points: What is drawn, with columns point and row.
    """
    if "mark" in points:
        st.html(small_print([*definitions(points, shown.metric_titles), *marks_legend(points)]))
    behind_point(points, shown.rates, shown.evals, shown.query.splits, shown.as_of)


def picture_title(points: pd.DataFrame, shown: Shown) -> str:
    """Say what a panel shows: "Blackmail · calm: misalignment rate".

    Args:
        points: Of one panel.
        shown: What was chosen.
    """
    return titled(heading(points, shown.titles), points, shown.metric_titles)


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
        st.html(legend(shared_legend.keys_of(style), element=style.shared_legend))


def keys_of(style: MarkStyle) -> list[Key]:
    """What a chart of this style doesn't explain by itself."""
    return [] if style.legend or len(style.colours) < 2 else shared_legend.keys_of(style)


def named_by_panel(points: pd.DataFrame) -> pd.DataFrame:
    """Points with a panel for each eval, variant and combination of split values that differ.

    Args:
        points: From `marked_points`.
    """
    telling = [name for name in ("variant", "split", "split2") if points[name].nunique(dropna=False) > 1]
    return points.assign(panel=joined(points, ["eval", *telling]))
