"""From sums over samples, or a log's own report, to numbers with intervals, and to the header's number beside them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

import duckdb
import numpy as np

from dashboard import numerals
from dashboard.queries.frame import RateQuery
from dashboard.queries.reported import INTERVAL_NAMES, add_intervals, clean_error, clean_number, counts_of
from dashboard.statistics import (
    ClusterSums,
    clustered_mean_interval,
    clustered_proportion_interval,
)
from loaders.metrics.definitions import Metric, Reported, Study
from loaders.metrics.outcomes import sums, whole_values
from loaders.store.sql import records

HEADER = """
SELECT eval_id, metric, value, scorer, key, reducer, stderr, n, k FROM live_reported($as_of)
WHERE eval_id IN (SELECT unnest($eval_ids::BIGINT[])) AND metric IN (SELECT unnest($names::VARCHAR[]))
ORDER BY eval_id, scorer, key, reducer
"""

Row = dict[str, Any]
Whole = dict[int, list[tuple[str | None, bool]]]
"""As `whole_values` gives it."""


def measure(
    con: duckdb.DuckDBPyConnection,
    metric: Metric,
    evals: Sequence[Row],
    study: Study,
    query: RateQuery,
    as_of: int,
) -> list[Row]:
    """Rows of one metric, with the numeric columns of the rates and their flags.

    There is one for each eval, or for each combination of split values in it.

    Args:
        con: A cursor of this thread.
        metric: What to compute.
        evals: Rows of live evals that it applies to.
        study: For the clusters.
        query: For level, method and splits.
        as_of: Batch.
    """
    header = _header(con, metric, evals, as_of)
    if isinstance(metric.source, Reported):
        return _reported_rows(evals, header, metric, query, whole_values(con, evals, query.splits, as_of))
    # A log without its samples still says what they came to.
    told = [log for log in evals if not log["n_samples"] and log["eval_id"] in header]
    counted = [log for log in evals if log["n_samples"] or log["eval_id"] not in header]
    fields = {log["eval"]: study.cluster_field(log["eval"]) for log in evals}
    found = sums(con, metric, counted, fields, as_of, query.splits)
    without = [log for log in evals if log["eval_id"] not in found]
    whole = whole_values(con, without, query.splits, as_of)
    rows = [_counted(log, part, whole) for log in counted for part in found.get(log["eval_id"], [None])]
    _add_intervals(rows, metric, query, fields)
    for row in rows:
        row["flags"] += left_out(row)
        # The header speaks of all samples together.
        if len(found.get(row["eval_id"], [])) <= 1 and len(row.get("members", ())) <= 1:
            _compare_with_header(row, header.get(row["eval_id"]), metric)
    return rows + _reported_rows(told, header, metric, query, whole)


def _counted(eval_row: Row, found: Row | None, whole: Whole) -> Row:
    """Counts of one eval, or of one combination in it; zeros where the log holds no samples."""
    row = {
        **eval_row, "flags": [], "disagrees": False, **_split_columns(whole.get(eval_row["eval_id"], [])),
        **(found or {"n_all": 0, "n": 0, "n_outside": 0, "total": None, "clusters": None}),
    }  # fmt: skip
    row["n_missing"] = row["n_all"] - row["n_outside"] - row["n"]
    row["clusters"] = row["clusters"] or 0
    return row


def _add_intervals(rows: list[Row], metric: Metric, query: RateQuery, fields: dict[str, str | None]) -> None:
    measured = [row for row in rows if row["n"]]
    if not measured:
        return
    columns = {name: np.array([row[name] for row in measured], dtype=np.float64) for name in ClusterSums._fields}
    if metric.kind == "rate":
        interval = clustered_proportion_interval(ClusterSums(**columns), query.level, query.method)
    else:
        interval = clustered_mean_interval(ClusterSums(**columns), query.level)
    for i, row in enumerate(measured):
        row["rate"] = row["total"] / row["n"]
        row |= {name: _finite(float(values[i])) for name, values in interval._asdict().items()}
        clustered = row["clusters"] < row["n"]
        by = fields[row["eval"]] or "question"
        if metric.kind == "rate":
            row["k"] = round(row["total"])
            row["interval"] = INTERVAL_NAMES[query.method]
            if clustered:
                row["interval"] += f", clustered by {by} (n_eff {numerals.decimals(row['n_eff'], 1)})"
            if row["least"] == row["most"]:
                # As below; the interval's bounds say what can be told.
                row["stderr"] = math.nan
        elif row["least"] == row["most"]:
            # No spread was seen: a standard error of 0 would claim that there is none.
            row |= {"low": math.nan, "high": math.nan, "stderr": math.nan}
            every = "The only value is" if row["n"] == 1 else f"All {row['n']} values are"
            row["flags"].append(
                f"{every} {row['least']:g}: no interval can be computed from {'it' if row['n'] == 1 else 'them'}."
            )
        elif row["clusters"] > 1:
            row["interval"] = f"t, clustered by {by} ({row['clusters']} clusters)" if clustered else "t"


def _finite(value: float) -> float:
    """A bound that is none where the numbers are too far apart to tell."""
    return value if math.isfinite(value) else math.nan


LEFT_OUT = re.compile(r"\d+ values? (?:is|are) [^;]*: left out")
"""Finds what `left_out` says among other flags."""


def left_out(counts: Row) -> list[str]:
    """Sentences on the values that are left out since no mean can hold them.

    Args:
        counts: `infinite`, `too_large` and `nan`, as in `loaders.metrics.conditions.NO_NUMBERS`; absent ones are 0.
    """
    words = {"infinite": "infinite", "too_large": "too large to average", "nan": "NaN"}
    found = [(counts.get(name) or 0, word) for name, word in words.items()]
    return [f"{n} {'value is' if n == 1 else 'values are'} {word}: left out." for n, word in found if n]


def _split_columns(values: Sequence[tuple[str | None, bool]]) -> Row:
    """The split values of a whole log."""
    split, split2 = [*(value for value, _ in values), None, None][:2]
    return {"split": split, "split2": split2}


def _reported_rows(
    evals: Sequence[Row], header: dict[int, Row], metric: Metric, query: RateQuery, whole: Whole
) -> list[Row]:
    """Numbers that stand in the logs, and their intervals as `dashboard.queries.reported` makes them."""
    rows = []
    for log in evals:
        of_log = whole.get(log["eval_id"], [])
        row = {
            **log, "flags": [], "disagrees": False, "told": True, "n_all": log["n_samples"] or None,
            **_split_columns(of_log),
        }  # fmt: skip
        mixed = [field for field, (_, differs) in zip(query.splits, of_log, strict=False) if differs]
        if mixed:
            row["flags"].append(f"The log reports one number for all of its samples, whatever {' and '.join(mixed)}.")
        told = header.get(log["eval_id"])
        row |= counts_of(told) if told is not None else {}
        if told is not None and told["left_out"]:
            row["flags"].append(told["left_out"])
        elif told is None or told["value"] is None:
            row["flags"].append(f"The log reports no {metric.text.removesuffix(' as the log reports it')}.")
        else:
            row |= {"rate": told["value"], "reported": told["value"]}
            row["stderr"], why = clean_error(told["stderr"])
            row["flags"] += [why] if why else []
            if not isinstance(metric.source, Reported):
                row["flags"].append("The log has no samples: this is the number that it reports.")
        rows.append(row)
    add_intervals(rows, query, metric.kind == "rate")
    return rows


def _header(con: duckdb.DuckDBPyConnection, metric: Metric, evals: Sequence[Row], as_of: int) -> dict[int, Row]:
    """The header's number that a metric is, or should equal, by eval id."""
    wanted = (metric.source,) if isinstance(metric.source, Reported) else metric.header
    if not wanted or not evals:
        return {}
    parameters = {
        "eval_ids": [e["eval_id"] for e in evals],
        "names": [name.metric for name in wanted],
        "as_of": as_of,
    }
    found: dict[int, tuple[int, Row]] = {}
    for row in records(con, HEADER, parameters):
        for rank, name in enumerate(wanted):
            best = found.get(row["eval_id"])
            if _is(row, name) and (best is None or rank < best[0]):
                found[row["eval_id"]] = (rank, row)
    header = {eval_id: row for eval_id, (_, row) in found.items()}
    for row in header.values():
        row["value"], row["left_out"] = clean_number(row["value"])
    return header


def _is(row: Row, name: Reported) -> bool:
    """Whether a reported number is the one that is meant; another reducer makes another number."""
    same_score = name.scorer is None or fnmatchcase(row["scorer"] or "", name.scorer)
    return bool(
        row["metric"] == name.metric
        and same_score
        and (name.key == row["key"] or (name.scorer is None and name.key is None))
        and row["reducer"] in ((None, "mean") if name.reducer is None else (name.reducer,))
    )


def _compare_with_header(row: Row, header: Row | None, metric: Metric) -> None:
    """Set `reported` and `disagrees`, and say so; samples count, the header is shown."""
    if header is None or header["value"] is None:
        return
    if metric.kind == "rate" and row["n"] and not row["header_binary"]:
        # The mean of scores that aren't yes or no is another number than the rate of one of them.
        return
    row["reported"] = header["value"]
    if not row["n"] or any(_close(header["value"], ours) for ours in (row["header"], row["rate"])):
        return
    row["disagrees"] = True
    count = f" ({row['k']} of {row['n']})" if row.get("k") is not None else ""
    first = row["header_first"] is not None and _close(header["value"], row["header_first"])
    row["flags"].append(
        f"The log reports {numerals.figures(header['value'])} ({header['metric']}), its samples give"
        f" {numerals.figures(row['rate'])}{count}."
        + (" The reported number is of the first epoch alone." if first else "")
    )


def _close(a: float, b: float | None) -> bool:
    return b is not None and math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-6)
