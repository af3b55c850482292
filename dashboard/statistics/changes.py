"""Where an outcome first changed along the steps of a run, and whether it stayed so."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """The first change of an outcome. All places are indices into the values.

    Attributes:
        start: The first that is not missing: what the others are held against.
        before: The last that is still as at the start, before the first change.
        first: The first that differs from the start.
        back: The first after it that is as at the start again; None where the change stays to the end.
        differing: How many differ from the start.
        known: How many are not missing.
    """

    start: int
    before: int
    first: int
    back: int | None
    differing: int
    known: int

    @property
    def stays(self) -> bool:
        """Whether nothing after the first change is as at the start."""
        return self.back is None


def first_change(values: Sequence[float | None]) -> Change | None:
    """Where a value first differs from the first one; None where it never does, or fewer than two are known.

    Args:
        values: In order; None or NaN where nothing is known. What is missing is skipped, and never a change.
    """
    known = [at for at, value in enumerate(values) if not is_unknown(value)]
    if not known:
        return None
    start = known[0]
    other = [at for at in known if differ(values[at], values[start])]
    if not other:
        return None
    back = [at for at in known if at > other[0] and at not in other]
    before = max(at for at in known if at < other[0])
    return Change(start, before, other[0], back[0] if back else None, len(other), len(known))


def majority(value: float | None) -> float | None:
    """What most epochs of a question came to.

    Args:
        value: The fraction of epochs that count, from 0 to 1.

    Returns:
        1 or 0; 0.5 where as many count as don't; None where nothing is known.
    """
    if value is None or is_unknown(value):
        return None
    return 0.5 if not differ(value, 0.5) else float(value > 0.5)


def differ(one: float | None, other: float | None) -> bool:
    """Whether two known values are not the same, beyond what rounding does to a mean; what is missing never differs."""
    if one is None or other is None or is_unknown(one) or is_unknown(other):
        return False
    return not math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-12)


def disagree(values: Sequence[float | None]) -> bool:
    """Whether two of the known values differ."""
    known = [value for value in values if value is not None and not is_unknown(value)]
    return bool(known) and differ(min(known), max(known))


def is_unknown(value: float | None) -> bool:
    """Whether a value is missing."""
    return value is None or math.isnan(value)
