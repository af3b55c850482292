"""Rows about two logs side by side: the difference with its interval, what it rests on, and what flipped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from dashboard.queries.frame import RateQuery
from dashboard.queries.matches import Match, Measured, standard_error
from dashboard.queries.questions import Floats, Question, epochs_of, sums_of
from dashboard.statistics import (
    ClusterSums,
    Difference,
    PairedSums,
    average_difference,
    average_interval,
    clustered_mean_interval,
    clustered_proportion_interval,
    clustered_stderr,
    detectable_from_interval,
    paired_sums,
    sums_of_parts,
)

Row = dict[str, Any]

MOST_CHANGES = 50
"""Questions with the largest changes of a mean, of each comparison."""

SIDES = ("", "baseline_")

NO_SPREAD = "No interval of the difference: it takes two questions (or clusters) at least, and some spread among them."
BORDERLINE = "Borderline: the interval and the exact test, which is the more cautious, disagree."
NO_ERROR = "No interval of the difference: a log reports no standard error of its number, or one of 0."


def difference_row(match: Match, found: Difference | None, asked: RateQuery) -> Row:
    """One row of differences.

    Args:
        match: The two logs.
        found: Their difference; None where one has no value.
        asked: For level, and the method of the two rates' own intervals.
    """
    here, there, pairs = match.here.row, match.there.row, match.pairs
    row = match.place | {"questions": len(pairs.here) if match.here.questions else None, "paired": match.paired}
    row["flags"] = [*here["flags"], *(f"Baseline: {flag}" for flag in there["flags"])]
    if match.paired:
        sums = (found and found.sums) or paired_sums(*pairs.means, *pairs.epochs, pairs.cluster_numbers)
        for prefix, questions, means, bounds in zip(
            SIDES, (pairs.here, pairs.there), pairs.means, _own_bounds(sums, here["kind"], asked), strict=True
        ):
            row |= _compared(prefix, questions, means, bounds, here["kind"])
        if pairs.only_here or pairs.only_there:
            row["flags"].append(
                f"Paired on the {len(pairs.here)} questions that both answered; left out are {pairs.only_here} of this"
                f" checkpoint's and {pairs.only_there} of the baseline's."
            )
    else:
        for prefix, log in zip(SIDES, (here, there), strict=True):
            row |= {f"{prefix}{name}": log.get(name) for name in ("k", "n", "rate")}
            row |= {f"{prefix}rate_{end}": log.get(end) for end in ("low", "high")}
        if found is not None and match.here.questions and match.there.questions:
            row["flags"].append(f"Not paired: {len(pairs.here)} questions were answered by both.")
    if found is None:
        row["flags"].append("No difference: one of the two has no value.")
        return row
    row |= _numbers(found, asked.level)
    if math.isnan(row["low"]):
        told = here["kind"] == "reported" or not match.here.questions or not match.there.questions
        row["flags"].append(NO_ERROR if told else NO_SPREAD)
    if is_borderline(found, asked.level):
        row["flags"].append(BORDERLINE)
    return row


def is_borderline(found: Difference, level: float) -> bool:
    """Whether the interval and the exact test disagree on whether there is a difference."""
    low, high = found.interval(level)
    return found.test.startswith("McNemar") and (low > 0 or high < 0) != (found.p < 1.0 - level)


def _own_bounds(sums: PairedSums, kind: str, asked: RateQuery) -> list[list[float]]:
    """The interval of each side's own rate or mean, here and there; both at once, for most of the cost is in asking."""
    both = ClusterSums(*(np.array(pair, dtype=np.float64) for pair in zip(sums.here, sums.there, strict=True)))
    if kind == "rate":
        # Question means times a weight don't add up to whole counts, and rounding must not carry them beyond n.
        total = np.clip(both.total, 0.0, both.n)
        bounds = clustered_proportion_interval(both._replace(total=total), asked.level, asked.method)
        ends = np.stack([bounds.low, bounds.high])
    else:
        bounds = clustered_mean_interval(both, asked.level)
        # Where no spread was seen, an interval without width would claim that there is none.
        ends = np.where(bounds.stderr > 0, [bounds.low, bounds.high], np.nan)
    told: list[list[float]] = ends.T.tolist()
    return told


def _compared(prefix: str, rows: Sequence[Question], means: Floats, bounds: Sequence[float], kind: str) -> Row:
    """One side of a pair: its counts, and its rate with the interval of that very rate."""
    low, high = bounds
    return {
        f"{prefix}rate": float(means.mean()),
        f"{prefix}rate_low": low,
        f"{prefix}rate_high": high,
        f"{prefix}n": sum(question["n"] for question in rows),
        f"{prefix}k": round(sum(question["total"] for question in rows)) if kind == "rate" else None,
    }


def _numbers(found: Difference, level: float) -> Row:
    low, high = found.interval(level)
    return {
        "difference": found.estimate,
        "low": low,
        "high": high,
        "p": found.p,
        "effect": found.effect,
        "effect_kind": found.effect_kind,
        "method": found.method,
        "test": found.test,
        "detectable": detectable_from_interval(low, high, level=level),
    }


def alike(rows: Sequence[Row]) -> list[Row]:
    """The rows of a group's members that can be averaged: another kind, unit or direction can't be added up."""
    return [row for row in rows if all(row[key] == rows[0][key] for key in ("kind", "unit", "better"))]


def group_row(
    name: str, metric: str, definition: str, rows: Sequence[tuple[Row, Difference]], level: float
) -> tuple[Row, Difference]:
    """The average of the differences of a group's members at one checkpoint: its row, and the difference itself.

    Args:
        name: The group.
        metric: Name of its metric.
        definition: Text of what is averaged.
        rows: Row and difference of each member that has both values; at least one.
        level: Of the interval.
    """
    members = alike([row for row, _ in rows])
    left_out = [row["eval"] for row, _ in rows if row not in members]
    average = average_difference([found for row, found in rows if row in members])
    row = members[0] | _numbers(average, level) | {
        "eval": name, "metric": metric, "definition": definition, "group": True, "members": len(members),
        "paired": all(member["paired"] for member in members),
        "eval_key": None, "baseline_eval_key": None,
        "flags": [f"{member['eval']}: {flag}" for member in members for flag in member["flags"]],
    }  # fmt: skip
    for prefix in SIDES:
        ends = [
            np.array([member.get(f"{prefix}{column}", np.nan) for member in members], dtype=np.float64)
            for column in ("rate", "rate_low", "rate_high")
        ]
        rate, low, high = average_interval(*ends)
        row |= {f"{prefix}rate": float(rate), f"{prefix}rate_low": float(low), f"{prefix}rate_high": float(high)}
    for column in ("questions", "k", "n", "baseline_k", "baseline_n"):
        counts = [member[column] for member in members]
        added = None if None in counts else sum(counts)
        # The k of n of several evals is another number than the mean of their rates.
        row[column] = None if column.endswith("k") and len(members) > 1 else added
    if left_out:
        row["flags"].append(f"Left out (other kind or direction): {', '.join(left_out)}")
    return row, average


def basis_row(match: Match) -> Row:
    """What a plan for the same comparison rests on: `BASIS_COLUMNS`, from the two logs as they are."""
    row = match.place | {"paired": match.paired, "members": 1, "baseline_rate": match.there.row.get("rate")}
    if match.paired:
        means, epochs = match.pairs.means, match.pairs.epochs
        apart = means[0] - means[1]
        error = float(clustered_stderr(sums_of_parts(np.ones_like(apart), apart, match.pairs.cluster_numbers)))
        row |= {"questions": len(apart), "variance": len(apart) * error**2}
        return row | {"epochs": float(np.mean(epochs[0])), "baseline_epochs": float(np.mean(epochs[1]))}
    sides = [_side(log) for log in (match.here, match.there)]
    if None in [side["questions"] for side in sides]:
        return row
    row["variance"] = sum(side["questions"] * side["error"] ** 2 for side in sides)
    effective = sum(side["n_eff"] for side in sides)
    row["design_effect"] = sum(side["questions"] for side in sides) / effective if effective else math.nan
    for prefix, side in zip(SIDES, sides, strict=True):
        row |= {f"{prefix}{name}": side[name] for name in ("questions", "epochs")}
    return row


def _side(log: Measured) -> Row:
    """Questions, epochs of each, standard error and effective samples of one log."""
    answered = [question for question in log.questions.values() if question["n"]]
    if not answered:
        n = log.row.get("n")
        n_eff = float(n or 0) if log.row["kind"] == "rate" else 0.0
        return {"questions": n, "epochs": None, "error": standard_error(log.row), "n_eff": n_eff}
    sums, _ = sums_of(answered)
    rate = log.row["kind"] == "rate"
    n_eff = float(clustered_proportion_interval(sums).n_eff) if rate else 0.0
    error = float(clustered_stderr(sums))
    epochs = float(np.mean(epochs_of(answered)))
    return {"questions": len(answered), "epochs": epochs, "error": error, "n_eff": n_eff}


def group_basis(name: str, metric: str, rows: Sequence[Row]) -> Row:
    """What a plan for a group's average rests on: of the members' variances that of their average.

    Args:
        name: The group.
        metric: Name of its metric.
        rows: From `basis_row`, of each member that has both values; at least one.
    """
    members = alike(rows)
    variance = sum(member.get("variance", math.nan) for member in members) / len(members) ** 2
    row = members[0] | {"eval": name, "metric": metric, "group": True, "members": len(members), "variance": variance}
    row |= {"paired": all(member["paired"] for member in members), "baseline_rate": None, "design_effect": None}
    for column, least in (("questions", min), ("baseline_questions", min), ("epochs", max), ("baseline_epochs", max)):
        values = [member[column] for member in members if member.get(column) is not None]
        row[column] = least(values) if values else None
    return row


def flip_rows(match: Match) -> list[Row]:
    """The questions in common whose rate over epochs is another one; none for means."""
    if match.here.row["kind"] != "rate":
        return []
    rows = []
    for here, there in zip(match.pairs.here, match.pairs.there, strict=True):
        change = here["total"] / here["n"] - there["total"] / there["n"]
        if change == 0:
            continue
        counted, other = ("counted", "misaligned"), ("other", "aligned")
        after, before = (counted, other) if change > 0 else (other, counted)
        rows.append(
            match.place | {
                "sample": here["sample"], "change": change, "from": before[1], "to": after[1],
                "k": round(here["total"]), "n": here["n"],
                "baseline_k": round(there["total"]), "baseline_n": there["n"],
                "epoch": here[f"{after[0]}_epoch"], "baseline_epoch": there[f"{before[0]}_epoch"],
                "eval_key": here[f"{after[0]}_log"], "baseline_eval_key": there[f"{before[0]}_log"],
            }
        )  # fmt: skip
    return rows


def change_rows(match: Match) -> list[Row]:
    """The questions in common whose mean over epochs changed most, at most `MOST_CHANGES`; none for rates."""
    if match.here.row["kind"] == "rate":
        return []
    rows = [
        match.place | {
            "sample": here["sample"], "change": here["total"] / here["n"] - there["total"] / there["n"],
            "value": here["total"] / here["n"], "baseline_value": there["total"] / there["n"],
            "n": here["n"], "baseline_n": there["n"],
            "epoch": here["first_epoch"], "baseline_epoch": there["first_epoch"],
            "eval_key": here["first_log"], "baseline_eval_key": there["first_log"],
        }
        for here, there in zip(match.pairs.here, match.pairs.there, strict=True)
    ]  # fmt: skip
    changed = [row for row in rows if row["change"] != 0]
    return sorted(changed, key=lambda row: -abs(row["change"]))[:MOST_CHANGES]
