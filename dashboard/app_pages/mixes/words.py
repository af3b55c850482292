"""What the Data mixes page says in words and tables: who is on the frontier, what a rate costs, how a corpus scales.

Pure. A difference that is not significant is "no significant difference", never "same".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard import numerals
from dashboard.queries.rows import is_missing
from dashboard.statistics import Trend, tokens_to_reach
from dashboard.statistics.efficiency import Better

Row = Mapping[Any, Any]

ALPHA = 0.05

OF_PANEL = ("eval", "metric", "variant", "split", "split2")
"""What a difference is told apart by, besides its checkpoints."""


def tokens_text(tokens: float) -> str:
    """A number of tokens for people: 3M, 14.2M, 1.2B; up to four digits."""
    return "unknown" if is_missing(tokens) else numerals.tokens(tokens)


def points_text(value: float, kind: str) -> str:
    """A difference with its sign: of rates in percentage points, of other numbers in their unit."""
    return numerals.points(value) if kind == "rate" else numerals.signed(value, 3)


def interval_text(low: float, high: float, kind: str) -> str:
    """Bounds of a difference: [0.0, +4.6]; nothing where there are none."""
    return "" if is_missing(low) or is_missing(high) else f" [{points_text(low, kind)}, {points_text(high, kind)}]"


def p_text(p: float) -> str:
    """A p value after Holm's correction: p (Holm) = 0.18, p (Holm) < 0.001; or that there is none."""
    return "no p" if is_missing(p) else numerals.p_equals(p, "Holm")


def difference_words(difference: float, low: float, high: float, kind: str) -> str:
    """How far one value lies over or under another: "+2.0 pp [0.0, +4.6]"."""
    unit = " pp" if kind == "rate" else ""
    return f"{points_text(difference, kind)}{unit}{interval_text(low, high, kind)}"


def verdict(row: Row, *, reverse: bool = False) -> str:
    """What a difference shows after correction: "significantly better" or worse, or "no significant difference".

    Args:
        row: Of `DIFFERENCE_COLUMNS`.
        reverse: Said of the baseline, not of the checkpoint.
    """
    if is_missing(row["p_corrected"]):
        return "no test: no interval is known"
    if not row["p_corrected"] < ALPHA:
        return "no significant difference"
    better = (row["difference"] < 0) == (row["better"] == "lower")
    if is_missing(row["better"]):
        return "significantly different"
    return "significantly better" if better != reverse else "significantly worse"


def times_words(tokens: float, reference: float) -> str:
    """How many times as many tokens: "10× more", "3× fewer", "as many"; nothing where one is 0 or unknown."""
    if is_missing(tokens) or is_missing(reference) or tokens <= 0 or reference <= 0:
        return ""
    ratio = max(tokens, reference) / min(tokens, reference)
    if math.isclose(ratio, 1.0, rel_tol=1e-9):
        return "as many"
    many = numerals.count(ratio) if ratio >= 9.95 else numerals.figures(ratio, 2)
    return f"{many}× {'more' if tokens > reference else 'fewer'}"


def of_panel(differences: pd.DataFrame, point: Row) -> pd.DataFrame:
    """The differences of the same eval, metric, variant and split values as a point.

    Args:
        differences: `DIFFERENCE_COLUMNS`.
        point: A row of `RATE_COLUMNS`.
    """
    same = pd.Series(True, index=differences.index)
    for name in OF_PANEL:
        here = differences[name]
        same &= here.isna() if is_missing(point[name]) else here == point[name]
    return differences[same]


def frontier_words(on_frontier: pd.DataFrame, steps: pd.DataFrame, kind: str) -> list[str]:
    """A sentence for each point of the frontier, the cheapest first: is it shown to be better than the one before?

    Args:
        on_frontier: From `frontier_points`: columns checkpoint, tokens, rate.
        steps: Differences of each from the one before, of this panel.
        kind: Of the metric.
    """
    by_pair = {(row["checkpoint"], row["baseline"]): row for row in steps.to_dict("records")}
    told, before = [], None
    for point in on_frontier.to_dict("records"):
        text = f"{point['checkpoint']}: {tokens_text(point['tokens'])} tokens, {numerals.value_of(point['rate'], kind)}"
        row = by_pair.get((point["checkpoint"], before))
        if before is not None and row is None:
            text += f"; not compared with {before}"
        elif row is not None:
            words = difference_words(row["difference"], row["low"], row["high"], kind)
            shown = verdict(row)
            text += f"; vs {before}: {words}, {shown} ({p_text(row['p_corrected'])})"
        told.append(text)
        before = point["checkpoint"]
    return told


def iso_words(reference: Row, rows: pd.DataFrame, tokens: Mapping[str, float], kind: str) -> list[str]:
    """What the reference saves: a sentence for each dearer checkpoint that is not shown to be better than it.

    Args:
        reference: The point of the reference: checkpoint, tokens.
        rows: Differences of the others from it, of one panel.
        tokens: By checkpoint.
        kind: Of the metric.
    """
    told = []
    dearer = [row for row in rows.to_dict("records") if tokens.get(row["checkpoint"], 0) > reference["tokens"]]
    for row in sorted(dearer, key=lambda row: -tokens[row["checkpoint"]]):
        times = times_words(reference["tokens"], tokens[row["checkpoint"]])
        if is_missing(row["difference"]) or not times:
            continue
        shown = verdict(row, reverse=True)
        if shown == "significantly worse":
            continue
        words = difference_words(-row["difference"], -row["high"], -row["low"], kind)
        told.append(
            f"{reference['checkpoint']} with {tokens_text(reference['tokens'])} vs {row['checkpoint']} with"
            f" {tokens_text(tokens[row['checkpoint']])}: {times} tokens; {words}; {shown}"
            f" ({p_text(row['p_corrected'])})"
        )
    return told


def iso_table(reference: Row, rows: pd.DataFrame, tokens: Mapping[str, float]) -> pd.DataFrame:
    """Every other checkpoint against the reference, the dearest first: numbers as numbers.

    Args:
        reference: The point of the reference.
        rows: Differences of the others from it.
        tokens: By checkpoint.
    """
    spent = rows["checkpoint"].map(tokens).astype("float64")
    times = [times_words(each, reference["tokens"]) for each in spent]
    table = difference_table(rows, {"tokens": spent, "tokens vs reference": times}, "reference")
    return table.sort_values("tokens", ascending=False, kind="stable").reset_index(drop=True)


def difference_table(rows: pd.DataFrame, more: Mapping[str, Any], other: str) -> pd.DataFrame:
    """Differences as a table, what they show first; columns of splits and variants only where there are any.

    Column `kind` is the metric's: it says in which unit the numbers of a row are.

    Args:
        rows: `DIFFERENCE_COLUMNS`.
        more: Further columns, after the checkpoint.
        other: What is subtracted, for the heading of its rate.
    """
    table = pd.DataFrame(
        {
            "checkpoint": rows["checkpoint"],
            **more,
            "kind": rows["kind"],
            "eval": rows["eval"],
            "split": rows["split"],
            "second split": rows["split2"],
            "variant": rows["variant"],
            "verdict": [verdict(row) for row in rows.to_dict("records")],
            "rate": rows["rate"],
            f"{other}'s rate": rows["baseline_rate"],
            "difference": rows["difference"],
            "low": rows["low"],
            "high": rows["high"],
            "p (Holm)": rows["p_corrected"],
            "p": rows["p"],
            "k": rows["k"],
            "n": rows["n"],
            "paired": rows["paired"],
            "detectable": rows["detectable"],
            "warnings": pd.Series(rows["flags"].map("; ".join), dtype="str").replace("", None),
        }
    )
    optional = ("split", "second split", "variant", "warnings")
    return table.drop(columns=[name for name in optional if table[name].isna().all()])


def ablation_words(rows: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """A sentence for each variant against the baseline.

    Args:
        rows: `DIFFERENCE_COLUMNS`, in the order of the sentences.
        labels: Checkpoint to what it is called.
    """
    several = rows["eval"].nunique() > 1
    told = []
    for row in rows.to_dict("records"):
        parts = [row["eval"]] * several + [
            row[name] for name in ("variant", "split", "split2") if not is_missing(row[name])
        ]
        name = " · ".join([labels.get(row["checkpoint"], row["checkpoint"]), *map(str, parts)])
        if is_missing(row["difference"]):
            told.append(f"{name}: no difference (one of the two has no value)")
            continue
        words = difference_words(row["difference"], row["low"], row["high"], row["kind"])
        told.append(f"{name}: {words}; {verdict(row)} ({p_text(row['p_corrected'])})")
    return told


def needed_table(points: pd.DataFrame, target: float, better: Better) -> pd.DataFrame:
    """Tokens that each run needs to reach a value, of the runs with two checkpoints or more.

    Args:
        points: One panel's points, of all checkpoints: columns run, x (tokens), rate, mark.
        target: The value.
        better: Direction.

    Returns:
        Columns run, checkpoints, tokens (the estimate), in words.
    """
    rows = []
    for run, of in points[points["mark"] == "point"].groupby("run", sort=False):
        if of["x"].nunique() < 2:
            continue
        found = tokens_to_reach(of["x"], of["rate"], target, better)
        between = f"between {tokens_text(found.after)} and {tokens_text(found.by)}"
        words = {
            "interpolated": f"about {tokens_text(found.tokens)}" + (f", {between}" if found.tokens != found.by else ""),
            "between": between,
            "at its first checkpoint": f"at its first checkpoint, {tokens_text(found.by)}",
            "before its first checkpoint": f"before its first checkpoint: at most {tokens_text(found.by)}",
            "never": f"not reached by {tokens_text(found.after)}",
        }[found.how]
        rows.append({"run": run, "checkpoints": int(of["x"].nunique()), "tokens": found.tokens, "estimate": words})
    return pd.DataFrame(rows, columns=["run", "checkpoints", "tokens", "estimate"])


def scaling_words(line: Trend, x: Sequence[float], *, log: bool, kind: str) -> str:
    """The slope of a fit: "−8.8 pp per 100M tokens [−11.0, −6.6], p < 0.001, 9 checkpoints".

    Args:
        line: Its slope, per token or per factor of ten.
        x: Tokens of the points.
        log: Whether the slope is per factor of ten.
        kind: Of the metric.
    """
    if is_missing(line.estimate):
        return "No fit: it takes points with intervals at two or more token counts."
    unit = 1.0 if log else 10.0 ** math.floor(math.log10(max(x) - min(x)))
    per = "per factor of ten in tokens" if log else f"per {tokens_text(unit)} tokens"
    what = " pp" if kind == "rate" else ""
    return (
        f"{points_text(line.estimate * unit, kind)}{what} {per}"
        f"{interval_text(line.low * unit, line.high * unit, kind)}, {numerals.p_equals(line.p)},"
        f" {numerals.plural(line.points, 'checkpoint')}"
    )
