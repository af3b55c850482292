"""The average of the differences of several evals, with the interval of an average."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from dashboard.statistics.averages import average_interval
from dashboard.statistics.clusters import ClusterSums
from dashboard.statistics.differences import Difference, PairedSums, inverted_p, paired_proportion_interval


def average_difference(members: Sequence[Difference]) -> Difference:
    """Average of the differences of several evals, each with the same weight, their intervals squared and added.

    Args:
        members: At least one; independent of each other. With exactly one, it is that one.

    Returns:
        Effect is the average of the members' effects where they are of one kind.

    Raises:
        ValueError: There are no members.

    Source: as for `average_interval`.
    """
    if not members:
        raise ValueError("an average needs at least one member")
    if len(members) == 1:
        return members[0]
    estimates = [member.estimate for member in members]
    together = _sums_of(members)

    @cache
    def interval(level: float) -> tuple[float, float]:
        if together is not None:
            lows, highs = paired_proportion_interval(together, level)
        else:
            lows, highs = np.array([member.interval(level) for member in members]).T
        _, low, high = average_interval(estimates, lows, highs)
        return float(low), float(high)

    estimate = float(np.mean(estimates))
    kinds = {member.effect_kind for member in members}
    effect, kind = (float(np.mean([m.effect for m in members])), kinds.pop()) if len(kinds) == 1 else (np.nan, "none")
    method = f"mean of {len(members)} evals (variances added)"
    return Difference(estimate, interval, inverted_p(estimate, interval), "interval inverted", effect, kind, method)


def _sums_of(members: Sequence[Difference]) -> PairedSums | None:
    """The sums of all members as arrays, whose intervals take no longer than one's; None unless all have some."""
    sums = [member.sums for member in members if member.sums is not None]
    if len(sums) < len(members):
        return None
    here, there = (
        ClusterSums(*map(np.array, zip(*sides, strict=True)))
        for sides in ([each.here for each in sums], [each.there for each in sums])
    )
    return PairedSums(here, there, np.array([each.correlation for each in sums]))
