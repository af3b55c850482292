"""How each kind of number is written, in text, in Vega's expressions and in Streamlit's tables: one form for each.

Rates as 22.0%, differences of rates in percentage points with a sign (+1.3, −27.0), other numbers to four figures,
p values to two figures and as < 0.001 below that, counts and steps with a thousands separator, tokens as 1.2B, times as
29 Nov 2026, 01:03 UTC. Values are rounded here and nowhere before. Pure: plain numbers in, texts out.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

MINUS = "−"

LEAST_P = 0.001
"""Smaller p values are only said to be smaller."""

# In text.


def percent(value: float) -> str:
    """A rate: 3.7%."""
    return f"{value:.1%}"


def whole_percent(value: float) -> str:
    """A share of few, or a round one: 33%, 80%."""
    return f"{value:.0%}"


def points(value: float) -> str:
    """A difference of rates, in percentage points: +1.3, −27.0, 0.0."""
    return _signed(f"{value * 100:+.1f}")


def size_in_points(value: float) -> str:
    """How large a difference of rates is, in percentage points: 12.3; −2.0 for the end of an interval below 0."""
    return _minus(_no_sign_of_zero(f"{value * 100:.1f}"))


def figures(value: float, digits: int = 4) -> str:
    """Any other number, to some figures: 3.142, −0.5, 1e-07."""
    return _minus(f"{value:.{digits}g}")


def signed(value: float, digits: int = 4) -> str:
    """A difference of other numbers, to some figures: +0.25, −3, 0."""
    return _signed(f"{value:+.{digits}g}")


def decimals(value: float, places: int) -> str:
    """A number that stands beside others of its kind: kappa and lead as papers have them, 0.61, −0.05."""
    return _minus(_no_sign_of_zero(f"{value:.{places}f}"))


def signed_decimals(value: float, places: int) -> str:
    """The same with a sign: +0.61, −0.05, 0.00."""
    return _signed(f"{value:+.{places}f}")


def value_of(value: float, kind: str) -> str:
    """A value of a metric: of the kind "rate" in percent, of others to four figures."""
    return percent(value) if kind == "rate" else figures(value)


def between(low: float, high: float, kind: str) -> str:
    """The interval of a value of a metric: [17.7%, 27.0%]."""
    return f"[{value_of(low, kind)}, {value_of(high, kind)}]"


def p_value(value: float) -> str:
    """A p value by itself: 0.18, 0.0073, < 0.001."""
    return f"< {LEAST_P:g}" if value < LEAST_P else f"{value:.2g}"


def p_equals(value: float, correction: str = "") -> str:
    """A p value in a sentence: p = 0.18, p < 0.001, p (Holm) = 0.2.

    Args:
        value: The p value.
        correction: Name of the correction that it went through, if any.
    """
    name, text = f"p ({correction})" if correction else "p", p_value(value)
    return f"{name} {text}" if text.startswith("<") else f"{name} = {text}"


def count(value: float) -> str:
    """How many: 1,234."""
    return f"{value:,.0f}"


def step(value: object) -> str:
    """A step with a thousands separator, a label of one as it is: 10,000, final."""
    return count(value) if isinstance(value, int) else str(value)


def tokens(value: float) -> str:
    """A number of tokens: 3M, 14.2M, 1.2B; up to four figures."""
    for size, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if value >= size * 0.99995:
            return f"{value / size:.4g}{unit}"
    return f"{value:.4g}"


def seconds(value: float, places: int = 0) -> str:
    """How long something took: 12 s."""
    return f"{value:.{places}f} s"


def megabytes(value: float) -> str:
    """A size: 1,234.5 MB."""
    return f"{value / 1e6:,.1f} MB"


def time(at: datetime, zone: tzinfo = UTC) -> str:
    """When: 29 Nov 2026, 01:03 UTC.

    Args:
        at: In UTC where it has no zone of its own, as the store has it.
        zone: In which it is told: the reader's on the screen, UTC in files.
    """
    return _in_zone(at, zone, "%d %b %Y, %H:%M")


def exact_time(at: datetime, zone: tzinfo = UTC) -> str:
    """When, where two may be of one minute: 29 Nov 2026, 01:03:07 UTC. Arguments as for `time`."""
    return _in_zone(at, zone, "%d %b %Y, %H:%M:%S")


def clock(at: datetime, zone: tzinfo = UTC) -> str:
    """When within a day: 01:03:07 UTC. Arguments as for `time`."""
    return _in_zone(at, zone, "%H:%M:%S")


def _in_zone(at: datetime, zone: tzinfo, form: str) -> str:
    """A time with the short name of its zone; of those without one, as UTC−3."""
    there = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(zone)
    name = f"{there:%Z}"
    return f"{there:{form}} {name if name.isalpha() else 'UTC' + _minus(name)}"


def part(some: float, all: float) -> str:
    """How many of how many: 12 of 1,234."""
    return f"{count(some)} of {count(all)}"


def plural(many: float, word: str, several: str = "") -> str:
    """How many of what: 1 run, 1,234 runs, 2 replies.

    Args:
        many: How many.
        word: Of one.
        several: Of more than one, where that is not the word with an s.
    """
    return f"{count(many)} {word}" if many == 1 else f"{count(many)} {several or word + 's'}"


def data_of(when: str, batch: int) -> str:
    """Which data are shown: Data of 29 Nov 2026, 01:53 UTC (import 1).

    Args:
        when: When they were imported; "" where nobody knows.
        batch: Number of the import.
    """
    return f"Data of {when} (import {batch})" if when else f"Data of import {batch}"


def _minus(text: str) -> str:
    return text.replace("-", MINUS, 1) if text.startswith("-") else text


def _no_sign_of_zero(text: str) -> str:
    return text.lstrip("+-") if not text.strip("+-0.") else text


def _signed(text: str) -> str:
    return _minus(_no_sign_of_zero(text))


# D3's formats, in Vega's expressions and axes. Its minus is the same as ours.

D3_PERCENT = ".1%"
D3_WHOLE_PERCENT = ".0%"
D3_SHORT_PERCENT = ".1~%"
"""In cells of a heatmap: 20%, 3.7%."""
D3_POINTS = "+.1f"
"""Of a number in percentage points."""
D3_FIGURES = ".4~g"
D3_SIGNED = "+.4~g"
D3_SHORT = ".3~g"
"""Any number where there is little room."""
D3_TICK = "~g"
D3_LONG_TICK = ",.6~g"
D3_STEP = ",d"
D3_SHORT_STEP = "~s"
"""On axes alone: 10k."""


def d3_tokens(value: str) -> str:
    """Vega's expression of a number of tokens: 14M, 1.2B.

    Args:
        value: Expression of the number.
    """
    return f"replace(format({value}, '.4~s'), 'G', 'B')"


def d3_p(value: str) -> str:
    """Vega's expression of a p value: 0.18, < 0.001.

    Args:
        value: Expression of the number.
    """
    return f"({value} < {LEAST_P:g} ? '< {LEAST_P:g}' : format({value}, '.2~g'))"


# Formats of Streamlit's columns of numbers, which sort as such.

COLUMN_TIME, COLUMN_EXACT_TIME = "D MMM YYYY, HH:mm", "D MMM YYYY, HH:mm:ss"
COLUMN_FIGURES = "%.4g"
COLUMN_SHORT = "%.3g"
COLUMN_DECIMALS = "%.2f"
FIELD_LENGTH = "%.1f"
COLUMN_PERCENT = "%.1f%%"
"""Of numbers in hundredths."""
