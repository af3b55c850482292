"""What the Persistence page begins with, and its numbers in words. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard import numerals
from dashboard.kit.pickers.series import MOST_RUNS
from dashboard.kit.text.trends import LEVEL, Writer, numbers

Row = Mapping[Any, Any]

LAST_STAGE = "rl"

MOST_EVALS = 6


def candidates(runs: pd.DataFrame, coverage: pd.DataFrame) -> list[str]:
    """The runs that can be followed from a snapshot on: those with a parent that were evaluated at a step.

    Args:
        runs: `RUN_COLUMNS`.
        coverage: `COVERAGE_COLUMNS`.
    """
    measured = set(coverage[coverage["eval"].notna() & coverage["step"].notna()]["run"])
    return [
        row["run"] for row in runs.to_dict("records") if isinstance(row["parent_run"], str) and row["run"] in measured
    ]


def default_snapshots(runs: pd.DataFrame, coverage: pd.DataFrame) -> list[str]:
    """Begin with runs of the last stage that were measured alike and start from the most different snapshots.

    The last stage is RL, or whatever no other run was trained from. Measured alike are runs that have the same evals
    at two steps or more, and at least two steps in common.

    Args:
        runs: `RUN_COLUMNS`.
        coverage: `COVERAGE_COLUMNS`.

    Returns:
        At most `MOST_RUNS` of `candidates`, in the study's order.
    """
    possible = runs[runs["run"].isin(candidates(runs, coverage))]
    last = possible[possible["stage"] == LAST_STAGE]
    if last.empty:
        last = possible[~possible["run"].isin(runs["parent_run"].dropna())]
    cells = _measured_twice(coverage[coverage["run"].isin(last["run"])])
    alike: dict[frozenset[str], list[Row]] = {}
    for row in last.to_dict("records"):
        of = cells[cells["run"] == row["run"]]
        if len(of):
            alike.setdefault(frozenset(of["eval"]), []).append(row)
    best: list[str] = []
    most = (0, 0)
    for rows in alike.values():
        steps = {row["run"]: set(cells[cells["run"] == row["run"]]["step"]) for row in rows}
        common = Counter(step for of in steps.values() for step in of)
        centre = max(steps.values(), key=lambda of: sum(common[step] for step in of))
        kept = [row for row in rows if len(steps[row["run"]] & centre) >= 2]
        size = (len({(row["parent_run"], str(row["parent_step"])) for row in kept}), len(kept))
        if size > most:
            most, best = size, [row["run"] for row in kept]
    return best[:MOST_RUNS]


def default_evals(snapshots: Sequence[str], evals: pd.DataFrame, coverage: pd.DataFrame) -> list[str]:
    """Begin with the evals that at least half of the snapshots have at two steps or more, each by itself.

    Args:
        snapshots: The runs to begin with.
        evals: `EVAL_COLUMNS`.
        coverage: `COVERAGE_COLUMNS`.
    """
    cells = _measured_twice(coverage[coverage["run"].isin(list(snapshots))])
    runs_of = cells.groupby("eval")["run"].nunique()
    names = [name for name in evals["eval"] if runs_of.get(name, 0) * 2 >= max(1, len(snapshots))]
    return names[:MOST_EVALS]


def _measured_twice(coverage: pd.DataFrame) -> pd.DataFrame:
    """Run, eval and step of what was measured at two steps or more."""
    known = coverage[coverage["eval"].notna() & coverage["step"].notna()]
    cells = known[["run", "eval", "step"]].drop_duplicates()
    return cells[cells.groupby(["run", "eval"])["step"].transform("nunique") >= 2]


def worst_at_start(rates: pd.DataFrame, runs: Sequence[str]) -> str:
    """The run that is worst at its first step, over all evals of which a direction is known; the first of equals.

    Args:
        rates: `RATE_COLUMNS`.
        runs: Which to choose from; at least one.
    """
    known = rates[
        rates["run"].isin(list(runs)) & rates["rate"].notna() & rates["step"].notna() & (rates["repeat"] == 0)
    ]
    known = known[known["better"].isin(["lower", "higher"])].sort_values("step", kind="stable")
    # An average that lacks members is not ranked beside whole ones.
    known = known[~known["lacks"].map(bool).astype(bool)] if "lacks" in known else known
    first = known.drop_duplicates(["run", "eval", "metric"])
    badness = first["rate"].where(first["better"] == "lower", -first["rate"])
    ranks = badness.groupby([first["eval"], first["metric"]]).rank(pct=True)
    mean = ranks.groupby(first["run"]).mean()
    return max(runs, key=lambda run: float(mean.get(run, -math.inf)))


def lead_in_words(row: Row, labels: Mapping[str, str]) -> str:
    """What a line of leads says, and what it doesn't: a lead that isn't shown is none, and no change is never shown.

    Args:
        row: A row of `LEAD_COLUMNS`.
        labels: Of the runs.
    """
    run, baseline = (labels.get(row[name], row[name]) for name in ("run", "baseline"))
    directed = row["better"] in ("lower", "higher")
    write = Writer(row)
    unit = " percentage points" if row["kind"] == "rate" else f" {row['unit']}" if isinstance(row["unit"], str) else ""
    mean, low, high = numbers(row, "mean")
    if not row["mean_p_corrected"] < LEVEL:
        says = f"{run} is not shown to differ from {baseline}: on average over the steps by {write.signed(mean)}{unit}"
    else:
        verb = ("leads", "trails") if directed else ("is above", "is below")
        says = f"{run} {verb[mean < 0]} {baseline} by {write.plain(abs(mean))}{unit} on average over the steps"
        low, high = (low, high) if mean > 0 else (-high, -low)
    says += f" {write.between(low, high)}; by {write.at('first')} and {write.at('last')}. {_onset(row)}"
    slope, *bounds = numbers(row, "slope")
    span, *over = numbers(row, "span")
    if math.isnan(bounds[0]):
        return f"{says} Of its change no interval can be told."
    what = "lead" if directed and mean > 0 else "difference"
    return (
        f"{says} The {what}'s slope is {write.signed(slope)} per 100 steps {write.between(*bounds)}, or"
        f" {write.signed(span)} {write.between(*over)} from step {row['first_step']} to {row['last_step']}:"
        f" {_direction(row, mean, slope)} ({numerals.p_equals(row['slope_p_corrected'])})."
    )


def _direction(row: Row, mean: float, slope: float) -> str:
    if row["direction"] == "no change shown":
        return "no change shown"
    if row["better"] not in ("lower", "higher"):
        return f"the difference {row['direction']}"
    if mean > 0:
        return "the lead grows" if slope > 0 else "the lead shrinks"
    return "it catches up" if slope > 0 else "it falls further behind"


def _onset(row: Row) -> str:
    first, lasting = row["first_shown"], row["lasting_from"]
    if pd.isna(first):
        return f"At no single one of {row['points']} steps is a difference shown."
    if pd.isna(lasting):
        return f"A difference is first shown at step {first}, but not at every step after."
    if lasting == row["first_step"]:
        return f"The difference is shown at each of the {row['points']} steps."
    return f"The difference is shown from step {lasting} on." + (f" (First at {first}.)" if first != lasting else "")
