"""Where runs stand, as a table: a row each, numbers that reconcile, in blocks of what can be ranked. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from dashboard import numerals
from dashboard.charts.doubts import some_evals
from dashboard.queries.rows import is_missing
from loaders.checkpoint import named

Row = Mapping[Any, Any]

GROUPS: dict[str, str] = {"none": "None", "section": "Section", "stage": "Stage", "mix": "Mix", "parent": "Parent"}
"""What rows can be grouped by: columns of the table."""

SORTS: dict[str, str] = {
    "study": "Study order", "rate": "Latest rate", "change": "Change", "step": "Latest step", "run": "Run",
}  # fmt: skip
"""Orders that rows can be brought into."""

TABLE_COLUMNS = (
    "run", "label", "trend", "rate", "rate_text", "evals", "change", "change_text", "result", "compared", "p_holm",
    "step", "step_label", "tokens", "section", "stage", "mix", "parent", "warnings", "better", "checkpoint",
)  # fmt: skip
"""Columns of the table. `rate` and `change` are in hundredths where they are shares, and stand in words with their
intervals and counts in `rate_text` and `change_text`; `evals` is "1 of 3 evals" for a mean that lacks some; `compared`
holds the two rates that the change is the difference of, on what both answered; `trend` is a list of rates by step, of
which the last is the latest."""

SEARCHED = ("label", "run", "section", "stage", "mix", "parent", "result")

MOST_GROUPS = 12
"""Groups with a table each; the runs of the smaller ones share the last."""

NOTHING = "none"


@dataclass(frozen=True)
class Block:
    """Rows that may be ranked among each other.

    Attributes:
        title: The group's value, as it stands in the logs; "" where there is one block.
        rows: Of `TABLE_COLUMNS`.
        whole: Whether they are means over all evals of their group, or of no group.
    """

    title: str
    rows: pd.DataFrame
    whole: bool = True


def run_table(rows: pd.DataFrame, trail: pd.DataFrame, runs: pd.DataFrame, *, fraction: bool) -> pd.DataFrame:
    """The rows of `standing_rows` as a table: `TABLE_COLUMNS`.

    Args:
        rows: `ROW_COLUMNS`.
        trail: `TRAIL_COLUMNS` of the same.
        runs: `RUN_COLUMNS`.
        fraction: Whether the values are shares, and shown in percent.
    """
    about = {row["run"]: row for row in runs.to_dict("records")}
    courses = {place: of["rate"].tolist() for place, of in trail.groupby("place", sort=False)}
    size = 100.0 if fraction else 1.0
    found = []
    for row in rows.to_dict("records"):
        course = courses.get(row["place"], [])
        run = about[row["run"]]
        parent = None if is_missing(run["parent_step"]) else int(run["parent_step"])
        found.append(
            {name: row[name] for name in TABLE_COLUMNS if name in row} | {
                "rate": row["rate"] * size,
                "change": row["change"] * size,
                "trend": [value * size for value in course] if len(course) > 1 else [],
                "rate_text": _rate_text(row, fraction=fraction),
                "evals": some_evals(row),
                "change_text": _change_text(row, fraction=fraction),
                "result": f"{row['arrow']} {row['verdict']}".strip(),
                "compared": _compared(row, fraction=fraction),
                "step_label": row["step_label"] if is_missing(row["step"]) else None,
                "section": run["section"],
                "stage": run["stage"],
                "mix": run["mix"],
                "parent": None if is_missing(run["parent_run"]) else named(run["parent_run"], parent),
                "warnings": row["flags"],
            }
        )  # fmt: skip
    table = pd.DataFrame(found, columns=list(TABLE_COLUMNS))
    return table.astype({"rate": "float64", "change": "float64", "p_holm": "float64", "step": "Int64"})


def matching(table: pd.DataFrame, pattern: str, columns: Sequence[str] = SEARCHED) -> pd.DataFrame:
    """The rows in which a regular expression is found.

    By RE2, which takes no longer for one pattern than for another; letters of any case are alike.

    Args:
        table: `TABLE_COLUMNS`, or other rows.
        pattern: Empty for all rows.
        columns: Those that are searched.

    Raises:
        ValueError: It is no regular expression.
    """
    if not pattern:
        return table
    found = pd.Series(False, index=table.index)
    for name in columns:
        texts = pa.array([None if is_missing(text) else str(text) for text in table[name]], pa.string())
        try:
            hits = pc.match_substring_regex(texts, pattern, ignore_case=True)
        except pa.ArrowInvalid as error:
            raise ValueError(str(error).rpartition("regular expression: ")[2]) from error
        found |= pd.Series(hits.fill_null(False).to_pylist(), index=table.index, dtype=bool)
    return table[found]


def sort_rows(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """Rows in another order, what is better first where that is known; rows without the value are last.

    Args:
        table: `TABLE_COLUMNS`.
        by: One of `SORTS`.
    """
    if by == "study":
        return table
    if by == "run":
        return table.sort_values("label", key=lambda names: names.str.casefold(), kind="stable")
    ascending = by != "step" and not (table["better"] == "higher").any()
    return table.sort_values(by, ascending=ascending, kind="stable", na_position="last")


def blocks(table: pd.DataFrame, by: str) -> list[Block]:
    """The rows in blocks: one for each group, the largest apart, and in the end means that lack evals.

    A mean over fewer evals than the others' has no rank among them, in whatever order rows are brought.

    Args:
        table: `TABLE_COLUMNS`, in order.
        by: One of `GROUPS`.
    """
    whole, part = table[table["evals"] == ""], table[table["evals"] != ""]
    found = []
    if by == "none":
        found = [Block("", whole)] if len(whole) else []
    else:
        values = whole[by].fillna(NOTHING)
        counts = values.value_counts(sort=False)
        apart = set(counts.sort_values(ascending=False, kind="stable").index[:MOST_GROUPS])
        found = [Block(str(value), whole[values == value]) for value in counts.index if value in apart]
        rest = whole[~values.isin(apart)]
        if len(rest):
            found.append(Block(f"{len(counts) - len(apart)} other groups", rest))
    return [*found, *([Block("", part, whole=False)] if len(part) else [])]


def _rate_text(row: Row, *, fraction: bool) -> str:
    """The latest rate with its interval and counts: 22.0% [17.7, 27.0] (66/300)."""
    value, counted = _value(row["rate"], fraction=fraction), ""
    if not is_missing(row["low"]):
        ends = [
            numerals.size_in_points(row[end]) if fraction else numerals.figures(row[end]) for end in ("low", "high")
        ]
        value += f" [{', '.join(ends)}]"
    if not is_missing(row["n"]):
        n = numerals.count(row["n"])
        counted = f" (n = {n})" if is_missing(row["k"]) else f" ({numerals.count(row['k'])}/{n})"
    return value + counted


def _change_text(row: Row, *, fraction: bool) -> str:
    if is_missing(row["change"]):
        return ""
    write = numerals.points if fraction else numerals.signed
    ends = [] if is_missing(row["change_low"]) else [write(row["change_low"]), write(row["change_high"])]
    return write(row["change"]) + (f" [{', '.join(ends)}]" if ends else "")


def _compared(row: Row, *, fraction: bool) -> str:
    """What a change is the difference of: 42.9% vs 48.2% · sft@100 · paired, 94 questions."""
    if is_missing(row["change"]):
        return ""
    rates = [_value(row[name], fraction=fraction) for name in ("compared_rate", "baseline_rate")]
    how = f"paired, {numerals.plural(row['questions'], 'question')}" if row["paired"] else "unpaired"
    over = some_evals({"lacks": row["change_lacks"], "over": row["change_over"]}, "over")
    return " · ".join([" vs ".join(rates), str(row["baseline"]), how, *([over] if over else [])])


def _value(value: float, *, fraction: bool) -> str:
    return numerals.value_of(value, "rate" if fraction else "mean")


def chosen_checkpoints(table: pd.DataFrame, chosen: Sequence[str]) -> list[str]:
    """The latest checkpoint of each of some runs, each once, in the order of the table.

    Args:
        table: `TABLE_COLUMNS`.
        chosen: Names of runs.
    """
    return list(dict.fromkeys(table[table["run"].isin(chosen)]["checkpoint"]))
