"""How well a scanner does on its validation set, as a line beside what it found and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from dashboard import numerals
from dashboard.kit.text.plain import escaped
from dashboard.queries.scan_validation import ScanValidation
from dashboard.statistics import wilson_interval

SHARES = ("precision", "recall")


def checks_html(found: Sequence[ScanValidation]) -> str:
    """Precision and recall with their intervals, a line for each label and split; "" for a scanner without any.

    Args:
        found: Of one scanner.
    """
    lines = []
    for each in found:
        of = " · ".join(filter(None, (each.label, each.split)))
        shares = ", ".join(f"{name} {_share(*getattr(each, name))}" for name in SHARES)
        lines.append(f'<div class="dl-note">Validation set{f" ({escaped(of)})" if of else ""}: {shares}</div>')
    return "".join(lines)


def checks_table(found: Sequence[ScanValidation]) -> pd.DataFrame:
    """The same as a table: counts, and shares as fractions with the bounds of their intervals."""
    rows: list[dict[str, Any]] = []
    for each in found:
        row: dict[str, Any] = {"Scanner": each.scorer, "Label": each.label, "Split": each.split}
        row |= {"TP": each.true_positives, "FP": each.false_positives}
        row |= {"FN": each.false_negatives, "TN": each.true_negatives}
        for name in SHARES:
            k, n = getattr(each, name)
            low, high = wilson_interval(k, n)
            title = name.capitalize()
            row |= {title: k / n if n else None, f"{title} low": float(low), f"{title} high": float(high)}
        rows.append(row)
    return pd.DataFrame(rows)


def _share(k: int, n: int) -> str:
    """A share with its interval (Wilson, 95%) and counts."""
    if not n:
        return "undefined (0 of 0)"
    low, high = wilson_interval(k, n)
    return f"{numerals.percent(k / n)} {numerals.between(float(low), float(high), 'rate')}, {k} of {n}"
