"""Numbers of trends in words. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dashboard import numerals
from dashboard.charts.lead import POINTS

Row = Mapping[Any, Any]

LEVEL = 0.05


def numbers(row: Row, name: str) -> tuple[float, float, float]:
    """A number of a lead with its bounds as a lead: positive where the run is better; rates in percentage points.

    Args:
        row: A row of `LEAD_COLUMNS`.
        name: Column: first, last, mean, slope or span.
    """
    scale = POINTS if row["kind"] == "rate" else 1.0
    estimate, low, high = (scale * row[f"{name}{end}"] for end in ("", "_low", "_high"))
    if row["better"] == "lower":
        return -estimate + 0.0, -high + 0.0, -low + 0.0
    return estimate, low, high


def change_in_words(row: Row, labels: Mapping[str, str]) -> str:
    """How far a run has moved from its first step, and from which step on that is significant.

    Args:
        row: A row of `dashboard.queries.trends.LINE_COLUMNS`.
        labels: Of the runs.
    """
    write = Writer(row)
    scale, unit = (POINTS if row["kind"] == "rate" else 1.0), write.unit
    percent = "%" if row["kind"] == "rate" else ""
    names = [row["run"], row["eval"], *(row[name] for name in ("variant", "split", "split2"))]
    line = " · ".join(labels.get(name, name) for name in names if isinstance(name, str))
    start, last = (write.plain(scale * row[name]) + percent for name in ("start_rate", "last_rate"))
    change, *bounds = (scale * row[name] for name in ("change", "change_low", "change_high"))
    if pd.isna(change):
        return f"{line}: the change is unknown."
    at = (numerals.step(row[name]) for name in ("first_step", "last_step"))
    told = f"{line}: {start} at step {next(at)}, {last} at step {next(at)};"
    told += f" {write.signed(change)}{unit} {write.between(*bounds)} ({'paired' if row['paired'] else 'not paired'})."
    return f"{told} {onset_in_words(row, 'the first step')}."


def onset_in_words(row: Row, against: str) -> str:
    """From which step on a line is higher or lower, read off its simultaneous band.

    Args:
        row: A row of `LINE_COLUMNS` or `LEAD_COLUMNS`.
        against: Than what.
    """
    first, lasting = row["first_shown"], row["lasting_from"]
    if pd.isna(first):
        return f"At no step significantly different from {against} (simultaneous 95% band)"
    side = f"{str(row['side']).capitalize()} than {against}"
    if pd.isna(lasting):
        return f"{side} at step {numerals.step(first)}, not at every later step (simultaneous 95% band)"
    earlier = "" if first == lasting else f", first at step {numerals.step(first)}"
    return f"{side} from step {numerals.step(lasting)} on{earlier} (simultaneous 95% band)"


@dataclass(frozen=True)
class Writer:
    """Writes numbers of one kind: percentage points with one digit, scores with two."""

    row: Row

    @property
    def unit(self) -> str:
        """What stands behind a difference."""
        if self.row["kind"] == "rate":
            return " pp"
        return f" {self.row['unit']}" if isinstance(self.row["unit"], str) else ""

    def plain(self, value: float) -> str:
        """A number without a sign of its own."""
        return numerals.decimals(value, self._places)

    def signed(self, value: float) -> str:
        """A difference, with its sign."""
        return numerals.signed_decimals(value, self._places)

    @property
    def _places(self) -> int:
        return 1 if self.row["kind"] == "rate" else 2

    def between(self, low: float, high: float) -> str:
        """An interval of differences."""
        return "(no interval)" if math.isnan(low) else f"[{self.signed(low)}, {self.signed(high)}]"

    def at(self, name: str) -> str:
        """A number of the row with its interval, and the step that it is at."""
        estimate, low, high = numbers(self.row, name)
        return f"{self.signed(estimate)} {self.between(low, high)} at step {numerals.step(self.row[f'{name}_step'])}"
