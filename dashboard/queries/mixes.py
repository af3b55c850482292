"""Differences of any number of checkpoints, as one family: from a reference, or each from the one before it."""

from __future__ import annotations

import math
from dataclasses import replace

import duckdb
import pandas as pd

from dashboard.queries.compare import DIFFERENCE_COLUMNS, MOST, CompareQuery, compare
from dashboard.queries.frame import frame_of
from dashboard.statistics import CORRECTION_NAMES, Correction, corrected


def differences(con: duckdb.DuckDBPyConnection, query: CompareQuery, as_of: int) -> pd.DataFrame:
    """`compare` without its limit on the number of checkpoints: the differences from the baseline.

    Args:
        con: A cursor of this thread.
        query: Which; without a baseline, the first of the checkpoints.
        as_of: Batch.

    Returns:
        `DIFFERENCE_COLUMNS`, p-values corrected over all rows; no rows where nothing else than the baseline is named.

    Raises:
        DriftlineError: A checkpoint is not there.
    """
    baseline = query.baseline or query.checkpoints[0]
    others = [name for name in query.checkpoints if name != baseline]
    parts = [
        _uncorrected(con, query, (baseline, *others[at : at + MOST - 1]), as_of)
        for at in range(0, len(others), MOST - 1)
    ]
    return as_family(_together(parts), query.correction)


def successive(con: duckdb.DuckDBPyConnection, query: CompareQuery, as_of: int) -> pd.DataFrame:
    """The difference of each checkpoint from the one that is named before it.

    Args:
        con: A cursor of this thread.
        query: Which, in order; its baseline doesn't count.
        as_of: Batch.

    Returns:
        `DIFFERENCE_COLUMNS`, p-values corrected over all rows.

    Raises:
        DriftlineError: A checkpoint is not there.
    """
    neighbours = zip(query.checkpoints, query.checkpoints[1:], strict=False)
    return as_family(_together([_uncorrected(con, query, pair, as_of) for pair in neighbours]), query.correction)


def as_family(differences: pd.DataFrame, correction: Correction) -> pd.DataFrame:
    """Correct the p-values over all rows of a frame.

    Args:
        differences: `DIFFERENCE_COLUMNS`.
        correction: Which.
    """
    p = differences["p"].to_numpy(dtype="float64")
    family = sum(not math.isnan(each) for each in p)
    return differences.assign(
        p_corrected=corrected(p, correction), correction=CORRECTION_NAMES[correction], family=family
    ).astype({name: DIFFERENCE_COLUMNS[name] for name in ("p_corrected", "correction", "family")})


def _uncorrected(
    con: duckdb.DuckDBPyConnection, query: CompareQuery, checkpoints: tuple[str, ...], as_of: int
) -> pd.DataFrame:
    asked = replace(query, checkpoints=checkpoints, baseline=checkpoints[0], correction="none")
    return compare(con, asked, as_of).differences


def _together(parts: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True) if parts else frame_of([], DIFFERENCE_COLUMNS)
