"""The two values of a field at the same checkpoint, compared on the questions that both were asked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import duckdb
import pandas as pd

from dashboard.queries.frame import COUNT, FLAG, NUMBER, TEXT, RateQuery, frame_of
from dashboard.queries.known_logs import live_logs
from dashboard.queries.matches import Match, Measured, find_measured
from dashboard.queries.rates import rates
from dashboard.queries.rows import checkpoint_in
from dashboard.queries.scope import scope_of
from loaders.metrics.splits import value_order

Row = dict[str, Any]

FRAMING_COLUMNS: dict[str, str] = {
    "checkpoint": TEXT, "eval": TEXT, "metric": TEXT, "value": TEXT, "baseline_value": TEXT, "difference": NUMBER,
    "low": NUMBER, "high": NUMBER, "paired": FLAG, "questions": COUNT, "other_prompts": COUNT, "method": TEXT,
    "kind": TEXT, "unit": TEXT,
}  # fmt: skip
"""Columns of `framings`. `difference` is the rate (or mean) of `value` less that of `baseline_value`, of the
`questions` with the same id where it is `paired`; `other_prompts` of these had another prompt."""


def framings(con: duckdb.DuckDBPyConnection, query: RateQuery, as_of: int) -> pd.DataFrame:
    """The difference between the two values of a field, for every checkpoint, eval and metric that has exactly two.

    A question with the same id is the same question under another framing, although the framing may be in its prompt.
    Values within one log are not compared: their questions are others, and nobody chose them to be alike.

    Args:
        con: A cursor of this thread.
        query: Split by one field.
        as_of: Batch.

    Returns:
        `FRAMING_COLUMNS`, in the order of the rates.

    Raises:
        ValueError: The query is split by no field, or by two.
    """
    if len(query.splits) != 1:
        raise ValueError(f"{len(query.splits)} fields to group by (allowed: one)")
    table = rates(con, query, as_of)
    table = table[~table["group"] & (table["repeat"] == 0)]
    wanted = list(dict.fromkeys(zip(table["eval"], table["metric"], strict=True)))
    scope = scope_of(con, query.evals, as_of, query.splits)
    logs = [log for log in live_logs(con, as_of) if not query.runs or log["run"] in query.runs]
    checkpoints = list({checkpoint_in(log).identity for log in logs})
    measured = find_measured(con, scope, wanted, checkpoints, query, as_of)
    found: dict[tuple[str, str, str], list[Measured]] = {}
    for one in measured:
        found.setdefault((one.checkpoint, one.row["eval"], one.row["metric"]), []).append(one)
    rows = [_row(key, logs, query.level) for key, logs in found.items() if _are_two(logs)]
    order = {pair: at for at, pair in enumerate(wanted)}
    rows.sort(key=lambda row: (order[row["eval"], row["metric"]], row["checkpoint"]))
    return frame_of([row for row in rows if row["difference"] is not None], FRAMING_COLUMNS)


def _are_two(logs: Sequence[Measured]) -> bool:
    """Whether there are two values, each in a log of its own."""
    values = {one.row["split"] for one in logs}
    return len(logs) == len(values) == len({one.row["eval_id"] for one in logs}) == 2 and None not in values


def _row(key: tuple[str, str, str], logs: Sequence[Measured], level: float) -> Row:
    by_value = {one.row["split"]: one for one in logs}
    first, second = sorted(by_value, key=value_order)
    there, here = by_value[first], by_value[second]
    prompts = Match(here, there).pairs.other_prompts
    match = Match(*(replace(one, questions=_without_prompts(one)) for one in (here, there)))
    difference = match.difference()
    low, high = (math.nan, math.nan) if difference is None else difference.interval(level)
    return {
        "checkpoint": key[0], "eval": key[1], "metric": key[2], "value": second, "baseline_value": first,
        "difference": None if difference is None else difference.estimate, "low": low, "high": high,
        "paired": match.paired, "questions": len(match.pairs.here) if match.paired else None,
        "other_prompts": prompts, "method": None if difference is None else difference.method,
        "kind": here.row["kind"], "unit": here.row["unit"],
    }  # fmt: skip


def _without_prompts(one: Measured) -> dict[str, Row]:
    return {name: question | {"prompt": None} for name, question in one.questions.items()}
