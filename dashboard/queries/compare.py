"""Checkpoints against a baseline: differences with intervals, what flipped, and what can't be compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pandas as pd

from dashboard.queries.applicable import Scope, live_evals, scope_of
from dashboard.queries.checkpoints import Checkpoint, parse_checkpoints
from dashboard.queries.definitions import Group, Metric
from dashboard.queries.differences import Match, Measured, difference_row, flip_rows, group_row
from dashboard.queries.flags import flag_states, number_repeats
from dashboard.queries.frame import COUNT, FLAG, LIST, NUMBER, TEXT, RateQuery, frame_of
from dashboard.queries.groups import is_glob
from dashboard.queries.measures import measure
from dashboard.queries.questions import Part, questions
from dashboard.queries.rates import about_metric, rates
from dashboard.queries.settings import differing, settings_of, side_by_side
from dashboard.statistics import CORRECTION_NAMES, CORRECTIONS, Correction, Difference, corrected
from loaders.errors import DriftlineError

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

    def __post_init__(self) -> None:
        if self.correction not in CORRECTIONS:
            raise ValueError(f'correction is "{self.correction}" (allowed: {", ".join(CORRECTIONS)})')
        if not 0.0 < self.level < 1.0:
            raise ValueError(f"level is {self.level}, and must lie between 0 and 1, like 0.95")


DIFFERENCE_COLUMNS: dict[str, str] = {
    "eval": TEXT, "metric": TEXT, "checkpoint": TEXT, "baseline": TEXT, "paired": FLAG, "questions": COUNT,
    "k": COUNT, "n": COUNT, "rate": NUMBER, "baseline_k": COUNT, "baseline_n": COUNT, "baseline_rate": NUMBER,
    "difference": NUMBER, "low": NUMBER, "high": NUMBER, "p": NUMBER, "p_corrected": NUMBER, "correction": TEXT,
    "family": COUNT, "effect": NUMBER, "effect_kind": TEXT, "method": TEXT, "test": TEXT, "detectable": NUMBER,
    "variant": TEXT, "group": FLAG, "kind": TEXT, "better": TEXT, "unit": TEXT, "definition": TEXT,
    "eval_key": TEXT, "baseline_eval_key": TEXT, "flags": LIST,
}  # fmt: skip
"""Columns of the differences. `rate`, `k`, `n` and the baseline's are those that are compared: where `paired`, of the
`questions` in common, each counting once whatever its epochs; else of all samples. `difference` is `rate` less
`baseline_rate`: fractions from -1 to 1 for kind "rate", else in the score's unit. `p` is two-sided; `p_corrected`
is corrected over the `family` of all differences in the frame. `detectable` is the smallest difference that a
comparison with this interval finds four times in five. A row with `group` averages the differences of its members."""

FLIP_COLUMNS: dict[str, str] = {
    "eval": TEXT, "metric": TEXT, "checkpoint": TEXT, "baseline": TEXT, "sample": TEXT, "from": TEXT, "to": TEXT,
    "change": NUMBER, "k": COUNT, "n": COUNT, "baseline_k": COUNT, "baseline_n": COUNT, "variant": TEXT,
    "better": TEXT, "definition": TEXT, "eval_key": TEXT, "epoch": COUNT, "baseline_eval_key": TEXT,
    "baseline_epoch": COUNT,
}  # fmt: skip
"""Columns of the questions whose rate over epochs is not the baseline's. `from` and `to` are outcomes as in
`sample_filter.OUTCOMES`: misaligned (counted by the definition) or aligned; `change` is k / n less the baseline's,
the largest first. `eval_key`, `sample` and `epoch` name a transcript with the outcome `to`, those of the baseline one
with the outcome `from`."""

INCOMPARABLE_COLUMNS: dict[str, str] = {
    "eval": TEXT, "checkpoint": TEXT, "baseline": TEXT, "what": TEXT, "value": TEXT, "baseline_value": TEXT,
    "message": TEXT, "variant": TEXT,
}  # fmt: skip
"""Columns of what differs between two logs besides the checkpoint. `what` is judge, task version, epochs, dataset,
number of samples (of logs without samples), a sampling setting or task arg by its name, prompts, questions (subsets),
variant, status, or measured (one of the two never was)."""

SETTING_COLUMNS: dict[str, str] = {
    "eval": TEXT, "setting": TEXT, "checkpoint": TEXT, "value": TEXT, "differs": FLAG, "variant": TEXT,
    "eval_key": TEXT,
}  # fmt: skip
"""Columns of the settings side by side; `differs` where not every checkpoint has the same."""


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
        incomparable: `INCOMPARABLE_COLUMNS`.
        settings: `SETTING_COLUMNS`.
    """

    checkpoints: list[str]
    baseline: str
    correction: str
    rates: pd.DataFrame
    differences: pd.DataFrame
    flips: pd.DataFrame
    incomparable: pd.DataFrame
    settings: pd.DataFrame


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
    checkpoints, baseline = _chosen(query, live_evals(con, as_of))
    asked = RateQuery(
        runs=tuple(dict.fromkeys(each.run for each in checkpoints)),
        evals=query.evals,
        metrics=query.metrics,
        level=query.level,
    )
    table = rates(con, asked, as_of)
    table = table[[any(each.holds(row) for each in checkpoints) for row in table.to_dict("records")] or slice(0)]
    scope = scope_of(con, query.evals, as_of)
    shown = dict.fromkeys(zip(*(table.loc[~table["group"], name] for name in ("eval", "metric")), strict=True))
    groups = {
        group: {"metric": row["metric"], "definition": row["definition"]}
        for row in table[table["group"]].to_dict("records")
        for group in scope.groups
        if group.name == row["eval"]
    }
    wanted = dict.fromkeys([*shown, *((name, of.name) for group in groups for name, of in scope.members(group))])
    measured = _measured(con, scope, list(wanted), checkpoints, asked, as_of)
    matches, missing = _matches(measured, [each.name for each in checkpoints], baseline.name)

    found = [(match, match.difference()) for match in matches]
    rows = [(difference_row(match, difference, query.level), difference) for match, difference in found]
    settings = settings_of(con, [one.row for one in measured], as_of)
    differences = [row for row, _ in rows if (row["eval"], row["metric"]) in shown]
    for group, about in groups.items():
        differences += _of_group(group, scope, about, rows, query.level)
    order = {name: at for at, name in enumerate(scope.study.titles or {})}
    differences.sort(key=lambda row: (order.get(row["eval"], len(order)), row["eval"], row["metric"]))
    _correct(differences, query.correction)
    flips = [row for match in matches if match.here.name[:2] in shown for row in flip_rows(match)]
    flips.sort(key=lambda row: -abs(row["change"]))
    # The settings are the logs', whatever metric they are measured by.
    unlike = [*missing, *(row for match in matches for row in differing(match, settings))]
    once = {(row["eval"], row["variant"], row["checkpoint"], row["what"], row["message"]): row for row in unlike}
    return Comparison(
        checkpoints=[each.name for each in checkpoints],
        baseline=baseline.name,
        correction=CORRECTION_NAMES[query.correction],
        rates=table.reset_index(drop=True),
        differences=frame_of(differences, DIFFERENCE_COLUMNS),
        flips=frame_of(flips, FLIP_COLUMNS),
        incomparable=frame_of(list(once.values()), INCOMPARABLE_COLUMNS),
        settings=frame_of(side_by_side(measured, settings), SETTING_COLUMNS),
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
        raise DriftlineError(f"{len(checkpoints)} checkpoints, the baseline among them: it takes 2 to {MOST}.")
    return checkpoints, baseline


def _measured(
    con: duckdb.DuckDBPyConnection,
    scope: Scope,
    wanted: Sequence[tuple[str, str]],
    checkpoints: Sequence[Checkpoint],
    asked: RateQuery,
    as_of: int,
) -> list[Measured]:
    """The logs of the checkpoints, once for each metric that is wanted of their eval."""
    by_metric: dict[Metric, list[str]] = {}
    for name, metrics in scope.applicable.items():
        for metric in metrics:
            if (name, metric.name) in wanted:
                by_metric.setdefault(metric, []).append(name)
    logs = [(each, log) for log in scope.logs for each in checkpoints if each.holds(log)]
    found: dict[tuple[Any, ...], Measured] = {}
    for metric, names in by_metric.items():
        of = {log["eval_id"]: each.name for each, log in logs if log["eval"] in names}
        mine = [log for _, log in logs if log["eval_id"] in of]
        rows = [row | about_metric(metric) for row in measure(con, metric, mine, scope.study, asked, as_of)]
        number_repeats(rows)
        flag_states(rows)
        fields = {name: scope.study.cluster_field(name) for name in names}
        answers = {} if metric.kind == "reported" else questions(con, metric, mine, fields, as_of)
        for row in sorted(rows, key=lambda row: (row["created"] is not None, row["created"] or 0, row["eval_id"])):
            if row["repeat"]:
                continue
            one = Measured(of[row["eval_id"]], row | {"level": asked.level}, answers.get(Part(row["eval_id"]), {}))
            before = found.get((one.checkpoint, *one.name))
            if before:
                # Logs without a step are checkpoints of their own, and only their run names them.
                one.row["flags"].append("Several logs without a step: the newest one is compared.")
            found[one.checkpoint, *one.name] = one
    return list(found.values())


def _matches(measured: Sequence[Measured], checkpoints: Sequence[str], baseline: str) -> tuple[list[Match], list[Row]]:
    """Logs with the baseline's of the same eval, metric and variant; and rows of what only one of the two has."""
    by_name: dict[tuple[str, str], dict[str, dict[str, Measured]]] = {}
    for one in measured:
        name, metric, variant = one.name
        by_name.setdefault((name, metric), {}).setdefault(one.checkpoint, {})[variant] = one
    matches, missing = [], []
    for (name, _), of in by_name.items():
        for checkpoint in checkpoints:
            if checkpoint == baseline:
                continue
            here, there = of.get(checkpoint, {}), of.get(baseline, {})
            if len(here) == len(there) == 1:
                # The only variant of each: compared, and flagged where they differ.
                matches.append(Match(*here.values(), *there.values()))
                continue
            matches += [Match(here[variant], there[variant]) for variant in here if variant in there]
            missing += [
                {
                    "eval": name, "variant": variant or None, "checkpoint": checkpoint, "baseline": baseline,
                    "what": "measured", "value": "yes" if variant in here else "no",
                    "baseline_value": "yes" if variant in there else "no",
                    "message": (f"variant {variant} was " if variant else "")
                    + f"never measured at {baseline if variant in here else checkpoint}",
                }
                for variant in sorted({*here, *there})
                if (variant in here) != (variant in there)
            ]  # fmt: skip
    return matches, missing


def _of_group(
    group: Group, scope: Scope, about: Row, rows: Sequence[tuple[Row, Difference | None]], level: float
) -> list[Row]:
    """The average over a group's members, for each checkpoint and variant at which one was measured."""
    members = [(name, metric.name) for name, metric in scope.members(group)]
    expected = dict.fromkeys([name for name in group.evals if not is_glob(name)] + [name for name, _ in members])
    by_place: dict[tuple[str, str | None], list[tuple[Row, Difference]]] = {}
    for row, difference in rows:
        if difference is not None and (row["eval"], row["metric"]) in members:
            by_place.setdefault((row["checkpoint"], row["variant"]), []).append((row, difference))
    found = []
    for of in by_place.values():
        average = group_row(group.name, about["metric"], about["definition"], of, level)
        absent = [name for name in expected if name not in {row["eval"] for row, _ in of}]
        if absent:
            average["flags"].append(f"Missing from the average of differences: {', '.join(absent)}")
        found.append(average)
    return found


def _correct(differences: list[Row], correction: Correction) -> None:
    """Set the corrected p-values: all differences of one answer are one family."""
    p = [row.get("p", math.nan) for row in differences]
    family = sum(not math.isnan(each) for each in p)
    for row, value in zip(differences, corrected(p, correction), strict=True):
        row |= {"p_corrected": float(value), "correction": CORRECTION_NAMES[correction], "family": family}
