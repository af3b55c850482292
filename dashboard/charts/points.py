"""From rates to points: what every mark of a chart needs, wherever it is placed. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pandas as pd

from dashboard.queries.measures import LEFT_OUT
from dashboard.queries.rows import checkpoint_name, is_missing

Row = Mapping[Any, Any]
SeriesBy = Literal["run", "mix", "split"]

NO_MIX = "no mix"
NO_VARIANT = "no variant"
"""Stands for a log that states none of the settings by which the variants of its eval differ."""
NOT_GIVEN = "not given"
"""The value of a split field where a sample has none."""

MARK_COLUMNS = (
    "point", "row", "run", "mix", "checkpoint", "eval", "metric", "split", "split2", "rate", "low", "high", "k", "n",
    "n_missing", "tokens", "group", "interval", "definition", "judge", "path", "repeat", "mark", "flags", "kind",
    "unit", "better",
)  # fmt: skip
"""Columns of points that are the same in every chart. `point` names the row of rates in addresses and for the click on
its mark; `row` is its index among the rates; `mark` is point, repeat, incomplete, or partial: an average that lacks
members; `flags` is one text."""


def marked_points(rates: pd.DataFrame) -> pd.DataFrame:
    """Rates with the columns that marks need, all of `MARK_COLUMNS` among them.

    Args:
        rates: Rows of `dashboard.queries.frame.RATE_COLUMNS`.
    """
    frame = rates.copy()
    frame["row"] = frame.index
    for name in ("split", "split2"):
        if frame[name].notna().any():
            frame[name] = frame[name].fillna(NOT_GIVEN)
    rows = frame.to_dict("records")
    frame["point"] = pd.Series([point_id(row) for row in rows], index=frame.index, dtype="object")
    frame["checkpoint"] = pd.Series([checkpoint_name(row) for row in rows], index=frame.index, dtype="object")
    frame["mark"] = pd.Series([_mark(row) for row in rows], index=frame.index, dtype="object")
    frame["flags"] = ["; ".join(flags) if _is_list(flags) else "" for flags in frame["flags"]]
    return frame.astype({"k": "float64", "n": "float64", "n_missing": "float64"})


def point_id(row: Row) -> str:
    """Name one row of rates, for addresses and for the click on its mark. Only to be looked up, never to be parsed."""
    parts = [row["eval"], row["metric"], checkpoint_name(row)]
    parts += [row[name] for name in ("variant", "split", "split2") if not is_missing(row[name])]
    if row["repeat"] != 0:
        parts.append(f"repeat {row['repeat']}")
    return " | ".join(str(part) for part in parts)


def series_of(points: pd.DataFrame, series: SeriesBy) -> pd.Series:
    """What gives a point its colour: its run, its mix, or the values that it was split by.

    Args:
        points: From `marked_points`.
        series: Which.
    """
    if series == "split":
        return joined(points, ["split", "split2"])
    return points["mix"].fillna(NO_MIX) if series == "mix" else points["run"]


def without_rate(points: pd.DataFrame) -> list[str]:
    """Points that can't be drawn, having no rate, for people.

    Args:
        points: From `marked_points`.
    """
    told = []
    for row in points[points["rate"].isna()].to_dict("records"):
        left_out = LEFT_OUT.search(row["flags"])
        why = left_out[0] if left_out else "no sample is scored by this metric"
        told.append(f"{row['checkpoint']} · {row['eval']}: {why}")
    return told


def joined(frame: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """The values of some columns as one text a row, gaps left out, and each value once."""
    texts = [
        " · ".join(dict.fromkeys(str(row[c]) for c in columns if not is_missing(row[c])))
        for row in frame[list(columns)].to_dict("records")
    ]
    return pd.Series(texts, index=frame.index, dtype="object")


def _mark(row: Row) -> str:
    if is_incomplete(row):
        return "incomplete"
    if row["repeat"] != 0:
        return "repeat"
    return "partial" if lacks_of(row) else "point"


def is_incomplete(row: Row) -> bool:
    """Whether a rate is of a part of an evaluation, or of a log that was not finished.

    Args:
        row: A row of `RATE_COLUMNS`.
    """
    ended = is_missing(row["status"]) or row["status"] == "success"
    return bool(row.get("partial")) or not row["complete"] or not ended


def lacks_of(row: Row) -> tuple[str, ...]:
    """The members that an average is without.

    Args:
        row: A row of `RATE_COLUMNS`.
    """
    lacks: Any = row.get("lacks")
    return tuple(lacks) if _is_list(lacks) else ()


def joinable(rates: pd.DataFrame, by: Sequence[str]) -> pd.Series:
    """Whether each rate may be joined with others: averages of other members than most of a line's are no step of it.

    Args:
        rates: With the column `lacks` of `RATE_COLUMNS`.
        by: Columns that tell lines apart.

    Returns:
        A truth for each row. Of every line, those are true that lack least, in the commonest way.
    """
    lacks = pd.Series([lacks_of(row) for row in rates.to_dict("records")], index=rates.index, dtype="object")
    joined_up = pd.Series(True, index=rates.index)
    if not lacks.map(bool).any():
        return joined_up
    for _, some in lacks.groupby([rates[name] for name in by], dropna=False):
        counts = Counter(some)
        usual = min(counts, key=lambda names: (len(names), -counts[names]))
        joined_up.loc[some.index] = pd.Series([names == usual for names in some], index=some.index)
    return joined_up


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple)) or hasattr(value, "tolist")
