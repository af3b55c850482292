"""The metrics of one task as the harness reports them, without what is no metric."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

from loaders.json_text import clean
from loaders.lm_eval.samples import NO_FILTER
from loaders.records import ReportedMetric
from loaders.shares import counted

NOT_METRICS = frozenset({"name", "alias", "sample_len", "sample_count", "bypass"})
"""`bypass` is what `--predict_only` gives instead of a metric: 999."""
STDERR = "_stderr"
MISSING = "N/A"


class Odd(NamedTuple):
    """A number that can't be used: what is the matter with it, and of which metric."""

    what: str
    metric: str


def reported_metrics(
    metrics: dict[str, Any],
    n: int | None,
    odd: list[Odd] | None = None,
    *,
    shares: bool = True,
    filters: bool = True,
) -> list[ReportedMetric]:
    """The metrics of one task: `metric` and `metric_stderr` (2023), `metric,filter` and `metric_stderr,filter` (today).

    Lists and texts are no metrics (an interval's bounds, a remark); "N/A" is a missing value of one. NaN and infinity
    stay as they are: queries leave them out, count them and name them.

    Args:
        metrics: `results[task]`.
        n: How many documents the file says were evaluated; a group counts by metric instead.
        odd: Gets the numbers that are left out.
        shares: Whether the metrics can be k of n: those of a group are averages of its tasks.
        filters: Whether what stands behind a comma in a name is a filter.
    """
    odd = [] if odd is None else odd
    counts = metrics.get("sample_count")
    counts = counts if isinstance(counts, dict) else {}
    found = []
    for name, value in metrics.items():
        metric, _, filter_name = name.partition(",") if filters else (name, "", "")
        if metric in NOT_METRICS or not metric.strip():  # 0.4.0 gives groups a metric " "
            continue
        base = metric.removesuffix(STDERR)
        if base != metric and _joined(base, filter_name) in metrics:
            continue
        count = counts.get(name, n)
        count = count if isinstance(count, int) else None
        told = metrics.get(_joined(metric + STDERR, filter_name))
        for key, item in value.items() if isinstance(value, dict) else [(None, value)]:
            if not _is_value(item):
                continue
            number = _number(item, clean(metric), odd)
            sound = number is not None and math.isfinite(number)
            stderr = _stderr(told, clean(metric), odd) if sound else None
            found.append(
                ReportedMetric(
                    clean(metric),
                    number,
                    scorer=None if filter_name in ("", NO_FILTER) else clean(filter_name),
                    key=key,
                    stderr=stderr,
                    n=count,
                    k=counted(metric, number, count, stderr) if shares and sound else None,
                )
            )
    return found


def _number(value: Any, metric: str, odd: list[Odd]) -> float | None:
    """A number or boolean; None for what isn't one. Queries leave out NaN and infinity, and `odd` is told of them."""
    if not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        odd.append(Odd("NaN" if math.isnan(number) else "infinite", metric))
    return number


def notes(odd: Iterable[Odd]) -> list[str]:
    """What was left out, for people: "2 values are infinite: byte_perplexity, word_perplexity"."""
    by_kind: dict[str, list[str]] = {}
    for one in odd:
        by_kind.setdefault(one.what, []).append(one.metric)
    said = []
    for what, metrics in by_kind.items():
        thing = "standard error" if what in NO_STDERR else "value"
        many = len(metrics) > 1
        names = ", ".join(sorted(set(metrics)))
        said.append(f"{len(metrics)} {thing}{'s' if many else ''} {'are' if many else 'is'} {what}: {names}")
    return said


NO_STDERR = frozenset({"no number", "negative", "not finite"})


def _stderr(value: Any, metric: str, odd: list[Odd]) -> float | None:
    """A standard error; None for "N/A" and nothing, and for what can't be one, which `odd` is told."""
    if value is None or value == MISSING or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        odd.append(Odd("no number", metric))
        return None
    number = _number(value, metric, [])
    if number is None or not math.isfinite(number):
        odd.append(Odd("not finite", metric))
        return None
    if number < 0:
        odd.append(Odd("negative", metric))
        return None
    return number


def _is_value(item: Any) -> bool:
    """Whether a metric stands there, be its value missing: a number, null or "N/A"."""
    return item is None or item == MISSING or isinstance(item, int | float)


def _joined(metric: str, filter_name: str) -> str:
    return f"{metric},{filter_name}" if filter_name else metric
