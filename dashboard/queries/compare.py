"""Checkpoints against a baseline: differences with intervals, what flipped, and what can't be compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from dashboard.queries.checkpoints import is_row_of, parse_checkpoints
from dashboard.queries.differences import basis_row, change_rows, difference_row, flip_rows, group_basis, group_row
from dashboard.queries.equivalence import EQUIVALENCE_COLUMNS, NO_MARGINS, Margins, Told, add_verdicts
from dashboard.queries.frame import COUNT, FLAG, LIST, NUMBER, RATE_COLUMNS, TEXT, Method, RateQuery, frame_of
from dashboard.queries.groups import expected_members
from dashboard.queries.known_logs import live_logs
from dashboard.queries.matches import find_matches, find_measured
from dashboard.queries.planning import BASIS_COLUMNS
from dashboard.queries.rates import rate_rows
from dashboard.queries.scope import Scope, scope_of
from dashboard.queries.settings import differing, settings_of, side_by_side
from dashboard.queries.standing import Repeats
from dashboard.statistics import CORRECTION_NAMES, CORRECTIONS, Correction, corrected
from loaders.checkpoint import Checkpoint
from loaders.errors import DriftlineError
from loaders.metrics.definitions import Group
from loaders.metrics.splits import value_order

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]

MOST = 8
"""Checkpoints in one comparison."""


@dataclass(frozen=True, slots=True)
class CompareQuery:
    """Which checkpoints to compare, and by what. Hashable, so that it can be the key of a cache."""

    checkpoints: tuple[str, ...]
    """RUN@STEP, RUN@LABEL, or RUN for its latest checkpoint; two to eight with the baseline."""
    baseline: str | None = None
    """What is subtracted; None: the first of the checkpoints."""
    evals: tuple[str, ...] = ()
    """Names of evals and of groups. When empty: every eval and group of which there is something."""
    metrics: tuple[str, ...] = ()
    """As in `RateQuery`."""
    correction: Correction = "holm"
    """Of the p-values, over all differences of the answer."""
    level: float = 0.95
    """Confidence level of each interval, between 0 and 1."""
    splits: tuple[str, ...] = ()
    """As in `RateQuery`: samples are compared with those that have the same values of these fields."""
    method: Method = "wilson"
    """As in `RateQuery`: interval of the rates themselves. Intervals of differences are Newcombe's either way."""
    repeats: Repeats = "pooled"
    """As in `RateQuery`; of `each`, the newest is compared."""
    margins: Margins = NO_MARGINS
    """What counts as no difference."""

    def __post_init__(self) -> None:
        if self.correction not in CORRECTIONS:
            raise ValueError(f'correction is "{self.correction}" (allowed: {", ".join(CORRECTIONS)})')
        self.rates()

    def rates(self, runs: Sequence[str] = ()) -> RateQuery:
        """The same question about the rates of some runs.

        Raises:
            ValueError: Level, method or splits are not allowed.
        """
        return RateQuery(
            runs=tuple(dict.fromkeys(runs)),
            evals=self.evals,
            metrics=self.metrics,
            level=self.level,
            method=self.method,
            splits=self.splits,
            repeats=self.repeats,
        )


DIFFERENCE_COLUMNS: dict[str, str] = {
    "eval": TEXT, "metric": TEXT, "variant": TEXT, "split": TEXT, "split2": TEXT, "checkpoint": TEXT, "baseline": TEXT,
    "paired": FLAG, "questions": COUNT, "k": COUNT, "n": COUNT, "rate": NUMBER, "rate_low": NUMBER,
    "rate_high": NUMBER, "baseline_k": COUNT, "baseline_n": COUNT, "baseline_rate": NUMBER,
    "baseline_rate_low": NUMBER, "baseline_rate_high": NUMBER, "difference": NUMBER, "low": NUMBER, "high": NUMBER,
    "p": NUMBER, "p_corrected": NUMBER, "correction": TEXT, "family": COUNT, "effect": NUMBER, "effect_kind": TEXT,
    "method": TEXT, "test": TEXT, "detectable": NUMBER, **EQUIVALENCE_COLUMNS, "group": FLAG, "members": COUNT,
    "kind": TEXT, "better": TEXT, "unit": TEXT, "definition": TEXT, "eval_key": TEXT, "baseline_eval_key": TEXT,
    "flags": LIST,
}  # fmt: skip
"""Columns of the differences. `rate`, `k`, `n` and the baseline's are those that are compared: where `paired`, of the
`questions` in common, each counting once whatever its epochs; else of all samples. `rate_low` and `rate_high` are the
interval of that rate by itself. `difference` is `rate` less
`baseline_rate`: fractions from -1 to 1 for kind "rate", else in the score's unit. `p` is two-sided; `p_corrected`
is corrected over the `family` of all differences in the frame. `detectable` is the smallest difference that a
comparison with this interval finds about four times in five. What it shows is in
`dashboard.queries.equivalence.EQUIVALENCE_COLUMNS`. A row with `group` averages the differences of its
`members`. Where the query splits, each row is of the samples with its values of `split` and `split2`, at either
checkpoint."""

FLIP_COLUMNS: dict[str, str] = {
    "eval": TEXT, "metric": TEXT, "checkpoint": TEXT, "baseline": TEXT, "sample": TEXT, "from": TEXT, "to": TEXT,
    "change": NUMBER, "k": COUNT, "n": COUNT, "baseline_k": COUNT, "baseline_n": COUNT, "variant": TEXT,
    "split": TEXT, "split2": TEXT, "better": TEXT, "definition": TEXT, "eval_key": TEXT, "epoch": COUNT,
    "baseline_eval_key": TEXT, "baseline_epoch": COUNT,
}  # fmt: skip
"""Columns of the questions whose rate over epochs is not the baseline's, of the evals asked for and of the members of
groups. `from` and `to` are outcomes as in
`sample_filter.OUTCOMES`: misaligned (counted by the definition) or aligned; `change` is k / n less the baseline's,
the largest first. `eval_key`, `sample` and `epoch` name a transcript with the outcome `to`, those of the baseline one
with the outcome `from`."""

CHANGE_COLUMNS: dict[str, str] = {
    "eval": TEXT, "metric": TEXT, "checkpoint": TEXT, "baseline": TEXT, "sample": TEXT, "change": NUMBER,
    "value": NUMBER, "baseline_value": NUMBER, "n": COUNT, "baseline_n": COUNT, "variant": TEXT, "split": TEXT,
    "split2": TEXT, "better": TEXT, "unit": TEXT, "definition": TEXT, "eval_key": TEXT, "epoch": COUNT,
    "baseline_eval_key": TEXT, "baseline_epoch": COUNT,
}  # fmt: skip
"""The same for means: the questions whose mean over epochs changed most, a few dozen of each comparison. `epoch` is the
first that has a value."""

INCOMPARABLE_COLUMNS: dict[str, str] = {
    "eval": TEXT, "checkpoint": TEXT, "baseline": TEXT, "what": TEXT, "value": TEXT, "baseline_value": TEXT,
    "message": TEXT, "variant": TEXT, "split": TEXT, "split2": TEXT,
}  # fmt: skip
"""Columns of what differs between two logs besides the checkpoint. `what` is judge, task version, epochs, dataset,
number of samples (of logs without samples), a sampling setting or task arg by its name, prompts, questions (subsets),
variant, status, or measured (one of the two never was)."""

SETTING_COLUMNS: dict[str, str] = {
    "eval": TEXT, "setting": TEXT, "checkpoint": TEXT, "value": TEXT, "differs": FLAG, "variant": TEXT,
    "eval_key": TEXT,
}  # fmt: skip
"""Columns of the settings side by side; `differs` where not every checkpoint has the same."""


COLUMNS = {
    "rates": RATE_COLUMNS,
    "differences": DIFFERENCE_COLUMNS,
    "flips": FLIP_COLUMNS,
    "changes": CHANGE_COLUMNS,
    "incomparable": INCOMPARABLE_COLUMNS,
    "settings": SETTING_COLUMNS,
    "basis": BASIS_COLUMNS,
}
"""The columns of each frame of a comparison."""


@dataclass(frozen=True)
class ComparisonRows:
    """What a `Comparison` is made of: the rows of each of its frames, as they are measured."""

    checkpoints: list[str]
    baseline: str
    correction: str
    rows: dict[str, list[Row]]


@dataclass(frozen=True)
class Comparison:
    """Everything about some checkpoints and a baseline.

    Attributes:
        checkpoints: All of them, the baseline among them, by the names that the frames use.
        baseline: The baseline's name.
        correction: Of the p-values, for people: "Holm".
        rates: The rates of these checkpoints: `RATE_COLUMNS`.
        differences: `DIFFERENCE_COLUMNS`, a row for each eval, metric and checkpoint that is not the baseline.
        flips: `FLIP_COLUMNS`.
        changes: `CHANGE_COLUMNS`.
        incomparable: `INCOMPARABLE_COLUMNS`.
        settings: `SETTING_COLUMNS`.
        basis: `BASIS_COLUMNS`, a row for each difference: what `planning.plan` takes.
    """

    checkpoints: list[str]
    baseline: str
    correction: str
    rates: pd.DataFrame
    differences: pd.DataFrame
    flips: pd.DataFrame
    changes: pd.DataFrame
    incomparable: pd.DataFrame
    settings: pd.DataFrame
    basis: pd.DataFrame


def compare(con: duckdb.DuckDBPyConnection, query: CompareQuery, as_of: int) -> Comparison:
    """Compare checkpoints with a baseline on every eval that is asked for.

    Two checkpoints that answered the same questions are paired on them, epochs averaged first; others are compared
    unpaired. Which, and what else differs between the logs, is in the answer.

    Args:
        con: A connection or cursor that this thread has to itself.
        query: Which.
        as_of: The store as of the end of this batch.

    Raises:
        DriftlineError: A checkpoint is not there (the message lists what is), or too few or many are named.
    """
    found = compare_rows(con, query, as_of)
    frames = {name: frame_of(found.rows[name], columns) for name, columns in COLUMNS.items()}
    return Comparison(found.checkpoints, found.baseline, found.correction, **frames)


def compare_rows(con: duckdb.DuckDBPyConnection, query: CompareQuery, as_of: int) -> ComparisonRows:
    """The rows behind `compare`, which raises the same."""
    checkpoints, baseline = _chosen(query, live_logs(con, as_of))
    asked = query.rates([each.run for each in checkpoints])
    scope = scope_of(con, query.evals, as_of, query.splits)
    table = [row for row in rate_rows(con, asked, as_of, scope) if any(is_row_of(row, each) for each in checkpoints)]
    shown = dict.fromkeys((row["eval"], row["metric"]) for row in table if not row["group"])
    groups = {
        group: {"metric": row["metric"], "definition": row["definition"]}
        for row in table
        for group in scope.groups
        if row["group"] and group.name == row["eval"]
    }
    wanted = dict.fromkeys([*shown, *((name, of.name) for group in groups for name, of in scope.members(group))])
    measured = find_measured(con, scope, list(wanted), checkpoints, asked, as_of)
    matches, missing = find_matches(measured, [each.name for each in checkpoints], baseline.name, query.splits)

    compared = []
    for match in matches:
        difference = match.difference()
        compared.append(Told(difference, difference_row(match, difference, asked), basis_row(match)))
    answer = [one for one in compared if (one.row["eval"], one.row["metric"]) in shown]
    for group, about in groups.items():
        answer += _of_group(group, scope, about, compared, query.level)
    order = {name: at for at, name in enumerate(scope.study.titles or {})}
    answer.sort(key=lambda one: _place(one.row, order))
    differences = [one.row for one in answer]
    _correct(differences, query.correction)
    add_verdicts(answer, query.margins, query.correction, query.level)
    flips, changes = ([row for match in matches for row in of(match)] for of in (flip_rows, change_rows))
    for rows in (flips, changes):
        rows.sort(key=lambda row: -abs(row["change"]))
    settings = settings_of(con, [one.row for one in measured], as_of)
    return ComparisonRows(
        [each.name for each in checkpoints],
        baseline.name,
        CORRECTION_NAMES[query.correction],
        {
            "rates": table,
            "differences": differences,
            "flips": flips,
            "changes": changes,
            "incomparable": _once([*missing, *(row for match in matches for row in differing(match, settings))]),
            "settings": side_by_side(measured, settings),
            "basis": [one.basis for one in answer],
        },
    )


def _chosen(query: CompareQuery, logs: Sequence[Row]) -> tuple[list[Checkpoint], Checkpoint]:
    """The checkpoints, the baseline among them, and the baseline."""
    checkpoints = parse_checkpoints(query.checkpoints, logs)
    if not checkpoints:
        raise DriftlineError("Nothing to compare: name two checkpoints or more.")
    baseline = checkpoints[0] if query.baseline is None else parse_checkpoints([query.baseline], logs)[0]
    if baseline not in checkpoints:
        checkpoints.insert(0, baseline)
    if not 2 <= len(checkpoints) <= MOST:
        number = "1 checkpoint" if len(checkpoints) == 1 else f"{len(checkpoints)} checkpoints"
        raise DriftlineError(f"{number}, the baseline among them: it takes 2 to {MOST}.")
    return checkpoints, baseline


def _once(rows: Sequence[Row]) -> list[Row]:
    """Each row once: settings are the logs', whatever metric they are measured by and however they are split."""
    columns = [name for name in INCOMPARABLE_COLUMNS if name not in ("value", "baseline_value")]
    return list({tuple(row.get(name) for name in columns): row for row in rows}.values())


def _place(row: Row, order: dict[str, int]) -> tuple[Any, ...]:
    """Evals as the study orders them, then metric, variant and split values; checkpoints stay as they were named."""
    splits = value_order(row["split"]), value_order(row["split2"])
    return order.get(row["eval"], len(order)), row["eval"], row["metric"], row["variant"] or "", *splits


def _of_group(group: Group, scope: Scope, about: Row, compared: Sequence[Told], level: float) -> list[Told]:
    """The average over a group's members, for each checkpoint, variant and split values that one was measured at."""
    members = [(name, metric.name) for name, metric in scope.members(group)]
    expected = expected_members(group, [name for name, _ in members])
    by_place: dict[tuple[Any, ...], list[Told]] = {}
    for one in compared:
        if one.difference is not None and (one.row["eval"], one.row["metric"]) in members:
            place = tuple(one.row[name] for name in ("checkpoint", "variant", "split", "split2"))
            by_place.setdefault(place, []).append(one)
    found = []
    for of in by_place.values():
        rows = [(one.row, one.difference) for one in of if one.difference is not None]
        row, average = group_row(group.name, about["metric"], about["definition"], rows, level)
        absent = [name for name in expected if name not in {one.row["eval"] for one in of}]
        if absent:
            row["flags"].append(f"Missing from the mean of differences: {', '.join(absent)}")
        found.append(Told(average, row, group_basis(group.name, about["metric"], [one.basis for one in of])))
    return found


def _correct(differences: list[Row], correction: Correction) -> None:
    """Set the corrected p-values: all differences of one answer are one family."""
    p = [row.get("p", math.nan) for row in differences]
    family = sum(not math.isnan(each) for each in p)
    for row, value in zip(differences, corrected(p, correction), strict=True):
        row |= {"p_corrected": float(value), "correction": CORRECTION_NAMES[correction], "family": family}
