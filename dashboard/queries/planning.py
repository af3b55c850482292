"""How many questions it would take to find a given difference, from what two checkpoints' logs have shown. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dashboard.queries.frame import COUNT, FLAG, NUMBER, TEXT, frame_of
from dashboard.queries.rows import is_missing
from dashboard.statistics import questions_for_paired, questions_for_rates
from dashboard.statistics.power import POWER

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[Any, Any]

PLACE: dict[str, str] = {
    "eval": TEXT, "metric": TEXT, "variant": TEXT, "split": TEXT, "split2": TEXT, "checkpoint": TEXT, "baseline": TEXT,
    "group": FLAG, "members": COUNT, "kind": TEXT, "unit": TEXT, "paired": FLAG, "questions": COUNT, "epochs": NUMBER,
}  # fmt: skip

BASIS_COLUMNS: dict[str, str] = PLACE | {
    "baseline_questions": COUNT, "baseline_epochs": NUMBER, "baseline_rate": NUMBER, "variance": NUMBER,
    "design_effect": NUMBER,
}  # fmt: skip
"""What a plan rests on, a row for each difference. `questions` (of the baseline `baseline_questions`, where not paired)
have an outcome, in `epochs` each on average; of a group, the fewest of a member. `variance` is that of the difference
as if it rested on one question (or one of each log): squared units of the values; of a group, that of the average over
its members. `design_effect`, of unpaired rates, is questions per effective sample."""

PLAN_COLUMNS: dict[str, str] = PLACE | {
    "target": NUMBER, "needed": COUNT, "power": NUMBER, "method": TEXT,
}  # fmt: skip
"""`needed` questions, in as many epochs as now, find a difference of `target` with this `power` at the level of 95%:
at both checkpoints the same ones where `paired`, as many at each where not, as many in each eval of a group. It is
missing where nothing can be told."""

PAIRED = "paired, from the questions' measured differences"
UNPAIRED = "unpaired, from the measured variances"
RATES = "unpaired, from the baseline's rate"
LEAST = "paired, from the least variance that yes-or-no answers allow"
UNKNOWN = "not known: the logs show no variance"
IMPOSSIBLE = "no rate is as far from the baseline's"


def plan(basis: pd.DataFrame, target: float, power: float = POWER) -> pd.DataFrame:
    """How many questions find a difference: `PLAN_COLUMNS`, a row for each of the basis.

    Args:
        basis: `BASIS_COLUMNS`.
        target: The difference, either way, above 0; a fraction for rates (0.05 is 5 points), else in the score's unit.
        power: Chance of finding it.

    Raises:
        ValueError: The target is not above 0, or power is not between 0 and 1.
    """
    return frame_of(plan_rows(basis.to_dict("records"), target, power), PLAN_COLUMNS)


def plan_rows(basis: Sequence[Row], target: float, power: float = POWER, level: float = 0.95) -> list[dict[str, Any]]:
    """The rows of `plan`, of rows with all of `BASIS_COLUMNS`, at a level of the two-sided test; raises the same."""
    if not target > 0 or not math.isfinite(target):
        raise ValueError(f"the difference to be found is {target}, and must be above 0")
    rows = []
    for row in basis:
        needed, method = _needed(row, target, power, level)
        kept = {name: None if is_missing(row[name]) else row[name] for name in PLACE}
        rows.append(kept | {"target": target, "needed": needed, "power": power, "method": method})
    return rows


def _needed(row: Row, target: float, power: float, level: float) -> tuple[int | None, str]:
    variance = row["variance"]
    is_rate = row["kind"] == "rate"
    if is_missing(variance):
        return None, UNKNOWN
    if is_rate and not row["group"] and not row["paired"]:
        return _of_rates(row, target, power, level)
    least = _least_variance(row, target) if is_rate else 0.0
    if least is None:
        return None, IMPOSSIBLE
    if not max(variance, least) > 0:
        return None, UNKNOWN
    needed = questions_for_paired(target, max(variance, least), power=power, level=level)
    measured = PAIRED if row["paired"] else UNPAIRED
    return max(2, math.ceil(needed)), LEAST if variance < least else measured


def _of_rates(row: Row, target: float, power: float, level: float) -> tuple[int | None, str]:
    """Of the rates that lie as far from the baseline's, the one that takes more questions."""
    base = float(row["baseline_rate"])
    rates = [rate for rate in (base - target, base + target) if 0.0 <= rate <= 1.0]
    if not rates or is_missing(row["design_effect"]):
        return None, IMPOSSIBLE if not rates else UNKNOWN
    effect = float(row["design_effect"])
    needed = max(questions_for_rates(rate, base, power, level, effect) for rate in rates)
    return max(2, math.ceil(needed)), RATES


def _least_variance(row: Row, target: float) -> float | None:
    """The least variance that the difference of a question can have where the rates differ by the target.

    d (1 - d) / K with K epochs: of yes-or-no answers in one epoch, at least a share of d must differ, and where they
    do, by 1. Few questions may have shown less. Of a group, if every member differs by as much. None above 1.

    With p and q a question's chances of yes: variance = E (p - q)^2 - d^2 + E (p - p^2) / K + E (q - q^2) / K
    >= (E |p - q| - d^2) / K, since (p - q)^2 + p - p^2 + q - q^2 = p + q - 2 p q >= |p - q|.
    """
    if target > 1.0:
        return None
    epochs = [float(row[name]) for name in ("epochs", "baseline_epochs") if not is_missing(row[name])]
    return target * (1.0 - target) / max([1.0, *epochs]) / int(row["members"])
