"""What the Persistence page begins with, and its numbers in words. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard import numerals
from dashboard.charts.lead import POINTS
from dashboard.kit.pickers.series import MOST_RUNS
from dashboard.kit.text.trends import LEVEL, Writer, numbers, onset_in_words
from dashboard.texts.verdicts import needed_words, verdict_words, within

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


def followable(runs: pd.DataFrame, coverage: pd.DataFrame) -> list[str]:
    """The candidates that were measured on one eval at two steps or more: there is something to follow.

    Args:
        runs: `RUN_COLUMNS`.
        coverage: `COVERAGE_COLUMNS`.
    """
    twice = set(_measured_twice(coverage)["run"])
    return [run for run in candidates(runs, coverage) if run in twice]


def default_snapshots(runs: pd.DataFrame, coverage: pd.DataFrame) -> list[str]:
    """Begin with runs of the last stage that were measured alike and start from the most different snapshots.

    The last stage is RL, or whatever no other run was trained from. Measured alike are runs that have the same evals
    at two steps or more, and at least two steps in common.

    Args:
        runs: `RUN_COLUMNS`.
        coverage: `COVERAGE_COLUMNS`.

    Returns:
        At most `MOST_RUNS` of `candidates`, in the study's order; where no two are alike, whatever can be followed.
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
    return (best or followable(runs, coverage))[:MOST_RUNS]


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
    unit = write.unit
    mean, low, high = numbers(row, "mean")
    if not row["mean_p_corrected"] < LEVEL:
        says = f"{run} vs {baseline}: no significant difference, {write.signed(mean)}{unit} on average over the steps"
    else:
        verb = ("leads", "trails") if directed else ("is above", "is below")
        says = f"{run} {verb[mean < 0]} {baseline} by {write.plain(abs(mean))}{unit} on average over the steps"
        low, high = (low, high) if mean > 0 else (-high, -low)
    says += f" {write.between(low, high)}: {write.at('first')}, {write.at('last')}."
    says += f" {onset_in_words(row, baseline)}."
    slope, *bounds = numbers(row, "slope")
    span, *over = numbers(row, "span")
    if math.isnan(bounds[0]):
        return f"{says} The change of the difference has no interval."
    what = "Lead" if directed and mean > 0 else "Difference"
    first, last = numerals.step(row["first_step"]), numerals.step(row["last_step"])
    return (
        f"{says} {what} changes by {write.signed(slope)}{unit} per 100 steps {write.between(*bounds)},"
        f" {write.signed(span)}{unit} {write.between(*over)} from step {first} to {last}:"
        f" {_direction(row, mean, slope)} ({numerals.p_equals(row['slope_p_corrected'], 'Holm')})."
    )


def lasted_in_words(row: Row, labels: Mapping[str, str]) -> str:
    """Whether a run's last step is still as good as its first, by the margin; "" where no margin is set.

    Args:
        row: A row of `LINE_COLUMNS`.
        labels: Of the runs.
    """
    if pd.isna(row["margin"]):
        return ""
    write = Writer(row)
    scale, percent = (POINTS, "%") if row["kind"] == "rate" else (1.0, "")
    (start, last), steps = (
        [write.plain(scale * row[name]) + percent for name in ("start_rate", "last_rate")],
        [numerals.step(row[name]) for name in ("first_step", "last_step")],
    )
    run = labels.get(row["run"], row["run"])
    told = f"{run}: {start} at step {steps[0]}, {last} at step {steps[1]}"
    if pd.isna(row["change_low"]):
        return f"{told}; the change has no interval."
    change = f"{write.signed(scale * row['change'])}{write.unit}"
    if pd.isna(row["bound"]):
        low, high = (scale * row[f"change_{end}"] for end in ("low", "high"))
        return f"{told}; {change} {write.between(low, high)}: {verdict_words(row, row['kind'])}."
    limit = within(row["margin"], row["kind"]).removeprefix("±")
    bound = f"one-sided 95% bound {write.signed(scale * row['bound'])}{write.unit}"
    p = numerals.p_equals(row["p_equivalence_corrected"], "Holm")
    return f"{told}; {change}, {bound}: {_lasted(row, limit)} (non-inferiority {p})."


def _lasted(row: Row, limit: str) -> str:
    held = row["p_equivalence_corrected"] < LEVEL
    worse = (row["change"] > 0) == (row["better"] == "lower") and row["verdict"] == "significant"
    if held:
        return f"significantly worse, but by less than {limit}" if worse else f"lasted, not worse by {limit} or more"
    if worse:
        return "significantly worse, did not last"
    return f"not enough data for a margin of {limit}{needed_words(row)}"


def _direction(row: Row, mean: float, slope: float) -> str:
    if row["direction"] == "no significant change":
        return "n.s."
    if row["better"] not in ("lower", "higher"):
        return f"the difference {row['direction']}"
    if mean > 0:
        return "the lead grows" if slope > 0 else "the lead shrinks"
    return "it catches up" if slope > 0 else "it falls further behind"
