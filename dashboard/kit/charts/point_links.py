"""The points of a chart as a table of links to their samples: for the keyboard, for screen readers, for new tabs."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard import links
from dashboard.charts.crosshair import value_told
from dashboard.kit.pickers import controls
from dashboard.kit.text.plain import escaped
from dashboard.queries.rows import checkpoint_name, is_missing

NEEDED = frozenset({"run", "step", "eval", "metric", "better", "kind", "rate", "low", "high", "k", "n", "eval_key"})
"""Columns of a frame whose rows are points with samples behind them."""

TELLING = {"eval": "Eval", "metric": "Metric", "variant": "Variant", "split": "Group", "split2": "Second group"}
"""Columns that are shown where they differ, with what stands over them."""


def points_menu(key: str, data: pd.DataFrame, splits: Sequence[str]) -> None:
    """Offer a chart's points; the table is made when it is opened.

    Args:
        key: Of the chart.
        data: The numbers behind it.
        splits: The fields that they are split by.
    """
    menu = st.popover("Points", icon=":material/list:", type="tertiary", key=f"points {key}", on_change="rerun")
    if menu.open:
        with menu:
            st.html(point_links(data, splits, controls.pinned()))


def has_points(data: pd.DataFrame) -> bool:
    """Whether the rows behind a chart are points with samples behind them."""
    return set(data) >= NEEDED and bool(data["rate"].notna().any())


def point_links(data: pd.DataFrame, splits: Sequence[str], pinned: links.Parameters) -> str:
    """A table of a chart's points as HTML; each leads to its samples in a tab of its own, where its log has some.

    Args:
        data: Rows of `RATE_COLUMNS`.
        splits: The fields that they are split by.
        pinned: What else stands in the links.
    """
    drawn = data[data["rate"].notna()]
    telling = [name for name in TELLING if name in drawn and drawn[name].nunique(dropna=False) > 1]
    heads = "".join(
        f'<th scope="col">{head}</th>' for head in ["Checkpoint", *(TELLING[name] for name in telling), "Value"]
    )
    rows = []
    for row in drawn.to_dict("records"):
        name = escaped(checkpoint_name(row))
        if row["kind"] != "reported":
            to = links.query(links.samples_of_rate(row, splits) | pinned)
            name = f'<a href="{links.SAMPLES}?{escaped(to)}" target="_blank">{name}</a>'
        cells = ["" if is_missing(row[each]) else str(row[each]) for each in telling]
        told = "".join(f"<td>{escaped(cell)}</td>" for cell in [*cells, value_told(row)])
        rows.append(f'<tr><th scope="row">{name}</th>{told}</tr>')
    return (
        '<table class="dl-points"><caption>Open the samples of a point in a new tab</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )
