"""What pages of charts open on: a section of the study, its runs, what all of them have in common. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import pandas as pd

from dashboard.kit.pickers.checkpoints import first_checkpoints, runs_of
from dashboard.kit.pickers.series import MOST_RUNS, default_runs
from dashboard.queries.checkpoints import place_of
from dashboard.queries.rows import checkpoint_in, checkpoint_name, is_missing
from dashboard.queries.sections import ALL, most_in, sections, within
from loaders.checkpoint import named


def common_evals(evals: pd.DataFrame, coverage: pd.DataFrame, runs: Collection[str]) -> pd.DataFrame:
    """The evals and groups that some runs have in common: rows of `EVAL_COLUMNS`.

    A group is had by a run that has all of its members. Where nothing is had by all, it is what most of them have.

    Args:
        evals: `EVAL_COLUMNS`.
        coverage: `COVERAGE_COLUMNS`.
        runs: Names; those without any result don't count.
    """
    known = coverage[coverage["eval"].notna() & coverage["run"].isin(list(runs))]
    having = {str(run): set(of) for run, of in known.groupby("run")["eval"]}
    counts = [
        sum(set(members or [name]) <= of for of in having.values())
        for name, members in zip(evals["eval"], evals["members"], strict=True)
    ]
    most = max(counts, default=0)
    return evals[[count == most for count in counts]] if most else evals


def section_of_lines(runs: pd.DataFrame, measured: pd.DataFrame) -> str:
    """The section that has most to draw over training: whose runs have most checkpoints after their first.

    Args:
        runs: `RUN_COLUMNS`.
        measured: Rows of `COVERAGE_COLUMNS` of the evals in sight.

    Returns:
        A section; `ALL` where there is none.
    """
    later = _steps(measured) - 1
    points = {name: int(later.reindex(within(runs, name)["run"]).fillna(0).sum()) for name in sections(runs)}
    best = max(points, key=lambda name: points[name], default=ALL)
    return best if points.get(best) else most_in(default_runs(runs, measured), runs)


def runs_with_lines(runs: pd.DataFrame, measured: pd.DataFrame) -> list[str]:
    """Runs that were measured at several steps, where there are any; else as `default_runs`.

    Where most of them are of one stage of training, those: a step of one stage is no step of another.

    Args:
        runs: `RUN_COLUMNS` of one section.
        measured: Rows of `COVERAGE_COLUMNS` of the evals in sight.
    """
    steps = _steps(measured)
    several = runs[runs["run"].isin(steps[steps > 1].index)]
    if several.empty:
        return default_runs(runs, measured)
    stages = several["stage"].value_counts()
    if len(stages) and stages.iloc[0] * 2 > len(several):
        several = several[several["stage"] == stages.index[0]]
    return default_runs(several, measured)


def _steps(measured: pd.DataFrame) -> pd.Series:
    """How many steps each run was measured at."""
    return measured.groupby("run")["step"].nunique()


def against_baseline(runs: pd.DataFrame, measured: pd.DataFrame, most: int = MOST_RUNS) -> list[str]:
    """The latest checkpoint of each run of a section, behind the baseline that they have in common.

    The baseline is the checkpoint that most of the runs were trained from, if it is more than one or all of them;
    else the first of them, or of a single run its own first. What other runs of the section were trained from is
    compared only as the baseline. Logs without a run are no comparison: which of them belong together is not known.

    Args:
        runs: `RUN_COLUMNS` of one section.
        measured: Rows of `COVERAGE_COLUMNS` of the evals in sight, of all runs.
        most: Checkpoints, at the most.

    Returns:
        Names, the baseline first; fewer than two where there are no more.
    """
    placed = runs[runs["placed"]]
    of_run: dict[str, dict[str, None]] = {}
    for row in sorted(measured.to_dict("records"), key=lambda row: place_of(checkpoint_in(row))):
        of_run.setdefault(row["run"], {})[checkpoint_name(row)] = None
    there = {name for of in of_run.values() for name in of}
    parents = {
        row["run"]: named(row["parent_run"], None if is_missing(row["parent_step"]) else int(row["parent_step"]))
        for row in placed[placed["parent_run"].notna()].to_dict("records")
    }
    trained_from = {row["parent_run"] for row in placed.to_dict("records") if row["run"] in of_run}
    ends = [run for run in placed["run"] if run in of_run and run not in trained_from]
    latest = [list(of_run[run])[-1] for run in ends]
    count = Counter(parents[run] for run in ends if parents.get(run) in there)
    if count:
        parent, children = count.most_common(1)[0]
        if children > 1 or children == len(ends):
            others = [name for name in latest if name != parent]
            return [parent, *spread(others, most - 1)]
    if len(ends) == 1:
        own = list(of_run[ends[0]])
        return [own[0], own[-1]] if len(own) > 1 else own
    return spread(latest, most)


def section_compared(runs: pd.DataFrame, coverage: pd.DataFrame, measured: pd.DataFrame) -> str:
    """The section of the runs that `first_checkpoints` compares with what they were trained from.

    Args:
        runs: `RUN_COLUMNS`.
        coverage: `COVERAGE_COLUMNS`.
        measured: Its rows of the evals in sight.
    """
    family = first_checkpoints(runs[runs["placed"]], measured)
    return most_in(runs_of(coverage, family[1:]), runs)


def spread(names: Sequence[str], most: int) -> list[str]:
    """As many of some names as there is room for, from the first to the last at even distances."""
    if len(names) <= most:
        return list(names)
    return [names[round(at * (len(names) - 1) / (most - 1))] for at in range(most)]


def evals_for(
    evals: pd.DataFrame, coverage: pd.DataFrame, runs: pd.DataFrame, section: str, picked: Sequence[str] = ()
) -> pd.DataFrame:
    """What a page's default evals are chosen among: all of `ALL`, of a section what its runs have in common.

    Args:
        evals: `EVAL_COLUMNS`.
        coverage: `COVERAGE_COLUMNS`.
        runs: `RUN_COLUMNS`.
        section: Which.
        picked: Runs that are drawn, where not all of the section are.
    """
    if section == ALL:
        return evals
    return common_evals(evals, coverage, list(picked) or within(runs, section)["run"].tolist())
