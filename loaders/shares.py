"""Shares that a log reports without their samples: how many of the n they count, where that can be told."""

from __future__ import annotations

import math

SHARES = frozenset({
    "acc", "acc_norm", "acc_bytes", "acc_mutual_info", "accuracy", "em", "exact_match", "quasi_exact_match",
    "prefix_exact_match", "extractive_match", "mc1", "pct_stereotype", "prompt_level_strict_acc",
    "prompt_level_loose_acc", "pass@1", "contains",
})  # fmt: skip
"""Metrics that are usually the mean of one 0 or 1 a sample."""

EXACT = 1e-6
"""So far from a whole number k may be: the writer's own rounding of n terms."""
AGREES = 0.05
"""So far, relatively, a reported standard error may lie from that of n zeros and ones."""


def counted(metric: str, value: float | None, n: int | None, stderr: float | None) -> int | None:
    """How many of n samples a reported share counts; None where it is no share of whole samples.

    The value has to be k / n, to the digits that it is written with. A standard error that isn't that of zeros and
    ones tells a mean of other numbers (truthfulqa_mc2's `acc` is a mean of probabilities).

    Args:
        metric: Its name, in any case.
        value: As reported; only 0 to 1 is a share.
        n: How many samples it is over.
        stderr: As reported; 0 or less says nothing.
    """
    if metric.lower() not in SHARES or value is None or not n or n < 1 or not 0 <= value <= 1:
        return None
    k = round(value * n)
    off = abs(value * n - k)
    spread = k / n * (1 - k / n)
    told = stderr is not None and stderr > 0 and spread > 0 and n > 1
    if told and stderr is not None:
        alike = [abs(stderr / math.sqrt(spread / m) - 1) <= AGREES for m in (n - 1, n)]
        if not any(alike):
            return None
    rounded = n * 0.5 * 10.0 ** -_decimals(value)
    if off <= EXACT * max(1.0, n / 1000) or (off <= rounded and (told or rounded < 0.5)):
        return k
    return None


def _decimals(value: float) -> int:
    """Digits behind the point that a value is written with."""
    text = repr(value)
    return len(text.partition(".")[2]) if "e" not in text else 17
