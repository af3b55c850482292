"""Where every run stands on one eval, and what changed since its parent; logs at a glance, and how they differ."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pandas as pd

from dashboard.queries.catalogue import run_rows
from dashboard.queries.checkpoints import checkpoint_at, place_of
from dashboard.queries.differences import basis_row, difference_row, group_basis, group_row
from dashboard.queries.equivalence import EQUIVALENCE_COLUMNS, NO_MARGINS, Margins, Told, add_verdicts
from dashboard.queries.flags import facets_key, facets_of, shown
from dashboard.queries.frame import COUNT, FLAG, LIST, NUMBER, RATE_COLUMNS, TEXT, TIME, RateQuery, frame_of
from dashboard.queries.known_logs import known_logs, live_logs
from dashboard.queries.matches import Measured, find_matches, find_measured
from dashboard.queries.rates import rate_rows
from dashboard.queries.rows import checkpoint_in, is_missing, step_of
from dashboard.queries.scope import Scope, scope_of
from dashboard.queries.standing import checkpoint_of, points_of
from dashboard.statistics import corrected
from loaders.checkpoint import Checkpoint, named

Row = dict[Any, Any]

STANDING_COLUMNS: dict[str, str] = {
    "run": TEXT, "variant": TEXT, "row": COUNT, "since": TEXT, "baseline": TEXT, "why_not": TEXT, "difference": NUMBER,
    "low": NUMBER, "high": NUMBER, "p": NUMBER, "p_corrected": NUMBER, "family": COUNT, "paired": FLAG,
    "questions": COUNT, "baseline_k": COUNT, "baseline_n": COUNT, "rate": NUMBER, "baseline_rate": NUMBER,
    "members": COUNT, "lacks": LIST, "method": TEXT, **EQUIVALENCE_COLUMNS, "flags": LIST,
}  # fmt: skip
"""Columns of `Standings.runs`, a row for each run and variant. `row` is the index, among the rates, of the latest
checkpoint with a rate; missing where the run was never measured on this eval. `baseline` is what the difference is a
difference from: `since` says whether it is the parent's checkpoint ("parent"), or, of a run without a parent, its own
first ("start"). `why_not` says why there is no difference; both are missing where there is nothing to be different
from. `difference`, its interval and p as in `dashboard.queries.compare.DIFFERENCE_COLUMNS`; `rate` and `baseline_rate`
are what it is the difference of, which may be of fewer questions than the latest rate; of a group, it is over `members`
evals, and `lacks` names those that it is without. `p_corrected` is Holm's over the `family` of all differences in the
frame."""

DIFFERENCE = tuple(name for name in STANDING_COLUMNS if name not in ("run", "variant", "row", "since", "baseline"))
"""The columns that are a difference's own."""

LOG_COLUMNS: dict[str, str] = {
    "run": TEXT, "eval": TEXT, "step": COUNT, "step_label": TEXT, "variant": TEXT, "placed": FLAG, "created": TIME,
    "status": TEXT, "complete": FLAG, "samples": COUNT, "path": TEXT, "eval_key": TEXT, "role": TEXT, "standing": TEXT,
    "graded": COUNT, "planned": COUNT, "batch": COUNT,
}  # fmt: skip
"""Columns of `logs`. `complete` is False for a log that is still being written, or whose writer died. `variant`
names what makes it another measurement than others of its checkpoint. `role` and `standing` say whether the log speaks
for its checkpoint, with others or not, and why not (`loaders.study.standing`); `graded` of `planned` samples are those
of its evaluation; `batch` is the import that its file came in with."""

UNLIKE_COLUMNS: dict[str, str] = {
    "eval": TEXT, "setting": TEXT, "usual": TEXT, "others": LIST, "logs": COUNT, "unlike": COUNT, "runs": LIST,
}  # fmt: skip
"""Columns of `unlike_settings`: of `logs` logs of an eval, `unlike` have another value of a setting than the `usual`
one; `others` are those values, the commonest first, and `runs` the runs that they are of."""


_OF_RATES = ("run", "variant", "step", "step_label", "repeat", "rate", "created")
"""What of a rate decides where a run stands."""


@dataclass(frozen=True)
class Standings:
    """Where every run stands.

    Attributes:
        rates: `RATE_COLUMNS` of one eval or group, all runs.
        runs: `STANDING_COLUMNS`.
    """

    rates: pd.DataFrame
    runs: pd.DataFrame


@dataclass(frozen=True)
class _Standing:
    """A row of `STANDING_COLUMNS`, what it is of, and what that is to be compared with."""

    row: Row
    latest: Checkpoint
    baseline: Checkpoint | None


def standings(con: duckdb.DuckDBPyConnection, query: RateQuery, as_of: int, margins: Margins = NO_MARGINS) -> Standings:
    """Find the latest checkpoint of every run, and its difference from the checkpoint that the run began from.

    Paired where both answered the same questions, else unpaired, as everywhere.

    Args:
        con: A connection or cursor that this thread has to itself.
        query: One eval or group, at most one metric; level and method of the intervals.
        as_of: The store as of the end of this batch.
        margins: What counts as no difference.

    Raises:
        ValueError: The query names several evals or metrics, or splits them.
    """
    if len(query.evals) != 1 or len(query.metrics) > 1 or query.splits:
        raise ValueError("standings are of one eval and one metric, without groups")
    scope = scope_of(con, query.evals, as_of)
    rates = rate_rows(con, query, as_of, scope)
    lines: dict[str, dict[str | None, list[Row]]] = defaultdict(lambda: defaultdict(list))
    of_run: dict[str, list[Row]] = defaultdict(list)
    for place, rate in enumerate(rates):
        row: Row = {name: rate.get(name) for name in _OF_RATES} | {"row": place}
        of_run[row["run"]].append(row)
        if row["repeat"] == 0 and not is_missing(row["rate"]):
            lines[row["run"]][row["variant"]].append(row)
    found: list[_Standing] = []
    for run in run_rows(con, as_of):
        name = run["run"]
        for variant, rows in lines[name].items():
            latest = _latest(rows)
            told = {"run": name, "variant": variant, "row": latest["row"]} | _baseline(run, latest, rows, of_run)
            found.append(_Standing(told, checkpoint_in(latest).identity, told.pop("from", None)))
        if not lines[name]:
            found.append(_Standing({"run": name}, Checkpoint(name), None))
    _add_differences(con, query, scope, rates, found, as_of, margins)
    return Standings(frame_of(rates, RATE_COLUMNS), frame_of([one.row for one in found], STANDING_COLUMNS))


def logs(con: duckdb.DuckDBPyConnection, as_of: int) -> pd.DataFrame:
    """Every log as of a batch, in short: `LOG_COLUMNS`."""
    rows = known_logs(con, as_of).with_variants(con)
    points = [(row["eval"], *checkpoint_of(row)) for row in rows]
    speaking = Counter(point for point, row in zip(points, rows, strict=True) if row["role"] == "speaks")
    beside = [row for point, row in zip(points, rows, strict=True) if speaking[point] > 1]  # most stand alone
    together = {
        at: f"{point['pooled']} logs pooled"
        for point in points_of(beside)
        if point["pooled"] > 1
        for at in point["leads"].values()
    }
    told = [
        row | {"standing": together[row["eval_id"]]} if row["eval_id"] in together and not row["standing"] else row
        for row in rows
    ]
    columns = {"n_samples" if name == "samples" else name: dtype for name, dtype in LOG_COLUMNS.items()}
    return frame_of(told, columns).rename(columns={"n_samples": "samples"})


def unlike_settings(con: duckdb.DuckDBPyConnection, as_of: int) -> pd.DataFrame:
    """What differs between logs of one eval besides the checkpoint: `UNLIKE_COLUMNS`."""
    by_eval: dict[str, list[Row]] = defaultdict(list)
    for row in live_logs(con, as_of):
        by_eval[row["eval"]].append(row)
    found = []
    for name, of in by_eval.items():
        # Most logs of an eval say the same.
        keys = [facets_key(row) for row in of]
        alike = Counter(keys)
        facets = {key: facets_of(row) for key, row in dict(zip(keys, of, strict=True)).items()}
        for setting in dict.fromkeys(setting for key in alike for setting in facets[key]):
            values = {key: shown(facets[key].get(setting)) for key in alike}
            count: Counter[str] = Counter()
            for key, n in alike.items():
                count[values[key]] += n
            usual, *others = [value for value, _ in count.most_common()]
            if others:
                unlike = [row["run"] for key, row in zip(keys, of, strict=True) if values[key] != usual]
                found.append(
                    {
                        "eval": name, "setting": setting, "usual": usual, "others": others, "logs": len(of),
                        "unlike": len(unlike), "runs": list(dict.fromkeys(unlike)),
                    }
                )  # fmt: skip
    return frame_of(found, UNLIKE_COLUMNS)


def _latest(rows: Sequence[Row]) -> Row:
    """The latest checkpoint: one that says so, else the highest step, else what was made last; a base only alone."""
    return max(rows, key=lambda row: (*_place(row), not is_missing(row["created"]), row["created"], row["row"]))


def _place(row: Row) -> tuple[int, int]:
    return place_of(checkpoint_in(row))


def _baseline(run: Row, latest: Row, rows: Sequence[Row], of_run: Mapping[str, Sequence[Row]]) -> Row:
    """What the latest checkpoint is compared with ("from"), or why with nothing: some of `STANDING_COLUMNS`."""
    if is_missing(run["parent_run"]):
        steps = [row for row in rows if not is_missing(row["step"]) or _place(row)[0] == 0]
        first = min(steps, key=_place) if steps else latest
        return {} if first is latest else {"since": "start", "from": checkpoint_in(first).identity}
    parent, step = run["parent_run"], run["parent_step"]
    there = list(dict.fromkeys(step_of(row) for row in of_run.get(parent, [])))
    if is_missing(step):
        if len(there) != 1:
            return {"why_not": f"at which step it left {parent} is not known" if there else f"{parent} has no rate"}
        return {"since": "parent", "from": checkpoint_at(parent, there[0])}
    if step not in there:
        return {"why_not": f"{named(parent, step)} was never measured on this"}
    return {"since": "parent", "from": Checkpoint(parent, int(step))}


def _add_differences(
    con: duckdb.DuckDBPyConnection,
    query: RateQuery,
    scope: Scope,
    rates: Sequence[Row],
    found: Sequence[_Standing],
    as_of: int,
    margins: Margins,
) -> None:
    """Put differences into the rows that have a baseline, from a few queries for all of them."""
    groups = [group for group in scope.groups if group.name == query.evals[0]]
    wanted = [(name, metric.name) for group in groups for name, metric in scope.members(group)]
    wanted = wanted or sorted({(row["eval"], row["metric"]) for row in rates})
    checkpoints = dict.fromkeys(at for one in found if one.baseline for at in (one.latest, one.baseline))
    of: dict[str, list[Measured]] = defaultdict(list)
    for measured in find_measured(con, scope, wanted, list(checkpoints), query, as_of):
        of[measured.checkpoint].append(measured)
    told: list[Told] = []
    for one in found:
        if one.baseline is None:
            continue
        here, there, row = one.latest.name, one.baseline.name, one.row
        row["baseline"] = there
        matches, _ = find_matches([*of[here], *of[there]], [here], there, ())
        compared = [
            Told(difference, difference_row(match, difference, query), basis_row(match))
            for match in matches
            if match.here.row["variant"] == row["variant"] and (difference := match.difference())
        ]
        if not compared:
            row["why_not"] = f"{there} has no rate to compare with"
            continue
        difference, numbers, basis = compared[0].difference, compared[0].row, compared[0].basis
        if groups:
            about = groups[0].name, numbers["metric"]
            rows = [(each.row, each.difference) for each in compared if each.difference is not None]
            numbers, difference = group_row(*about, numbers["definition"], rows, query.level)
            basis = group_basis(*about, [each.basis for each in compared])
            absent = [name for name, _ in wanted if name not in {each.row["eval"] for each in compared}]
            numbers["flags"] += [f"Missing from the change: {', '.join(absent)}"] if absent else []
            numbers["lacks"] = absent
        row |= {name: numbers[name] for name in DIFFERENCE if name in numbers} | {"kind": numbers["kind"]}
        told.append(Told(difference, row, basis))
    p = [one.row.get("p", math.nan) for one in found]
    family = sum(not math.isnan(each) for each in p)
    for one, value in zip(found, corrected(p, "holm"), strict=True):
        one.row.update({"p_corrected": float(value), "family": family})
    add_verdicts(told, margins, "holm", query.level)
