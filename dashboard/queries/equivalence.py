"""What each difference of an answer shows by an equivalence margin: significant, equivalent, or inconclusive. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from dashboard.queries.frame import COUNT, NUMBER, TEXT
from dashboard.queries.planning import BASIS_COLUMNS, plan_rows
from dashboard.statistics import Correction, Difference, corrected, equivalence_p, noninferiority_p, verdict
from dashboard.statistics.power import POWER

Row = dict[str, Any]

EQUIVALENCE_COLUMNS: dict[str, str] = {
    "verdict": TEXT, "margin": NUMBER, "p_equivalence": NUMBER, "p_equivalence_corrected": NUMBER, "needed": COUNT,
}  # fmt: skip
"""Columns of what a difference shows. `verdict` is significant (its interval excludes 0, and `p_corrected` agrees),
equivalent (within +-`margin`, in the units of the difference, by `p_equivalence_corrected`), or inconclusive; missing
without an interval. `p_equivalence` is that of two one-sided tests, corrected over the family of differences like `p`;
missing where no margin is set. A significant difference may be within the margin as well. `needed` questions (as in
`dashboard.queries.planning.PLAN_COLUMNS`) would show an inconclusive one to be within the margin four times in five,
if nothing differs. Where a change has a worse direction and the question is whether a number lasted, `p_equivalence` is
that of the one-sided test that it is not worse by the margin (non-inferiority)."""


@dataclass(frozen=True, slots=True)
class Margins:
    """Equivalence margins, all above 0. Hashable, so that they can be part of the key of a cache."""

    rate: float | None = None
    """Of rates, as a fraction: 0.05 is 5 percentage points. None: equivalence of rates is not tested."""
    score: float | None = None
    """Of all other numbers, in their own units."""

    def __post_init__(self) -> None:
        for name, margin in (("rate", self.rate), ("score", self.score)):
            if margin is not None and not 0 < margin < math.inf:
                raise ValueError(f"the margin of a {name} is {margin}, and must be above 0")

    def of(self, kind: str) -> float | None:
        """The margin of a kind of number."""
        return self.rate if kind == "rate" else self.score


NO_MARGINS = Margins()

WORSE: dict[str, Literal["higher", "lower"]] = {"lower": "higher", "higher": "lower"}
"""By which direction is better."""


@dataclass(frozen=True)
class Told:
    """A difference, its row, which says kind, low, high and p_corrected, and its row of `BASIS_COLUMNS`."""

    difference: Difference | None
    row: Row
    basis: Row


def add_verdicts(
    told: Iterable[Told], margins: Margins, correction: Correction, level: float, *, one_sided: bool = False
) -> None:
    """Put `EQUIVALENCE_COLUMNS` into the rows of one family of differences.

    Args:
        told: All of the family.
        margins: What counts as no difference.
        correction: Of the p-values of equivalence, over those that there are.
        level: Confidence level of the verdicts.
        one_sided: Whether it is enough not to be worse by the margin (non-inferiority), where rows say which direction
            is `better`.
    """
    known = [(one, margins.of(one.row["kind"])) for one in told]
    worse = [WORSE.get(str(one.row["better"])) if one_sided else None for one, _ in known]
    p = [
        math.nan
        if one.difference is None or margin is None
        else noninferiority_p(one.difference, margin, side)
        if side
        else equivalence_p(one.difference, margin)
        for (one, margin), side in zip(known, worse, strict=True)
    ]
    for (one, margin), side, each, after in zip(known, worse, p, corrected(p, correction), strict=True):
        row = one.row
        row |= {"margin": margin, "p_equivalence": each, "p_equivalence_corrected": float(after)}
        low, high, p_corrected = (row.get(name, math.nan) for name in ("low", "high", "p_corrected"))
        row["verdict"] = verdict(low, high, p_corrected, float(after), level)
        if row["verdict"] == "inconclusive" and margin is not None:
            row["needed"] = needed_questions(one.basis, margin, level, one_sided=side is not None)


def needed_questions(basis: Row, margin: float, level: float = 0.95, *, one_sided: bool = False) -> int | None:
    """How many questions show a difference that is none to be within a margin, with 80% power.

    Each of the two one-sided tests must find its bound with a chance of (1 + power) / 2, so it is the plan of a
    two-sided test at the level 2 level - 1 with that power; where one of them is enough, with the power itself.

    Args:
        basis: A row of `BASIS_COLUMNS`; what it lacks is missing.
        margin: Above 0, in the units of the difference.
        level: Of the test.
        one_sided: Whether it is of non-inferiority.

    Source: Julious (2004), Statistics in Medicine 23, 1921-1986, sections 5 and 6.
    """
    power = POWER if one_sided else (1 + POWER) / 2
    row = dict.fromkeys(BASIS_COLUMNS) | basis
    return plan_rows([row], margin, power=power, level=2 * level - 1)[0]["needed"]  # type: ignore[no-any-return]
