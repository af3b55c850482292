"""Numbers that logs report without the samples behind them: their n and k, and intervals of one kind along a line."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from dashboard import numerals
from dashboard.queries.frame import RateQuery
from dashboard.statistics import clopper_pearson_interval, reported_interval, share_interval, wilson_interval
from loaders.metrics.conditions import LARGEST

Row = dict[str, Any]

INTERVAL_NAMES = {"wilson": "Wilson", "clopper-pearson": "Clopper-Pearson"}

FROM_ERROR = "from the reported stderr"

EXACT = 1e-6
"""A share times n this far from a whole number is that number: what is left is the rounding of a double."""

MOST_DIGITS = 6
"""Digits after the point up to which a share may have been rounded by its writer."""

UNLIKE = 1.25
"""A reported standard error this many times that of k out of n speaks of samples that hang together."""


_line_of = itemgetter("run", "variant", "split", "split2", "eval")


def clean_number(value: float | None) -> tuple[float | None, str | None]:
    """A reported value, or nothing and what it is instead.

    Args:
        value: As the log reports it.
    """
    if value is None or (math.isfinite(value) and abs(value) <= LARGEST):
        return value, None
    what = "NaN" if math.isnan(value) else "infinite" if math.isinf(value) else "too large to average"
    return None, f"1 value is {what}: left out."


def clean_error(error: float | None) -> tuple[float | None, str | None]:
    """A reported standard error, or nothing and why it is none.

    Args:
        error: As the log reports it.
    """
    if error is None or (math.isfinite(error) and 0 <= error <= LARGEST):
        return error, None
    return None, f"The log reports a standard error of {error:g}, which can't be one: left out."


def successes(share: float, n: int) -> int | None:
    """The k of a share of n yes-or-no answers; None where it is no such count, or was rounded so that several fit.

    Args:
        share: From 0 to 1, as it is written: as a double, or rounded to a few digits.
        n: Answers.
    """
    total = share * n
    if abs(total - round(total)) <= EXACT * max(1.0, total):
        return round(total)
    digits = _digits(share)
    if digits > MOST_DIGITS:
        return None
    half = 0.5 * 10.0**-digits * n
    fitting = range(math.ceil(total - half), math.floor(total + half) + 1)
    return fitting[0] if len(fitting) == 1 else None


def is_rounded(share: float, n: int) -> bool:
    """Whether a share may be that of a count out of n, rounded to the digits that it is written with."""
    digits = _digits(share)
    return digits <= MOST_DIGITS and 10.0**-digits * n >= 1


def _digits(share: float) -> int:
    """Digits after the point that a share is written with; as many as a double has where it is written by powers."""
    text = repr(share)
    return 17 if "e" in text else len(text.partition(".")[2])


def add_intervals(rows: Sequence[Row], query: RateQuery, share: bool) -> None:
    """Set the intervals of reported numbers, and the k of shares.

    A share with a known n has the interval of k out of n, and one with a standard error alone that of the sample size
    which the error stands for: both are Wilson's (or exact) intervals, and lie in 0 to 100%. Other numbers have
    value +- z * stderr.

    Args:
        rows: With rate, n, k and stderr, which may be missing, and a list of flags.
        query: For level and method.
        share: Whether the numbers are shares of yes-or-no answers.
    """
    lines: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    counted: list[tuple[Row, float, int]] = []
    with_error: list[Row] = []
    for row in rows:
        if row.get("rate") is None:
            continue
        if share and 0 <= row["rate"] <= 1:
            known = _known_of(row)
            if known is not None:
                counted.append((row, *known))
            elif row.get("stderr"):
                with_error.append(row)
            elif row.get("stderr") == 0:
                _no_error(row)
            lines[_line_of(row)].append(row)
        elif row.get("stderr"):
            low, high = reported_interval(row["rate"], row["stderr"], query.level)
            row |= {"low": float(low), "high": float(high), "interval": "reported stderr"}
        elif row.get("stderr") == 0:
            _no_error(row)
    _bound_shares(counted, with_error, query)
    for line in lines.values():
        from_error = [row for row in line if row.get("interval", "").endswith(FROM_ERROR)] if with_error else []
        if from_error and any(row.get("interval") and row not in from_error for row in line):
            for row in from_error:
                row["flags"].append("The interval rests on the reported standard error; elsewhere on k of n.")


def _known_of(row: Row) -> tuple[float, int] | None:
    """The k of n of a share, where it is the share of a count, its `k` set; the k need not be known exactly."""
    share, n, error = row["rate"], row.get("n"), row.get("stderr")
    k = row.get("k")
    if k is not None and n and abs(k / n - share) > max(0.5 * 10.0 ** -_digits(share), EXACT):
        row["flags"].append(f"{k} of {n} is not the reported {share:g}: k is left out.")
        k = row["k"] = None
    if k is None and n:
        k = row["k"] = successes(share, n)
    if not n or (k is None and not is_rounded(share, n)):
        return None
    usual = math.sqrt(share * (1 - share) / max(n - 1, 1))
    if error and usual and error > UNLIKE * usual:
        row["flags"].append(
            f"The log reports a standard error of {numerals.figures(error, 3)}, independent samples would give"
            f" {numerals.figures(usual, 3)}:"
            " the interval may be too narrow."
        )
    return (share * n if k is None else k), n


def _bound_shares(counted: Sequence[tuple[Row, float, int]], with_error: Sequence[Row], query: RateQuery) -> None:
    """The intervals of shares, of all at once: by k of n, or by the standard error alone."""
    name = INTERVAL_NAMES[query.method]
    of_counts = wilson_interval if query.method == "wilson" else clopper_pearson_interval
    if counted:
        lows, highs = of_counts([k for _, k, _ in counted], [n for _, _, n in counted], query.level)
        for (row, _, _), low, high in zip(counted, lows, highs, strict=True):
            row |= {"low": float(low), "high": float(high), "interval": name}
    if with_error:
        shares, errors = [row["rate"] for row in with_error], [row["stderr"] for row in with_error]
        lows, highs = share_interval(shares, errors, query.level, query.method)
        for row, low, high in zip(with_error, lows, highs, strict=True):
            row |= {"low": float(low), "high": float(high), "interval": f"{name}, {FROM_ERROR}"}


def _no_error(row: Row) -> None:
    """A standard error of 0 is no certainty: all answers were alike."""
    row["flags"].append("The log reports a standard error of 0, which gives no interval.")


def counts_of(told: Mapping[str, Any]) -> Row:
    """The n and k of a reported number, where they can be counts of each other.

    Args:
        told: With value, n and k.
    """
    n, k = told["n"], told.get("k")
    n = n if n is not None and n > 0 else None
    return {"n": n, "k": k if n is not None and k is not None and 0 <= k <= n else None}
