"""The simultaneous band of each line's own numbers: the intervals of all its steps, which hold at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np

from dashboard.queries.frame import COUNT, NUMBER, Method, frame_of
from dashboard.queries.matches import Measured
from dashboard.queries.questions import sums_of
from dashboard.queries.trend_lines import Line
from dashboard.queries.trends import ABOUT_COLUMNS, TrendQuery, lines_of
from dashboard.statistics import (
    average_interval,
    clustered_mean_interval,
    clustered_proportion_interval,
    simultaneous_level,
    sums_of_counts,
)
from dashboard.statistics.proportions import normal_quantile

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]

BAND_COLUMNS: dict[str, str] = ABOUT_COLUMNS | {
    "step": COUNT, "band_low": NUMBER, "band_high": NUMBER, "band_level": NUMBER,
}  # fmt: skip
"""Columns of a row for each step of each line with at least two: its own interval taken at `band_level`, so that those
of all steps of the line hold at once. In the units of the rates; missing without an interval."""


def line_bands(
    con: duckdb.DuckDBPyConnection, query: TrendQuery, as_of: int, method: Method = "wilson"
) -> pd.DataFrame:
    """The bands of some runs' lines: `BAND_COLUMNS`.

    Args:
        con: A connection or cursor that this thread has to itself.
        query: Which; a baseline and margins count for nothing.
        as_of: The store as of the end of this batch.
        method: Of the intervals of rates.
    """
    rows: list[Row] = []
    for line in lines_of(con, query, as_of):
        if len(line.steps) > 1:
            rows += _rows(line, query.level, method)
    return frame_of(rows, BAND_COLUMNS)


def _rows(line: Line, level: float, method: Method) -> list[Row]:
    at = simultaneous_level(line.movement.apart, level)
    rows = []
    for step in line.steps:
        ends = [interval_at(log, at, method) for log in line.at(step)]
        rates = [log.row["rate"] for log in line.at(step)]
        _, low, high = average_interval(rates, *zip(*ends, strict=True)) if len(ends) > 1 else (0.0, *ends[0])
        rows.append(line.about | {"step": step, "band_low": float(low), "band_high": float(high), "band_level": at})
    return rows


def interval_at(log: Measured, level: float, method: Method) -> tuple[float, float]:
    """The interval of a log's number, made as the page's own, at another level; NaN where that has none."""
    row = log.row
    bounds = [np.nan if row.get(name) is None else float(row[name]) for name in ("low", "high")]
    if np.isnan(bounds).any():
        return np.nan, np.nan
    answered = [question for question in log.questions.values() if question["n"]]
    counts: Sequence[Any] = (row.get("k"), row.get("n"))
    if row["kind"] == "rate" and (answered or None not in counts):
        sums = sums_of(answered)[0] if answered else sums_of_counts(*counts)
        found = clustered_proportion_interval(sums, level, method)
        return float(found.low), float(found.high)
    if answered and row["kind"] != "reported":
        found = clustered_mean_interval(sums_of(answered)[0], level)
        return float(found.low), float(found.high)
    # Of a reported number only the interval is known: it is stretched about the number.
    longer = normal_quantile(level) / normal_quantile(row["level"])
    low, high = (row["rate"] + (bound - row["rate"]) * longer for bound in bounds)
    # A share's own bounds lie within 0 and 1, and so do these.
    share = row["kind"] == "rate"
    return (max(low, 0.0), min(high, 1.0)) if share else (low, high)
