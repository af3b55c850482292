"""Trends: how far runs have moved from their own start, and whether a lead over another run lasts.

Everything is a difference of logs that answered the same questions, where they did, and steps of one line are
correlated by their questions: the covariance over steps comes from the questions' clusters, its size from intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from dashboard.queries.catalogue import run_rows
from dashboard.queries.differences import basis_row, group_basis
from dashboard.queries.equivalence import EQUIVALENCE_COLUMNS, NO_MARGINS, Margins, Told, add_verdicts
from dashboard.queries.frame import COUNT, FLAG, LIST, NUMBER, TEXT, RateQuery, columns_of, frame_of
from dashboard.queries.groups import expected_members
from dashboard.queries.matches import Measured, find_measured
from dashboard.queries.rate import Rate
from dashboard.queries.rates import chosen_metrics
from dashboard.queries.scope import Scope, scope_of
from dashboard.queries.trend_lines import Line, Step, StepBand, against, from_start, movement, step_band
from dashboard.queries.trend_notes import notes
from dashboard.statistics import Trend, area_between, corrected, lead_over_steps, onset, slope
from loaders.checkpoint import Checkpoint
from loaders.metrics.splits import check_splits

Row = dict[str, Any]

PER_STEPS = 100
"""Slopes are told for this many steps."""


@dataclass(frozen=True, slots=True)
class TrendQuery:
    """Which trends to compute. Hashable, so that it can be the key of a cache."""

    runs: tuple[str, ...]
    baseline: str | None = None
    """The run whose numbers are subtracted for the leads; None: no leads."""
    evals: tuple[str, ...] = ()
    """As in `RateQuery`."""
    metrics: tuple[str, ...] = ()
    """As in `RateQuery`, but for "all"."""
    splits: tuple[str, ...] = ()
    """As in `RateQuery`."""
    from_parent: bool = False
    """Whether a run without a step 0 begins there with its parent's checkpoint, where that was evaluated."""
    margins: Margins = NO_MARGINS
    """By how much the last step may be worse than the first and still count as lasting."""
    level: float = 0.95
    """Confidence level of each interval, between 0 and 1."""

    def __post_init__(self) -> None:
        if not 0.0 < self.level < 1.0:
            raise ValueError(f"level is {self.level}, and must lie between 0 and 1, like 0.95")
        check_splits(self.splits)


ABOUT = ("run", "eval", "metric", "variant", "split", "split2", "group", "kind", "better", "unit", "definition")
ABOUT_COLUMNS = columns_of(Rate, ABOUT)
"""Columns that name a line: a run's checkpoints on one eval or group, by one metric."""

STEP_COLUMNS: dict[str, str] = ABOUT_COLUMNS | {
    "step": COUNT, "checkpoint": TEXT, "against": TEXT, "rate": NUMBER, "against_rate": NUMBER, "difference": NUMBER,
    "low": NUMBER, "high": NUMBER, "band_low": NUMBER, "band_high": NUMBER, "band_level": NUMBER, "p": NUMBER,
    "p_corrected": NUMBER, "paired": FLAG, "questions": COUNT, "test": TEXT, "method": TEXT,
}  # fmt: skip
"""Columns of differences step by step: `rate` of `checkpoint` less `against_rate` of `against`, which is another
checkpoint: the run's own first one (frame `changes`), or the baseline's at the same step (`leads`). Fractions for kind
"rate", else in the score's unit; on the `questions` in common where `paired`. `p_corrected` is Holm's over the steps of
the line. `band_low` and `band_high` are the simultaneous band over these steps, the same intervals taken at
`band_level`: all of them hold at once with the level that each of `low` and `high` has by itself."""

LINE_COLUMNS: dict[str, str] = ABOUT_COLUMNS | {
    "start": TEXT, "last": TEXT, "first_step": COUNT, "last_step": COUNT, "points": COUNT, "start_rate": NUMBER,
    "last_rate": NUMBER, "change": NUMBER, "change_low": NUMBER, "change_high": NUMBER, "change_p": NUMBER,
    "paired": FLAG, "first_shown": COUNT, "lasting_from": COUNT, "side": TEXT, "tests": COUNT, "band_level": NUMBER,
    "slope": NUMBER, "slope_low": NUMBER, "slope_high": NUMBER,
    "tenfold": NUMBER, "tenfold_low": NUMBER, "tenfold_high": NUMBER, **EQUIVALENCE_COLUMNS, "bound": NUMBER,
    "notes": LIST,
}  # fmt: skip
"""Columns of a row for each line with at least two steps. `change` is the last step less the first, with its p-value
(Holm's over the `tests` steps after the first that have one), and `paired` where both answered the same questions;
`first_shown` is the first step whose simultaneous band excludes 0 and `lasting_from` the first from which all do, on
the `side` (higher, lower) that is said: missing where there is none. Together they hold with the level. `slope` is per
100 steps, `tenfold` per factor of ten of training tokens; their intervals are for the line through these very
checkpoints, from the sampling of questions alone. What the change from first to last shows is in `EQUIVALENCE_COLUMNS`,
corrected (Holm) over all rows of this frame, and of non-inferiority where a direction is better; `bound` is the
one-sided bound of the change on its worse side. `notes` are sentences for people."""

LEAD_COLUMNS: dict[str, str] = ABOUT_COLUMNS | {
    "baseline": TEXT, "first_step": COUNT, "last_step": COUNT, "points": COUNT,
    "first": NUMBER, "first_low": NUMBER, "first_high": NUMBER, "first_p": NUMBER,
    "last": NUMBER, "last_low": NUMBER, "last_high": NUMBER, "last_p": NUMBER,
    "mean": NUMBER, "mean_low": NUMBER, "mean_high": NUMBER, "mean_p": NUMBER, "mean_p_corrected": NUMBER,
    "first_shown": COUNT, "lasting_from": COUNT, "side": TEXT, "band_level": NUMBER,
    "slope": NUMBER, "slope_low": NUMBER, "slope_high": NUMBER,
    "span": NUMBER, "span_low": NUMBER, "span_high": NUMBER, "slope_p": NUMBER, "slope_p_corrected": NUMBER,
    "direction": TEXT, "family": COUNT, "notes": LIST,
}  # fmt: skip
"""Columns of a row for each line that has at least two steps in common with the baseline's. All numbers are of the
difference, the run's less the baseline's, in the units of `STEP_COLUMNS`: at the first and last common step
(`first_p`, `last_p`: Holm's over the steps of the line), its `mean` over training (the area between the two curves by
the span), its `slope` per 100 steps, and `span`, the slope over all steps from first to last. `direction` is
shrinks (towards 0 from the side of the mean), grows or "no significant change", by `slope_p_corrected`; both corrected
p-values are Holm's over the `family` of all rows of this frame that have one."""


@dataclass(frozen=True)
class Trends:
    """What was asked.

    Attributes:
        lines: `LINE_COLUMNS`.
        changes: `STEP_COLUMNS`, every later step less the line's first.
        leads: `STEP_COLUMNS`, every common step less the baseline's; empty without a baseline.
        lead_lines: `LEAD_COLUMNS`; likewise.
    """

    lines: pd.DataFrame
    changes: pd.DataFrame
    leads: pd.DataFrame
    lead_lines: pd.DataFrame


def trends(con: duckdb.DuckDBPyConnection, query: TrendQuery, as_of: int) -> Trends:
    """Changes from the start, slopes and leads of some runs, on every eval and group that is asked for.

    A line goes through one log a step: of repeats, the one that curves go through. Checkpoints without a numeric step
    have no place on it.

    Args:
        con: A connection or cursor that this thread has to itself.
        query: Which.
        as_of: The store as of the end of this batch.
    """
    lines = lines_of(con, query, as_of)
    line_rows: list[Row] = []
    changes: list[Row] = []
    lasting: list[Told] = []
    for line in lines:
        if line.about["run"] in query.runs and len(line.steps) > 1:
            row, of_steps, told = _from_start(line, query.level)
            line_rows.append(row)
            lasting.append(told)
            changes += of_steps
    add_verdicts(lasting, query.margins, "holm", query.level, one_sided=True)
    for row, told in zip(line_rows, lasting, strict=True):
        row |= {name: told.row.get(name) for name in EQUIVALENCE_COLUMNS}
    lead_rows: list[Row] = []
    leads: list[Row] = []
    ahead = {_key(line): line for line in lines if line.about["run"] == query.baseline}
    for line in lines:
        other = ahead.get(_key(line))
        if other is not None and line is not other:
            row, of_steps = _lead(line, other, query.level)
            leads += of_steps
            lead_rows += [row] if row["points"] > 1 else []
    _correct(lead_rows, query.level)
    return Trends(
        lines=frame_of(line_rows, LINE_COLUMNS),
        changes=frame_of(changes, STEP_COLUMNS),
        leads=frame_of(leads, STEP_COLUMNS),
        lead_lines=frame_of(lead_rows, LEAD_COLUMNS),
    )


def lines_of(con: duckdb.DuckDBPyConnection, query: TrendQuery, as_of: int) -> list[Line]:
    """Every line that is asked for, the baseline's among them; arguments as for `trends`."""
    scope = scope_of(con, query.evals, as_of, query.splits)
    every = tuple(dict.fromkeys([*query.runs, *([query.baseline] if query.baseline else [])]))
    parents = _parents(con, every, as_of) if query.from_parent else {}
    wanted = {*((log["run"], log["step"]) for log in scope.logs if log["run"] in every), *parents.values()}
    places = [Checkpoint(run, step) for run, step in wanted if step is not None]
    scope = replace(scope, logs=[log for log in scope.logs if (log["run"], log["step"]) in wanted])
    shown = [(name, metric) for name in scope.shown for metric in _used(scope, name, query)]
    groups = [group for group in scope.groups if not query.metrics or scope.group_metric(group) in query.metrics]
    of_groups = [(name, metric.name) for group in groups for name, metric in scope.members(group)]
    asked = RateQuery(runs=every, evals=query.evals, splits=query.splits, level=query.level)
    measured = find_measured(con, scope, list(dict.fromkeys([*shown, *of_groups])), places, asked, as_of)
    lines = _lines(scope, measured, every, parents, shown)
    for group in groups:
        members = [(name, metric.name) for name, metric in scope.members(group)]
        about = {"eval": group.name, "metric": scope.group_metric(group), "group": True}
        expected = expected_members(group, [name for name, _ in members])
        lines += _group_lines(about, expected, _lines(scope, measured, every, parents, members))
    return lines


def _parents(con: duckdb.DuckDBPyConnection, runs: Sequence[str], as_of: int) -> dict[str, tuple[str, int]]:
    """The checkpoint that each run was trained from, where its card names one with a step."""
    return {
        row["run"]: (row["parent_run"], row["parent_step"])
        for row in run_rows(con, as_of)
        if row["run"] in runs and row["parent_run"] is not None and row["parent_step"] is not None
    }


def _used(scope: Scope, name: str, query: TrendQuery) -> list[str]:
    return [metric.name for metric in chosen_metrics(scope.applicable[name], query.metrics)]


def _lines(
    scope: Scope,
    measured: Sequence[Measured],
    runs: Sequence[str],
    parents: dict[str, tuple[str, int]],
    pairs: Sequence[tuple[str, str]],
) -> list[Line]:
    """A line for each run, eval, metric, variant and combination of split values that has a number anywhere."""
    place = {name: at for at, name in enumerate(scope.study.titles or {})}
    order = sorted(pairs, key=lambda pair: (place.get(pair[0], len(place)), pair))
    by_checkpoint: dict[tuple[Any, ...], dict[tuple[Any, ...], Measured]] = {}
    for one in measured:
        if one.row.get("rate") is not None and one.row["step"] is not None:
            by_checkpoint.setdefault((one.row["run"], one.row["step"], *one.name[:2]), {})[one.name[2:]] = one
    found = []
    for run in runs:
        for name, metric in order:
            of: dict[tuple[Any, ...], dict[int, Measured]] = {}
            for (at, step, *measure), logs in by_checkpoint.items():
                if at == run and measure == [name, metric]:
                    for rest, log in logs.items():
                        of.setdefault(rest, {})[step] = log
            start = by_checkpoint.get((*parents[run], name, metric), {}) if run in parents else {}
            for rest, steps in of.items():
                if rest in start and min(steps) > 0:
                    steps[0] = start[rest]
                row = next(iter(steps.values())).row
                about = {"run": run, "eval": name, "metric": metric, "group": False, "variant": rest[0] or None}
                about |= {"split": rest[1], "split2": rest[2]}
                about |= {key: row[key] for key in ("kind", "better", "unit", "definition")}
                found.append(Line(about, {name: dict(sorted(steps.items()))}))
    return found


def _group_lines(about: Row, expected: Sequence[str], lines: Sequence[Line]) -> list[Line]:
    """The averages of members' lines; what is of another kind, unit or direction than the first is left out."""
    together: dict[tuple[Any, ...], list[Line]] = {}
    for line in lines:
        key = tuple(line.about[name] for name in ("run", "variant", "split", "split2"))
        together.setdefault(key, []).append(line)
    found = []
    for of in together.values():
        first = of[0].about
        alike = [line for line in of if all(line.about[key] == first[key] for key in ("kind", "better", "unit"))]
        texts = dict.fromkeys(f"{line.about['eval']} ({line.about['definition']})" for line in alike)
        definition = "mean of " + ", ".join(texts)
        members = {name: steps for line in alike for name, steps in line.members.items()}
        unlike = [line.about["eval"] for line in of if line.about["eval"] not in members]
        missing = [name for name in expected if name not in members and name not in unlike]
        found.append(Line(first | about | {"definition": definition}, members, missing, unlike))
    return found


def _key(line: Line) -> tuple[Any, ...]:
    """What is measured, whatever the run."""
    return tuple(line.about[name] for name in ("eval", "metric", "group", "variant", "split", "split2"))


def _from_start(line: Line, level: float) -> tuple[Row, list[Row], Told]:
    """The row of a line, those of its later steps, and its last step's difference from the first."""
    compared = from_start(line)
    first, last = line.steps[0], line.steps[-1]
    band = step_band(compared, movement(compared, level), level)
    rows = _step_rows(line, compared, line.checkpoint(first), level, band)
    own = line.movement
    by_steps = slope(np.array(own.steps) / PER_STEPS, own.values, own.apart, level, scatter=False)
    tokens = [_tokens(line, step) for step in own.steps]
    by_tokens = slope(tokens, own.values, own.apart, level, scatter=False)
    row = line.about | {
        "start": line.checkpoint(first), "last": line.checkpoint(last), "first_step": first, "last_step": last,
        "points": len(line.steps), "start_rate": line.rate(first), "last_rate": line.rate(last),
        **{f"change{end}": rows[-1][name] for end, name in (
            ("", "difference"), ("_low", "low"), ("_high", "high"), ("_p", "p_corrected"))},
        "paired": rows[-1]["paired"],
        "tests": _tested(rows, "p"), **_onset(compared, band),
        "notes": notes(line, compared, own),
    }  # fmt: skip
    end = compared[-1]
    told = Told(end.difference, rows[-1], _basis(line, end))
    if end.difference is not None:
        low, high = end.difference.interval(2 * level - 1)
        row["bound"] = {"lower": high, "higher": low}.get(str(line.about["better"]), np.nan)
    return row | _numbers("slope", by_steps) | _numbers("tenfold", by_tokens), rows, told


def _basis(line: Line, step: Step) -> Row:
    """What a plan for a step's difference rests on."""
    rows = [basis_row(match) for match in step.matches]
    return group_basis(line.about["eval"], line.about["metric"], rows) if line.about["group"] else rows[0]


def _tokens(line: Line, step: int) -> float:
    """log10 of a run's own tokens at a step; NaN where nobody knows them, and at its parent's checkpoint."""
    log = line.at(step)[0].row
    known = log["run"] == line.about["run"] and log["tokens"]
    return float(np.log10(log["tokens"])) if known and log["tokens"] > 0 else np.nan


def _lead(line: Line, other: Line, level: float) -> tuple[Row, list[Row]]:
    """The row of a lead over the baseline, and those of its steps."""
    compared = against(line, other)
    led = movement(compared, level)
    band = step_band(compared, led, level)
    rows = _step_rows(line, compared, None, level, band)
    row: Row = line.about | {"baseline": other.about["run"], "points": len(led.steps)}
    if len(led.steps) < 2:
        return row, rows
    steps = np.array(led.steps, dtype=np.float64)
    line_through = slope(steps / PER_STEPS, led.values, led.apart, level, scatter=False)
    span = (steps[-1] - steps[0]) / PER_STEPS
    row |= {"first_step": led.steps[0], "last_step": led.steps[-1]}
    known = [each for each in rows if each.get("difference") is not None]
    for name, at in (("first", known[0]), ("last", known[-1])):
        row |= {name: at["difference"], f"{name}_low": at["low"], f"{name}_high": at["high"]}
        row[f"{name}_p"] = at["p_corrected"]
    row |= _numbers("mean", area_between(led.steps, led.values, led.together, level))
    row |= _numbers("slope", line_through)
    row |= {f"span{end}": row[f"slope{end}"] * span for end in ("", "_low", "_high")}
    row |= {"notes": notes(line, compared, led, other), **_onset(compared, band)}
    return row, rows


def _onset(compared: Sequence[Step], band: StepBand) -> Row:
    """From which step on the whole band excludes 0."""
    shows = onset([step.step for step in compared], band.low, band.high)
    side = None if shows.higher is None else "higher" if shows.higher else "lower"
    return {"first_shown": shows.first, "lasting_from": shows.lasting, "side": side, "band_level": band.at}


def _numbers(name: str, trend: Trend) -> Row:
    return {
        name: trend.estimate, f"{name}_low": trend.low, f"{name}_high": trend.high, f"{name}_p": trend.p,
    }  # fmt: skip


def _step_rows(line: Line, compared: Sequence[Step], start: str | None, level: float, band: StepBand) -> list[Row]:
    """Rows of `STEP_COLUMNS`.

    Args:
        line: The line that is subtracted from.
        compared: Its steps.
        start: Name of what is subtracted; None: each step's own.
        level: Of the intervals.
        band: Over its steps.
    """
    rows = []
    for step, low_end, high_end in zip(compared, band.low, band.high, strict=True):
        rate, other = step.rates()
        row = line.about | {
            "step": step.step, "checkpoint": line.checkpoint(step.step),
            "against": start or step.matches[0].there.checkpoint, "rate": rate, "against_rate": other,
            "paired": step.paired, "questions": step.questions, "p": np.nan,
            "band_low": low_end, "band_high": high_end, "band_level": band.at,
        }  # fmt: skip
        if step.difference is not None:
            low, high = step.difference.interval(level)
            found = step.difference
            row |= {"difference": found.estimate, "low": low, "high": high, "p": found.p}
            row |= {"test": found.test, "method": found.method}
        rows.append(row)
    for row, value in zip(rows, corrected([row["p"] for row in rows], "holm"), strict=True):
        row["p_corrected"] = float(value)
    return rows


def _tested(rows: Sequence[Row], p: str) -> int:
    """How many rows have a p-value: the others are no members of a family."""
    return sum(not np.isnan(row[p]) for row in rows)


def _correct(rows: list[Row], level: float) -> None:
    """Set the corrected p-values and what they say: all leads of one answer are one family."""
    family = _tested(rows, "slope_p")
    for name in ("mean", "slope"):
        values = corrected([row[f"{name}_p"] for row in rows], "holm")
        for row, value in zip(rows, values, strict=True):
            row[f"{name}_p_corrected"] = float(value)
    for row in rows:
        change = Trend(
            row["slope"], row["slope_low"], row["slope_high"], np.nan, row["slope_p_corrected"], row["points"]
        )
        row |= {"direction": lead_over_steps(row["mean"], change, level), "family": family}
