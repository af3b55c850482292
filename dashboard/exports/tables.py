"""The numbers of a chart as files: CSV and Parquet, with what they are of inside."""

from __future__ import annotations

import io
import json
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from dashboard.exports.columns import shown_columns
from dashboard.exports.csv import csv_bytes
from dashboard.exports.facts import Facts, facts_from

KEY = b"driftline"
"""Of the file's metadata, under which a Parquet file holds `Facts.plain` as JSON."""


def numbers_of(points: pd.DataFrame, rates: pd.DataFrame) -> pd.DataFrame:
    """The rates that points were made of, a row each, as they are in the store: without what serves drawing only.

    Args:
        points: From `dashboard.charts.points.marked_points`, or what is made of it: column `row`.
        rates: `RATE_COLUMNS`, whose index `row` refers to.
    """
    rows = points["row"].dropna().astype("int64").unique()
    return rates.loc[[row for row in rows if row in rates.index]].reset_index(drop=True)


def csv_of(data: pd.DataFrame, facts: Facts, *, every: bool = True) -> bytes:
    """Numbers as CSV, with four to five columns behind them that say in every row what they are of.

    Lines of comment would have to be skipped by everybody who reads the file; columns are read by all, survive joining
    files, and are dropped by their name: `about_title`, `about_filters`, `about_as_of`, `about_source`, and
    `about_notice` where there is one.

    Args:
        data: The numbers.
        facts: What they are of.
        every: Give all columns; else those that tell something to a reader.
    """
    data = data if every else data[shown_columns(data)]
    about: dict[str, Any] = {
        "about_title": facts.heading,
        "about_filters": " · ".join(facts.filters),
        "about_as_of": facts.as_of,
        "about_source": facts.source,
    }
    if facts.notices:
        about["about_notice"] = " ".join(facts.notices)
    return csv_bytes(data.assign(**about))


def parquet_of(data: pd.DataFrame, facts: Facts) -> bytes:
    """Numbers as Parquet: every value as it is, the facts as JSON in the file's metadata."""
    table = pa.Table.from_pandas(data, preserve_index=False)
    told = {KEY: json.dumps(facts.plain(), ensure_ascii=False).encode()}
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({**(table.schema.metadata or {}), **told}), sink)
    return sink.getvalue()


def read_parquet(content: bytes) -> tuple[pd.DataFrame, Facts]:
    """What `parquet_of` wrote."""
    table = pq.read_table(io.BytesIO(content))
    return table.to_pandas(), facts_from(json.loads(table.schema.metadata[KEY]))
