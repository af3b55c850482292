"""The figures of a study: plots with what was published of them, and the study's own numbers beside it."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import msgspec
import pandas as pd

from dashboard.queries.checkpoints import is_row_of, parse_checkpoints
from dashboard.queries.rows import Row, is_missing
from loaders.errors import DriftlineError
from loaders.store.sql import records
from loaders.study.definitions import FigureDefinition, PublishedNumber

FIGURES = """
SELECT body FROM live_study($as_of) WHERE kind = 'figure' AND NOT names_hidden(body::VARCHAR) ORDER BY position
"""


def figures(con: duckdb.DuckDBPyConnection, as_of: int) -> list[FigureDefinition]:
    """Every figure that the study files name, in their order.

    Args:
        con: A connection or cursor that this thread has to itself.
        as_of: The store as of the end of this batch.
    """
    return [msgspec.json.decode(row["body"], type=FigureDefinition) for row in records(con, FIGURES, {"as_of": as_of})]


@dataclass(frozen=True)
class Ours:
    """The study's own number beside a published one.

    Attributes:
        row: Of `dashboard.queries.frame.RATE_COLUMNS`; None where there is none, or only words were published.
        why_not: Why there is none.
        inside: Whether the published number is inside the interval; None where there is no interval.
    """

    row: Row | None = None
    why_not: str = ""
    inside: bool | None = None


def our_number(published: PublishedNumber, rates: pd.DataFrame) -> Ours:
    """Find the study's own number beside a published one.

    Args:
        published: Which.
        rates: `RATE_COLUMNS` of its eval and metric, all runs.
    """
    if published.value is None or published.checkpoint is None:
        return Ours()
    rows = rates[(rates["repeat"] == 0) & rates["rate"].notna()].to_dict("records")
    if not rows:
        return Ours(why_not=f"no results on {published.eval}")
    try:
        checkpoint = parse_checkpoints([published.checkpoint], rows)[0]
    except DriftlineError:
        return Ours(why_not=f"no result at {published.checkpoint}")
    found = [row for row in rows if is_row_of(row, checkpoint)]
    if len(found) > 1:
        return Ours(why_not=f"{len(found)} variants at {published.checkpoint}")
    row = found[0]
    bounded = not (is_missing(row["low"]) or is_missing(row["high"]))
    return Ours(row, inside=bool(row["low"] <= published.value <= row["high"]) if bounded else None)
